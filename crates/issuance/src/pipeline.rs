use core::{fmt, time::Duration};
use std::sync::Arc;

use fulcio_challenge::{PermittedAlgorithms, Proof};
use fulcio_principal::Authenticator;
use tokio::time::timeout;

use crate::{CertificateIssuer, Certified, Error, RequestContext, Stage};

/// What a client sends to get a certificate.
#[derive(Clone, Copy)]
#[expect(
    clippy::exhaustive_structs,
    reason = "the arguments of `issue`, by name"
)]
pub struct Request<'a> {
    /// The credential, an OpenID Connect token as it came.
    pub token: &'a str,
    /// What shows that the caller holds the key.
    pub proof: Proof<'a>,
}

/// Without the token.
impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("proof", &self.proof)
            .finish_non_exhaustive()
    }
}

/// The whole way of a request.
#[derive(Clone, Debug)]
pub struct Pipeline {
    authenticator: Arc<dyn Authenticator>,
    permitted: PermittedAlgorithms,
    issuer: CertificateIssuer,
    deadline: Duration,
}

impl Pipeline {
    /// How long a request may take, fetching keys and waiting for the log included.
    pub const DEADLINE: Duration = Duration::from_secs(12);

    /// Authenticates with `authenticator` and issues through `issuer`.
    #[must_use]
    pub fn new(authenticator: Arc<dyn Authenticator>, issuer: CertificateIssuer) -> Self {
        Self {
            authenticator,
            permitted: PermittedAlgorithms::default(),
            issuer,
            deadline: Self::DEADLINE,
        }
    }

    /// Accepts these algorithms of clients instead of the default ones.
    #[must_use]
    pub fn with_permitted_algorithms(mut self, permitted: PermittedAlgorithms) -> Self {
        self.permitted = permitted;
        self
    }

    /// Gives a request another time than [`DEADLINE`](Self::DEADLINE).
    #[must_use]
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// What the last stage of this pipeline issues through.
    #[must_use]
    pub fn issuer(&self) -> &CertificateIssuer {
        &self.issuer
    }

    /// Takes one request from its token to its certificate.
    ///
    /// The order of the checks decides what a caller is told whose request is wrong in several
    /// ways: first whether the request is admitted at all, then the token, then the key and its
    /// proof, then the name that the certificate would have, then admission of the caller, then the
    /// authority and the log.
    ///
    /// # Errors
    /// Any reason why there is no certificate; [`Error::refusal`] is what the caller may know.
    pub async fn issue(
        &self,
        request: Request<'_>,
        context: &RequestContext,
    ) -> Result<Certified, Error> {
        match timeout(self.deadline, self.stages(request, context)).await {
            Ok(answer) => answer,
            Err(_elapsed) => {
                let error = Error::Deadline(self.deadline);
                Err(self.issuer.refuse(None, error, context).await)
            }
        }
    }

    async fn stages(
        &self,
        request: Request<'_>,
        context: &RequestContext,
    ) -> Result<Certified, Error> {
        if let Err(error) = self.issuer.admit_request(context) {
            return Err(self.issuer.refuse(None, error, context).await);
        }
        let now = self.issuer.clock().now();
        let authenticated = context.stage(Stage::Authenticate, async {
            let identity = self.authenticator.authenticate(request.token, now).await;
            identity.map_err(Error::Authentication)
        });
        let identity = match authenticated.await {
            Ok(identity) => {
                context.judged_by(identity.voucher());
                identity
            }
            Err(error) => {
                if let Error::Authentication(error) = &error {
                    context.judged_by(error.voucher());
                }
                let error = self.proof_first(&request, error);
                return Err(self.issuer.refuse(None, error, context).await);
            }
        };
        let proven = context.stage(Stage::Proof, async {
            let challenge = &identity.principal().challenge;
            let key = request.proof.verify(challenge, &self.permitted);
            key.map_err(Error::Proof)
        });
        let key = match proven.await {
            Ok(key) => key,
            Err(error) => return Err(self.issuer.refuse(Some(&identity), error, context).await),
        };
        self.issuer.issue(&identity, &key, context).await
    }
    /// Why a request is refused whose token gave no identity: for the proof, where the token is good
    /// enough to tell that it is wrong as well.
    fn proof_first(&self, request: &Request<'_>, error: Error) -> Error {
        let Error::Authentication(authentication) = &error else {
            return error;
        };
        let wrong = authentication.challenge().and_then(|challenge| {
            let key = request.proof.verify(challenge, &self.permitted);
            key.err()
        });
        wrong.map_or(error, Error::Proof)
    }
}
