use aws_lc_rs::digest;
use fulcio_ct_client::Entry;

use crate::tile::MAX_SIZE;

/// A SHA-256 digest: of a leaf, of a node, of a certificate.
pub type Hash = [u8; 32];

/// One entry of a log, as its data tiles hold it: `TileLeaf` of c2sp.org/static-ct-api.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TileLeaf<'a> {
    /// When the log took it, in milliseconds since 1970: the timestamp of its SCT.
    pub timestamp: u64,
    /// What the log signed for.
    pub entry: Entry<'a>,
    /// The extensions of its SCT.
    pub extensions: &'a [u8],
    /// The certificate or precertificate as it was submitted, in DER.
    ///
    /// Of a precertificate, the tree covers only what is in `entry`; the rest, its signature, is
    /// the log's word.
    pub certificate: &'a [u8],
    issuers: &'a [u8],
}

impl<'a> TileLeaf<'a> {
    /// Reads one entry from the front of `bytes`, and gives back the rest. Nothing when there is
    /// no complete and well-formed entry.
    #[must_use]
    pub fn parse(bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let mut rest = bytes;
        let timestamp = u64::from_be_bytes(*rest.split_off_chunk()?);
        let precertificate = match u16::from_be_bytes(*rest.split_off_chunk()?) {
            X509_ENTRY => None,
            PRECERT_ENTRY => Some(*rest.split_off_chunk::<32>()?),
            _ => return None,
        };
        let signed = rest.split_off_opaque::<3>()?;
        let extensions = rest.split_off_opaque::<2>()?;
        let (entry, certificate) = match precertificate {
            None => (Entry::Certificate(signed), signed),
            Some(issuer_key_hash) => {
                let entry = Entry::Precertificate {
                    issuer_key_hash,
                    tbs: signed,
                };
                (entry, rest.split_off_opaque::<3>()?)
            }
        };
        let issuers = rest.split_off_opaque::<2>()?;
        if signed.is_empty() || certificate.is_empty() || issuers.len() % 32 != 0 {
            return None;
        }
        let leaf = Self {
            timestamp,
            entry,
            extensions,
            certificate,
            issuers,
        };
        Some((leaf, rest))
    }

    /// The SHA-256 fingerprints of the certificates above it, its issuer first. The tree does not
    /// cover them: they are the log's word.
    pub fn issuers(&self) -> impl ExactSizeIterator<Item = Hash> + use<'a> {
        let (fingerprints, _) = self.issuers.as_chunks::<32>();
        fingerprints.iter().copied()
    }

    /// Its place in the log, by the `leaf_index` extension.
    #[must_use]
    pub fn index(&self) -> Option<u64> {
        leaf_index(self.extensions)
    }

    /// What it has in common with the same submission made again.
    pub(crate) fn identity(&self) -> Hash {
        UnplacedLeaf::new(self.entry, self.certificate, self.issuers()).identity()
    }

    /// Its hash in the Merkle tree.
    #[must_use]
    pub fn hash(&self) -> Hash {
        leaf_hash(self.entry, self.timestamp, self.extensions)
    }
}

/// The Merkle leaf hash of an entry and its SCT's timestamp and extensions (RFC 6962, sections
/// 2.1 and 3.4).
#[must_use]
pub fn leaf_hash(entry: Entry<'_>, timestamp: u64, extensions: &[u8]) -> Hash {
    let mut leaf = vec![LEAF_PREFIX, VERSION, TIMESTAMPED_ENTRY];
    leaf.extend(timestamp.to_be_bytes());
    push_signed_entry(&mut leaf, entry);
    push_opaque::<2>(&mut leaf, extensions);
    sha256(&leaf)
}

