//! What the tests of the log share.
#![allow(dead_code, reason = "each test uses its part")]

use std::{
    fmt::Write as _,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use fulcio_ct_client::{Entry, Error, SignedCertificateTimestamp, Submission, TransparencyLog};
use fulcio_ct_log::{
    EmbeddedLog, Options,
    reader::{Checkpoint, Reader, Source, leaf_hash},
};
use pki_types::CertificateDer;

pub(crate) const ORIGIN: &str = "log.example.com/2026";

/// Seconds since 1970 at which the clocks of tests start.
pub(crate) const START: u64 = 1_800_000_000;

/// A clock that tests set.
#[derive(Clone, Debug)]
pub(crate) struct TestClock(Arc<AtomicU64>);

impl TestClock {
    pub(crate) fn new() -> Self {
        Self(Arc::new(AtomicU64::new(START)))
    }

    pub(crate) fn set(&self, seconds: u64) {
        self.0.store(seconds, Ordering::SeqCst);
    }

    pub(crate) fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(self.0.load(Ordering::SeqCst))
    }

    pub(crate) fn options(&self) -> Options {
        let clock = self.clone();
        let mut options = Options::new(move || clock.now()).with_origin(ORIGIN);
        options.publish_interval = Duration::from_millis(5);
        options
    }
}

/// A submission that a number stands for: of every three one is a certificate, the others are
/// precertificates.
#[derive(Debug)]
pub(crate) struct Numbered {
    certificate: CertificateDer<'static>,
    tbs: Option<Vec<u8>>,
    pub(crate) issuers: Vec<CertificateDer<'static>>,
}

impl Numbered {
    pub(crate) fn new(number: u64) -> Self {
        let named = |name: &str| format!("{name} {number}").into_bytes();
        let issuer =
            |name: &str| CertificateDer::from(format!("{name} {}", number % 2).into_bytes());
        Self {
            certificate: named("certificate").into(),
            tbs: (!number.is_multiple_of(3)).then(|| named("to be signed")),
            issuers: vec![issuer("intermediate"), issuer("root")],
        }
    }

    pub(crate) fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    pub(crate) fn entry(&self) -> Entry<'_> {
        match &self.tbs {
            None => Entry::Certificate(&self.certificate),
            Some(tbs) => Entry::Precertificate {
                issuer_key_hash: [7; 32],
                tbs,
            },
        }
    }

    pub(crate) async fn submit(
        &self,
        log: &EmbeddedLog,
    ) -> Result<SignedCertificateTimestamp, Error> {
        let submission = Submission {
            entry: self.entry(),
            certificate: &self.certificate,
            issuers: &self.issuers,
        };
        log.submit(submission).await
    }

    /// The promise of this timestamp, as a line for the reader in `tests/reader`.
    pub(crate) fn promise(&self, timestamp: &SignedCertificateTimestamp) -> String {
        let sct = hex(&timestamp.encode());
        match self.entry() {
            Entry::Certificate(certificate) => format!("{sct} x509 {}", hex(certificate)),
            Entry::Precertificate {
                issuer_key_hash,
                tbs,
            } => format!("{sct} precert {} {}", hex(&issuer_key_hash), hex(tbs)),
        }
    }
}

/// Submits these numbers all at once, and waits until all are published.
pub(crate) async fn fill(
    log: &Arc<EmbeddedLog>,
    numbers: impl IntoIterator<Item = u64>,
) -> Vec<(u64, SignedCertificateTimestamp)> {
    let tasks: Vec<_> = numbers
        .into_iter()
        .map(|number| {
            let log = Arc::clone(log);
            tokio::spawn(async move { (number, Numbered::new(number).submit(&log).await) })
        })
        .collect();
    let mut timestamps = Vec::new();
    for task in tasks {
        let (number, timestamp) = task.await.expect("no panic");
        timestamps.push((number, timestamp.expect("a healthy log")));
    }
    let last = timestamps
        .iter()
        .filter_map(|(_, timestamp)| index(timestamp))
        .max();
    log.published(last.map_or(0, |last| last + 1))
        .await
        .expect("a healthy log");
    timestamps
}

/// The hashes of all entries of a tree, each seen to be in it.
pub(crate) fn leaves(reader: &Reader<impl Source>, checkpoint: &Checkpoint) -> Vec<[u8; 32]> {
    let mut leaves = Vec::new();
    while (leaves.len() as u64) < checkpoint.size() {
        let tile = reader.entries(checkpoint, leaves.len() as u64);
        leaves.extend(tile.expect("served").leaves().map(|leaf| leaf.hash()));
    }
    leaves
}

/// Whether the entry that a number stands for is among `leaves` where its timestamp says.
pub(crate) fn is_kept(
    leaves: &[[u8; 32]],
    number: u64,
    timestamp: &SignedCertificateTimestamp,
) -> bool {
    let numbered = Numbered::new(number);
    let (time, extensions) = (timestamp.timestamp(), timestamp.extensions());
    let leaf = leaf_hash(numbered.entry(), time, extensions);
    let place = index(timestamp).and_then(|index| usize::try_from(index).ok());
    place.and_then(|place| leaves.get(place)) == Some(&leaf)
}

/// The place in the log that a timestamp says.
pub(crate) fn index(timestamp: &SignedCertificateTimestamp) -> Option<u64> {
    timestamp.leaf_index().expect("well-formed")
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a String");
        text
    })
}

pub(crate) fn unhex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks(2);
    let digits = digits.map(|pair| str::from_utf8(pair).expect("ASCII"));
    digits
        .map(|pair| u8::from_str_radix(pair, 16).expect("hex"))
        .collect()
}
