use core::num::NonZeroUsize;
use std::sync::Arc;

use tokio::{
    sync::Semaphore,
    task::{JoinError, JoinSet},
};

use crate::{
    Error, LogFailures, SignedCertificateTimestamp, Submission, Timestamps, TransparencyLog,
    submission::OwnedSubmission,
};

/// The logs that every certificate is given to, and how many of them must promise to publish it.
///
/// All are asked at the same time. As soon as enough have promised there is an answer; those that
/// have not answered yet go on without anybody waiting for them, and what they promise later is
/// told to the program's own log. As soon as too many have failed there is none, and those that
/// have not answered yet are not waited for.
///
/// A single log is one of these too: `Logs::from(Arc::new(log))`.
#[derive(Clone, Debug)]
pub struct Logs {
    logs: Arc<[NamedLog]>,
    needed: usize,
    embedded: usize,
    latecomers: Arc<Semaphore>,
}

/// A log, and what operators call it.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "a name and what it names")]
pub struct NamedLog {
    /// Its URL or another short name; whoever may see an error may see it.
    pub name: String,
    /// The log.
    pub log: Arc<dyn TransparencyLog>,
}

/// How many of several logs must promise to publish a certificate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "complete")]
pub enum Rule {
    /// Every one.
    #[default]
    All,
    /// So many of them, whichever.
    Any(NonZeroUsize),
}

/// Why logs cannot be used together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LogsError {
    /// More timestamps are to be embedded than there need be.
    #[error(
        "{embedded} timestamps cannot be embedded, for the rule wants promises of {needed} only"
    )]
    Embedded {
        /// How many are to be embedded.
        embedded: usize,
        /// How many there are at least.
        needed: usize,
    },
    /// The rule wants more logs than there are.
    #[error("promises of {needed} logs are wanted, and there are {of}")]
    Needed {
        /// How many must promise.
        needed: usize,
        /// How many there are.
        of: usize,
    },
    /// There is no log.
    #[error("there is no log")]
    None,
}

impl Logs {
    /// Asks these logs, of which so many must promise as `rule` says. One timestamp is embedded,
    /// that of the first log among those which have promised.
    ///
    /// # Errors
    /// There are no logs, or fewer than the rule wants.
    pub fn new(logs: Vec<NamedLog>, rule: Rule) -> Result<Self, LogsError> {
        let of = logs.len();
        let needed = match rule {
            Rule::All => of,
            Rule::Any(needed) => needed.get(),
        };
        if of == 0 {
            return Err(LogsError::None);
        }
        if needed > of {
            return Err(LogsError::Needed { needed, of });
        }
        Ok(Self {
            logs: logs.into(),
            needed,
            embedded: 1,
            latecomers: Arc::new(Semaphore::new(MAX_LATECOMERS)),
        })
    }

    /// Embeds so many timestamps instead of one. Some clients, sigstore-python among them, refuse
    /// a certificate with more than one.
    ///
    /// # Errors
    /// The rule does not promise that there will be as many.
    pub fn with_embedded(mut self, embedded: NonZeroUsize) -> Result<Self, LogsError> {
        let embedded = embedded.get();
        if embedded > self.needed {
            let needed = self.needed;
            return Err(LogsError::Embedded { embedded, needed });
        }
        self.embedded = embedded;
        Ok(self)
    }

    /// The logs, in the order of preference.
    pub fn iter(&self) -> impl Iterator<Item = &NamedLog> {
        self.logs.iter()
    }

    /// How many of them must promise.
    #[must_use]
    pub fn needed(&self) -> usize {
        self.needed
    }

