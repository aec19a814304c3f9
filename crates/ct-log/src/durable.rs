use std::{
    collections::{BTreeSet, HashSet},
    io,
    sync::Arc,
};

use crate::disk::{Access, Disk};

/// Where a file is written before it gets its name. One is enough: there is one writer.
pub(crate) const STAGING: &str = "staging";

/// Writes whole files so that a reader sees all of one or nothing, and a power cut too.
///
/// Names become durable in groups, by [`commit`](Self::commit): a publication of twenty tiles
/// costs each folder one sync.
#[derive(Debug)]
pub(crate) struct Durable {
    disk: Arc<dyn Disk>,
    known: HashSet<String>,
    pending: BTreeSet<String>,
}

impl Durable {
    /// Starts anew: what a crash left half written goes away.
    pub(crate) fn new(disk: Arc<dyn Disk>) -> io::Result<Self> {
        disk.remove(STAGING)?;
        Ok(Self {
            disk,
            known: HashSet::new(),
            pending: BTreeSet::new(),
        })
    }

    /// Creates or replaces a file, and the folders above it.
    pub(crate) fn put(&mut self, name: &str, content: &[u8]) -> io::Result<()> {
        self.put_with(name, content, Access::Anybody)
    }

    /// The same, for a file with a secret in it.
    pub(crate) fn put_secret(&mut self, name: &str, content: &[u8]) -> io::Result<()> {
        self.put_with(name, content, Access::Owner)
    }

    fn put_with(&mut self, name: &str, content: &[u8], access: Access) -> io::Result<()> {
        let folder = folder_of(name);
        self.ensure(folder)?;
        self.disk.write(STAGING, content, access)?;
        self.disk.rename(STAGING, name)?;
        self.pending.insert(folder.to_owned());
        Ok(())
    }

    /// Makes the name of every file put so far durable.
    pub(crate) fn commit(&mut self) -> io::Result<()> {
        while let Some(folder) = self.pending.last() {
            self.disk.sync_folder(folder)?;
            self.pending.pop_last();
        }
        Ok(())
    }

    fn ensure(&mut self, folder: &str) -> io::Result<()> {
        if folder.is_empty() || self.known.contains(folder) {
            return Ok(());
        }
        let above = folder_of(folder);
        self.ensure(above)?;
        self.disk.create_folder(folder)?;
        self.pending.insert(above.to_owned());
        self.known.insert(folder.to_owned());
        Ok(())
    }

    /// Removes a file that nobody needs any more. A power cut may bring it back.
    pub(crate) fn remove(&mut self, name: &str) -> io::Result<()> {
        self.disk.remove(name)
    }

    /// Removes a folder that nobody needs any more. A power cut may bring it back.
    pub(crate) fn remove_folder(&mut self, name: &str) -> io::Result<()> {
        self.known.remove(name);
        self.pending.remove(name);
        self.disk.remove_folder(name)
    }
}

fn folder_of(name: &str) -> &str {
    name.rsplit_once('/').map_or("", |(folder, _)| folder)
}
