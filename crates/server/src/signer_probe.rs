use core::{fmt, time::Duration};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

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
    /// None before the first.
    last: Mutex<Option<Last>>,
}

/// The last test signature.
#[derive(Debug)]
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

    /// Of a `key` that has not been tested. The first test signature is made as soon as
    /// [`keep_testing`](Self::keep_testing) is polled, and others `every` so often.
    #[must_use]
    pub fn untested(key: Arc<IssuingKey>, every: Duration) -> Self {
        Self(Arc::new(Tested {
            key,
            every,
            last: Mutex::new(None),
        }))
    }

    /// The same of a `key` that makes its first test signature now.
    ///
    /// # Errors
    /// It does not make it.
    pub async fn tested(key: Arc<IssuingKey>, every: Duration) -> Result<Self, SignerFault> {
        let outcome = test(&key).await;
        let health = Self::untested(key, every);
        *health.0.last() = Some(Last::of(&outcome));
        outcome.map(|()| health)
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
        match &*self.last() {
            None => Duration::ZERO,
            Some(Last { fault: None, .. }) => self.every,
            Some(Last { fault: Some(_), .. }) => self.every.min(SignerHealth::AFTER_FAILURE),
        }
    }

    /// Tells what is new.
    fn note(&self, outcome: &Result<(), SignerFault>) {
        let now = Last::of(outcome);
        let mut last = self.last();
        let fault = last.as_ref().and_then(|last| last.fault);
        match (fault, outcome) {
            (None, Err(error)) => tracing::error!(
                cause = core::error::Error::source(error).map(ToString::to_string),
                "{error}"
            ),
            (Some(_), Ok(())) => tracing::info!("the issuing key signs again"),
            (None, Ok(())) | (Some(_), Err(_)) => {}
        }
        *last = Some(now);
    }

    /// Nothing panics while it is held.
    fn last(&self) -> MutexGuard<'_, Option<Last>> {
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
        let Some(last) = &*last else {
            return Part::at_fault(
                "signer",
                "the issuing key has not made a test signature yet",
            );
        };
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
            .field("last", &*self.0.last())
            .finish_non_exhaustive()
    }
}
