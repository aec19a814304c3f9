use std::{collections::BTreeMap, time::Instant};

use anyhow::Result;
use bytes::Bytes;
use hdrhistogram::Histogram;

use crate::connection::Answer;

/// What happens to the requests of one measurement.
#[derive(Debug)]
pub(crate) struct Recorder {
    /// From when, and until when it counts; the future is far while that is not known.
    from: Option<Instant>,
    until: Option<Instant>,
    /// Certificates that came in while it counted.
    pub(crate) certificates: u64,
    /// Microseconds that requests took which began while it counted.
    pub(crate) latencies: Histogram<u64>,
    /// How often each failure was seen, even before it counted.
    pub(crate) failures: BTreeMap<String, u64>,
    seen: usize,
    /// Answers that are looked at closely later, with the number of the request.
    pub(crate) samples: Vec<(usize, Bytes)>,
}

impl Recorder {
    pub(crate) fn new() -> Result<Self> {
        Ok(Self {
            from: None,
            until: None,
            certificates: 0,
            latencies: Histogram::new_with_bounds(1, 600_000_000, 3)?,
            failures: BTreeMap::new(),
            seen: 0,
            samples: Vec::new(),
        })
    }

    /// Counts from now on.
    pub(crate) fn begin(&mut self) {
        self.from = Some(Instant::now());
    }

    /// Counts no longer.
    pub(crate) fn end(&mut self) {
        self.until = Some(Instant::now());
    }

    /// Whether it has ended.
    pub(crate) fn is_over(&self) -> bool {
        self.until.is_some()
    }

    /// Notes what became of the request `number`, which was (to be) sent at `sent`.
    pub(crate) fn note(&mut self, number: usize, sent: Instant, outcome: Result<Answer>) {
        let failure = match outcome {
            Ok(Answer {
                failure: Some(failure),
                ..
            }) => Some(failure),
            Ok(Answer { body, .. }) => {
                if self.seen.is_multiple_of(EVERY) {
                    self.samples.push((number, body.clone()));
                }
                self.seen += 1;
                (!holds_certificate(&body)).then(|| "no certificate".to_owned())
            }
            Err(error) => Some(format!("{error:#}")),
        };
        if let Some(failure) = failure {
            *self.failures.entry(failure).or_default() += 1;
            return;
        }
        let Some(from) = self.from else { return };
        if self.until.is_none() {
            self.certificates += 1;
        }
        if sent >= from && self.until.is_none_or(|until| sent < until) {
            let micros = u64::try_from(sent.elapsed().as_micros()).unwrap_or(u64::MAX);
            self.latencies.saturating_record(micros);
        }
    }
}

/// Which share of the answers is looked at closely.
const EVERY: usize = 200;

fn holds_certificate(body: &[u8]) -> bool {
    body.windows(BEGIN.len()).any(|window| window == BEGIN)
}

const BEGIN: &[u8] = b"-----BEGIN CERTIFICATE-----";
