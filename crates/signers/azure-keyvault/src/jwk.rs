//! Public keys as Azure writes them (RFC 7517, RFC 7518 section 6).

use azure_security_keyvault_keys::models::{CurveName, JsonWebKey, KeyType};
use const_oid::{
    ObjectIdentifier,
    db::rfc5912::{ID_EC_PUBLIC_KEY, RSA_ENCRYPTION, SECP_256_R_1, SECP_384_R_1, SECP_521_R_1},
};
use der::{
    Encode as _,
    asn1::{AnyRef, BitStringRef, UintRef},
};
use fulcio_remote_key::{Error as KeyError, PublicKey};
use pkcs1::RsaPublicKey;
use spki::{AlgorithmIdentifierRef, SubjectPublicKeyInfoRef};

use crate::Error;

/// Reads the key that is called `name`.
pub(crate) fn public_key(jwk: &JsonWebKey, name: &str) -> Result<PublicKey, Error> {
    let useless = |source| Error::PublicKey {
        key: name.to_owned(),
        source,
    };
    match &jwk.kty {
        Some(KeyType::Ec | KeyType::EcHsm) => {
            let curve = jwk.crv.as_ref();
            let curve = curve.ok_or(Error::AnswerIncomplete { field: "key.crv" })?;
            let x = part(&jwk.x, "key.x")?;
            let y = part(&jwk.y, "key.y")?;
            on_curve(curve, x, y).map_err(useless)
        }
        Some(KeyType::Rsa | KeyType::RsaHsm) => {
            let n = part(&jwk.n, "key.n")?;
            let e = part(&jwk.e, "key.e")?;
            rsa(n, e).map_err(useless)
        }
        Some(other) => Err(useless(KeyError::Unsupported {
            kind: other.to_string(),
        })),
        None => Err(Error::AnswerIncomplete { field: "key.kty" }),
    }
}

fn part<'a>(bytes: &'a Option<Vec<u8>>, field: &'static str) -> Result<&'a [u8], Error> {
    let bytes = bytes.as_deref().filter(|bytes| !bytes.is_empty());
    bytes.ok_or(Error::AnswerIncomplete { field })
}

fn on_curve(curve: &CurveName, x: &[u8], y: &[u8]) -> Result<PublicKey, KeyError> {
    let (curve, size) = match curve {
        CurveName::P256 => (SECP_256_R_1, 32),
        CurveName::P384 => (SECP_384_R_1, 48),
        CurveName::P521 => (SECP_521_R_1, 66),
        other => {
            return Err(KeyError::Unsupported {
                kind: format!("ECDSA on {other}"),
            });
        }
    };
    // An uncompressed point (SEC 1 section 2.3.3).
    let mut point = vec![4];
    for coordinate in [x, y] {
        let zeros = size.max(coordinate.len()) - coordinate.len();
        point.resize(point.len() + zeros, 0);
        point.extend_from_slice(coordinate);
    }
    let curve = AnyRef::from(&curve);
    from_parts(ID_EC_PUBLIC_KEY, curve, &point)
}

fn rsa(n: &[u8], e: &[u8]) -> Result<PublicKey, KeyError> {
    let key = RsaPublicKey {
        modulus: UintRef::new(n).map_err(KeyError::KeyMalformed)?,
        public_exponent: UintRef::new(e).map_err(KeyError::KeyMalformed)?,
    };
    let key = key.to_der().map_err(KeyError::KeyMalformed)?;
    from_parts(RSA_ENCRYPTION, AnyRef::NULL, &key)
}

fn from_parts(
    oid: ObjectIdentifier,
    parameters: AnyRef<'_>,
    key: &[u8],
) -> Result<PublicKey, KeyError> {
    let spki = SubjectPublicKeyInfoRef {
        algorithm: AlgorithmIdentifierRef {
            oid,
            parameters: Some(parameters),
        },
        subject_public_key: BitStringRef::from_bytes(key).map_err(KeyError::KeyMalformed)?,
    };
    PublicKey::from_spki(spki.to_der().map_err(KeyError::KeyMalformed)?)
}
