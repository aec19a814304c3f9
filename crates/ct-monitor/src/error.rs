use std::{io, path::PathBuf};

use fulcio_ct_log::reader;

/// Why a monitor cannot do its work. What a log does wrong is not here: that is an
/// [`Alarm`](crate::Alarm).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Another process follows this log with this folder.
    #[error("{} is in use by another process", .folder.display())]
    InUse {
        /// The folder of the log's state.
        folder: PathBuf,
    },
    /// The folder has the state of a log with another key, origin or protocol.
    #[error("{} is the state of another log", .file.display())]
    OtherLog {
        /// The file of the log's state.
        file: PathBuf,
    },
    /// A regular expression is not one.
    #[error("{pattern} is not a regular expression")]
    Pattern {
        /// What was written.
        pattern: String,
        /// What is wrong with it; boxed because it is large.
        source: Box<regex::Error>,
    },
    /// The log could not be read.
    #[error(transparent)]
    Read(#[from] reader::Error),
    /// The state could not be read or written.
    #[error("cannot {action} {}", .path.display())]
    State {
        /// What was to be done.
        action: &'static str,
        /// With which file or folder.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The file of a log's state is damaged: it is not JSON.
    #[error("{} is damaged", .file.display())]
    StateDamaged {
        /// The file of the log's state.
        file: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// The file of a log's state is damaged: what it says cannot be.
    #[error("{} is damaged: {what} is not possible", .file.display())]
    StateImpossible {
        /// The file of the log's state.
        file: PathBuf,
        /// Which part of it.
        what: &'static str,
    },
    /// The state could not be put into words.
    #[error("the state of a log cannot be written as JSON")]
    StateUnwritable(#[source] serde_json::Error),
    /// A watch tells a channel that there is not.
    #[error("the watch {watch} tells {channel}, and there is no channel of that name")]
    UnknownChannel {
        /// The name of the watch.
        watch: String,
        /// The name that no channel has.
        channel: String,
    },
    /// There is no such extension.
    #[error("there is no extension called {name}")]
    UnknownExtension {
        /// What was written.
        name: String,
    },
}
