use core::time::Duration;
use std::thread::sleep;

use fulcio_ct_client::LogKey;
use fulcio_ct_log::reader::{ConsistencyProof, InclusionProof};

use crate::{
    Client, Error, Inclusion, LogProof, TreeHead, Verified, rfc6962_log::Rfc6962Log,
    static_ct_log::StaticCtLog,
};

/// Has a log prove what it holds, and believes nothing that does not verify. It blocks the thread
/// that calls it.
#[derive(Clone, Debug)]
pub struct LogReader {
    log: Client,
    origin: String,
    key: LogKey,
    patience: Duration,
}

/// One way of reading logs. What it gives has not been verified, but for the tree head.
pub(crate) trait Prove {
    /// The latest tree head.
    fn head(&self) -> Result<TreeHead, Error>;

    /// The proof that the precertificate of `verified` is in the tree of `head`; nothing while that
    /// tree does not reach so far.
    fn inclusion(
        &self,
        head: &TreeHead,
        verified: &Verified,
    ) -> Result<Option<InclusionProof>, Error>;

    /// The proof that the tree of `new` begins with the smaller tree of `old`.
    fn consistency(&self, old: &TreeHead, new: &TreeHead) -> Result<ConsistencyProof, Error>;
}

impl LogReader {
    /// The log that is read at `log` and signs with `key`. `origin` is what it calls itself in its
    /// checkpoints: as a rule its URL without the scheme.
    ///
    /// An RFC 6962 log has no such name; the proofs that are saved will call it `origin`.
    #[must_use]
    pub fn new(log: Client, origin: impl Into<String>, key: LogKey) -> Self {
        Self {
            log,
            origin: origin.into(),
            key,
            patience: PATIENCE,
        }
    }

    /// Waits for as long as this, instead of [`PATIENCE`], until the log has published what it has
    /// promised to.
    #[must_use]
    pub fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Has the log prove that it holds the precertificate of `verified`, and, with `since` given, that
    /// its tree has only grown since then.
    ///
    /// A timestamp with an index is of a static-ct log (c2sp.org/static-ct-api), whose tiles are read;
    /// one without is of a log that is asked as RFC 6962 section 4 says.
    ///
    /// A log publishes a moment after it has promised to, which is waited for.
    ///
    /// # Errors
    /// The log cannot be read, is not the log with this key, does not hold the precertificate, or has
    /// not only grown.
    pub fn prove(
        &self,
        verified: &Verified,
        since: Option<&TreeHead>,
    ) -> Result<(LogProof, Inclusion), Error> {
        let log = self.opened(verified);
        let (head, inclusion) = self.published(&*log, verified)?;
        let earlier = match since {
            Some(since) => Some((since, consistency(&*log, since, &head)?)),
            None => None,
        };
        let proof = LogProof::new(verified.certificate.clone(), &head, inclusion, earlier);
        let proven = proof.verify(verified, since, Some(&self.origin), &self.key)?;
        Ok((proof, proven))
    }

    fn opened(&self, verified: &Verified) -> Box<dyn Prove + '_> {
        match verified.timestamp.leaf_index() {
            Ok(Some(_)) => Box::new(StaticCtLog::new(&self.log, &self.origin, &self.key)),
            Ok(None) | Err(_) => Box::new(Rfc6962Log::new(&self.log, &self.origin, &self.key)),
        }
    }

    fn published(
        &self,
        log: &dyn Prove,
        verified: &Verified,
    ) -> Result<(TreeHead, InclusionProof), Error> {
        let mut waited = Duration::ZERO;
        loop {
            let head = log.head()?;
            if let Some(proof) = log.inclusion(&head, verified)? {
                return Ok((head, proof));
            }
            if waited >= self.patience {
                return Err(absent(&head, verified));
            }
            sleep(STEP);
            waited += STEP;
        }
    }
}

fn consistency(
    log: &dyn Prove,
    earlier: &TreeHead,
    head: &TreeHead,
) -> Result<ConsistencyProof, Error> {
    let (old_size, new_size) = (earlier.checkpoint().size(), head.checkpoint().size());
    if old_size > new_size {
        return Err(Error::Shrunk {
            earlier: old_size,
            size: new_size,
        });
    }
    earlier.is_not_a_fork_of(head)?;
    if old_size == 0 || old_size == new_size {
        return Ok(ConsistencyProof {
            old_size,
            new_size,
            path: Vec::new(),
        });
    }
    log.consistency(earlier, head)
}

/// Why the precertificate is not in the tree: it is early, or the log has broken its promise.
fn absent(head: &TreeHead, verified: &Verified) -> Error {
    let tree = head.checkpoint();
    let after = tree
        .timestamp()
        .saturating_sub(verified.timestamp.timestamp());
    let after = Duration::from_millis(after);
    if after < MAX_MERGE_DELAY {
        Error::NotYet { size: tree.size() }
    } else {
        Error::Withheld {
            size: tree.size(),
            after,
        }
    }
}

/// How long a log may take to publish what it has promised, before that is an error.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// The longest time that logs give themselves to publish (RFC 6962 section 3).
const MAX_MERGE_DELAY: Duration = Duration::from_secs(24 * 60 * 60);

const STEP: Duration = Duration::from_millis(50);
