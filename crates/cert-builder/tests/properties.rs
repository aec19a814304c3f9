//! Whatever a principal says, there is a clear error or a well-formed certificate.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod authority;

use authority::{Authority, Key, now};
use der::{Decode, Encode};
use fulcio_cert_builder::{CaChain, CertificateProfile, Error, SerialNumber};
use fulcio_principal::{Extension, Extensions, Principal, SubjectAltName};
use proptest::prelude::*;
use x509_cert::Certificate;

fn subject() -> impl Strategy<Value = SubjectAltName> {
    let text = prop_oneof![
        "[ -~]{0,300}",
        any::<String>(),
        "[a-z]{100,140}",
        "\\PC{0,40000}",
    ];
    (text, 0..3).prop_map(|(text, form)| match form {
        0 => SubjectAltName::Email(text),
        1 => SubjectAltName::Uri(text),
        _ => SubjectAltName::Username(text),
    })
}

fn principal() -> impl Strategy<Value = Principal> {
    let all: Vec<_> = Extension::all().collect();
    let values = proptest::collection::vec(
        (
            proptest::sample::select(all),
            prop_oneof![any::<String>(), ".{100,400}"],
        ),
        0..24,
    );
    (subject(), "\\PC{0,40}", values).prop_map(|(subject, issuer, values)| {
        let mut extensions = Extensions::for_issuer(&issuer);
        for (extension, value) in values {
            extensions.set(extension, value);
        }
        Principal::new("", subject, extensions)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_principal_gives_an_error_or_a_certificate_that_others_read_back(
        principal in principal(),
        serial: [u8; 20],
        subject_key_identifier: bool,
        list in proptest::option::of(proptest::collection::vec(any::<u8>(), 0..70_000)),
    ) {
        let profile = CertificateProfile {
            subject_key_identifier,
            ..CertificateProfile::CODE_SIGNING
        };
        let serial = SerialNumber::from_random(serial);
        let name = principal.subject.clone();
        let leaf = match profile.leaf(&principal, Key::p256().spki(), serial, now()) {
            Ok(leaf) => leaf,
            Err(Error::EmptyName) => {
                prop_assert!(name.value().is_empty());
                return Ok(());
            }
            Err(Error::NoIssuer) => {
                let value = |it| principal.extensions.value(it);
                prop_assert!(value(Extension::IssuerV1).is_none() || value(Extension::IssuerV2).is_none());
                return Ok(());
            }
            Err(Error::NotIa5(refused)) => {
                prop_assert!(!name.value().is_ascii());
                prop_assert_eq!(refused, name);
                return Ok(());
            }
            Err(other) => return Err(TestCaseError::fail(other.to_string())),
        };

        let authority = Authority::new();
        let chain = authority.chain();
        let issued = leaf.issued_by(chain.issuer()).unwrap();
        for unsigned in [issued.precertificate(), issued.certificate(list.as_deref())] {
            let der = authority.key.sign(unsigned);
            let certificate = Certificate::from_der(&der).unwrap();
            prop_assert_eq!(certificate.to_der().unwrap(), der.as_ref());
            let tbs = certificate.tbs_certificate();
            prop_assert!(tbs.serial_number().as_bytes().ends_with(serial.as_bytes()));
            for (extension, value) in principal.extensions.iter() {
                let written = tbs
                    .extensions()
                    .unwrap()
                    .iter()
                    .find(|it| it.extn_id.to_string() == extension.oid())
                    .unwrap();
                prop_assert!(written.extn_value.as_bytes().ends_with(value.as_bytes()));
            }
        }
    }

    #[test]
    fn no_bytes_make_the_chain_reader_panic(bytes: Vec<u8>) {
        let text = format!(
            "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
            String::from_utf8_lossy(&bytes)
        );
        prop_assert!(CaChain::from_pem(text.as_bytes(), now()).is_err());
        prop_assert!(CaChain::from_pem(&bytes, now()).is_err());
        prop_assert!(CaChain::new(vec![bytes.into()], now()).is_err());
    }

    #[test]
    fn a_chain_with_one_bit_changed_is_refused(
        place: prop::sample::Index,
        bit in 0..8_u32,
    ) {
        let authority = Authority::new();
        let mut changed = authority.intermediate.to_vec();
        let place = place.index(changed.len());
        changed[place] ^= 1_u8 << bit;
        let chain = CaChain::new(vec![changed.into(), authority.root.clone()], now());
        prop_assert!(chain.is_err());
    }
}
