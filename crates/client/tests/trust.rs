//! What is trusted, and what is not.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod authority;

use std::time::Duration;

use authority::{Authority, IDENTITY, ISSUER, Manner, ada, named};
use fulcio_client::{Error, Expected, Trust};
use fulcio_ct_client::{Entry, LogKey, SctError, SignedCertificateTimestamp};
use fulcio_principal::SubjectAltName;
use fulcio_testkit::log::FakeLog;
use pki_types::{CertificateDer, pem::PemObject as _};

fn nobody_in_particular() -> Expected {
    Expected::default()
}

fn issue_with(
    authority: &Authority,
    timestamps: &dyn Fn(&Entry<'_>) -> Vec<SignedCertificateTimestamp>,
) -> CertificateDer<'static> {
    let manner = Manner {
        principal: ada(),
        tamper: &|_tbs| {},
        timestamps,
    };
    authority.issue_as(manner).certificate
}

fn refused(trust: &Trust, certificate: &CertificateDer<'_>) -> Error {
    let error = trust
        .verify(certificate, &nobody_in_particular())
        .unwrap_err();
    assert!(error.is_judgement(), "{error}");
    error
}

#[test]
fn trusts_a_good_certificate_and_tells_what_the_log_signed_for() {
    let log = FakeLog::new();
    for authority in [
        Authority::new("Example"),
        Authority::flat("Example"),
        Authority::deep("Example"),
    ] {
        for subject in [
            SubjectAltName::Email(IDENTITY.to_owned()),
            SubjectAltName::Uri("https://example.com/build.yml@refs/heads/main".to_owned()),
            SubjectAltName::Username("ada!example.com".to_owned()),
        ] {
            let expected = Expected {
                identity: Some(subject.value().to_owned()),
                issuer: Some(ISSUER.to_owned()),
            };
            let issued = authority.issue_to(named(subject), &log);
            let trust = authority.trusted_with(&log);
            let verified = trust.verify(&issued.certificate, &expected).unwrap();
            assert_eq!(verified.precertificate.tbs, issued.log_entry_tbs);
            assert_eq!(
                verified.precertificate.issuer_key_hash,
                issued.issuer_key_hash
            );
            assert_eq!(verified.timestamp.timestamp(), FakeLog::TIMESTAMP);
        }
    }
}

#[test]
fn trusts_certificates_of_other_software() {
    for case in ["fulcio-p384", "fulcio-rsa-root"] {
        let file = |name: &str| std::fs::read(format!("tests/data/{case}/{name}")).unwrap();
        let certificate = CertificateDer::from_pem_slice(&file("certificate.pem")).unwrap();
        let chain: Vec<_> = CertificateDer::pem_slice_iter(&file("chain.pem"))
            .collect::<Result<_, _>>()
            .unwrap();
        let log = LogKey::from_pem(&file("ct-log.pub.pem")).unwrap();
        for trust in [
            Trust::new(vec![chain.clone()], vec![log.clone()]),
            Trust::of_certificates(chain.iter().rev().cloned().collect(), vec![log.clone()]),
        ] {
            let verified = trust.verify(&certificate, &nobody_in_particular()).unwrap();
            assert_eq!(verified.timestamp.leaf_index().unwrap(), None);
            assert_eq!(
                verified.description.identity_issuer.as_deref(),
                Some("http://127.0.0.1:5601/dev-idp")
            );
        }
        let nobody_above = Trust::new(vec![], vec![log]);
        assert!(matches!(
            refused(&nobody_above, &certificate),
            Error::Chain(_)
        ));
    }
}

#[test]
fn finds_the_authority_by_its_key_when_two_have_one_name() {
    let log = FakeLog::new();
    let authorities = Authority::renewed("Example");
    let logs = vec![log.key().clone()];
    let chains = authorities.each_ref().map(|a| a.chain().to_vec());
    let trusts = [
        Trust::new(chains.to_vec(), logs.clone()),
        Trust::new(chains.iter().rev().cloned().collect(), logs),
    ];
    for authority in &authorities {
        for trust in &trusts {
            let certificate = authority.issue(&log);
            trust.verify(&certificate, &nobody_in_particular()).unwrap();
        }
    }
}

