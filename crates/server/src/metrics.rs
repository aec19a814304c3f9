use core::fmt;
use std::{sync::Arc, time::UNIX_EPOCH};

use fulcio_api::ApiMetrics;
use fulcio_audit_log::AuditObserver;
use fulcio_cert_builder::Validity;
use fulcio_ct_client::LogObserver;
use fulcio_identity::Issuers;
use fulcio_issuance::Clock;
use metrics::{Key, Label, Level, Metadata, Recorder};
use prometheus::{Histogram, HistogramOpts, HistogramVec, Registry};

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
}

/// Keeps each series in atomic numbers, so that counting takes no lock and no more memory.
type PrometheusRecorder = metrics_prometheus::Recorder;

impl Metrics {
    /// Starts counting at zero.
    ///
    /// # Errors
    /// A histogram cannot have its buckets.
    pub fn new() -> Result<Self, prometheus::Error> {
        // A meaning must stand here; the true one comes when a family is described.
        let options =
            |name, buckets: &[f64]| HistogramOpts::new(name, name).buckets(buckets.to_vec());
        let like_requests = |name| options(name, &ApiMetrics::LATENCY_BUCKETS);
        let stages = options(ApiMetrics::STAGES, &ApiMetrics::STAGE_BUCKETS);
        let recorder = PrometheusRecorder::builder()
            .with_registry(Registry::new())
            .try_with_metric(HistogramVec::new(
                like_requests(ApiMetrics::LATENCY),
                &ApiMetrics::LATENCY_LABELS,
            )?)?
            .try_with_metric(HistogramVec::new(stages, &ApiMetrics::STAGE_LABELS)?)?
            .try_with_metric(Histogram::with_opts(like_requests(
                IssuerMetrics::FETCH_SECONDS,
            ))?)?
            .try_with_metric(HistogramVec::new(
                like_requests(LogMetrics::SECONDS),
                &LogMetrics::SECONDS_LABELS,
            )?)?
            .build();
        IssuerMetrics::describe(&recorder);
        tell_build(&recorder);
        Ok(Self {
            api: Arc::new(ApiMetrics::new(&recorder)),
            page: MetricsPage::new(recorder.registry().clone()),
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
