use std::{
    collections::{HashMap, HashSet},
    io,
    sync::Arc,
};

use crate::{
    disk::{Disk, walk},
    error::Error,
    frontier::Frontier,
    identity::Identity,
    journal::Journal,
    leaf::Hash,
    publisher::{PUBLIC, Publisher, STATE, fingerprint_of, grow, public},
    reader::{Checkpoint, FetchError, Source, VerifiedTree},
    sequencer::Recent,
    state::State,
    submission::Placed,
    tile::{TileKind, TileName, WIDTH},
};

/// Goes on with the log in a folder: reads the end of the journal, or all of it when the tiles do
/// not fit, writes the tiles that are missing, and gives the journal ready to be appended to.
///
/// Nothing is written before the journal is known to hold the tree that was published.
pub(crate) fn recover(
    disk: &Arc<dyn Disk>,
    identity: &Identity,
) -> Result<(Journal, Publisher), Error> {
    let mut journal = Journal::open(&**disk)?;
    let path = public("checkpoint");
    let note = disk.read(&path).map_err(Error::disk("read", &path))?;
    let published = match note {
        Some(note) => Checkpoint::verify(&note, &identity.origin, identity.key.public())
            .map(Some)
            .map_err(|_| Error::damaged(&path, 0))?,
        None => None,
    };
    let issuers = issuers(&**disk).map_err(Error::disk("read", PUBLIC))?;
    let (frontier, start) = match resume(disk, &mut journal, published.as_ref(), issuers.len())? {
        Some(found) => found,
        None => {
            tracing::info!("reading the whole journal of the log");
            rebuild(&mut journal, published.as_ref())?
        }
    };
    // What is made again from the start counts again.
    let issuers = if start.position.size == 0 {
        HashSet::new()
    } else {
        issuers
    };
    let (disk, identity) = (Arc::clone(disk), identity.clone());
    let mut publisher = Publisher::new(disk, identity, frontier, issuers, start)?;
    if let Some(published) = published {
        publisher.not_before(published.timestamp());
    }
    while let Some(frame) = journal.next()? {
        publisher.apply(&frame)?;
    }
    journal.trim()?;
    Ok((journal, publisher))
}

/// Starts from what an earlier run remembered; nothing when that does not fit.
fn resume(
    disk: &Arc<dyn Disk>,
    journal: &mut Journal,
    published: Option<&Checkpoint>,
    issuers: usize,
) -> Result<Option<(Frontier, State)>, Error> {
    let bytes = disk.read(STATE).map_err(Error::disk("read", STATE))?;
    let Some(state) = bytes.as_deref().and_then(State::parse) else {
        return Ok(None);
    };
    let size = state.position.size;
    let whole = (issuers as u64) >= state.issuers
        && has_full_tiles(&**disk, size).map_err(Error::disk("read", PUBLIC))?;
    if !whole {
        return Ok(None);
    }
    let tile = |name| public_file(&**disk, &format!("{name}")).map_err(Error::disk("read", PUBLIC));
    let frontier = Frontier::load(size, tile)?;
    let fits = |frontier: &Frontier| {
        frontier.root() == state.root && frontier.entries_hash() == state.entries
    };
    let Some(frontier) = frontier.filter(fits) else {
        return Ok(None);
    };
    if let Some(published) = published {
        if published.size() > size {
            return Ok(None);
        }
        let source = PublicFiles(&**disk);
        let tree = VerifiedTree::new(&source, size, state.root);
        match tree.root_at(published.size()) {
            Ok(root) if root == published.root() => {}
            // Whether the log has forked, the journal decides.
            _ => return Ok(None),
        }
    }
    Ok(journal.seek(state.position)?.then_some((frontier, state)))
}

/// Starts from nothing, once the journal is seen to hold what was published.
fn rebuild(
    journal: &mut Journal,
    published: Option<&Checkpoint>,
) -> Result<(Frontier, State), Error> {
    journal.rewind();
    let start = State {
        position: journal.position(),
        root: Frontier::default().root(),
        entries: Frontier::default().entries_hash(),
        newest: 0,
        issuers: 0,
    };
    if let Some(published) = published {
        let mut frontier = Frontier::default();
        while frontier.size() < published.size() {
            let Some(frame) = journal.next()? else {
                return Err(Error::Behind {
                    held: frontier.size(),
                    published: published.size(),
                });
            };
            grow(&mut frontier, &frame, |_| {}, |_, _| {})?;
        }
        // Publications end where batches end.
        if frontier.size() != published.size() || frontier.root() != published.root() {
            return Err(Error::Fork {
                size: published.size(),
            });
        }
        journal.rewind();
    }
    Ok((Frontier::default(), start))
}

/// Fingerprints of the issuers that are on the disk.
fn issuers(disk: &dyn Disk) -> io::Result<HashSet<Hash>> {
    let mut found = HashSet::new();
    for listed in disk.list(&public("issuer"))? {
        found.extend(fingerprint_of(&listed.name));
    }
    Ok(found)
}

/// Whether every full tile of a tree of `size` entries is on the disk. Those of a log that was
/// copied at work may not be, as its state may have been copied after they were not there yet.
fn has_full_tiles(disk: &dyn Disk, size: u64) -> io::Result<bool> {
    let mut missing: HashMap<TileKind, u64> = TileKind::ALL
        .into_iter()
        .map(|kind| (kind, kind.elements(size) / WIDTH))
        .collect();
    let prefix = public("");
    let no_partials = |folder: &str| {
        let last = folder.rsplit('/').next();
        last.is_some_and(|name| !name.ends_with(".p"))
    };
    walk(disk, &public("tile"), &no_partials, &mut |file| {
        let name = file.strip_prefix(&prefix).and_then(TileName::parse);
        if let Some(name) = name.filter(|name| name.is_full())
            && name.index < name.kind.elements(size) / WIDTH
            && let Some(missing) = missing.get_mut(&name.kind)
        {
            *missing -= 1;
        }
    })?;
    Ok(missing.values().all(|missing| *missing == 0))
}

/// The places of the newest entries of a published tree, so that a retry after a restart gets the
/// place of the first try: at least `entries` of them, in a memory for `limit`.
///
/// They come from whole tiles, of which only what is in the tree is believed.
pub(crate) fn remember(
    disk: &dyn Disk,
    published: &Checkpoint,
    limit: usize,
    entries: u64,
) -> Recent {
    let mut recent = Recent::new(limit);
    let size = published.size();
    let source = PublicFiles(disk);
    let tree = VerifiedTree::new(&source, size, published.root());
    let first = size.saturating_sub(entries) / WIDTH * WIDTH;
    for index in (first..size).step_by(256) {
        let tile = match tree.entries(index) {
            Ok(tile) => tile,
            Err(error) => {
                let error: &dyn core::error::Error = &error;
                tracing::warn!(error, index, "a tile of the log is not what it should be");
                continue;
            }
        };
        for (index, leaf) in (index..).zip(tile.leaves()) {
            let placed = Placed::new(index, leaf.timestamp);
            recent.insert(leaf.identity(), Arc::new(placed));
        }
    }
    recent
}

/// The public files of the folder, read as they lie there.
struct PublicFiles<'a>(&'a dyn Disk);

impl Source for PublicFiles<'_> {
    fn fetch(&self, path: &str) -> Result<Option<Vec<u8>>, FetchError> {
        Ok(public_file(self.0, path)?)
    }
}

fn public_file(disk: &dyn Disk, path: &str) -> io::Result<Option<Vec<u8>>> {
    disk.read(&public(path))
}
