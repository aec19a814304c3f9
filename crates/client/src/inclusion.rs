use der::DateTime;
use fulcio_ct_client::LogKey;

use crate::{Client, Error, LogReader, TreeHead, Verified};

/// That a log holds a certificate, proven from what the log has published and signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Inclusion {
    /// The certificate's place in the log.
    pub leaf_index: u64,
    /// How many entries the tree had from which it was proven.
    pub tree_size: u64,
    /// When the log signed that tree, in milliseconds since 1970.
    pub tree_time_ms: u64,
    /// The earlier tree that this tree was proven to begin with.
    pub since: Option<EarlierTree>,
}

/// A tree that the log had signed before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EarlierTree {
    /// How many entries it had.
    pub size: u64,
    /// When the log signed it, in milliseconds since 1970.
    pub time_ms: u64,
}

impl Inclusion {
    /// When the log signed the tree (RFC 3339).
    #[must_use]
    pub fn tree_time(&self) -> String {
        rfc3339(self.tree_time_ms)
    }
}

impl EarlierTree {
    pub(crate) fn of(head: &TreeHead) -> Self {
        Self {
            size: head.checkpoint().size(),
            time_ms: head.checkpoint().timestamp(),
        }
    }

    /// When the log signed it (RFC 3339).
    #[must_use]
    pub fn time(&self) -> String {
        rfc3339(self.time_ms)
    }
}

/// Has the log behind `log` prove that it holds the precertificate of `verified`. `origin` is what the
/// log calls itself in its checkpoints: as a rule its URL without the scheme.
///
/// This is [`LogReader::prove`] for those who keep no proof.
///
/// # Errors
/// The log cannot be read, is not the log with this key, or does not hold the precertificate.
pub fn prove_inclusion(
    log: &Client,
    origin: &str,
    key: &LogKey,
    verified: &Verified,
) -> Result<Inclusion, Error> {
    let reader = LogReader::new(log.clone(), origin, key.clone());
    let (_proof, inclusion) = reader.prove(verified, None)?;
    Ok(inclusion)
}

/// A moment in milliseconds since 1970 in the form of RFC 3339; nothing for a year above 9999.
pub(crate) fn rfc3339(ms: u64) -> String {
    let moment = core::time::Duration::from_millis(ms);
    DateTime::from_unix_duration(moment)
        .map_or_else(|_out_of_range| String::new(), |time| time.to_string())
}
