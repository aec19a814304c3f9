use metrics::{Counter, Recorder};
use tonic::Code;

use super::register::counter;
use crate::rpc::Rpc;

/// The series of one gRPC method.
pub(super) struct RpcSeries {
    started: Counter,
    received: Counter,
    sent: Counter,
    handled: [Counter; CODES.len()],
}

impl RpcSeries {
    /// One for every method, in the order of their discriminants.
    pub(super) fn all(recorder: &dyn Recorder) -> [Self; Rpc::ALL.len()] {
        for (name, meaning) in [
            (STARTED, "Calls begun"),
            (HANDLED, "Calls answered, well or not"),
            (RECEIVED, "Messages received in calls"),
            (SENT, "Messages sent in calls"),
        ] {
            recorder.describe_counter(name.into(), None, meaning.into());
        }
        Rpc::ALL.map(|rpc| Self::new(recorder, rpc))
    }

    fn new(recorder: &dyn Recorder, rpc: Rpc) -> Self {
        let method = ("grpc_method", rpc.method());
        let service = ("grpc_service", rpc.service());
        let kind = ("grpc_type", rpc.kind());
        let of = |name| counter(recorder, name, &[method, service, kind]);
        Self {
            started: of(STARTED),
            received: of(RECEIVED),
            sent: of(SENT),
            handled: CODES.map(|code| {
                let labels = [("grpc_code", code), method, service, kind];
                counter(recorder, HANDLED, &labels)
            }),
        }
    }

    pub(super) fn started(&self) {
        self.started.increment(1);
        self.received.increment(1);
    }

    pub(super) fn sent(&self) {
        self.sent.increment(1);
    }

    pub(super) fn handled(&self, code: Code) {
        self.handled[code as usize].increment(1);
    }
}

const STARTED: &str = "grpc_server_started_total";
const HANDLED: &str = "grpc_server_handled_total";
const RECEIVED: &str = "grpc_server_msg_received_total";
const SENT: &str = "grpc_server_msg_sent_total";

/// A code of gRPC as Go writes it, and as metrics and logs have it, such as `InvalidArgument`.
#[must_use]
pub fn code_name(code: Code) -> &'static str {
    CODES[code as usize]
}

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
