use aws_lc_rs::signature::{self, ParsedPublicKey, VerificationAlgorithm};
use const_oid::{
    ObjectIdentifier,
    db::{rfc5912, rfc8410},
};
use der::{
    Decode, Encode, Sequence,
    asn1::{AnyRef, BitStringRef, UintRef},
};
use spki::{AlgorithmIdentifierRef, SubjectPublicKeyInfoRef};

#[cfg(doc)]
use crate::scheme::Scheme;
use crate::{KeyKind, Malformed, PublicKey, Weakness, modulus::Modulus};

/// A key that could be read, before the key policy.
///
/// Reading and judging are apart because a CSR is read to its end before its key is judged.
pub(crate) struct UncheckedKey {
    material: Material,
    spki: Vec<u8>,
}

enum Material {
    /// A key that has nothing left to be judged: its point is on its curve. One of ECDSA is ready to
    /// verify what it has signed as [`Scheme::of_challenge`] says.
    Point(KeyKind, Option<ParsedPublicKey>),
    Rsa {
        modulus: Vec<u8>,
        exponent: u64,
    },
    /// A key we could never certify, whatever its value.
    Refused(Weakness),
}

/// RFC 8017 appendix A.1.1.
#[derive(Sequence)]
struct RsaPublicKey<'a> {
    modulus: UintRef<'a>,
    public_exponent: u64,
}

/// RFC 3279 section 2.3.2.
#[derive(Sequence)]
struct DssParms<'a> {
    p: UintRef<'a>,
    q: UintRef<'a>,
    g: UintRef<'a>,
}

/// The largest RSA exponent of a PKCS#1 file, as in Go.
const LARGEST_PKCS1_EXPONENT: u64 = (1 << 31) - 1;

impl UncheckedKey {
    /// Reads a `SubjectPublicKeyInfo` (RFC 5280 section 4.1).
    pub(crate) fn from_spki(der: &[u8]) -> Result<Self, Malformed> {
        let spki = SubjectPublicKeyInfoRef::from_der(der).map_err(Malformed::der)?;
        Ok(Self {
            material: Material::read(&spki)?,
            spki: der.to_vec(),
        })
    }

    /// Reads the key of a CSR. There a key of an unknown algorithm is no key at all: readable, and
    /// refused by the policy.
    pub(crate) fn from_csr(der: &[u8]) -> Result<Self, Malformed> {
        Self::from_spki(der).or_else(|error| match error {
            Malformed::UnknownKeyAlgorithm => Ok(Self {
                material: Material::Refused(Weakness::KeyKind),
                spki: Vec::new(),
            }),
            error => Err(error),
        })
    }

    /// Reads an `RSAPublicKey` (RFC 8017 appendix A.1.1).
    pub(crate) fn from_pkcs1(der: &[u8]) -> Result<Self, Malformed> {
        let material = Material::rsa(der)?;
        if matches!(material, Material::Rsa { exponent, .. } if exponent > LARGEST_PKCS1_EXPONENT) {
            return Err(Malformed::RsaInteger);
        }
        let algorithm = AlgorithmIdentifierRef {
            oid: rfc5912::RSA_ENCRYPTION,
            parameters: Some(AnyRef::NULL),
        };
        let spki = BitStringRef::from_bytes(der)
            .and_then(|subject_public_key| {
                SubjectPublicKeyInfoRef {
                    algorithm,
                    subject_public_key,
                }
                .to_der()
            })
            .map_err(Malformed::der)?;
        Ok(Self { material, spki })
    }

    /// Holds the key to the key policy.
    pub(crate) fn approve(self) -> Result<PublicKey, Weakness> {
        let (kind, ready) = match self.material {
            Material::Point(kind, ready) => (kind, ready),
            Material::Rsa { modulus, exponent } => {
                (Modulus::new(&modulus).approve(exponent)?, None)
            }
            Material::Refused(weakness) => return Err(weakness),
        };
        Ok(PublicKey {
            kind,
            spki: self.spki,
            ready,
        })
    }
}

