use core::fmt;

use crate::Event;

/// A way to tell somebody.
///
/// An event is told again after a failure, and after a crash, so the same may be told twice and
/// none is left out. Whoever implements it bounds the time it takes.
pub trait Channel: fmt::Debug + Send + Sync {
    /// What it is called; two channels of one monitor have two names. It is kept in the state, so
    /// that a restart knows who has not been told yet.
    fn name(&self) -> &str;

    /// Tells; returns when the other side has it.
    ///
    /// # Errors
    ///
    /// It has not got it.
    fn tell(&self, event: &Event) -> Result<(), ChannelError>;
}

/// Why somebody could not be told. Boxed, because channels come from strangers.
pub type ChannelError = Box<dyn core::error::Error + Send + Sync>;
