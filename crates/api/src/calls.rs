use core::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;

use fulcio_challenge::Proof;
use fulcio_issuance::{Certified, Refusal, Request, RequestContext};
use http::{Extensions, HeaderValue};
use pki_types::CertificateDer;
use tonic::Code;
use tracing::{Instrument as _, Span, field};

use crate::{
    ApiMetrics, Backend, OidcIssuer, Readiness, Row, code_name,
    context::Contexts,
    panic::{Panicked, contained},
    rpc::{Rpc, Transport},
};

/// The methods themselves, whichever way they are called: asks the back end, counts, traces, and
/// stops what panics. What the back end never hears of, it cannot log, so that is logged here.
#[derive(Debug)]
pub(crate) struct Calls {
    transport: Transport,
    backend: Arc<dyn Backend>,
    metrics: Arc<ApiMetrics>,
    contexts: Contexts,
}

impl Calls {
    pub(crate) fn new(
        transport: Transport,
        backend: Arc<dyn Backend>,
        metrics: Arc<ApiMetrics>,
    ) -> Self {
        Self {
            transport,
            backend,
            metrics,
            contexts: Contexts::default(),
        }
    }

    pub(crate) fn metrics(&self) -> &ApiMetrics {
        &self.metrics
    }

    /// The context of a call whose caller chose the identifier `given`, or chose none.
    pub(crate) fn context(
        &self,
        rpc: Rpc,
        given: Option<&HeaderValue>,
        extensions: &Extensions,
    ) -> RequestContext {
        if let Some(reached) = extensions.get::<Reached>() {
            reached.mark();
        }
        self.contexts
            .context(given, extensions)
            .by_api(rpc.api(self.transport))
            .observed_by(Arc::clone(&self.metrics) as _)
    }

    /// Issues one certificate, unless there is not even a key to prove.
    pub(crate) async fn issue(
        &self,
        rpc: Rpc,
        token: &str,
        proof: Option<Proof<'_>>,
        context: &RequestContext,
    ) -> Result<Certified, Refusal> {
        self.run(rpc, Some(context), async {
            let Some(proof) = proof else {
                let refusal = Refusal::KeyUnparsable;
                log_refusal(context, Row::from(&refusal), "there is no key to prove");
                return Err(refusal);
            };
            let request = Request { token, proof };
            let certified = self.backend.issue(request, context).await?;
            self.metrics.issued();
            Ok(certified)
        })
        .await
    }

    /// Counts and logs a request for a certificate whose message could not be read. What is wrong
    /// with it is not logged: it may quote a token that is in the wrong place.
    pub(crate) fn unread(&self, context: &RequestContext) {
        self.metrics.refused(Row::MALFORMED.reason);
        log_refusal(context, Row::MALFORMED, "the message cannot be read");
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
        self.run(rpc, None, call).await
    }

    /// Runs one call, which is for a certificate where it has a context.
    async fn run<T>(
        &self,
        rpc: Rpc,
        context: Option<&RequestContext>,
        call: impl Future<Output = Result<T, Refusal>>,
    ) -> Result<T, Refusal> {
        let span = span(rpc, context);
        let mut running = Running {
            metrics: &self.metrics,
            rpc,
            context,
            code: None,
        };
        self.metrics.started(rpc);
        let answer = match contained(call.instrument(span.clone())).await {
            Ok(answer) => answer,
            Err(Panicked) => {
                tracing::error!(method = rpc.method(), "a handler panicked");
                if let Some(context) = context {
                    log_refusal(context, Row::from(&Refusal::Internal), "a handler panicked");
                }
                Err(Refusal::Internal)
            }
        };
        running.code = Some(match &answer {
            Ok(_) => {
                self.metrics.sent(rpc);
                Code::Ok
            }
            Err(refusal) => {
                let row = Row::from(refusal);
                self.metrics.refused(row.reason);
                span.record("reason", row.reason.as_str());
                if is_ours(row.code) {
                    span.record("otel.status_code", "ERROR");
                }
                row.code
            }
        });
        span.record("code", running.code.map(code_name));
        answer
    }
}

/// Tells whoever put it among the extensions of a request whether the request's message could be
/// read, so that its method was reached.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reached(Arc<AtomicBool>);

impl Reached {
    fn mark(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_marked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// A call that is counted as handled when it ends, even where its caller has gone away.
struct Running<'a> {
    metrics: &'a ApiMetrics,
    rpc: Rpc,
    context: Option<&'a RequestContext>,
    code: Option<Code>,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let code = self.code.unwrap_or_else(|| {
            if let Some(context) = self.context {
                tracing::warn!(
                    request_id = context.request_id,
                    peer = context.peer.map(field::display),
                    api = context.api,
                    code = code_name(Code::Cancelled),
                    reason = "abandoned",
                    duration_ms = milliseconds(context),
                    "the caller went away before there was a certificate"
                );
            }
            Code::Cancelled
        });
        self.metrics.handled(self.rpc, code);
    }
}

fn span(rpc: Rpc, context: Option<&RequestContext>) -> Span {
    tracing::trace_span!(
        target: RequestContext::SPANS,
        "call",
        otel.name = rpc.method(),
        otel.status_code = field::Empty,
        service = rpc.service(),
        api = context.and_then(|context| context.api),
        request_id = context.map(|context| context.request_id.as_str()),
        code = field::Empty,
        reason = field::Empty,
    )
}

/// Whether an answer with this code is a failure of the server, and not of its caller.
fn is_ours(code: Code) -> bool {
    matches!(
        code,
        Code::Unknown
            | Code::DeadlineExceeded
            | Code::Unimplemented
            | Code::Internal
            | Code::Unavailable
            | Code::DataLoss
    )
}

fn log_refusal(context: &RequestContext, row: Row, cause: &str) {
    tracing::warn!(
        request_id = context.request_id,
        peer = context.peer.map(field::display),
        api = context.api,
        code = code_name(row.code),
        reason = row.reason.as_str(),
        cause,
        duration_ms = milliseconds(context),
        "certificate refused"
    );
}

fn milliseconds(context: &RequestContext) -> f64 {
    context.elapsed().as_secs_f64() * 1000.0
}
