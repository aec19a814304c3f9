use std::collections::BTreeMap;

mod document;
mod domain;
mod error;
mod issuer;
mod issuer_rules;
mod keys;
mod line;
mod merge;
mod metadata;
mod reader;
mod typed;
mod warning;

pub use error::{ConfigError, Place, Problem};
pub use issuer::{IssuerAddress, IssuerConfig, IssuerKind};
pub(crate) use issuer_rules::conflict;
pub use metadata::CiMetadata;
pub use warning::{Concern, Warning};

use crate::ClaimPath;
use reader::Reader;

/// The issuer configuration file, read and checked.
///
/// It is YAML, with anchors and merges, whose keys are spelt like `client-id`, or JSON, whose keys
/// are spelt like `ClientID`. [`Issuers`](crate::Issuers) is built from it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Config {
    issuers: Vec<IssuerConfig>,
    ci_metadata: BTreeMap<String, CiMetadata>,
    warnings: Vec<Warning>,
}

/// What to do with keys that nothing reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there is no third way")]
pub enum UnknownKeys {
    /// They are an error, because a mistyped key is a rule that does not hold.
    #[default]
    Refuse,
    /// They are a [`Warning`].
    Tolerate,
}

impl Config {
    /// Reads a file's text. `file_name` is what errors call the file.
    ///
    /// # Errors
    /// The text is neither YAML nor JSON, has an unknown key, or breaks a rule.
    pub fn parse(text: &str, file_name: &str) -> Result<Self, ConfigError> {
        Self::parse_with(text, file_name, UnknownKeys::Refuse)
    }

    /// Reads a file's text, and says what to do with unknown keys.
    ///
    /// # Errors
    /// As for [`parse`](Self::parse).
    pub fn parse_with(
        text: &str,
        file_name: &str,
        unknown_keys: UnknownKeys,
    ) -> Result<Self, ConfigError> {
        Reader::new(text, file_name, unknown_keys).read()
    }

    /// A configuration of these issuers alone. Only [`parse`](Self::parse) checks the rules of a
    /// file; what cannot be served is found by [`Issuers::new`](crate::Issuers::new).
    #[must_use]
    pub fn from_issuers(issuers: impl IntoIterator<Item = IssuerConfig>) -> Self {
        Self {
            issuers: issuers.into_iter().collect(),
            ..Self::default()
        }
    }

    /// What Fulcio trusts when it has no file: Sigstore's Dex, Google and GitHub Actions.
    #[must_use]
    pub fn public_good_defaults() -> Self {
        let issuer = |url: &str, kind| {
            IssuerConfig::new(IssuerAddress::Url(url.to_owned()), "sigstore", kind)
        };
        let mut dex = issuer("https://oauth2.sigstore.dev/auth", IssuerKind::Email);
        dex.issuer_claim = ClaimPath::parse("$.federated_claims.connector_id").ok();
        Self::from_issuers([
            dex,
            issuer("https://accounts.google.com", IssuerKind::Email),
            issuer(
                "https://token.actions.githubusercontent.com",
                IssuerKind::GithubWorkflow,
            ),
        ])
    }

    /// The issuers: those with a URL, then those with a pattern, in the order of the file.
    pub fn issuers(&self) -> impl Iterator<Item = &IssuerConfig> {
        self.issuers.iter()
    }

    /// The CI providers' templates, by the name that `ci-provider` refers to.
    pub fn ci_metadata(&self) -> impl Iterator<Item = (&str, &CiMetadata)> {
        self.ci_metadata
            .iter()
            .map(|(name, metadata)| (name.as_str(), metadata))
    }

    /// Whether `issuer` is the Kubernetes cluster that this program may run in, so that it is asked
    /// with the cluster's certificate authority and service account.
    ///
    /// That is how Fulcio sees all issuers with a URL of type `kubernetes`, as soon as
    /// `https://kubernetes.default.svc` is one of the issuers. What a pattern matches is not asked
    /// in this way, because everybody could name such an issuer.
    #[must_use]
    pub fn is_in_cluster(&self, issuer: &IssuerConfig) -> bool {
        const CLUSTER: &str = "https://kubernetes.default.svc";
        let has_cluster = self.issuers.iter().any(|other| match &other.address {
            IssuerAddress::Pattern(pattern) => pattern.matches(CLUSTER),
            IssuerAddress::Url(url) => url == CLUSTER,
        });
        let has_url = matches!(issuer.address, IssuerAddress::Url(_));
        issuer.kind == IssuerKind::Kubernetes && has_url && has_cluster
    }

    pub(crate) fn metadata_of(&self, provider: &str) -> Option<&CiMetadata> {
        self.ci_metadata.get(provider)
    }

    /// What an operator should know, although the file can be used.
    pub fn warnings(&self) -> impl Iterator<Item = &Warning> {
        self.warnings.iter()
    }
}