#[test]
fn takes_the_last_certificate_for_the_root_where_none_is_signed_by_itself() {
    let log = FakeLog::new();
    let authority = Authority::new("Example");
    let intermediate = authority.chain()[..1].to_vec();
    let trust = Trust::of_certificates(intermediate, vec![log.key().clone()]);
    let certificate = authority.issue(&log);
    trust.verify(&certificate, &nobody_in_particular()).unwrap();
}

#[test]
fn rejects_another_root_whatever_its_name() {
    let log = FakeLog::new();
    let certificate = Authority::new("Example").issue(&log);
    for name in ["Example", "Another"] {
        let trust = Authority::new(name).trusted_with(&log);
        assert!(matches!(refused(&trust, &certificate), Error::Chain(_)));
    }
}

#[test]
fn rejects_a_certificate_without_its_intermediate() {
    let log = FakeLog::new();
    let authority = Authority::new("Example");
    let root = authority.chain()[1..].to_vec();
    let trust = Trust::new(vec![root], vec![log.key().clone()]);
    assert!(matches!(
        refused(&trust, &authority.issue(&log)),
        Error::Chain(webpki::Error::UnknownIssuer)
    ));
}

#[test]
fn rejects_a_certificate_that_is_not_for_code_signing() {
    let log = FakeLog::new();
    for authority in [Authority::new("Example"), Authority::flat("Example")] {
        let issued = authority.issue_as(Manner {
            principal: ada(),
            // id-kp-serverAuth instead of id-kp-codeSigning.
            tamper: &|tbs| replace(tbs, b"\x2b\x06\x01\x05\x05\x07\x03\x03", 7, 1),
            timestamps: &|entry| vec![log.promise(entry).unwrap()],
        });
        let trust = authority.trusted_with(&log);
        assert!(matches!(refused(&trust, &issued.certificate), Error::Usage));

        let issued = authority.issue_as(Manner {
            principal: ada(),
            // An extension of another kind instead of the extended key usage.
            tamper: &|tbs| replace(tbs, b"\x06\x03\x55\x1d\x25", 4, 0x7f),
            timestamps: &|entry| vec![log.promise(entry).unwrap()],
        });
        assert!(matches!(refused(&trust, &issued.certificate), Error::Usage));
    }
}

#[test]
fn rejects_a_certificate_without_a_timestamp_of_the_log() {
    let (log, another) = (FakeLog::new(), FakeLog::new());
    let authority = Authority::new("Example");
    let trust = authority.trusted_with(&log);
    for certificate in [
        authority.issue(&another),
        issue_with(&authority, &|_entry| Vec::new()),
    ] {
        let error = refused(&trust, &certificate);
        assert!(matches!(error, Error::NoTimestamp { .. }), "{error}");
    }
    let no_log = Trust::new(vec![authority.chain().to_vec()], vec![]);
    assert!(matches!(
        refused(&no_log, &authority.issue(&log)),
        Error::NoTimestamp { .. }
    ));
}

#[test]
fn finds_the_timestamp_of_the_log_among_others() {
    let (log, another) = (FakeLog::new(), FakeLog::new());
    let authority = Authority::new("Example");
    let certificate = issue_with(&authority, &|entry| {
        vec![another.promise(entry).unwrap(), log.promise(entry).unwrap()]
    });
    for log in [&log, &another] {
        let trust = authority.trusted_with(log);
        let verified = trust.verify(&certificate, &nobody_in_particular()).unwrap();
        assert_eq!(verified.timestamp.log_id(), log.key().id());
    }
}