/// The value of the `leaf_index` extension among the extensions of an SCT of a static-ct log:
/// the place of its entry in the log.
///
/// Nothing when the extensions are not well-formed, lack it, or have one type twice.
fn leaf_index(extensions: &[u8]) -> Option<u64> {
    let mut rest = extensions;
    let mut seen = [false; 256];
    let mut index = None;
    while !rest.is_empty() {
        let [kind] = *rest.split_off_chunk()?;
        let data = rest.split_off_opaque::<2>()?;
        if core::mem::replace(&mut seen[usize::from(kind)], true) {
            return None;
        }
        if kind == LEAF_INDEX {
            let [a, b, c, d, e] = *data.as_array::<5>()?;
            index = Some(u64::from_be_bytes([0, 0, 0, a, b, c, d, e]));
        }
    }
    index
}

/// The extensions of the SCT for the entry at `index`.
pub(crate) fn extensions_for(index: u64) -> [u8; 8] {
    debug_assert!(index < MAX_SIZE);
    let [_, _, _, a, b, c, d, e] = index.to_be_bytes();
    [LEAF_INDEX, 0, 5, a, b, c, d, e]
}

/// An entry encoded as far as it can be before it has its place in the log.
#[derive(Debug)]
pub(crate) struct UnplacedLeaf {
    head: Vec<u8>,
    tail: Vec<u8>,
}

impl UnplacedLeaf {
    /// Encodes; the lengths must have been checked.
    pub(crate) fn new(
        entry: Entry<'_>,
        certificate: &[u8],
        issuers: impl Iterator<Item = Hash>,
    ) -> Self {
        let mut head = Vec::with_capacity(certificate.len() + 64);
        push_signed_entry(&mut head, entry);
        let mut tail = Vec::new();
        if let Entry::Precertificate { .. } = entry {
            push_opaque::<3>(&mut tail, certificate);
        }
        push_opaque::<2>(&mut tail, &issuers.flatten().collect::<Vec<_>>());
        Self { head, tail }
    }

    /// Appends the `TileLeaf` for the entry at `index` to `out`.
    pub(crate) fn place(&self, out: &mut Vec<u8>, timestamp: u64, index: u64) {
        out.extend(timestamp.to_be_bytes());
        out.extend(&self.head);
        push_opaque::<2>(out, &extensions_for(index));
        out.extend(&self.tail);
    }

    /// Bytes of the `TileLeaf`.
    pub(crate) fn size(&self) -> usize {
        8 + self.head.len() + 2 + 8 + self.tail.len()
    }

    /// What makes two submissions the same.
    pub(crate) fn identity(&self) -> Hash {
        let mut context = digest::Context::new(&digest::SHA256);
        context.update(&self.head);
        context.update(&self.tail);
        hash_of(&context.finish())
    }
}

/// Appends the type and the signed part of an entry, as SCTs and Merkle leaves have them
/// (RFC 6962, section 3.2).
pub(crate) fn push_signed_entry(out: &mut Vec<u8>, entry: Entry<'_>) {
    match entry {
        Entry::Certificate(certificate) => {
            out.extend(X509_ENTRY.to_be_bytes());
            push_opaque::<3>(out, certificate);
        }
        Entry::Precertificate {
            issuer_key_hash,
            tbs,
        } => {
            out.extend(PRECERT_ENTRY.to_be_bytes());
            out.extend(issuer_key_hash);
            push_opaque::<3>(out, tbs);
        }
    }
}

/// Appends `bytes` with its length in `N` bytes before it.
fn push_opaque<const N: usize>(out: &mut Vec<u8>, bytes: &[u8]) {
    debug_assert!(bytes.len() < 1 << (8 * N));
    out.extend(&bytes.len().to_be_bytes()[size_of::<usize>() - N..]);
    out.extend(bytes);
}

/// SHA-256.
pub(crate) fn sha256(bytes: &[u8]) -> Hash {
    hash_of(&digest::digest(&digest::SHA256, bytes))
}

/// The bytes of a SHA-256 digest.
pub(crate) fn hash_of(digest: &digest::Digest) -> Hash {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest.as_ref());
    hash
}

