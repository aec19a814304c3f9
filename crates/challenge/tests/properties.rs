//! What must hold for whatever strangers send; RustCrypto's implementations are the oracle.

#![expect(
    clippy::unwrap_used,
    reason = "what a helper cannot read fails the test"
)]

use std::{fs, path::Path};

use base64::{Engine, prelude::BASE64_STANDARD};
use ed25519_dalek::pkcs8::EncodePublicKey as _;
use fulcio_challenge::{Error, KeyKind, Malformed, PermittedAlgorithms, Proof, PublicKey};
use p256::elliptic_curve::sec1::ToSec1Point as _;
use proptest::prelude::*;

const WHO: &str = "ada@example.com";

fn verify(key: &[u8], signature: &[u8], challenge: &str) -> Result<(), Error> {
    Proof::Challenge { key, signature }
        .verify(challenge, &PermittedAlgorithms::default())
        .map(|_| ())
}

fn vector(name: &str) -> serde_json::Value {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors");
    serde_json::from_slice(&fs::read(folder.join(name)).unwrap()).unwrap()
}

fn der_of(pem: &str) -> Vec<u8> {
    let base64: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    BASE64_STANDARD.decode(base64).unwrap()
}

fn pem_of(label: &str, der: &[u8]) -> String {
    let base64 = BASE64_STANDARD.encode(der);
    format!("-----BEGIN {label}-----\n{base64}\n-----END {label}-----\n")
}

/// The `SubjectPublicKeyInfo` of a point that is said to be on P-256.
fn p256_spki(point: &[u8; 65]) -> Vec<u8> {
    const HEAD: [u8; 26] = [
        0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08,
        0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
    ];
    [&HEAD[..], point].concat()
}

#[test]
fn a_csr_with_any_bit_flipped_is_refused() {
    for name in [
        "csr_p256_sha256.json",
        "csr_ed25519.json",
        "csr_rsa2048_sha256.json",
    ] {
        let der = der_of(vector(name)["csr"].as_str().unwrap());
        let whole = pem_of("CERTIFICATE REQUEST", &der);
        let permitted = PermittedAlgorithms::default();
        Proof::Csr(whole.as_bytes()).verify("", &permitted).unwrap();
        for bit in 0..der.len() * 8 {
            let mut flipped = der.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let pem = pem_of("CERTIFICATE REQUEST", &flipped);
            let answer = Proof::Csr(pem.as_bytes()).verify("", &permitted);
            // Parameters of RSA signature algorithms are not signed, and Go does not read them.
            if answer.is_ok() {
                let null = der.len() - 256 - 5 - 2;
                assert!(name.contains("rsa") && bit / 8 == null, "{name}, bit {bit}");
            }
        }
    }
}

