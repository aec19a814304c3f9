use core::time::Duration;
use std::{
    net::SocketAddr,
    sync::{Arc, OnceLock},
};

use aws_lc_rs::digest::{SHA256, digest};
use fulcio_principal::Voucher;
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
    learned: Arc<Learned>,
}

/// What is learned about a request on its way; the clones of a context share it.
#[derive(Debug, Default)]
struct Learned {
    voucher: OnceLock<Voucher>,
    logged: OnceLock<PrecertificateEntry>,
}

/// The entry of a precertificate in a log (`PreCert` of RFC 6962 section 3.2), by digests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "RFC 6962 section 3.2")]
pub struct PrecertificateEntry {
    /// SHA-256 of the issuer's public key.
    pub issuer_key_hash: [u8; 32],
    /// SHA-256 of the `TBSCertificate` as logs have it: without the poison.
    pub tbs_hash: [u8; 32],
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
            learned: Arc::default(),
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

    /// Which entry of the configuration judged the token of the request, once that has happened.
    #[must_use]
    pub fn voucher(&self) -> Option<&Voucher> {
        self.learned.voucher.get()
    }

    /// The precertificate that was signed for the request and may be in a log, whatever came of it.
    #[must_use]
    pub fn precertificate_entry(&self) -> Option<&PrecertificateEntry> {
        self.learned.logged.get()
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
    /// Notes who judged the token. A request has one token, so the first note stays.
    pub(crate) fn judged_by(&self, voucher: Option<&Voucher>) {
        if let Some(voucher) = voucher {
            self.learned.voucher.get_or_init(|| voucher.clone());
        }
    }

    /// Notes that a precertificate has been signed, and what logs will have of it.
    pub(crate) fn precertificate(
        &self,
        issuer_key_hash: [u8; 32],
        tbs: &[u8],
    ) -> UnusedPrecertificate<'_> {
        self.learned.logged.get_or_init(|| {
            let mut tbs_hash = [0; 32];
            tbs_hash.copy_from_slice(digest(&SHA256, tbs).as_ref());
            PrecertificateEntry {
                issuer_key_hash,
                tbs_hash,
            }
        });
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
