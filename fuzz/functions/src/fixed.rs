//! What is the same in every run, so that an input that fails once fails again.

use std::{
    sync::LazyLock,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::{
    Engine as _,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use p256::ecdsa::{DerSignature, SigningKey, signature::Signer as _};
use pki_types::SubjectPublicKeyInfoDer;
use serde_json::Value;
use spki::EncodePublicKey as _;

pub(crate) const ISSUER: &str = "https://issuer.example.com";
pub(crate) const AUDIENCE: &str = "sigstore";

/// 2027-01-15T08:00:00Z.
pub(crate) const NOW_SECONDS: u64 = 1_800_000_000;

pub(crate) fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(NOW_SECONDS)
}

static ED25519: LazyLock<Ed25519KeyPair> =
    LazyLock::new(|| Ed25519KeyPair::from_seed_unchecked(&[7; 32]).expect("a seed"));

/// The fixed Ed25519 key, whose signatures are the same in every run.
pub(crate) fn ed25519_key() -> &'static [u8] {
    ED25519.public_key().as_ref()
}

pub(crate) fn ed25519_signature(message: &[u8]) -> Vec<u8> {
    ED25519.sign(message).as_ref().to_vec()
}

/// The fixed P-256 key of logs and authorities. It signs by RFC 6979, the same in every run.
pub(crate) static P256: LazyLock<SigningKey> =
    LazyLock::new(|| SigningKey::from_slice(&[9; 32]).expect("a scalar"));

pub(crate) fn p256_spki() -> SubjectPublicKeyInfoDer<'static> {
    let der = P256.verifying_key().to_public_key_der().expect("encodable");
    SubjectPublicKeyInfoDer::from(der.into_vec())
}

pub(crate) fn p256_signature(message: &[u8]) -> Vec<u8> {
    let signature: DerSignature = P256.sign(message);
    signature.as_bytes().to_vec()
}

/// The key set that has only the fixed Ed25519 key.
pub(crate) fn key_set_json() -> Vec<u8> {
    let x = BASE64_URL_SAFE_NO_PAD.encode(ed25519_key());
    format!(r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","x":"{x}"}}]}}"#).into_bytes()
}

/// A compact JWS of this header and payload, whatever they are, signed with the fixed Ed25519 key.
#[must_use]
pub fn signed_token(header: &[u8], payload: &[u8]) -> String {
    let encode = |part: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(part);
    let input = format!("{}.{}", encode(header), encode(payload));
    let signature = ed25519_signature(input.as_bytes());
    format!("{input}.{}", encode(&signature))
}

/// A PKCS#10 request in DER: `content`, whatever it is, signed with the fixed Ed25519 key.
#[must_use]
pub fn csr_of(content: &[u8]) -> Vec<u8> {
    const ED25519_ALGORITHM: &[u8] = &[0x30, 5, 6, 3, 0x2B, 0x65, 0x70];
    let mut signature = vec![0];
    signature.extend(ed25519_signature(content));
    let parts = [content, ED25519_ALGORITHM, &element(0x03, &signature)].concat();
    element(0x30, &parts)
}

/// Any bytes as a PEM block of this label.
#[must_use]
pub fn pem_of(label: &str, der: &[u8]) -> Vec<u8> {
    let mut text = format!("-----BEGIN {label}-----\n");
    for line in BASE64_STANDARD.encode(der).as_bytes().chunks(64) {
        text.extend(line.iter().map(|&byte| char::from(byte)));
        text.push('\n');
    }
    text += &format!("-----END {label}-----\n");
    text.into_bytes()
}

fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let length = &length[length.iter().take_while(|byte| **byte == 0).count()..];
    let mut out = vec![tag];
    if content.len() < 0x80 {
        out.push(u8::try_from(content.len()).expect("short"));
    } else {
        out.push(0x80 | u8::try_from(length.len()).expect("at most eight"));
        out.extend(length);
    }
    out.extend(content);
    out
}

/// What a parser reads that looks at everything. Nothing where it sees a fault in what others, as Go does, pass over: text
/// that is not UTF-8, half of a surrogate pair.
pub(crate) fn json(bytes: &[u8]) -> Option<Value> {
    serde_json::from_slice(bytes).ok()
}

/// Splits at the first line end; what follows it is the rest.
pub(crate) fn line(bytes: &[u8]) -> (&[u8], &[u8]) {
    match bytes.iter().position(|byte| *byte == b'\n') {
        Some(at) => (&bytes[..at], &bytes[at + 1..]),
        None => (bytes, &[]),
    }
}
