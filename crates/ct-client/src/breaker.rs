use core::{num::NonZeroUsize, time::Duration};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::time::{Instant, sleep_until};

use self::circuit::{Circuit, End, Ticket};
use crate::{Error, Failure, LogObserver, RemoteLog, Submission, Submitting, TransparencyLog};

mod circuit;

/// A log that is not asked while it cannot be had.
///
/// After several submissions in a row that the log did not answer, the breaker opens: submissions
/// fail at once, with the time to the next probe. In the background the log is asked for its
/// roots, again and again at growing intervals; once it answers anything, the breaker is half
/// open and lets one submission through at a time. The first that the log answers closes it, one
/// that it does not opens it again. What a log refuses, it has answered.
///
/// Opening starts the task that probes; it ends with the breaker.
#[derive(Debug)]
pub struct Breaker<L> {
    shared: Arc<Shared<L>>,
}

#[derive(Debug)]
struct Shared<L> {
    name: String,
    log: L,
    circuit: Mutex<Circuit>,
    observer: Option<Arc<dyn LogObserver>>,
}

/// When a [`Breaker`] opens, and how often it probes then.
#[derive(Clone, Copy, Debug)]
#[expect(
    clippy::exhaustive_structs,
    reason = "the arguments of `Breaker::new`, by name"
)]
pub struct BreakerOptions {
    /// How many failures in a row open it, all of them within `window`.
    pub failures: NonZeroUsize,
    /// The time that failures are remembered.
    pub window: Duration,
    /// The time from opening to the first probe; each further wait is twice as long.
    pub first_wait: Duration,
    /// The longest wait between probes, whatever time the log asks for.
    pub longest_wait: Duration,
}

impl Default for BreakerOptions {
    /// Five failures within a minute; probes after 5 s, then up to a minute apart.
    fn default() -> Self {
        Self {
            failures: const { NonZeroUsize::new(5).expect("five") },
            window: Duration::from_secs(60),
            first_wait: Duration::from_secs(5),
            longest_wait: Duration::from_secs(60),
        }
    }
}

/// What a [`Breaker`] does with the next submission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "complete: a new state must break every match"
)]
pub enum BreakerState {
    /// It passes it on.
    Closed,
    /// It passes it on unless another one is trying the log.
    HalfOpen,
    /// It fails it at once.
    Open {
        /// The time to the next probe.
        retry_after: Duration,
    },
}

impl<L: RemoteLog + 'static> Breaker<L> {
    /// Stands before `log`, which is called `name` in the program's own log.
    #[must_use]
    pub fn new(name: impl Into<String>, log: L, options: BreakerOptions) -> Self {
        Self::build(name.into(), log, options, None)
    }

    /// The same, telling `observer` of every change of the state.
    #[must_use]
    pub fn observed_by(
        observer: Arc<dyn LogObserver>,
        name: impl Into<String>,
        log: L,
        options: BreakerOptions,
    ) -> Self {
        observer.breaker(BreakerState::Closed);
        Self::build(name.into(), log, options, Some(observer))
    }

    fn build(
        name: String,
        log: L,
        options: BreakerOptions,
        observer: Option<Arc<dyn LogObserver>>,
    ) -> Self {
        Self {
            shared: Arc::new(Shared {
                name,
                log,
                circuit: Mutex::new(Circuit::new(options)),
                observer,
            }),
        }
    }

    /// What would become of a submission now.
    #[must_use]
    pub fn state(&self) -> BreakerState {
        self.shared.circuit().state(Instant::now())
    }

    /// Whether the log answers and yet takes nothing: it has refused as many submissions in a row as
    /// failures would open the breaker, all of them within the window. It is asked all the same.
    #[must_use]
    pub fn is_refusing(&self) -> bool {
        self.shared.circuit().is_refusing(Instant::now())
    }

    /// The log behind it.
    #[must_use]
    pub fn log(&self) -> &L {
        &self.shared.log
    }
}

impl<L: RemoteLog + 'static> TransparencyLog for Breaker<L> {
    fn submit<'a>(&'a self, submission: Submission<'a>) -> Submitting<'a> {
        Box::pin(async move {
            let ticket = self.shared.circuit().admit(Instant::now());
            let ticket = ticket.map_err(|retry_after| Error::BreakerOpen { retry_after })?;
            let mut asking = Asking {
                shared: &self.shared,
                ticket,
                end: End::Abandoned,
            };
            let answer = self.shared.log.submit(submission).await;
            asking.end = match &answer {
                Err(error) if error.failure() == Failure::Unavailable => {
                    End::Unavailable(error.retry_after())
                }
                Err(_) => End::Refused,
                Ok(_) => End::Taken,
            };
            answer
        })
    }
}

/// A submission on its way; what has become of it is told when it is dropped.
struct Asking<'a, L: RemoteLog + 'static> {
    shared: &'a Arc<Shared<L>>,
    ticket: Ticket,
    end: End,
}

impl<L: RemoteLog + 'static> Drop for Asking<'_, L> {
    fn drop(&mut self) {
        let now = Instant::now();
        let mut circuit = self.shared.circuit();
        let changed = circuit.ended(self.ticket, self.end, now);
        let (state, open) = (circuit.state(now), circuit.next_probe().is_some());
        drop(circuit);
        if !changed {
            return;
        }
        self.shared.tell(state);
        if open {
            tokio::spawn(probe(Arc::downgrade(self.shared)));
        }
    }
}

/// Probes until the log answers, or nobody needs to know any more.
async fn probe<L: RemoteLog>(shared: Weak<Shared<L>>) {
    loop {
        let next = shared
            .upgrade()
            .and_then(|shared| shared.circuit().next_probe());
        let Some(next) = next else { return };
        sleep_until(next).await;
        let Some(shared) = shared.upgrade() else {
            return;
        };
        let up = match shared.log.roots().await {
            Err(error) if error.failure() == Failure::Unavailable => Err(error.retry_after()),
            Ok(_) | Err(_) => Ok(()),
        };
        let now = Instant::now();
        let mut circuit = shared.circuit();
        let changed = circuit.probed(up, now);
        let state = circuit.state(now);
        drop(circuit);
        if changed {
            shared.tell(state);
        }
    }
}

impl<L> Shared<L> {
    /// A thread that panicked while it held the lock left nothing half done.
    fn circuit(&self) -> MutexGuard<'_, Circuit> {
        self.circuit.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, state: BreakerState) {
        let log = &*self.name;
        match state {
            BreakerState::Closed => tracing::info!(log, "the log takes certificates again"),
            BreakerState::HalfOpen => tracing::info!(log, "the log answers again"),
            BreakerState::Open { retry_after } => tracing::error!(
                log,
                retry_after_s = retry_after.as_secs(),
                "the log does not answer, and is not given certificates until it does"
            ),
        }
        if let Some(observer) = &self.observer {
            observer.breaker(state);
        }
    }
}
