use core::time::Duration;
use std::{io, path::PathBuf, sync::Arc};

use fulcio_ct_client::Failure;

/// Why the log could not be opened, or did not take a certificate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// More submissions wait than the log takes on at once.
    #[error("the log has too many submissions waiting; try again in a second")]
    Busy,
    /// The log has published a larger tree than the journal holds. The journal was replaced by an
    /// older one, or lost its end.
    #[error(
        "the log has published {published} entries and the journal has {held}: \
         restore the newer journal, or start a new log in another folder"
    )]
    Behind {
        /// Entries in the journal.
        held: u64,
        /// Entries in the published tree.
        published: u64,
    },
    /// The log was closed.
    #[error("the log is closed")]
    Closed,
    /// A file of the log is not what the log wrote.
    #[error("`{file}` is damaged at byte {offset}: restore it from a backup")]
    Damaged {
        /// The file, relative to the log's folder.
        file: String,
        /// Where the damage begins.
        offset: u64,
    },
    /// The entry was not durable in the time given. It may still become so.
    #[error("the log did not store the entry within {} ms", .timeout.as_millis())]
    Deadline {
        /// The time given.
        timeout: Duration,
    },
    /// The disk failed.
    #[error("cannot {action} `{file}`")]
    Disk {
        /// What was tried, a verb.
        action: &'static str,
        /// The file, relative to the log's folder.
        file: String,
        /// What the system said.
        source: io::Error,
    },
    /// The journal does not begin with the entries that the log has published.
    #[error(
        "the journal is not the one whose first {size} entries were published: \
         restore the right journal, or start a new log in another folder"
    )]
    Fork {
        /// Entries in the published tree.
        size: u64,
    },
    /// Another process, or another part of this one, has the log open.
    #[error("the log in {} is in use by another process: stop that one, or use another folder", .folder.display())]
    InUse {
        /// The log's folder.
        folder: PathBuf,
    },
    /// The signing key is not an ECDSA P-256 key in PKCS#8 (RFC 5958).
    #[error("the log's key is not a P-256 private key in PKCS#8")]
    Key,
    /// The signing key is another one than the log was created with.
    #[error("the log was created with another key")]
    KeyMismatch,
    /// The folder has no log in it yet, and no origin was given to create one.
    #[error("there is no log in {} yet, and creating one needs its origin", .folder.display())]
    NoLog {
        /// The folder.
        folder: PathBuf,
    },
    /// The folder holds nothing of a log.
    #[error("there is no log in {}", .folder.display())]
    NotALog {
        /// The folder.
        folder: PathBuf,
    },
    /// The second key is not an Ed25519 key in PKCS#8 (RFC 8410).
    #[error("the log's note key is not an Ed25519 private key in PKCS#8")]
    NoteKey,
    /// There is no such entry in the published tree.
    #[error("entry {index} is not among the {size} published ones")]
    NotPublished {
        /// The entry that was asked for.
        index: u64,
        /// Entries in the published tree.
        size: u64,
    },
    /// The origin is no schema-less URL such as `log.example.com/2026`.
    #[error("`{origin}` cannot be a log's origin, which looks like log.example.com/2026")]
    Origin {
        /// What was given.
        origin: String,
    },
    /// The log was created with another origin, and that never changes.
    #[error(
        "the log was created with the origin `{created}`, which never changes: do not give `{given}`"
    )]
    OriginMismatch {
        /// The origin of the log.
        created: String,
        /// What was given.
        given: String,
    },
    /// The log's own files do not make a proof.
    #[error("the log's tiles do not fit its checkpoint")]
    Read(#[source] crate::reader::Error),
    /// The cryptographic library made no signature.
    #[error("the log could not sign")]
    Sign,
    /// The log has stopped after a failure of its disk; opening it anew may help.
    #[error("the log has stopped{}: it takes nothing until it is opened anew", reason(.0))]
    Stopped(#[source] Arc<Self>),
    /// The entry is empty, or too large.
    #[error("an entry has to have 1 to {limit} bytes")]
    Unfit {
        /// The most bytes that an entry, or the certificates above it, may have.
        limit: usize,
    },
}

impl Error {
    /// What it means to whoever waits for a certificate. No wildcard: a new variant must choose.
    #[must_use]
    pub fn failure(&self) -> Failure {
        match self {
            Self::Behind { .. }
            | Self::Damaged { .. }
            | Self::Fork { .. }
            | Self::Key
            | Self::KeyMismatch
            | Self::NoLog { .. }
            | Self::NotALog { .. }
            | Self::NotPublished { .. }
            | Self::NoteKey
            | Self::Origin { .. }
            | Self::OriginMismatch { .. }
            | Self::Read(_)
            | Self::Sign
            | Self::Unfit { .. } => Failure::Refused,
            Self::Busy
            | Self::Closed
            | Self::Deadline { .. }
            | Self::Disk { .. }
            | Self::InUse { .. }
            | Self::Stopped(_) => Failure::Unavailable,
        }
    }

    pub(crate) fn disk(action: &'static str, file: &str) -> impl Fn(io::Error) -> Self + use<> {
        let file = file.to_owned();
        move |source| Self::Disk {
            action,
            file: file.clone(),
            source,
        }
    }

    pub(crate) fn damaged(file: &str, offset: u64) -> Self {
        Self::Damaged {
            file: file.to_owned(),
            offset,
        }
    }
}

/// What an operator has to know of the cause, in the words of who asks whether all is well.
fn reason(cause: &Error) -> String {
    match cause {
        Error::Disk { source, .. } => format!(", as its disk failed ({})", source.kind()),
        _ => String::new(),
    }
}

impl From<crate::reader::Error> for Error {
    fn from(error: crate::reader::Error) -> Self {
        match error {
            crate::reader::Error::NotInTree { index, size } => Self::NotPublished { index, size },
            other => Self::Read(other),
        }
    }
}

impl From<Error> for fulcio_ct_client::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Deadline { timeout } => Self::Deadline {
                timeout,
                last: None,
            },
            other => Self::backend(other.failure(), other),
        }
    }
}
