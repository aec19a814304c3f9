use core::{error::Error as StdError, fmt};

use fulcio_go_url::{CertificateUriError, Error as UrlError};
use fulcio_principal::{AuthenticationError, Extension, Fault};

use crate::{ClaimPath, ClaimPathMismatch, IssuerKind, ValueError};

/// Why a token gave no identity.
///
/// The texts hold claims of the token at most, and never the token itself.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A claim that must be there is not, or is empty.
    #[error("the token has no {name} claim")]
    ClaimAbsent {
        /// The claim.
        name: &'static str,
    },
    /// A claim is there under a name that is the same but for upper and lower case, so that
    /// readers could disagree on what it is.
    #[error("the token has the claim {name} in another spelling")]
    ClaimSpelling {
        /// The claim.
        name: &'static str,
    },
    /// A claim has the wrong type.
    #[error("the {name} claim is not {expected}")]
    ClaimType {
        /// The claim.
        name: &'static str,
        /// What it should be.
        expected: &'static str,
    },
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
    /// The template for the name in the certificate is blank, so nobody can be named.
    #[error("SubjectAlternativeNameTemplate should not be empty. Issuer: {issuer}")]
    NameTemplateBlank {
        /// The `iss` of the token.
        issuer: String,
    },
    /// `ref_type` is neither `branch` nor `tag`.
    #[error("the ref_type claim is neither branch nor tag")]
    RefType,
    /// The `sub` is no SPIFFE ID.
    #[error("the subject {subject:?} is no SPIFFE ID")]
    SpiffeId {
        /// The `sub` of the token.
        subject: String,
    },
    /// The `sub` is a URI of another scheme or host than the issuer speaks for.
    #[error("the subject does not belong to {expected}")]
    SubjectDomain {
        /// The `subject-domain`.
        expected: String,
    },
    /// The `sub` is an e-mail address, for which there is a type of its own.
    #[error("the subject is an e-mail address")]
    SubjectIsEmail,
    /// The `sub` is no URI.
    #[error("the subject is no URI: {0}")]
    SubjectUri(#[source] UrlError),
    /// A template gives no value for this token.
    #[error("{source}{}", Details { extension, issuer, source })]
    Template {
        /// The extension it is for; none for the name.
        extension: Option<Extension>,
        /// The `iss` of the token.
        issuer: String,
        /// Why not.
        source: ValueError,
    },
    /// The token cannot be trusted, or its provider could not be asked.
    #[error(transparent)]
    Token(#[from] fulcio_oidc_verify::Error),
    /// The `sub` is a SPIFFE ID of another trust domain.
    #[error("the subject is of the trust domain {found}, not {expected}")]
    TrustDomain {
        /// The trust domain of the `sub`.
        found: String,
        /// The `spiffe-trust-domain`.
        expected: String,
    },
    /// No configured issuer has this `iss`.
    #[error("the issuer {issuer:?} is not configured")]
    UnknownIssuer {
        /// The `iss` of the token, cut off when it is long.
        issuer: String,
    },
    /// The token is good, but no certificate can name whom it speaks for.
    #[error("{source}")]
    Unnameable {
        /// What the caller has to sign all the same.
        challenge: String,
        /// Why not.
        source: Box<Self>,
    },
    /// No certificate can name the URI that the token leads to.
    #[error(transparent)]
    Uri(CertificateUriError),
    /// The claims of the token give no URL.
    #[error(transparent)]
    Url(UrlError),
    /// The `sub` has the mark that parts a user from a domain.
    #[error("the subject has a `!`, which no user name may have")]
    UsernameMark,
}

/// What else Fulcio says of a name that is not there: where it was looked for, as JSON of Go.
struct Details<'a> {
    extension: &'a Option<Extension>,
    issuer: &'a str,
    source: &'a ValueError,
}

