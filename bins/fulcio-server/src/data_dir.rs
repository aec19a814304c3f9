use std::{
    fs::{self, DirBuilder, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use zeroize::Zeroizing;

/// The folder that the quickstart keeps everything in; only its owner may enter it.
#[derive(Clone, Debug)]
pub(crate) struct DataDir(PathBuf);

impl DataDir {
    /// Opens the folder, or makes it.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let dir = Self(path.to_owned());
        dir.make(path)?;
        for part in ["ca", "dev-idp", "issued"] {
            dir.make(&path.join(part))?;
        }
        Ok(dir)
    }

    fn make(&self, path: &Path) -> Result<()> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .with_context(|| {
                format!(
                    "cannot make the folder {}; choose another place with --data-dir",
                    path.display()
                )
            })
    }

    /// Where a file of the folder is.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// The same, for people.
    pub(crate) fn shown(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    /// The contents of a file, if it is there. Some are secret.
    pub(crate) fn read(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>> {
        let path = self.path(name);
        match fs::read(&path) {
            Ok(bytes) if bytes.is_empty() => bail!(
                "{} is empty; restore it, or remove the whole folder to begin anew",
                path.display()
            ),
            Ok(bytes) => Ok(Some(Zeroizing::new(bytes))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
        }
    }

    /// Writes a file as a whole or not at all, and waits until the disk has it.
    pub(crate) fn write(&self, name: &str, contents: &[u8], mode: Mode) -> Result<()> {
        let path = self.path(name);
        let unfinished = self.path(&format!("{name}.tmp"));
        let write = || -> io::Result<()> {
            match fs::remove_file(&unfinished) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            let mut file = OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(match mode {
                    Mode::Public => 0o644,
                    Mode::Secret => 0o600,
                })
                .open(&unfinished)?;
            file.write_all(contents)?;
            file.sync_all()?;
            fs::rename(&unfinished, &path)?;
            match path.parent() {
                Some(parent) => fs::File::open(parent)?.sync_all(),
                None => Ok(()),
            }
        };
        write().with_context(|| format!("cannot write {}", path.display()))
    }
}

/// Who may read a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Everybody who may enter the folder.
    Public,
    /// The owner.
    Secret,
}
