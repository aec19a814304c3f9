use core::cell::RefCell;
use std::collections::HashMap;

use tlog_tiles::{
    EMPTY_HASH, HashReader, Tile, TileHashReader, TileReader, node_hash, prove_record, prove_tree,
    stored_hash_index, tree_hash,
};

use super::{
    ConsistencyProof, DataTile, Error, Hash, InclusionProof, Source, proof::node, source::tile,
};
use crate::tile::{MAX_SIZE, TileKind, TileName, WIDTH};

/// A tree whose root is trusted, over tiles that are not: every hash that is taken from a tile is
/// checked against the root first.
#[derive(Debug)]
pub(crate) struct VerifiedTree<'a, S> {
    source: &'a S,
    size: u64,
    root: Hash,
}

impl<'a, S: Source> VerifiedTree<'a, S> {
    pub(crate) fn new(source: &'a S, size: u64, root: Hash) -> Self {
        Self { source, size, root }
    }

    pub(crate) fn inclusion(&self, index: u64) -> Result<InclusionProof, Error> {
        self.contains(index)?;
        let path = self.with_hashes(|hashes| prove_record(self.size, index, hashes))?;
        Ok(InclusionProof {
            index,
            size: self.size,
            path: path.into_iter().map(|node| node.0).collect(),
        })
    }

    pub(crate) fn consistency(&self, old_size: u64) -> Result<ConsistencyProof, Error> {
        let path = if old_size == 0 {
            Vec::new()
        } else {
            self.contains(old_size - 1)?;
            self.with_hashes(|hashes| prove_tree(self.size, old_size, hashes))?
        };
        Ok(ConsistencyProof {
            old_size,
            new_size: self.size,
            path: path.into_iter().map(|node| node.0).collect(),
        })
    }

    /// The root of the tree of the first `size` entries.
    pub(crate) fn root_at(&self, size: u64) -> Result<Hash, Error> {
        if size == 0 {
            return Ok(EMPTY_HASH.0);
        }
        self.contains(size - 1)?;
        Ok(self.with_hashes(|hashes| tree_hash(size, hashes))?.0)
    }

    pub(crate) fn entries(&self, index: u64) -> Result<DataTile, Error> {
        self.contains(index)?;
        let not_in_tree = Error::NotInTree {
            index,
            size: self.size,
        };
        let name = TileName::holding(TileKind::Data, index, self.size).ok_or(not_in_tree)?;
        let first = name.index * WIDTH;
        let positions: Vec<_> = (first..first + name.width)
            .map(|index| stored_hash_index(0, index))
            .collect();
        let hashes = self.with_hashes(|hashes| hashes.read_hashes(&positions))?;
        let content = tile(self.source, name)?;
        let malformed = Error::Malformed {
            path: name.to_string(),
        };
        let data = DataTile::parse(first, name.width, content).ok_or(malformed)?;
        let mut expected = (first..).zip(hashes);
        for leaf in data.leaves() {
            if expected.next() != leaf.index().map(|index| (index, node(&leaf.hash()))) {
                return Err(Error::Inconsistent);
            }
        }
        Ok(data)
    }

    fn contains(&self, index: u64) -> Result<(), Error> {
        if index < self.size && self.size <= MAX_SIZE {
            Ok(())
        } else {
            Err(Error::NotInTree {
                index,
                size: self.size,
            })
        }
    }

    /// Calls `work` with a reader of verified hashes. The tree must not be empty.
    fn with_hashes<T>(
        &self,
        work: impl FnOnce(&TileHashReader<'_>) -> Result<T, tlog_tiles::Error>,
    ) -> Result<T, Error> {
        let tiles = Tiles {
            source: self.source,
            failure: RefCell::new(None),
        };
        let hashes = TileHashReader::new(self.size, node(&self.root), &tiles);
        let done = work(&hashes);
        done.map_err(|_| tiles.failure.take().unwrap_or(Error::Inconsistent))
    }
}

/// What `tlog_tiles` reads tiles from. Its error cannot carry ours, so ours waits here.
struct Tiles<'a, S> {
    source: &'a S,
    failure: RefCell<Option<Error>>,
}

impl<S: Source> TileReader for Tiles<'_, S> {
    fn height(&self) -> u8 {
        8
    }

    fn read_tiles(&self, tiles: &[Tile]) -> Result<Vec<Vec<u8>>, tlog_tiles::Error> {
        let failed = |error| {
            self.failure.replace(Some(error));
            tlog_tiles::Error::InvalidTile
        };
        let fetched = tiles.iter().map(|wanted| {
            let name = TileName {
                kind: TileKind::Hashes(wanted.level()),
                index: wanted.level_index(),
                width: wanted.width().into(),
            };
            tile(self.source, name).map_err(failed)
        });
        let fetched: Vec<_> = fetched.collect::<Result<_, _>>()?;
        // `tlog_tiles` 0.2 means to do this too, but leaves out the first of them where several
        // subtrees of the tree lie in one tile.
        if all_below_their_parents(tiles, &fetched) {
            Ok(fetched)
        } else {
            Err(failed(Error::Inconsistent))
        }
    }

    fn save_tiles(&self, _tiles: &[Tile], _data: &[Vec<u8>]) {}
}

/// Whether every full tile is the one that its parent has the hash of, where that is there too.
fn all_below_their_parents(tiles: &[Tile], fetched: &[Vec<u8>]) -> bool {
    let place = |tile: &Tile| (tile.level(), tile.level_index());
    let at: HashMap<_, _> = tiles.iter().map(place).zip(fetched).collect();
    let known = |tile: &Tile| {
        let parent = at.get(&(tile.level() + 1, tile.level_index() / WIDTH))?;
        let child = usize::try_from(tile.level_index() % WIDTH).ok()?;
        parent.chunks_exact(NODE).nth(child)
    };
    let is_full = |tile: &&Tile| u64::from(tile.width()) == WIDTH;
    tiles.iter().filter(is_full).all(|tile| {
        known(tile).is_none_or(|hash| {
            at.get(&place(tile))
                .and_then(|tile| subtree(tile))
                .is_some_and(|root| root == hash)
        })
    })
}

/// The hash of a complete subtree whose leaves are these hashes.
fn subtree(hashes: &[u8]) -> Option<Hash> {
    let leaves = hashes.chunks_exact(NODE).map(|hash| hash.try_into().ok());
    let mut row: Vec<Hash> = leaves.collect::<Option<_>>()?;
    while let [_, _, ..] = row[..] {
        row = row
            .chunks_exact(2)
            .map(|pair| node_hash(node(&pair[0]), node(&pair[1])).0)
            .collect();
    }
    row.pop()
}

/// Bytes of a hash.
const NODE: usize = 32;
