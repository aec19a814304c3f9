use const_oid::{
    ObjectIdentifier,
    db::{
        rfc5912::{ID_EC_PUBLIC_KEY, RSA_ENCRYPTION, SECP_256_R_1, SECP_384_R_1, SECP_521_R_1},
        rfc8410::ID_ED_25519,
    },
};
use cryptoki::{
    object::{Attribute, AttributeType, KeyType, ObjectHandle},
    session::Session,
};
use der::{
    Any, AnyRef, Decode as _, Encode as _,
    asn1::{BitString, OctetStringRef, UintRef},
};
use fulcio_remote_key::{Error as KeyError, PublicKey};
use spki::{AlgorithmIdentifier, SubjectPublicKeyInfo};

use crate::Error;

/// Reads a public key object.
pub(crate) fn read(session: &Session, key: ObjectHandle) -> Result<PublicKey, Error> {
    let wanted = [
        AttributeType::KeyType,
        AttributeType::EcParams,
        AttributeType::EcPoint,
        AttributeType::Modulus,
        AttributeType::PublicExponent,
    ];
    let mut kind = None;
    let (mut params, mut point) = (Vec::new(), Vec::new());
    let (mut modulus, mut exponent) = (Vec::new(), Vec::new());
    // Each kind of key lacks what is of the other kinds.
    for attribute in session.get_attributes(key, &wanted)? {
        match attribute {
            Attribute::KeyType(value) => kind = Some(value),
            Attribute::EcParams(value) => params = value,
            Attribute::EcPoint(value) => point = value,
            Attribute::Modulus(value) => modulus = value,
            Attribute::PublicExponent(value) => exponent = value,
            _ => {}
        }
    }
    let spki = match kind {
        Some(KeyType::EC | KeyType::EC_EDWARDS) => elliptic(&params, &point),
        Some(KeyType::RSA) => rsa(&modulus, &exponent),
        Some(other) => Err(unsupported(other.to_string())),
        None => Err(unsupported("of no type")),
    };
    spki.and_then(PublicKey::from_spki)
        .map_err(Error::PublicKey)
}

/// `CKA_EC_PARAMS` and `CKA_EC_POINT` as a key.
fn elliptic(params: &[u8], point: &[u8]) -> Result<Vec<u8>, KeyError> {
    // The name of the curve is an OID, or the PrintableString of PKCS#11 v3.0 section 2.3.10.
    let curve = match AnyRef::from_der(params) {
        Ok(any) if any.value() == EDWARDS25519 => ID_ED_25519,
        Ok(any) => ObjectIdentifier::try_from(any).map_err(|_der| unsupported(CURVE))?,
        Err(_der) => return Err(unsupported(CURVE)),
    };
    let length = match curve {
        SECP_256_R_1 => 65,
        SECP_384_R_1 => 97,
        SECP_521_R_1 => 133,
        ID_ED_25519 => 32,
        other => return Err(unsupported(format!("on the curve {other}"))),
    };
    // The point should be inside an OCTET STRING, and some tokens give it bare.
    let bare = match point.len() == length {
        true => point,
        false => <&OctetStringRef>::from_der(point)
            .map(OctetStringRef::as_bytes)
            .ok()
            .filter(|bare| bare.len() == length)
            .ok_or_else(|| unsupported("with a public point that is not uncompressed"))?,
    };
    let algorithm = match curve {
        ID_ED_25519 => AlgorithmIdentifier {
            oid: ID_ED_25519,
            parameters: None,
        },
        curve => AlgorithmIdentifier {
            oid: ID_EC_PUBLIC_KEY,
            parameters: Some(Any::from(curve)),
        },
    };
    encode(algorithm, bare)
}

fn rsa(modulus: &[u8], exponent: &[u8]) -> Result<Vec<u8>, KeyError> {
    let key = pkcs1::RsaPublicKey {
        modulus: UintRef::new(modulus).map_err(KeyError::KeyMalformed)?,
        public_exponent: UintRef::new(exponent).map_err(KeyError::KeyMalformed)?,
    };
    let algorithm = AlgorithmIdentifier {
        oid: RSA_ENCRYPTION,
        parameters: Some(Any::null()),
    };
    encode(algorithm, &key.to_der().map_err(KeyError::KeyMalformed)?)
}

fn encode(algorithm: AlgorithmIdentifier<Any>, key: &[u8]) -> Result<Vec<u8>, KeyError> {
    BitString::from_bytes(key)
        .and_then(|subject_public_key| {
            SubjectPublicKeyInfo {
                algorithm,
                subject_public_key,
            }
            .to_der()
        })
        .map_err(KeyError::KeyMalformed)
}

fn unsupported(kind: impl Into<String>) -> KeyError {
    KeyError::Unsupported { kind: kind.into() }
}

const CURVE: &str = "on a curve that is not named";
const EDWARDS25519: &[u8] = b"edwards25519";
