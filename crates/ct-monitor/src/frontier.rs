use aws_lc_rs::digest::{SHA256, digest};
use fulcio_ct_log::reader::Hash;

/// The right edge of a Merkle tree (RFC 6962, section 2.1): the roots of its perfect subtrees, the
/// largest first. It is all that is needed to let the tree grow, and to know its root.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Frontier {
    size: u64,
    peaks: Vec<Hash>,
}

impl Frontier {
    /// Puts one together again; nothing when a tree of `size` entries has another number of
    /// subtrees.
    pub(crate) fn new(size: u64, peaks: Vec<Hash>) -> Option<Self> {
        let fits = u32::try_from(peaks.len()) == Ok(size.count_ones());
        fits.then_some(Self { size, peaks })
    }

    /// Entries in the tree.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// The roots of its perfect subtrees.
    pub(crate) fn peaks(&self) -> &[Hash] {
        &self.peaks
    }

    /// Adds an entry by its leaf hash.
    pub(crate) fn push(&mut self, leaf: Hash) {
        let mut hash = leaf;
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.peaks.pop() {
                hash = parent(&left, &hash);
            }
        }
        self.peaks.push(hash);
        self.size += 1;
    }

    /// Whether a tree of `size` entries with this root begins with the entries of this one and then
    /// `leaf`, by the audit path of `leaf` in it (RFC 6962, section 2.1.1).
    ///
    /// The nodes to the left of such a path are the perfect subtrees before the leaf, so they have
    /// to be those of this tree.
    pub(crate) fn is_followed_by(&self, leaf: Hash, path: &[Hash], size: u64, root: &Hash) -> bool {
        let Some(mut last) = size.checked_sub(1).filter(|last| self.size <= *last) else {
            return false;
        };
        let (mut at, mut hash) = (self.size, leaf);
        let mut peaks = self.peaks.iter().rev();
        for node in path {
            if at.is_multiple_of(2) && at != last {
                hash = parent(&hash, node);
            } else {
                if last == 0 || peaks.next() != Some(node) {
                    return false;
                }
                hash = parent(node, &hash);
                let levels = at.trailing_zeros();
                at >>= levels;
                last >>= levels;
            }
            at >>= 1;
            last >>= 1;
        }
        last == 0 && peaks.next().is_none() && hash == *root
    }

    /// The Merkle tree hash.
    pub(crate) fn root(&self) -> Hash {
        let peaks = self.peaks.iter().copied().rev();
        peaks
            .reduce(|right, left| parent(&left, &right))
            .unwrap_or_else(|| sha256(&[]))
    }
}

fn parent(left: &Hash, right: &Hash) -> Hash {
    let mut node = [NODE_PREFIX; 65];
    node[1..33].copy_from_slice(left);
    node[33..].copy_from_slice(right);
    sha256(&node)
}

/// SHA-256.
pub(crate) fn sha256(bytes: &[u8]) -> Hash {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, bytes).as_ref());
    hash
}

const NODE_PREFIX: u8 = 1;

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6962, section 2.1, word for word.
    fn tree_hash(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => sha256(&[]),
            [leaf] => *leaf,
            _ => {
                let split = leaves.len().next_power_of_two() / 2;
                parent(&tree_hash(&leaves[..split]), &tree_hash(&leaves[split..]))
            }
        }
    }

    /// PATH(m, D[n]) of RFC 6962, section 2.1.1.
    fn audit_path(m: usize, leaves: &[Hash]) -> Vec<Hash> {
        if leaves.len() == 1 {
            return Vec::new();
        }
        let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
        let (mut path, sibling) = match m.checked_sub(left.len()) {
            None => (audit_path(m, left), right),
            Some(m) => (audit_path(m, right), left),
        };
        path.push(tree_hash(sibling));
        path
    }

    #[test]
    fn knows_by_an_audit_path_what_follows() {
        let leaves: Vec<Hash> = (0..40u32).map(|n| sha256(&n.to_be_bytes())).collect();
        for size in 1..leaves.len() {
            let tree = &leaves[..size];
            let root = tree_hash(tree);
            let mut seen = Frontier::default();
            let mut lied = Frontier::default();
            for (at, leaf) in tree.iter().enumerate() {
                let path = audit_path(at, tree);
                let (count, other) = (size as u64, [7; 32]);
                assert!(
                    seen.is_followed_by(*leaf, &path, count, &root),
                    "{at} of {size}"
                );
                assert!(!seen.is_followed_by(other, &path, count, &root));
                assert!(!seen.is_followed_by(*leaf, &path, count, &other));
                assert!(!seen.is_followed_by(*leaf, &path, at as u64, &root));
                assert!(at == 0 || !lied.is_followed_by(*leaf, &path, count, &root));
                for changed in 0..path.len() {
                    let mut path = path.clone();
                    path[changed] = other;
                    assert!(!seen.is_followed_by(*leaf, &path, count, &root));
                    path.truncate(changed);
                    assert!(!seen.is_followed_by(*leaf, &path, count, &root));
                }
                let longer = [&path[..], &[other]].concat();
                assert!(!seen.is_followed_by(*leaf, &longer, count, &root));
                seen.push(*leaf);
                lied.push(if at == 0 { other } else { *leaf });
            }
        }
    }

    #[test]
    fn has_the_root_of_rfc_6962_at_every_size_and_survives_being_put_away() {
        let leaves: Vec<Hash> = (0..300u32).map(|n| sha256(&n.to_be_bytes())).collect();
        let mut frontier = Frontier::default();
        for size in 0..leaves.len() {
            assert_eq!(frontier.root(), tree_hash(&leaves[..size]), "{size}");
            let again = Frontier::new(frontier.size(), frontier.peaks().to_vec());
            assert_eq!(again.as_ref(), Some(&frontier));
            assert_eq!(Frontier::new(frontier.size(), vec![[0; 32]; 20]), None);
            frontier.push(leaves[size]);
        }
    }
}