impl fmt::Display for Details<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !matches!(self.source, ValueError::Absent { .. }) {
            return Ok(());
        }
        let extension = self.extension.and_then(Extension::json_key);
        let name = extension.unwrap_or("SubjectAlternativeName");
        let mut issuer = serde_json::Value::from(self.issuer).to_string();
        for c in ['&', '<', '>', '\u{2028}', '\u{2029}'] {
            issuer = issuer.replace(c, &format!("\\u{:04x}", u32::from(c)));
        }
        write!(
            f,
            " {{\n\t\"ExtensionName\": \"{name}\",\n\t\"Issuer\": {issuer}\n}}"
        )
    }
}

impl Error {
    /// Whose failure it is.
    #[must_use]
    pub fn fault(&self) -> Fault {
        match self {
            Self::IssuerNameEmpty
            | Self::NameTemplateBlank { .. }
            | Self::Template { .. }
            | Self::Unnameable { .. }
            | Self::Uri(_)
            | Self::Url(_) => Fault::Principal,
            Self::Token(cause) if cause.is_provider_failure() => Fault::Provider,
            Self::ClaimAbsent { .. }
            | Self::ClaimSpelling { .. }
            | Self::ClaimType { .. }
            | Self::EmailAbsent
            | Self::EmailInvalid
            | Self::EmailUnverified
            | Self::EmailVerifiedMalformed
            | Self::IssuerClaim { .. }
            | Self::KindNotServed { .. }
            | Self::RefType
            | Self::SpiffeId { .. }
            | Self::SubjectDomain { .. }
            | Self::SubjectIsEmail
            | Self::SubjectUri(_)
            | Self::Token(_)
            | Self::TrustDomain { .. }
            | Self::UnknownIssuer { .. }
            | Self::UsernameMark => Fault::Token,
        }
    }

    /// A short stable word for metrics and logs.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::ClaimAbsent { .. } => "claim-absent",
            Self::ClaimSpelling { .. } => "claim-spelling",
            Self::ClaimType { .. } => "claim-type",
            Self::EmailAbsent => "email-absent",
            Self::EmailInvalid => "email-invalid",
            Self::EmailUnverified => "email-unverified",
            Self::EmailVerifiedMalformed => "email-verified-malformed",
            Self::IssuerClaim { .. } => "issuer-claim",
            Self::IssuerNameEmpty => "issuer-name-empty",
            Self::KindNotServed { .. } => "kind-not-served",
            Self::NameTemplateBlank { .. } => "name-template-blank",
            Self::RefType => "ref-type",
            Self::SpiffeId { .. } => "spiffe-id",
            Self::SubjectDomain { .. } => "subject-domain",
            Self::SubjectIsEmail => "subject-is-email",
            Self::SubjectUri(_) => "subject-uri",
            Self::Template { .. } => "template",
            Self::Token(cause) => cause.reason(),
            Self::TrustDomain { .. } => "trust-domain",
            Self::UnknownIssuer { .. } => "unknown-issuer",
            Self::Unnameable { source, .. } => source.reason(),
            Self::Uri(_) => "uri",
            Self::Url(_) => "url",
            Self::UsernameMark => "username-mark",
        }
    }
}

impl From<Error> for AuthenticationError {
    fn from(error: Error) -> Self {
        let (fault, reason) = (error.fault(), error.reason());
        match error {
            Error::Unnameable { challenge, source } => {
                Self::new(fault, reason, source).with_challenge(challenge)
            }
            error => Self::new(fault, reason, error),
        }
    }
}

/// Why [`Issuers`](crate::Issuers) could not be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// An issuer of type `ci-provider` names no entry of `ci-issuer-metadata`.
    #[error("the issuer {issuer} is of type ci-provider, but there are no templates for it")]
    CiProvider {
        /// The URL or pattern of the issuer.
        issuer: String,
    },
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
    /// The `subject-domain` of an issuer is no URL.
    #[error("the subject-domain of the issuer {issuer} is no URL")]
    SubjectDomain {
        /// The URL or pattern of the issuer.
        issuer: String,
        /// Why not.
        source: UrlError,
    },
    /// The `spiffe-trust-domain` of an issuer is no trust domain.
    #[error("the spiffe-trust-domain of the issuer {issuer} is no trust domain")]
    TrustDomain {
        /// The URL or pattern of the issuer.
        issuer: String,
    },
}
