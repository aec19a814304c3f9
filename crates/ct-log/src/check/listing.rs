use std::{
    collections::{HashMap, HashSet},
    io,
};

use super::{Problem, Report};
use crate::{
    disk::{ReadDisk, walk},
    leaf::Hash,
    publisher::{PUBLIC, fingerprint_of},
    tile::TileName,
};

/// The public files that were there before the journal was read. The journal, which is written
/// first, accounts for all of them.
#[derive(Debug, Default)]
pub(super) struct Listing {
    pub(super) full: HashSet<TileName>,
    /// The widths of partial tiles, by the name of the full one.
    pub(super) partial: HashMap<TileName, Vec<u64>>,
    pub(super) issuers: HashSet<Hash>,
}

impl Listing {
    pub(super) fn read(disk: &dyn ReadDisk, report: &mut Report) -> io::Result<Self> {
        let mut listing = Self::default();
        walk(disk, PUBLIC, &|_| true, &mut |file| {
            let path = file.split_once('/').map_or("", |(_, path)| path);
            let issuer = path.strip_prefix("issuer/").and_then(fingerprint_of);
            if path == "checkpoint" {
            } else if let Some(name) = TileName::parse(path) {
                if name.is_full() {
                    listing.full.insert(name);
                } else {
                    listing
                        .partial
                        .entry(name.full())
                        .or_default()
                        .push(name.width);
                }
            } else if let Some(fingerprint) = issuer {
                listing.issuers.insert(fingerprint);
            } else {
                report.add(file, Problem::Unknown);
            }
        })?;
        Ok(listing)
    }
}
