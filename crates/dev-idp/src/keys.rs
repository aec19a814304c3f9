use core::fmt;

use aws_lc_rs::{
    digest::{SHA256, digest},
    encoding::{AsDer, Pkcs8V1Der},
    rand::SystemRandom,
    rsa,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
    },
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use pkcs1::der::Decode;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::{Algorithm, Error};

/// The keys of a development identity provider: RSA with 2048 bits, and P-256.
///
/// Tokens outlive the process only if the keys do: write [`rsa_pkcs8`](Self::rsa_pkcs8) and
/// [`p256_pkcs8`](Self::p256_pkcs8) to files and read them with [`from_pkcs8`](Self::from_pkcs8).
pub struct Keys {
    rsa: RsaKeyPair,
    p256: EcdsaKeyPair,
    published: Published,
}

/// What the key set says of the keys (RFC 7517).
struct Published {
    rsa_id: String,
    p256_id: String,
    key_set: Value,
}

impl Keys {
    /// Makes new keys.
    ///
    /// # Errors
    /// The system gives no randomness.
    pub fn generate() -> Result<Self, Error> {
        let rsa =
            RsaKeyPair::generate(rsa::KeySize::Rsa2048).map_err(|_unspecified| Error::Generate)?;
        let p256 = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)
            .map_err(|_unspecified| Error::Generate)?;
        Self::new(rsa, p256)
    }

    /// Reads kept keys (RFC 5958, DER).
    ///
    /// # Errors
    /// One of them is not such a key.
    pub fn from_pkcs8(rsa: &[u8], p256: &[u8]) -> Result<Self, Error> {
        let rsa = RsaKeyPair::from_pkcs8(rsa).map_err(|cause| rejected("RSA", &cause))?;
        let p256 = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, p256)
            .map_err(|cause| rejected("P-256", &cause))?;
        Self::new(rsa, p256)
    }

    /// The RSA key to keep (RFC 5958, DER).
    ///
    /// # Errors
    /// The key cannot be written.
    pub fn rsa_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, Error> {
        let der: Pkcs8V1Der<'_> = self.rsa.as_der().map_err(|cause| rejected("RSA", &cause))?;
        Ok(Zeroizing::new(der.as_ref().to_vec()))
    }

    /// The P-256 key to keep (RFC 5958, DER).
    ///
    /// # Errors
    /// The key cannot be written.
    pub fn p256_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, Error> {
        let der = self.p256.to_pkcs8v1();
        let der = der.map_err(|cause| rejected("P-256", &cause))?;
        Ok(Zeroizing::new(der.as_ref().to_vec()))
    }

    /// The public keys as a JWK set (RFC 7517 section 5).
    pub(crate) fn key_set(&self) -> &Value {
        &self.published.key_set
    }

    pub(crate) fn key_id(&self, algorithm: Algorithm) -> &str {
        match algorithm {
            Algorithm::Es256 => &self.published.p256_id,
            Algorithm::Rs256 => &self.published.rsa_id,
        }
    }

    pub(crate) fn sign(&self, algorithm: Algorithm, message: &[u8]) -> Result<Vec<u8>, Error> {
        let random = SystemRandom::new();
        match algorithm {
            Algorithm::Es256 => {
                let signature = self.p256.sign(&random, message);
                let signature = signature.map_err(|_unspecified| Error::Sign)?;
                Ok(signature.as_ref().to_vec())
            }
            Algorithm::Rs256 => {
                let mut signature = vec![0; self.rsa.public_modulus_len()];
                self.rsa
                    .sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)
                    .map_err(|_unspecified| Error::Sign)?;
                Ok(signature)
            }
        }
    }

    fn new(rsa: RsaKeyPair, p256: EcdsaKeyPair) -> Result<Self, Error> {
        let public = pkcs1::RsaPublicKeyRef::from_der(rsa.public_key().as_ref())
            .map_err(|cause| rejected("RSA", &cause))?;
        let n = base64url(public.modulus.as_bytes());
        let e = base64url(public.public_exponent.as_bytes());
        let (x, y) = p256.public_key().as_ref()[1..].split_at(32);
        let (x, y) = (base64url(x), base64url(y));

        // The identifiers are thumbprints (RFC 7638), so a new key has a new one.
        let rsa_id = thumbprint(&format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#));
        let p256_id = thumbprint(&format!(
            r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#
        ));
        let key_set = json!({ "keys": [
            { "alg": "RS256", "e": e, "kid": rsa_id, "kty": "RSA", "n": n, "use": "sig" },
            { "alg": "ES256", "crv": "P-256", "kid": p256_id, "kty": "EC", "use": "sig", "x": x, "y": y },
        ]});
        Ok(Self {
            rsa,
            p256,
            published: Published {
                rsa_id,
                p256_id,
                key_set,
            },
        })
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys")
            .field("rsa", &self.published.rsa_id)
            .field("p256", &self.published.p256_id)
            .finish()
    }
}

fn rejected(name: &'static str, cause: &dyn fmt::Display) -> Error {
    Error::Key {
        name,
        rejection: cause.to_string(),
    }
}

fn thumbprint(key: &str) -> String {
    base64url(digest(&SHA256, key.as_bytes()).as_ref())
}

pub(crate) fn base64url(bytes: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}
