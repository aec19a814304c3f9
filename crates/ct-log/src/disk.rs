use core::fmt;
use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

/// What can be read of a log's folder, also beside the process that writes it.
pub(crate) trait ReadDisk: fmt::Debug + Send + Sync {
    /// The whole content of a file, or nothing when there is no such file.
    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>>;

    /// Opens a file that may be too large for the memory.
    fn open(&self, name: &str) -> io::Result<Box<dyn ReadFile>>;

    /// What is in a folder, in no order; nothing when there is no such folder. The empty name is
    /// the log's own folder.
    fn list(&self, folder: &str) -> io::Result<Vec<Listed>>;
}

/// Something in a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listed {
    /// Its name in the folder.
    pub(crate) name: String,
    /// Whether it is a folder itself.
    pub(crate) folder: bool,
}

/// Calls `found` with the name of every file below `folder`, in no order; folders in which
/// `enter` has no interest are left out.
pub(crate) fn walk(
    disk: &(impl ReadDisk + ?Sized),
    folder: &str,
    enter: &impl Fn(&str) -> bool,
    found: &mut impl FnMut(String),
) -> io::Result<()> {
    for listed in disk.list(folder)? {
        let name = format!("{folder}/{}", listed.name);
        if !listed.folder {
            found(name);
        } else if enter(&name) {
            walk(disk, &name, enter, found)?;
        }
    }
    Ok(())
}

/// What the log needs of a disk, and what each call promises after a power cut.
///
/// Names are relative and separated by `/`. A file's content and its name are two things: content
/// is durable when [`write`](Self::write) or [`AppendFile::sync`] returns, a name (new, renamed or
/// removed) only after [`sync_folder`](Self::sync_folder) of the folder that holds it.
pub(crate) trait Disk: ReadDisk {
    /// Creates or replaces a file.
    fn write(&self, name: &str, content: &[u8], access: Access) -> io::Result<()>;

    /// Opens a file for appending; creates an empty one when `create` is set.
    fn append(&self, name: &str, create: bool) -> io::Result<Box<dyn AppendFile>>;

    /// Gives a file another name, replacing what had it.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Creates one folder; one that exists is fine.
    fn create_folder(&self, name: &str) -> io::Result<()>;

    /// Makes the names in a folder durable. The empty name is the log's own folder.
    fn sync_folder(&self, name: &str) -> io::Result<()>;

    /// Removes a folder with the files in it; none is fine.
    fn remove_folder(&self, name: &str) -> io::Result<()>;

    /// Removes a file; none is fine.
    fn remove(&self, name: &str) -> io::Result<()>;
}

/// A file that is read in parts.
pub(crate) trait ReadFile: fmt::Debug + Send {
    /// Bytes in it.
    fn size(&self) -> io::Result<u64>;

    /// Fills `buffer` from `offset` on.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()>;
}

/// A file that only grows, but for a torn end that is cut off.
pub(crate) trait AppendFile: ReadFile {
    /// Writes at the end; not durable yet.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Makes everything appended durable.
    fn sync(&self) -> io::Result<()>;

    /// Cuts the file off at `size`.
    fn truncate(&mut self, size: u64) -> io::Result<()>;
}

/// Who may read a file.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Access {
    /// Whoever the process's umask lets.
    Anybody,
    /// The owner alone.
    Owner,
}

/// A folder of the real file system, for reading only, whoever has it open.
#[derive(Debug)]
pub(crate) struct Files(PathBuf);

impl Files {
    /// Looks at the folder when it is asked, and not before.
    pub(crate) fn new(root: &Path) -> Self {
        Self(root.to_owned())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl ReadDisk for Files {
    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        present(fs::read(self.path(name)))
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn ReadFile>> {
        Ok(Box::new(File::open(self.path(name))?))
    }

    fn list(&self, folder: &str) -> io::Result<Vec<Listed>> {
        let Some(entries) = present(fs::read_dir(self.path(folder)))? else {
            return Ok(Vec::new());
        };
        let listed = entries.map(|entry| {
            let entry = entry?;
            Ok(Listed {
                name: entry.file_name().to_string_lossy().into_owned(),
                folder: entry.file_type()?.is_dir(),
            })
        });
        listed.collect()
    }
}

/// A folder of the real file system, locked against other processes while this value lives.
#[derive(Debug)]
pub(crate) struct Folder {
    files: Files,
    lock: File,
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Closing the file would do, but for a process that is being started just now and has not
        // let go of it.
        drop(self.lock.unlock());
    }
}

impl Folder {
    /// Opens the folder, creating it when it is not there, and takes its lock; nothing when
    /// somebody else has it.
    pub(crate) fn open(root: &Path) -> io::Result<Option<Self>> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o755)
            .create(root)?;
        if let Some(above) = root.parent() {
            let above = if above.as_os_str().is_empty() {
                Path::new(".")
            } else {
                above
            };
            File::open(above)?.sync_all()?;
        }
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(root.join("lock"))?;
        match lock.try_lock() {
            Ok(()) => Ok(Some(Self {
                files: Files::new(root),
                lock,
            })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

impl ReadDisk for Folder {
    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        self.files.read(name)
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn ReadFile>> {
        self.files.open(name)
    }

    fn list(&self, folder: &str) -> io::Result<Vec<Listed>> {
        self.files.list(folder)
    }
}

impl Disk for Folder {
    fn write(&self, name: &str, content: &[u8], access: Access) -> io::Result<()> {
        let mode = match access {
            Access::Anybody => 0o666,
            Access::Owner => 0o600,
        };
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(true)
            .write(true)
            .mode(mode)
            .open(self.files.path(name))?;
        file.write_all(content)?;
        file.sync_data()
    }

    fn append(&self, name: &str, create: bool) -> io::Result<Box<dyn AppendFile>> {
        let file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(create)
            .open(self.files.path(name))?;
        Ok(Box::new(file))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.files.path(from), self.files.path(to))
    }

    fn create_folder(&self, name: &str) -> io::Result<()> {
        fs::DirBuilder::new()
            .recursive(true)
            .create(self.files.path(name))
    }

    fn sync_folder(&self, name: &str) -> io::Result<()> {
        File::open(self.files.path(name))?.sync_all()
    }

    fn remove_folder(&self, name: &str) -> io::Result<()> {
        present(fs::remove_dir_all(self.files.path(name))).map(drop)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        present(fs::remove_file(self.files.path(name))).map(drop)
    }
}

impl ReadFile for File {
    fn size(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        self.read_exact_at(buffer, offset)
    }
}

impl AppendFile for File {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)
    }

    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }

    fn truncate(&mut self, size: u64) -> io::Result<()> {
        self.set_len(size)?;
        self.sync_all()
    }
}

/// Turns "not found" into nothing.
fn present<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
