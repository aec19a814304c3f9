use const_oid::db::{
    rfc5912::{ID_EC_PUBLIC_KEY, RSA_ENCRYPTION, SECP_256_R_1, SECP_384_R_1, SECP_521_R_1},
    rfc8410::ID_ED_25519,
};
use der::{Decode as _, Encode as _, Tag, Tagged as _};
use fulcio_signer::Algorithm;
use spki::SubjectPublicKeyInfoRef;

use super::Finding;

/// Reads the key strictly, and compares it with what it is said to sign.
pub(super) fn check(spki: &[u8], algorithm: Algorithm) -> Result<(), Finding> {
    let malformed = |reason: String| Finding::PublicKeyMalformed { reason };
    let parsed =
        SubjectPublicKeyInfoRef::from_der(spki).map_err(|error| malformed(error.to_string()))?;
    let again = parsed
        .to_der()
        .map_err(|error| malformed(error.to_string()))?;
    if again != spki {
        return Err(malformed("it is encoded in another way than DER".into()));
    }

    let expected = match algorithm {
        Algorithm::EcdsaP256Sha256 => Some((ID_EC_PUBLIC_KEY, Some(SECP_256_R_1))),
        Algorithm::EcdsaP384Sha384 => Some((ID_EC_PUBLIC_KEY, Some(SECP_384_R_1))),
        Algorithm::EcdsaP521Sha512 => Some((ID_EC_PUBLIC_KEY, Some(SECP_521_R_1))),
        Algorithm::Ed25519 => Some((ID_ED_25519, None)),
        Algorithm::RsaPkcs1Sha256 => Some((RSA_ENCRYPTION, None)),
        _ => None,
    };
    let kind = parsed.algorithm.oid;
    let curve = parsed.algorithm.parameters_oid().ok();
    if expected != Some((kind, curve)) {
        return Err(Finding::AlgorithmOfAnotherKey {
            key: match curve {
                Some(curve) => format!("{kind} on {curve}"),
                None => kind.to_string(),
            },
        });
    }

    let parameters = parsed.algorithm.parameters.map(|any| any.tag());
    match algorithm {
        // RFC 3279 section 2.3.1.
        Algorithm::RsaPkcs1Sha256 if parameters != Some(Tag::Null) => {
            Err(malformed("an RSA key has NULL parameters".into()))
        }
        // RFC 8410 section 3.
        Algorithm::Ed25519 if parameters.is_some() => {
            Err(malformed("an Ed25519 key has no parameters".into()))
        }
        _ => Ok(()),
    }
}