/// Taking fields off the front of TLS structures (RFC 8446, section 3).
trait SplitOff<'a> {
    fn split_off_chunk<const N: usize>(&mut self) -> Option<&'a [u8; N]>;

    fn split_off_opaque<const N: usize>(&mut self) -> Option<&'a [u8]>;
}

impl<'a> SplitOff<'a> for &'a [u8] {
    fn split_off_chunk<const N: usize>(&mut self) -> Option<&'a [u8; N]> {
        let (chunk, rest) = self.split_first_chunk()?;
        *self = rest;
        Some(chunk)
    }

    fn split_off_opaque<const N: usize>(&mut self) -> Option<&'a [u8]> {
        let length = self
            .split_off_chunk::<N>()?
            .iter()
            .fold(0, |length, byte| length << 8 | usize::from(*byte));
        let (bytes, rest) = self.split_at_checked(length)?;
        *self = rest;
        Some(bytes)
    }
}

const X509_ENTRY: u16 = 0;
const PRECERT_ENTRY: u16 = 1;
const LEAF_INDEX: u8 = 0;

/// `MerkleTreeLeaf`: the prefix of a leaf hash, v1, timestamped_entry.
const LEAF_PREFIX: u8 = 0;
const VERSION: u8 = 0;
const TIMESTAMPED_ENTRY: u8 = 0;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn leaf_index_survives_other_extensions_but_not_a_second_one() {
        let own = extensions_for(0x01_0203_0405);
        assert_eq!(own, [0, 0, 5, 1, 2, 3, 4, 5]);
        assert_eq!(leaf_index(&own), Some(0x01_0203_0405));
        let with_other = [&[7, 0, 1, 9][..], &own].concat();
        assert_eq!(leaf_index(&with_other), Some(0x01_0203_0405));
        assert_eq!(leaf_index(&[own, own].concat()), None);
        assert_eq!(leaf_index(&[&own[..], &[7, 0, 0, 7, 0, 0]].concat()), None);
        assert_eq!(leaf_index(&[0, 0, 4, 1, 2, 3, 4]), None);
        assert_eq!(leaf_index(&own[..7]), None);
        assert_eq!(leaf_index(&[]), None);
    }

    proptest! {
        #[test]
        fn reads_what_it_places(
            key_hash: Option<Hash>,
            signed in prop::collection::vec(any::<u8>(), 1..300),
            certificate in prop::collection::vec(any::<u8>(), 1..300),
            issuers in prop::collection::vec(any::<Hash>(), 0..4),
            timestamp: u64,
            index in 0..MAX_SIZE,
            after in prop::collection::vec(any::<u8>(), 0..20),
        ) {
            let (entry, certificate) = match key_hash {
                Some(issuer_key_hash) => (Entry::Precertificate { issuer_key_hash, tbs: &signed }, &certificate),
                None => (Entry::Certificate(&signed), &signed),
            };
            let unplaced = UnplacedLeaf::new(entry, certificate, issuers.iter().copied());
            let mut bytes = Vec::new();
            unplaced.place(&mut bytes, timestamp, index);
            prop_assert_eq!(bytes.len(), unplaced.size());
            for length in 0..bytes.len() {
                prop_assert_eq!(TileLeaf::parse(&bytes[..length]), None);
            }
            bytes.extend(&after);
            let (leaf, rest) = TileLeaf::parse(&bytes).expect("complete");
            prop_assert_eq!(leaf.timestamp, timestamp);
            prop_assert_eq!(leaf.entry, entry);
            prop_assert_eq!(leaf.certificate, certificate);
            prop_assert_eq!(leaf.index(), Some(index));
            prop_assert_eq!(leaf.issuers().collect::<Vec<_>>(), issuers);
            prop_assert_eq!(rest, after);
        }

        #[test]
        fn never_panics_on_a_leaf(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Some((leaf, rest)) = TileLeaf::parse(&bytes) {
                let _ = (leaf.index(), leaf.hash());
                prop_assert!(rest.len() < bytes.len());
            }
        }
    }
}
