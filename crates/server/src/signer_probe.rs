use core::{fmt, time::Duration};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use fulcio_api::Part;
use fulcio_issuance::IssuingKey;
use fulcio_signer::{Error, ErrorKind};
use tokio::time::{Instant, sleep, timeout};

use crate::Probe;

/// Whether the issuing key signs, by test signatures that are made now and then and not when somebody
/// asks.
///
/// The probe tells what came of the last one. While one fails, the next is made sooner.
#[derive(Clone)]
pub struct SignerHealth(Arc<Tested>);

struct Tested {
    key: Arc<IssuingKey>,
    every: Duration,
    last: Mutex<Last>,
}

/// The last test signature.
struct Last {
    ended: Instant,
    fault: Option<&'static str>,
}

/// Why a test signature is not there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignerFault {
    /// The key did not sign in time.
    #[error("the key made no test signature within {} seconds", SignerHealth::DEADLINE.as_secs())]
    Deadline,
    /// The key does not sign.
    #[error("the key does not make a test signature")]
    Sign(#[source] Error),
}

impl SignerHealth {
    /// How long a test signature may take.
    pub const DEADLINE: Duration = Duration::from_secs(10);

    /// How soon the next one is made after one has failed.
    pub const AFTER_FAILURE: Duration = Duration::from_secs(5);

    /// Makes the first test signature with `key`. Others follow `every` so often, as soon as
    /// [`keep_testing`](Self::keep_testing) is polled.
    ///
    /// What went wrong with the first one is told beside it.
    pub async fn first(key: Arc<IssuingKey>, every: Duration) -> (Self, Result<(), SignerFault>) {
        let outcome = test(&key).await;
        let health = Self(Arc::new(Tested {
            key,
            every,
            last: Mutex::new(Last::of(&outcome)),
        }));
        (health, outcome)
    }

    /// Makes test signatures until nobody has this any more.
    pub fn keep_testing(&self) -> impl Future<Output = ()> + Send + 'static {
        keep_testing(Arc::downgrade(&self.0))
    }
}

async fn keep_testing(tested: Weak<Tested>) {
    loop {
        let Some(wait) = tested.upgrade().map(|tested| tested.until_next()) else {
            return;
        };
        sleep(wait).await;
        let Some(tested) = tested.upgrade() else {
            return;
        };
        let outcome = test(&tested.key).await;
        tested.note(&outcome);
    }
}

async fn test(key: &IssuingKey) -> Result<(), SignerFault> {
    match timeout(SignerHealth::DEADLINE, key.test_signature()).await {
        Ok(outcome) => outcome.map_err(SignerFault::Sign),
        Err(_elapsed) => Err(SignerFault::Deadline),
    }
}

impl Tested {
    fn until_next(&self) -> Duration {
        match self.last().fault {
            None => self.every,
            Some(_) => self.every.min(SignerHealth::AFTER_FAILURE),
        }
    }

    /// Tells what is new.
    fn note(&self, outcome: &Result<(), SignerFault>) {
        let now = Last::of(outcome);
        let mut last = self.last();
        match (last.fault, outcome) {
            (None, Err(error)) => tracing::error!(
                cause = core::error::Error::source(error).map(ToString::to_string),
                "{error}"
            ),
            (Some(_), Ok(())) => tracing::info!("the issuing key signs again"),
            (None, Ok(())) | (Some(_), Err(_)) => {}
        }
        *last = now;
    }

    /// Nothing panics while it is held.
    fn last(&self) -> std::sync::MutexGuard<'_, Last> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Last {
    fn of(outcome: &Result<(), SignerFault>) -> Self {
        let fault = match outcome {
            Ok(()) => None,
            Err(SignerFault::Deadline) => Some("the issuing key made no test signature in time"),
            Err(SignerFault::Sign(error)) => Some(match error.kind() {
                ErrorKind::WrongKey => "another key than that of the chain signs",
                _ => "the issuing key does not sign",
            }),
        };
        Self {
            ended: Instant::now(),
            fault,
        }
    }
}

impl Probe for SignerHealth {
    fn part(&self) -> Part {
        let last = self.0.last();
        // One is under way for so long at most, and whoever makes them may be late.
        let oldest = 2 * (self.0.every + Self::DEADLINE);
        match last.fault {
            Some(fault) => Part::at_fault("signer", fault),
            None if last.ended.elapsed() > oldest => {
                Part::at_fault("signer", "the last test signature is too long ago")
            }
            None => Part::ready("signer"),
        }
    }
}

impl fmt::Debug for SignerHealth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignerHealth")
            .field("every", &self.0.every)
            .field("fault", &self.0.last().fault)
            .finish_non_exhaustive()
    }
}
