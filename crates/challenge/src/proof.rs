use pki_types::SubjectPublicKeyInfoDer;

use crate::{Error, PermittedAlgorithms, PublicKey, certification_request::CertificationRequest};

/// What a caller sends to show that it holds a private key; nothing in it is trusted yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "callers build it")]
pub enum Proof<'a> {
    /// A public key and a signature over the caller's challenge.
    Challenge {
        /// The key: PEM (`PUBLIC KEY` or `RSA PUBLIC KEY`) or the DER of a `SubjectPublicKeyInfo`.
        key: &'a [u8],
        /// The signature over the UTF-8 bytes of the challenge: ECDSA with the hash of the curve's
        /// size, as DER or as r and s in one row (IEEE P1363); RSA PKCS#1 v1.5 with SHA-256; or
        /// Ed25519.
        signature: &'a [u8],
    },
    /// A PKCS#10 certification request (RFC 2986) in PEM, with either of its two labels.
    Csr(&'a [u8]),
}

/// A public key whose private half the caller holds; only [`Proof::verify`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProvenKey {
    key: PublicKey,
    proven_by: ProvenBy,
}

/// What the private key signed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "whoever issues must think about a new way"
)]
pub enum ProvenBy {
    /// This challenge: the key is proven for this identity and no other.
    Challenge(String),
    /// A certification request, which names no identity we know of.
    Csr,
}

impl Proof<'_> {
    /// How long a key or a certification request may be, in bytes: 64 KiB, PEM included.
    pub const LONGEST: usize = 64 << 10;

    /// Checks the proof, and whether such a key may sign with such a hash.
    ///
    /// The order decides what a caller with several mistakes is told: form, key policy, signature,
    /// permitted algorithm. `challenge` is the identity's; a CSR does not use it.
    ///
    /// # Errors
    /// The key or the CSR cannot be read, the key breaks the key policy, the signature does not
    /// hold, or the algorithm is not permitted.
    pub fn verify(
        &self,
        challenge: &str,
        permitted: &PermittedAlgorithms,
    ) -> Result<ProvenKey, Error> {
        let (key, hash, proven_by) = match self {
            Self::Challenge { key, signature } => {
                let key = PublicKey::parse(key)?;
                key.verify_challenge(challenge.as_bytes(), signature)?;
                let hash = key.kind().challenge_hash();
                (key, hash, ProvenBy::Challenge(challenge.to_owned()))
            }
            Self::Csr(pem) => {
                let (key, hash) = CertificationRequest::parse(pem)?.verify()?;
                (key, hash, ProvenBy::Csr)
            }
        };
        permitted.permit(key.kind(), hash)?;
        Ok(ProvenKey { key, proven_by })
    }
}

impl ProvenKey {
    /// The key.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        &self.key
    }

    /// The key as a certificate carries it.
    #[must_use]
    pub fn spki(&self) -> SubjectPublicKeyInfoDer<'_> {
        self.key.spki()
    }

    /// What was signed.
    #[must_use]
    pub fn proven_by(&self) -> &ProvenBy {
        &self.proven_by
    }
}
