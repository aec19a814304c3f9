use fulcio_ct_log::reader::Source;

use crate::{
    Content, Error, MonitoredLog, frontier::Frontier, head::Head, log_view::LogView,
    tile_cache::TileCache,
};

/// Reads a log from its first entry to its last, once.
///
/// The tree head is verified, and every entry is proven to be in its tree; nothing is remembered
/// and nobody is told. Who has a log followed uses a [`Monitor`](crate::Monitor).
#[derive(Debug)]
pub struct Walk<S> {
    log: LogView<S>,
    head: Head,
    seen: Frontier,
}

/// One entry, proven to be in the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WalkedEntry {
    /// Its place in the log.
    pub index: u64,
    /// When the log took it, in milliseconds since 1970.
    pub timestamp: u64,
    /// What it holds.
    pub content: Content,
}

impl<S: Source> Walk<S> {
    /// Begins with the tree that `log` has signed last, read from `source`, whose paths are those of
    /// [`Monitor::open`](crate::Monitor::open).
    ///
    /// # Errors
    ///
    /// The tree head cannot be read, or is not this log's.
    pub fn begin(log: MonitoredLog, source: S) -> Result<Self, Error> {
        let log = LogView {
            protocol: log.protocol,
            origin: log.origin,
            key: log.key,
            source: TileCache::new(source),
        };
        let head = log.head(log.fetch_head()?)?;
        Ok(Self {
            log,
            head,
            seen: Frontier::default(),
        })
    }

    /// Entries in the tree.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.head.size
    }

    /// When the log signed the tree, in milliseconds since 1970.
    #[must_use]
    pub fn timestamp(&self) -> u64 {
        self.head.timestamp
    }

    /// The next entries, at least one; none after the last.
    ///
    /// # Errors
    ///
    /// They cannot be read, or are not those of the tree.
    pub fn next_entries(&mut self) -> Result<Vec<WalkedEntry>, Error> {
        if self.seen.size() >= self.head.size {
            return Ok(Vec::new());
        }
        let entries = self.log.next(&self.head, &self.seen)?.into_iter();
        let walked = entries.map(|entry| {
            let index = self.seen.size();
            self.seen.push(entry.hash);
            WalkedEntry {
                index,
                timestamp: entry.timestamp,
                content: entry.content,
            }
        });
        Ok(walked.collect())
    }
}
