use tlog_tiles::{EMPTY_HASH, check_record, check_tree};

use super::Error;
use crate::{leaf::Hash, tile::MAX_SIZE};

/// The proof that a tree has an entry: an audit path (RFC 6962, section 2.1.1).
///
/// Plain data, and nothing is believed of it before [`verify`](Self::verify).
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "RFC 6962 has these")]
pub struct InclusionProof {
    /// The place of the entry.
    pub index: u64,
    /// Entries in the tree.
    pub size: u64,
    /// The nodes to hash the entry with, the lowest first.
    pub path: Vec<Hash>,
}

impl InclusionProof {
    /// Checks that the tree with this root has the entry with this
    /// [leaf hash](super::leaf_hash).
    ///
    /// # Errors
    ///
    /// It does not follow from the proof.
    pub fn verify(&self, leaf: &Hash, root: &Hash) -> Result<(), Error> {
        if self.size > MAX_SIZE || self.path.len() > MAX_PATH {
            return Err(Error::Proof);
        }
        let path = to_nodes(&self.path);
        check_record(&path, self.size, node(root), self.index, node(leaf)).map_err(|_| Error::Proof)
    }
}

/// The proof that one tree begins with another (RFC 6962, section 2.1.2).
///
/// Plain data, and nothing is believed of it before [`verify`](Self::verify).
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "RFC 6962 has these")]
pub struct ConsistencyProof {
    /// Entries in the smaller tree.
    pub old_size: u64,
    /// Entries in the larger tree.
    pub new_size: u64,
    /// The nodes to compute both roots from.
    pub path: Vec<Hash>,
}

impl ConsistencyProof {
    /// Checks that the tree with the root `new` begins with the tree with the root `old`.
    ///
    /// # Errors
    ///
    /// It does not follow from the proof.
    pub fn verify(&self, old: &Hash, new: &Hash) -> Result<(), Error> {
        let verified = if self.new_size > MAX_SIZE || self.path.len() > 2 * MAX_PATH {
            false
        } else if self.old_size == 0 {
            let empty = self.new_size > 0 || *new == EMPTY_HASH.0;
            self.path.is_empty() && *old == EMPTY_HASH.0 && empty
        } else {
            let path = to_nodes(&self.path);
            check_tree(&path, self.new_size, node(new), self.old_size, node(old)).is_ok()
        };
        verified.then_some(()).ok_or(Error::Proof)
    }
}

pub(super) fn node(hash: &Hash) -> tlog_tiles::Hash {
    tlog_tiles::Hash(*hash)
}

fn to_nodes(path: &[Hash]) -> Vec<tlog_tiles::Hash> {
    path.iter().map(node).collect()
}

/// Nodes from a leaf to the root of the largest tree.
const MAX_PATH: usize = 40;
