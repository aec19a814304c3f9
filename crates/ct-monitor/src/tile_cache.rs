use core::{cell::RefCell, fmt, num::NonZeroUsize};

use fulcio_ct_log::reader::{FetchError, Source};
use lru::LruCache;

/// Keeps the few tiles of hashes that every read of a tree needs again.
///
/// What they are called fixes what they hold, so a kept one cannot be stale; it can be wrong, and
/// then it is fetched anew after [`forget`](Self::forget).
pub(crate) struct TileCache<S> {
    source: S,
    tiles: RefCell<LruCache<String, Vec<u8>>>,
}

impl<S> TileCache<S> {
    pub(crate) fn new(source: S) -> Self {
        Self {
            source,
            tiles: RefCell::new(LruCache::new(KEPT)),
        }
    }

    pub(crate) fn forget(&self) {
        self.tiles.borrow_mut().clear();
    }
}

impl<S: Source> Source for &TileCache<S> {
    fn fetch(&self, path: &str) -> Result<Option<Vec<u8>>, FetchError> {
        if let Some(content) = self.tiles.borrow_mut().get(path) {
            return Ok(Some(content.clone()));
        }
        let content = self.source.fetch(path)?;
        let is_hashes = path.starts_with("tile/") && !path.starts_with("tile/data/");
        if let Some(content) = &content
            && is_hashes
            && content.len() <= TILE
        {
            let mut tiles = self.tiles.borrow_mut();
            tiles.put(path.to_owned(), content.clone());
        }
        Ok(content)
    }
}

impl<S> fmt::Debug for TileCache<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TileCache")
    }
}

/// Tiles that are kept: the way to the root and the right edge of the largest tree, twice.
const KEPT: NonZeroUsize = NonZeroUsize::new(24).expect("more than none");

/// Bytes in a full tile of hashes.
const TILE: usize = 256 * 32;
