use std::sync::Arc;

use fulcio_challenge::Proof;
use fulcio_issuance::{Certified, Refusal, Request, RequestContext};
use http::{Extensions, HeaderValue};
use pki_types::CertificateDer;
use tonic::Code;

use crate::{
    ApiMetrics, Backend, OidcIssuer, Readiness, Row,
    context::Contexts,
    panic::{Panicked, contained},
    rpc::Rpc,
};

/// The methods themselves, whichever way they are called: asks the back end, counts, and stops
/// what panics.
#[derive(Debug)]
pub(crate) struct Calls {
    backend: Arc<dyn Backend>,
    metrics: Arc<ApiMetrics>,
    contexts: Contexts,
}

impl Calls {
    pub(crate) fn new(backend: Arc<dyn Backend>, metrics: Arc<ApiMetrics>) -> Self {
        Self {
            backend,
            metrics,
            contexts: Contexts::default(),
        }
    }

    pub(crate) fn metrics(&self) -> &ApiMetrics {
        &self.metrics
    }

    /// The context of a request whose caller chose the identifier `given`, or chose none.
    pub(crate) fn context(
        &self,
        given: Option<&HeaderValue>,
        extensions: &Extensions,
    ) -> RequestContext {
        self.contexts.context(given, extensions)
    }

    /// Issues one certificate, unless there is not even a key to prove.
    pub(crate) async fn issue(
        &self,
        rpc: Rpc,
        token: &str,
        proof: Option<Proof<'_>>,
        context: &RequestContext,
    ) -> Result<Certified, Refusal> {
        self.counted(rpc, async {
            let proof = proof.ok_or(Refusal::KeyUnparsable)?;
            let request = Request { token, proof };
            let certified = self.backend.issue(request, context).await?;
            self.metrics.issued();
            Ok(certified)
        })
        .await
    }

    pub(crate) async fn trust_bundle(
        &self,
        rpc: Rpc,
    ) -> Result<Vec<Vec<CertificateDer<'static>>>, Refusal> {
        self.counted(rpc, async { self.backend.trust_bundle() })
            .await
    }

    pub(crate) async fn configuration(&self) -> Result<Vec<OidcIssuer>, Refusal> {
        self.counted(Rpc::GetConfiguration, async {
            Ok(self.backend.configuration())
        })
        .await
    }

    pub(crate) fn readiness(&self) -> Readiness {
        self.backend.readiness()
    }

    /// Runs one call of `rpc`.
    pub(crate) async fn counted<T>(
        &self,
        rpc: Rpc,
        call: impl Future<Output = Result<T, Refusal>>,
    ) -> Result<T, Refusal> {
        let mut running = Running {
            metrics: &self.metrics,
            rpc,
            code: Code::Cancelled,
        };
        self.metrics.started(rpc);
        let answer = match contained(call).await {
            Ok(answer) => answer,
            Err(Panicked) => {
                tracing::error!(method = rpc.method(), "a handler panicked");
                Err(Refusal::Internal)
            }
        };
        running.code = match &answer {
            Ok(_) => {
                self.metrics.sent(rpc);
                Code::Ok
            }
            Err(refusal) => {
                let row = Row::from(refusal);
                self.metrics.refused(row.reason);
                row.code
            }
        };
        answer
    }
}

/// A call that is counted as handled when it ends, even where its caller has gone away.
struct Running<'a> {
    metrics: &'a ApiMetrics,
    rpc: Rpc,
    code: Code,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.metrics.handled(self.rpc, self.code);
    }
}
