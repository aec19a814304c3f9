use std::sync::Arc;

use bytes::Bytes;
use fulcio_api::ApiMetrics;
use http::{HeaderValue, Request, Response, header};
use http_body_util::Full;
use metrics::{Key, Label, Level, Metadata, Recorder as _};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

use crate::{Mount, Mounted, TimedBody};

/// What the server counts, apart from all global state.
#[derive(Debug)]
pub struct Metrics {
    api: Arc<ApiMetrics>,
    page: MetricsPage,
}

impl Metrics {
    /// Starts counting at zero.
    ///
    /// # Errors
    /// The exporter refuses the buckets of a histogram.
    pub fn new() -> Result<Self, BuildError> {
        let recorder = PrometheusBuilder::new()
            .set_buckets_for_metric(
                Matcher::Full(ApiMetrics::LATENCY.to_owned()),
                &ApiMetrics::LATENCY_BUCKETS,
            )?
            .build_recorder();
        let labels = vec![Label::new("version", env!("CARGO_PKG_VERSION"))];
        recorder
            .register_gauge(
                &Key::from_parts("fulcio_build_info", labels),
                &Metadata::new(module_path!(), Level::INFO, None),
            )
            .set(1.0);
        Ok(Self {
            api: Arc::new(ApiMetrics::new(&recorder)),
            page: MetricsPage(recorder.handle()),
        })
    }

    /// What the wire protocol counts.
    #[must_use]
    pub fn api(&self) -> Arc<ApiMetrics> {
        Arc::clone(&self.api)
    }

    /// The page that Prometheus reads, whatever its path.
    #[must_use]
    pub fn page(&self) -> MetricsPage {
        self.page.clone()
    }
}

/// The page that Prometheus reads.
#[derive(Clone, Debug)]
pub struct MetricsPage(PrometheusHandle);

impl Mount for MetricsPage {
    fn handle(&self, _path: &str, _request: Request<TimedBody>) -> Mounted {
        self.0.run_upkeep();
        let mut response = Response::new(Full::from(Bytes::from(self.0.render())));
        response.headers_mut().insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8"),
        );
        Box::pin(core::future::ready(response))
    }
}
