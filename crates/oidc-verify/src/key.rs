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
use serde_json::Value;

use crate::{
    Algorithm, AlgorithmSet,
    jwk::{Jwk, octets},
};

/// A key of a key set that can verify tokens (RFC 7517 §4), parsed once for each of its algorithms.
pub(crate) struct Key {
    id: Option<String>,
    verifiers: Vec<(Algorithm, ParsedPublicKey)>,
}

impl Key {
    /// The key that `jwk` describes, unless it is one that must not or cannot verify tokens.
    pub(crate) fn usable(jwk: Jwk) -> Option<Self> {
        let verifiers = jwk
            .permitted()?
            .iter()
            .filter_map(|algorithm| Some((algorithm, jwk.verifier(algorithm)?)))
            .collect::<Vec<_>>();
        (!verifiers.is_empty()).then_some(Self {
            id: jwk.kid.clone().filter(|id| !id.is_empty()),
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

impl Jwk {
    /// The algorithms that kind and parameters of the key leave; none for an encryption key.
    fn permitted(&self) -> Option<AlgorithmSet> {
        let encrypts = self
            .purpose
            .as_deref()
            .is_some_and(|purpose| purpose != "sig");
        let signs_only = match &self.key_ops {
            Some(Value::Array(operations)) => !operations.iter().any(|one| one == "verify"),
            _ => false,
        };
        if encrypts || signs_only {
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
            Algorithm::EdDsa => ParsedPublicKey::new(&ED25519, octets(self.x.as_deref()?)?).ok(),
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
        let (x, y) = (octets(self.x.as_deref()?)?, octets(self.y.as_deref()?)?);
        if x.len() != size || y.len() != size {
            return None;
        }
        ParsedPublicKey::new(algorithm, [&[UNCOMPRESSED][..], &x, &y].concat()).ok()
    }

    fn modulus(&self, parameters: &'static RsaParameters) -> Option<ParsedPublicKey> {
        let (n, e) = (octets(self.n.as_deref()?)?, octets(self.e.as_deref()?)?);
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
pub(crate) const UNCOMPRESSED: u8 = 4;

/// How long a modulus may be.
const RSA_BITS: core::ops::RangeInclusive<usize> = 2048..=8192;

fn without_leading_zeros(octets: &[u8]) -> &[u8] {
    let zeros = octets.iter().take_while(|octet| **octet == 0).count();
    &octets[zeros..]
}
