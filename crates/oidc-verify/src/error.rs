use std::sync::Arc;

use crate::{Algorithm, DiscoveryError, FetchError, Malformed};

/// Why a token was not verified.
///
/// Its text may be shown to the caller; what only the operator should see is behind
/// [`source`](std::error::Error::source). Causes are shared, because one failed fetch answers
/// every token that waited for it.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The fetch ended without an answer: its task was cancelled, or it panicked.
    #[error("the question to the issuer was abandoned")]
    Abandoned,
    /// The issuer does not sign with the algorithm in the token's header.
    #[error("the issuer does not sign tokens with {0}")]
    Algorithm(Algorithm),
    /// `aud` does not name us, or no audience is configured.
    #[error("the token is meant for another audience")]
    Audience,
    /// The discovery document came, but says nothing that can be used.
    #[error("the issuer's discovery document cannot be used")]
    Discovery(#[source] Arc<DiscoveryError>),
    /// `exp` has passed, or is absent.
    #[error("the token has expired")]
    Expired,
    /// `iss` is not the expected issuer.
    #[error("the token is of another issuer")]
    Issuer,
    /// The key set came, but is not one (RFC 7517 §5).
    #[error("the issuer's key set cannot be read")]
    KeySet(#[source] Arc<serde_json::Error>),
    /// What came is not a token, or one with a feature that is refused.
    #[error("the token is malformed")]
    Malformed(#[source] Arc<Malformed>),
    /// `nbf` is more than five minutes away.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// No key of the issuer made the signature.
    #[error("no key of the issuer verifies the token's signature")]
    Signature,
    /// Discovery and key set together took too long.
    #[error("the issuer did not answer in time")]
    Timeout,
    /// A document could not be fetched from the issuer.
    #[error("the issuer did not answer")]
    Unreachable {
        /// What was asked for.
        url: String,
        /// Why it did not come.
        source: Arc<FetchError>,
    },
}

impl Error {
    /// A short stable word for metrics and logs.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Abandoned => "abandoned",
            Self::Algorithm(_) => "algorithm",
            Self::Audience => "audience",
            Self::Discovery(_) => "discovery",
            Self::Expired => "expired",
            Self::Issuer => "issuer",
            Self::KeySet(_) => "key-set",
            Self::Malformed(cause) => cause.reason(),
            Self::NotYetValid => "not-yet-valid",
            Self::Signature => "signature",
            Self::Timeout => "timeout",
            Self::Unreachable { .. } => "unreachable",
        }
    }

    /// Whether the issuer failed, so that the token may well be a good one.
    #[must_use]
    pub fn is_provider_failure(&self) -> bool {
        match self {
            Self::Abandoned
            | Self::Discovery(_)
            | Self::KeySet(_)
            | Self::Timeout
            | Self::Unreachable { .. } => true,
            Self::Algorithm(_)
            | Self::Audience
            | Self::Expired
            | Self::Issuer
            | Self::Malformed(_)
            | Self::NotYetValid
            | Self::Signature => false,
        }
    }
}

impl From<DiscoveryError> for Error {
    fn from(cause: DiscoveryError) -> Self {
        Self::Discovery(Arc::new(cause))
    }
}

impl From<Malformed> for Error {
    fn from(cause: Malformed) -> Self {
        Self::Malformed(Arc::new(cause))
    }
}
