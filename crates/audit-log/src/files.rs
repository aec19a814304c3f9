use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read as _, Seek as _, SeekFrom},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use crate::{
    Digest, Error, Head,
    line::{BEGIN, Line},
    medium::Tail,
    notice::Torn,
};

/// The files of one chain: `PATH`, which is written to, and those before it, `PATH.000001` and so on.
#[derive(Debug)]
pub(crate) struct Files {
    path: PathBuf,
    /// Files before the one that is written to.
    pub(crate) former: u64,
    /// Locked as long as it is open.
    _lock: File,
}

/// What an earlier run has left.
pub(crate) struct Left {
    pub(crate) head: Head,
    /// The file to go on with; nothing where a new one is to begin.
    pub(crate) tail: Option<Tail<File>>,
    /// The node of the chain; nothing where there is no chain.
    pub(crate) node: Option<String>,
    pub(crate) torn: Option<Torn>,
}

impl Files {
    /// Makes them this process's.
    pub(crate) fn lock(path: &Path) -> Result<Self, Error> {
        let lock_path = beside(path, ".lock")?;
        let mut options = OpenOptions::new();
        let options = private(options.create(true).truncate(false).write(true));
        let lock = options
            .open(&lock_path)
            .map_err(Error::io("open", &lock_path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Error::InUse {
                    path: path.to_owned(),
                });
            }
            Err(TryLockError::Error(error)) => return Err(Error::io("lock", lock_path)(error)),
        }
        Ok(Self {
            former: former(path)?,
            path: path.to_owned(),
            _lock: lock,
        })
    }

    /// Reads where the chain ends. What a crash has torn is taken out of the file and kept beside it.
    pub(crate) fn resume(&self) -> Result<Left, Error> {
        let mut options = OpenOptions::new();
        let opened = options.read(true).write(true).open(&self.path);
        let mut file = match opened {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return self.resume_former(),
            Err(error) => return Err(Error::io("open", &self.path)(error)),
        };
        let read = End::read(&mut file).map_err(Error::io("read", &self.path))?;
        if !read.begins_as_trail() {
            return Err(Error::NotATrail {
                path: self.path.clone(),
            });
        }
        let Some(head) = read.head else {
            // Nothing of this file can be gone on from, so it can only be the first line that is torn.
            let torn = self.keep_torn(&read, Head::START)?;
            file.set_len(0).map_err(Error::io("cut", &self.path))?;
            drop(file);
            fs::remove_file(&self.path).map_err(Error::io("remove", &self.path))?;
            return Ok(Left {
                torn,
                ..self.resume_former()?
            });
        };
        let torn = self.keep_torn(&read, head)?;
        Ok(Left {
            head,
            node: read.node,
            tail: Some(Tail::new(file, read.end)),
            torn,
        })
    }

    /// The end of the last file before, where the file itself was not begun yet.
    fn resume_former(&self) -> Result<Left, Error> {
        if self.former == 0 {
            return Ok(Left {
                head: Head::START,
                node: None,
                tail: None,
                torn: None,
            });
        }
        let path = numbered(&self.path, self.former)?;
        let mut file = File::open(&path).map_err(Error::io("open", &path))?;
        let read = End::read(&mut file).map_err(Error::io("read", &path))?;
        match read.head {
            Some(head) if read.torn.is_empty() => Ok(Left {
                head,
                node: read.node,
                tail: None,
                torn: None,
            }),
            _ => Err(Error::Damaged { path }),
        }
    }

    /// Writes what is torn into a file of its own; when it returns, that is on the disk.
    fn keep_torn(&self, read: &End, head: Head) -> Result<Option<Torn>, Error> {
        if read.torn.is_empty() {
            return Ok(None);
        }
        let path = beside(&self.path, &format!(".torn-{}", head.next))?;
        let kept = fs::write(&path, &read.torn).and_then(|()| File::open(&path)?.sync_all());
        kept.map_err(Error::io("write", &path))?;
        self.sync_folder().map_err(Error::io("sync", &path))?;
        let name = path.file_name().unwrap_or_default();
        Ok(Some(Torn {
            bytes: read.torn.len() as u64,
            sha256: Digest::of(&read.torn),
            kept: name.to_string_lossy().into_owned(),
        }))
    }

    /// Begins the file that is written to.
    pub(crate) fn create(&self) -> io::Result<Tail<File>> {
        let mut options = OpenOptions::new();
        let file = private(options.read(true).write(true).create_new(true)).open(&self.path)?;
        self.sync_folder()?;
        Ok(Tail::new(file, 0))
    }

    /// Removes a file that was begun in vain, so that it can be begun again.
    pub(crate) fn discard(&self) -> io::Result<()> {
        fs::remove_file(&self.path)
    }

    /// Gives the file that was written to its number.
    pub(crate) fn put_away(&mut self) -> io::Result<()> {
        let to = numbered(&self.path, self.former + 1).map_err(io::Error::other)?;
        if to.try_exists()? {
            return Err(io::Error::other(format!("{} is there", to.display())));
        }
        fs::rename(&self.path, to)?;
        self.former += 1;
        self.sync_folder()
    }

    /// Whether `file` is the one that the path names.
    pub(crate) fn is_in_place(&self, file: &File) -> io::Result<bool> {
        let ours = file.metadata()?;
        match fs::metadata(&self.path) {
            Ok(there) => Ok((there.dev(), there.ino()) == (ours.dev(), ours.ino())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn sync_folder(&self) -> io::Result<()> {
        let folder = match self.path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        File::open(folder)?.sync_all()
    }
}

/// The files of the chain at `path`, the oldest first: those with numbers, then itself.
///
/// # Errors
/// The folder cannot be read, or the path names no file.
pub fn files_of(path: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut numbers = numbers(path)?;
    numbers.sort_unstable();
    let mut files = numbers
        .into_iter()
        .map(|number| numbered(path, number))
        .collect::<Result<Vec<_>, _>>()?;
    files.push(path.to_owned());
    Ok(files)
}

/// The end of a file of the chain.
struct End {
    beginning: Vec<u8>,
    node: Option<String>,
    /// After the last line that is whole and has the hash that it says.
    head: Option<Head>,
    /// Where that line ends.
    end: u64,
    /// What is after it.
    torn: Vec<u8>,
}

impl End {
    fn read(file: &mut File) -> io::Result<Self> {
        let length = file.seek(SeekFrom::End(0))?;
        let mut window = WINDOW;
        loop {
            let from = length.saturating_sub(window);
            file.seek(SeekFrom::Start(from))?;
            let mut bytes = Vec::new();
            file.take(length - from).read_to_end(&mut bytes)?;
            let last = last_whole_line(&bytes, from == 0);
            if last.is_none() && from > 0 {
                window = window.saturating_mul(16);
                continue;
            }
            let (head, end) = match last {
                Some((head, end)) => (Some(head), end),
                None => (None, 0),
            };
            let torn = bytes.split_off(end);
            file.seek(SeekFrom::Start(0))?;
            let mut beginning = Vec::new();
            file.take(WINDOW).read_to_end(&mut beginning)?;
            let node = beginning
                .split(|byte| *byte == b'\n')
                .next()
                .and_then(FileLine::read)
                .map(|line| line.node);
            return Ok(Self {
                beginning,
                node,
                head,
                end: from + end as u64,
                torn,
            });
        }
    }

    /// An empty file may become one.
    fn begins_as_trail(&self) -> bool {
        let length = self.beginning.len().min(BEGIN.len());
        self.beginning[..length] == BEGIN[..length]
    }
}

/// The line that begins a file.
#[derive(serde::Deserialize)]
pub(crate) struct FileLine {
    pub(crate) format: String,
    pub(crate) node: String,
}

impl FileLine {
    pub(crate) fn read(line: &[u8]) -> Option<Self> {
        serde_json::from_slice(line).ok()
    }
}

/// The head after the last good line of `bytes`, and where that line ends in them.
fn last_whole_line(bytes: &[u8], is_beginning: bool) -> Option<(Head, usize)> {
    let mut end = bytes.len();
    while let Some(newline) = bytes[..end].iter().rposition(|byte| *byte == b'\n') {
        let before = bytes[..newline].iter().rposition(|byte| *byte == b'\n');
        let begin = match before {
            Some(before) => before + 1,
            None if is_beginning => 0,
            None => return None,
        };
        if let Ok(line) = Line::read(&bytes[begin..newline]) {
            return Some((line.head(), newline + 1));
        }
        end = newline;
    }
    None
}

fn former(path: &Path) -> Result<u64, Error> {
    Ok(numbers(path)?.into_iter().max().unwrap_or(0))
}

/// The numbers of the files before `path`, in no order.
fn numbers(path: &Path) -> Result<Vec<u64>, Error> {
    let mut name = file_name(path)?;
    name.push(".");
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut numbers = Vec::new();
    for entry in fs::read_dir(folder).map_err(Error::io("list", folder))? {
        let entry = entry.map_err(Error::io("list", folder))?;
        let entry = entry.file_name();
        let number = entry
            .as_encoded_bytes()
            .strip_prefix(name.as_encoded_bytes());
        let number = number.and_then(|number| core::str::from_utf8(number).ok());
        let digits = number.filter(|number| {
            number.len() >= DIGITS && number.bytes().all(|byte| byte.is_ascii_digit())
        });
        numbers.extend(digits.and_then(|digits| digits.parse::<u64>().ok()));
    }
    Ok(numbers)
}

fn numbered(path: &Path, number: u64) -> Result<PathBuf, Error> {
    beside(path, &format!(".{number:0DIGITS$}"))
}

fn beside(path: &Path, more: &str) -> Result<PathBuf, Error> {
    let mut name = file_name(path)?;
    name.push(more);
    Ok(path.with_file_name(name))
}

fn file_name(path: &Path) -> Result<OsString, Error> {
    let name = path.file_name().ok_or_else(|| Error::NoName {
        path: path.to_owned(),
    })?;
    Ok(name.to_owned())
}

/// Names of people and machines are in the trail: it is its owner's and its group's to read.
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options.mode(0o640)
}

const DIGITS: usize = 6;

/// Bytes in which the last whole line is looked for first.
const WINDOW: u64 = 1 << 20;
