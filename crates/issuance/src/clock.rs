use core::fmt;
use std::time::SystemTime;

/// Tells wall time.
pub trait Clock: fmt::Debug + Send + Sync {
    /// The time now.
    fn now(&self) -> SystemTime;
}

/// The clock of the machine.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "there is nothing in it")]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where this crate lets its user choose the real clock"
    )]
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }
}
