//! Timestamps as bytes: in a list, in JSON, and under a key.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{fs, process::Command, time::SystemTime};

use core::time::Duration;

use fulcio_ct_client::{
    DigitallySigned, Entry, LogKey, LogKeyError, SctError, SignatureScheme,
    SignedCertificateTimestamp, decode_sct_list, encode_sct_list,
};
use fulcio_testkit::log::FakeLog;
use pki_types::SubjectPublicKeyInfoDer;
use proptest::prelude::*;

const ENTRY: Entry<'static> = Entry::Precertificate {
    issuer_key_hash: [7; 32],
    tbs: b"to be signed",
};

fn timestamp() -> SignedCertificateTimestamp {
    SignedCertificateTimestamp::new(
        [0xab; 32],
        0x0102_0304_0506_0708,
        vec![0xee, 0xff],
        DigitallySigned {
            scheme: SignatureScheme::ECDSA_SHA256,
            signature: vec![1, 2, 3],
        },
    )
    .unwrap()
}

#[test]
fn is_written_as_rfc_6962_section_3_2_says() {
    let mut expected = vec![0];
    expected.extend_from_slice(&[0xab; 32]);
    expected.extend_from_slice(&[1, 2, 3, 4, 5, 6, 7, 8]);
    expected.extend_from_slice(&[0, 2, 0xee, 0xff]);
    expected.extend_from_slice(&[4, 3, 0, 3, 1, 2, 3]);
    assert_eq!(timestamp().encode(), expected);
    assert_eq!(
        SignedCertificateTimestamp::decode(&expected).unwrap(),
        timestamp()
    );
}

#[test]
fn is_written_as_json_in_the_order_of_the_rfc() {
    let json = format!(
        r#"{{"sct_version":0,"id":"{}","timestamp":72623859790382856,"extensions":"7v8=","signature":"BAMAAwECAw=="}}"#,
        "q6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6s="
    );
    assert_eq!(timestamp().to_json(), json);
    assert_eq!(
        SignedCertificateTimestamp::from_json(json.as_bytes()).unwrap(),
        timestamp()
    );
}

