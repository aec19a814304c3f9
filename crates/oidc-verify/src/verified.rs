use core::fmt;

use serde_json::Value;

use crate::Claims;

/// A token that its issuer has signed, for us, and that has not expired.
///
/// Only [`UnverifiedToken::verify`](crate::UnverifiedToken::verify) and
/// [`Provider::verify`](crate::Provider::verify) make one.
#[derive(Clone)]
pub struct VerifiedToken {
    issuer: String,
    subject: String,
    claims: Claims,
}

impl VerifiedToken {
    pub(crate) fn new(issuer: String, subject: String, claims: Claims) -> Self {
        Self {
            issuer,
            subject,
            claims,
        }
    }

    /// The claim `iss`, as the token writes it.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The claim `sub`; empty when there is none.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// All claims. None stands there twice, and half of a surrogate pair is U+FFFD.
    #[must_use]
    pub fn claims(&self) -> &Claims {
        &self.claims
    }

    /// The claim `name`, in exactly this spelling.
    #[must_use]
    pub fn claim(&self, name: &str) -> Option<&Value> {
        self.claims.get(name)
    }
}

impl fmt::Debug for VerifiedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedToken")
            .field("issuer", &self.issuer)
            .field("subject", &self.subject)
            .finish_non_exhaustive()
    }
}
