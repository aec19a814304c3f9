use core::time::Duration;

use http::{Method, StatusCode};
use metrics::{Counter, Histogram, Key, Label, Recorder};

use super::{ApiMetrics, register::METADATA};

/// The series of one method and one status.
pub(super) struct HttpSeries {
    method: &'static str,
    status: u16,
    requests: Counter,
    latency: Option<Histogram>,
}

impl HttpSeries {
    /// One for every answer that there can be.
    pub(super) fn all(recorder: &dyn Recorder) -> Vec<Self> {
        recorder.describe_counter(HTTP_REQUESTS.into(), None, "HTTP requests answered".into());
        let meaning = "Seconds from an HTTP request to its answer";
        recorder.describe_histogram(ApiMetrics::LATENCY.into(), None, meaning.into());
        ANSWERS
            .iter()
            .flat_map(|(method, statuses)| statuses.iter().map(|status| (*method, *status)))
            .map(|(method, status)| Self::new(recorder, method, status))
            .collect()
    }

    fn new(recorder: &dyn Recorder, method: &'static str, status: u16) -> Self {
        let key = |name: &'static str| {
            let [code, on_method] = ApiMetrics::LATENCY_LABELS;
            let labels = vec![
                Label::new(code, status.to_string()),
                Label::new(on_method, method),
            ];
            Key::from_parts(name, labels)
        };
        Self {
            method,
            status,
            requests: recorder.register_counter(&key(HTTP_REQUESTS), &METADATA),
            latency: matches!(method, "get" | "post")
                .then(|| recorder.register_histogram(&key(ApiMetrics::LATENCY), &METADATA)),
        }
    }

    pub(super) fn is_for(&self, method: &Method, status: StatusCode) -> bool {
        self.status == status && self.method == label(method)
    }

    pub(super) fn answered(&self, after: Duration) {
        self.requests.increment(1);
        if let Some(latency) = &self.latency {
            latency.record(after);
        }
    }
}

fn label(method: &Method) -> &'static str {
    match method.as_str() {
        "CONNECT" => "connect",
        "DELETE" => "delete",
        "GET" => "get",
        "HEAD" => "head",
        "OPTIONS" => "options",
        "PATCH" => "patch",
        "POST" => "post",
        "PUT" => "put",
        "TRACE" => "trace",
        _ => "unknown",
    }
}

const HTTP_REQUESTS: &str = "http_requests_total";

/// The statuses that each method may be answered with.
const ANSWERS: [(&str, &[u16]); 10] = [
    ("connect", NOT_OURS),
    ("delete", NOT_OURS),
    ("get", &[200, 400, 404, 500, 501, 503, 504]),
    ("head", NOT_OURS),
    ("options", NOT_OURS),
    ("patch", NOT_OURS),
    ("post", &[200, 201, 400, 403, 404, 429, 500, 501, 503, 504]),
    ("put", NOT_OURS),
    ("trace", NOT_OURS),
    ("unknown", NOT_OURS),
];

/// What is answered to a method that nothing is served by.
const NOT_OURS: &[u16] = &[400, 404, 500, 501];
