//! A disk that forgets at a power cut what was not synced.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    sync::{Arc, Condvar, Mutex, MutexGuard},
};

use crate::disk::{Access, AppendFile, Disk, Listed, ReadDisk, ReadFile};

/// A disk in memory. Clones are the same disk.
#[derive(Clone, Debug, Default)]
pub(crate) struct SimDisk(Arc<Mutex<Inner>>, Arc<Condvar>);

#[derive(Debug, Default)]
struct Inner {
    files: BTreeMap<u64, SimFile>,
    live: Names,
    durable: Names,
    next: u64,
    /// Changes until the disk fails; then every call does.
    left: Option<u64>,
    /// Whether the change during which the disk fails is half done.
    seed: u64,
    /// Why every change fails, while reading goes on.
    refusal: Option<io::ErrorKind>,
    /// What the disk promises and does not do.
    lie: Option<Lie>,
    /// How often a file was appended to, and how often what was appended was synced.
    appends: u64,
    syncs: u64,
    /// Whether syncs of what was appended wait.
    held: bool,
}

/// A promise that a disk may break: that what was synced is durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lie {
    /// [`AppendFile::sync`] does nothing.
    Append,
    /// The fifth [`AppendFile::sync`] does nothing; all others do what they should.
    AppendOnce,
    /// [`Disk::write`] does not sync.
    Write,
    /// [`Disk::sync_folder`] does nothing.
    Folder,
}

/// What a name stands for: the number of a file, or a folder.
type Names = BTreeMap<String, Option<u64>>;

#[derive(Clone, Debug, Default)]
struct SimFile {
    live: Vec<u8>,
    durable: Vec<u8>,
}

impl SimDisk {
    /// Fails the change after `changes` more, half of it done, and every call from then on.
    pub(crate) fn fail_after(&self, changes: u64, seed: u64) {
        let mut inner = self.lock();
        inner.left = Some(changes);
        inner.seed = seed;
    }

    pub(crate) fn failed(&self) -> bool {
        self.lock().left == Some(0)
    }

    /// Lets every change fail for this reason, or none any more. What is there can be read.
    pub(crate) fn refuse(&self, refusal: Option<io::ErrorKind>) {
        self.lock().refusal = refusal;
    }

    /// Breaks a promise from now on, also after power cuts.
    pub(crate) fn tell(&self, lie: Lie) {
        self.lock().lie = Some(lie);
    }

    /// How often a file was appended to, and how often one was synced.
    pub(crate) fn appends_and_syncs(&self) -> (u64, u64) {
        let inner = self.lock();
        (inner.appends, inner.syncs)
    }

    /// Lets syncs of appended bytes wait, or go on.
    pub(crate) fn hold_syncs(&self, held: bool) {
        self.lock().held = held;
        self.1.notify_all();
    }

    /// The content of a file as it is before a power cut, even of a disk that has failed.
    pub(crate) fn peek(&self, name: &str) -> Option<Vec<u8>> {
        let inner = self.lock();
        let number = inner.file(name)?;
        Some(inner.files[&number].live.clone())
    }

    /// The disk after a power cut: everything that was synced, and of the rest what `seed`
    /// chooses.
    pub(crate) fn after_power_cut(&self, seed: u64) -> Self {
        let inner = self.lock();
        let mut chance = Chance::new(seed);
        // Every third cut loses everything that was not synced.
        let strict = seed.is_multiple_of(3);
        let mut files = BTreeMap::new();
        for (number, file) in &inner.files {
            let mut kept = file.durable.clone();
            if !strict && file.live.starts_with(&file.durable) {
                let tail = &file.live[file.durable.len()..];
                let length = chance.below(tail.len() as u64 + 1) as usize;
                kept.extend(&tail[..length]);
                if length > 8 && chance.below(3) == 0 {
                    // A page in the middle never reached the disk.
                    let hole = file.durable.len() + chance.below(length as u64) as usize;
                    let end = (hole + 64).min(kept.len());
                    kept[hole..end].fill(0);
                }
            }
            let file = SimFile {
                live: kept.clone(),
                durable: kept,
            };
            files.insert(*number, file);
        }
        let mut names = Names::new();
        let all: BTreeSet<_> = inner.live.keys().chain(inner.durable.keys()).collect();
        for name in all {
            let newer = !strict && chance.below(2) == 0;
            let from = if newer { &inner.live } else { &inner.durable };
            let reachable = folder_of(name).is_none_or(|folder| names.contains_key(folder));
            if let Some(target) = from.get(name)
                && reachable
            {
                names.insert(name.clone(), *target);
            }
        }
        let after = Inner {
            files,
            live: names.clone(),
            durable: names,
            next: inner.next,
            lie: inner.lie,
            ..Inner::default()
        };
        Self(Arc::new(Mutex::new(after)), Arc::default())
    }

