use aws_lc_rs::{
    digest::{self, Digest, SHA256, SHA384, SHA512},
    rand::SystemRandom,
    rsa::KeySize,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING,
        ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair,
    },
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use x509_cert::der::{Decode as _, asn1::Uint};

/// A kind of key that a vault makes and that signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyKind {
    /// On P-256.
    P256,
    /// On P-384.
    P384,
    /// On P-521.
    P521,
    /// RSA of 2048 bits.
    Rsa2048,
    /// RSA of 3072 bits.
    Rsa3072,
    /// RSA of 4096 bits.
    Rsa4096,
}

/// One version of one key.
#[derive(Debug)]
pub(crate) struct StoredKey {
    /// What the vault says of it.
    pub(crate) described: Value,
    pub(crate) name: String,
    pub(crate) version: String,
    kind: KeyKind,
    pair: Pair,
    /// Made beforehand, because a client would not wait as long as an RSA key takes.
    another: Pair,
}

#[derive(Debug)]
enum Pair {
    Ec(EcdsaKeyPair),
    Rsa(RsaKeyPair),
}

impl StoredKey {
    pub(crate) fn new(address: &str, name: &str, version: &str, kind: KeyKind) -> Self {
        let pair = Pair::generate(kind);
        let mut key = pair.described(kind);
        key["kid"] = json!(format!("https://{address}/keys/{name}/{version}"));
        key["key_ops"] = json!(["sign", "verify"]);
        let described = json!({
            "key": key,
            "attributes": {
                "enabled": true, "created": 1_760_000_000, "updated": 1_760_000_000,
                "recoveryLevel": "Recoverable+Purgeable", "recoverableDays": 90,
                "exportable": false, "hsmPlatform": "0",
            },
        });
        Self {
            described,
            name: name.to_owned(),
            version: version.to_owned(),
            kind,
            pair,
            another: Pair::generate(kind),
        }
    }

    /// Signs a digest; `None` where the algorithm is not for the key, or the digest not for it.
    pub(crate) fn sign(&self, algorithm: &str, digest: &[u8]) -> Option<Vec<u8>> {
        let hash = self.kind.hash(algorithm)?;
        let digest = Digest::import_less_safe(digest, hash).ok()?;
        self.pair.sign(&digest)
    }

    /// Signs with another key of the same kind.
    pub(crate) fn sign_with_another(&self, algorithm: &str, digest: &[u8]) -> Option<Vec<u8>> {
        let hash = self.kind.hash(algorithm)?;
        let digest = Digest::import_less_safe(digest, hash).ok()?;
        self.another.sign(&digest)
    }
}

impl KeyKind {
    fn curve(
        self,
    ) -> Option<(
        &'static str,
        &'static aws_lc_rs::signature::EcdsaSigningAlgorithm,
    )> {
        match self {
            Self::P256 => Some(("P-256", &ECDSA_P256_SHA256_FIXED_SIGNING)),
            Self::P384 => Some(("P-384", &ECDSA_P384_SHA384_FIXED_SIGNING)),
            Self::P521 => Some(("P-521", &ECDSA_P521_SHA512_FIXED_SIGNING)),
            Self::Rsa2048 | Self::Rsa3072 | Self::Rsa4096 => None,
        }
    }

    /// What the digest has to be; a real vault knows more algorithms for RSA.
    fn hash(self, algorithm: &str) -> Option<&'static digest::Algorithm> {
        match (self, algorithm) {
            (Self::P256, "ES256") | (Self::Rsa2048 | Self::Rsa3072 | Self::Rsa4096, "RS256") => {
                Some(&SHA256)
            }
            (Self::P384, "ES384") => Some(&SHA384),
            (Self::P521, "ES512") => Some(&SHA512),
            _ => None,
        }
    }
}

impl Pair {
    fn generate(kind: KeyKind) -> Self {
        let rsa = |size| Self::Rsa(RsaKeyPair::generate(size).unwrap());
        match (kind.curve(), kind) {
            (Some((_name, algorithm)), _) => Self::Ec(EcdsaKeyPair::generate(algorithm).unwrap()),
            (None, KeyKind::Rsa4096) => rsa(KeySize::Rsa4096),
            (None, KeyKind::Rsa3072) => rsa(KeySize::Rsa3072),
            (None, _) => rsa(KeySize::Rsa2048),
        }
    }

    fn described(&self, kind: KeyKind) -> Value {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        match self {
            Self::Ec(pair) => {
                let (x, y) = {
                    let point = &pair.public_key().as_ref()[1..];
                    point.split_at(point.len() / 2)
                };
                let curve = kind.curve().unwrap().0;
                json!({"kty": "EC", "crv": curve, "x": text(x), "y": text(y)})
            }
            Self::Rsa(pair) => {
                // A sequence of the two numbers (RFC 8017 appendix A.1.1).
                let numbers = Vec::<Uint>::from_der(pair.public_key().as_ref()).unwrap();
                json!({
                    "kty": "RSA",
                    "n": text(numbers[0].as_bytes()),
                    "e": text(numbers[1].as_bytes()),
                })
            }
        }
    }

    fn sign(&self, digest: &Digest) -> Option<Vec<u8>> {
        match self {
            Self::Ec(pair) => Some(pair.sign_digest(digest).ok()?.as_ref().to_vec()),
            Self::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign_digest(&RSA_PKCS1_SHA256, digest, &mut signature)
                    .ok()?;
                Some(signature)
            }
        }
    }
}

/// Something that nobody guesses, in hexadecimal.
pub(crate) fn random() -> String {
    let bytes: [u8; 16] = aws_lc_rs::rand::generate(&SystemRandom::new())
        .unwrap()
        .expose();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
