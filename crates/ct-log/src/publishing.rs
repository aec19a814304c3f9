use std::time::{Duration, Instant};

use crate::{
    backlog::{Backlog, Taken},
    error::Error,
    options::{Clock, millis},
    publisher::Publisher,
    status::Status,
};

/// When checkpoints are signed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// The shortest time between two, while the log grows.
    pub(crate) interval: Duration,
    /// The longest, while it does not.
    pub(crate) refresh: Duration,
}

/// Publishes what comes through `backlog`, until that is closed and empty.
pub(crate) fn run(
    mut publisher: Publisher,
    backlog: &Backlog,
    clock: &Clock,
    pace: Pace,
    status: &Status,
) -> Result<(), Error> {
    let mut last = Instant::now();
    let mut grown = false;
    loop {
        let due = last + if grown { pace.interval } else { pace.refresh };
        let taken = backlog.take(due);
        let closed = matches!(taken, Taken::Closed);
        if let Taken::Frame(frame) = &taken {
            publisher.apply(frame)?;
            grown = true;
        }
        if (closed && grown) || (!closed && Instant::now() >= due) {
            status.publish(publisher.publish(millis(clock.now()))?);
            last = Instant::now();
            grown = false;
        }
        if closed {
            return Ok(());
        }
    }
}
