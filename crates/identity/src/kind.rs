use core::fmt;

use fulcio_oidc_verify::VerifiedToken;
use fulcio_principal::Principal;

use crate::{Email, Error, IssuerConfig, IssuerKind};

/// How one kind of issuer names its callers.
///
/// An implementation per [`IssuerKind`]; [`Issuers`](crate::Issuers) picks it when it is built and
/// never asks for the kind again.
pub trait Kind: fmt::Debug + Send + Sync {
    /// Reads the principal out of a token that is already trusted.
    ///
    /// # Errors
    /// The token lacks what this kind needs.
    fn principal(&self, token: &VerifiedToken) -> Result<Principal, Error>;
}

/// The reader for the tokens of an issuer; none if this program has no reader for its kind yet.
pub(crate) fn kind_of(issuer: &IssuerConfig) -> Option<Box<dyn Kind>> {
    match &issuer.kind {
        IssuerKind::Email => Some(Box::new(Email::new(
            issuer.issuer_claim.clone(),
            issuer.skip_email_verification,
        ))),
        IssuerKind::BuildkiteJob
        | IssuerKind::ChainguardIdentity
        | IssuerKind::CiProvider
        | IssuerKind::CodefreshWorkflow
        | IssuerKind::GithubWorkflow
        | IssuerKind::GitlabPipeline
        | IssuerKind::Kubernetes
        | IssuerKind::Other(_)
        | IssuerKind::Spiffe
        | IssuerKind::Uri
        | IssuerKind::Username => None,
    }
}
