use core::{fmt, time::Duration};
use std::{
    sync::{
        Arc,
        mpsc::{self, RecvTimeoutError, Sender},
    },
    thread,
    time::UNIX_EPOCH,
};

use fulcio_api::ApiMetrics;
use fulcio_audit_log::AuditObserver;
use fulcio_cert_builder::Validity;
use fulcio_ct_client::LogObserver;
use fulcio_identity::Issuers;
use fulcio_issuance::Clock;
use metrics::{Key, Label, Level, Metadata, Recorder};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusRecorder};

mod audit_metrics;
mod exposition;
mod issuer_metrics;
mod log_metrics;
mod page;
#[cfg(target_os = "linux")]
mod process;
mod reload_metrics;
pub(crate) mod voucher;

pub use page::MetricsPage;
pub use reload_metrics::ReloadMetrics;

use audit_metrics::AuditMetrics;
use issuer_metrics::IssuerMetrics;
use log_metrics::LogMetrics;

/// What the server counts, apart from all global state.
///
/// The names are Fulcio's wherever Fulcio counts the same thing.
pub struct Metrics {
    recorder: Arc<PrometheusRecorder>,
    api: Arc<ApiMetrics>,
    page: MetricsPage,
    _upkeep: Upkeep,
}

impl Metrics {
    /// Starts counting at zero.
    ///
    /// A thread of its own folds what is recorded into the histograms, so that memory stays bounded
    /// where nobody reads the page.
    ///
    /// # Errors
    /// The exporter refuses the buckets of a histogram.
    pub fn new() -> Result<Self, BuildError> {
        let full = |name: &str| Matcher::Full(name.to_owned());
        let recorder = PrometheusBuilder::new()
            .set_buckets_for_metric(full(ApiMetrics::LATENCY), &ApiMetrics::LATENCY_BUCKETS)?
            .set_buckets_for_metric(full(ApiMetrics::STAGES), &ApiMetrics::STAGE_BUCKETS)?
            .set_buckets_for_metric(
                full(IssuerMetrics::FETCH_SECONDS),
                &ApiMetrics::LATENCY_BUCKETS,
            )?
            .set_buckets_for_metric(full(LogMetrics::SECONDS), &ApiMetrics::LATENCY_BUCKETS)?
            .build_recorder();
        IssuerMetrics::describe(&recorder);
        tell_build(&recorder);
        Ok(Self {
            api: Arc::new(ApiMetrics::new(&recorder)),
            page: MetricsPage::new(recorder.handle()),
            _upkeep: Upkeep::start(&recorder),
            recorder: Arc::new(recorder),
        })
    }

    /// What the wire protocol counts.
    #[must_use]
    pub fn api(&self) -> Arc<ApiMetrics> {
        Arc::clone(&self.api)
    }

    /// Counts what happens at each of `issuers`, under its URL or pattern as it is configured.
    #[must_use]
    pub fn watch(&self, issuers: Issuers) -> Issuers {
        issuers.observed_by(&|configured| {
            let recorder = Arc::clone(&self.recorder);
            let (issuer, kind) = match configured {
                Some((issuer, kind)) => (issuer, Some(kind.name())),
                None => (IssuerMetrics::UNKNOWN, None),
            };
            Arc::new(IssuerMetrics::new(recorder, issuer, kind))
        })
    }

    /// Counts what a log does, under the name that operators know it by.
    #[must_use]
    pub fn log(&self, name: &str) -> Arc<dyn LogObserver> {
        Arc::new(LogMetrics::new(Arc::clone(&self.recorder), name))
    }

    /// Counts how often the part of this name is read again, by the time of `clock`.
    #[must_use]
    pub fn reload(&self, part: &'static str, clock: Arc<dyn Clock>) -> ReloadMetrics {
        ReloadMetrics::new(&self.recorder, part, clock)
    }

    /// Counts the records of the audit log.
    #[must_use]
    pub fn audit(&self) -> Arc<dyn AuditObserver> {
        Arc::new(AuditMetrics::new(Arc::clone(&self.recorder)))
    }

    /// Tells until when the authority's whole chain is valid.
    pub fn tell_chain(&self, validity: Validity) {
        let name = "fulcio_ca_not_after_timestamp_seconds";
        let meaning = "When the first certificate of the authority's chain expires, in Unix time";
        self.recorder
            .describe_gauge(name.into(), None, meaning.into());
        let not_after = validity.not_after.duration_since(UNIX_EPOCH);
        self.recorder
            .register_gauge(&Key::from_static_name(name), &METADATA)
            .set(not_after.map_or(0.0, |since| since.as_secs_f64()));
    }

    /// The page that Prometheus reads, whatever its path.
    #[must_use]
    pub fn page(&self) -> MetricsPage {
        self.page.clone()
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

/// Empties the exporter's buffers now and then, in a thread of its own, until it is dropped.
struct Upkeep(#[expect(dead_code, reason = "the thread ends when it is dropped")] Sender<()>);

impl Upkeep {
    const EVERY: Duration = Duration::from_secs(5);

    fn start(recorder: &PrometheusRecorder) -> Self {
        let handle = recorder.handle();
        let (running, ended) = mpsc::channel();
        thread::spawn(move || {
            while ended.recv_timeout(Self::EVERY) == Err(RecvTimeoutError::Timeout) {
                handle.run_upkeep();
            }
        });
        Self(running)
    }
}

/// Fulcio's labels. The compiler stands where Fulcio has the version of Go.
fn tell_build(recorder: &PrometheusRecorder) {
    let name = "fulcio_build_info";
    let meaning = "What this server was built from, and with which compiler";
    recorder.describe_gauge(name.into(), None, meaning.into());
    let labels = vec![
        Label::new("version", env!("CARGO_PKG_VERSION")),
        Label::new(
            "build_date",
            option_env!("FULCIO_BUILD_DATE").unwrap_or("unknown"),
        ),
        Label::new("goversion", env!("FULCIO_COMPILER")),
        Label::new(
            "revision",
            option_env!("FULCIO_BUILD_REVISION").unwrap_or("unknown"),
        ),
    ];
    recorder
        .register_gauge(&Key::from_parts(name, labels), &METADATA)
        .set(1.0);
}

const METADATA: Metadata<'static> = Metadata::new(module_path!(), Level::INFO, None);
