use core::error::Error as StdError;

use fulcio_principal::{AuthenticationError, Fault};

use crate::{ClaimPath, ClaimPathMismatch, IssuerKind};

/// Why a token gave no identity.
///
/// The texts hold claims of the token at most, and never the token itself.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no `email`, or it is not a text.
    #[error("the token has no email claim")]
    EmailAbsent,
    /// `email` is not what Fulcio takes for an address.
    #[error("the email claim is not an e-mail address")]
    EmailInvalid,
    /// `email_verified` is absent or false.
    #[error("the provider has not verified the e-mail address")]
    EmailUnverified,
    /// `email_verified` is neither a boolean nor the name of one.
    #[error("the email_verified claim is neither true nor false")]
    EmailVerifiedMalformed,
    /// There is no text where the configuration says that the name of the issuer is.
    #[error("the issuer's name cannot be read at {path}")]
    IssuerClaim {
        /// The `issuer-claim`.
        path: ClaimPath,
        /// What was found there.
        source: ClaimPathMismatch,
    },
    /// The name of the issuer is empty, and every certificate must have one.
    #[error("the name of the token's issuer is empty")]
    IssuerNameEmpty,
    /// The issuer is configured, but this program cannot read its tokens.
    #[error("tokens of {issuer:?} are refused, because issuers of type {kind} cannot be served")]
    KindNotServed {
        /// The `iss` of the token.
        issuer: String,
        /// The type of the issuer.
        kind: IssuerKind,
    },
    /// The token cannot be trusted, or its provider could not be asked.
    #[error(transparent)]
    Token(#[from] fulcio_oidc_verify::Error),
    /// No configured issuer has this `iss`.
    #[error("the issuer {issuer:?} is not configured")]
    UnknownIssuer {
        /// The `iss` of the token, cut off when it is long.
        issuer: String,
    },
}

impl Error {
    /// Whose failure it is.
    #[must_use]
    pub fn fault(&self) -> Fault {
        match self {
            Self::IssuerNameEmpty => Fault::Principal,
            Self::Token(cause) if cause.is_provider_failure() => Fault::Provider,
            Self::EmailAbsent
            | Self::EmailInvalid
            | Self::EmailUnverified
            | Self::EmailVerifiedMalformed
            | Self::IssuerClaim { .. }
            | Self::KindNotServed { .. }
            | Self::Token(_)
            | Self::UnknownIssuer { .. } => Fault::Token,
        }
    }

    /// A short stable word for metrics and logs.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::EmailAbsent => "email-absent",
            Self::EmailInvalid => "email-invalid",
            Self::EmailUnverified => "email-unverified",
            Self::EmailVerifiedMalformed => "email-verified-malformed",
            Self::IssuerClaim { .. } => "issuer-claim",
            Self::IssuerNameEmpty => "issuer-name-empty",
            Self::KindNotServed { .. } => "kind-not-served",
            Self::Token(cause) => cause.reason(),
            Self::UnknownIssuer { .. } => "unknown-issuer",
        }
    }
}

impl From<Error> for AuthenticationError {
    fn from(error: Error) -> Self {
        Self::new(error.fault(), error.reason(), error)
    }
}

/// Why [`Issuers`](crate::Issuers) could not be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// Two issuers of the configuration cannot be told apart.
    #[error("the issuers {one} and {other} cannot be told apart")]
    Conflict {
        /// The URL or pattern of one.
        one: String,
        /// The URL or pattern of the other.
        other: String,
    },
    /// There is no way to ask an issuer for its keys. The cause is the caller's own.
    #[error("the issuer {issuer} cannot be asked for its keys")]
    Fetch {
        /// The URL or pattern of the issuer.
        issuer: String,
        /// Why not.
        source: Box<dyn StdError + Send + Sync>,
    },
}