    /// Replaces a file's content, on the disk and in memory.
    pub(crate) fn put(&self, name: &str, content: &[u8]) {
        let mut inner = self.lock();
        let number = inner.live[name].expect("a file");
        let file = inner.files.get_mut(&number).expect("named");
        file.live = content.to_vec();
        file.durable = content.to_vec();
    }

    /// Removes a file, or a folder with everything in it.
    pub(crate) fn forget(&self, name: &str) {
        let mut inner = self.lock();
        let kept = |path: &String| path != name && !path.starts_with(&format!("{name}/"));
        inner.live.retain(|path, _| kept(path));
        inner.durable.retain(|path, _| kept(path));
    }

    /// The names of all files.
    pub(crate) fn names(&self) -> Vec<String> {
        let inner = self.lock();
        let files = inner.live.iter().filter(|(_, target)| target.is_some());
        files.map(|(name, _)| name.clone()).collect()
    }

    /// Another disk with the same content.
    pub(crate) fn copy(&self) -> Self {
        let inner = self.lock();
        let copy = Inner {
            files: inner.files.clone(),
            live: inner.live.clone(),
            durable: inner.durable.clone(),
            next: inner.next,
            ..Inner::default()
        };
        Self(Arc::new(Mutex::new(copy)), Arc::default())
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().expect("no panic inside")
    }
}

impl Inner {
    /// Counts a change; an error says that the disk failed during it.
    fn change(&mut self) -> io::Result<()> {
        if let Some(refusal) = self.refusal {
            return Err(refusal.into());
        }
        if let Some(left) = &mut self.left {
            if *left <= 1 {
                *left = 0;
                return Err(io::Error::from(io::ErrorKind::StorageFull));
            }
            *left -= 1;
        }
        Ok(())
    }

    fn alive(&self) -> io::Result<()> {
        match self.left {
            Some(0) => Err(io::Error::other("the disk has failed")),
            _ => Ok(()),
        }
    }

    fn file(&self, name: &str) -> Option<u64> {
        self.live.get(name).copied().flatten()
    }

    fn create(&mut self, name: &str) -> io::Result<u64> {
        if let Some(number) = self.file(name) {
            return Ok(number);
        }
        if folder_of(name).is_some_and(|folder| self.live.get(folder) != Some(&None)) {
            return Err(io::ErrorKind::NotFound.into());
        }
        self.next += 1;
        let number = self.next;
        self.files.insert(number, SimFile::default());
        self.live.insert(name.to_owned(), Some(number));
        Ok(number)
    }
}

impl ReadDisk for SimDisk {
    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        let inner = self.lock();
        inner.alive()?;
        Ok(inner
            .file(name)
            .map(|number| inner.files[&number].live.clone()))
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn ReadFile>> {
        let inner = self.lock();
        inner.alive()?;
        let number = inner.file(name).ok_or(io::ErrorKind::NotFound)?;
        Ok(Box::new(SimAppend {
            disk: self.clone(),
            number,
        }))
    }

    fn list(&self, folder: &str) -> io::Result<Vec<Listed>> {
        let inner = self.lock();
        inner.alive()?;
        let inside = inner
            .live
            .iter()
            .filter(|(path, _)| folder_of(path).unwrap_or_default() == folder);
        let listed = inside.map(|(path, target)| Listed {
            name: path.rsplit('/').next().unwrap_or(path).to_owned(),
            folder: target.is_none(),
        });
        Ok(listed.collect())
    }
}

impl Disk for SimDisk {
    fn write(&self, name: &str, content: &[u8], _access: Access) -> io::Result<()> {
        let mut inner = self.lock();
        inner.alive()?;
        if inner.refusal == Some(io::ErrorKind::ReadOnlyFilesystem) {
            return inner.change();
        }
        let number = inner.create(name)?;
        let cut = inner.seed as usize % (content.len() + 1);
        let lie = inner.lie;
        let done = inner.change();
        let file = inner.files.get_mut(&number).expect("created");
        match done {
            Ok(()) if lie == Some(Lie::Write) => {
                file.live = content.to_vec();
                file.durable.clear();
            }
            Ok(()) => {
                file.live = content.to_vec();
                file.durable = content.to_vec();
            }
            Err(_) => {
                file.durable.clear();
                file.live = content[..cut].to_vec();
            }
        }
        done
    }

