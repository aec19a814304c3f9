//! Fuzz targets whose judge is OpenSSL, by itself or below josekit.
//!
//! They live outside of the workspace, so that nobody needs OpenSSL's headers to build the project, and
//! begin with the corpus of the target that has their name without the last word.

#![forbid(unsafe_code)]

use fulcio_challenge::{PermittedAlgorithms, Proof, PublicKey};
use fulcio_fuzz::{Function, csr_of, pem_of, signed_token};
use fulcio_oidc_verify::{AlgorithmSet, Expectation, KeySet, UnverifiedToken};
use josekit::{
    jwk::Jwk,
    jws::{self, EdDSA},
};
use openssl::{
    nid::Nid,
    pkey::{Id, PKey},
    x509::X509Req,
};
use std::{
    sync::LazyLock,
    time::{Duration, UNIX_EPOCH},
};

/// Every function of this crate, under the name of its target.
pub const TARGETS: &[(&str, Function)] = &[
    ("claims_josekit", claims_josekit),
    ("csr_openssl", csr_openssl),
    ("public_key_openssl", public_key_openssl),
];

/// A public key in DER: OpenSSL reads every key that we accept as the same, and we accept every key on one of
/// the three curves, and every Ed25519 key, that it reads and would write just so.
pub fn public_key_openssl(data: &[u8]) {
    if data.windows(10).any(|part| part == b"-----BEGIN") {
        return;
    }
    let ours = PublicKey::parse(data);
    let theirs = PKey::public_key_from_der(data);
    match (ours, theirs) {
        (Ok(_), Ok(theirs)) => {
            assert_eq!(theirs.public_key_to_der().expect("encodable"), data);
        }
        (Ok(ours), Err(error)) => panic!("{error}: {ours:?}"),
        (Err(error), Ok(theirs)) => {
            let same = theirs.public_key_to_der().is_ok_and(|der| der == data);
            let wanted = match theirs.id() {
                Id::EC => {
                    // There is none for the point at infinity.
                    let curve = theirs
                        .ec_key()
                        .ok()
                        .and_then(|key| key.group().curve_name());
                    let curves = [Nid::X9_62_PRIME256V1, Nid::SECP384R1, Nid::SECP521R1];
                    // A compressed point is another matter: Go refuses it too.
                    let length = theirs.bits().div_ceil(8) as usize * 2 + 1;
                    let form = data.len().checked_sub(length).map(|at| data[at]);
                    curve.is_some_and(|curve| curves.contains(&curve)) && form == Some(4)
                }
                Id::ED25519 => true,
                _ => false,
            };
            assert!(!(same && wanted), "{error}");
        }
        (Err(_), Err(_)) => {}
    }
}

/// A request (PKCS#10) in DER, and the same bytes as the content of one that is signed: OpenSSL verifies what we accept,
/// and reads the same key.
pub fn csr_openssl(data: &[u8]) {
    for der in [data.to_vec(), csr_of(data)] {
        let pem = pem_of("CERTIFICATE REQUEST", &der);
        let ours = Proof::Csr(&pem).verify("", &PermittedAlgorithms::default());
        let Ok(ours) = ours else {
            continue;
        };
        // Go, and we, look into the attributes for extensions only.
        let Ok(theirs) = X509Req::from_der(&der) else {
            continue;
        };
        let key = theirs.public_key().expect("a key for OpenSSL");
        assert!(theirs.verify(&key).expect("a known algorithm"));
        assert_eq!(
            key.public_key_to_der().expect("encodable"),
            ours.spki().as_ref()
        );
    }
}

const ISSUER: &str = "https://issuer.example.com";
const JWK: &str =
    r#"{"kty":"OKP","crv":"Ed25519","x":"6kpsY-KcUgq-9VB7Ey7F-ZVHdq6-vnuSQh7qaRRG0iw"}"#;

static KEYS: LazyLock<KeySet> = LazyLock::new(|| {
    let set = format!(r#"{{"keys":[{JWK}]}}"#);
    KeySet::parse(set.as_bytes()).expect("a key set")
});

/// A header and, after a line end, a payload; both are signed. josekit verifies what we accept, and takes the same
/// payload out of it.
pub fn claims_josekit(data: &[u8]) {
    let at = data
        .iter()
        .position(|byte| *byte == b'\n')
        .unwrap_or(data.len());
    let (header, payload) = (&data[..at], data.get(at + 1..).unwrap_or_default());
    let raw = signed_token(header, payload);
    let expected = Expectation::new(ISSUER, "sigstore", AlgorithmSet::ALL);
    let now = UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    let ours = UnverifiedToken::parse(&raw).and_then(|token| token.verify(&KEYS, &expected, now));
    if ours.is_err() {
        return;
    }
    let key = Jwk::from_bytes(JWK).expect("a key");
    let verifier = EdDSA.verifier_from_jwk(&key).expect("a key");
    match jws::deserialize_compact(&raw, &verifier) {
        Ok((theirs, _header)) => assert_eq!(theirs, payload),
        // It insists on the types of parameters that we do not look at, and takes a `cty` for one of a JWE.
        Err(josekit::JoseError::InvalidJwsFormat(_) | josekit::JoseError::InvalidJweFormat(_)) => {}
        Err(error) => panic!("{error}: {raw}"),
    }
}
