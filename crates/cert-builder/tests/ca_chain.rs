//! Which chains may sign code-signing certificates, and what is said about the others.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod authority;

use std::{error::Error as _, time::Duration};

use authority::{
    Authority, Key, ada, intermediate_template, leaf, now, replace, root_template, serial,
};
use fulcio_cert_builder::{CaChain, CaTemplate, DistinguishedName, Error, pem};
use pki_types::CertificateDer;

const KEY_USAGE: [u8; 3] = [0x55, 0x1d, 15];
const SUBJECT_KEY_IDENTIFIER: [u8; 3] = [0x55, 0x1d, 14];
const AUTHORITY_KEY_IDENTIFIER: [u8; 3] = [0x55, 0x1d, 35];
const CODE_SIGNING: [u8; 8] = [0x2b, 6, 1, 5, 5, 7, 3, 3];
const EMAIL_PROTECTION: [u8; 8] = [0x2b, 6, 1, 5, 5, 7, 3, 4];

/// What a chain is refused for after its intermediate was changed and signed again.
fn refused(tamper: impl FnOnce(&mut Vec<u8>)) -> Error {
    let authority = Authority::tampered(root_template(), intermediate_template(), tamper);
    CaChain::new(authority.certificates(), now()).unwrap_err()
}

#[test]
fn a_root_alone_and_a_root_with_an_intermediate_are_accepted() {
    let authority = Authority::new();
    CaChain::new(vec![authority.root.clone()], now()).unwrap();
    let chain = authority.chain();
    assert_eq!(chain.certificates(), authority.certificates());
    assert_eq!(chain.issuer().public_key(), authority.key.spki());
}

#[test]
fn an_anchor_need_not_be_self_signed() {
    let authority = Authority::new();
    CaChain::new(vec![authority.intermediate], now()).unwrap();
}

#[test]
fn the_issuers_time_is_that_of_its_whole_chain() {
    let mut short = root_template();
    short.lifetime = fulcio_cert_builder::Lifetime::Exactly(Duration::from_secs(3600));
    let authority = Authority::with(short, intermediate_template());
    let validity = authority.chain().issuer().validity();
    assert_eq!(validity.not_before, now());
    assert_eq!(validity.not_after, now() + Duration::from_secs(3600));
}

#[test]
fn pem_is_read_with_text_around_it_and_written_back() {
    let chain = Authority::new().chain();
    let noisy = format!(
        "subject=…\r\n{}\n\nissuer\n",
        chain.pem().replace('\n', "\r\n")
    );
    let read = CaChain::from_pem(noisy.as_bytes(), now()).unwrap();
    assert_eq!(read.certificates(), chain.certificates());
    assert_eq!(read.pem(), chain.pem());
    assert_eq!(read.root_pem(), pem(&chain.certificates()[1]));
}

#[test]
fn a_file_without_certificates_is_refused() {
    for text in ["", "no certificate here\n"] {
        assert!(matches!(
            CaChain::from_pem(text.as_bytes(), now()),
            Err(Error::EmptyChain)
        ));
    }
}

#[test]
fn a_private_key_in_the_file_is_named() {
    let text = Authority::new().chain().pem()
        + "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    let error = CaChain::from_pem(text.as_bytes(), now()).unwrap_err();
    assert!(matches!(
        &error,
        Error::NotCertificate { number: 3, label } if label == "ENCRYPTED PRIVATE KEY"
    ));
    assert!(error.to_string().contains("ENCRYPTED PRIVATE KEY"));
}

#[test]
fn damaged_pem_is_refused() {
    let whole = Authority::new().chain().pem();
    let cut = &whole[..whole.len() - 30];
    let other_end = whole.replacen("END CERTIFICATE", "END PUBLIC KEY", 1);
    let noise = whole.replacen('M', "*", 1);
    for (text, block) in [(cut, 2), (&other_end, 1), (&noise, 1)] {
        let error = CaChain::from_pem(text.as_bytes(), now()).unwrap_err();
        assert!(
            matches!(error, Error::Pem { number, .. } if number == block),
            "{error}"
        );
        assert!(error.source().is_some());
    }
}

#[test]
fn bytes_that_are_no_certificate_are_refused() {
    let authority = Authority::new();
    let cut = CertificateDer::from(authority.root[..100].to_vec());
    let error = CaChain::new(vec![authority.intermediate, cut], now()).unwrap_err();
    assert!(matches!(&error, Error::Malformed { link, .. } if link.number == 2));
    assert!(error.source().is_some());
}

