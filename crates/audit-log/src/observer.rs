use core::fmt;

use crate::{Outcome, WriteError};

/// Is told what becomes of records: for metrics. It must neither wait nor fail.
pub trait AuditObserver: fmt::Debug + Send + Sync {
    /// A record was kept, or why not.
    fn recorded(&self, outcome: Outcome, result: Result<(), &WriteError>);

    /// Whether the trail can be written, as far as that is known.
    fn writable(&self, is_writable: bool);
}

/// Tells nobody.
#[derive(Debug)]
pub(crate) struct Nobody;

impl AuditObserver for Nobody {
    fn recorded(&self, _outcome: Outcome, _result: Result<(), &WriteError>) {}

    fn writable(&self, _is_writable: bool) {}
}
