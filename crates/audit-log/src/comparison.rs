use core::time::Duration;
use std::{
    collections::{BTreeSet, HashSet},
    time::SystemTime,
};

use crate::{
    CertificateFacts, Digest, Trail,
    trail::{Place, Promise},
};

/// An entry of a log, as a [`Comparison`] looks at it.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_enums, reason = "RFC 6962 section 3.1")]
pub enum LogEntry<'a> {
    /// A certificate, in DER.
    Certificate(&'a [u8]),
    /// A precertificate.
    Precertificate {
        /// SHA-256 of the issuer's public key.
        issuer_key_hash: [u8; 32],
        /// The `TBSCertificate` as the log has it.
        tbs: &'a [u8],
    },
}

/// Holds a trail against one log, entry by entry.
///
/// Only entries of the authority are judged, and only those that the log took while the trail was
/// kept: since the moment at which the last of its nodes began, or [`since`](Self::since), and
/// [`until`](Self::until) a moment, because a record is written after the log has answered.
#[derive(Debug)]
pub struct Comparison<'a> {
    trail: &'a Trail,
    log: Digest,
    issuer_keys: BTreeSet<Digest>,
    issuer_names: HashSet<Vec<u8>>,
    since: u64,
    until: u64,
    /// What the log has of what the trail knows, and when it took it.
    seen: HashSet<(Digest, Digest, u64)>,
    /// Certificates that no line has, with their issuers' names; whose they are is known at the end.
    strangers: Vec<(Unrecorded, Vec<u8>)>,
    found: Discrepancies,
}

/// What is in one and not in the other.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Discrepancies {
    /// Entries that no line of the trail knows: issued round the server, or lines were lost.
    pub unrecorded: Vec<Unrecorded>,
    /// Promises that the log has not kept though the time for it is over.
    pub unlogged: Vec<Unlogged>,
    /// Entries of the authority that were judged.
    pub judged: u64,
    /// Entries of the authority from before the trail began.
    pub earlier: u64,
    /// Entries of the authority from after the time that was judged.
    pub later: u64,
    /// Entries of other authorities.
    pub others: u64,
    /// Promises of the log that were judged.
    pub promises: u64,
    /// Promises of the log whose time is not over.
    pub pending: u64,
    /// Promises of other logs.
    pub elsewhere: u64,
    /// Records that the trail says that could not be kept.
    pub lost: u64,
}

/// An entry of a log that no line of the trail knows.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unrecorded {
    /// Its place in the log.
    pub index: u64,
    /// When the log took it, in milliseconds since 1970.
    pub timestamp: u64,
    /// Whether it is a precertificate.
    pub is_precertificate: bool,
    /// SHA-256 of the certificate, or of the `TBSCertificate` of a precertificate.
    pub sha256: Digest,
}

/// A promise of a log that it has not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unlogged {
    /// The node in whose chain the line is.
    pub node: String,
    /// The sequence number of the line.
    pub seq: u64,
    /// The serial number in the line.
    pub serial: Option<String>,
    /// When the log promised, in milliseconds since 1970.
    pub timestamp: u64,
}

impl<'a> Comparison<'a> {
    /// Of `trail` with the log whose key has this SHA-256. Whose precertificates are in the trail is
    /// the authority.
    #[must_use]
    pub fn new(trail: &'a Trail, log: [u8; 32]) -> Self {
        let began = trail.began.values().max();
        Self {
            trail,
            log: Digest(log),
            issuer_keys: trail.issuer_keys.clone(),
            issuer_names: HashSet::new(),
            since: began.map_or(0, |began| millis(*began)),
            until: u64::MAX,
            seen: HashSet::new(),
            strangers: Vec::new(),
            found: Discrepancies {
                lost: trail.lost,
                ..Discrepancies::default()
            },
        }
    }

    /// Judges entries of the authority with this certificate as well.
    ///
    /// # Errors
    /// It is not a certificate.
    pub fn issuer(mut self, certificate: &[u8]) -> der::Result<Self> {
        let facts = CertificateFacts::read(certificate)?;
        self.issuer_keys.insert(facts.key_hash());
        self.issuer_names.insert(facts.subject.to_vec());
        Ok(self)
    }

    /// Judges entries since this moment, instead of the beginning of the trail.
    #[must_use]
    pub fn since(mut self, time: SystemTime) -> Self {
        self.since = millis(time);
        self
    }

