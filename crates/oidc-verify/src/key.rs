use core::fmt;

use aws_lc_rs::{
    error::KeyRejected,
    signature::{
        ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ECDSA_P521_SHA512_FIXED, ED25519,
        ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
        RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384,
        RSA_PSS_2048_8192_SHA512, RsaParameters, RsaPublicKeyComponents, VerificationAlgorithm,
    },
};
use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::Value;

use crate::{Algorithm, AlgorithmSet};

/// A key of a key set that can verify tokens (RFC 7517 §4), parsed once for each of its algorithms.
pub(crate) struct Key {
    id: Option<String>,
    verifiers: Vec<(Algorithm, ParsedPublicKey)>,
}

impl Key {
    /// The key that `jwk` describes, unless it is one that must not or cannot verify tokens.
    pub(crate) fn usable(jwk: Value) -> Option<Self> {
        let jwk: Jwk = serde_json::from_value(jwk).ok()?;
        let verifiers = jwk
            .permitted()?
            .iter()
            .filter_map(|algorithm| Some((algorithm, jwk.verifier(algorithm)?)))
            .collect::<Vec<_>>();
        (!verifiers.is_empty()).then_some(Self {
            id: jwk.kid.filter(|id| !id.is_empty()),
            verifiers,
        })
    }

    pub(crate) fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    pub(crate) fn verify(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        self.verifiers
            .iter()
            .filter(|(own, _)| *own == algorithm)
            .any(|(_, key)| key.verify_sig(message, signature).is_ok())
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let algorithms: AlgorithmSet = self.verifiers.iter().map(|(own, _)| *own).collect();
        f.debug_struct("Key")
            .field("id", &self.id)
            .field("algorithms", &algorithms)
            .finish()
    }
}

/// A key as it is written (RFC 7517 §4, RFC 7518 §6, RFC 8037 §2).
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    key_ops: Option<Vec<String>>,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
    n: Option<String>,
    e: Option<String>,
    d: Option<IgnoredAny>,
}

impl Jwk {
    /// The algorithms that kind and parameters of the key leave; none for an encryption key, and
    /// none for a private key that is lying open.
    fn permitted(&self) -> Option<AlgorithmSet> {
        let encrypts = self
            .purpose
            .as_deref()
            .is_some_and(|purpose| purpose != "sig");
        let signs_only = self
            .key_ops
            .as_ref()
            .is_some_and(|operations| !operations.iter().any(|one| one == "verify"));
        if encrypts || signs_only || self.d.is_some() {
            return None;
        }
        let own: AlgorithmSet = match (self.kty.as_str(), self.crv.as_deref()) {
            ("RSA", _) => Algorithm::RSA.into_iter().collect(),
            ("EC", Some("P-256")) => [Algorithm::Es256].into_iter().collect(),
            ("EC", Some("P-384")) => [Algorithm::Es384].into_iter().collect(),
            ("EC", Some("P-521")) => [Algorithm::Es512].into_iter().collect(),
            ("OKP", Some("Ed25519")) => [Algorithm::EdDsa].into_iter().collect(),
            _ => return None,
        };
        match self.alg.as_deref() {
            None => Some(own),
            Some(name) => {
                let named = Algorithm::from_name(name)?;
                own.contains(named).then(|| [named].into_iter().collect())
            }
        }
    }

    /// The key, made ready for `algorithm`, which fits its kind.
    fn verifier(&self, algorithm: Algorithm) -> Option<ParsedPublicKey> {
        match algorithm {
            Algorithm::EdDsa => ParsedPublicKey::new(&ED25519, octets(self.x.as_ref()?)?).ok(),
            Algorithm::Es256 => self.point(&ECDSA_P256_SHA256_FIXED, 32),
            Algorithm::Es384 => self.point(&ECDSA_P384_SHA384_FIXED, 48),
            Algorithm::Es512 => self.point(&ECDSA_P521_SHA512_FIXED, 66),
            Algorithm::Ps256 => self.modulus(&RSA_PSS_2048_8192_SHA256),
            Algorithm::Ps384 => self.modulus(&RSA_PSS_2048_8192_SHA384),
            Algorithm::Ps512 => self.modulus(&RSA_PSS_2048_8192_SHA512),
            Algorithm::Rs256 => self.modulus(&RSA_PKCS1_2048_8192_SHA256),
            Algorithm::Rs384 => self.modulus(&RSA_PKCS1_2048_8192_SHA384),
            Algorithm::Rs512 => self.modulus(&RSA_PKCS1_2048_8192_SHA512),
        }
    }

    /// The point on a curve whose coordinates have `size` octets, never fewer.
    fn point(
        &self,
        algorithm: &'static dyn VerificationAlgorithm,
        size: usize,
    ) -> Option<ParsedPublicKey> {
        let (x, y) = (octets(self.x.as_ref()?)?, octets(self.y.as_ref()?)?);
        if x.len() != size || y.len() != size {
            return None;
        }
        ParsedPublicKey::new(algorithm, [&[UNCOMPRESSED][..], &x, &y].concat()).ok()
    }

    fn modulus(&self, parameters: &'static RsaParameters) -> Option<ParsedPublicKey> {
        let (n, e) = (octets(self.n.as_ref()?)?, octets(self.e.as_ref()?)?);
        let (n, e) = (without_leading_zeros(&n), without_leading_zeros(&e));
        let bits = n.len() * 8 - n.first()?.leading_zeros() as usize;
        if !RSA_BITS.contains(&bits) {
            return None;
        }
        let key: Result<_, KeyRejected> =
            RsaPublicKeyComponents { n, e }.to_parsed_public_key(parameters);
        key.ok()
    }
}

/// The first octet of an uncompressed point (SEC 1 §2.3.3).
const UNCOMPRESSED: u8 = 4;

/// How long a modulus may be.
const RSA_BITS: core::ops::RangeInclusive<usize> = 2048..=8192;

/// Base64url as key sets are really written: with padding or without.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

fn octets(text: &String) -> Option<Vec<u8>> {
    BASE64.decode(text).ok()
}

fn without_leading_zeros(octets: &[u8]) -> &[u8] {
    let zeros = octets.iter().take_while(|octet| **octet == 0).count();
    &octets[zeros..]
}
