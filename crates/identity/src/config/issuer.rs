use core::fmt;

use pki_types::CertificateDer;

use crate::{ClaimPath, IssuerPattern};

/// One issuer of the configuration file, checked.
///
/// Its [`Display`](fmt::Display) is its URL or pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct IssuerConfig {
    /// Whose tokens this is about.
    pub address: IssuerAddress,
    /// `ca-cert`: certificates to trust, besides the system's, when the issuer is asked.
    pub ca_certificates: Vec<CertificateDer<'static>>,
    /// The claim that clients are told to sign: `challenge-claim`, else what the kind implies.
    /// It is only advertised.
    pub challenge_claim: String,
    /// `ci-provider`: the name of the [`CiMetadata`](crate::CiMetadata) to read tokens with.
    pub ci_provider: Option<String>,
    /// `client-id`: the audience that a token must name.
    pub client_id: String,
    /// `contact`; nothing reads it.
    pub contact: String,
    /// `description`; nothing reads it.
    pub description: String,
    /// `environment`; nothing reads it.
    pub environment: String,
    /// `issuer-claim`: where the name of the issuer is, if it is not `iss`.
    pub issuer_claim: Option<ClaimPath>,
    /// `type`: how tokens name their callers.
    pub kind: IssuerKind,
    /// `skip-email-verification`: `email_verified` need not be true.
    pub skip_email_verification: bool,
    /// `spiffe-trust-domain`, empty if not given.
    pub spiffe_trust_domain: String,
    /// `subject-domain`, empty if not given.
    pub subject_domain: String,
}

impl IssuerConfig {
    /// An issuer with no more than it must have; the other fields can be set afterwards.
    #[must_use]
    pub fn new(address: IssuerAddress, client_id: impl Into<String>, kind: IssuerKind) -> Self {
        Self {
            address,
            ca_certificates: Vec::new(),
            challenge_claim: kind.challenge_claim().unwrap_or_default().to_owned(),
            ci_provider: None,
            client_id: client_id.into(),
            contact: String::new(),
            description: String::new(),
            environment: String::new(),
            issuer_claim: None,
            kind,
            skip_email_verification: false,
            spiffe_trust_domain: String::new(),
            subject_domain: String::new(),
        }
    }
}

impl fmt::Display for IssuerConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.address.as_str())
    }
}

/// Whose tokens an [`IssuerConfig`] is about.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "the two arms of the wire's OIDCIssuer.issuer"
)]
pub enum IssuerAddress {
    /// Those of a meta issuer: every issuer that matches.
    Pattern(IssuerPattern),
    /// Those with this `iss`.
    Url(String),
}

impl IssuerAddress {
    /// The URL or the pattern.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Pattern(pattern) => pattern.as_str(),
            Self::Url(url) => url,
        }
    }
}

/// How the tokens of an issuer name their callers: the `type` of a configuration.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum IssuerKind {
    /// `buildkite-job`, the form without templates.
    BuildkiteJob,
    /// `chainguard-identity`.
    ChainguardIdentity,
    /// `ci-provider`: templates of [`CiMetadata`](crate::CiMetadata).
    CiProvider,
    /// `codefresh-workflow`, the form without templates.
    CodefreshWorkflow,
    /// `email`.
    Email,
    /// `github-workflow`, the form without templates.
    GithubWorkflow,
    /// `gitlab-pipeline`, the form without templates.
    GitlabPipeline,
    /// `kubernetes`.
    Kubernetes,
    /// A type that nobody knows. With a `challenge-claim` it may stand in a file; its tokens are
    /// never accepted.
    Other(String),
    /// `spiffe`.
    Spiffe,
    /// `uri`.
    Uri,
    /// `username`.
    Username,
}

impl IssuerKind {
    /// Every kind that has a name of its own.
    pub const KNOWN: [Self; 11] = [
        Self::BuildkiteJob,
        Self::ChainguardIdentity,
        Self::CiProvider,
        Self::CodefreshWorkflow,
        Self::Email,
        Self::GithubWorkflow,
        Self::GitlabPipeline,
        Self::Kubernetes,
        Self::Spiffe,
        Self::Uri,
        Self::Username,
    ];

    /// The kind that `name` names.
    #[must_use]
    pub fn from_name(name: &str) -> Self {
        Self::KNOWN
            .into_iter()
            .find(|kind| kind.name() == name)
            .unwrap_or_else(|| Self::Other(name.to_owned()))
    }

    /// The value of `type` that names it.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::BuildkiteJob => "buildkite-job",
            Self::ChainguardIdentity => "chainguard-identity",
            Self::CiProvider => "ci-provider",
            Self::CodefreshWorkflow => "codefresh-workflow",
            Self::Email => "email",
            Self::GithubWorkflow => "github-workflow",
            Self::GitlabPipeline => "gitlab-pipeline",
            Self::Kubernetes => "kubernetes",
            Self::Other(name) => name,
            Self::Spiffe => "spiffe",
            Self::Uri => "uri",
            Self::Username => "username",
        }
    }

    /// The claim that clients sign when the configuration names none.
    #[must_use]
    pub fn challenge_claim(&self) -> Option<&'static str> {
        match self {
            Self::Email => Some("email"),
            Self::Other(_) => None,
            Self::BuildkiteJob
            | Self::ChainguardIdentity
            | Self::CiProvider
            | Self::CodefreshWorkflow
            | Self::GithubWorkflow
            | Self::GitlabPipeline
            | Self::Kubernetes
            | Self::Spiffe
            | Self::Uri
            | Self::Username => Some("sub"),
        }
    }
}

impl fmt::Display for IssuerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
