use crate::Extensions;

/// The person or workload that a certificate will name.
///
/// Plain data: `identity` makes it from a verified token, `cert-builder` writes it into a
/// certificate. It proves nothing by itself; see [`Identity`](crate::Identity).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Principal {
    /// What the caller must have signed to prove possession of its key, unless it sends a CSR.
    pub challenge: String,
    /// The one subject alternative name that the certificate will carry.
    pub subject: SubjectAltName,
    /// The facts about the token and the build that become Fulcio extensions.
    pub extensions: Extensions,
}

impl Principal {
    /// Puts a principal together from its parts.
    pub fn new(
        challenge: impl Into<String>,
        subject: SubjectAltName,
        extensions: Extensions,
    ) -> Self {
        Self {
            challenge: challenge.into(),
            subject,
            extensions,
        }
    }
}

/// The forms of name a Fulcio certificate may carry (RFC 5280 section 4.2.1.6).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SubjectAltName {
    /// An `rfc822Name`, such as `ada@example.com`.
    Email(String),
    /// A `uniformResourceIdentifier`: a workflow reference, a SPIFFE ID.
    Uri(String),
    /// An `otherName` of type [`SubjectAltName::USERNAME_OID`]: the user, `!`, the domain.
    Username(String),
}

impl SubjectAltName {
    /// The type-id of the `otherName` that holds a username.
    pub const USERNAME_OID: &'static str = "1.3.6.1.4.1.57264.1.7";

    /// The name itself, whatever its form.
    #[must_use]
    pub fn value(&self) -> &str {
        match self {
            Self::Email(value) | Self::Uri(value) | Self::Username(value) => value,
        }
    }
}
