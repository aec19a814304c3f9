use core::{error::Error as StdError, fmt, time::Duration};

/// Why a signature could not be made.
///
/// Signers come from strangers, so the cause is boxed: [`kind`](Self::kind) is for whoever decides
/// whether to try again, [`retry_after`](Self::retry_after) for how long to wait before that,
/// [`source`](StdError::source) is for the operator's log.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    retry_after: Option<Duration>,
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
            retry_after: None,
            source: source.into(),
        }
    }

    /// Adds how long the back end asked to be left alone, where it said so, as by the
    /// `Retry-After` of HTTP (RFC 9110 section 10.2.3).
    #[must_use]
    pub fn with_retry_after(self, wait: impl Into<Option<Duration>>) -> Self {
        Self {
            retry_after: wait.into(),
            ..self
        }
    }

    /// What the failure means for the next try.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// How long the back end asked to be left alone, where it said so.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            ErrorKind::Denied => "the key service refused the use of the key",
            ErrorKind::Invalid => "the key service cannot do what was asked",
            ErrorKind::Throttled => "the key service asked for fewer requests",
            ErrorKind::Unavailable => "the key service did not answer",
            ErrorKind::WrongKey => "the signature is not of the expected key",
        })?;
        match self.retry_after {
            Some(wait) => write!(f, ", for the next {} ms", wait.as_millis()),
            None => Ok(()),
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&*self.source)
    }
}
