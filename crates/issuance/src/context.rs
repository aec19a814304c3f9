use core::time::Duration;
use std::{net::SocketAddr, sync::Arc};

use tokio::time::Instant;
use tracing::{Instrument as _, Span, field::Empty};

use crate::{Error, Observer, Outcome, Stage};

/// What is known about a request besides its contents.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RequestContext {
    /// Joins the log lines of one request; chosen by the caller or made by the server.
    pub request_id: String,
    /// Who sent it, where that is known.
    pub peer: Option<SocketAddr>,
    /// The way it came, in a stable word such as `http-v2`, where that is known.
    pub api: Option<&'static str>,
    begun: Instant,
    observer: Option<Arc<dyn Observer>>,
}

impl RequestContext {
    /// The target of the spans that requests and their stages are, all of the level TRACE. No
    /// value in them is a secret, or a text that a caller chose, but for the request identifier.
    pub const SPANS: &str = "fulcio::spans";

    /// A context for one request, which begins now.
    pub fn new(request_id: impl Into<String>) -> Self {
        Self {
            request_id: request_id.into(),
            peer: None,
            api: None,
            begun: Instant::now(),
            observer: None,
        }
    }

    /// Notes who sent the request.
    #[must_use]
    pub fn from_peer(mut self, peer: SocketAddr) -> Self {
        self.peer = Some(peer);
        self
    }

    /// Notes the way that the request came.
    #[must_use]
    pub fn by_api(mut self, api: &'static str) -> Self {
        self.api = Some(api);
        self
    }

    /// Tells `observer` of every stage of the request.
    #[must_use]
    pub fn observed_by(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observer = Some(observer);
        self
    }

    /// The time since the request began.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }

    /// Does the work of `stage` in a span of its own, and tells the observer of its end. An authority
    /// does so for what it is waited for.
    ///
    /// # Errors
    /// Those of the work.
    pub async fn stage<T>(
        &self,
        stage: Stage,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let span = tracing::trace_span!(
            target: RequestContext::SPANS,
            "stage",
            otel.name = stage.as_str(),
            otel.status_code = Empty,
            otel.status_description = Empty,
            reason = Empty,
        );
        let running = Running {
            observer: self.observer.as_deref(),
            stage,
            begun: Instant::now(),
        };
        let answer = work.instrument(span.clone()).await;
        running.end(&answer, &span);
        answer
    }
}

impl RequestContext {
    /// Notes that a precertificate has been signed.
    pub(crate) fn precertificate(&self) -> UnusedPrecertificate<'_> {
        UnusedPrecertificate(self.observer.as_deref())
    }
}

/// A precertificate of which no certificate has come yet; the observer is told when it is dropped.
pub(crate) struct UnusedPrecertificate<'a>(Option<&'a dyn Observer>);

impl UnusedPrecertificate<'_> {
    /// The certificate is signed.
    pub(crate) fn used(mut self) {
        self.0 = None;
    }
}

impl Drop for UnusedPrecertificate<'_> {
    fn drop(&mut self) {
        if let Some(observer) = self.0 {
            observer.precertificate_unused();
        }
    }
}

impl Default for RequestContext {
    fn default() -> Self {
        Self::new(String::new())
    }
}

/// A stage that ends in one of two ways: with an answer, or dropped.
struct Running<'a> {
    observer: Option<&'a dyn Observer>,
    stage: Stage,
    begun: Instant,
}

impl Running<'_> {
    fn end<T>(mut self, answer: &Result<T, Error>, span: &Span) {
        if let Err(error) = answer {
            span.record("otel.status_code", "ERROR");
            span.record("otel.status_description", tracing::field::display(error));
            if let Error::Authentication(error) = error {
                span.record("reason", error.reason());
            }
        }
        if let Some(observer) = self.observer.take() {
            let outcome = match answer {
                Ok(_) => Outcome::Passed,
                Err(error) => Outcome::Failed(error),
            };
            observer.ended(self.stage, outcome, self.begun.elapsed());
        }
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if let Some(observer) = self.observer {
            observer.ended(self.stage, Outcome::Abandoned, self.begun.elapsed());
        }
    }
}
