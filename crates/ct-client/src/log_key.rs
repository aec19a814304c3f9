use core::fmt;

use aws_lc_rs::{
    digest::{SHA256, digest},
    signature::{
        ECDSA_P256_SHA256_ASN1, ECDSA_P384_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, ED25519,
        ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, VerificationAlgorithm,
    },
};
use pkcs1::RsaPublicKeyRef;
use pki_types::{
    SubjectPublicKeyInfoDer,
    pem::{self, PemObject as _},
};
use spki::{ObjectIdentifier, SubjectPublicKeyInfoRef, der::Decode as _};

use crate::{DigitallySigned, SctError, SignatureScheme};

/// A log's public key, parsed once.
#[derive(Clone)]
pub struct LogKey {
    id: [u8; 32],
    spki: SubjectPublicKeyInfoDer<'static>,
    /// The schemes that a log with such a key may use.
    verifiers: Vec<(SignatureScheme, ParsedPublicKey)>,
}

impl LogKey {
    /// Reads the PEM block `PUBLIC KEY` (RFC 7468 section 13).
    ///
    /// # Errors
    /// There is none, or what it holds is not a key that logs sign with.
    pub fn from_pem(pem: &[u8]) -> Result<Self, LogKeyError> {
        let spki = SubjectPublicKeyInfoDer::from_pem_slice(pem).map_err(LogKeyError::Pem)?;
        Self::from_spki(spki)
    }

    /// Takes a key: ECDSA on P-256 or P-384, RSA of 2048 bits or more, or Ed25519.
    ///
    /// # Errors
    /// It is another key, or not one.
    pub fn from_spki(spki: SubjectPublicKeyInfoDer<'static>) -> Result<Self, LogKeyError> {
        let parsed = SubjectPublicKeyInfoRef::from_der(&spki).map_err(LogKeyError::Malformed)?;
        let algorithm = parsed.algorithm;
        let verifiers = match algorithm.oid {
            ID_EC_PUBLIC_KEY => match algorithm.parameters_oid().map_err(LogKeyError::Curve)? {
                SECP256R1 => verifiers(
                    &spki,
                    &[(SignatureScheme::ECDSA_SHA256, &ECDSA_P256_SHA256_ASN1)],
                ),
                SECP384R1 => verifiers(
                    &spki,
                    &[
                        (SignatureScheme::ECDSA_SHA256, &ECDSA_P384_SHA256_ASN1),
                        (SignatureScheme::ECDSA_SHA384, &ECDSA_P384_SHA384_ASN1),
                    ],
                ),
                oid => return Err(LogKeyError::Unsupported(oid.to_string())),
            },
            RSA_ENCRYPTION => {
                let rsa: RsaPublicKeyRef<'_> =
                    RsaPublicKeyRef::from_der(parsed.subject_public_key.raw_bytes())
                        .map_err(LogKeyError::Malformed)?;
                let bits = 8 * rsa.modulus.as_bytes().len();
                if bits < MIN_RSA_BITS {
                    return Err(LogKeyError::Short { bits });
                }
                verifiers(
                    &spki,
                    &[(SignatureScheme::RSA_SHA256, &RSA_PKCS1_2048_8192_SHA256)],
                )
            }
            ID_ED25519 => verifiers(&spki, &[(SignatureScheme::ED25519, &ED25519)]),
            oid => return Err(LogKeyError::Unsupported(oid.to_string())),
        }?;
        let mut id = [0; 32];
        id.copy_from_slice(digest(&SHA256, &spki).as_ref());
        Ok(Self {
            id,
            spki,
            verifiers,
        })
    }

    /// The log's name: SHA-256 of its key (RFC 6962 section 3.2).
    #[must_use]
    pub fn id(&self) -> [u8; 32] {
        self.id
    }

    /// The key itself.
    #[must_use]
    pub fn spki(&self) -> &SubjectPublicKeyInfoDer<'static> {
        &self.spki
    }

    /// Checks a signature of this key over `message`, which is not hashed yet: a timestamp's or a
    /// tree head's.
    ///
    /// # Errors
    /// The signature is of a kind that the key does not make, or does not verify.
    pub fn verify(&self, message: &[u8], signed: &DigitallySigned) -> Result<(), SctError> {
        let (_, verifier) = self
            .verifiers
            .iter()
            .find(|(scheme, _)| *scheme == signed.scheme)
            .ok_or(SctError::Scheme(signed.scheme.0))?;
        verifier
            .verify_sig(message, &signed.signature)
            .map_err(|_unspecified| SctError::Signature)
    }
}

impl fmt::Debug for LogKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LogKey(")?;
        for byte in self.id {
            write!(f, "{byte:02x}")?;
        }
        f.write_str(")")
    }
}

/// Why something is not the key of a log.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogKeyError {
    /// An elliptic curve key that does not name its curve.
    #[error("the log's public key does not name its curve")]
    Curve(#[source] spki::Error),
    /// Not a `SubjectPublicKeyInfo`.
    #[error("the log's public key is not a SubjectPublicKeyInfo")]
    Malformed(#[source] spki::der::Error),
    /// There is no PEM block `PUBLIC KEY`.
    #[error("the log's public key is not in PEM, between BEGIN PUBLIC KEY and END PUBLIC KEY")]
    Pem(#[source] pem::Error),
    /// The key has the right shape and cannot be one, such as a point off its curve.
    #[error("the log's public key is not a valid key")]
    Rejected(#[source] aws_lc_rs::error::KeyRejected),
    /// An RSA key that is too short.
    #[error("the log's RSA key has {bits} bits; logs sign with {MIN_RSA_BITS} or more")]
    Short {
        /// How long it is.
        bits: usize,
    },
    /// A kind of key that no log signs with; its object identifier.
    #[error("the log's public key is of a kind ({0}) that logs do not sign with")]
    Unsupported(String),
}

fn verifiers(
    spki: &[u8],
    schemes: &[(SignatureScheme, &'static dyn VerificationAlgorithm)],
) -> Result<Vec<(SignatureScheme, ParsedPublicKey)>, LogKeyError> {
    schemes
        .iter()
        .map(|(scheme, algorithm)| Ok((*scheme, ParsedPublicKey::new(*algorithm, spki)?)))
        .collect::<Result<_, _>>()
        .map_err(LogKeyError::Rejected)
}

const MIN_RSA_BITS: usize = 2048;
const ID_EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const ID_ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const SECP256R1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const SECP384R1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
