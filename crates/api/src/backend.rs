use core::{fmt, pin::Pin};
use std::borrow::Cow;

use fulcio_issuance::{Certified, Refusal, Request, RequestContext};
use pki_types::CertificateDer;

/// What stands behind the wire: whoever issues, and knows its trust anchors and its issuers.
///
/// Each call is one request, and an implementation answers each from one state of its
/// configuration. Refusals reach the caller; causes do not pass here, so a back end logs them.
pub trait Backend: fmt::Debug + Send + Sync {
    /// Issues one certificate.
    fn issue<'a>(&'a self, request: Request<'a>, context: &'a RequestContext) -> Issuing<'a>;

    /// The chains a verifier may trust, each from the issuer to the root.
    ///
    /// # Errors
    /// [`Refusal::TrustBundle`], where they cannot be had.
    fn trust_bundle(&self) -> Result<Vec<Vec<CertificateDer<'static>>>, Refusal>;

    /// The identity providers whose tokens are accepted.
    fn configuration(&self) -> Vec<OidcIssuer>;

    /// Whether certificates can be issued now.
    fn readiness(&self) -> Readiness;
}

/// The answer that [`Backend::issue`] promises.
pub type Issuing<'a> = Pin<Box<dyn Future<Output = Result<Certified, Refusal>> + Send + 'a>>;

/// What callers may know of an identity provider whose tokens are accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "the fields of the wire's message"
)]
pub struct OidcIssuer {
    /// The provider, or the family of providers.
    pub url: IssuerUrl,
    /// The audience that a token must name.
    pub audience: String,
    /// The claim whose value a proof of possession signs.
    pub challenge_claim: String,
    /// The trust domain of SPIFFE identities; empty for others.
    pub spiffe_trust_domain: String,
    /// How callers are named, such as `email`.
    pub issuer_type: String,
    /// The domain of URI and user-name identities; empty for others.
    pub subject_domain: String,
    /// Whether e-mail addresses are taken that the provider has not verified.
    pub skip_email_verification: bool,
}

/// Which identity providers an entry of the configuration is about.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the arms of the wire's oneof")]
pub enum IssuerUrl {
    /// The one with this issuer URL.
    Exact(String),
    /// Those whose URLs match, where `*` stands for one or more of the characters `-_a-zA-Z0-9`.
    Wildcard(String),
}

/// Whether certificates can be issued now, part by part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Readiness {
    /// What issuing needs.
    pub parts: Vec<Part>,
}

/// One thing that issuing needs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a name and a verdict")]
pub struct Part {
    /// A short stable name, such as `ct-log`.
    pub name: Cow<'static, str>,
    /// Why it cannot be used now, in words that anybody may read.
    pub fault: Option<Cow<'static, str>>,
    /// Whether nothing can be issued while it is at fault.
    pub is_needed: bool,
}

impl Readiness {
    /// Puts the parts together.
    #[must_use]
    pub fn new(parts: Vec<Part>) -> Self {
        Self { parts }
    }

    /// Whether no part is at fault that is needed.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        let works = |part: &Part| part.fault.is_none() || !part.is_needed;
        self.parts.iter().all(works)
    }
}

impl Part {
    /// A part that works.
    pub fn ready(name: impl Into<Cow<'static, str>>) -> Self {
        Self {
            name: name.into(),
            fault: None,
            is_needed: true,
        }
    }

    /// A part that does not work, and why.
    pub fn at_fault(
        name: impl Into<Cow<'static, str>>,
        fault: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            name: name.into(),
            fault: Some(fault.into()),
            is_needed: true,
        }
    }

    /// The same part where others stand in for it.
    #[must_use]
    pub fn dispensable(mut self) -> Self {
        self.is_needed = false;
        self
    }
}
