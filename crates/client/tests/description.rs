//! What a certificate says, as it was put into it; and no certificate makes the reader panic.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod authority;

use authority::{Authority, ISSUER, ada};
use fulcio_client::{Description, Error, Expected};
use fulcio_principal::{Extension, Extensions, Principal, SubjectAltName};
use fulcio_testkit::log::FakeLog;
use pki_types::{CertificateDer, pem::PemObject as _};
use proptest::prelude::*;

#[test]
fn tells_everything_that_a_certificate_says() {
    // A static-ct log's extensions: the index 70,000.
    let log = FakeLog::new().with_extensions(vec![0, 0, 5, 0, 0, 1, 0x11, 0x70]);
    let certificate = Authority::new("Example").issue(&log);
    let description = Description::of(&certificate).unwrap();

    assert_eq!(description.issuer, "CN=intermediate,O=Example");
    assert_eq!(description.subject, "");
    assert_eq!(description.not_before, "2025-12-31T23:59:59Z");
    assert_eq!(description.not_after, "2026-01-01T00:09:59Z");
    assert_eq!(description.public_key, "ECDSA P-256");
    assert_eq!(description.signature_algorithm, "ecdsa-with-SHA256");
    assert_eq!(description.identities.len(), 1);
    assert_eq!(description.identities[0].kind, "email");
    assert_eq!(description.identities[0].value, "ada@example.com");
    assert_eq!(description.identity_issuer.as_deref(), Some(ISSUER));
    assert_eq!(description.extension(Extension::TokenSubject), Some("1234"));
    assert_eq!(description.extension(Extension::BuildTrigger), None);
    let [timestamp] = &description.timestamps[..] else {
        panic!("{:?}", description.timestamps);
    };
    assert_eq!(timestamp.timestamp_ms, FakeLog::TIMESTAMP);
    assert_eq!(timestamp.time, "2026-01-01T00:00:00Z");
    assert_eq!(timestamp.leaf_index, Some(70_000));
    let others: Vec<_> = description
        .other_extensions
        .iter()
        .map(|extension| (extension.name.unwrap(), extension.critical))
        .collect();
    assert_eq!(
        others,
        [
            ("Key Usage", true),
            ("Extended Key Usage", false),
            ("Subject Key Identifier", false),
            ("Authority Key Identifier", false),
        ]
    );
    assert_eq!(description.other_extensions[0].value, "DigitalSignature");
    assert_eq!(description.other_extensions[1].value, "id-kp-codeSigning");
}

#[test]
fn reads_authorities_too() {
    let authority = Authority::new("Example");
    let description = Description::of(&authority.chain()[0]).unwrap();
    assert_eq!(description.subject, "CN=intermediate,O=Example");
    assert!(description.identities.is_empty());
    assert!(description.timestamps.is_empty());
    let constraints = &description.other_extensions[2];
    assert_eq!(constraints.name, Some("Basic Constraints"));
    assert_eq!(constraints.value, "CA true, path length 0");

    let rsa = std::fs::read("tests/data/fulcio-rsa-root/chain.pem").unwrap();
    let rsa = CertificateDer::from_pem_slice(&rsa).unwrap();
    assert_eq!(Description::of(&rsa).unwrap().public_key, "RSA 4096");
}

fn subject() -> impl Strategy<Value = SubjectAltName> {
    prop_oneof![
        "[ -~]{1,200}".prop_map(SubjectAltName::Email),
        "[ -~]{1,200}".prop_map(SubjectAltName::Uri),
        ".{1,100}".prop_map(SubjectAltName::Username),
    ]
}

fn extensions() -> impl Strategy<Value = Extensions> {
    let all: Vec<_> = Extension::all().collect();
    let values = proptest::collection::vec((proptest::sample::select(all), ".{1,300}"), 0..24);
    values.prop_map(|values| {
        let mut extensions = Extensions::for_issuer(ISSUER);
        for (extension, value) in values {
            extensions.set(extension, value);
        }
        extensions
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn whatever_was_put_into_a_certificate_is_read_back_and_its_log_entry_is_found(
        subject in subject(),
        extensions in extensions(),
        flat: bool,
    ) {
        let log = FakeLog::new();
        let authority = if flat { Authority::flat("Example") } else { Authority::new("Example") };
        let principal = Principal::new("", subject.clone(), extensions.clone());
        let issued = authority.issue_to(principal, &log);

        let description = Description::of(&issued.certificate).unwrap();
        prop_assert_eq!(&description.identities[0].value, subject.value());
        prop_assert_eq!(description.extensions.len(), extensions.iter().count());
        for (extension, value) in extensions.iter() {
            prop_assert_eq!(description.extension(extension), Some(value));
        }

        let trust = authority.trusted_with(&log);
        let verified = trust.verify(&issued.certificate, &Expected::default());
        prop_assert_eq!(verified.unwrap().precertificate.tbs, issued.log_entry_tbs);
    }

    #[test]
    fn arbitrary_bytes_are_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
        let outcome = Description::of(&bytes);
        prop_assert!(matches!(outcome, Err(Error::Der(_))), "{:?}", outcome);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn a_damaged_certificate_is_read_or_an_error_and_never_a_panic(
        changes in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..6),
        cut in proptest::option::weighted(0.1, any::<proptest::sample::Index>()),
        case in 0..3_usize,
    ) {
        let mut damaged = WHOLE.with(|whole| whole[case].clone());
        for (at, byte) in changes {
            let length = damaged.len();
            damaged[at.index(length)] = byte;
        }
        if let Some(cut) = cut {
            damaged.truncate(cut.index(damaged.len()));
        }
        if let Ok(description) = Description::of(&damaged) {
            // What machines read is JSON whatever strangers put into a name.
            prop_assert!(serde_json::to_string(&description).is_ok());
        }
        let trust = fulcio_client::Trust::new(vec![vec![damaged.clone().into()]], vec![]);
        prop_assert!(trust.verify(&damaged.into(), &Expected::default()).is_err());
    }
}

thread_local! {
    /// Certificates to damage: one of ours, one of Fulcio's, and an authority's.
    static WHOLE: [Vec<u8>; 3] = {
        let authority = Authority::new("Example");
        let ours = authority.issue_to(ada(), &FakeLog::new()).certificate.to_vec();
        let fulcio = std::fs::read("tests/data/fulcio-p384/certificate.pem").unwrap();
        let fulcio = CertificateDer::from_pem_slice(&fulcio).unwrap().to_vec();
        [ours, fulcio, authority.chain()[0].to_vec()]
    };
}
