use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use serde::Serialize;

use crate::{AlarmKind, Error, frontier::sha256, subject::hex};

/// The folder in which the state of one log is kept, and its evidence. One process at a time has it.
#[derive(Debug)]
pub(crate) struct Store {
    folder: PathBuf,
    /// Locked as long as it is open.
    _lock: File,
}

impl Store {
    /// Opens the folder, or makes it.
    pub(crate) fn open(folder: PathBuf) -> Result<Self, Error> {
        fs::create_dir_all(&folder).map_err(failed("create", &folder))?;
        let path = folder.join("lock");
        let mut options = OpenOptions::new();
        let options = options.create(true).truncate(false).write(true);
        let lock = options.open(&path).map_err(failed("open", &path))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self {
                folder,
                _lock: lock,
            }),
            Err(TryLockError::WouldBlock) => Err(Error::InUse { folder }),
            Err(TryLockError::Error(error)) => Err(failed("lock", &path)(error)),
        }
    }

    /// The file with the state.
    pub(crate) fn file(&self) -> PathBuf {
        self.folder.join(STATE)
    }

    /// The state, if there is one.
    pub(crate) fn read(&self) -> Result<Option<Vec<u8>>, Error> {
        let path = self.file();
        match fs::read(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed("read", &path)(error)),
        }
    }

    /// Replaces the state in one step; when it returns, the new one is on the disk.
    pub(crate) fn write(&self, state: &[u8]) -> Result<(), Error> {
        write(&self.folder, STATE, state)
    }

    /// Keeps both tree heads of a log that contradicts itself; gives the name of the file in the
    /// folder. The same contradiction has the same file. Beyond a number of files nothing more is
    /// kept, so that a log cannot fill the disk.
    pub(crate) fn keep_evidence(
        &self,
        kind: AlarmKind,
        evidence: &Evidence,
    ) -> Result<Option<String>, Error> {
        let mut text = serde_json::to_vec_pretty(evidence).map_err(Error::StateUnwritable)?;
        text.push(b'\n');
        let folder = self.folder.join(EVIDENCE);
        fs::create_dir_all(&folder).map_err(failed("create", &folder))?;
        let heads = format!("{}\n{}", evidence.before, evidence.after);
        let digest = hex(&sha256(heads.as_bytes()));
        let kind = kind.to_string().replace(' ', "-");
        let name = format!("{kind}-{}.json", &digest[..16]);
        if !folder.join(&name).exists() {
            let kept = fs::read_dir(&folder).map_err(failed("list", &folder))?;
            if kept.count() >= MAX_EVIDENCE {
                return Ok(None);
            }
            write(&folder, &name, &text)?;
            sync(&self.folder)?;
        }
        Ok(Some(format!("{EVIDENCE}/{name}")))
    }
}

/// Two tree heads of one log that cannot both be right. Whoever has the log's key can verify them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Evidence {
    /// What the log signed before, as it served it.
    pub(crate) before: String,
    /// What it signed now.
    pub(crate) after: String,
}

fn write(folder: &Path, name: &str, content: &[u8]) -> Result<(), Error> {
    let (path, new) = (folder.join(name), folder.join(format!("{name}.new")));
    let written = File::create(&new).and_then(|mut file| {
        file.write_all(content)?;
        file.sync_all()
    });
    written.map_err(failed("write", &new))?;
    fs::rename(&new, &path).map_err(failed("replace", &path))?;
    sync(folder)
}

fn sync(folder: &Path) -> Result<(), Error> {
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(failed("sync", folder))
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::State {
        action,
        path,
        source,
    }
}

const STATE: &str = "state.json";
const EVIDENCE: &str = "evidence";

/// Files of evidence that are kept of one log.
const MAX_EVIDENCE: usize = 64;
