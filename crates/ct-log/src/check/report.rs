use core::fmt;
use std::io;

use crate::reader::{Hash, NoteError};

/// What [`check`](crate::check()) has found.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Report {
    /// The log's name; nothing when the file that says it is gone or damaged.
    pub origin: Option<String>,
    /// Batches in the journal, as far as it could be read.
    pub batches: u64,
    /// Entries in the journal, as far as it could be read.
    pub entries: u64,
    /// The Merkle tree hash of these entries.
    pub root: Hash,
    /// Entries in the published tree, if one is published.
    pub published: Option<u64>,
    /// Tiles that were compared with the journal.
    pub tiles: u64,
    /// Issuers that were compared with the journal.
    pub issuers: u64,
    /// Tiles and issuers that could not be compared, because the journal cannot be read so far.
    pub not_compared: u64,
    /// What is wrong, by file.
    pub findings: Vec<Finding>,
    /// Findings that are left off, because there are too many.
    pub omitted: u64,
}

/// Something that is wrong with one file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// The file, relative to the log's folder.
    pub file: String,
    /// What is wrong with it.
    pub problem: Problem,
}

/// How bad a [`Problem`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Severity {
    /// Nothing has to be done.
    Harmless,
    /// Readers may miss something now. The log makes the file again from its journal when it is
    /// opened after the file was removed.
    Repairable,
    /// The log cannot mend it: restore the file from a backup.
    Damage,
}

/// What can be wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// The checkpoint is of a larger tree than the journal holds.
    #[error("is of {published} entries, and the journal has {held}")]
    Behind {
        /// Entries in the journal.
        held: u64,
        /// Entries in the published tree.
        published: u64,
    },
    /// It is not what the log wrote. What comes after it in the journal was not looked at.
    #[error("is damaged at byte {offset}")]
    Damaged {
        /// Where the damage begins.
        offset: u64,
    },
    /// It is not what follows from the journal.
    #[error("differs at byte {offset} from what the journal says")]
    Differs {
        /// The first byte that differs.
        offset: u64,
    },
    /// The checkpoint is not of the entries that the journal begins with.
    #[error("is not of the journal's first {size} entries")]
    Fork {
        /// Entries in the published tree.
        size: u64,
    },
    /// It is not a key of the kind that belongs there.
    #[error("is not a key of the right kind")]
    Key,
    /// The key is not the one that the log was made with.
    #[error("is not the key that the log was made with")]
    KeyMismatch,
    /// It was left by a crash, or is not needed any more; the log removes it some time.
    #[error("is not needed any more")]
    Leftover,
    /// It is not there.
    #[error("is missing")]
    Missing,
    /// The signature was not verified, as no public key is at hand.
    #[error("was not verified, as the log's public key is not in the folder and was not given")]
    NoKey,
    /// The checkpoint is not one of the log.
    #[error("is not believed: {0}")]
    Note(NoteError),
    /// The key is not the one of the checkpoint's second signature.
    #[error("is not the key of the checkpoint's second signature")]
    NoteKeyMismatch,
    /// The second signature of the checkpoint does not verify.
    #[error("has a second signature that does not verify")]
    NoteSignature,
    /// An entry is older than the one before it.
    #[error("has an entry, {index}, that is older than the one before it")]
    Order {
        /// The entry.
        index: u64,
    },
    /// Only the log's own user may read it, and it was not looked at.
    #[error("may not be read, and was not looked at")]
    Private,
    /// It says something of the journal that is not so; the next opening reads the whole journal.
    #[error("does not fit the journal, so that the next opening reads all of it")]
    Stale,
    /// The last batch is not complete: a crash has torn it, or it is being written. Nobody was
    /// told of what is in it, and the next opening cuts it off.
    #[error("ends with {bytes} bytes of a batch that is not complete")]
    Torn {
        /// Bytes of it.
        bytes: u64,
    },
    /// It is of entries that the journal has not got.
    #[error("is of entries that the journal has not got")]
    Unexpected,
    /// It is nothing that the log wrote.
    #[error("is nothing of the log's")]
    Unknown,
    /// An entry refers to an issuer that the journal has not got.
    #[error("has not got an issuer of entry {index}")]
    UnknownIssuer {
        /// The first such entry.
        index: u64,
    },
    /// It cannot be read.
    #[error("cannot be read: {kind}")]
    Unreadable {
        /// What the system said.
        kind: io::ErrorKind,
    },
}

impl Report {
    /// Whether nothing has to be done.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.severity()
            .is_none_or(|worst| worst == Severity::Harmless)
    }

    /// How bad the worst of the findings is.
    #[must_use]
    pub fn severity(&self) -> Option<Severity> {
        self.findings.iter().map(Finding::severity).max()
    }

    pub(super) fn add(&mut self, file: impl Into<String>, problem: Problem) {
        let finding = Finding {
            file: file.into(),
            problem,
        };
        if self.findings.len() < MAX_FINDINGS {
            self.findings.push(finding);
            return;
        }
        self.omitted += 1;
        // The worst are not the ones that are left off.
        let severity = finding.severity();
        let milder = self.findings.iter_mut().rev();
        if let Some(milder) = milder
            .into_iter()
            .find(|milder| milder.severity() < severity)
        {
            *milder = finding;
        }
    }

    pub(super) fn sort(&mut self) {
        self.findings.sort_by(|a, b| a.file.cmp(&b.file));
    }
}

impl Finding {
    /// How bad it is. What can be made from the journal again is not lost while that is good.
    #[must_use]
    pub fn severity(&self) -> Severity {
        let derived = self.file.starts_with("public/") && self.file != "public/checkpoint";
        match self.problem {
            Problem::Leftover
            | Problem::NoKey
            | Problem::Private
            | Problem::Stale
            | Problem::Torn { .. }
            | Problem::Unknown => Severity::Harmless,
            Problem::Differs { .. } | Problem::Unreadable { .. } if derived => Severity::Repairable,
            // Without a checkpoint, the next one is signed for what the journal has.
            Problem::Missing if self.file.starts_with("public/") => Severity::Repairable,
            Problem::Behind { .. }
            | Problem::Damaged { .. }
            | Problem::Differs { .. }
            | Problem::Fork { .. }
            | Problem::Key
            | Problem::KeyMismatch
            | Problem::Missing
            | Problem::Note(_)
            | Problem::NoteKeyMismatch
            | Problem::NoteSignature
            | Problem::Order { .. }
            | Problem::Unexpected
            | Problem::UnknownIssuer { .. }
            | Problem::Unreadable { .. } => Severity::Damage,
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` {}", self.file, self.problem)
    }
}

/// The most findings in a report.
const MAX_FINDINGS: usize = 1000;
