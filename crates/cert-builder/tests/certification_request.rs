//! Requests for certificates: OpenSSL's opinion of ours, and ours of OpenSSL's.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod authority;

use std::fs;

use authority::{Key, intermediate_template, openssl};
use fulcio_cert_builder::{
    Advice, CertificationRequest, DistinguishedName, Error, NameConstraint, NameForm, Violation,
    request_pem,
};
use pki_types::{CertificateSigningRequestDer, pem::PemObject};
use proptest::prelude::*;
use tempfile::TempDir;

fn ours(key: &Key) -> CertificateSigningRequestDer<'static> {
    let mut template = intermediate_template();
    template.name_constraints.permitted =
        vec![NameConstraint::new(NameForm::Email, "example.com").unwrap()];
    let unsigned = template.request(key.spki()).unwrap();
    let signature = key.signature(unsigned.to_be_signed());
    unsigned.signed(&signature)
}

/// A request by OpenSSL, for a key made with these arguments.
fn by_openssl(
    folder: &TempDir,
    key: &str,
    subject: &str,
    more: &[&str],
) -> CertificateSigningRequestDer<'static> {
    let run = |arguments: &[&str]| openssl(folder.path(), arguments).unwrap();
    let made: Vec<_> = format!("genpkey {key} -out key.pem")
        .split(' ')
        .map(str::to_owned)
        .collect();
    run(&made.iter().map(String::as_str).collect::<Vec<_>>());
    let request = [
        "req",
        "-new",
        "-utf8",
        "-key",
        "key.pem",
        "-out",
        "request.pem",
    ];
    run(&[&request[..], &["-subj", subject], more].concat());
    CertificateSigningRequestDer::from_pem_file(folder.path().join("request.pem")).unwrap()
}

const P384: &str = "-algorithm EC -pkeyopt ec_paramgen_curve:P-384";

#[test]
fn openssl_verifies_and_reads_our_requests() {
    let folder = tempfile::tempdir().unwrap();
    let key = Key::p384();
    fs::write(folder.path().join("request.pem"), request_pem(&ours(&key))).unwrap();
    let arguments = ["req", "-in", "request.pem", "-verify", "-noout", "-text"];
    let text = openssl(folder.path(), &arguments).unwrap();
    for expected in [
        "Version: 1 (0x0)",
        "Subject: O = example.com, CN = intermediate",
        "Requested Extensions:",
        "Certificate Sign, CRL Sign",
        "Code Signing",
        "CA:TRUE, pathlen:0",
        "X509v3 Subject Key Identifier",
        "email:example.com",
        "Signature Algorithm: ecdsa-with-SHA384",
    ] {
        assert!(text.contains(expected), "{expected} in {text}");
    }

    let read = CertificationRequest::verify(&ours(&key)).unwrap();
    assert_eq!(read.public_key(), key.spki());
    let name = DistinguishedName::new("example.com", "intermediate");
    assert_eq!(read.subject().unwrap(), name);
}

#[test]
fn requests_of_openssl_are_read_whatever_their_key() {
    let subject = "/C=UK/ST=Province/L=Town/street=Road/postalCode=1/O=Müller/OU=Unit/CN=Name";
    for key in [
        P384,
        "-algorithm EC -pkeyopt ec_paramgen_curve:P-256",
        "-algorithm RSA -pkeyopt rsa_keygen_bits:2048",
        "-algorithm ED25519",
    ] {
        let folder = tempfile::tempdir().unwrap();
        let request = by_openssl(&folder, key, subject, &[]);
        let read = CertificationRequest::verify(&request).unwrap().subject();
        let mut expected = DistinguishedName::new("Müller", "Name");
        expected.country = Some("UK".into());
        expected.province = Some("Province".into());
        expected.locality = Some("Town".into());
        expected.street_address = Some("Road".into());
        expected.postal_code = Some("1".into());
        expected.organizational_unit = Some("Unit".into());
        assert_eq!(read.unwrap(), expected, "{key}");
    }
}

#[test]
fn attributes_that_no_certificate_gets_are_named() {
    for (subject, attribute) in [
        ("/CN=a/emailAddress=a@example.com", "1.2.840.113549.1.9.1"),
        ("/CN=a/DC=example", "0.9.2342.19200300.100.1.25"),
        ("/O=a/CN=a/O=b", "2.5.4.10"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let request = by_openssl(&folder, P384, subject, &[]);
        let refused = CertificationRequest::verify(&request).unwrap().subject();
        assert!(
            matches!(&refused, Err(Error::SubjectAttribute { oid }) if oid == attribute),
            "{refused:?}"
        );
    }
}

#[test]
fn a_request_that_its_key_did_not_sign_is_refused() {
    let (key, other) = (Key::p384(), Key::p384());
    let unsigned = intermediate_template().request(key.spki()).unwrap();
    let signature = other.signature(unsigned.to_be_signed());
    let refused = CertificationRequest::verify(&unsigned.signed(&signature));
    assert!(matches!(refused, Err(Error::RequestSignature)));

    let folder = tempfile::tempdir().unwrap();
    let request = by_openssl(&folder, P384, "/O=a/CN=b", &["-sha1"]);
    let refused = CertificationRequest::verify(&request);
    assert!(
        matches!(&refused, Err(Error::RequestAlgorithm { algorithm }) if algorithm == "1.2.840.10045.4.1"),
        "{refused:?}"
    );
}

#[test]
fn what_is_no_request_is_refused() {
    let whole = ours(&Key::p384()).to_vec();
    let cut = whole[..whole.len() - 1].to_vec();
    let long = [&whole[..], &[0]].concat();
    for bytes in [vec![], vec![0x30, 0], cut, long] {
        let refused = CertificationRequest::verify(&bytes.into());
        assert!(matches!(refused, Err(Error::CertificationRequest(_))));
    }
}

#[test]
fn a_request_is_held_to_the_rules_of_names_and_keys() {
    let mut template = intermediate_template();
    template.subject.common_name = None;
    let review = template.request(Key::p256().spki()).unwrap().review();
    let review = review.unwrap();
    assert_eq!(review.violations, [Violation::CommonName]);
    assert_eq!(review.advice, [Advice::Key]);

    template.subject = DistinguishedName::default();
    let refused = template.request(Key::p256().spki());
    assert!(matches!(refused, Err(Error::NoSubject)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_bytes_make_the_reader_panic(bytes: Vec<u8>) {
        prop_assert!(CertificationRequest::verify(&bytes.into()).is_err());
    }

    #[test]
    fn a_request_with_one_bit_changed_is_refused(place: prop::sample::Index, bit in 0..8_u32) {
        let mut changed = ours(&Key::p256()).to_vec();
        let place = place.index(changed.len());
        changed[place] ^= 1_u8 << bit;
        prop_assert!(CertificationRequest::verify(&changed.into()).is_err());
    }
}
