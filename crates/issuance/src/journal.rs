use core::{error::Error as StdError, fmt, pin::Pin};

use fulcio_principal::Identity;

use crate::{Certified, Error, RequestContext};

/// Keeps the audit trail.
///
/// The pipeline waits for it: a certificate leaves only after its record is kept.
pub trait Journal: fmt::Debug + Send + Sync {
    /// Keeps one decision.
    fn record<'a>(&'a self, decision: Decision<'a>, context: &'a RequestContext) -> Recording<'a>;
}

/// The answer that [`Journal::record`] promises.
pub type Recording<'a> = Pin<Box<dyn Future<Output = Result<(), JournalError>> + Send + 'a>>;

/// What came of a request.
#[derive(Clone, Copy, Debug)]
#[expect(
    clippy::exhaustive_enums,
    reason = "complete: a new outcome must break every journal"
)]
pub enum Decision<'a> {
    /// A certificate is about to leave.
    Issued {
        /// For whom.
        identity: &'a Identity,
        /// What is about to leave.
        certified: &'a Certified,
    },
    /// The caller gets none.
    Refused {
        /// Who asked, where that had been established.
        identity: Option<&'a Identity>,
        /// Why not.
        error: &'a Error,
    },
}

/// Why a decision was not kept.
#[derive(Debug)]
pub struct JournalError(Box<dyn StdError + Send + Sync>);

impl JournalError {
    /// Wraps a cause.
    pub fn new(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self(source.into())
    }
}

impl fmt::Display for JournalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the decision could not be written to the audit trail")
    }
}

impl StdError for JournalError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&*self.0)
    }
}
