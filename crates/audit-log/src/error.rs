use std::{io, path::PathBuf, sync::Arc};

/// Why an audit trail cannot be opened or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The end of what is there cannot be continued: no line in the file is whole.
    #[error("{} has no whole line to go on from; move it away to begin a new chain", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// Another process has the trail open.
    #[error("{} is in use by another process", .path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// A file could not be used.
    #[error("cannot {action} {}", .path.display())]
    Io {
        /// What was to be done.
        action: &'static str,
        /// With which file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The path has no file name.
    #[error("{} does not name a file", .path.display())]
    NoName {
        /// The path.
        path: PathBuf,
    },
    /// The file is something else, so nothing is written to it.
    #[error("{} is no audit log, and nothing is appended to it", .path.display())]
    NotATrail {
        /// The file.
        path: PathBuf,
    },
    /// The chain is another node's.
    #[error(
        "{} is the audit log of the node {theirs:?}, and this is {ours:?}; \
         give it that name again, or another file", .path.display()
    )]
    OtherNode {
        /// The file.
        path: PathBuf,
        /// The node in its first line.
        theirs: String,
        /// The node that this is to be.
        ours: String,
    },
    /// The thread that writes did not start.
    #[error("cannot start the thread that writes the audit log")]
    Thread(#[source] io::Error),
}

impl Error {
    pub(crate) fn io(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io {
            action,
            path,
            source,
        }
    }
}

/// Why a record was not kept.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The trail is closed: the server stops.
    #[error("the audit log is closed")]
    Closed,
    /// The disk did not take it. One error of the disk is that of a whole batch.
    #[error("the audit log cannot be written")]
    Disk(#[source] Arc<io::Error>),
    /// The disk was too slow, or too many records wait for it.
    #[error("the audit log was not written in time")]
    Late,
}

impl WriteError {
    /// The word for it in metrics; it never changes.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Disk(_) => "disk",
            Self::Late => "late",
        }
    }
}
