use serde::{Deserialize, Serialize};

use crate::{Alarm, Subject};

/// What a monitor has to tell. As JSON, each has a `type`.
///
/// It may be told more than once; [`id`](Self::id) says what is the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Event {
    /// A log does what it must not do.
    Alarm(Alarm),
    /// A log does no longer what the alarm was about. What was wrong before stays wrong.
    AlarmEnded(Alarm),
    /// A log has a certificate that is watched for.
    Certificate(Box<Sighting>),
    /// A log has an entry that cannot be read as a certificate, so that nobody knows for whom it is.
    Unreadable(Unreadable),
}

impl Event {
    /// The same for the same event told twice, and for no other of the same type.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::Alarm(alarm) | Self::AlarmEnded(alarm) => &alarm.id,
            Self::Certificate(sighting) => &sighting.id,
            Self::Unreadable(unreadable) => &unreadable.id,
        }
    }

    /// The log, as the monitor calls it.
    #[must_use]
    pub fn log(&self) -> &str {
        match self {
            Self::Alarm(alarm) | Self::AlarmEnded(alarm) => &alarm.log,
            Self::Certificate(sighting) => &sighting.log,
            Self::Unreadable(unreadable) => &unreadable.log,
        }
    }
}

/// A certificate in a log, proven to be in its tree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Sighting {
    /// The log and the index.
    pub id: String,
    /// The log, as the monitor calls it.
    pub log: String,
    /// Its place in the log.
    pub index: u64,
    /// When the log took it, in milliseconds since 1970.
    pub timestamp_ms: u64,
    /// The same moment (RFC 3339), where it is one that can be written.
    pub time: Option<String>,
    /// The names of the watches that it is for.
    pub watches: Vec<String>,
    /// What it says.
    pub certificate: Subject,
    /// Whether the log has it as a precertificate: it promised the certificate, which it has not seen.
    pub precertificate: bool,
    /// The `TBSCertificate` that the tree covers (RFC 6962, section 3.2), DER in base64.
    pub tbs_certificate: String,
}

/// An entry that is proven to be in the tree of a log, and that is not a certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Unreadable {
    /// The log and the index.
    pub id: String,
    /// The log, as the monitor calls it.
    pub log: String,
    /// Its place in the log.
    pub index: u64,
    /// What of it cannot be read, and why.
    pub problems: Vec<String>,
}
