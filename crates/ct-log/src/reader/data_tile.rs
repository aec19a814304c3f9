use super::TileLeaf;

/// Up to 256 consecutive entries of a log, the hash of each verified to be in its tree.
///
/// [`Reader::entries`](super::Reader::entries) makes it.
#[derive(Clone, Debug)]
pub struct DataTile {
    first: u64,
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl DataTile {
    /// Splits a tile into `width` entries; nothing when it has not got just as many.
    pub(super) fn parse(first: u64, width: u64, bytes: Vec<u8>) -> Option<Self> {
        let mut rest = bytes.as_slice();
        let mut ends = Vec::new();
        for _ in 0..width {
            rest = TileLeaf::parse(rest)?.1;
            ends.push(bytes.len() - rest.len());
        }
        rest.is_empty().then_some(())?;
        Some(Self { first, bytes, ends })
    }

    /// The place in the log of the first entry in here.
    #[must_use]
    pub fn first(&self) -> u64 {
        self.first
    }

    /// The entry at this place in the log, if it is in here.
    #[must_use]
    pub fn leaf(&self, index: u64) -> Option<TileLeaf<'_>> {
        let at = usize::try_from(index.checked_sub(self.first)?).ok()?;
        let start = match at.checked_sub(1) {
            Some(before) => *self.ends.get(before)?,
            None => 0,
        };
        let bytes = self.bytes.get(start..*self.ends.get(at)?)?;
        TileLeaf::parse(bytes).map(|(leaf, _)| leaf)
    }

    /// All entries in here.
    pub fn leaves(&self) -> impl Iterator<Item = TileLeaf<'_>> {
        (self.first..).map_while(|index| self.leaf(index))
    }
}
