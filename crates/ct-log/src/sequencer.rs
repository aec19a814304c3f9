use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError},
    },
    time::{Duration, Instant},
};

use crate::{
    backlog::Backlog,
    disk::Disk,
    error::Error,
    journal::{JOURNAL, Journal, Payload},
    leaf::Hash,
    options::{Clock, millis},
    publisher::{issuer_path, public},
    status::Status,
    submission::{Placed, Waiting},
};

/// Gives entries their places: the one writer of the journal.
///
/// Submissions that arrive while one batch is being synced make the next one. Replies go out
/// after the sync.
#[derive(Debug)]
pub(crate) struct Sequencer {
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) journal: Journal,
    pub(crate) clock: Clock,
    /// No entry is older than this, in milliseconds since 1970.
    pub(crate) newest: u64,
    pub(crate) batch: BatchLimits,
    pub(crate) backlog: Arc<Backlog>,
    pub(crate) recent: Recent,
    /// Fingerprints of the issuers that the journal has.
    pub(crate) issuers: HashSet<Hash>,
}

/// When a batch is closed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BatchLimits {
    /// With this many submissions.
    pub(crate) entries: usize,
    /// After this long, when the batch before had company too.
    pub(crate) delay: Duration,
}

impl Sequencer {
    /// Works until every sender is gone and the queue is empty, until the disk fails, or until
    /// nobody publishes any more.
    pub(crate) fn run(mut self, queue: &Receiver<Waiting>, status: &Status) {
        let mut crowded = false;
        while let Ok(first) = queue.recv() {
            let mut batch = self.collect(first, queue, crowded);
            crowded = batch.len() > 1;
            match self.sequence(&mut batch) {
                Ok(true) => {}
                Ok(false) => break,
                Err(cause) => {
                    // The cause is known before the batch is dropped and its submitters ask.
                    status.stop(cause);
                    break;
                }
            }
        }
    }

    fn collect(&self, first: Waiting, queue: &Receiver<Waiting>, crowded: bool) -> Vec<Waiting> {
        let delay = if crowded {
            self.batch.delay
        } else {
            Duration::ZERO
        };
        let deadline = Instant::now() + delay;
        let mut weight = first.weight();
        let mut batch = vec![first];
        while batch.len() < self.batch.entries && weight < MAX_BATCH {
            let rest = deadline.saturating_duration_since(Instant::now());
            match queue.recv_timeout(rest) {
                Ok(next) => {
                    weight += next.weight();
                    batch.push(next);
                }
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
            }
        }
        batch
    }

    /// Makes a batch durable and answers for it; false when nobody will publish it.
    pub(crate) fn sequence(&mut self, batch: &mut Vec<Waiting>) -> Result<bool, Error> {
        self.newest = self.newest.max(millis(self.clock.now()));
        batch.retain(|waiting| !waiting.reply.is_closed());
        let mut payload = Payload::default();
        let mut places = Vec::with_capacity(batch.len());
        for waiting in &*batch {
            places.push(match self.recent.find(&waiting.identity) {
                Some(placed) => placed,
                None => self.place(waiting, &mut payload)?,
            });
        }
        let frame = if payload.leaves() > 0 {
            let frame = self.journal.append(payload);
            Some(frame.map_err(Error::disk("append to", JOURNAL))?)
        } else {
            None
        };
        for (waiting, placed) in batch.drain(..).zip(places) {
            // Whoever has gone meanwhile gets the same place when asking again.
            drop(waiting.reply.send(placed));
        }
        Ok(frame.is_none_or(|frame| self.backlog.push(frame)))
    }

    fn place(&mut self, waiting: &Waiting, payload: &mut Payload) -> Result<Arc<Placed>, Error> {
        for (fingerprint, der) in &waiting.issuers {
            if self.issuers.contains(fingerprint) {
                continue;
            }
            let path = public(&issuer_path(fingerprint));
            let found = self.disk.read(&path);
            if found.map_err(Error::disk("read", &path))?.is_none() {
                payload.push_issuer(der);
            }
            self.issuers.insert(*fingerprint);
        }
        let index = self.journal.position().size + payload.leaves();
        payload.push_leaf(|out| waiting.leaf.place(out, self.newest, index));
        let placed = Arc::new(Placed::new(index, self.newest));
        self.recent.insert(waiting.identity, Arc::clone(&placed));
        Ok(placed)
    }
}

/// The latest entries by what was submitted, so that a retry gets the place of the first try.
#[derive(Debug)]
pub(crate) struct Recent {
    places: HashMap<Hash, Arc<Placed>>,
    order: VecDeque<Hash>,
    limit: usize,
}

impl Recent {
    /// Remembers `limit` entries.
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            places: HashMap::new(),
            order: VecDeque::new(),
            limit,
        }
    }

    fn find(&self, identity: &Hash) -> Option<Arc<Placed>> {
        self.places.get(identity).cloned()
    }

    /// Remembers one more, and forgets the oldest when there are too many.
    pub(crate) fn insert(&mut self, identity: Hash, placed: Arc<Placed>) {
        if self.places.insert(identity, placed).is_none() {
            self.order.push_back(identity);
        }
        if self.order.len() > self.limit
            && let Some(oldest) = self.order.pop_front()
        {
            self.places.remove(&oldest);
        }
    }
}

/// Bytes after which a batch is closed. One more submission may still be on top of it, which
/// [`MAX_PAYLOAD`](crate::journal::MAX_PAYLOAD) allows for.
const MAX_BATCH: usize = 4 << 20;
