//! What a leaf says, and what precertificate and certificate have in common.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod authority;

use std::time::{Duration, SystemTime};

use authority::{Authority, Key, ada, leaf, named, now, root_template, serial};
use der::{Decode, Encode};
use fulcio_cert_builder::{CaChain, CertificateProfile, Error, SerialNumber};
use fulcio_principal::{Extension, SubjectAltName};
use pki_types::SubjectPublicKeyInfoDer;
use x509_cert::{Certificate, TbsCertificate};

const POISON: &str = "1.3.6.1.4.1.11129.2.4.3";
const SCT_LIST: &str = "1.3.6.1.4.1.11129.2.4.2";

fn oids(tbs: &[u8]) -> Vec<String> {
    TbsCertificate::from_der(tbs)
        .unwrap()
        .extensions()
        .unwrap()
        .iter()
        .map(|extension| extension.extn_id.to_string())
        .collect()
}

/// The extensions as DER, without the last one.
fn all_but_last(tbs: &[u8]) -> Vec<Vec<u8>> {
    let tbs = TbsCertificate::from_der(tbs).unwrap();
    let (_, rest) = tbs.extensions().unwrap().split_last().unwrap();
    rest.iter().map(|it| it.to_der().unwrap()).collect()
}

#[test]
fn extensions_stand_in_fulcios_order() {
    let authority = Authority::new();
    let chain = authority.chain();
    let mut principal = ada();
    principal.extensions.set(Extension::BuildTrigger, "push");
    principal
        .extensions
        .set(Extension::GithubWorkflowSha, "abc");
    let leaf = leaf(&principal);
    let issued = leaf.issued_by(chain.issuer()).unwrap();

    let arc = |last: u8| format!("1.3.6.1.4.1.57264.1.{last}");
    let mut expected: Vec<String> = ["15", "37", "14", "35", "17"]
        .map(|last| format!("2.5.29.{last}"))
        .into();
    expected.extend([1, 3, 8, 20, 24].map(arc));
    assert_eq!(oids(&issued.log_entry_tbs()), expected);

    expected.push(POISON.into());
    assert_eq!(oids(issued.precertificate().to_be_signed()), expected);

    expected.pop();
    expected.push(SCT_LIST.into());
    let certificate = issued.certificate(Some(b"list"));
    assert_eq!(oids(certificate.to_be_signed()), expected);
}

#[test]
fn precertificate_and_certificate_differ_in_the_last_extension_only() {
    let authority = Authority::new();
    let chain = authority.chain();
    let leaf = leaf(&ada());
    let issued = leaf.issued_by(chain.issuer()).unwrap();
    let precertificate = issued.precertificate();
    let certificate = issued.certificate(Some(&[7; 300]));
    let entry = issued.log_entry_tbs();

    assert_eq!(issued.certificate(None).to_be_signed(), entry);
    assert_eq!(
        all_but_last(precertificate.to_be_signed()),
        all_but_last(certificate.to_be_signed())
    );

    // Without its last extension, each is what the log hashes.
    for tbs in [precertificate.to_be_signed(), certificate.to_be_signed()] {
        let (tbs, entry) = (
            TbsCertificate::from_der(tbs).unwrap(),
            TbsCertificate::from_der(&entry).unwrap(),
        );
        assert_eq!(tbs.serial_number(), entry.serial_number());
        assert_eq!(tbs.validity(), entry.validity());
        assert_eq!(tbs.issuer(), entry.issuer());
        assert_eq!(tbs.subject(), entry.subject());
        assert_eq!(
            tbs.subject_public_key_info(),
            entry.subject_public_key_info()
        );
        let (_, rest) = tbs.extensions().unwrap().split_last().unwrap();
        assert_eq!(rest, entry.extensions().unwrap().as_slice());
    }
}

#[test]
fn the_leaf_can_be_read_before_it_is_issued() {
    let key = Key::p256().spki();
    let serial = SerialNumber::from_random([5; 20]);
    let leaf = CertificateProfile::CODE_SIGNING
        .leaf(&ada(), key.clone(), serial, now())
        .unwrap()
        .into_owned();

    assert_eq!(leaf.serial(), serial);
    assert_eq!(leaf.public_key(), key);
    assert_eq!(leaf.subject(), &ada().subject);
    assert_eq!(leaf.not_before(), now());
    assert_eq!(leaf.not_after(), now() + Duration::from_secs(600));

    let read: Vec<_> = leaf
        .extensions()
        .map(|it| (it.oid, it.critical, it.value.to_vec()))
        .collect();
    let authority = Authority::new();
    let chain = authority.chain();
    let tbs = leaf.issued_by(chain.issuer()).unwrap().log_entry_tbs();
    let tbs = TbsCertificate::from_der(&tbs).unwrap();
    let written: Vec<_> = tbs
        .extensions()
        .unwrap()
        .iter()
        .map(|it| {
            (
                it.extn_id.to_string(),
                it.critical,
                it.extn_value.as_bytes(),
            )
        })
        .filter(|(oid, ..)| oid != "2.5.29.35")
        .collect();
    assert_eq!(read.len(), written.len());
    for (read, written) in read.iter().zip(&written) {
        assert_eq!(
            (read.0, read.1, &read.2[..]),
            (&*written.0, written.1, written.2)
        );
    }
}

