use core::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Request, Response, header};
use http_body_util::Full;
use prometheus::{Registry, TextEncoder};

use super::exposition::{Exposition, Kind};
use crate::{Mount, Mounted, TimedBody};

/// The page that Prometheus reads.
#[derive(Clone, Debug)]
pub struct MetricsPage {
    registry: Registry,
    scrapes: Arc<Scrapes>,
    with_process: bool,
}

#[derive(Debug, Default)]
struct Scrapes {
    running: AtomicU64,
    done: AtomicU64,
}

impl MetricsPage {
    pub(super) fn new(registry: Registry) -> Self {
        Self {
            registry,
            scrapes: Arc::default(),
            with_process: false,
        }
    }

    /// Adds what the system says of this process: time, memory, descriptors, network. Each reading
    /// of the page asks `/proc`; on systems that have none, nothing is added.
    #[must_use]
    pub fn with_process(mut self) -> Self {
        self.with_process = true;
        self
    }

    /// The page as it is now, in Prometheus' text format.
    #[must_use]
    pub fn text(&self) -> String {
        self.scrapes.running.fetch_add(1, Ordering::Relaxed);
        let mut text = String::new();
        // A family that cannot be written ends the page; those before it are true.
        if let Err(error) = TextEncoder::new().encode_utf8(&self.registry.gather(), &mut text) {
            tracing::error!(%error, "the metrics page is not complete");
        }
        let mut page = Exposition::after(text);
        #[cfg(target_os = "linux")]
        if self.with_process {
            super::process::describe(&mut page);
        }
        self.scrapes.describe(&mut page);
        self.scrapes.running.fetch_sub(1, Ordering::Relaxed);
        self.scrapes.done.fetch_add(1, Ordering::Relaxed);
        page.into_text()
    }
}

impl Scrapes {
    /// Under the names that Go's library has for them. No scrape fails.
    fn describe(&self, page: &mut Exposition) {
        page.single(
            "promhttp_metric_handler_requests_in_flight",
            Kind::Gauge,
            "Readings of this page that are being answered",
            self.running.load(Ordering::Relaxed),
        );
        let name = "promhttp_metric_handler_requests_total";
        page.family(name, Kind::Counter, "Readings of this page before this one");
        let done = self.done.load(Ordering::Relaxed);
        for (code, count) in [(200, done), (500, 0), (503, 0)] {
            page.line(format_args!("{name}{{code=\"{code}\"}} {count}"));
        }
    }
}

impl Mount for MetricsPage {
    fn handle(&self, _path: &str, _request: Request<TimedBody>) -> Mounted {
        let mut response = Response::new(Full::from(Bytes::from(self.text())));
        response.headers_mut().insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8"),
        );
        Box::pin(core::future::ready(response))
    }
}
