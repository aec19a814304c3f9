use core::{fmt, time::Duration};
use std::sync::Arc;

use tokio::time::Instant;

use crate::{BreakerState, Error, Submission, Submitting, TransparencyLog};

/// Is told what one log does: for metrics.
///
/// It is called on the way of a submission, so it must neither wait nor fail.
pub trait LogObserver: fmt::Debug + Send + Sync {
    /// A submission has ended after this time. One that nobody waited for any more is not told.
    fn answered(&self, outcome: Result<(), &Error>, after: Duration);

    /// The [`Breaker`](crate::Breaker) before the log is in this state now.
    fn breaker(&self, state: BreakerState);
}

/// A log whose every answer an observer is told of.
#[derive(Debug)]
pub struct Observed<L> {
    log: L,
    observer: Arc<dyn LogObserver>,
}

impl<L: TransparencyLog> Observed<L> {
    /// Tells `observer` what `log` answers.
    #[must_use]
    pub fn new(log: L, observer: Arc<dyn LogObserver>) -> Self {
        Self { log, observer }
    }
}

impl<L: TransparencyLog> TransparencyLog for Observed<L> {
    fn submit<'a>(&'a self, submission: Submission<'a>) -> Submitting<'a> {
        Box::pin(async move {
            let begun = Instant::now();
            let answer = self.log.submit(submission).await;
            let outcome = answer.as_ref().map(|_timestamp| ());
            self.observer.answered(outcome, begun.elapsed());
            answer
        })
    }
}
