use fulcio_ct_client::LogKey;
use fulcio_ct_log::reader::{Error as ReadError, Source};

use crate::{
    Protocol, frontier::Frontier, head::Head, logged_entry::LoggedEntry, rfc6962, static_ct,
    tile_cache::TileCache,
};

/// A log as one who has its key reads it: the one place that knows that there are two protocols.
#[derive(Debug)]
pub(crate) struct LogView<S> {
    pub(crate) protocol: Protocol,
    pub(crate) origin: String,
    pub(crate) key: LogKey,
    pub(crate) source: TileCache<S>,
}

impl<S: Source> LogView<S> {
    /// Fetches what the log says that its tree is. Nothing of it is believed.
    pub(crate) fn fetch_head(&self) -> Result<String, ReadError> {
        let path = match self.protocol {
            Protocol::Rfc6962 => rfc6962::HEAD,
            Protocol::StaticCt => static_ct::HEAD,
        };
        let bytes = required(&self.source, path)?;
        String::from_utf8(bytes).map_err(|_not_text| malformed(path))
    }

    /// Verifies that this is a tree head of the log.
    pub(crate) fn head(&self, raw: String) -> Result<Head, ReadError> {
        Ok(match self.protocol {
            Protocol::Rfc6962 => Head::of_sth(raw, &self.key)?,
            Protocol::StaticCt => Head::of_checkpoint(raw, &self.origin, &self.key)?,
        })
    }

    /// Has the log prove that the tree of `new` begins with the tree of `old`, which is not larger.
    pub(crate) fn consistency(&self, old: &Head, new: &Head) -> Result<(), ReadError> {
        match self.protocol {
            Protocol::Rfc6962 => {
                rfc6962::consistency(&self.source, (old.size, &old.root), (new.size, &new.root))
            }
            Protocol::StaticCt => static_ct::consistency(self, old, new),
        }
    }

    /// Fetches the next entries after those of `seen`, at least one, and has the log prove that
    /// they follow there in the tree of `head`.
    pub(crate) fn next(&self, head: &Head, seen: &Frontier) -> Result<Vec<LoggedEntry>, ReadError> {
        match self.protocol {
            Protocol::Rfc6962 => rfc6962::next(&self.source, head, seen),
            Protocol::StaticCt => static_ct::next(self, head, seen),
        }
    }
}

/// Fetches what has to be there.
pub(crate) fn required(source: impl Source, path: &str) -> Result<Vec<u8>, ReadError> {
    let found = source.fetch(path).map_err(|source| ReadError::Fetch {
        path: path.to_owned(),
        source,
    })?;
    found.ok_or_else(|| ReadError::Missing {
        path: path.to_owned(),
    })
}

pub(crate) fn malformed(path: &str) -> ReadError {
    ReadError::Malformed {
        path: path.to_owned(),
    }
}
