use fulcio_ct_client::LogKey;
use fulcio_ct_log::reader::{self, Checkpoint, NoteError};

use crate::{Error, LogProof, tlog_proof::is_tlog_proof};

/// What a log has signed of its tree, with the signed note that says it (c2sp.org/tlog-checkpoint).
///
/// Only [`verify`](Self::verify) makes one. The tree head of an RFC 6962 log has this form as well:
/// it is the same signature, over the same bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeHead {
    note: String,
    checkpoint: Checkpoint,
}

impl TreeHead {
    /// Reads the note of the log that signs with `key`. With `origin` given, the log must call
    /// itself that; without it, it may call itself anything, as it is the key that counts.
    ///
    /// # Errors
    /// The note is malformed, is another log's, or is not signed by the key.
    pub fn verify(note: &[u8], origin: Option<&str>, key: &LogKey) -> Result<Self, NoteError> {
        let text = str::from_utf8(note).map_err(|_| NoteError::Malformed)?;
        let own = text.split('\n').next().unwrap_or_default();
        let checkpoint = Checkpoint::verify(note, origin.unwrap_or(own), key)?;
        Ok(Self {
            note: text.to_owned(),
            checkpoint,
        })
    }

    /// Reads a file that holds a note, or a saved proof, whose tree head is taken.
    ///
    /// # Errors
    /// It is neither, is another log's, or is not signed by the key.
    pub fn from_file(bytes: &[u8], origin: Option<&str>, key: &LogKey) -> Result<Self, Error> {
        let head = if is_tlog_proof(bytes) {
            LogProof::parse(bytes)?.tree_head(origin, key)
        } else {
            Self::verify(bytes, origin, key)
        };
        head.map_err(Error::Earlier)
    }

    /// Size, root, and when they were signed.
    #[must_use]
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The signed note.
    #[must_use]
    pub fn note(&self) -> &str {
        &self.note
    }

    /// Demands that `self`, which has the same size as `other`, is the same tree.
    pub(crate) fn is_not_a_fork_of(&self, other: &Self) -> Result<(), Error> {
        let (ours, theirs) = (&self.checkpoint, &other.checkpoint);
        if ours.size() == theirs.size() && ours.root() != theirs.root() {
            return Err(Error::Forked { size: ours.size() });
        }
        Ok(())
    }
}

pub(crate) fn inclusion(error: impl Into<reader::Error>) -> Error {
    Error::Inclusion(error.into())
}
