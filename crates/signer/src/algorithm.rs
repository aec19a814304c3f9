use core::fmt;

use pki_types::{AlgorithmIdentifier, alg_id};

/// How an issuing key signs: the kind of key, and the hash that goes with it in X.509.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// ECDSA on P-256 with SHA-256.
    EcdsaP256Sha256,
    /// ECDSA on P-384 with SHA-384.
    EcdsaP384Sha384,
    /// ECDSA on P-521 with SHA-512.
    EcdsaP521Sha512,
    /// Ed25519 (RFC 8032), pure.
    Ed25519,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    RsaPkcs1Sha256,
}

impl Algorithm {
    /// The DER `AlgorithmIdentifier` of its signatures, without the outer `SEQUENCE`.
    #[must_use]
    pub fn identifier(self) -> AlgorithmIdentifier {
        match self {
            Self::EcdsaP256Sha256 => alg_id::ECDSA_SHA256,
            Self::EcdsaP384Sha384 => alg_id::ECDSA_SHA384,
            Self::EcdsaP521Sha512 => alg_id::ECDSA_SHA512,
            Self::Ed25519 => alg_id::ED25519,
            Self::RsaPkcs1Sha256 => alg_id::RSA_PKCS1_SHA256,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::EcdsaP256Sha256 => "ECDSA P-256 with SHA-256",
            Self::EcdsaP384Sha384 => "ECDSA P-384 with SHA-384",
            Self::EcdsaP521Sha512 => "ECDSA P-521 with SHA-512",
            Self::Ed25519 => "Ed25519",
            Self::RsaPkcs1Sha256 => "RSA PKCS#1 v1.5 with SHA-256",
        })
    }
}
