use fulcio_ct_log::reader::{Error as ReadError, NoteError};

use crate::{AlarmKind, Error, store::Evidence};

/// Why a log was not read to its end.
#[derive(Debug)]
pub(crate) enum Fault {
    /// It does what a log must not do.
    Alarm {
        kind: AlarmKind,
        detail: String,
        evidence: Option<Evidence>,
    },
    /// It could not be read, which may be nobody's fault.
    Failure(Error),
}

impl Fault {
    /// What it means that a tree head was not verified.
    ///
    /// What has not got the form of a tree head may be the page of a proxy; what has it and is not
    /// signed as it should be is not.
    pub(crate) fn of_head(error: ReadError) -> Self {
        match error {
            ReadError::Note(NoteError::Origin | NoteError::Signature | NoteError::Unsigned) => {
                Self::alarm(AlarmKind::BadSignature, error.to_string())
            }
            other => Self::Failure(other.into()),
        }
    }

    /// What it means that entries were not verified.
    pub(crate) fn of_entries(error: ReadError, first: u64) -> Self {
        match error {
            ReadError::Inconsistent | ReadError::Malformed { .. } | ReadError::Proof => {
                let detail = format!("after entry {first} of the tree that it signed: {error}");
                Self::alarm(AlarmKind::BadEntry, detail)
            }
            other => Self::Failure(other.into()),
        }
    }

    pub(crate) fn alarm(kind: AlarmKind, detail: String) -> Self {
        Self::Alarm {
            kind,
            detail,
            evidence: None,
        }
    }
}
