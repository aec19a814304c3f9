use std::{collections::HashMap, io};

use super::{Listing, Problem, Report, Snapshot};
use crate::{
    disk::ReadDisk,
    error::Error,
    frontier::Frontier,
    journal::{Frame, JOURNAL, Journal, Position, Record},
    leaf::{Hash, TileLeaf, sha256},
    publisher::{STATE, issuer_path, public},
    reader::cut,
    state::State,
    tile::{TileName, WIDTH},
};

/// One reading of the journal, from which the tree grows again; what is published is compared
/// with it on the way.
#[derive(Debug)]
pub(super) struct Audit<'a> {
    disk: &'a dyn ReadDisk,
    report: &'a mut Report,
    listing: Listing,
    snapshot: Option<Snapshot>,
    /// Until the journal has come to where it says.
    state: Option<State>,
    frontier: Frontier,
    /// The issuers in the journal, with the size of the tree when they came.
    issuers: HashMap<Hash, u64>,
    newest: u64,
    /// Whether the published tree is one that the journal came to.
    reached: bool,
}

impl<'a> Audit<'a> {
    pub(super) fn new(
        disk: &'a dyn ReadDisk,
        report: &'a mut Report,
        listing: Listing,
        snapshot: Option<Snapshot>,
        state: Option<State>,
    ) -> Self {
        Self {
            disk,
            report,
            listing,
            snapshot,
            state,
            frontier: Frontier::default(),
            issuers: HashMap::new(),
            newest: 0,
            reached: false,
        }
    }

    pub(super) fn run(mut self) {
        let whole = match self.journal() {
            Ok(whole) => whole,
            Err(error) => {
                self.report.add_error(JOURNAL, &error);
                false
            }
        };
        self.report.entries = self.frontier.size();
        self.report.root = self.frontier.root();
        self.edge(whole);
        self.published(whole);
        self.issuers(whole);
        if whole && self.state.is_some() {
            self.report.add(STATE, Problem::Stale);
        }
    }