#[test]
fn a_signature_with_any_bit_flipped_is_refused() {
    for name in [
        "challenge_p256_pem.json",
        "challenge_p256_p1363.json",
        "challenge_p384_pem.json",
        "challenge_p521_p1363.json",
        "challenge_ed25519_pem.json",
        "challenge_rsa2048_pem.json",
    ] {
        let vector = vector(name);
        let key = vector["key_pem"].as_str().unwrap().as_bytes();
        let signature = BASE64_STANDARD
            .decode(vector["signature"].as_str().unwrap())
            .unwrap();
        verify(key, &signature, WHO).unwrap();
        for bit in 0..signature.len() * 8 {
            let mut flipped = signature.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(
                verify(key, &flipped, WHO),
                Err(Error::Signature),
                "{name}, bit {bit}"
            );
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_panic(bytes: Vec<u8>, text: String) {
        for input in [&bytes[..], text.as_bytes()] {
            let _ = PublicKey::parse(input);
            let _ = Proof::Csr(input).verify(WHO, &PermittedAlgorithms::default());
            for label in ["PUBLIC KEY", "RSA PUBLIC KEY", "CERTIFICATE REQUEST"] {
                let pem = pem_of(label, input);
                let _ = PublicKey::parse(pem.as_bytes());
                let _ = Proof::Csr(pem.as_bytes()).verify(WHO, &PermittedAlgorithms::default());
            }
        }
    }

    #[test]
    fn pieces_of_pem_are_read_without_panic(
        pieces in prop::collection::vec(prop::sample::select(vec![
            "-----BEGIN ", "\n-----END ", "-----", "\n", "\r\n", "PUBLIC KEY", ":", " ", "MFkw",
            "=", "-----BEGIN PUBLIC KEY-----\n", "\n-----END PUBLIC KEY-----",
        ]), 0..24),
    ) {
        let text = pieces.concat();
        prop_assert!(PublicKey::parse(text.as_bytes()).is_err());
    }

    #[test]
    fn a_damaged_key_is_refused_or_is_another_key(
        name in prop::sample::select(vec![
            "challenge_p256_der.json", "challenge_p521_der.json", "challenge_ed25519_der.json",
            "challenge_rsa2048_der.json",
        ]),
        at: prop::sample::Index,
        byte: u8,
    ) {
        let der = BASE64_STANDARD.decode(vector(name)["key_der"].as_str().unwrap()).unwrap();
        let mut damaged = der.clone();
        let at = at.index(damaged.len());
        damaged[at] = byte;
        if let Ok(key) = PublicKey::parse(&damaged) {
            let spki = key.spki();
            prop_assert_eq!(spki.as_ref(), &damaged[..]);
        }
    }

    #[test]
    fn what_rustcrypto_signs_on_p256_holds(secret: [u8; 32], challenge: String, other: String) {
        use p256::ecdsa::{Signature, SigningKey, signature::Signer as _};
        let Ok(key) = SigningKey::from_slice(&secret) else { return Ok(()) };
        let signature: Signature = key.sign(challenge.as_bytes());
        let spki = key.verifying_key().to_public_key_der().unwrap();
        for form in [signature.to_der().as_bytes(), &signature.to_bytes()[..]] {
            prop_assert_eq!(verify(spki.as_bytes(), form, &challenge), Ok(()));
            if other != challenge {
                prop_assert_eq!(verify(spki.as_bytes(), form, &other), Err(Error::Signature));
            }
        }
    }

    #[test]
    fn what_rustcrypto_signs_on_p384_holds(secret: [u8; 48], challenge: String) {
        use p384::ecdsa::{Signature, SigningKey, signature::Signer as _};
        let Ok(key) = SigningKey::from_slice(&secret) else { return Ok(()) };
        let signature: Signature = key.sign(challenge.as_bytes());
        let spki = key.verifying_key().to_public_key_der().unwrap();
        for form in [signature.to_der().as_bytes(), &signature.to_bytes()[..]] {
            prop_assert_eq!(verify(spki.as_bytes(), form, &challenge), Ok(()));
        }
    }

    #[test]
    fn what_rustcrypto_signs_on_p521_holds(secret: [u8; 32], challenge: String) {
        use p521::ecdsa::{Signature, SigningKey, signature::Signer as _};
        let Ok(key) = SigningKey::from_slice(&[&[0; 34][..], &secret].concat()) else {
            return Ok(());
        };
        let signature: Signature = key.sign(challenge.as_bytes());
        let spki = key.verifying_key().to_public_key_der().unwrap();
        for form in [signature.to_der().as_bytes(), &signature.to_bytes()[..]] {
            prop_assert_eq!(verify(spki.as_bytes(), form, &challenge), Ok(()));
        }
    }

    #[test]
    fn what_dalek_signs_holds(secret: [u8; 32], challenge: String, other: String) {
        use ed25519_dalek::{Signer as _, SigningKey};
        let key = SigningKey::from_bytes(&secret);
        let signature = key.sign(challenge.as_bytes()).to_bytes();
        let spki = key.verifying_key().to_public_key_der().unwrap();
        prop_assert_eq!(verify(spki.as_bytes(), &signature, &challenge), Ok(()));
        if other != challenge {
            prop_assert_eq!(verify(spki.as_bytes(), &signature, &other), Err(Error::Signature));
        }
    }

    #[test]
    fn a_point_is_on_p256_where_rustcrypto_says_so(x: [u8; 32], odd: bool, wrong in 0_u8..4) {
        let tag = 2 + u8::from(odd);
        let compressed = [&[tag][..], &x].concat();
        let Ok(key) = p256::PublicKey::from_sec1_bytes(&compressed) else { return Ok(()) };
        let mut point: [u8; 65] = key.to_sec1_point(false).as_bytes().try_into().unwrap();
        point[64] ^= wrong;
        let judged = p256::PublicKey::from_sec1_bytes(&point).map(|_| KeyKind::EcdsaP256);
        let ours = PublicKey::parse(&p256_spki(&point)).map(|key| key.kind());
        prop_assert_eq!(ours, judged.map_err(|_| Error::KeyMalformed(Malformed::Point)));
    }
}
