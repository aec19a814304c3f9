use core::fmt;
use std::sync::Arc;

use aws_lc_rs::{
    rand::SystemRandom,
    rsa::{KeyPair as RsaKeyPair, KeySize},
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING,
        ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair,
        KeyPair as _, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256,
        RSA_PSS_SHA384, RSA_PSS_SHA512, RsaEncoding,
    },
};
use fulcio_oidc_verify::Algorithm;
use pkcs1::RsaPublicKeyRef;
use serde_json::{Map, Value, json};

use super::{encoded, members};

/// A key that signs tokens.
#[derive(Clone)]
pub struct FakeKey {
    pub(super) id: Option<String>,
    pub(super) algorithm: Algorithm,
    pair: Arc<Pair>,
    members: Map<String, Value>,
}

enum Pair {
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Rsa(RsaKeyPair),
}

impl FakeKey {
    /// A fresh key for `algorithm`, without a `kid`; an RSA key has 2048 bits.
    ///
    /// # Panics
    ///
    /// When `algorithm` is one that this crate does not know yet.
    #[must_use]
    pub fn generate(algorithm: Algorithm) -> Self {
        let pair = match algorithm {
            Algorithm::EdDsa => Pair::Ed25519(Ed25519KeyPair::generate().expect("an Ed25519 key")),
            Algorithm::Es256 => Pair::ecdsa(&ECDSA_P256_SHA256_FIXED_SIGNING),
            Algorithm::Es384 => Pair::ecdsa(&ECDSA_P384_SHA384_FIXED_SIGNING),
            Algorithm::Es512 => Pair::ecdsa(&ECDSA_P521_SHA512_FIXED_SIGNING),
            _ => {
                rsa_encoding(algorithm);
                Pair::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).expect("an RSA key"))
            }
        };
        Self {
            id: None,
            algorithm,
            pair: Arc::new(pair),
            members: Map::new(),
        }
    }

    /// The same key under the `kid` `id`.
    #[must_use]
    pub fn named(mut self, id: &str) -> Self {
        self.id = Some(id.to_owned());
        self
    }

    /// The same key, signing with `algorithm`, which must fit its kind.
    #[must_use]
    pub fn signing_with(mut self, algorithm: Algorithm) -> Self {
        self.algorithm = algorithm;
        self
    }

    /// The same key, published with this member in its JWK, such as `use`; `null` takes one away.
    #[must_use]
    pub fn published_with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.members.insert(name.to_owned(), value.into());
        self
    }

    /// The public half (RFC 7517 §4), without `alg` and `use` unless it was
    /// [`published_with`](Self::published_with) them.
    #[must_use]
    pub fn jwk(&self) -> Value {
        let mut jwk = members(match &*self.pair {
            Pair::Ecdsa(pair) => {
                let point = pair.public_key().as_ref();
                let (x, y) = point[1..].split_at(point.len() / 2);
                let curve = match x.len() {
                    32 => "P-256",
                    48 => "P-384",
                    _ => "P-521",
                };
                json!({ "kty": "EC", "crv": curve, "x": encoded(x), "y": encoded(y) })
            }
            Pair::Ed25519(pair) => {
                json!({ "kty": "OKP", "crv": "Ed25519", "x": encoded(pair.public_key().as_ref()) })
            }
            Pair::Rsa(pair) => {
                let public =
                    RsaPublicKeyRef::try_from(pair.public_key().as_ref()).expect("an RSAPublicKey");
                json!({
                    "kty": "RSA",
                    "n": encoded(public.modulus.as_bytes()),
                    "e": encoded(public.public_exponent.as_bytes()),
                })
            }
        });
        if let Some(id) = &self.id {
            jwk.insert("kid".to_owned(), id.as_str().into());
        }
        jwk.extend(self.members.clone());
        jwk.retain(|_, value| !value.is_null());
        Value::Object(jwk)
    }

    /// Signs `message` with `algorithm`.
    ///
    /// # Panics
    ///
    /// When `algorithm` does not fit the kind of the key.
    #[must_use]
    pub fn sign(&self, algorithm: Algorithm, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match &*self.pair {
            Pair::Ecdsa(pair) => {
                let signature = pair.sign(&random, message).expect("an ECDSA signature");
                signature.as_ref().to_vec()
            }
            Pair::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(rsa_encoding(algorithm), &random, message, &mut signature)
                    .expect("an RSA signature");
                signature
            }
        }
    }
}

impl fmt::Debug for FakeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FakeKey")
            .field("id", &self.id)
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

impl Pair {
    fn ecdsa(algorithm: &'static EcdsaSigningAlgorithm) -> Self {
        Self::Ecdsa(EcdsaKeyPair::generate(algorithm).expect("an ECDSA key"))
    }
}

fn rsa_encoding(algorithm: Algorithm) -> &'static dyn RsaEncoding {
    match algorithm {
        Algorithm::Ps256 => &RSA_PSS_SHA256,
        Algorithm::Ps384 => &RSA_PSS_SHA384,
        Algorithm::Ps512 => &RSA_PSS_SHA512,
        Algorithm::Rs256 => &RSA_PKCS1_SHA256,
        Algorithm::Rs384 => &RSA_PKCS1_SHA384,
        Algorithm::Rs512 => &RSA_PKCS1_SHA512,
        other => panic!("{other} is not an algorithm of RSA keys"),
    }
}
