//! What new CA certificates say.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod authority;

use std::time::Duration;

use authority::{Authority, Key, intermediate_template, now, root_template, serial};
use der::{Decode, Encode};
use fulcio_cert_builder::{CaChain, CaTemplate, DistinguishedName, Error, Lifetime};
use x509_cert::{
    Certificate,
    ext::pkix::{
        AuthorityKeyIdentifier, BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectKeyIdentifier,
    },
};

#[test]
fn a_root_is_what_upstream_asks_for() {
    let root = Certificate::from_der(&Authority::new().root).unwrap();
    let tbs = root.tbs_certificate();
    assert_eq!(tbs.subject().to_string(), "CN=root,O=example.com");
    assert_eq!(tbs.issuer(), tbs.subject());
    assert_eq!(tbs.validity().not_before.to_system_time(), now());
    assert_eq!(
        tbs.validity().not_after.to_date_time().to_string(),
        "2036-09-21T14:13:20Z"
    );
    let (critical, constraints) = tbs.get_extension::<BasicConstraints>().unwrap().unwrap();
    assert!(critical && constraints.ca);
    assert_eq!(constraints.path_len_constraint, Some(1));
    let (critical, usage) = tbs.get_extension::<KeyUsage>().unwrap().unwrap();
    assert!(critical);
    assert_eq!(usage.to_der().unwrap(), [3, 2, 1, 6]);
    assert!(tbs.get_extension::<ExtendedKeyUsage>().unwrap().is_none());
    assert!(
        tbs.get_extension::<AuthorityKeyIdentifier>()
            .unwrap()
            .is_none()
    );
}

#[test]
fn an_intermediate_is_what_upstream_asks_for() {
    let authority = Authority::new();
    let root = Certificate::from_der(&authority.root).unwrap();
    let intermediate = Certificate::from_der(&authority.intermediate).unwrap();
    let tbs = intermediate.tbs_certificate();
    assert_eq!(tbs.issuer(), root.tbs_certificate().subject());
    assert_eq!(
        tbs.validity().not_after.to_date_time().to_string(),
        "2029-09-21T14:13:20Z"
    );
    let (critical, constraints) = tbs.get_extension::<BasicConstraints>().unwrap().unwrap();
    assert!(critical && constraints.ca);
    assert_eq!(constraints.path_len_constraint, Some(0));
    let (critical, usage) = tbs.get_extension::<ExtendedKeyUsage>().unwrap().unwrap();
    assert!(!critical);
    assert_eq!(usage.0.len(), 1);
    assert_eq!(usage.0[0].to_string(), "1.3.6.1.5.5.7.3.3");
    let (_, own) = root
        .tbs_certificate()
        .get_extension::<SubjectKeyIdentifier>()
        .unwrap()
        .unwrap();
    let (_, parent) = tbs
        .get_extension::<AuthorityKeyIdentifier>()
        .unwrap()
        .unwrap();
    assert_eq!(parent.key_identifier, Some(own.0));
}

#[test]
fn a_child_never_outlives_its_parent() {
    let mut root = root_template();
    root.lifetime = Lifetime::Years(1);
    let authority = Authority::with(root, intermediate_template());
    let end = |der| {
        let certificate = Certificate::from_der(der).unwrap();
        certificate.tbs_certificate().validity().not_after
    };
    assert_eq!(end(&authority.intermediate), end(&authority.root));

    let alone = CaChain::new(vec![authority.root], now()).unwrap();
    let late = now() + Duration::from_secs(367 * 86_400);
    assert!(matches!(
        intermediate_template().unsigned(Key::p256().spki(), serial(), late, Some(alone.issuer())),
        Err(Error::IssuerExpired { .. })
    ));
}

#[test]
fn names_other_than_ascii_letters_are_utf8_strings() {
    let mut name = DistinguishedName::default();
    name.organization = Some("Müller & Söhne".into());
    let key = Key::p256();
    let root = CaTemplate::root(name)
        .unsigned(key.spki(), serial(), now(), None)
        .unwrap();
    let root = Certificate::from_der(&key.sign(root)).unwrap();
    assert_eq!(
        root.tbs_certificate().subject().to_string(),
        "O=Müller & Söhne"
    );
}

#[test]
fn an_authority_without_a_name_is_refused() {
    for name in [DistinguishedName::default(), DistinguishedName::new("", "")] {
        let unsigned = CaTemplate::root(name).unsigned(Key::p256().spki(), serial(), now(), None);
        assert!(matches!(unsigned, Err(Error::NoSubject)));
    }
}

#[test]
fn a_lifetime_beyond_the_year_9999_is_refused() {
    let mut root = root_template();
    root.lifetime = Lifetime::Years(8000);
    let unsigned = root.unsigned(Key::p256().spki(), serial(), now(), None);
    assert!(matches!(unsigned, Err(Error::Date)));
}

#[test]
fn a_path_length_of_eight_bits_stays_positive() {
    let mut root = root_template();
    root.path_length = Some(200);
    let key = Key::p256();
    let root = key.sign(root.unsigned(key.spki(), serial(), now(), None).unwrap());
    let root = Certificate::from_der(&root).unwrap();
    let (_, constraints) = root
        .tbs_certificate()
        .get_extension::<BasicConstraints>()
        .unwrap()
        .unwrap();
    assert_eq!(constraints.path_len_constraint, Some(200));
}