#[test]
fn fractions_of_a_second_are_dropped() {
    let leaf = CertificateProfile::CODE_SIGNING
        .leaf(
            &ada(),
            Key::p256().spki(),
            serial(),
            now() + Duration::from_millis(999),
        )
        .unwrap()
        .into_owned();
    assert_eq!(leaf.not_before(), now());
    assert_eq!(leaf.not_after(), now() + Duration::from_secs(600));
}

#[test]
fn a_leaf_never_outlives_its_authority() {
    let mut root = root_template();
    root.lifetime = fulcio_cert_builder::Lifetime::Exactly(Duration::from_secs(300));
    let key = Key::p256();
    let root = key.sign(root.unsigned(key.spki(), serial(), now(), None).unwrap());
    let chain = CaChain::new(vec![root], now()).unwrap();

    let leaf = leaf(&ada());
    let issued = leaf.issued_by(chain.issuer()).unwrap();
    let end = now() + Duration::from_secs(300);
    assert_eq!(issued.not_after(), end);
    let certificate = key.sign(issued.certificate(None));
    let validity = *Certificate::from_der(&certificate)
        .unwrap()
        .tbs_certificate()
        .validity();
    assert_eq!(validity.not_after.to_system_time(), end);
}

#[test]
fn an_authority_issues_nothing_outside_its_own_time() {
    let authority = Authority::new();
    let chain = authority.chain();
    let at = |time: SystemTime| {
        CertificateProfile::CODE_SIGNING
            .leaf(&ada(), Key::p256().spki(), serial(), time)
            .unwrap()
            .into_owned()
    };
    let end = chain.issuer().validity().not_after;
    assert!(at(end).issued_by(chain.issuer()).is_ok());
    assert!(matches!(
        at(end + Duration::from_secs(1)).issued_by(chain.issuer()),
        Err(Error::IssuerExpired { not_after }) if not_after == end
    ));
    assert!(matches!(
        at(now() - Duration::from_secs(1)).issued_by(chain.issuer()),
        Err(Error::IssuerNotYetValid { not_before }) if not_before == now()
    ));
}

#[test]
fn names_that_are_not_ascii_are_refused_with_a_text_that_names_them() {
    for (name, text) in [
        (
            SubjectAltName::Email("ada@lövelace.example".into()),
            "an e-mail address",
        ),
        (
            SubjectAltName::Uri("https://lövelace.example/ada".into()),
            "a URI",
        ),
    ] {
        let error = CertificateProfile::CODE_SIGNING
            .leaf(&named(name.clone()), Key::p256().spki(), serial(), now())
            .unwrap_err();
        assert!(error.to_string().contains(name.value()), "{error}");
        assert!(error.to_string().contains(text), "{error}");
        assert!(matches!(error, Error::NotIa5(refused) if refused == name));
    }
    leaf(&named(SubjectAltName::Username(
        "lövelace!example.com".into(),
    )));
}

#[test]
fn control_characters_of_a_refused_name_are_escaped() {
    let name = SubjectAltName::Email("ö\u{1b}[31m\n".into());
    let text = Error::NotIa5(name).to_string();
    assert!(!text.contains(char::is_control), "{text}");
}

#[test]
fn an_empty_name_is_refused() {
    for name in [
        SubjectAltName::Email(String::new()),
        SubjectAltName::Uri(String::new()),
        SubjectAltName::Username(String::new()),
    ] {
        assert!(matches!(
            CertificateProfile::CODE_SIGNING.leaf(
                &named(name),
                Key::p256().spki(),
                serial(),
                now()
            ),
            Err(Error::EmptyName)
        ));
    }
}

#[test]
fn a_principal_without_an_issuer_is_refused() {
    let mut principal = ada();
    principal.extensions.set(Extension::IssuerV2, "");
    assert!(matches!(
        CertificateProfile::CODE_SIGNING.leaf(&principal, Key::p256().spki(), serial(), now()),
        Err(Error::NoIssuer)
    ));
}

#[test]
fn a_key_that_is_no_spki_is_refused() {
    let whole = Key::p256().spki();
    let trailing = [whole.as_ref(), &[0]].concat();
    for bytes in [
        &[][..],
        &whole[..40],
        &trailing,
        b"\x30\x05\x30\x00\x03\x01\x00",
    ] {
        assert!(matches!(
            CertificateProfile::CODE_SIGNING.leaf(
                &ada(),
                SubjectPublicKeyInfoDer::from(bytes),
                serial(),
                now()
            ),
            Err(Error::PublicKey(_))
        ));
    }
}

#[test]
fn dates_that_cannot_be_written_are_refused() {
    let profile = CertificateProfile {
        lifetime: Duration::from_secs(9000 * 366 * 86_400),
        ..CertificateProfile::CODE_SIGNING
    };
    let before_1970 = SystemTime::UNIX_EPOCH - Duration::from_secs(1);
    assert!(matches!(
        profile.leaf(&ada(), Key::p256().spki(), serial(), before_1970),
        Err(Error::Date)
    ));
    // Nothing that outlives year 9999 is written: the authority's end comes first.
    let leaf = profile
        .leaf(&ada(), Key::p256().spki(), serial(), now())
        .unwrap()
        .into_owned();
    let authority = Authority::new();
    let chain = authority.chain();
    let issued = leaf.issued_by(chain.issuer()).unwrap();
    assert_eq!(issued.not_after(), chain.issuer().validity().not_after);
}