    /// Reads all of the journal; false when it has to stop before the end.
    fn journal(&mut self) -> Result<bool, Error> {
        let file = match self.disk.open(JOURNAL) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.report.add(JOURNAL, Problem::Missing);
                return Ok(false);
            }
            Err(error) => return Err(Error::disk("open", JOURNAL)(error)),
        };
        let mut journal = Journal::of(file)?;
        self.between(journal.position());
        while let Some(frame) = journal.next()? {
            if !self.frame(&frame) {
                let offset = frame.start;
                self.report.add(JOURNAL, Problem::Damaged { offset });
                return Ok(false);
            }
            self.between(frame.end);
        }
        let bytes = journal.behind()?;
        if bytes > 0 {
            self.report.add(JOURNAL, Problem::Torn { bytes });
        }
        Ok(true)
    }

    /// Takes a batch; false when it is not the next one.
    fn frame(&mut self, frame: &Frame) -> bool {
        for record in frame.records() {
            match record {
                Ok(Record::Issuer(der)) => {
                    let size = self.frontier.size();
                    self.issuers.entry(sha256(der)).or_insert(size);
                }
                Ok(Record::Leaf(leaf, encoded)) if leaf.index() == Some(self.frontier.size()) => {
                    self.leaf(&leaf, encoded);
                }
                _ => return false,
            }
        }
        self.report.batches += 1;
        true
    }

    fn leaf(&mut self, leaf: &TileLeaf<'_>, encoded: &[u8]) {
        let index = self.frontier.size();
        if leaf.timestamp < self.newest {
            self.report.add(JOURNAL, Problem::Order { index });
        }
        self.newest = self.newest.max(leaf.timestamp);
        for issuer in leaf.issuers() {
            if !self.issuers.contains_key(&issuer) {
                self.report.add(JOURNAL, Problem::UnknownIssuer { index });
                self.issuers.insert(issuer, index);
            }
        }
        let mut filled = Vec::new();
        self.frontier.push(leaf, encoded, &mut |name, content| {
            filled.push((name, content));
        });
        for (name, content) in filled {
            self.filled(name, &content);
        }
    }

    /// Compares what is remembered of a place between two batches with the tree there.
    fn between(&mut self, position: Position) {
        if self
            .state
            .is_some_and(|state| state.position == position && state.root == self.frontier.root())
        {
            self.state = None;
        }
        self.reached |= self.snapshot.as_ref().is_some_and(|snapshot| {
            snapshot.size == position.size && snapshot.root == self.frontier.root()
        });
    }

    /// Compares a tile that has become full, and its partial versions, with what is published.
    fn filled(&mut self, name: TileName, content: &[u8]) {
        let path = public(&name.to_string());
        let published = self.is_published(name);
        if self.listing.full.remove(&name) {
            self.compare(path, content);
        } else if published {
            self.report.add(path, Problem::Missing);
        }
        for width in self.listing.partial.remove(&name).unwrap_or_default() {
            let partial = TileName { width, ..name };
            self.partial(partial, content);
            if published {
                let path = public(&partial.to_string());
                self.report.add(path, Problem::Leftover);
            }
        }
    }

    /// Compares the partial tiles at the right edge of the whole tree, and finds those beyond.
    fn edge(&mut self, whole: bool) {
        let edge: Vec<_> = self
            .frontier
            .partial_tiles()
            .map(|(name, content)| (name, content.to_vec()))
            .collect();
        for (name, content) in edge {
            let Some(widths) = self.listing.partial.get_mut(&name.full()) else {
                continue;
            };
            let within: Vec<_> = widths
                .extract_if(.., |width| *width <= name.width)
                .collect();
            for width in within {
                self.partial(TileName { width, ..name }, &content);
            }
        }
        let partial = core::mem::take(&mut self.listing.partial);
        let partial = partial
            .into_iter()
            .flat_map(|(name, widths)| widths.into_iter().map(move |width| (name, width)))
            .map(|(name, width)| TileName { width, ..name });
        let beyond: Vec<_> = self.listing.full.drain().chain(partial).collect();
        for name in beyond {
            if whole {
                let path = public(&name.to_string());
                self.report.add(path, Problem::Unexpected);
            } else {
                self.report.not_compared += 1;
            }
        }
    }

    /// Says what is wrong with the checkpoint, and with the tiles that only its tree needs.
    fn published(&mut self, whole: bool) {
        let path = public("checkpoint");
        let held = self.frontier.size();
        match &self.snapshot {
            None if whole && held > 0 && self.report.published.is_none() => {
                let known = self
                    .report
                    .findings
                    .iter()
                    .any(|finding| finding.file == path);
                if !known {
                    self.report.add(path, Problem::Missing);
                }
            }
            Some(snapshot) if snapshot.size > held && whole => {
                let published = snapshot.size;
                self.report.add(path, Problem::Behind { held, published });
            }
            Some(snapshot) if snapshot.size <= held && !self.reached => {
                let size = snapshot.size;
                self.report.add(path, Problem::Fork { size });
            }
            _ => {}
        }
        for name in self.snapshot.iter().flat_map(|snapshot| &snapshot.missing) {
            let path = public(&name.to_string());
            self.report.add(path, Problem::Missing);
        }
    }

    fn issuers(&mut self, whole: bool) {
        let published = self.report.published.unwrap_or(0);
        for (fingerprint, size) in &self.issuers {
            if !self.listing.issuers.contains(fingerprint) && *size < published {
                let path = public(&issuer_path(fingerprint));
                self.report.add(path, Problem::Missing);
            }
        }
        for fingerprint in &self.listing.issuers {
            let path = public(&issuer_path(fingerprint));
            if let Some(der) = self.report.read(self.disk, &path)
                && sha256(&der) != *fingerprint
            {
                self.report.add(path, Problem::Differs { offset: 0 });
            } else if self.issuers.contains_key(fingerprint) {
                self.report.issuers += 1;
            } else if whole {
                self.report.add(path, Problem::Unknown);
            } else {
                self.report.not_compared += 1;
            }
        }
    }

    /// Whether all of a tile is in the published tree.
    fn is_published(&self, name: TileName) -> bool {
        let end = name.index * WIDTH + name.width;
        self.snapshot
            .as_ref()
            .is_some_and(|snapshot| end <= name.kind.elements(snapshot.size))
    }

    fn compare(&mut self, path: String, content: &[u8]) {
        let Some(found) = self.report.read(self.disk, &path) else {
            return;
        };
        self.report.tiles += 1;
        if found != content {
            let same = found.iter().zip(content).take_while(|(a, b)| a == b);
            let offset = same.count() as u64;
            self.report.add(path, Problem::Differs { offset });
        }
    }

    /// Compares a partial tile with a wider version of it. A log at work may have removed it.
    fn partial(&mut self, name: TileName, wider: &[u8]) {
        let mut content = wider.to_vec();
        if cut(&mut content, name).is_some() {
            self.compare(public(&name.to_string()), &content);
        }
    }
}
