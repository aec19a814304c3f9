use core::time::Duration;
use std::collections::VecDeque;

use tokio::time::Instant;

use super::{BreakerOptions, BreakerState};

/// What a breaker remembers, and what follows from it; it neither waits nor asks anybody.
#[derive(Debug)]
pub(super) struct Circuit {
    options: BreakerOptions,
    phase: Phase,
    /// The latest refusals since the log took a certificate, no more than count.
    refusals: VecDeque<Instant>,
    /// Counts the phases, so that what began in an earlier one says nothing about the present.
    number: u64,
}

#[derive(Debug)]
enum Phase {
    /// With the latest failures, since nothing but failures came.
    Closed { failures: VecDeque<Instant> },
    /// Until the log has answered a probe, of which the next is at `probe`; the one after it comes
    /// no sooner than `wait` later.
    Open { probe: Instant, wait: Duration },
    /// The log has answered a probe, and takes one submission at a time until one succeeds.
    HalfOpen { wait: Duration, trying: bool },
}

/// The right to ask the log once.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ticket {
    phase: u64,
}

/// How a submission ended.
#[derive(Clone, Copy, Debug)]
pub(super) enum End {
    /// Nobody waited for it any more.
    Abandoned,
    /// The log said no, or what cannot be used.
    Refused,
    /// The log promised to publish it.
    Taken,
    /// The log did not answer, and asks perhaps to be left alone for this time.
    Unavailable(Option<Duration>),
}

impl Circuit {
    pub(super) fn new(options: BreakerOptions) -> Self {
        Self {
            options,
            phase: closed(),
            refusals: VecDeque::new(),
            number: 0,
        }
    }

    /// Whether the log has refused as many submissions in a row as failures would open the breaker.
    pub(super) fn is_refusing(&self, now: Instant) -> bool {
        let window = self.options.window;
        let recent = |refusal: &&Instant| now.saturating_duration_since(**refusal) <= window;
        self.refusals.iter().filter(recent).count() >= self.options.failures.get()
    }

    pub(super) fn state(&self, now: Instant) -> BreakerState {
        match &self.phase {
            Phase::Closed { .. } => BreakerState::Closed,
            Phase::HalfOpen { .. } => BreakerState::HalfOpen,
            Phase::Open { probe, .. } => BreakerState::Open {
                retry_after: probe.saturating_duration_since(now),
            },
        }
    }

    /// Lets one submission through, or says when to try again.
    pub(super) fn admit(&mut self, now: Instant) -> Result<Ticket, Duration> {
        match &mut self.phase {
            Phase::Open { probe, .. } => return Err(probe.saturating_duration_since(now)),
            Phase::HalfOpen { trying: true, .. } => return Err(WHILE_TRYING),
            Phase::HalfOpen { trying, .. } => *trying = true,
            Phase::Closed { .. } => {}
        }
        Ok(Ticket { phase: self.number })
    }

    /// Takes note of how a submission ended; says whether the state is another one now.
    pub(super) fn ended(&mut self, ticket: Ticket, end: End, now: Instant) -> bool {
        match end {
            End::Refused => {
                if self.refusals.len() == self.options.failures.get() {
                    self.refusals.pop_front();
                }
                self.refusals.push_back(now);
            }
            End::Taken => self.refusals.clear(),
            End::Abandoned | End::Unavailable(_) => {}
        }
        if ticket.phase != self.number {
            return false;
        }
        let (asked, wait) = match (&mut self.phase, end) {
            (Phase::Open { .. }, _) | (Phase::Closed { .. }, End::Abandoned) => return false,
            (Phase::Closed { failures }, End::Refused | End::Taken) => {
                failures.clear();
                return false;
            }
            (Phase::Closed { failures }, End::Unavailable(asked)) => {
                let window = self.options.window;
                failures.push_back(now);
                failures.retain(|failure| now.saturating_duration_since(*failure) <= window);
                if failures.len() < self.options.failures.get() {
                    return false;
                }
                (asked, self.options.first_wait)
            }
            (Phase::HalfOpen { trying, .. }, End::Abandoned) => {
                *trying = false;
                return false;
            }
            (Phase::HalfOpen { .. }, End::Refused | End::Taken) => {
                self.enter(closed());
                return true;
            }
            (Phase::HalfOpen { wait, .. }, End::Unavailable(asked)) => (asked, *wait),
        };
        self.open(asked, wait, now);
        true
    }

    /// When the log is to be probed; `None` while the breaker is not open.
    pub(super) fn next_probe(&self) -> Option<Instant> {
        match &self.phase {
            Phase::Open { probe, .. } => Some(*probe),
            Phase::Closed { .. } | Phase::HalfOpen { .. } => None,
        }
    }

    /// Takes note of what came of a probe: `Err` with the time that the log wants to be left alone
    /// where it did not answer. Says whether the state is another one now.
    pub(super) fn probed(&mut self, up: Result<(), Option<Duration>>, now: Instant) -> bool {
        let Phase::Open { wait, .. } = self.phase else {
            return false;
        };
        match up {
            Ok(()) => {
                self.enter(Phase::HalfOpen {
                    wait,
                    trying: false,
                });
                true
            }
            Err(asked) => {
                self.open(asked, wait, now);
                false
            }
        }
    }

    fn open(&mut self, asked: Option<Duration>, wait: Duration, now: Instant) {
        let longest = self.options.longest_wait;
        let probe = now + wait.max(asked.unwrap_or_default()).min(longest);
        self.enter(Phase::Open {
            probe,
            wait: (wait * 2).min(longest),
        });
    }

    fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        self.number += 1;
    }
}

fn closed() -> Phase {
    Phase::Closed {
        failures: VecDeque::new(),
    }
}

/// What callers are told to wait while one submission tries the log.
const WHILE_TRYING: Duration = Duration::from_secs(1);