    /// Judges entries until this moment only.
    #[must_use]
    pub fn until(mut self, time: SystemTime) -> Self {
        self.until = millis(time);
        self
    }

    /// Whether it is known whose entries are to be judged.
    #[must_use]
    pub fn has_issuer(&self) -> bool {
        !self.issuer_keys.is_empty() || !self.trail.certificates.is_empty()
    }

    /// Looks at one entry, which the log took at `timestamp`, in milliseconds since 1970. Tells
    /// whether it may be one that the trail does not know.
    pub fn add(&mut self, index: u64, timestamp: u64, entry: LogEntry<'_>) -> bool {
        match entry {
            LogEntry::Certificate(der) => self.certificate(index, timestamp, der),
            LogEntry::Precertificate {
                issuer_key_hash,
                tbs,
            } => {
                let key = (Digest(issuer_key_hash), Digest::of(tbs));
                self.precertificate(index, timestamp, key)
            }
        }
    }

    fn precertificate(&mut self, index: u64, timestamp: u64, key: (Digest, Digest)) -> bool {
        let (issuer_key, tbs) = key;
        if self.trail.precertificates.contains(&key) {
            self.seen.insert((issuer_key, tbs, timestamp));
        }
        if !self.issuer_keys.contains(&issuer_key) {
            self.found.others += 1;
            return false;
        }
        if !self.is_judged(timestamp) || self.trail.precertificates.contains(&key) {
            return false;
        }
        self.found.unrecorded.push(Unrecorded {
            index,
            timestamp,
            is_precertificate: true,
            sha256: tbs,
        });
        true
    }

    fn certificate(&mut self, index: u64, timestamp: u64, der: &[u8]) -> bool {
        let sha256 = Digest::of(der);
        let Ok(facts) = CertificateFacts::read(der) else {
            self.found.others += 1;
            return false;
        };
        if self.trail.certificates.contains(&sha256) {
            self.seen.insert((Digest::ZERO, sha256, timestamp));
            self.issuer_names.insert(facts.issuer.to_vec());
            self.is_judged(timestamp);
            return false;
        }
        let stranger = Unrecorded {
            index,
            timestamp,
            is_precertificate: false,
            sha256,
        };
        self.strangers.push((stranger, facts.issuer.to_vec()));
        true
    }

    /// Whether an entry of the authority is within the time that is judged; counts it.
    fn is_judged(&mut self, timestamp: u64) -> bool {
        let count = if timestamp < self.since {
            &mut self.found.earlier
        } else if timestamp > self.until {
            &mut self.found.later
        } else {
            self.found.judged += 1;
            return true;
        };
        *count += 1;
        false
    }

    /// All entries were looked at that the log had at `tree_time`, in milliseconds since 1970. Within
    /// `merge_delay` it keeps its promises.
    #[must_use]
    pub fn finish(mut self, tree_time: u64, merge_delay: Duration) -> Discrepancies {
        for (stranger, issuer) in core::mem::take(&mut self.strangers) {
            if !self.issuer_names.contains(&issuer) {
                self.found.others += 1;
            } else if self.is_judged(stranger.timestamp) {
                self.found.unrecorded.push(stranger);
            }
        }
        self.found.unrecorded.sort_by_key(|entry| entry.index);
        let delay = u64::try_from(merge_delay.as_millis()).unwrap_or(u64::MAX);
        for promise in &self.trail.promises {
            if promise.log != self.log {
                self.found.elsewhere += 1;
            } else if self.is_kept(promise) {
                self.found.promises += 1;
            } else if promise.timestamp.saturating_add(delay) >= tree_time {
                self.found.pending += 1;
            } else {
                self.found.promises += 1;
                self.found.unlogged.push(Unlogged {
                    node: promise.node.clone(),
                    seq: promise.seq,
                    serial: promise.serial.clone(),
                    timestamp: promise.timestamp,
                });
            }
        }
        self.found
    }

    fn is_kept(&self, promise: &Promise) -> bool {
        let (one, other) = match promise.place {
            Place::Certificate(sha256) => (Digest::ZERO, sha256),
            Place::Precertificate { issuer_key, tbs } => (issuer_key, tbs),
        };
        self.seen.contains(&(one, other, promise.timestamp))
    }
}

fn millis(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| {
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    })
}
