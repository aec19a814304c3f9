use core::{error::Error as StdError, fmt, pin::Pin};
use std::sync::Arc;

use fulcio_principal::Identity;

use crate::{Certified, Error, RequestContext};

/// Keeps the audit trail.
///
/// The pipeline waits for it: a certificate leaves only after its record is kept.
pub trait Journal: fmt::Debug + Send + Sync {
    /// Keeps one decision.
    fn record<'a>(&'a self, decision: Decision<'a>, context: &'a RequestContext) -> Recording<'a>;

    /// Notes that nobody waits any more for an answer to a request for which a precertificate has
    /// been signed, so that a log may have it: [`RequestContext::precertificate_entry`]. It is called
    /// where nothing can be waited for.
    fn abandoned(&self, identity: &Identity, context: &RequestContext) {
        let _nothing = (identity, context);
    }
}

/// Several journals, which keep each decision one after the other.
///
/// Where one does not keep that a certificate is about to leave, those after it are not asked,
/// because it does not leave; all are told of a refusal.
#[derive(Clone, Debug)]
pub struct Journals(Vec<Arc<dyn Journal>>);

impl Journals {
    /// Asks them in this order.
    #[must_use]
    pub fn new(journals: Vec<Arc<dyn Journal>>) -> Self {
        Self(journals)
    }
}

impl Journal for Journals {
    fn record<'a>(&'a self, decision: Decision<'a>, context: &'a RequestContext) -> Recording<'a> {
        Box::pin(async move {
            let mut outcome = Ok(());
            for journal in &self.0 {
                let kept = journal.record(decision, context).await;
                match decision {
                    Decision::Issued { .. } => kept?,
                    Decision::Refused { .. } => outcome = outcome.and(kept),
                }
            }
            outcome
        })
    }

    fn abandoned(&self, identity: &Identity, context: &RequestContext) {
        for journal in &self.0 {
            journal.abandoned(identity, context);
        }
    }
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
