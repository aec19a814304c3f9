use core::{error::Error as StdError, time::Duration};

use fulcio_challenge::Error as ProofError;
use fulcio_ct_client::Failure;
use fulcio_principal::{AuthenticationError, Fault};

use crate::{Denied, JournalError, Refusal};

/// Why no certificate was issued.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The caller is known, and may not have one.
    #[error("the request was not admitted")]
    Admission(#[source] Denied),
    /// The token gave no identity.
    #[error("the caller was not authenticated")]
    Authentication(#[source] AuthenticationError),
    /// An authority other than a local one failed.
    #[error("the certificate authority failed")]
    Authority(#[source] Box<dyn StdError + Send + Sync>),
    /// The whole request took too long.
    #[error("the request took longer than {} ms", .0.as_millis())]
    Deadline(Duration),
    /// The authority may not issue such a certificate now.
    #[error("the authority cannot issue this certificate")]
    Issuer(#[source] fulcio_cert_builder::Error),
    /// The decision was not kept.
    #[error(transparent)]
    Journal(JournalError),
    /// The authority does not certify keys of this kind.
    #[error("unknown public key type: {kind}")]
    KeyKind {
        /// What it is called, or its object identifier.
        kind: String,
    },
    /// No certificate can say what the principal says.
    #[error("no certificate can name the principal")]
    Leaf(#[source] fulcio_cert_builder::Error),
    /// The log made no promise.
    #[error("the certificate was not logged")]
    Log(#[source] fulcio_ct_client::Error),
    /// What was signed is not what the profile says; it does not leave.
    #[error("the certificate is not what its profile says")]
    Profile(#[source] fulcio_cert_builder::Deviation),
    /// The caller did not show that it holds the key.
    #[error("the key was not proven")]
    Proof(#[source] ProofError),
    /// The proof was made for another identity.
    #[error("the key was proven for another identity")]
    ProofOfAnother,
    /// The machine gave no random numbers.
    #[error("no random numbers could be had")]
    Randomness(#[source] aws_lc_rs::error::Unspecified),
    /// The key did not sign.
    #[error("the issuing key did not sign")]
    Sign(#[source] fulcio_signer::Error),
}

/// How long a caller should wait before it asks again, when nothing says better.
const RETRY_AFTER: Duration = Duration::from_secs(5);

impl Error {
    /// What the caller is told. There is no wildcard: a new cause must choose.
    #[must_use]
    pub fn refusal(&self) -> Refusal {
        match self {
            Self::Admission(Denied::Policy(text)) => Refusal::NotAdmitted(text.clone()),
            Self::Admission(Denied::RateLimit(after)) => Refusal::RateLimited {
                retry_after: *after,
            },
            Self::Authentication(error) => match error.fault() {
                Fault::Token | Fault::Provider => Refusal::IdentityToken,
                Fault::Principal => Refusal::Principal(error.to_string()),
            },
            Self::Authority(_) | Self::Issuer(_) | Self::Sign(_) => Refusal::Authority,
            Self::Deadline(_) => Refusal::Deadline,
            Self::Journal(_) => Refusal::Journal,
            Self::KeyKind { .. } => Refusal::AlgorithmNotPermitted(self.to_string()),
            Self::Leaf(error) => Refusal::Principal(error.to_string()),
            Self::Log(error) => match error.failure() {
                Failure::Refused => Refusal::Log,
                Failure::Unavailable => Refusal::LogUnavailable {
                    retry_after: error.retry_after().unwrap_or(RETRY_AFTER),
                },
            },
            Self::Proof(error) => match error {
                ProofError::AlgorithmNotPermitted { .. } => {
                    Refusal::AlgorithmNotPermitted(error.to_string())
                }
                ProofError::CsrAlgorithm(_) => Refusal::CsrAlgorithm(error.to_string()),
                ProofError::CsrMalformed(_) => Refusal::CsrUnparsable,
                ProofError::InsecureKey(_) => Refusal::KeyInsecure,
                ProofError::KeyMalformed(_) => Refusal::KeyUnparsable,
                ProofError::Signature => Refusal::Signature,
            },
            Self::ProofOfAnother => Refusal::Signature,
            Self::Profile(_) | Self::Randomness(_) => Refusal::Internal,
        }
    }
}
