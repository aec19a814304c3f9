use base64::{Engine as _, engine::general_purpose::STANDARD};
use fulcio_ct_log::reader::{ConsistencyProof, Error as ReadError, Hash, Source};
use serde::{Deserialize, de::DeserializeOwned};

use crate::{
    frontier::Frontier,
    head::{self, Head},
    log_view::{malformed, required},
    logged_entry::LoggedEntry,
    tile_cache::TileCache,
};

/// Where the signed tree head is.
pub(crate) const HEAD: &str = "ct/v1/get-sth";

/// Has the log prove that the tree `new` begins with the tree `old` (RFC 6962, section 4.4). A tree
/// is its size and its root.
pub(crate) fn consistency<S: Source>(
    log: &TileCache<S>,
    old: (u64, &Hash),
    new: (u64, &Hash),
) -> Result<(), ReadError> {
    // The protocol has no proof about the empty tree, and needs none.
    let path = if old.0 == 0 {
        Vec::new()
    } else {
        let path = format!("ct/v1/get-sth-consistency?first={}&second={}", old.0, new.0);
        let answer: Consistency = json(log, &path)?;
        let nodes = answer.consistency.iter().map(|node| head::hash(node));
        nodes
            .collect::<Option<Vec<_>>>()
            .ok_or_else(|| malformed(&path))?
    };
    let proof = ConsistencyProof {
        old_size: old.0,
        new_size: new.0,
        path,
    };
    proof.verify(old.1, new.1)
}

/// The next entries after those of `seen` (RFC 6962, section 4.6), as many as the log gives, and
/// its proof that they are the next in the tree of `head`.
pub(crate) fn next<S: Source>(
    log: &TileCache<S>,
    head: &Head,
    seen: &Frontier,
) -> Result<Vec<LoggedEntry>, ReadError> {
    let start = seen.size();
    let left = head.size.saturating_sub(start);
    if left == 0 {
        return Err(ReadError::NotInTree {
            index: start,
            size: head.size,
        });
    }
    let wanted = left.min(BATCH);
    let end = start + wanted - 1;
    let path = format!("ct/v1/get-entries?start={start}&end={end}");
    let answer: Entries = json(log, &path)?;
    let fits = (1..=wanted).contains(&(answer.entries.len() as u64));
    if !fits {
        return Err(malformed(&path));
    }
    let mut entries = Vec::with_capacity(answer.entries.len());
    for entry in &answer.entries {
        let leaf = STANDARD.decode(&entry.leaf_input);
        let leaf = leaf.map_err(|_not_base64| malformed(&path))?;
        entries.push(LoggedEntry::of_leaf_input(&leaf));
    }
    let mut grown = seen.clone();
    for entry in &entries {
        grown.push(entry.hash);
    }
    let root = grown.root();
    if grown.size() == head.size {
        return (root == head.root)
            .then_some(entries)
            .ok_or(ReadError::Inconsistent);
    }
    // A tree that ends with these entries is the beginning of the log's only if they are its.
    consistency(log, (grown.size(), &root), (head.size, &head.root))?;
    Ok(entries)
}

fn json<T: DeserializeOwned, S: Source>(log: &TileCache<S>, path: &str) -> Result<T, ReadError> {
    let bytes = required(log, path)?;
    serde_json::from_slice(&bytes).map_err(|_not_the_answer| malformed(path))
}

#[derive(Deserialize)]
struct Consistency {
    consistency: Vec<String>,
}

#[derive(Deserialize)]
struct Entries {
    entries: Vec<ServedEntry>,
}

/// Its `extra_data` is the log's word, and not read.
#[derive(Deserialize)]
struct ServedEntry {
    leaf_input: String,
}

/// Entries that are asked for at once; logs give fewer when they like.
const BATCH: u64 = 256;
