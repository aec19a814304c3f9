use fulcio_ct_client::SctError;

use super::{FetchError, NoteError};

/// Why what a log serves was not believed.
///
/// It is apart from the error of the embedded log, because the log that is read may be anybody's.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The log did not answer.
    #[error("cannot fetch `{path}` from the log")]
    Fetch {
        /// What was asked for.
        path: String,
        /// What went wrong.
        source: FetchError,
    },
    /// The tiles that the log serves are not those of the tree in its checkpoint.
    #[error("the log's tiles do not fit its checkpoint")]
    Inconsistent,
    /// What the log serves has not got the form it should have.
    #[error("`{path}` of the log is malformed")]
    Malformed {
        /// What it serves.
        path: String,
    },
    /// The log has not got what its checkpoint says that it has.
    #[error("the log has no `{path}`")]
    Missing {
        /// What was asked for.
        path: String,
    },
    /// The timestamp does not say which entry it is of; it is not of a static-ct log.
    #[error("the timestamp does not say where in the log its entry is")]
    NoIndex,
    /// The tree is too small.
    #[error("entry {index} is not in the log's tree of {size} entries")]
    NotInTree {
        /// The entry that was asked for.
        index: u64,
        /// Entries in the tree.
        size: u64,
    },
    /// The checkpoint is not the log's.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// A proof does not verify.
    #[error("the proof does not verify")]
    Proof,
    /// The timestamp is not the log's signature for the entry.
    #[error(transparent)]
    Timestamp(#[from] SctError),
}