#[test]
fn reads_json_without_extensions_and_with_fields_it_does_not_know() {
    let json = timestamp().to_json();
    let without = json.replace(r#""extensions":"7v8=","#, r#""more":[1],"#);
    let read = SignedCertificateTimestamp::from_json(without.as_bytes()).unwrap();
    assert!(read.extensions().is_empty());
}

/// OpenSSL reads the list out of a certificate and prints it.
#[test]
fn lists_are_what_openssl_reads() {
    let second = FakeLog::new().promise(&ENTRY).unwrap();
    let list = encode_sct_list(&[timestamp(), second.clone()]);
    assert_eq!(
        decode_sct_list(&list).unwrap(),
        [timestamp(), second.clone()]
    );

    let length = u16::try_from(list.len()).unwrap().to_be_bytes();
    let mut value = vec![0x04, 0x82, length[0], length[1]];
    value.extend_from_slice(&list);
    let folder = tempfile::tempdir().unwrap();
    let openssl = |words: &str| {
        let output = Command::new("openssl")
            .args(words.split_whitespace())
            .current_dir(&folder)
            .output()
            .expect("openssl is installed");
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    fs::write(
        folder.path().join("extension.cnf"),
        format!(
            "[req]\ndistinguished_name=name\n[name]\n[list]\n1.3.6.1.4.1.11129.2.4.2=DER:{}\n",
            hex(&value)
        ),
    )
    .unwrap();
    openssl(
        "req -x509 -config extension.cnf -extensions list -newkey ec -pkeyopt \
         ec_paramgen_curve:P-256 -nodes -subj /CN=x -keyout key.pem -out certificate.pem",
    );
    let text = openssl("x509 -in certificate.pem -noout -text");
    assert_eq!(text.matches("Version   : v1 (0x0)").count(), 2, "{text}");
    assert_eq!(text.matches("ecdsa-with-SHA256").count(), 2 + 2, "{text}");
    let printed: String = text
        .chars()
        .filter(char::is_ascii_hexdigit)
        .collect::<String>()
        .to_ascii_lowercase();
    for timestamp in [timestamp(), second] {
        assert!(printed.contains(&hex(&timestamp.log_id())), "{text}");
        assert!(
            printed.contains(&hex(&timestamp.signature().signature)),
            "{text}"
        );
    }
    assert!(text.contains("Extensions: EE:FF"), "{text}");
}

#[test]
fn refuses_lists_whose_lengths_do_not_add_up() {
    let list = encode_sct_list(&[timestamp()]);
    let mut longer = list.clone();
    longer.push(0);
    for bad in [
        &[][..],
        &[0],
        &[0, 0],
        &[0, 2, 0, 0],
        &list[..list.len() - 1],
        &longer,
    ] {
        assert!(decode_sct_list(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn verifies_for_its_entry_and_key_only() {
    let log = FakeLog::new();
    let promise = log.promise(&ENTRY).unwrap();
    promise.verify(&ENTRY, log.key(), None).unwrap();

    let other = Entry::Precertificate {
        issuer_key_hash: [8; 32],
        tbs: b"to be signed",
    };
    for entry in [other, Entry::Certificate(b"to be signed")] {
        assert!(matches!(
            promise.verify(&entry, log.key(), None),
            Err(SctError::Signature)
        ));
    }
    let later = with(&promise, promise.timestamp() + 1, vec![]);
    let extended = with(&promise, promise.timestamp(), vec![0]);
    for changed in [later, extended] {
        assert!(matches!(
            changed.verify(&ENTRY, log.key(), None),
            Err(SctError::Signature)
        ));
    }
}

fn with(
    promise: &SignedCertificateTimestamp,
    timestamp: u64,
    extensions: Vec<u8>,
) -> SignedCertificateTimestamp {
    let signature = promise.signature().clone();
    SignedCertificateTimestamp::new(promise.log_id(), timestamp, extensions, signature).unwrap()
}

#[test]
fn refuses_a_promise_out_of_the_future_when_it_is_told_the_time() {
    let log = FakeLog::new();
    let promise = log.promise(&ENTRY).unwrap();
    let signed_at = SystemTime::UNIX_EPOCH + Duration::from_millis(promise.timestamp());
    let tolerance = SignedCertificateTimestamp::CLOCK_TOLERANCE;
    let verify = |now| promise.verify(&ENTRY, log.key(), Some(now));
    verify(signed_at + Duration::from_secs(1 << 30)).unwrap();
    verify(signed_at - tolerance).unwrap();
    let early = signed_at - tolerance - Duration::from_millis(1);
    assert!(matches!(verify(early), Err(SctError::Future { .. })));
    assert!(verify(SystemTime::UNIX_EPOCH - tolerance).is_err());
}

#[test]
fn reads_the_index_that_a_static_log_gives() {
    let index = |extensions: &[u8]| {
        with(&timestamp(), 0, extensions.to_vec())
            .leaf_index()
            .ok()
            .flatten()
    };
    assert_eq!(index(&[0, 0, 5, 0, 0, 0, 0, 42]), Some(42));
    assert_eq!(index(&[0, 0, 5, 1, 0, 0, 0, 0]), Some(1 << 32));
    assert_eq!(index(&[9, 0, 1, 7, 0, 0, 5, 0, 0, 0, 0, 1]), Some(1));
    assert_eq!(index(&[]), None);
    assert_eq!(index(&[9, 0, 1, 7]), None);
    for bad in [
        &[0, 0, 4, 0, 0, 0, 1][..],
        &[0, 0, 5, 0, 0, 0, 1],
        &[0, 0, 5, 0, 0, 0, 0, 1, 0, 0, 5, 0, 0, 0, 0, 1],
        &[1],
    ] {
        let timestamp = with(&timestamp(), 0, bad.to_vec());
        assert!(timestamp.leaf_index().is_err(), "{bad:?}");
    }
}

#[test]
fn is_bounded() {
    let long = vec![0; SignedCertificateTimestamp::MAX_LEN];
    let signature = timestamp().signature().clone();
    assert!(matches!(
        SignedCertificateTimestamp::new([0; 32], 0, long, signature),
        Err(SctError::TooLong)
    ));
}

/// Every kind of key that a log may have: openssl makes it and signs with it.
#[test]
fn verifies_what_openssl_signs_for_every_kind_of_log_key() {
    let folder = tempfile::tempdir().unwrap();
    let openssl = |words: &str| {
        let status = Command::new("openssl")
            .args(words.split_whitespace())
            .current_dir(&folder)
            .output()
            .expect("openssl is installed");
        assert!(status.status.success(), "{words}: {status:?}");
    };
    let file = |name: &str| folder.path().join(name);
    let ec = "EC -pkeyopt ec_paramgen_curve:";
    for (make, sign, scheme) in [
        (
            format!("{ec}P-256"),
            "sha256",
            SignatureScheme::ECDSA_SHA256,
        ),
        (
            format!("{ec}P-384"),
            "sha256",
            SignatureScheme::ECDSA_SHA256,
        ),
        (
            format!("{ec}P-384"),
            "sha384",
            SignatureScheme::ECDSA_SHA384,
        ),
        (
            "RSA -pkeyopt rsa_keygen_bits:2048".to_owned(),
            "sha256",
            SignatureScheme::RSA_SHA256,
        ),
        ("ED25519".to_owned(), "", SignatureScheme::ED25519),
    ] {
        openssl(&format!("genpkey -algorithm {make} -out key.pem"));
        openssl("pkey -in key.pem -pubout -out public.pem");
        let key = LogKey::from_pem(&fs::read(file("public.pem")).unwrap()).unwrap();
        fs::write(file("message"), ENTRY.to_be_signed(5, &[]).unwrap()).unwrap();
        if sign.is_empty() {
            openssl("pkeyutl -sign -rawin -inkey key.pem -in message -out signature");
        } else {
            openssl(&format!(
                "dgst -{sign} -sign key.pem -out signature message"
            ));
        }
        let signed = |scheme| {
            let signature = fs::read(file("signature")).unwrap();
            let signature = DigitallySigned { scheme, signature };
            SignedCertificateTimestamp::new(key.id(), 5, vec![], signature).unwrap()
        };
        signed(scheme).verify(&ENTRY, &key, None).unwrap();
        let unknown = SignatureScheme([2, 3]);
        assert!(matches!(
            signed(unknown).verify(&ENTRY, &key, None),
            Err(SctError::Scheme([2, 3]))
        ));
    }
}

#[test]
fn refuses_keys_that_logs_do_not_have() {
    assert!(matches!(
        LogKey::from_pem(b"no key"),
        Err(LogKeyError::Pem(_))
    ));
    let spki = |der: &[u8]| LogKey::from_spki(SubjectPublicKeyInfoDer::from(der.to_vec()));
    assert!(matches!(spki(b"no key"), Err(LogKeyError::Malformed(_))));

    let good = FakeLog::new();
    let good = good.key().spki();
    let mut off_curve = good.to_vec();
    *off_curve.last_mut().unwrap() ^= 1;
    assert!(matches!(spki(&off_curve), Err(LogKeyError::Rejected(_))));
    let mut trailing = good.to_vec();
    trailing.push(0);
    assert!(matches!(spki(&trailing), Err(LogKeyError::Malformed(_))));

    let folder = tempfile::tempdir().unwrap();
    for (make, text) in [
        ("RSA -pkeyopt rsa_keygen_bits:1024", "1024 bits"),
        ("EC -pkeyopt ec_paramgen_curve:secp256k1", "1.3.132.0.10"),
        ("X25519", "1.3.101.110"),
    ] {
        let pem = Command::new("sh")
            .arg("-c")
            .arg(format!(
                "openssl genpkey -algorithm {make} 2>/dev/null | openssl pkey -pubout"
            ))
            .current_dir(&folder)
            .output()
            .expect("openssl is installed")
            .stdout;
        let error = LogKey::from_pem(&pem).unwrap_err();
        assert!(error.to_string().contains(text), "{error}");
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

proptest! {
    #[test]
    fn comes_back_as_it_was_written(
        log_id in any::<[u8; 32]>(),
        timestamp in any::<u64>(),
        extensions in proptest::collection::vec(any::<u8>(), 0..100),
        scheme in any::<[u8; 2]>(),
        signature in proptest::collection::vec(any::<u8>(), 0..100),
    ) {
        let signature = DigitallySigned { scheme: SignatureScheme(scheme), signature };
        let one =
            SignedCertificateTimestamp::new(log_id, timestamp, extensions, signature).unwrap();
        prop_assert_eq!(&SignedCertificateTimestamp::decode(&one.encode()).unwrap(), &one);
        let json = one.to_json();
        prop_assert_eq!(
            &SignedCertificateTimestamp::from_json(json.as_bytes()).unwrap(),
            &one
        );
        let list = encode_sct_list(&[one.clone(), one.clone()]);
        prop_assert_eq!(decode_sct_list(&list).unwrap(), [one.clone(), one]);
    }

    #[test]
    fn whatever_bytes_are_read_are_written_the_same(
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
        flips in proptest::collection::vec((any::<usize>(), any::<u8>()), 0..3),
    ) {
        if let Ok(list) = decode_sct_list(&bytes) {
            prop_assert_eq!(encode_sct_list(&list), bytes);
        }
        let mut near = encode_sct_list(&[timestamp(), timestamp()]);
        for (at, bits) in flips {
            let at = at % near.len();
            near[at] ^= bits;
        }
        if let Ok(list) = decode_sct_list(&near) {
            prop_assert_eq!(encode_sct_list(&list), near);
        }
    }

    #[test]
    fn survives_any_json(text in r#"[\[\]{}",:0-9a-zA-Z/+= ]{0,200}"#) {
        prop_assert!(SignedCertificateTimestamp::from_json(text.as_bytes()).is_err());
    }
}
