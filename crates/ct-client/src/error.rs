use core::{error::Error as StdError, time::Duration};

use crate::{LogFailures, SctError};

/// Why a log made no promise that can be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The log answered with success, but not with a timestamp for this certificate.
    #[error("the log's answer is not a timestamp for this certificate")]
    Answer {
        /// What it answered, cut to a bounded length; empty for a log that is not remote.
        body: String,
        /// What is wrong with it.
        source: SctError,
    },
    /// The log's answer is longer than any good one.
    #[error("the log's answer is longer than {limit} bytes")]
    AnswerTooLong {
        /// How much is read, in bytes.
        limit: usize,
    },
    /// A log that is not behind HTTP failed, in its own way.
    #[error("the log failed")]
    Backend {
        /// What the failure means to a caller.
        failure: Failure,
        /// What went wrong. Boxed, because logs come from strangers.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// The log has not answered for so long that it is not asked now.
    #[error("the log has not answered for a while, and is not asked now")]
    BreakerOpen {
        /// The time until it is seen whether it answers again.
        retry_after: Duration,
    },
    /// No try succeeded in the time given, or waiting for the next one would have passed it.
    #[error("the log gave no good answer within {} ms", .timeout.as_millis())]
    Deadline {
        /// The time given, retries included.
        timeout: Duration,
        /// What the last finished try failed with; `None` when the first one never ended.
        #[source]
        last: Option<Box<Self>>,
    },
    /// The log was not reached, or hung up.
    #[error("the log was not reached")]
    Network(#[source] Box<dyn StdError + Send + Sync>),
    /// The proxy before the log did not let the submission through.
    #[error("the proxy before the log answered with status {status}")]
    Proxy {
        /// How long the proxy wants to be left alone.
        retry_after: Option<Duration>,
        /// The HTTP status.
        status: u16,
    },
    /// The log was asked for its roots, and answered something else.
    #[error("the log's answer is not a list of roots")]
    RootsAnswer(#[source] Box<dyn StdError + Send + Sync>),
    /// The log answered with a status other than success.
    #[error("the log answered with status {status}")]
    Status {
        /// What it answered, cut to a bounded length.
        body: String,
        /// How long the log wants to be left alone.
        retry_after: Option<Duration>,
        /// The HTTP status.
        status: u16,
    },
    /// So many of several logs failed that the others are not enough.
    #[error("{needed} of {of} logs had to promise, and {} did not", .failed.iter().count())]
    TooFew {
        /// How many had to promise.
        needed: usize,
        /// How many there are.
        of: usize,
        /// Those that did not; the rest had not answered yet, or had promised.
        #[source]
        failed: LogFailures,
    },
    /// The log's own certificate is not trusted, or is not the log's; or that of the proxy before it.
    #[error("the TLS certificate of the log, or of a proxy before it, is not accepted")]
    Untrusted(#[source] Box<dyn StdError + Send + Sync>),
}

/// What a failing log means to whoever waits for a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "complete: a new meaning must break every match"
)]
pub enum Failure {
    /// The log said no, or said what cannot be used; asking again will not help.
    Refused,
    /// The log did not answer in time; later it may.
    Unavailable,
}

impl Error {
    /// Wraps what went wrong in a log of another kind.
    pub fn backend(failure: Failure, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::Backend {
            failure,
            source: source.into(),
        }
    }

    /// What the failure means to a caller. There is no wildcard: a new cause must choose.
    #[must_use]
    pub fn failure(&self) -> Failure {
        match self {
            Self::Answer { .. }
            | Self::AnswerTooLong { .. }
            | Self::Proxy { .. }
            | Self::RootsAnswer(_)
            | Self::Status { .. }
            | Self::Untrusted(_) => Failure::Refused,
            Self::Backend { failure, .. } => *failure,
            Self::BreakerOpen { .. } | Self::Deadline { .. } | Self::Network(_) => {
                Failure::Unavailable
            }
            Self::TooFew { needed, of, failed } => failed.failure(*needed, *of),
        }
    }

    /// A word for the failure in metrics; it never changes.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Answer { .. } => "bad-timestamp",
            Self::AnswerTooLong { .. } | Self::RootsAnswer(_) => "bad-answer",
            Self::Backend { failure, .. } => match failure {
                Failure::Refused => "refused",
                Failure::Unavailable => "unavailable",
            },
            Self::BreakerOpen { .. } => "breaker-open",
            Self::Deadline { .. } => "deadline",
            Self::Network(_) => "network",
            Self::Proxy { .. } => "proxy",
            Self::Status { .. } => "refused",
            Self::TooFew { .. } => "too-few",
            Self::Untrusted(_) => "untrusted",
        }
    }

    /// How long the log, or the proxy before it, asked to be left alone, where it said so.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::BreakerOpen { retry_after } => Some(*retry_after),
            Self::Deadline { last, .. } => last.as_ref()?.retry_after(),
            Self::Proxy { retry_after, .. } | Self::Status { retry_after, .. } => *retry_after,
            Self::TooFew { needed, of, failed } => failed.retry_after(*needed, *of),
            _ => None,
        }
    }

    /// What the log answered, cut to a bounded length: for the operator, not for callers.
    #[must_use]
    pub fn body(&self) -> Option<&str> {
        match self {
            Self::Answer { body, .. } | Self::Status { body, .. } => Some(body),
            Self::Deadline { last, .. } => last.as_ref()?.body(),
            Self::TooFew { failed, .. } => failed.iter().find_map(|(_, error)| error.body()),
            _ => None,
        }
    }
}
