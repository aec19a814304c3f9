use core::fmt;
use std::{sync::Arc, time::UNIX_EPOCH};

use fulcio_issuance::Clock;
use metrics::{Counter, Gauge, Key, Label, Recorder as _};

use super::{METADATA, PrometheusRecorder};

/// What is counted of one part that is read again while the server runs.
#[derive(Clone)]
pub struct ReloadMetrics {
    part: &'static str,
    clock: Arc<dyn Clock>,
    used: Counter,
    refused: Counter,
    is_good: Gauge,
    last: Gauge,
}

impl ReloadMetrics {
    /// The part was read when the server started, and is good since.
    pub(super) fn new(
        recorder: &PrometheusRecorder,
        part: &'static str,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let meaning = "How often a part was read again; the outcome is used, or refused where the old one stays";
        recorder.describe_counter(RELOADS.into(), None, meaning.into());
        let meaning = "Whether the last attempt to read a part again went well";
        recorder.describe_gauge(GOOD.into(), None, meaning.into());
        let meaning = "When a part was last read and taken into use, in Unix time";
        recorder.describe_gauge(LAST.into(), None, meaning.into());
        let of_part = || vec![Label::from_static_parts("part", part)];
        let counter = |outcome| {
            let mut labels = of_part();
            labels.push(Label::from_static_parts("outcome", outcome));
            recorder.register_counter(&Key::from_parts(RELOADS, labels), &METADATA)
        };
        let gauge = |name| recorder.register_gauge(&Key::from_parts(name, of_part()), &METADATA);
        let metrics = Self {
            part,
            clock,
            used: counter("used"),
            refused: counter("refused"),
            is_good: gauge(GOOD),
            last: gauge(LAST),
        };
        metrics.is_in_use();
        metrics
    }

    /// The part was read again, and is in use, or is not.
    pub(crate) fn ended(&self, is_in_use: bool) {
        if is_in_use {
            self.used.increment(1);
            self.is_in_use();
        } else {
            self.refused.increment(1);
            self.is_good.set(0.0);
        }
    }

    fn is_in_use(&self) {
        let now = self.clock.now().duration_since(UNIX_EPOCH);
        self.last.set(now.map_or(0.0, |since| since.as_secs_f64()));
        self.is_good.set(1.0);
    }
}

impl fmt::Debug for ReloadMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReloadMetrics")
            .field("part", &self.part)
            .finish_non_exhaustive()
    }
}

const RELOADS: &str = "fulcio_reloads_total";
const GOOD: &str = "fulcio_reload_last_successful";
const LAST: &str = "fulcio_reload_last_success_timestamp_seconds";
