use fulcio_ct_client::LogKey;

use super::{Problem, Report};
use crate::{
    creation::{NOTE_KEY, stored_note_key},
    disk::ReadDisk,
    leaf::Hash,
    publisher::public,
    reader::Checkpoint,
    tile::{TileKind, TileName},
};

/// The published tree as it was at one moment.
#[derive(Debug)]
pub(super) struct Snapshot {
    pub(super) size: u64,
    pub(super) root: Hash,
    /// Tiles at its right edge that a reader would not have got then.
    pub(super) missing: Vec<TileName>,
}

impl Snapshot {
    /// Reads checkpoint and right edge; again, when a log at work has published meanwhile.
    pub(super) fn read(
        disk: &dyn ReadDisk,
        key: Option<&LogKey>,
        report: &mut Report,
    ) -> Option<Self> {
        let path = public("checkpoint");
        let mut note = report.read(disk, &path)?;
        for _ in 0..ATTEMPTS {
            let origin = report.origin.clone()?;
            let (size, root) = Checkpoint::unverified(&note, &origin)
                .map_err(|error| report.add(&path, Problem::Note(error)))
                .ok()?;
            let missing = missing(disk, size);
            if !missing.is_empty() {
                let newer = report.read(disk, &path)?;
                if newer != note {
                    note = newer;
                    continue;
                }
            }
            verify(disk, &note, &origin, key, report);
            report.published = Some(size);
            return Some(Self {
                size,
                root,
                missing,
            });
        }
        report.add(
            path,
            Problem::Unreadable {
                kind: std::io::ErrorKind::ResourceBusy,
            },
        );
        None
    }
}

fn verify(
    disk: &dyn ReadDisk,
    note: &[u8],
    origin: &str,
    key: Option<&LogKey>,
    report: &mut Report,
) {
    let path = public("checkpoint");
    match key.map(|key| Checkpoint::verify(note, origin, key)) {
        None => report.add(&path, Problem::NoKey),
        Some(Ok(_)) => {}
        Some(Err(error)) => report.add(&path, Problem::Note(error)),
    }
    // A key that cannot be read has been reported.
    let Ok(Some(signer)) = stored_note_key(disk) else {
        return;
    };
    match Checkpoint::second_signature(note, origin, &signer.verifier()) {
        Some(true) => {}
        Some(false) => report.add(&path, Problem::NoteSignature),
        None => {
            if key.is_some_and(|key| Checkpoint::has_second_signature(note, origin, key)) {
                report.add(NOTE_KEY, Problem::NoteKeyMismatch);
            }
        }
    }
}

/// The partial tiles of a tree that are neither there nor in a full one.
fn missing(disk: &dyn ReadDisk, size: u64) -> Vec<TileName> {
    let edge = TileKind::ALL.into_iter().filter_map(|kind| {
        let last = kind.elements(size).checked_sub(1)?;
        TileName::holding(kind, last, size).filter(|name| !name.is_full())
    });
    // What cannot be read is reported by whoever compares it.
    let there = |name: &TileName| {
        [*name, name.full()]
            .iter()
            .any(|name| !matches!(disk.read(&public(&name.to_string())), Ok(None)))
    };
    edge.filter(|name| !there(name)).collect()
}

/// How often a log at work may publish while its edge is read.
const ATTEMPTS: u32 = 100;
