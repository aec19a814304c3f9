//! Keysets by content: what is read, and what an operator is told of those that are not.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod wrapped;

use core::error::Error as _;
use std::fs;

use fulcio_signer::{ErrorKind, Signer as _};
use fulcio_signer_tink::{Error, KeysetError, TinkSigner};
use fulcio_test_services::openssl_verifies;
use wrapped::{
    ENABLED, Ecdsa, ID, Key, Plain, Refusing, binary, bytes, ed25519, ed25519_of, hex, json,
    keyset, number, only, opened, p256,
};

#[tokio::test]
async fn signs_with_ed25519_as_rfc_8032_says() {
    let signer = only(ed25519()).await.unwrap();
    assert_eq!(signer.key_id(), ID);
    let signature = signer.sign(b"").await.unwrap().0;
    assert_eq!(
        signature,
        hex(
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
        )
    );
}

#[tokio::test]
async fn numbers_may_have_zeros_before_them_or_lack_them() {
    let zeros = |number: &[u8]| [&[0, 0], number].concat();
    let Ecdsa { private, x, y, .. } = p256();
    let longer = Ecdsa {
        private: zeros(&private),
        x: zeros(&x),
        y: zeros(&y),
        ..p256()
    };
    // Appendix A.2.7 of RFC 6979; the number begins with a zero byte.
    let p521 = Ecdsa {
        curve: 4,
        hash: 4,
        private: hex(
            "FAD06DAA62BA3B25D2FB40133DA757205DE67F5BB0018FEE8C86E1B68C7E75CAA896EB32F1F47C70855836A6D16FCC1466F6D8FBEC67DB89EC0C08B0E996B83538",
        ),
        x: hex(
            "01894550D0785932E00EAA23B694F213F8C3121F86DC97A04E5A7167DB4E5BCD371123D46E45DB6B5D5370A7F20FB633155D38FFA16D2BD761DCAC474B9A2F5023A4",
        ),
        y: hex(
            "493101C962CD4D2FDDF782285E64584139C2F91B47F87FF82354D6630F746A28A0DB25741B5B34A828008B22ACC23F924FAAFBD4D33F81EA66956DFEAA2BFDFCF5",
        ),
    };
    for key in [p256(), longer, p521] {
        let signer = only(key.key()).await.unwrap();
        let signature = signer.sign(b"message").await.unwrap().0;
        openssl_verifies(&signer, b"message", &signature);
    }
}

