use core::fmt;

/// Hashes, or entries, in a full tile.
pub(crate) const WIDTH: u64 = 256;

/// The largest tree: leaf indices have forty bits.
pub(crate) const MAX_SIZE: u64 = 1 << 40;

/// Which tile of the tree, as c2sp.org/static-ct-api names it: `tile/0/x001/234.p/17`.
///
/// The paths of `tlog_tiles` carry a height that static-ct leaves out, and its parser panics on
/// some paths that strangers may send, so names are read and written here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct TileName {
    /// Hashes of which level, or entries.
    pub(crate) kind: TileKind,
    /// How many tiles of its kind are to its left.
    pub(crate) index: u64,
    /// How many hashes or entries it has, 1 to 256.
    pub(crate) width: u64,
}

/// What a tile holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum TileKind {
    /// Entries, as `TileLeaf` structures.
    Data,
    /// Hashes of trees of 256^level leaves; level 0 to 5.
    Hashes(u8),
}

impl TileName {
    /// The tile of this kind that holds element `position`, in a tree of `size` entries.
    pub(crate) fn holding(kind: TileKind, position: u64, size: u64) -> Option<Self> {
        let elements = kind.elements(size);
        let index = position / WIDTH;
        (position < elements).then(|| Self {
            kind,
            index,
            width: (elements - index * WIDTH).min(WIDTH),
        })
    }

    /// The same tile when it is full.
    pub(crate) fn full(self) -> Self {
        Self {
            width: WIDTH,
            ..self
        }
    }

    pub(crate) fn is_full(self) -> bool {
        self.width == WIDTH
    }

    /// The folder with this tile's partial versions.
    pub(crate) fn partials(self) -> String {
        format!("{}.p", self.full())
    }

    /// Reads a path; nothing when it is not the one spelling of a possible tile.
    pub(crate) fn parse(path: &str) -> Option<Self> {
        let (level, number) = path.strip_prefix("tile/")?.split_once('/')?;
        let kind = match level {
            "data" => TileKind::Data,
            _ => TileKind::Hashes(number_of(level)?),
        };
        let (number, width) = match number.split_once(".p/") {
            Some((number, width)) => (number, number_of(width)?),
            None => (number, WIDTH),
        };
        let mut index: u64 = 0;
        for element in number.split('/') {
            let digits = element.strip_prefix('x').unwrap_or(element);
            if digits.len() != 3 {
                return None;
            }
            index = index.checked_mul(1000)?.checked_add(digits.parse().ok()?)?;
        }
        let name = Self { kind, index, width };
        let possible = !matches!(kind, TileKind::Hashes(6..))
            && index < MAX_SIZE
            && (1..=WIDTH).contains(&width);
        (possible && name.to_string() == path).then_some(name)
    }
}

impl TileKind {
    /// All of them.
    pub(crate) const ALL: [Self; 7] = [
        Self::Data,
        Self::Hashes(0),
        Self::Hashes(1),
        Self::Hashes(2),
        Self::Hashes(3),
        Self::Hashes(4),
        Self::Hashes(5),
    ];

    /// How many elements of this kind a tree of `size` entries has.
    pub(crate) fn elements(self, size: u64) -> u64 {
        match self {
            Self::Data => size,
            Self::Hashes(level) => size >> (8 * u32::from(level)),
        }
    }
}

impl fmt::Display for TileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            TileKind::Data => f.write_str("tile/data/")?,
            TileKind::Hashes(level) => write!(f, "tile/{level}/")?,
        }
        let mut divisor = 1;
        while self.index / divisor >= 1000 {
            divisor *= 1000;
        }
        while divisor > 1 {
            write!(f, "x{:03}/", self.index / divisor % 1000)?;
            divisor /= 1000;
        }
        write!(f, "{:03}", self.index % 1000)?;
        if self.width != WIDTH {
            write!(f, ".p/{}", self.width)?;
        }
        Ok(())
    }
}

fn number_of<N: core::str::FromStr>(digits: &str) -> Option<N> {
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_tiles_as_the_specification_does() {
        let tile = TileName {
            kind: TileKind::Hashes(0),
            index: 1_234_067,
            width: 256,
        };
        assert_eq!(tile.to_string(), "tile/0/x001/x234/067");
        let partial = TileName {
            kind: TileKind::Data,
            index: 273,
            width: 112,
        };
        assert_eq!(partial.to_string(), "tile/data/273.p/112");
        assert_eq!(partial.partials(), "tile/data/273.p");
    }

    #[test]
    fn the_tiles_of_a_tree_of_70000_are_those_of_the_specification() {
        let width = |level, position| {
            TileName::holding(TileKind::Hashes(level), position, 70_000).map(|tile| tile.width)
        };
        assert_eq!(width(0, 69_999), Some(112));
        assert_eq!(width(0, 70_000), None);
        assert_eq!(width(1, 256), Some(17));
        assert_eq!(width(1, 255), Some(256));
        assert_eq!(width(2, 0), Some(1));
        assert_eq!(width(3, 0), None);
    }

    #[test]
    fn refuses_every_other_spelling() {
        for path in [
            "tile/0/000.p/0",
            "tile/0/000.p/256",
            "tile/0/000.p/01",
            "tile/0/000.p/+1",
            "tile/00/000",
            "tile/6/000",
            "tile/200/000",
            "tile/-1/000",
            "tile/0/0",
            "tile/0/0000",
            "tile/0/x000/001",
            "tile/0/001/001",
            "tile/0/x001",
            "tile/0/+01",
            "tile/0/../checkpoint",
            "tile/0/000/",
            "tile//000",
            "tile/data/000.p/",
            "tile/0/x999/x999/x999/x999/x999/x999/x999/999",
        ] {
            assert_eq!(TileName::parse(path), None, "{path}");
        }
    }

    proptest! {
        #[test]
        fn reads_what_it_writes(level in 0u8..6, data: bool, index in 0..MAX_SIZE, width in 1..=WIDTH) {
            let kind = if data { TileKind::Data } else { TileKind::Hashes(level) };
            let name = TileName { kind, index, width };
            prop_assert_eq!(TileName::parse(&name.to_string()), Some(name));
        }

        #[test]
        fn never_panics_on_a_path(path in "tile/[0-9a-z]{1,3}/[x0-9./+p-]{0,40}") {
            if let Some(name) = TileName::parse(&path) {
                prop_assert_eq!(name.to_string(), path);
            }
        }
    }
}
