use core::fmt;
use std::sync::Arc;

use fulcio_api::Part;
use fulcio_ct_client::{Breaker, BreakerState, RemoteLog};
use fulcio_ct_log::EmbeddedLog;

use crate::Probe;

/// Says why a log takes no certificates now.
pub trait LogHealth: fmt::Debug + Send + Sync {
    /// What is wrong, in words that anybody may read; `None` while the log takes certificates, as
    /// far as that is known.
    fn fault(&self) -> Option<String>;
}

impl LogHealth for EmbeddedLog {
    fn fault(&self) -> Option<String> {
        self.health().err().map(|error| error.to_string())
    }
}

/// Half open is good enough: without requests it would never be known. A log that refuses everything is
/// forgiven after the breaker's window, for the same reason.
impl<L: RemoteLog + 'static> LogHealth for Breaker<L> {
    fn fault(&self) -> Option<String> {
        match self.state() {
            BreakerState::Closed | BreakerState::HalfOpen => self
                .is_refusing()
                .then(|| "the log answers, and refuses every certificate".to_owned()),
            BreakerState::Open { retry_after } => Some(format!(
                "the log does not answer; it is asked again in {} s",
                retry_after.as_millis().div_ceil(1000)
            )),
        }
    }
}

/// How the logs are that certificates are given to.
#[derive(Clone, Debug)]
pub struct LogsHealth {
    logs: Arc<[(String, Arc<dyn LogHealth>)]>,
    needed: usize,
}

impl LogsHealth {
    /// Logs by name, of which so many are needed for a certificate.
    #[must_use]
    pub fn new(logs: Vec<(String, Arc<dyn LogHealth>)>, needed: usize) -> Self {
        Self {
            logs: logs.into(),
            needed,
        }
    }

    /// A probe for each of them.
    pub fn probes(&self) -> impl Iterator<Item = LogProbe> {
        (0..self.logs.len()).map(|index| LogProbe {
            logs: self.clone(),
            index,
        })
    }

    fn are_enough(&self) -> bool {
        let healthy = self.logs.iter().filter(|(_, log)| log.fault().is_none());
        healthy.count() >= self.needed
    }
}

/// Asks how one log is. While enough others take certificates, its fault is told and stops nothing.
#[derive(Debug)]
pub struct LogProbe {
    logs: LogsHealth,
    index: usize,
}

impl Probe for LogProbe {
    fn part(&self) -> Part {
        let (name, log) = &self.logs.logs[self.index];
        let part = match self.logs.logs.len() {
            1 => "ct-log".to_owned(),
            _ => format!("ct-log {name}"),
        };
        match log.fault() {
            None => Part::ready(part),
            Some(fault) if self.logs.are_enough() => Part::at_fault(part, fault).dispensable(),
            Some(fault) => Part::at_fault(part, fault),
        }
    }
}
