use tlog_tiles::{EMPTY_HASH, Tile, node_hash};

use crate::{
    leaf::{Hash, TileLeaf, sha256},
    tile::{TileKind, TileName, WIDTH},
};

/// The right edge of the tree: all that is needed to let it grow.
///
/// It holds the tiles that are not full yet, one a level, and the entries of the data tile that is
/// not full yet. Its size does not depend on the size of the log.
#[derive(Clone, Debug, Default)]
pub(crate) struct Frontier {
    size: u64,
    entries: Vec<u8>,
    levels: Vec<Vec<u8>>,
}

impl Frontier {
    /// Entries in the tree.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// Reads the edge of a tree of `size` entries from its tiles; nothing when `tile` has not
    /// got one of them, or one of hashes has the wrong length.
    pub(crate) fn load<E>(
        size: u64,
        mut tile: impl FnMut(TileName) -> Result<Option<Vec<u8>>, E>,
    ) -> Result<Option<Self>, E> {
        let mut frontier = Self {
            size,
            ..Self::default()
        };
        for kind in TileKind::ALL {
            let elements = kind.elements(size);
            let mut content = Vec::new();
            if elements % WIDTH != 0
                && let Some(name) = TileName::holding(kind, elements - 1, size)
            {
                match tile(name)? {
                    Some(found) => content = found,
                    None => return Ok(None),
                }
            }
            let width = usize::try_from(elements % WIDTH).unwrap_or_default();
            match kind {
                TileKind::Data => frontier.entries = content,
                TileKind::Hashes(_) if content.len() != width * 32 => return Ok(None),
                TileKind::Hashes(_) => frontier.levels.push(content),
            }
        }
        Ok(Some(frontier))
    }

    /// Adds an entry: `leaf`, whose `TileLeaf` encoding is `encoded`. Tiles that become full go
    /// to `full`.
    pub(crate) fn push(
        &mut self,
        leaf: &TileLeaf<'_>,
        encoded: &[u8],
        full: &mut impl FnMut(TileName, Vec<u8>),
    ) {
        self.entries.extend(encoded);
        if (self.size + 1).is_multiple_of(WIDTH) {
            let name = TileName {
                kind: TileKind::Data,
                index: self.size / WIDTH,
                width: WIDTH,
            };
            full(name, core::mem::take(&mut self.entries));
        }
        let mut hash = leaf.hash();
        for level in 0.. {
            if self.levels.len() <= usize::from(level) {
                self.levels.push(Vec::new());
            }
            let hashes = &mut self.levels[usize::from(level)];
            hashes.extend(hash);
            if hashes.len() < TILE_BYTES {
                break;
            }
            let hashes = core::mem::take(hashes);
            hash = Tile::subtree_hash(&hashes).0;
            let kind = TileKind::Hashes(level);
            let name = TileName {
                kind,
                index: kind.elements(self.size + 1) / WIDTH - 1,
                width: WIDTH,
            };
            full(name, hashes);
        }
        self.size += 1;
    }

    /// The tiles that are not full, as they are now.
    pub(crate) fn partial_tiles(&self) -> impl Iterator<Item = (TileName, &[u8])> {
        let hashes = (0u8..)
            .zip(&self.levels)
            .map(|(level, hashes)| (TileKind::Hashes(level), hashes.as_slice()));
        core::iter::once((TileKind::Data, self.entries.as_slice()))
            .chain(hashes)
            .filter(|(_, content)| !content.is_empty())
            .filter_map(|(kind, content)| {
                let last = kind.elements(self.size).checked_sub(1)?;
                Some((TileName::holding(kind, last, self.size)?, content))
            })
    }

    /// SHA-256 of the entries after the last full data tile, as they are encoded. The tree does not
    /// cover all of them.
    pub(crate) fn entries_hash(&self) -> Hash {
        sha256(&self.entries)
    }

    /// The Merkle tree hash (RFC 6962, section 2.1).
    pub(crate) fn root(&self) -> Hash {
        let mut right: Option<tlog_tiles::Hash> = None;
        for level in &self.levels {
            let (hashes, _) = level.as_chunks::<32>();
            let hashes: Vec<_> = hashes
                .iter()
                .copied()
                .map(tlog_tiles::Hash)
                .chain(right)
                .collect();
            right = tree_hash(&hashes);
        }
        right.unwrap_or(EMPTY_HASH).0
    }
}

/// The hash of a tree over subtrees of one size; only the last may be smaller.
fn tree_hash(subtrees: &[tlog_tiles::Hash]) -> Option<tlog_tiles::Hash> {
    match subtrees {
        [] => None,
        [only] => Some(*only),
        _ => {
            let (left, right) = subtrees.split_at(subtrees.len().next_power_of_two() / 2);
            Some(node_hash(tree_hash(left)?, tree_hash(right)?))
        }
    }
}

/// Bytes in a full tile of hashes.
const TILE_BYTES: usize = 256 * 32;

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use fulcio_ct_client::Entry;
    use tlog_tiles::{Error, HashReader, record_hash, stored_hashes_for_record_hash};

    use super::*;
    use crate::leaf::UnplacedLeaf;

    struct Stored(Vec<tlog_tiles::Hash>);

    impl HashReader for Stored {
        fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<tlog_tiles::Hash>, Error> {
            Ok(indexes
                .iter()
                .map(|index| self.0[*index as usize])
                .collect())
        }
    }

    #[test]
    fn has_the_root_of_the_reference_at_every_size_and_loads_from_its_tiles() {
        let mut frontier = Frontier::default();
        let mut stored = Stored(Vec::new());
        let mut full = HashMap::new();
        assert_eq!(frontier.root(), EMPTY_HASH.0);
        for index in 0..70_000u64 {
            let unplaced = UnplacedLeaf::new(
                Entry::Certificate(&index.to_be_bytes()),
                &index.to_be_bytes(),
                [].into_iter(),
            );
            let mut encoded = Vec::new();
            unplaced.place(&mut encoded, 0, index);
            let leaf = TileLeaf::parse(&encoded).expect("just encoded").0;
            // MerkleTreeLeaf is two bytes and the TileLeaf up to its (empty) list of issuers.
            let record = [&[0, 0], &encoded[..encoded.len() - 2]].concat();
            let hashes = stored_hashes_for_record_hash(index, record_hash(&record), &stored);
            stored.0.extend(hashes.expect("all are there"));
            frontier.push(&leaf, &encoded, &mut |name, content| {
                full.insert(name, content);
            });
            let size = index + 1;
            assert_eq!(frontier.size(), size);
            if size < 700 || size % 256 < 2 {
                let reference = tlog_tiles::tree_hash(size, &stored).expect("all are there");
                assert_eq!(frontier.root(), reference.0, "size {size}");
                let partial: HashMap<_, _> = frontier
                    .partial_tiles()
                    .map(|(name, content)| (name, content.to_vec()))
                    .collect();
                let load = |name| Ok::<_, ()>(partial.get(&name).cloned());
                let loaded = Frontier::load(size, load).expect("infallible");
                assert_eq!(loaded.expect("complete").root(), reference.0);
            }
        }
        assert_eq!(full.len(), 273 + 273 + 1);
        for (name, content) in full {
            if let TileKind::Hashes(level) = name.kind {
                let reference = Tile::new(8, level, name.index, 256, false).read_data(&stored);
                assert_eq!(content, reference.expect("all are there"), "{name}");
            }
        }
    }
}
