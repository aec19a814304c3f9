use fulcio_ct_client::Entry;
use fulcio_ct_log::reader::{Hash, TileLeaf};

use crate::frontier::sha256;

/// One entry as a log serves it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LoggedEntry {
    /// Its hash in the tree, computed from the rest.
    pub(crate) hash: Hash,
    /// When the log took it, in milliseconds since 1970.
    pub(crate) timestamp: u64,
    /// What it holds.
    pub(crate) content: Content,
}

/// What an entry of a log holds.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Content {
    /// A certificate, in DER.
    Certificate(Vec<u8>),
    /// A precertificate.
    Precertificate {
        /// SHA-256 of the issuer's public key.
        issuer_key_hash: Hash,
        /// The `TBSCertificate` without the poison, in DER.
        tbs: Vec<u8>,
    },
    /// Something that RFC 6962 does not know.
    Unknown,
}

impl LoggedEntry {
    /// Takes it from a data tile.
    pub(crate) fn of_tile(leaf: &TileLeaf<'_>) -> Self {
        Self {
            hash: leaf.hash(),
            timestamp: leaf.timestamp,
            content: match leaf.entry {
                Entry::Certificate(der) => Content::Certificate(der.to_vec()),
                Entry::Precertificate {
                    issuer_key_hash,
                    tbs,
                } => Content::Precertificate {
                    issuer_key_hash,
                    tbs: tbs.to_vec(),
                },
            },
        }
    }

    /// Takes it from the `leaf_input` of `get-entries`: a `MerkleTreeLeaf` (RFC 6962, section 3.4).
    pub(crate) fn of_leaf_input(leaf: &[u8]) -> Self {
        let mut hashed = Vec::with_capacity(1 + leaf.len());
        hashed.push(LEAF_PREFIX);
        hashed.extend_from_slice(leaf);
        let (timestamp, content) = parse(leaf).unwrap_or((0, Content::Unknown));
        Self {
            hash: sha256(&hashed),
            timestamp,
            content,
        }
    }
}

fn parse(leaf: &[u8]) -> Option<(u64, Content)> {
    let rest = leaf.strip_prefix(&[VERSION, TIMESTAMPED_ENTRY])?;
    let (timestamp, rest) = rest.split_first_chunk()?;
    let (kind, rest) = rest.split_first_chunk()?;
    let (content, rest) = match u16::from_be_bytes(*kind) {
        X509_ENTRY => {
            let (der, rest) = opaque24(rest)?;
            (Content::Certificate(der.to_vec()), rest)
        }
        PRECERT_ENTRY => {
            let (issuer_key_hash, rest) = rest.split_first_chunk()?;
            let (tbs, rest) = opaque24(rest)?;
            let content = Content::Precertificate {
                issuer_key_hash: *issuer_key_hash,
                tbs: tbs.to_vec(),
            };
            (content, rest)
        }
        _ => return None,
    };
    let (length, extensions) = rest.split_first_chunk()?;
    let complete = usize::from(u16::from_be_bytes(*length)) == extensions.len();
    complete.then_some((u64::from_be_bytes(*timestamp), content))
}

/// An `opaque<1..2^24-1>`, and what is after it.
fn opaque24(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let ([a, b, c], rest) = bytes.split_first_chunk()?;
    let length = u32::from_be_bytes([0, *a, *b, *c]);
    rest.split_at_checked(usize::try_from(length).ok()?)
}

const LEAF_PREFIX: u8 = 0;
const VERSION: u8 = 0;
const TIMESTAMPED_ENTRY: u8 = 0;
const X509_ENTRY: u16 = 0;
const PRECERT_ENTRY: u16 = 1;

#[cfg(test)]
mod tests {
    use fulcio_ct_log::reader::leaf_hash;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn reads_a_leaf_input_and_has_its_hash(
            key_hash: Option<Hash>,
            der in prop::collection::vec(any::<u8>(), 1..300),
            extensions in prop::collection::vec(any::<u8>(), 0..20),
            timestamp: u64,
        ) {
            let (entry, content) = match key_hash {
                Some(issuer_key_hash) => (
                    Entry::Precertificate { issuer_key_hash, tbs: &der },
                    Content::Precertificate { issuer_key_hash, tbs: der.clone() },
                ),
                None => (Entry::Certificate(&der), Content::Certificate(der.clone())),
            };
            // What a log signs for is what it hashes (RFC 6962, sections 3.2 and 3.4).
            let leaf = entry.to_be_signed(timestamp, &extensions).unwrap();
            let read = LoggedEntry::of_leaf_input(&leaf);
            prop_assert_eq!(read.hash, leaf_hash(entry, timestamp, &extensions));
            prop_assert_eq!(read.timestamp, timestamp);
            prop_assert_eq!(read.content, content);
            for length in 0..leaf.len() {
                let cut = LoggedEntry::of_leaf_input(&leaf[..length]);
                prop_assert_eq!(cut.content, Content::Unknown);
            }
        }

        #[test]
        fn never_panics_on_a_leaf_input(leaf in prop::collection::vec(any::<u8>(), 0..200)) {
            LoggedEntry::of_leaf_input(&leaf);
        }
    }
}
