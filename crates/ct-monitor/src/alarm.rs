use core::fmt;

use serde::{Deserialize, Serialize};

/// That a log does what a log must not do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Alarm {
    /// The same for the same alarm told twice, and for no other: the log, the kind, the moment.
    pub id: String,
    /// The log, as the monitor calls it.
    pub log: String,
    /// What it does.
    pub kind: AlarmKind,
    /// The same in words, with figures.
    pub detail: String,
    /// When it was noticed (RFC 3339).
    pub since: String,
    /// The file in the log's state folder with both signed tree heads, where there are two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<String>,
}

/// What a log must not do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum AlarmKind {
    /// It serves entries, or hashes of entries, that are not those of its tree head.
    BadEntry,
    /// Its tree head is not signed by its key, or is another log's.
    BadSignature,
    /// It signs a tree that does not begin with the tree that it signed before.
    Fork,
    /// It signs a tree with fewer entries than before.
    Shrink,
    /// It signs nothing new, or withholds the entries of what it has signed.
    Stopped,
}

impl fmt::Display for AlarmKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BadEntry => "bad entry",
            Self::BadSignature => "bad signature",
            Self::Fork => "fork",
            Self::Shrink => "shrink",
            Self::Stopped => "stopped",
        })
    }
}
