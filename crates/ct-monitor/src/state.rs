use base64::{Engine as _, engine::general_purpose::STANDARD};
use fulcio_ct_log::reader::Source;
use serde::{Deserialize, Serialize};

use crate::{
    Alarm, Error, Protocol,
    frontier::Frontier,
    head::{self, Head},
    log_view::LogView,
    outbox::Outbox,
    store::Store,
    subject::hex,
};

/// What is known of one log. Moments are in milliseconds since 1970.
#[derive(Clone, Debug)]
pub(crate) struct State {
    /// The largest tree that the log has signed and that begins with all those before.
    pub(crate) head: Option<Head>,
    /// The entries that were looked at.
    pub(crate) seen: Frontier,
    /// When the log was last known to be alive.
    pub(crate) fresh: u64,
    /// Since when the log has not served an entry that it has signed.
    pub(crate) withheld: Option<u64>,
    /// What it does wrong.
    pub(crate) alarms: Vec<Alarm>,
    /// What has to be told.
    pub(crate) outbox: Outbox,
}

/// The same as it is kept.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stored {
    version: u32,
    protocol: Protocol,
    origin: String,
    key_id: String,
    head: Option<String>,
    seen: u64,
    frontier: Vec<String>,
    fresh: u64,
    withheld: Option<u64>,
    alarms: Vec<Alarm>,
    outbox: Outbox,
}

impl State {
    /// Nothing is known yet.
    pub(crate) fn new(now: u64) -> Self {
        Self {
            head: None,
            seen: Frontier::default(),
            fresh: now,
            withheld: None,
            alarms: Vec::new(),
            outbox: Outbox::default(),
        }
    }

    /// Reads what an earlier run knew; nothing when there was none. The tree head is verified again.
    pub(crate) fn load<S: Source>(store: &Store, log: &LogView<S>) -> Result<Option<Self>, Error> {
        let Some(bytes) = store.read()? else {
            return Ok(None);
        };
        let file = || store.file();
        let stored: Stored =
            serde_json::from_slice(&bytes).map_err(|source| Error::StateDamaged {
                file: file(),
                source,
            })?;
        let impossible = |what| Error::StateImpossible { file: file(), what };
        if stored.version != VERSION {
            return Err(impossible("the version"));
        }
        let same = stored.protocol == log.protocol
            && stored.origin == log.origin
            && stored.key_id == hex(&log.key.id());
        if !same {
            return Err(Error::OtherLog { file: file() });
        }
        let head = stored.head.map(|raw| log.head(raw)).transpose();
        let head = head.map_err(|_not_its_head| impossible("the tree head"))?;
        let peaks = stored.frontier.iter().map(|peak| head::hash(peak));
        let seen = peaks
            .collect::<Option<_>>()
            .and_then(|peaks| Frontier::new(stored.seen, peaks))
            .filter(|seen| match &head {
                Some(head) if seen.size() == head.size => seen.root() == head.root,
                Some(head) => seen.size() < head.size,
                None => seen.size() == 0,
            })
            .ok_or_else(|| impossible("the frontier"))?;
        Ok(Some(Self {
            head,
            seen,
            fresh: stored.fresh,
            withheld: stored.withheld,
            alarms: stored.alarms,
            outbox: stored.outbox,
        }))
    }

    /// Keeps it, so that not even a power failure forgets it.
    pub(crate) fn save<S>(&self, store: &Store, log: &LogView<S>) -> Result<(), Error> {
        let peaks = self.seen.peaks().iter();
        let stored = Stored {
            version: VERSION,
            protocol: log.protocol,
            origin: log.origin.clone(),
            key_id: hex(&log.key.id()),
            head: self.head.as_ref().map(|head| head.raw.clone()),
            seen: self.seen.size(),
            frontier: peaks.map(|peak| STANDARD.encode(peak)).collect(),
            fresh: self.fresh,
            withheld: self.withheld,
            alarms: self.alarms.clone(),
            outbox: self.outbox.clone(),
        };
        let mut text = serde_json::to_vec_pretty(&stored).map_err(Error::StateUnwritable)?;
        text.push(b'\n');
        store.write(&text)
    }
}

const VERSION: u32 = 1;
