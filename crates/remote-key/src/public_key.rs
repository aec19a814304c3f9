use core::fmt;

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, ECDSA_P521_SHA512_ASN1, ED25519,
    ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, VerificationAlgorithm,
};
use const_oid::{
    ObjectIdentifier,
    db::{
        DB,
        rfc5912::{ID_EC_PUBLIC_KEY, RSA_ENCRYPTION, SECP_256_R_1, SECP_384_R_1, SECP_521_R_1},
        rfc8410::ID_ED_25519,
    },
};
use der::{Decode as _, Document, Encode as _, asn1::BitStringRef};
use fulcio_signer::Algorithm;
use pkcs1::RsaPublicKeyRef;
use pki_types::SubjectPublicKeyInfoDer;
use spki::{AlgorithmIdentifierRef, SubjectPublicKeyInfoRef};

use crate::Error;

/// The public half of a key that is far away: read once, ready to verify with.
///
/// It knows the one [`Algorithm`] that certificates are signed with under such a key.
pub struct PublicKey {
    algorithm: Algorithm,
    spki: SubjectPublicKeyInfoDer<'static>,
    verifier: ParsedPublicKey,
}

impl PublicKey {
    /// Takes a DER `SubjectPublicKeyInfo` (RFC 5280 section 4.1.2.7), such as that of a
    /// certificate.
    ///
    /// # Errors
    /// It is damaged, or not a key that a certificate authority of ours signs with: ECDSA on
    /// P-256, P-384 or P-521, Ed25519, or RSA of 2048 to 4096 bits.
    pub fn from_spki(spki: impl Into<Vec<u8>>) -> Result<Self, Error> {
        let spki = spki.into();
        let key = SubjectPublicKeyInfoRef::from_der(&spki).map_err(Error::KeyMalformed)?;
        let algorithm = algorithm(&key)?;
        let verifier = ParsedPublicKey::new(verification(algorithm)?, &spki)
            .map_err(|source| Error::KeyRejected { algorithm, source })?;
        Ok(Self {
            algorithm,
            spki: SubjectPublicKeyInfoDer::from(spki),
            verifier,
        })
    }

    /// Takes the same in PEM, `BEGIN PUBLIC KEY` (RFC 7468 section 13).
    ///
    /// # Errors
    /// It is not that; or as [`from_spki`](Self::from_spki).
    pub fn from_pem(pem: &str) -> Result<Self, Error> {
        let (label, document) = Document::from_pem(pem.trim()).map_err(Error::KeyMalformed)?;
        if label != "PUBLIC KEY" {
            return Err(Error::Unsupported {
                kind: format!("a PEM block named {label}"),
            });
        }
        Self::from_spki(document.into_vec())
    }

    /// Takes the 32 bytes of an Ed25519 key (RFC 8032 section 5.1.5).
    ///
    /// # Errors
    /// They are not 32 bytes, or not a point on the curve.
    pub fn from_ed25519(bytes: &[u8]) -> Result<Self, Error> {
        let spki = SubjectPublicKeyInfoRef {
            algorithm: AlgorithmIdentifierRef {
                oid: ID_ED_25519,
                parameters: None,
            },
            subject_public_key: BitStringRef::from_bytes(bytes).map_err(Error::KeyMalformed)?,
        };
        Self::from_spki(spki.to_der().map_err(Error::KeyMalformed)?)
    }

    /// How the key signs.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The key as a certificate carries it.
    #[must_use]
    pub fn spki(&self) -> SubjectPublicKeyInfoDer<'_> {
        SubjectPublicKeyInfoDer::from(self.spki.as_ref())
    }

    /// Verifies a signature in the form that X.509 wants: an `ECDSA-Sig-Value` in DER for ECDSA,
    /// the bare bytes for the others.
    ///
    /// # Errors
    /// [`Error::Unverified`].
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), Error> {
        self.verifier
            .verify_sig(message, signature)
            .map_err(|_unspecified| Error::Unverified)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} public key", self.algorithm)
    }
}

fn algorithm(key: &SubjectPublicKeyInfoRef<'_>) -> Result<Algorithm, Error> {
    match key.algorithm.oid {
        ID_EC_PUBLIC_KEY => match key.algorithm.parameters_oid() {
            Ok(SECP_256_R_1) => Ok(Algorithm::EcdsaP256Sha256),
            Ok(SECP_384_R_1) => Ok(Algorithm::EcdsaP384Sha384),
            Ok(SECP_521_R_1) => Ok(Algorithm::EcdsaP521Sha512),
            Ok(other) => Err(unsupported(format!("ECDSA on curve {}", named(other)))),
            Err(_unnamed) => Err(unsupported("ECDSA on a curve that is not named")),
        },
        ID_ED_25519 => Ok(Algorithm::Ed25519),
        RSA_ENCRYPTION => {
            let bits = rsa_bits(key.subject_public_key.raw_bytes())?;
            if (2048..=4096).contains(&bits) {
                Ok(Algorithm::RsaPkcs1Sha256)
            } else {
                Err(Error::RsaLength { bits })
            }
        }
        other => Err(unsupported(named(other))),
    }
}

fn rsa_bits(key: &[u8]) -> Result<usize, Error> {
    let key = RsaPublicKeyRef::from_der(key).map_err(Error::KeyMalformed)?;
    let modulus = key.modulus.as_bytes();
    let leading = modulus.first().map_or(0, |first| first.leading_zeros());
    Ok(8 * modulus.len() - leading as usize)
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

/// What an object identifier is called, as far as it is known.
fn named(oid: ObjectIdentifier) -> String {
    match DB.by_oid(&oid) {
        Some(name) => format!("{name}, {oid}"),
        None => oid.to_string(),
    }
}

fn unsupported(kind: impl Into<String>) -> Error {
    Error::Unsupported { kind: kind.into() }
}
