use core::fmt;

use aws_lc_rs::digest::{self, SHA256, SHA384, SHA512};
use fulcio_signer::Algorithm;

/// The hash that a signature algorithm begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "complete: a new hash must be named to every service"
)]
pub enum Hash {
    /// SHA-256 (FIPS 180-4).
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl Hash {
    /// The hash of `algorithm`; `None` for Ed25519, which is given the message itself.
    ///
    /// # Errors
    /// The algorithm is one that this crate does not know.
    pub fn of(algorithm: Algorithm) -> Result<Option<Self>, crate::Error> {
        match algorithm {
            Algorithm::EcdsaP256Sha256 | Algorithm::RsaPkcs1Sha256 => Ok(Some(Self::Sha256)),
            Algorithm::EcdsaP384Sha384 => Ok(Some(Self::Sha384)),
            Algorithm::EcdsaP521Sha512 => Ok(Some(Self::Sha512)),
            Algorithm::Ed25519 => Ok(None),
            other => Err(crate::Error::Unsupported {
                kind: other.to_string(),
            }),
        }
    }

    /// Hashes a message.
    #[must_use]
    pub fn digest(self, message: &[u8]) -> Digest {
        let algorithm = match self {
            Self::Sha256 => &SHA256,
            Self::Sha384 => &SHA384,
            Self::Sha512 => &SHA512,
        };
        Digest(digest::digest(algorithm, message))
    }
}

/// What a [`Hash`](enum@Hash) makes of a message.
#[derive(Clone, Copy)]
pub struct Digest(digest::Digest);

impl AsRef<[u8]> for Digest {
    fn as_ref(&self) -> &[u8] {
        self.0.as_ref()
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
