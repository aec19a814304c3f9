use core::fmt::Write;
use std::{collections::HashSet, sync::Arc};

use crate::{
    disk::Disk,
    durable::Durable,
    error::Error,
    frontier::Frontier,
    identity::Identity,
    journal::{Frame, JOURNAL, Position, Record},
    leaf::{Hash, sha256},
    reader::Checkpoint,
    state::State,
    tile::TileName,
};

/// The folder of everything that strangers may read.
pub(crate) const PUBLIC: &str = "public";

/// The file with the latest [`State`].
pub(crate) const STATE: &str = "state";

/// Writes what strangers read: issuers, tiles, and a checkpoint after them.
///
/// It is given the frames of the journal, in order and after they are durable, so nothing is ever
/// published that a restart could forget.
#[derive(Debug)]
pub(crate) struct Publisher {
    files: Durable,
    identity: Identity,
    frontier: Frontier,
    /// Fingerprints of the issuers that were written.
    issuers: HashSet<Hash>,
    position: Position,
    /// The timestamp of the newest entry, or of the latest checkpoint.
    newest: u64,
    /// Tiles that became full since the last publication.
    filled: Vec<TileName>,
    /// Partial tiles of the latest publication, and of the one before.
    partial: Vec<TileName>,
    superseded: Vec<TileName>,
}

/// The latest checkpoint, and the note that says so.
#[derive(Clone, Debug)]
pub(crate) struct Published {
    pub(crate) checkpoint: Checkpoint,
    pub(crate) note: String,
}

impl Publisher {
    /// Goes on where an earlier run was, or starts with an empty tree.
    pub(crate) fn new(
        disk: Arc<dyn Disk>,
        identity: Identity,
        frontier: Frontier,
        issuers: HashSet<Hash>,
        start: State,
    ) -> Result<Self, Error> {
        Ok(Self {
            files: Durable::new(disk).map_err(Error::disk("remove", "staging"))?,
            identity,
            frontier,
            issuers,
            position: start.position,
            newest: start.newest,
            filled: Vec::new(),
            partial: Vec::new(),
            superseded: Vec::new(),
        })
    }

    /// The timestamp of the newest entry or checkpoint, in milliseconds since 1970.
    pub(crate) fn newest(&self) -> u64 {
        self.newest
    }

    /// Lets no checkpoint be older than `timestamp`.
    pub(crate) fn not_before(&mut self, timestamp: u64) {
        self.newest = self.newest.max(timestamp);
    }

    /// Takes a batch: writes its issuers, and the tiles that it fills.
    pub(crate) fn apply(&mut self, frame: &Frame) -> Result<(), Error> {
        let mut issuers = Vec::new();
        let mut full = Vec::new();
        self.newest = self.newest.max(grow(
            &mut self.frontier,
            frame,
            |der| issuers.push(der.to_vec()),
            |name, content| full.push((name, content)),
        )?);
        for der in issuers {
            let fingerprint = sha256(&der);
            self.put(&issuer_path(&fingerprint), &der)?;
            self.issuers.insert(fingerprint);
        }
        for (name, content) in full {
            self.put(&name.to_string(), &content)?;
            self.filled.push(name);
        }
        self.position = frame.end;
        Ok(())
    }

    /// Publishes all that was taken, at the time `now` or later.
    pub(crate) fn publish(&mut self, now: u64) -> Result<Published, Error> {
        let mut partial = Vec::new();
        let tiles: Vec<_> = self
            .frontier
            .partial_tiles()
            .map(|(name, content)| (name, content.to_vec()))
            .collect();
        for (name, content) in tiles {
            if !self.partial.contains(&name) {
                self.put(&name.to_string(), &content)?;
            }
            partial.push(name);
        }
        self.commit()?;

        let root = self.frontier.root();
        let state = State {
            position: self.position,
            root,
            entries: self.frontier.entries_hash(),
            newest: self.newest,
            issuers: self.issuers.len() as u64,
        };
        self.files
            .put(STATE, &state.to_bytes())
            .map_err(Error::disk("write", STATE))?;
        self.commit()?;

        self.newest = self.newest.max(now);
        let size = self.frontier.size();
        let (checkpoint, note) = Checkpoint::sign(&self.identity, size, root, self.newest)?;
        self.put("checkpoint", note.as_bytes())?;
        self.commit()?;

        self.tidy(partial)?;
        Ok(Published { checkpoint, note })
    }

    /// Removes partial tiles that no reader can still be about to ask for: one publication is
    /// kept beside the latest, and none where the full tile is there.
    fn tidy(&mut self, partial: Vec<TileName>) -> Result<(), Error> {
        let old = core::mem::replace(&mut self.partial, partial);
        for name in core::mem::take(&mut self.superseded) {
            if !old.contains(&name) && !self.partial.contains(&name) {
                let path = public(&name.to_string());
                self.files
                    .remove(&path)
                    .map_err(Error::disk("remove", &path))?;
            }
        }
        for name in core::mem::take(&mut self.filled) {
            let folder = public(&name.partials());
            self.files
                .remove_folder(&folder)
                .map_err(Error::disk("remove", &folder))?;
        }
        self.superseded = old;
        Ok(())
    }

    fn put(&mut self, path: &str, content: &[u8]) -> Result<(), Error> {
        let path = public(path);
        self.files
            .put(&path, content)
            .map_err(Error::disk("write", &path))
    }

    fn commit(&mut self) -> Result<(), Error> {
        self.files.commit().map_err(Error::disk("sync", PUBLIC))
    }
}

/// Adds the entries of a batch to a tree, after checking that they are its next ones; gives the
/// newest timestamp among them.
pub(crate) fn grow(
    frontier: &mut Frontier,
    frame: &Frame,
    mut issuer: impl FnMut(&[u8]),
    mut full: impl FnMut(TileName, Vec<u8>),
) -> Result<u64, Error> {
    let mut newest = 0;
    for record in frame.records() {
        match record {
            Ok(Record::Issuer(der)) => issuer(der),
            Ok(Record::Leaf(leaf, encoded)) if leaf.index() == Some(frontier.size()) => {
                newest = newest.max(leaf.timestamp);
                frontier.push(&leaf, encoded, &mut full);
            }
            _ => return Err(Error::damaged(JOURNAL, frame.start)),
        }
    }
    Ok(newest)
}

/// Where a file that strangers read lies.
pub(crate) fn public(path: &str) -> String {
    format!("{PUBLIC}/{path}")
}

/// Where the certificate with this fingerprint is served.
pub(crate) fn issuer_path(fingerprint: &Hash) -> String {
    let mut path = String::from("issuer/");
    for byte in fingerprint {
        write!(path, "{byte:02x}").expect("a String takes everything");
    }
    path
}

/// The fingerprint that a file name of an issuer stands for.
pub(crate) fn fingerprint_of(name: &str) -> Option<Hash> {
    let mut hash = [0; 32];
    let (digits, rest) = name.as_bytes().as_chunks::<2>();
    if digits.len() != hash.len() || !rest.is_empty() {
        return None;
    }
    for (byte, [high, low]) in hash.iter_mut().zip(digits) {
        let digit = |digit: &u8| match digit {
            b'0'..=b'9' => Some(digit - b'0'),
            b'a'..=b'f' => Some(digit - b'a' + 10),
            _ => None,
        };
        *byte = digit(high)? << 4 | digit(low)?;
    }
    Some(hash)
}
