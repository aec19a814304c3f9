use core::{error::Error as StdError, fmt};

/// Why a signature could not be made.
///
/// Signers come from strangers, so the cause is boxed: [`kind`](Self::kind) is for whoever decides
/// whether to try again, [`source`](StdError::source) is for the operator's log.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    source: Box<dyn StdError + Send + Sync>,
}

/// What a failure means for the next try.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "complete: a new kind must break every match"
)]
pub enum ErrorKind {
    /// The back end does not let us use the key.
    Denied,
    /// The back end cannot do what was asked, ever.
    Invalid,
    /// The back end asked for fewer requests.
    Throttled,
    /// The back end was not reached, or did not answer in time.
    Unavailable,
    /// The signature that came back is not the key's.
    WrongKey,
}

impl Error {
    /// Wraps a cause.
    pub fn new(kind: ErrorKind, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self {
            kind,
            source: source.into(),
        }
    }

    /// What the failure means for the next try.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            ErrorKind::Denied => "the key service refused the use of the key",
            ErrorKind::Invalid => "the key service cannot make such a signature",
            ErrorKind::Throttled => "the key service asked for fewer requests",
            ErrorKind::Unavailable => "the key service did not answer",
            ErrorKind::WrongKey => "the signature is not of the expected key",
        })
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&*self.source)
    }
}