    fn append(&self, name: &str, create: bool) -> io::Result<Box<dyn AppendFile>> {
        let mut inner = self.lock();
        inner.alive()?;
        let number = match inner.file(name) {
            Some(number) => number,
            None if create => {
                inner.change()?;
                inner.create(name)?
            }
            None => return Err(io::ErrorKind::NotFound.into()),
        };
        Ok(Box::new(SimAppend {
            disk: self.clone(),
            number,
        }))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut inner = self.lock();
        inner.alive()?;
        inner.change()?;
        let number = inner.live.remove(from).ok_or(io::ErrorKind::NotFound)?;
        if folder_of(to).is_some_and(|folder| inner.live.get(folder) != Some(&None)) {
            return Err(io::ErrorKind::NotFound.into());
        }
        inner.live.insert(to.to_owned(), number);
        Ok(())
    }

    fn create_folder(&self, name: &str) -> io::Result<()> {
        let mut inner = self.lock();
        inner.alive()?;
        if !inner.live.contains_key(name) {
            inner.change()?;
            inner.live.insert(name.to_owned(), None);
        }
        Ok(())
    }

    fn sync_folder(&self, name: &str) -> io::Result<()> {
        let mut inner = self.lock();
        inner.alive()?;
        inner.change()?;
        if inner.lie == Some(Lie::Folder) {
            return Ok(());
        }
        let inside = |path: &String| folder_of(path).unwrap_or_default() == name;
        let names: Names = inner
            .live
            .iter()
            .filter(|(path, _)| inside(path))
            .map(|(path, target)| (path.clone(), *target))
            .collect();
        inner.durable.retain(|path, _| !inside(path));
        inner.durable.extend(names);
        Ok(())
    }

    fn remove_folder(&self, name: &str) -> io::Result<()> {
        let mut inner = self.lock();
        inner.alive()?;
        inner.change()?;
        let below = format!("{name}/");
        inner
            .live
            .retain(|path, _| path != name && !path.starts_with(&below));
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut inner = self.lock();
        inner.alive()?;
        if inner.live.contains_key(name) {
            inner.change()?;
            inner.live.remove(name);
        }
        Ok(())
    }
}

#[derive(Debug)]
struct SimAppend {
    disk: SimDisk,
    number: u64,
}

impl ReadFile for SimAppend {
    fn size(&self) -> io::Result<u64> {
        let inner = self.disk.lock();
        inner.alive()?;
        Ok(inner.files[&self.number].live.len() as u64)
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        let inner = self.disk.lock();
        inner.alive()?;
        let start = offset as usize;
        let bytes = inner.files[&self.number]
            .live
            .get(start..start + buffer.len());
        buffer.copy_from_slice(bytes.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }
}

impl AppendFile for SimAppend {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut inner = self.disk.lock();
        inner.alive()?;
        let cut = inner.seed as usize % (bytes.len() + 1);
        inner.appends += 1;
        let done = inner.change();
        let written = if done.is_ok() { bytes } else { &bytes[..cut] };
        let file = inner.files.get_mut(&self.number).expect("created");
        file.live.extend(written);
        done
    }

    fn sync(&self) -> io::Result<()> {
        let mut inner = self.disk.lock();
        while inner.held {
            inner = self.disk.1.wait(inner).expect("no panic inside");
        }
        inner.alive()?;
        inner.change()?;
        inner.syncs += 1;
        let skipped = match inner.lie {
            Some(Lie::Append) => true,
            Some(Lie::AppendOnce) => inner.syncs == 5,
            _ => false,
        };
        if skipped {
            return Ok(());
        }
        let file = inner.files.get_mut(&self.number).expect("created");
        file.durable = file.live.clone();
        Ok(())
    }

    fn truncate(&mut self, size: u64) -> io::Result<()> {
        let mut inner = self.disk.lock();
        inner.alive()?;
        inner.change()?;
        let file = inner.files.get_mut(&self.number).expect("created");
        file.live.truncate(size as usize);
        file.durable = file.live.clone();
        Ok(())
    }
}

/// A small generator of repeatable choices (xorshift64).
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        // Neighbouring seeds would begin alike.
        Self(seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `limit`.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

fn folder_of(name: &str) -> Option<&str> {
    name.rsplit_once('/').map(|(folder, _)| folder)
}
