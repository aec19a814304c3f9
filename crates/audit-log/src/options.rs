use core::{fmt, time::Duration};
use std::sync::Arc;

use fulcio_issuance::{Clock, Refusal};

use crate::{AuditObserver, observer::Nobody};

/// How an audit trail is kept.
#[derive(Clone)]
#[non_exhaustive]
pub struct Options {
    /// The name of this node, in the first line of every file.
    pub node: String,
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
    /// Whether every batch is on the disk (fdatasync) before its answers leave.
    pub sync: bool,
    /// The size in bytes at which a new file is begun.
    pub max_size: u64,
    /// How long a record may take, waiting included.
    pub deadline: Duration,
    /// How many records may wait; the next ones wait for a place.
    pub backlog: usize,
    /// Whether certificates leave without a record where none can be kept.
    pub fail_open: bool,
    /// The code and the reason of a refusal, in the words of the wire and of the metrics.
    pub refusal_words: fn(&Refusal) -> RefusalWords,
    /// Is told what becomes of records.
    pub observer: Arc<dyn AuditObserver>,
}

/// A refusal in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "two words")]
pub struct RefusalWords {
    /// The code of gRPC, such as `InvalidArgument`.
    pub code: &'static str,
    /// The reason, as in the metrics.
    pub reason: &'static str,
}

impl Options {
    /// A trail of `node` that is not synced, in files of 100 MiB.
    pub fn new(
        node: impl Into<String>,
        clock: Arc<dyn Clock>,
        refusal_words: fn(&Refusal) -> RefusalWords,
    ) -> Self {
        Self {
            node: node.into(),
            clock,
            sync: false,
            max_size: 100 << 20,
            deadline: Duration::from_secs(5),
            backlog: 1024,
            fail_open: false,
            refusal_words,
            observer: Arc::new(Nobody),
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("node", &self.node)
            .field("sync", &self.sync)
            .field("max_size", &self.max_size)
            .field("deadline", &self.deadline)
            .field("backlog", &self.backlog)
            .field("fail_open", &self.fail_open)
            .finish_non_exhaustive()
    }
}
