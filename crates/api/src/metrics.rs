use core::{fmt, time::Duration};

use http::{Method, StatusCode};
use metrics::{Counter, Histogram, Key, Label, Level, Metadata, Recorder};
use tonic::Code;

use crate::{Reason, rpc::Rpc};

/// What is counted, under Fulcio's names.
///
/// Every series is registered when this is made, so counting is one atomic addition, and latencies
/// are kept of GET and POST alone. An HTTP call of a method counts for that method's gRPC series
/// too, as it does in Fulcio, whose HTTP server is a client of its gRPC server.
pub struct ApiMetrics {
    new_certificates: Counter,
    refusals: [Counter; Reason::ALL.len()],
    http: Vec<HttpSeries>,
    rpcs: [RpcSeries; Rpc::ALL.len()],
}

struct HttpSeries {
    method: &'static str,
    status: u16,
    requests: Counter,
    latency: Option<Histogram>,
}

struct RpcSeries {
    started: Counter,
    received: Counter,
    sent: Counter,
    handled: [Counter; CODES.len()],
}

impl ApiMetrics {
    /// The name of the histogram of HTTP latencies, in seconds.
    pub const LATENCY: &str = "fulcio_api_latency";

    /// The upper bounds that Fulcio's [`LATENCY`](Self::LATENCY) has, in seconds. A recorder that
    /// is not told of them may make something else of a histogram.
    pub const LATENCY_BUCKETS: [f64; 11] = [
        0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
    ];

    /// Registers everything with `recorder`.
    #[must_use]
    pub fn new(recorder: &dyn Recorder) -> Self {
        for (name, meaning) in [
            (NEW_CERTIFICATES, "Certificates issued"),
            (HTTP_REQUESTS, "HTTP requests answered"),
            (REFUSALS, "Requests refused"),
            (STARTED, "Calls begun"),
            (HANDLED, "Calls answered, well or not"),
            (RECEIVED, "Messages received in calls"),
            (SENT, "Messages sent in calls"),
        ] {
            recorder.describe_counter(name.into(), None, meaning.into());
        }
        recorder.describe_histogram(
            Self::LATENCY.into(),
            None,
            "Seconds from an HTTP request to its answer".into(),
        );
        Self {
            new_certificates: counter(recorder, NEW_CERTIFICATES, &[]),
            refusals: Reason::ALL
                .map(|reason| counter(recorder, REFUSALS, &[("reason", reason.as_str())])),
            http: ANSWERS
                .iter()
                .flat_map(|(method, statuses)| statuses.iter().map(|status| (*method, *status)))
                .map(|(method, status)| HttpSeries::new(recorder, method, status))
                .collect(),
            rpcs: Rpc::ALL.map(|rpc| RpcSeries::new(recorder, rpc)),
        }
    }

    pub(crate) fn issued(&self) {
        self.new_certificates.increment(1);
    }

    pub(crate) fn refused(&self, reason: Reason) {
        self.refusals[reason as usize].increment(1);
    }

    pub(crate) fn started(&self, rpc: Rpc) {
        let series = &self.rpcs[rpc as usize];
        series.started.increment(1);
        series.received.increment(1);
    }

    pub(crate) fn sent(&self, rpc: Rpc) {
        self.rpcs[rpc as usize].sent.increment(1);
    }

    pub(crate) fn handled(&self, rpc: Rpc, code: Code) {
        self.rpcs[rpc as usize].handled[code as usize].increment(1);
    }

    pub(crate) fn answered(&self, method: &Method, status: StatusCode, after: Duration) {
        let method = method_label(method);
        let series = self
            .http
            .iter()
            .find(|series| series.status == status && series.method == method);
        debug_assert!(series.is_some(), "no series for {method} {status}");
        if let Some(series) = series {
            series.requests.increment(1);
            if let Some(latency) = &series.latency {
                latency.record(after);
            }
        }
    }
}

impl fmt::Debug for ApiMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiMetrics").finish_non_exhaustive()
    }
}

impl HttpSeries {
    fn new(recorder: &dyn Recorder, method: &'static str, status: u16) -> Self {
        let key = |name: &'static str| {
            let labels = vec![
                Label::new("code", status.to_string()),
                Label::new("method", method),
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
}

impl RpcSeries {
    fn new(recorder: &dyn Recorder, rpc: Rpc) -> Self {
        let of = |name| {
            let labels = [
                ("grpc_method", rpc.method()),
                ("grpc_service", rpc.service()),
                ("grpc_type", rpc.kind()),
            ];
            counter(recorder, name, &labels)
        };
        Self {
            started: of(STARTED),
            received: of(RECEIVED),
            sent: of(SENT),
            handled: CODES.map(|code| {
                let labels = [
                    ("grpc_code", code),
                    ("grpc_method", rpc.method()),
                    ("grpc_service", rpc.service()),
                    ("grpc_type", rpc.kind()),
                ];
                counter(recorder, HANDLED, &labels)
            }),
        }
    }
}

fn counter(
    recorder: &dyn Recorder,
    name: &'static str,
    labels: &[(&'static str, &'static str)],
) -> Counter {
    let labels: Vec<Label> = labels
        .iter()
        .map(|(name, value)| Label::from_static_parts(name, value))
        .collect();
    recorder.register_counter(&Key::from_parts(name, labels), &METADATA)
}

fn method_label(method: &Method) -> &'static str {
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

const NEW_CERTIFICATES: &str = "fulcio_new_certs";
const HTTP_REQUESTS: &str = "http_requests_total";
const REFUSALS: &str = "fulcio_refusals_total";
const STARTED: &str = "grpc_server_started_total";
const HANDLED: &str = "grpc_server_handled_total";
const RECEIVED: &str = "grpc_server_msg_received_total";
const SENT: &str = "grpc_server_msg_sent_total";

const METADATA: Metadata<'static> =
    Metadata::new(module_path!(), Level::INFO, Some(module_path!()));

/// The statuses that each method may be answered with.
const ANSWERS: [(&str, &[u16]); 10] = [
    ("connect", NOT_OURS),
    ("delete", NOT_OURS),
    ("get", &[200, 400, 404, 500, 501, 503]),
    ("head", NOT_OURS),
    ("options", NOT_OURS),
    ("patch", NOT_OURS),
    ("post", &[200, 201, 400, 403, 404, 429, 500, 501, 503]),
    ("put", NOT_OURS),
    ("trace", NOT_OURS),
    ("unknown", NOT_OURS),
];

/// What is answered to a method that nothing is served by.
const NOT_OURS: &[u16] = &[400, 404, 500, 501];

/// The codes of gRPC as its Go implementation writes them, in the order of their numbers.
const CODES: [&str; 17] = [
    "OK",
    "Canceled",
    "Unknown",
    "InvalidArgument",
    "DeadlineExceeded",
    "NotFound",
    "AlreadyExists",
    "PermissionDenied",
    "ResourceExhausted",
    "FailedPrecondition",
    "Aborted",
    "OutOfRange",
    "Unimplemented",
    "Internal",
    "Unavailable",
    "DataLoss",
    "Unauthenticated",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_method_stands_at_its_own_place() {
        for (index, rpc) in Rpc::ALL.into_iter().enumerate() {
            assert_eq!(rpc as usize, index, "{rpc:?}");
        }
    }
}
