use core::{fmt, time::Duration};

use fulcio_issuance::{Observer, Outcome, Stage};
use http::{Method, StatusCode};
use metrics::{Counter, Gauge, Recorder};
use tonic::Code;

use crate::{Reason, rpc::Rpc};

mod http_series;
mod register;
mod rpc_series;
mod stage_series;

use http_series::HttpSeries;
use register::{counter, gauge};
use rpc_series::RpcSeries;
use stage_series::StageSeries;

pub use rpc_series::code_name;

/// What is counted of the wire protocol: Fulcio's metrics under Fulcio's names, and ours.
///
/// Every series is registered when this is made, so counting is one atomic addition, and latencies
/// are kept of GET and POST alone. An HTTP call of a method counts for that method's gRPC series
/// too, as it does in Fulcio, whose HTTP server is a client of its gRPC server.
pub struct ApiMetrics {
    new_certificates: Counter,
    refusals: [Counter; Reason::ALL.len()],
    in_flight: Gauge,
    http: Vec<HttpSeries>,
    rpcs: [RpcSeries; Rpc::ALL.len()],
    stages: StageSeries,
}

impl ApiMetrics {
    /// The name of the histogram of HTTP latencies, in seconds.
    pub const LATENCY: &str = "fulcio_api_latency";

    /// The labels of [`LATENCY`](Self::LATENCY).
    pub const LATENCY_LABELS: [&str; 2] = ["code", "method"];

    /// The upper bounds that Fulcio's [`LATENCY`](Self::LATENCY) has, in seconds. A recorder that
    /// is not told of them may make something else of a histogram.
    pub const LATENCY_BUCKETS: [f64; 11] = [
        0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
    ];

    /// The name of the histogram of the time that each stage of an issuance takes, in seconds.
    pub const STAGES: &str = "fulcio_stage_seconds";

    /// The labels of [`STAGES`](Self::STAGES).
    pub const STAGE_LABELS: [&str; 1] = ["stage"];

    /// Upper bounds for [`STAGES`](Self::STAGES), in seconds: from what a signature takes to the
    /// time that a whole request has.
    pub const STAGE_BUCKETS: [f64; 16] = [
        0.000_025, 0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05,
        0.1, 0.5, 1.0, 5.0, 10.0,
    ];

    /// Registers everything with `recorder`.
    #[must_use]
    pub fn new(recorder: &dyn Recorder) -> Self {
        for (name, meaning) in [
            (NEW_CERTIFICATES, "Certificates issued"),
            (REFUSALS, "Requests refused, by reason"),
        ] {
            recorder.describe_counter(name.into(), None, meaning.into());
        }
        let meaning = "Calls that are being answered";
        recorder.describe_gauge(IN_FLIGHT.into(), None, meaning.into());
        Self {
            new_certificates: counter(recorder, NEW_CERTIFICATES, &[]),
            refusals: Reason::ALL
                .map(|reason| counter(recorder, REFUSALS, &[("reason", reason.as_str())])),
            in_flight: gauge(recorder, IN_FLIGHT),
            http: HttpSeries::all(recorder),
            rpcs: RpcSeries::all(recorder),
            stages: StageSeries::new(recorder),
        }
    }

    pub(crate) fn issued(&self) {
        self.new_certificates.increment(1);
    }

    pub(crate) fn refused(&self, reason: Reason) {
        self.refusals[reason as usize].increment(1);
    }

    pub(crate) fn started(&self, rpc: Rpc) {
        self.in_flight.increment(1);
        self.rpcs[rpc as usize].started();
    }

    pub(crate) fn sent(&self, rpc: Rpc) {
        self.rpcs[rpc as usize].sent();
    }

    pub(crate) fn handled(&self, rpc: Rpc, code: Code) {
        self.in_flight.decrement(1);
        self.rpcs[rpc as usize].handled(code);
    }

    pub(crate) fn answered(&self, method: &Method, status: StatusCode, after: Duration) {
        let series = self
            .http
            .iter()
            .find(|series| series.is_for(method, status));
        debug_assert!(series.is_some(), "no series for {method} {status}");
        if let Some(series) = series {
            series.answered(after);
        }
    }
}

impl Observer for ApiMetrics {
    fn ended(&self, stage: Stage, outcome: Outcome<'_>, after: Duration) {
        self.stages.ended(stage, outcome, after);
    }

    fn precertificate_unused(&self) {
        self.stages.precertificate_unused();
    }
}

impl fmt::Debug for ApiMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiMetrics").finish_non_exhaustive()
    }
}

const NEW_CERTIFICATES: &str = "fulcio_new_certs";
const REFUSALS: &str = "fulcio_refusals_total";
const IN_FLIGHT: &str = "fulcio_requests_in_flight";

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