#[tokio::test]
async fn reads_json_by_the_rules_of_protobuf() {
    let decrypted = keyset(ID, &[ed25519()]);
    let plain = String::from_utf8(json(&decrypted)).unwrap();
    assert!(
        plain.contains(['+', '/']),
        "this keyset shows nothing: {plain}"
    );
    let url = plain.replace('+', "-").replace('/', "_");
    for text in [
        plain.replace("encryptedKeyset", "encrypted_keyset"),
        url.replace('=', ""),
        plain.replace('=', ""),
        format!("\n {url} \n"),
        plain.replace('}', r#", "keysetInfo": {"primaryKeyId": 1}}"#),
        plain,
    ] {
        let read = TinkSigner::from_keyset(text.as_bytes(), &Plain).await;
        assert!(read.is_ok(), "{read:?}: {text}");
    }
}

#[tokio::test]
async fn refuses_what_is_not_a_keyset() {
    for file in [
        &b""[..],
        b" \n",
        b"{",
        b"{}",
        br#"{"encryptedKeyset":""}"#,
        br#"{"encryptedKeyset":"~"}"#,
        br#"{"encryptedKeyset":7}"#,
        br#"{"encryptedKeyset":null}"#,
        br#"{"encryptedKeyset":"AAAA","encryptedKeyset":"AAAA"}"#,
        br#"["encryptedKeyset"]"#,
        b"-----BEGIN PRIVATE KEY-----",
        &bytes(2, b""),
        &bytes(3, b"only the description"),
        &binary(&keyset(ID, &[ed25519()]))[..50],
    ] {
        let error = TinkSigner::from_keyset(file, &Plain).await.unwrap_err();
        let shown = String::from_utf8_lossy(file);
        assert!(
            matches!(error, KeysetError::NotAKeyset { .. }),
            "{shown}: {error:?}"
        );
    }
}

#[tokio::test]
async fn refuses_a_keyset_in_the_clear_before_anybody_is_asked() {
    let clear = keyset(ID, &[ed25519()]);
    for file in [
        &clear[..],
        br#"{"primaryKeyId":1,"key":[{"keyData":{}}]}"#,
        br#"{"primary_key_id":1}"#,
        br#"{"key":[]}"#,
    ] {
        let asked = Refusing(ErrorKind::Unavailable);
        let error = TinkSigner::from_keyset(file, &asked).await.unwrap_err();
        assert!(matches!(error, KeysetError::Cleartext), "{error:?}");
        assert!(error.to_string().contains("not encrypted"), "{error}");
    }
}

#[tokio::test]
async fn refuses_what_was_decrypted_and_is_no_keyset() {
    for decrypted in [&b"plain text"[..], &number(1, 7), &bytes(7, b"unknown")] {
        let error = opened(decrypted).await.unwrap_err();
        assert!(matches!(error, KeysetError::Content { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn the_primary_key_must_be_there_once_and_enabled() {
    let of = |id, status| Key {
        id,
        status,
        ..ed25519()
    };
    let error = opened(&keyset(7, &[ed25519()])).await.unwrap_err();
    assert!(
        matches!(error, KeysetError::PrimaryMissing { key_id: 7 }),
        "{error:?}"
    );
    for (status, said) in [
        (2, "disabled"),
        (3, "destroyed"),
        (0, "no state"),
        (9, "no state"),
    ] {
        let keys = [of(1, ENABLED), of(ID, status)];
        let error = opened(&keyset(ID, &keys)).await.unwrap_err();
        assert!(
            matches!(error, KeysetError::PrimaryDisabled { key_id: ID, .. }),
            "{error:?}"
        );
        assert!(error.to_string().contains(said), "{error}");
    }
    let twice = keyset(ID, &[ed25519(), ed25519()]);
    let error = opened(&twice).await.unwrap_err();
    assert!(
        matches!(error, KeysetError::PrimaryRepeated { key_id: ID }),
        "{error:?}"
    );
    // Tink looks at enabled keys only.
    let signer = opened(&keyset(ID, &[of(ID, 2), of(ID, ENABLED)])).await;
    assert!(signer.is_ok(), "{signer:?}");
}

#[tokio::test]
async fn names_the_types_that_it_does_not_take() {
    for kind in [
        "EcdsaPublicKey",
        "HmacKey",
        "JwtEcdsaPrivateKey",
        "Ed25519PublicKey",
    ] {
        let error = only(Key { kind, ..ed25519() }).await.unwrap_err();
        assert!(matches!(&error, KeysetError::Unsupported { kind: said, .. } if said == kind));
    }
    for (curve, hash, said) in [
        (2, 4, "P256 with Sha512"),
        (3, 3, "P384 with Sha256"),
        (4, 2, "P521 with Sha384"),
        (5, 3, "X25519 with Sha256"),
        (9, 9, "Unknown with Unknown"),
    ] {
        let key = Ecdsa {
            curve,
            hash,
            ..p256()
        };
        let error = only(key.key()).await.unwrap_err();
        assert!(
            matches!(error, KeysetError::Unsupported { .. }),
            "{error:?}"
        );
        assert!(error.to_string().contains(said), "{error}");
    }
}

#[tokio::test]
async fn the_halves_of_a_key_must_belong_together() {
    let other = |mut number: Vec<u8>| {
        *number.last_mut().unwrap() ^= 1;
        number
    };
    let Ecdsa { private, x, .. } = p256();
    let keys = [
        Ecdsa {
            private: other(private),
            ..p256()
        }
        .key(),
        Ecdsa {
            x: other(x),
            ..p256()
        }
        .key(),
        Ecdsa {
            private: vec![0],
            ..p256()
        }
        .key(),
        Ecdsa {
            private: vec![0xff; 32],
            ..p256()
        }
        .key(),
        Ecdsa {
            curve: 3,
            hash: 2,
            ..p256()
        }
        .key(),
        ed25519_of(&"11".repeat(32), &"22".repeat(32)),
        ed25519_of(&"11".repeat(31), &"22".repeat(32)),
        ed25519_of("", ""),
    ];
    for key in keys {
        let error = only(key).await.unwrap_err();
        assert!(
            matches!(error, KeysetError::Key { key_id: ID, .. }),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn refuses_keys_that_are_damaged() {
    let Key { value, .. } = ed25519();
    for value in [
        value[..value.len() - 1].to_vec(),
        value[..34].to_vec(),
        [number(1, 1), value].concat(),
        Vec::new(),
    ] {
        let error = only(Key { value, ..ed25519() }).await.unwrap_err();
        assert!(
            matches!(error, KeysetError::KeyMalformed { key_id: ID, .. }),
            "{error:?}"
        );
    }
    let long = Ecdsa {
        private: vec![1; 33],
        ..p256()
    };
    let error = only(long.key()).await.unwrap_err();
    assert!(
        matches!(error, KeysetError::KeyMalformed { .. }),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_key_service_that_refuses_is_the_cause() {
    let file = json(&keyset(ID, &[ed25519()]));
    let asked = Refusing(ErrorKind::Denied);
    let error = TinkSigner::from_keyset(&file, &asked).await.unwrap_err();
    let cause = error.source().and_then(|cause| cause.downcast_ref());
    let cause: &fulcio_signer::Error = cause.unwrap();
    assert_eq!(cause.kind(), ErrorKind::Denied);
}

#[tokio::test]
async fn errors_name_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keyset.json");
    let error = TinkSigner::open(&file, &Plain).await.unwrap_err();
    assert!(matches!(error, Error::Read { .. }), "{error:?}");
    assert!(error.to_string().contains("keyset.json"), "{error}");
    for content in [b"{}".to_vec(), vec![b' '; 300_000]] {
        fs::write(&file, content).unwrap();
        let error = TinkSigner::open(&file, &Plain).await.unwrap_err();
        assert!(matches!(error, Error::Keyset { .. }), "{error:?}");
        assert!(error.to_string().contains("keyset.json"), "{error}");
    }
    fs::write(&file, json(&keyset(ID, &[ed25519()]))).unwrap();
    assert!(TinkSigner::open(&file, &Plain).await.is_ok());
}

#[tokio::test]
async fn nothing_shows_the_key() {
    let secret = format!("{:?}", p256().private);
    let signer = only(p256().key()).await.unwrap();
    let shown = format!("{signer:?}");
    assert!(shown.contains("4000000000"), "{shown}");
    let mut wrong = p256();
    wrong.x[0] ^= 1;
    let error = only(wrong.key()).await.unwrap_err();
    for shown in [shown, format!("{error:?} {error}")] {
        let start = &secret[1..20];
        assert!(
            !shown.contains(start) && !shown.to_uppercase().contains("C9AFA9"),
            "{shown}"
        );
    }
}
