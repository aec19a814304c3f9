use crate::{
    journal::Position,
    leaf::{Hash, sha256},
};

/// Where an earlier run was when it last published, so that opening need not read the whole
/// journal.
///
/// A hint: when it is missing or does not fit the journal and the tiles, everything is made from
/// the journal again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct State {
    /// Up to where tiles and issuers are on the disk.
    pub(crate) position: Position,
    /// The Merkle tree hash there.
    pub(crate) root: Hash,
    /// SHA-256 of what the data tile there holds, unless that is full.
    pub(crate) entries: Hash,
    /// The timestamp of the last entry before it.
    pub(crate) newest: u64,
    /// Issuers of the entries before it.
    pub(crate) issuers: u64,
}

impl State {
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let (body, sum) = bytes.split_last_chunk::<32>()?;
        let fields = body.strip_prefix(HEADING)?;
        let (offset, fields) = fields.split_first_chunk()?;
        let (chain, fields) = fields.split_first_chunk()?;
        let (size, fields) = fields.split_first_chunk()?;
        let (root, fields) = fields.split_first_chunk()?;
        let (entries, fields) = fields.split_first_chunk()?;
        let (newest, fields) = fields.split_first_chunk()?;
        let state = Self {
            position: Position {
                offset: u64::from_be_bytes(*offset),
                chain: *chain,
                size: u64::from_be_bytes(*size),
            },
            root: *root,
            entries: *entries,
            newest: u64::from_be_bytes(*newest),
            issuers: u64::from_be_bytes(*fields.as_array()?),
        };
        (sha256(body) == *sum).then_some(state)
    }

    pub(crate) fn to_bytes(self) -> Vec<u8> {
        let mut out = HEADING.to_vec();
        out.extend(self.position.offset.to_be_bytes());
        out.extend(self.position.chain);
        out.extend(self.position.size.to_be_bytes());
        out.extend(self.root);
        out.extend(self.entries);
        out.extend(self.newest.to_be_bytes());
        out.extend(self.issuers.to_be_bytes());
        out.extend(sha256(&out));
        out
    }
}

const HEADING: &[u8] = b"fulcio-ct-log state 2\n";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes_and_nothing_else() {
        let state = State {
            position: Position {
                offset: 77,
                chain: [1; 32],
                size: 3,
            },
            root: [2; 32],
            entries: [4; 32],
            newest: 9,
            issuers: 2,
        };
        let bytes = state.to_bytes();
        assert_eq!(State::parse(&bytes), Some(state));
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert_eq!(State::parse(&changed), None);
            assert_eq!(State::parse(&bytes[..at]), None);
        }
    }
}
