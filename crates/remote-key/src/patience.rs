use core::{error::Error as StdError, time::Duration};

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use fulcio_signer::ErrorKind;
use tokio::time::{Instant, sleep, timeout_at};

/// How long something is tried again that a service did not do.
///
/// Only what another try may change is tried again: a service that was not reached, and one that
/// asked for fewer requests. The waits double from 100 ms to 2 s, each shortened at random by up
/// to a half so that those who failed together do not come back together, and none is shorter
/// than the service asked for. Where the next wait would pass the limit, it ends at once.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    limit: Duration,
}

impl Patience {
    /// Tries for `limit`, waits included.
    #[must_use]
    pub fn new(limit: Duration) -> Self {
        Self { limit }
    }

    /// Makes attempts until one succeeds, one fails for good, or the time is up; then also the
    /// one that is under way is dropped.
    ///
    /// # Errors
    /// The first failure that another try would not change, or that the time was up.
    pub async fn try_until_done<T, E, A, F>(&self, mut attempt: A) -> Result<T, Spent<E>>
    where
        A: FnMut() -> F,
        F: Future<Output = Result<T, E>>,
        E: Fault,
    {
        let deadline = Instant::now() + self.limit;
        let mut step = FIRST_STEP;
        let mut last = None;
        loop {
            let Ok(answer) = timeout_at(deadline, attempt()).await else {
                return Err(self.late(last));
            };
            let error = match answer {
                Ok(done) => return Ok(done),
                Err(error) if another_try_may_help(error.kind()) => error,
                Err(error) => return Err(Spent::Failed(error)),
            };
            let own = shortened(step);
            let wait = error.retry_after().map_or(own, |asked| asked.max(own));
            step = (step * 2).min(LONGEST_STEP);
            last = Some(error);
            if wait >= deadline.saturating_duration_since(Instant::now()) {
                return Err(self.late(last));
            }
            sleep(wait).await;
        }
    }

    fn late<E: Fault>(&self, last: Option<E>) -> Spent<E> {
        Spent::Late {
            limit: self.limit,
            last,
        }
    }
}

/// A failure that [`Patience`] can judge.
pub trait Fault: StdError + 'static {
    /// What it means for the next try.
    fn kind(&self) -> ErrorKind;

    /// How long the service asked to be left alone, where it said so.
    fn retry_after(&self) -> Option<Duration>;
}

/// How [`Patience`] ended without success.
#[derive(Debug, thiserror::Error)]
#[expect(clippy::exhaustive_enums, reason = "complete: it ends in no third way")]
pub enum Spent<E: StdError + 'static> {
    /// An attempt failed in a way that another would not change.
    #[error(transparent)]
    Failed(E),
    /// There was no success in time.
    #[error("there was no success within {} ms", .limit.as_millis())]
    Late {
        /// The time that there was.
        limit: Duration,
        /// What the last finished attempt failed with; `None` when the first one never ended.
        #[source]
        last: Option<E>,
    },
}

fn another_try_may_help(kind: ErrorKind) -> bool {
    match kind {
        ErrorKind::Throttled | ErrorKind::Unavailable => true,
        ErrorKind::Denied | ErrorKind::Invalid | ErrorKind::WrongKey => false,
    }
}

/// Between the half of `step` and all of it.
fn shortened(step: Duration) -> Duration {
    let mut random = [0; 4];
    // Without random numbers all wait for as long, which is not worse than not waiting.
    if SystemRandom::new().fill(&mut random).is_err() {
        return step;
    }
    let part = f64::from(u32::from_ne_bytes(random)) / f64::from(u32::MAX);
    step.mul_f64(0.5 + 0.5 * part)
}

const FIRST_STEP: Duration = Duration::from_millis(100);
const LONGEST_STEP: Duration = Duration::from_secs(2);
