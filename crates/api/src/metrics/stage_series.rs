use core::time::Duration;

use fulcio_ct_client::Failure;
use fulcio_issuance::{Error, Outcome, Stage};
use metrics::{Counter, Histogram, Recorder};

use super::{
    ApiMetrics,
    register::{counter, histogram},
};

/// How long the stages of issuances take, and what the log says.
pub(super) struct StageSeries {
    seconds: [Histogram; Stage::ALL.len()],
    log: [Counter; LogAnswer::ALL.len()],
    unused: Counter,
    violations: Counter,
}

/// What came of one certificate's way to the log.
#[derive(Clone, Copy)]
enum LogAnswer {
    Abandoned,
    Accepted,
    Refused,
    Unavailable,
}

impl StageSeries {
    pub(super) fn new(recorder: &dyn Recorder) -> Self {
        let meaning = "Seconds that a stage of an issuance took, well or not";
        recorder.describe_histogram(ApiMetrics::STAGES.into(), None, meaning.into());
        let meaning = "Certificates and precertificates given to the logs, by what came of it";
        recorder.describe_counter(LOG.into(), None, meaning.into());
        let meaning = "Precertificates signed of which no certificate came";
        recorder.describe_counter(UNUSED.into(), None, meaning.into());
        let meaning = "Certificates that were not what their profile says and did not leave";
        recorder.describe_counter(VIOLATIONS.into(), None, meaning.into());
        let [stage_label] = ApiMetrics::STAGE_LABELS;
        Self {
            violations: counter(recorder, VIOLATIONS, &[]),
            unused: counter(recorder, UNUSED, &[]),
            seconds: Stage::ALL.map(|stage| {
                histogram(
                    recorder,
                    ApiMetrics::STAGES,
                    &[(stage_label, stage.as_str())],
                )
            }),
            log: LogAnswer::ALL
                .map(|answer| counter(recorder, LOG, &[("outcome", answer.as_str())])),
        }
    }

    pub(super) fn ended(&self, stage: Stage, outcome: Outcome<'_>, after: Duration) {
        self.seconds[stage as usize].record(after);
        if let Outcome::Failed(Error::Profile(_)) = outcome {
            self.violations.increment(1);
        }
        if stage == Stage::Log {
            self.log[LogAnswer::from(outcome) as usize].increment(1);
        }
    }

    pub(super) fn precertificate_unused(&self) {
        self.unused.increment(1);
    }
}

const VIOLATIONS: &str = "fulcio_profile_violations_total";
const UNUSED: &str = "fulcio_precertificates_unused_total";
const LOG: &str = "fulcio_log_submissions_total";

impl LogAnswer {
    /// Every answer, in the order of their discriminants.
    const ALL: [Self; 4] = [
        Self::Abandoned,
        Self::Accepted,
        Self::Refused,
        Self::Unavailable,
    ];

    fn as_str(self) -> &'static str {
        match self {
            Self::Abandoned => "abandoned",
            Self::Accepted => "accepted",
            Self::Refused => "refused",
            Self::Unavailable => "unavailable",
        }
    }
}

impl From<Outcome<'_>> for LogAnswer {
    fn from(outcome: Outcome<'_>) -> Self {
        match outcome {
            Outcome::Abandoned => Self::Abandoned,
            Outcome::Passed => Self::Accepted,
            Outcome::Failed(Error::Log(error)) => match error.failure() {
                Failure::Refused => Self::Refused,
                Failure::Unavailable => Self::Unavailable,
            },
            Outcome::Failed(_) => Self::Refused,
        }
    }
}