#[test]
fn a_chain_in_the_wrong_order_is_refused() {
    let mut certificates = Authority::new().certificates();
    certificates.reverse();
    let error = CaChain::new(certificates, now()).unwrap_err();
    assert!(matches!(
        &error,
        Error::NotIssuedByNext { link, next } if (link.number, next.number) == (1, 2)
    ));
    assert!(error.to_string().contains("CN=root"), "{error}");
    assert!(error.to_string().contains("CN=intermediate"), "{error}");
}

#[test]
fn a_namesake_of_the_root_is_refused() {
    let error = CaChain::new(
        vec![Authority::new().intermediate, Authority::new().root],
        now(),
    )
    .unwrap_err();
    assert!(matches!(error, Error::NotSignedByNext { .. }), "{error}");
}

#[test]
fn a_changed_certificate_is_refused() {
    let authority = Authority::new();
    let mut changed = authority.intermediate.to_vec();
    replace(&mut changed, b"intermediate", b"Intermediate");
    let error = CaChain::new(vec![changed.into(), authority.root], now()).unwrap_err();
    assert!(matches!(error, Error::NotSignedByNext { .. }), "{error}");
}

#[test]
fn an_algorithm_of_another_kind_of_key_is_refused() {
    let authority = Authority::new();
    let mut changed = authority.intermediate.to_vec();
    // Both places, so that they agree.
    let (from, to) = ([0x3d, 4, 3, 3], [0x3d, 4, 1, 0]);
    let places: Vec<_> = (0..changed.len() - 4)
        .filter(|&at| changed[at..at + 4] == from)
        .collect();
    assert_eq!(places.len(), 2);
    for at in places {
        changed[at..at + 4].copy_from_slice(&to);
    }
    let error = CaChain::new(vec![changed.into(), authority.root], now()).unwrap_err();
    assert!(
        matches!(&error, Error::SignatureAlgorithm { algorithm, .. } if algorithm == "1.2.840.10045.4.1.0"),
        "{error:?}"
    );
}

#[test]
fn dates_are_those_of_every_certificate() {
    let authority = Authority::new();
    let early = CaChain::new(authority.certificates(), now() - Duration::from_secs(1));
    assert!(matches!(early, Err(Error::NotYetValid { link, .. }) if link.number == 1));

    // The intermediate ends first, after three years.
    let late = now() + Duration::from_secs(5 * 366 * 86_400);
    let error = CaChain::new(authority.certificates(), late).unwrap_err();
    assert!(
        error.to_string().contains("expired at 2029-09-21T"),
        "{error}"
    );
    assert!(matches!(error, Error::Expired { link, .. } if link.number == 1));

    let mut short = root_template();
    short.lifetime = fulcio_cert_builder::Lifetime::Exactly(Duration::from_secs(60));
    let authority = Authority::with(short, intermediate_template());
    let root_alone = vec![authority.root];
    CaChain::new(root_alone.clone(), now() + Duration::from_secs(60)).unwrap();
    let late = CaChain::new(root_alone, now() + Duration::from_millis(60_001));
    assert!(matches!(late, Err(Error::Expired { .. })));
}

#[test]
fn a_leaf_is_no_authority() {
    let authority = Authority::new();
    let chain = authority.chain();
    let leaf = leaf(&ada());
    let issued = leaf.issued_by(chain.issuer()).unwrap();
    let certificate = authority.key.sign(issued.certificate(None));
    let certificates = vec![certificate, authority.intermediate, authority.root];
    let error = CaChain::new(certificates, now()).unwrap_err();
    assert!(
        matches!(&error, Error::NotCa(link) if link.number == 1 && link.subject.is_empty()),
        "{error}"
    );
}

#[test]
fn a_path_leaves_room_for_a_leaf() {
    let mut narrow = root_template();
    narrow.path_length = Some(0);
    let authority = Authority::with(narrow, intermediate_template());
    CaChain::new(vec![authority.root.clone()], now()).unwrap();
    let error = CaChain::new(authority.certificates(), now()).unwrap_err();
    assert!(
        matches!(&error, Error::PathLength { link, allowed: 0, below: 1 } if link.number == 2),
        "{error}"
    );
}

#[test]
fn the_key_usage_must_allow_signing_certificates() {
    let error = refused(|tbs| replace(tbs, &[4, 4, 3, 2, 1, 6], &[4, 4, 3, 2, 1, 2]));
    assert!(matches!(error, Error::KeyUsage(link) if link.number == 1));
}

