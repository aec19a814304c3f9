use core::{fmt, time::Duration};
use std::{sync::Arc, time::SystemTime};

use pki_types::PrivatePkcs8KeyDer;

/// How a log is opened. [`new`](Self::new) has the defaults; the fields may be changed.
#[derive(Debug)]
#[non_exhaustive]
pub struct Options {
    /// The log's name in its checkpoints: a schema-less URL without a slash at its end, below
    /// which the log is served, such as `log.example.com/2026`. Needed to create a log; it is
    /// kept in the folder and never changes.
    pub origin: Option<String>,
    /// The signing key, ECDSA on P-256 in PKCS#8, for who keeps it elsewhere. Without one, the
    /// log makes its own when it is created and keeps it in the folder.
    pub key: Option<PrivatePkcs8KeyDer<'static>>,
    /// Whether checkpoints are signed a second time, and with which key.
    pub note_key: NoteKey,
    /// The wall clock. Timestamps never go back, even when it does.
    pub clock: Clock,
    /// How long a submission may wait for its entry to be durable.
    pub timeout: Duration,
    /// How many submissions may wait; one more is refused.
    pub queue: usize,
    /// How many entries a batch has at most.
    pub batch: usize,
    /// How long a batch waits for more entries, when the one before had more than one.
    pub batch_delay: Duration,
    /// The shortest time between two checkpoints of a growing log.
    pub publish_interval: Duration,
    /// How old the checkpoint of an idle log becomes before it is signed again.
    pub refresh_interval: Duration,
}

impl Options {
    /// The defaults, with the clock to read.
    #[must_use]
    pub fn new(clock: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        Self {
            origin: None,
            key: None,
            note_key: NoteKey::None,
            clock: Clock(Arc::new(clock)),
            timeout: Duration::from_secs(10),
            queue: 4096,
            batch: 1024,
            batch_delay: Duration::ZERO,
            publish_interval: Duration::from_millis(500),
            refresh_interval: Duration::from_secs(600),
        }
    }

    /// The same with an origin, for a log that may have to be created.
    #[must_use]
    pub fn with_origin(mut self, origin: impl Into<String>) -> Self {
        self.origin = Some(origin.into());
        self
    }
}

/// The key of the Ed25519 signature that checkpoints may carry beside the log's own
/// (c2sp.org/signed-note), for witnesses and other readers that know no certificates.
///
/// It may come and go: who believes a log by its own key does not see it.
#[derive(Debug, Default)]
#[non_exhaustive]
pub enum NoteKey {
    /// The key that somebody has put into the log's folder as `note-key.pem`; without one, no second
    /// signature.
    Found,
    /// A key of somebody who keeps it elsewhere: Ed25519 in PKCS#8 (RFC 8410).
    Given(PrivatePkcs8KeyDer<'static>),
    /// A key in the log's folder, `note-key.pem`; the log makes it when it is not there.
    Kept,
    /// No second signature.
    #[default]
    None,
}

/// Where the log reads the time.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> SystemTime + Send + Sync>);

impl Clock {
    pub(crate) fn now(&self) -> SystemTime {
        (self.0)()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

/// Milliseconds since 1970; before that there is no timestamp (RFC 6962, section 3.2).
pub(crate) fn millis(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| {
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    })
}
