use core::{fmt, time::Duration};
use std::sync::Arc;

use fulcio_api::Row;
use fulcio_identity::IssuerObserver;
use fulcio_issuance::Refusal;
use fulcio_oidc_verify::ProviderObserver;
use metrics::{Counter, Histogram, Key, Label, Recorder};

use super::{METADATA, PrometheusRecorder, voucher};

/// What is counted for one configured issuer, or for the tokens of all others.
///
/// No label is text that a stranger chose. What succeeds has its series from the beginning; what
/// fails gets one when it first happens.
pub(crate) struct IssuerMetrics {
    recorder: Arc<PrometheusRecorder>,
    issuer: Arc<str>,
    kind: Option<String>,
    issued: Counter,
    fetched: Counter,
    fetch_seconds: Histogram,
}

impl IssuerMetrics {
    /// The histogram of the time that fetches of keys take, in seconds.
    pub(super) const FETCH_SECONDS: &str = "fulcio_key_set_fetch_seconds";

    /// The issuer of tokens that are of no configured one.
    pub(super) const UNKNOWN: &str = "unknown";

    pub(super) fn describe(recorder: &PrometheusRecorder) {
        for (name, meaning) in [
            (
                REQUESTS,
                "Requests for certificates by the configured issuer of the token; the outcome is \
                 issued or the reason of the refusal",
            ),
            (
                TOKEN_FAILURES,
                "Tokens that were not accepted, by configured issuer and exact reason",
            ),
            (
                FETCHES,
                "Fetches of an issuer's keys; the outcome is fetched or why not",
            ),
        ] {
            recorder.describe_counter(name.into(), None, meaning.into());
        }
        let meaning = "Seconds that fetches of issuers' keys took, well or not";
        recorder.describe_histogram(Self::FETCH_SECONDS.into(), None, meaning.into());
    }

    pub(super) fn new(recorder: Arc<PrometheusRecorder>, issuer: &str, kind: Option<&str>) -> Self {
        let issuer: Arc<str> = issuer.into();
        let counter = |name, outcome| counter(&recorder, name, &issuer, ("outcome", outcome));
        let fetch_seconds = Key::from_static_name(Self::FETCH_SECONDS);
        Self {
            issued: counter(REQUESTS, "issued"),
            fetched: counter(FETCHES, "fetched"),
            fetch_seconds: recorder.register_histogram(&fetch_seconds, &METADATA),
            kind: kind.map(str::to_owned),
            issuer,
            recorder,
        }
    }

    /// Counts a request that a token of this issuer came with.
    pub(crate) fn ended(&self, outcome: Result<(), &Refusal>) {
        match outcome {
            Ok(()) => self.issued.increment(1),
            Err(refusal) => {
                let reason = Row::from(refusal).reason.as_str();
                self.count(REQUESTS, ("outcome", reason));
            }
        }
    }

    fn count(&self, name: &'static str, label: (&'static str, &'static str)) {
        counter(&self.recorder, name, &self.issuer, label).increment(1);
    }
}

impl ProviderObserver for IssuerMetrics {
    fn fetched(&self, outcome: Result<(), &fulcio_oidc_verify::Error>, after: Duration) {
        self.fetch_seconds.record(after);
        match outcome {
            Ok(()) => self.fetched.increment(1),
            Err(error) => self.count(FETCHES, ("outcome", error.reason())),
        }
    }
}

impl IssuerObserver for IssuerMetrics {
    fn judged(self: Arc<Self>, outcome: Result<(), &fulcio_identity::Error>) {
        if let Err(error) = outcome {
            self.count(TOKEN_FAILURES, ("reason", error.reason()));
        }
        voucher::note(self);
    }
}

impl fmt::Debug for IssuerMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IssuerMetrics")
            .field("issuer", &self.issuer)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

fn counter(
    recorder: &PrometheusRecorder,
    name: &'static str,
    issuer: &Arc<str>,
    (label, value): (&'static str, &'static str),
) -> Counter {
    let labels = vec![
        Label::new("issuer", Arc::clone(issuer)),
        Label::from_static_parts(label, value),
    ];
    recorder.register_counter(&Key::from_parts(name, labels), &METADATA)
}

const REQUESTS: &str = "fulcio_issuer_requests_total";
const TOKEN_FAILURES: &str = "fulcio_token_failures_total";
const FETCHES: &str = "fulcio_key_set_fetches_total";
