use core::fmt;
use std::sync::Arc;

use fulcio_audit_log::{AuditObserver, Outcome, WriteError};
use metrics::{Counter, Gauge, Key, Label, Recorder};

use super::{METADATA, PrometheusRecorder};

/// What is counted for the audit log. What succeeds has its series from the beginning; what fails
/// gets one when it first happens.
pub(super) struct AuditMetrics {
    recorder: Arc<PrometheusRecorder>,
    /// In the order of [`Outcome::ALL`].
    kept: [Counter; Outcome::ALL.len()],
    writable: Gauge,
}

impl AuditMetrics {
    pub(super) fn new(recorder: Arc<PrometheusRecorder>) -> Self {
        let meaning = "Records that the audit log has kept, by outcome of the request";
        recorder.describe_counter(RECORDS.into(), None, meaning.into());
        let meaning = "Records that the audit log has not kept, by outcome of the request and why";
        recorder.describe_counter(FAILURES.into(), None, meaning.into());
        let meaning = "Whether the audit log can be written";
        recorder.describe_gauge(WRITABLE.into(), None, meaning.into());
        let kept = |outcome: Outcome| {
            let labels = vec![outcome_label(outcome)];
            recorder.register_counter(&Key::from_parts(RECORDS, labels), &METADATA)
        };
        Self {
            kept: Outcome::ALL.map(kept),
            writable: recorder.register_gauge(&Key::from_static_name(WRITABLE), &METADATA),
            recorder,
        }
    }
}

impl AuditObserver for AuditMetrics {
    fn recorded(&self, outcome: Outcome, result: Result<(), &WriteError>) {
        match result {
            Ok(()) => self.kept[outcome as usize].increment(1),
            Err(error) => {
                let reason = Label::from_static_parts("reason", error.as_str());
                let key = Key::from_parts(FAILURES, vec![outcome_label(outcome), reason]);
                self.recorder.register_counter(&key, &METADATA).increment(1);
            }
        }
    }

    fn writable(&self, is_writable: bool) {
        self.writable.set(f64::from(u8::from(is_writable)));
    }
}

impl fmt::Debug for AuditMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuditMetrics")
    }
}

fn outcome_label(outcome: Outcome) -> Label {
    Label::from_static_parts("outcome", outcome.as_str())
}

const FAILURES: &str = "fulcio_audit_failures_total";
const RECORDS: &str = "fulcio_audit_records_total";
const WRITABLE: &str = "fulcio_audit_writable";