#[test]
fn rejects_a_timestamp_that_was_changed_or_is_for_another_certificate() {
    let log = FakeLog::new();
    let authority = Authority::new("Example");
    let trust = authority.trusted_with(&log);
    let changed = |change: &dyn Fn(&mut Vec<u8>)| {
        issue_with(&authority, &|entry| {
            let mut encoded = log.promise(entry).unwrap().encode();
            change(&mut encoded);
            vec![SignedCertificateTimestamp::decode(&encoded).unwrap()]
        })
    };
    let for_another = issue_with(&authority, &|_entry| {
        let another = Entry::Precertificate {
            issuer_key_hash: [0; 32],
            tbs: b"another",
        };
        vec![log.promise(&another).unwrap()]
    });
    for certificate in [
        // The lowest byte of the time, and the end of the signature.
        changed(&|sct| sct[40] ^= 1),
        changed(&|sct| *sct.last_mut().unwrap() ^= 1),
        for_another,
    ] {
        assert!(matches!(
            refused(&trust, &certificate),
            Error::Timestamp(SctError::Signature)
        ));
    }
}

#[test]
fn rejects_a_timestamp_from_before_or_after_the_validity() {
    let authority = Authority::new("Example");
    // The certificate is valid from one second before `TIMESTAMP`, for ten minutes.
    for (timestamp, expected) in [
        (
            FakeLog::TIMESTAMP - 1001,
            Some((Duration::from_secs(1), true)),
        ),
        (FakeLog::TIMESTAMP - 1000, None),
        (FakeLog::TIMESTAMP + 599_999, None),
        (
            FakeLog::TIMESTAMP + 600_000,
            Some((Duration::from_secs(1), false)),
        ),
        (
            FakeLog::TIMESTAMP + 700_000,
            Some((Duration::from_secs(101), false)),
        ),
    ] {
        let log = FakeLog::new().with_timestamp(timestamp);
        let trust = authority.trusted_with(&log);
        let outcome = trust.verify(&authority.issue(&log), &nobody_in_particular());
        match (outcome, expected) {
            (Ok(_), None) => {}
            (Err(Error::OutsideValidity { by, early }), Some(expected)) => {
                assert_eq!((by, early), expected);
            }
            (outcome, _) => panic!("{timestamp}: {outcome:?}"),
        }
    }
}

#[test]
fn rejects_another_identity_or_issuer() {
    let log = FakeLog::new();
    let authority = Authority::new("Example");
    let trust = authority.trusted_with(&log);
    let certificate = authority.issue(&log);
    let expected = |identity: &str, issuer: &str| Expected {
        identity: Some(identity.to_owned()),
        issuer: Some(issuer.to_owned()),
    };
    let verify = |identity, issuer| trust.verify(&certificate, &expected(identity, issuer));
    verify(IDENTITY, ISSUER).unwrap();
    for identity in ["bob@example.com", "Ada@example.com", "", "ada@example.co"] {
        let error = verify(identity, ISSUER).unwrap_err();
        assert!(error.is_judgement());
        assert_eq!(
            error.to_string(),
            format!("the certificate is for {IDENTITY}, not for {identity}")
        );
    }
    for issuer in ["https://example.com", "https://accounts.example.com/", ""] {
        let error = verify(IDENTITY, issuer).unwrap_err();
        assert!(matches!(error, Error::Issuer { .. }), "{error}");
    }
}

#[test]
fn rejects_a_certificate_with_any_bit_changed() {
    let log = FakeLog::new();
    let authority = Authority::new("Example");
    let trust = authority.trusted_with(&log);
    let certificate = authority.issue(&log);
    for at in 0..certificate.len() {
        let mut changed = certificate.to_vec();
        changed[at] ^= 1 << (at % 8);
        let outcome = trust.verify(&changed.into(), &nobody_in_particular());
        assert!(outcome.is_err(), "the byte {at}");
    }
}

/// Changes a byte of the one place where `pattern` is.
fn replace(bytes: &mut [u8], pattern: &[u8], at: usize, byte: u8) {
    let places: Vec<_> = bytes
        .windows(pattern.len())
        .enumerate()
        .filter_map(|(place, window)| (window == pattern).then_some(place))
        .collect();
    let [place] = places[..] else {
        panic!("{pattern:02x?} is in {} places", places.len());
    };
    bytes[place + at] = byte;
}