impl Material {
    fn read(spki: &SubjectPublicKeyInfoRef<'_>) -> Result<Self, Malformed> {
        let parameters = spki.algorithm.parameters;
        let key = spki
            .subject_public_key
            .as_bytes()
            .ok_or(Malformed::BitString)?;
        match spki.algorithm.oid {
            rfc5912::RSA_ENCRYPTION => match parameters {
                Some(parameters) if parameters.is_null() => Self::rsa(key),
                _ => Err(Malformed::AlgorithmParameters),
            },
            rfc5912::ID_EC_PUBLIC_KEY => parameters
                .and_then(|curve| curve.decode_as().ok())
                .ok_or(Malformed::AlgorithmParameters)
                .and_then(|curve| Self::ecdsa(curve, key)),
            rfc8410::ID_ED_25519 | rfc8410::ID_X_25519 if parameters.is_some() => {
                Err(Malformed::AlgorithmParameters)
            }
            rfc8410::ID_ED_25519 if key.len() == 32 => Ok(Self::Point(KeyKind::Ed25519, None)),
            rfc8410::ID_X_25519 if key.len() == 32 => Ok(Self::Refused(Weakness::KeyKind)),
            rfc8410::ID_ED_25519 | rfc8410::ID_X_25519 => Err(Malformed::Point),
            rfc5912::ID_DSA => {
                UintRef::from_der(key).map_err(Malformed::der)?;
                parameters
                    .ok_or(Malformed::AlgorithmParameters)?
                    .decode_as::<DssParms<'_>>()
                    .map_err(Malformed::der)?;
                Ok(Self::Refused(Weakness::KeyKind))
            }
            _ => Err(Malformed::UnknownKeyAlgorithm),
        }
    }

    /// An uncompressed point (SEC 1 section 2.3.3); Go reads no other, and so do we.
    fn ecdsa(curve: ObjectIdentifier, point: &[u8]) -> Result<Self, Malformed> {
        type Curve = (
            Option<KeyKind>,
            usize,
            Option<&'static dyn VerificationAlgorithm>,
        );
        let (kind, coordinate, algorithm): Curve = match curve {
            rfc5912::SECP_224_R_1 => (None, 28, None),
            rfc5912::SECP_256_R_1 => (
                Some(KeyKind::EcdsaP256),
                32,
                Some(&signature::ECDSA_P256_SHA256_ASN1),
            ),
            rfc5912::SECP_384_R_1 => (
                Some(KeyKind::EcdsaP384),
                48,
                Some(&signature::ECDSA_P384_SHA384_ASN1),
            ),
            rfc5912::SECP_521_R_1 => (
                Some(KeyKind::EcdsaP521),
                66,
                Some(&signature::ECDSA_P521_SHA512_ASN1),
            ),
            _ => return Err(Malformed::EllipticCurve),
        };
        if point.len() != 1 + 2 * coordinate || point.first() != Some(&UNCOMPRESSED) {
            return Err(Malformed::Point);
        }
        match (kind, algorithm) {
            (Some(kind), Some(algorithm)) => ParsedPublicKey::new(algorithm, point)
                .map(|ready| Self::Point(kind, Some(ready)))
                .map_err(|_| Malformed::Point),
            _ => Ok(Self::Refused(Weakness::Curve)),
        }
    }

    fn rsa(der: &[u8]) -> Result<Self, Malformed> {
        let key = RsaPublicKey::from_der(der).map_err(Malformed::der)?;
        let modulus = key.modulus.as_bytes();
        if modulus.iter().all(|&byte| byte == 0) || key.public_exponent == 0 {
            return Err(Malformed::RsaInteger);
        }
        Ok(Self::Rsa {
            modulus: modulus.to_vec(),
            exponent: key.public_exponent,
        })
    }
}

/// The first byte of an uncompressed point.
const UNCOMPRESSED: u8 = 4;