#[test]
fn unknown_critical_extensions_are_refused() {
    let error = refused(|tbs| replace(tbs, &KEY_USAGE, &[0x55, 0x1d, 99]));
    assert!(matches!(error, Error::UnknownCriticalExtension { oid, .. } if oid == "2.5.29.99"));
}

#[test]
fn an_unknown_extension_that_is_not_critical_is_ignored() {
    let authority = Authority::tampered(root_template(), intermediate_template(), |tbs| {
        replace(tbs, &SUBJECT_KEY_IDENTIFIER, &[0x55, 0x1d, 99]);
    });
    let chain = authority.chain();
    assert_eq!(chain.issuer().subject_key_identifier(), None);
    let leaf = leaf(&ada());
    let tbs = leaf.issued_by(chain.issuer()).unwrap().log_entry_tbs();
    assert!(
        !tbs.windows(3)
            .any(|window| window == AUTHORITY_KEY_IDENTIFIER)
    );
}

#[test]
fn an_extension_that_comes_twice_is_refused() {
    let error = refused(|tbs| replace(tbs, &SUBJECT_KEY_IDENTIFIER, &AUTHORITY_KEY_IDENTIFIER));
    assert!(matches!(error, Error::DuplicateExtension { oid, .. } if oid == "2.5.29.35"));
}

#[test]
fn the_issuing_certificate_must_list_code_signing() {
    let error = refused(|tbs| replace(tbs, &CODE_SIGNING, &EMAIL_PROTECTION));
    assert!(matches!(error, Error::CodeSigningNotPermitted(link) if link.number == 1));

    let mut silent = intermediate_template();
    silent.code_signing = false;
    let authority = Authority::with(root_template(), silent);
    let error = CaChain::new(authority.certificates(), now()).unwrap_err();
    assert!(matches!(error, Error::CodeSigningNotListed(link) if link.number == 1));
}

#[test]
fn the_root_must_permit_code_signing() {
    let mut root = root_template();
    root.code_signing = true;
    let key = Key::p384();
    let unsigned = root.unsigned(key.spki(), serial(), now(), None).unwrap();
    CaChain::new(vec![key.sign(unsigned.clone())], now()).unwrap();

    let mut tbs = unsigned.to_be_signed().to_vec();
    replace(&mut tbs, &CODE_SIGNING, &EMAIL_PROTECTION);
    let root = key.sign_tbs(&tbs, &unsigned.signature_algorithm());
    let error = CaChain::new(vec![root], now()).unwrap_err();
    assert!(matches!(error, Error::CodeSigningNotPermitted(link) if link.number == 1));
}

#[test]
fn a_key_that_signs_nothing_here_cannot_issue() {
    // A P-256 key whose curve says secp256k1.
    let key = Key::p256();
    let unsigned = CaTemplate::ephemeral()
        .unsigned(key.spki(), serial(), now(), None)
        .unwrap();
    let mut tbs = unsigned.to_be_signed().to_vec();
    replace(
        &mut tbs,
        &[6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7],
        &[6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 9],
    );
    let root = key.sign_tbs(&tbs, &unsigned.signature_algorithm());
    assert!(matches!(
        CaChain::new(vec![root], now()),
        Err(Error::AuthorityKey)
    ));
}

#[test]
fn the_issuers_name_is_copied_as_it_lies_there() {
    // `T61String` where others would write `PrintableString`.
    let name = DistinguishedName::new("example.com", "odd name");
    let key = Key::p256();
    let unsigned = CaTemplate::root(name)
        .unsigned(key.spki(), serial(), now(), None)
        .unwrap();
    let mut tbs = unsigned.to_be_signed().to_vec();
    let odd = b"\x14\x08odd name";
    while let Some(at) = tbs
        .windows(10)
        .position(|window| window == b"\x13\x08odd name")
    {
        tbs[at..at + 10].copy_from_slice(odd);
    }
    let root = key.sign_tbs(&tbs, &unsigned.signature_algorithm());
    let chain = CaChain::new(vec![root], now()).unwrap();
    assert!(chain.issuer().subject().ends_with(odd));
    let leaf = leaf(&ada());
    let tbs = leaf.issued_by(chain.issuer()).unwrap().log_entry_tbs();
    assert!(tbs.windows(10).any(|window| window == odd));
}
