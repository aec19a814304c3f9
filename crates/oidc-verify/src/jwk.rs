use aws_lc_rs::{
    digest::{Algorithm as Digest, SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest},
    signature::{
        ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ECDSA_P521_SHA512_FIXED, ParsedPublicKey,
    },
};
use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use serde::{
    Deserialize, Deserializer,
    de::{Error, IgnoredAny},
};
use serde_json::Value;

use crate::{key::UNCOMPRESSED, object::Object};

/// A key as it is written (RFC 7517 §4, RFC 7518 §6, RFC 8037 §2), and readable.
///
/// Readable is what Fulcio can read: keys of kinds it knows, with all their parts. One key that it
/// cannot read spoils the whole set there, and so it does here; and so does a private key that is
/// lying open.
pub(crate) struct Jwk(Written);

#[derive(Deserialize)]
pub(crate) struct Written {
    pub(crate) kty: String,
    pub(crate) kid: Option<String>,
    pub(crate) alg: Option<String>,
    #[serde(rename = "use")]
    pub(crate) purpose: Option<String>,
    pub(crate) key_ops: Option<Value>,
    pub(crate) crv: Option<String>,
    pub(crate) x: Option<String>,
    pub(crate) y: Option<String>,
    pub(crate) n: Option<String>,
    pub(crate) e: Option<String>,
    d: Option<IgnoredAny>,
    k: Option<String>,
    x5c: Option<Vec<String>>,
    x5t: Option<String>,
    #[serde(rename = "x5t#S256")]
    x5t_s256: Option<String>,
}

impl core::ops::Deref for Jwk {
    type Target = Written;

    fn deref(&self) -> &Written {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Jwk {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Object(written) = Object::<Written>::deserialize(deserializer)?;
        match written.key_octets() {
            None => Err(D::Error::custom("a key of the set cannot be read")),
            Some(key) if !written.is_certified(&key) => Err(D::Error::custom(
                "a key of the set does not fit the certificate beside it",
            )),
            Some(_) => Ok(Self(written)),
        }
    }
}

impl Written {
    /// The octets that every writing of this key holds in one piece; none if a part is missing.
    fn key_octets(&self) -> Option<Vec<u8>> {
        let part = |text: &Option<String>| octets(text.as_deref()?).filter(|part| !part.is_empty());
        if self.d.is_some() && self.kty != "oct" {
            return None;
        }
        match self.kty.as_str() {
            "EC" => {
                let (curve, size) = match self.crv.as_deref()? {
                    "P-256" => (&ECDSA_P256_SHA256_FIXED, 32),
                    "P-384" => (&ECDSA_P384_SHA384_FIXED, 48),
                    "P-521" => (&ECDSA_P521_SHA512_FIXED, 66),
                    _ => return None,
                };
                let (x, y) = (part(&self.x)?, part(&self.y)?);
                let point = [&[UNCOMPRESSED][..], &x, &y].concat();
                let is_on_curve = ParsedPublicKey::new(curve, &point).is_ok();
                (is_on_curve && x.len() == size).then_some(point)
            }
            "RSA" => {
                part(&self.e)?;
                let n = part(&self.n)?;
                let zeros = n.iter().take_while(|octet| **octet == 0).count();
                Some(n[zeros..].to_vec())
            }
            "OKP" if self.crv.as_deref() == Some("Ed25519") => {
                part(&self.x).filter(|x| x.len() == 32)
            }
            "oct" => part(&self.k),
            _ => None,
        }
    }

    /// Whether the certificates beside the key (RFC 7517 §4.7 to §4.9), if there are any, are its own.
    fn is_certified(&self, key: &[u8]) -> bool {
        let chain = self.x5c.as_deref().unwrap_or_default();
        let chain: Result<Vec<_>, _> = (chain.iter())
            .map(|text| BASE64_STANDARD.decode(text))
            .collect();
        let Ok(chain) = chain else {
            return false;
        };
        let leaf = chain.first().map(Vec::as_slice);
        leaf.is_none_or(|leaf| leaf.windows(key.len()).any(|part| part == key))
            && fits(self.x5t.as_deref(), leaf, &SHA1_FOR_LEGACY_USE_ONLY)
            && fits(self.x5t_s256.as_deref(), leaf, &SHA256)
    }
}

/// Whether `written`, if there is one, can be a thumbprint of `leaf`. Some write it in hexadecimal
/// digits before they encode it.
fn fits(written: Option<&str>, leaf: Option<&[u8]>, algorithm: &'static Digest) -> bool {
    let Some(written) = written.filter(|written| !written.is_empty()) else {
        return true;
    };
    let Some(mut thumbprint) = octets(written) else {
        return false;
    };
    if thumbprint.len() == 2 * algorithm.output_len() {
        let digits = thumbprint.chunks(2).map(|pair| {
            let pair = core::str::from_utf8(pair).ok()?;
            u8::from_str_radix(pair, 16).ok()
        });
        match digits.collect() {
            Some(octets) => thumbprint = octets,
            None => return false,
        }
    }
    thumbprint.len() == algorithm.output_len()
        && leaf.is_none_or(|leaf| digest(algorithm, leaf).as_ref() == thumbprint)
}

/// What `text` is in unpadded base64url (RFC 7515 §2).
pub(crate) fn octets(text: &str) -> Option<Vec<u8>> {
    BASE64_URL_SAFE_NO_PAD.decode(text).ok()
}
