use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, ECDSA_P521_SHA512_ASN1, ED25519,
    ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, VerificationAlgorithm,
};
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
use fulcio_signer::Algorithm;
use pki_types::SubjectPublicKeyInfoDer;
use spki::{AlgorithmIdentifier, SubjectPublicKeyInfo};

use crate::Error;

/// The public half of a key in a token, ready to verify with.
#[derive(Debug)]
pub(crate) struct PublicKey {
    pub(crate) algorithm: Algorithm,
    pub(crate) spki: SubjectPublicKeyInfoDer<'static>,
    verifier: ParsedPublicKey,
}

impl PublicKey {
    /// Reads a public key object.
    pub(crate) fn read(session: &Session, key: ObjectHandle) -> Result<Self, Error> {
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
            Some(KeyType::EC | KeyType::EC_EDWARDS) => elliptic(&params, &point)?,
            Some(KeyType::RSA) => rsa(&modulus, &exponent)?,
            Some(other) => return Err(unsupported(other.to_string())),
            None => return Err(unsupported("of no type")),
        };
        Self::from_spki(spki)
    }

    /// Takes a DER `SubjectPublicKeyInfo`, such as that of a certificate.
    pub(crate) fn from_spki(der: Vec<u8>) -> Result<Self, Error> {
        let algorithm = algorithm(&der)?;
        let verifier = ParsedPublicKey::new(verification(algorithm)?, &der)
            .map_err(|source| Error::PublicKey { algorithm, source })?;
        Ok(Self {
            algorithm,
            spki: SubjectPublicKeyInfoDer::from(der),
            verifier,
        })
    }

    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), Error> {
        self.verifier
            .verify_sig(message, signature)
            .map_err(|_unspecified| Error::Signature)
    }
}

fn algorithm(spki: &[u8]) -> Result<Algorithm, Error> {
    let spki = SubjectPublicKeyInfo::<AnyRef<'_>, BitString>::from_der(spki)
        .map_err(|_der| unsupported("with a damaged public key"))?;
    let oid = spki.algorithm.oid;
    let curve = spki.algorithm.parameters_oid().ok();
    match (oid, curve) {
        (ID_EC_PUBLIC_KEY, Some(SECP_256_R_1)) => Ok(Algorithm::EcdsaP256Sha256),
        (ID_EC_PUBLIC_KEY, Some(SECP_384_R_1)) => Ok(Algorithm::EcdsaP384Sha384),
        (ID_EC_PUBLIC_KEY, Some(SECP_521_R_1)) => Ok(Algorithm::EcdsaP521Sha512),
        (ID_ED_25519, _) => Ok(Algorithm::Ed25519),
        (RSA_ENCRYPTION, _) => Ok(Algorithm::RsaPkcs1Sha256),
        _ => Err(unsupported(oid.to_string())),
    }
}

fn verification(algorithm: Algorithm) -> Result<&'static dyn VerificationAlgorithm, Error> {
    Ok(match algorithm {
        Algorithm::EcdsaP256Sha256 => &ECDSA_P256_SHA256_ASN1,
        Algorithm::EcdsaP384Sha384 => &ECDSA_P384_SHA384_ASN1,
        Algorithm::EcdsaP521Sha512 => &ECDSA_P521_SHA512_ASN1,
        Algorithm::Ed25519 => &ED25519,
        Algorithm::RsaPkcs1Sha256 => &RSA_PKCS1_2048_8192_SHA256,
        other => return Err(unsupported(other.to_string())),
    })
}

/// `CKA_EC_PARAMS` and `CKA_EC_POINT` as a key.
fn elliptic(params: &[u8], point: &[u8]) -> Result<Vec<u8>, Error> {
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

fn rsa(modulus: &[u8], exponent: &[u8]) -> Result<Vec<u8>, Error> {
    let damaged = |_der| unsupported("RSA with a damaged public key");
    let modulus = UintRef::new(modulus).map_err(damaged)?;
    let bits = modulus.as_bytes().first().map_or(0, |first| {
        modulus.as_bytes().len() * 8 - first.leading_zeros() as usize
    });
    if !(2048..=4096).contains(&bits) {
        return Err(unsupported(format!("RSA of {bits} bits")));
    }
    let key = pkcs1::RsaPublicKey {
        modulus,
        public_exponent: UintRef::new(exponent).map_err(damaged)?,
    };
    let algorithm = AlgorithmIdentifier {
        oid: RSA_ENCRYPTION,
        parameters: Some(Any::null()),
    };
    encode(algorithm, &key.to_der().map_err(damaged)?)
}

fn encode(algorithm: AlgorithmIdentifier<Any>, key: &[u8]) -> Result<Vec<u8>, Error> {
    BitString::from_bytes(key)
        .and_then(|subject_public_key| {
            SubjectPublicKeyInfo {
                algorithm,
                subject_public_key,
            }
            .to_der()
        })
        .map_err(|_der| unsupported("with a public key of no sensible length"))
}

fn unsupported(kind: impl Into<String>) -> Error {
    Error::UnsupportedKey { kind: kind.into() }
}

const CURVE: &str = "on a curve that is not named";
const EDWARDS25519: &[u8] = b"edwards25519";
