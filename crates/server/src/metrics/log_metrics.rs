use core::{fmt, time::Duration};
use std::sync::Arc;

use fulcio_ct_client::{BreakerState, Error, LogObserver};
use metrics::{Counter, Gauge, Histogram, Key, Label, Recorder};

use super::{METADATA, PrometheusRecorder};

/// What is counted for one log.
///
/// What succeeds has its series from the beginning; what fails gets one when it first happens.
pub(super) struct LogMetrics {
    recorder: Arc<PrometheusRecorder>,
    log: Arc<str>,
    accepted: Counter,
    seconds: Histogram,
    open: Gauge,
}

impl LogMetrics {
    /// The histogram of the time that logs take for a certificate, in seconds.
    pub(super) const SECONDS: &str = "fulcio_log_answer_seconds";

    pub(super) const SECONDS_LABELS: [&str; 1] = ["log"];

    pub(super) fn new(recorder: Arc<PrometheusRecorder>, log: &str) -> Self {
        let meaning = "Answers of each log; the outcome is accepted or why there is no timestamp";
        recorder.describe_counter(ANSWERS.into(), None, meaning.into());
        let meaning = "Seconds that a log took for a certificate, well or not";
        recorder.describe_histogram(Self::SECONDS.into(), None, meaning.into());
        let meaning = "Whether a log is given no certificates because it does not answer";
        recorder.describe_gauge(OPEN.into(), None, meaning.into());
        let log: Arc<str> = log.into();
        let [log_label] = Self::SECONDS_LABELS;
        let labels = || vec![Label::new(log_label, Arc::clone(&log))];
        Self {
            accepted: counter(&recorder, &log, "accepted"),
            seconds: recorder
                .register_histogram(&Key::from_parts(Self::SECONDS, labels()), &METADATA),
            open: recorder.register_gauge(&Key::from_parts(OPEN, labels()), &METADATA),
            log,
            recorder,
        }
    }
}

impl LogObserver for LogMetrics {
    fn answered(&self, outcome: Result<(), &Error>, after: Duration) {
        self.seconds.record(after);
        match outcome {
            Ok(()) => self.accepted.increment(1),
            Err(error) => counter(&self.recorder, &self.log, error.reason()).increment(1),
        }
    }

    fn breaker(&self, state: BreakerState) {
        self.open.set(match state {
            BreakerState::Closed | BreakerState::HalfOpen => 0.0,
            BreakerState::Open { .. } => 1.0,
        });
    }
}

impl fmt::Debug for LogMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogMetrics")
            .field("log", &self.log)
            .finish_non_exhaustive()
    }
}

fn counter(recorder: &PrometheusRecorder, log: &Arc<str>, outcome: &'static str) -> Counter {
    let labels = vec![
        Label::new("log", Arc::clone(log)),
        Label::from_static_parts("outcome", outcome),
    ];
    recorder.register_counter(&Key::from_parts(ANSWERS, labels), &METADATA)
}

const ANSWERS: &str = "fulcio_log_answers_total";
const OPEN: &str = "fulcio_log_breaker_open";
