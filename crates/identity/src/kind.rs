use core::fmt;

use fulcio_oidc_verify::VerifiedToken;
use fulcio_principal::{Fault, Identity, Principal};

use crate::{
    BuildkiteJob, ChainguardIdentity, CiProvider, CodefreshWorkflow, Config, Email, Error,
    GithubWorkflow, GitlabPipeline, IssuerConfig, IssuerKind, Kubernetes, LoadError, Spiffe, Uri,
    Username,
};

/// How one kind of issuer names its callers.
///
/// An implementation per [`IssuerKind`]; [`Issuers`](crate::Issuers) picks it when it is built and
/// never asks for the kind again.
pub trait Kind: fmt::Debug + Send + Sync {
    /// What a caller with this token, which is already trusted, must sign to prove that it holds its
    /// key: the `sub`, unless the kind has another rule.
    ///
    /// # Errors
    /// The token lacks what this kind needs.
    fn challenge<'t>(&self, token: &'t VerifiedToken) -> Result<&'t str, Error> {
        Ok(token.subject())
    }

    /// Reads the principal out of a token that is already trusted.
    ///
    /// # Errors
    /// The token lacks what this kind needs, or no certificate can name its principal.
    fn principal(&self, token: &VerifiedToken) -> Result<Principal, Error>;
}

impl dyn Kind {
    /// Whom the token speaks for; where nobody can be named, what the caller has to sign is told.
    pub(crate) fn identity(&self, token: &VerifiedToken) -> Result<Identity, Error> {
        match self.principal(token) {
            Ok(principal) => Ok(Identity::vouched_for(principal)),
            Err(error) if error.fault() == Fault::Principal => Err(Error::Unnameable {
                challenge: self.challenge(token)?.to_owned(),
                source: Box::new(error),
            }),
            Err(error) => Err(error),
        }
    }
}

/// The reader for the tokens of an issuer; none if nobody knows its kind.
pub(crate) fn kind_of(
    issuer: &IssuerConfig,
    config: &Config,
) -> Result<Option<Box<dyn Kind>>, LoadError> {
    let name = || issuer.to_string();
    Ok(Some(match &issuer.kind {
        IssuerKind::BuildkiteJob => Box::new(BuildkiteJob::new()),
        IssuerKind::ChainguardIdentity => Box::new(ChainguardIdentity::new()),
        IssuerKind::CiProvider => {
            let metadata = issuer.ci_provider.as_deref();
            let metadata = metadata.and_then(|provider| config.metadata_of(provider));
            let metadata = metadata.ok_or_else(|| LoadError::CiProvider { issuer: name() })?;
            Box::new(CiProvider::new(metadata.clone()))
        }
        IssuerKind::CodefreshWorkflow => Box::new(CodefreshWorkflow::new()),
        IssuerKind::Email => Box::new(Email::new(
            issuer.issuer_claim.clone(),
            issuer.skip_email_verification,
        )),
        IssuerKind::GithubWorkflow => Box::new(GithubWorkflow::new()),
        IssuerKind::GitlabPipeline => Box::new(GitlabPipeline::new()),
        IssuerKind::Kubernetes => Box::new(Kubernetes::new()),
        IssuerKind::Other(_) => return Ok(None),
        IssuerKind::Spiffe => {
            let spiffe = Spiffe::new(&issuer.spiffe_trust_domain);
            Box::new(spiffe.ok_or_else(|| LoadError::TrustDomain { issuer: name() })?)
        }
        IssuerKind::Uri => {
            let uri = Uri::new(&issuer.subject_domain);
            Box::new(uri.map_err(|source| LoadError::SubjectDomain {
                issuer: name(),
                source,
            })?)
        }
        IssuerKind::Username => Box::new(Username::new(issuer.subject_domain.as_str())),
    }))
}
