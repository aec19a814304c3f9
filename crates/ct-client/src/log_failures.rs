use core::{error::Error as StdError, fmt, time::Duration};

use crate::{Error, Failure};

/// The logs that made no promise, by name, and why not.
#[derive(Debug)]
pub struct LogFailures(pub(crate) Vec<(String, Error)>);

impl LogFailures {
    /// Each log with its failure, in the order in which they failed.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Error)> {
        self.0.iter().map(|(name, error)| (&**name, error))
    }

    /// What they mean to a caller, where `needed` of `of` logs must promise: waiting helps unless
    /// so many have refused that there are not enough others.
    pub(crate) fn failure(&self, needed: usize, of: usize) -> Failure {
        let refusals = self
            .iter()
            .filter(|(_, error)| error.failure() == Failure::Refused)
            .count();
        if of.saturating_sub(refusals) < needed {
            Failure::Refused
        } else {
            Failure::Unavailable
        }
    }

    /// When enough of the logs that have not refused may be asked again.
    pub(crate) fn retry_after(&self, needed: usize, of: usize) -> Option<Duration> {
        let mut waits: Vec<_> = self
            .iter()
            .filter(|(_, error)| error.failure() == Failure::Unavailable)
            .map(|(_, error)| error.retry_after())
            .collect();
        // A log that names no time sorts before all others.
        waits.sort_unstable();
        let missing = needed.checked_sub(of.checked_sub(self.0.len())?)?;
        *waits.get(missing.checked_sub(1)?)?
    }
}

impl fmt::Display for LogFailures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (name, error)) in self.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(f, "{separator}{name}: {error}")?;
            let mut cause = error.source();
            while let Some(error) = cause {
                write!(f, ": {error}")?;
                cause = error.source();
            }
        }
        Ok(())
    }
}

impl StdError for LogFailures {}
