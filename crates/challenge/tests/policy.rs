//! Why a key is refused, where the answer to the caller does not say it.

#![expect(
    clippy::unwrap_used,
    reason = "what a helper cannot read fails the test"
)]

use std::{error::Error as _, fs, path::Path};

use base64::{Engine, prelude::BASE64_STANDARD};
use fulcio_challenge::{
    Error, Hash, KeyKind, Malformed, PermittedAlgorithms, Proof, PublicKey, Weakness,
};

fn read(name: &str) -> Result<PublicKey, Error> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors");
    let vector: serde_json::Value =
        serde_json::from_slice(&fs::read(folder.join(name).with_extension("json")).unwrap())
            .unwrap();
    match vector["key_der"].as_str() {
        Some(der) => PublicKey::parse(&BASE64_STANDARD.decode(der).unwrap()),
        None => PublicKey::parse(vector["key_pem"].as_str().unwrap().as_bytes()),
    }
}

#[test]
fn a_weak_key_is_refused_for_its_weakness() {
    for (name, weakness) in [
        ("key_rsa1024", Weakness::Size { bits: 1024 }),
        ("key_rsa2047", Weakness::Size { bits: 2047 }),
        ("key_rsa2049", Weakness::Size { bits: 2049 }),
        ("key_rsa8192", Weakness::Size { bits: 8192 }),
        ("key_rsa_exponent_3", Weakness::Exponent),
        ("key_rsa_exponent_65539", Weakness::Exponent),
        ("key_rsa_even", Weakness::SmallFactor(2)),
        ("key_rsa_factor_3", Weakness::SmallFactor(3)),
        ("key_rsa_factor_167", Weakness::SmallFactor(167)),
        ("key_rsa_factor_751", Weakness::SmallFactor(751)),
        ("key_rsa2048_roca", Weakness::Roca),
        ("key_rsa3072_roca", Weakness::Roca),
        ("key_rsa4096_roca", Weakness::Roca),
        ("key_rsa2048_close_factors", Weakness::CloseFactors),
        ("key_rsa3072_close_factors", Weakness::CloseFactors),
        ("key_rsa4096_close_factors", Weakness::CloseFactors),
        ("key_rsa2048_factors_60_rounds", Weakness::CloseFactors),
        ("key_p224", Weakness::Curve),
        ("key_dsa", Weakness::KeyKind),
        ("key_x25519", Weakness::KeyKind),
    ] {
        assert_eq!(read(name), Err(Error::InsecureKey(weakness)), "{name}");
    }
}

#[test]
fn a_good_key_is_known_by_its_kind() {
    for (name, kind) in [
        ("challenge_p256_pem", KeyKind::EcdsaP256),
        ("challenge_p384_pem", KeyKind::EcdsaP384),
        ("challenge_p521_pem", KeyKind::EcdsaP521),
        ("challenge_ed25519_pem", KeyKind::Ed25519),
        ("challenge_rsa2048_pem", KeyKind::Rsa2048),
        ("challenge_rsa3072_pem", KeyKind::Rsa3072),
        ("challenge_rsa4096_pem", KeyKind::Rsa4096),
    ] {
        assert_eq!(read(name).unwrap().kind(), kind, "{name}");
    }
}

#[test]
fn an_unreadable_key_is_refused_for_what_is_wrong() {
    for (name, malformed) in [
        ("key_empty", Malformed::Absent),
        ("key_compressed_point", Malformed::Point),
        ("key_off_curve", Malformed::Point),
        ("key_infinity", Malformed::Point),
        ("key_coordinate_out_of_range", Malformed::Point),
        ("key_secp256k1", Malformed::EllipticCurve),
        ("key_rsa_without_null", Malformed::AlgorithmParameters),
        ("key_rsassa_pss_key", Malformed::UnknownKeyAlgorithm),
        ("pem_label_certificate", Malformed::PemLabel),
    ] {
        assert_eq!(read(name), Err(Error::KeyMalformed(malformed)), "{name}");
    }
}

#[test]
fn the_cause_is_kept_for_the_log() {
    let error = read("key_truncated").unwrap_err();
    assert_eq!(
        error.to_string(),
        "The public key supplied in the request could not be parsed"
    );
    let source = error.source().unwrap();
    assert_eq!(source.to_string(), "the DER encoding is wrong");
    assert!(source.source().is_some());
}

#[test]
fn a_key_with_more_in_it_than_a_key_is_refused() {
    let key = read("challenge_p256_der").unwrap();
    let spki = key.spki();
    // One more element in the outer sequence, which Go passes over.
    let mut longer = spki.as_ref().to_vec();
    longer[1] += 2;
    longer.extend([0x05, 0x00]);
    assert!(matches!(
        PublicKey::parse(&longer),
        Err(Error::KeyMalformed(Malformed::Der(_)))
    ));
}

#[test]
fn the_default_permits_each_kind_with_its_own_hash() {
    let seven = [
        "ecdsa-sha2-256-nistp256",
        "ecdsa-sha2-384-nistp384",
        "ecdsa-sha2-512-nistp521",
        "rsa-sign-pkcs1-2048-sha256",
        "rsa-sign-pkcs1-3072-sha256",
        "rsa-sign-pkcs1-4096-sha256",
        "ed25519",
    ];
    let named = PermittedAlgorithms::from_names(seven).unwrap();
    assert_eq!(named, PermittedAlgorithms::default());
}

#[test]
fn an_empty_list_permits_nothing() {
    let nothing = PermittedAlgorithms::from_names([]).unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors");
    let vector: serde_json::Value =
        serde_json::from_slice(&fs::read(folder.join("csr_p256_sha256.json")).unwrap()).unwrap();
    let csr = vector["csr"].as_str().unwrap();
    assert_eq!(
        Proof::Csr(csr.as_bytes()).verify("", &nothing),
        Err(Error::AlgorithmNotPermitted {
            key: KeyKind::EcdsaP256,
            hash: Hash::Sha256
        })
    );
}

#[test]
fn an_unknown_name_is_answered_with_the_known_ones() {
    let error = PermittedAlgorithms::from_names(["ed25519", "rsa-2048"]).unwrap_err();
    assert_eq!(error.name(), "rsa-2048");
    let text = error.to_string();
    for name in PermittedAlgorithms::NAMES {
        assert!(text.contains(name), "{text}");
    }
}

#[test]
fn a_key_and_a_request_may_be_long_but_not_longer_than_anybody_needs() {
    let long = |name: &str, field: &str, length: usize| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors");
        let vector: serde_json::Value =
            serde_json::from_slice(&fs::read(folder.join(name).with_extension("json")).unwrap())
                .unwrap();
        let mut text = vector[field].as_str().unwrap().to_owned();
        text.extend(core::iter::repeat_n('\n', length - text.len()));
        text
    };
    let limit = Proof::LONGEST;
    let key = |length| PublicKey::parse(long("challenge_p256_pem", "key_pem", length).as_bytes());
    assert!(key(limit).is_ok());
    assert_eq!(
        key(limit + 1),
        Err(Error::KeyMalformed(Malformed::TooLong { limit }))
    );

    let permitted = PermittedAlgorithms::default();
    let csr = |length| {
        let text = long("csr_alternative_names", "csr", length);
        Proof::Csr(text.as_bytes())
            .verify("", &permitted)
            .map(|_proven| ())
    };
    assert_eq!(csr(limit), Ok(()));
    assert_eq!(
        csr(limit + 1),
        Err(Error::CsrMalformed(Malformed::TooLong { limit }))
    );
}