    /// Submits one certificate or precertificate to all of them.
    ///
    /// # Errors
    /// Of a single log its own; of several [`Error::TooFew`].
    ///
    /// # Panics
    /// One of the logs does.
    pub async fn submit(&self, submission: Submission<'_>) -> Result<Timestamps, Error> {
        if let [only] = &*self.logs {
            return only.log.submit(submission).await.map(Timestamps::from);
        }
        let submission = Arc::new(OwnedSubmission::from(submission));
        let mut running = JoinSet::new();
        for (index, NamedLog { log, .. }) in self.logs.iter().enumerate() {
            let (log, submission) = (Arc::clone(log), Arc::clone(&submission));
            let asking = async move { (index, log.submit(submission.borrowed()).await) };
            running.spawn(asking);
        }
        let mut promised = Vec::with_capacity(self.logs.len());
        let mut failed = Vec::new();
        while promised.len() < self.needed {
            // There are no fewer left than are needed, or too many would have failed.
            let Some(ended) = running.join_next().await else {
                break;
            };
            match unwound(ended) {
                (index, Ok(timestamp)) => promised.push((index, timestamp)),
                (index, Err(error)) => failed.push((self.logs[index].name.clone(), error)),
            }
            if failed.len() > self.logs.len() - self.needed {
                return Err(Error::TooFew {
                    needed: self.needed,
                    of: self.logs.len(),
                    failed: LogFailures(failed),
                });
            }
        }
        // Who has answered meanwhile is not late.
        while let Some(ended) = running.try_join_next() {
            match unwound(ended) {
                (index, Ok(timestamp)) => promised.push((index, timestamp)),
                (index, Err(error)) => failed.push((self.logs[index].name.clone(), error)),
            }
        }
        for (log, error) in &failed {
            tell_failure(log, error);
        }
        self.leave(running, submission);
        promised.sort_by_key(|(index, _)| *index);
        let mut embedded: Vec<_> = promised.into_iter().map(|(_, promise)| promise).collect();
        let beside = embedded.split_off(self.embedded);
        Ok(Timestamps { embedded, beside })
    }

    /// Lets the logs go on that have not answered, as many as memory and connections allow; others
    /// are told that nobody listens any more.
    fn leave(&self, mut running: JoinSet<Answer>, submission: Arc<OwnedSubmission>) {
        if running.is_empty() {
            return;
        }
        let Ok(permit) = Arc::clone(&self.latecomers).try_acquire_owned() else {
            return;
        };
        let logs = Arc::clone(&self.logs);
        // The request's span is over when the request is.
        tokio::spawn(async move {
            while let Some(ended) = running.join_next().await {
                match ended {
                    Ok((index, Ok(timestamp))) => tracing::info!(
                        log = logs[index].name,
                        timestamp = timestamp.to_json(),
                        certificate_sha256 = submission.fingerprint(),
                        "a log promised after enough others had"
                    ),
                    Ok((index, Err(error))) => tell_failure(&logs[index].name, &error),
                    Err(panicked) => tracing::error!("a log panicked: {panicked}"),
                }
            }
            drop(permit);
        });
    }
}

/// Enough others have promised, so that nobody but the operator is told. That a breaker is open has
/// been said when it opened.
fn tell_failure(log: &str, error: &Error) {
    let cause = error as &dyn core::error::Error;
    if matches!(error, Error::BreakerOpen { .. }) {
        tracing::debug!(log, error = cause, "a log failed");
    } else {
        tracing::warn!(log, error = cause, "a log failed");
    }
}

impl From<NamedLog> for Logs {
    fn from(log: NamedLog) -> Self {
        Self {
            logs: [log].into(),
            needed: 1,
            embedded: 1,
            latecomers: Arc::new(Semaphore::new(MAX_LATECOMERS)),
        }
    }
}

impl From<Arc<dyn TransparencyLog>> for Logs {
    fn from(log: Arc<dyn TransparencyLog>) -> Self {
        let name = "the log".to_owned();
        Self::from(NamedLog { name, log })
    }
}

impl<L: TransparencyLog + 'static> From<Arc<L>> for Logs {
    fn from(log: Arc<L>) -> Self {
        Self::from(log as Arc<dyn TransparencyLog>)
    }
}

type Answer = (usize, Result<SignedCertificateTimestamp, Error>);

/// A log that panics is a fault of ours, which is the caller's to contain.
fn unwound(ended: Result<Answer, JoinError>) -> Answer {
    ended.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
}

/// So many submissions may have logs that nobody waits for any more.
const MAX_LATECOMERS: usize = 256;
