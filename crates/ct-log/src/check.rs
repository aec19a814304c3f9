//! Looking at a whole log, and saying what is wrong with it.

mod audit;
mod listing;
mod report;
mod snapshot;

pub use report::{Finding, Problem, Report, Severity};

use std::{
    io,
    path::{Path, PathBuf},
};

use fulcio_ct_client::LogKey;

use crate::{
    creation::{KEY, MANIFEST, NOTE_KEY, stored_key, stored_note_key},
    disk::{Files, ReadDisk},
    durable::STAGING,
    error::Error,
    journal::JOURNAL,
    manifest::Manifest,
    publisher::{PUBLIC, STATE},
    state::State,
};
use audit::Audit;
use listing::Listing;
use snapshot::Snapshot;

/// Recomputes the whole log in `folder` from its journal, and compares everything else with it.
///
/// It writes nothing and takes no lock, so it can look at a backup, and at a log that a server has
/// open. It reads every file once; its memory does not grow with the entries, but by some bytes a
/// tile.
///
/// The checkpoint's signature is verified with `key`, or with what the folder says of the key:
/// `key.pem`, or the `public-key.pem` that somebody may have put there.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let now = || std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_800_000_000);
/// # let options = fulcio_ct_log::Options::new(now).with_origin("log.example.com/2026");
/// # drop(fulcio_ct_log::EmbeddedLog::open(folder.path(), options)?);
/// let report = fulcio_ct_log::check(folder.path(), None)?;
/// assert!(report.is_sound());
/// for finding in &report.findings {
///     println!("{finding}");
/// }
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// There is no log, or the folder cannot be listed. What is wrong in the log is in the report.
pub fn check(folder: impl AsRef<Path>, key: Option<&LogKey>) -> Result<Report, Error> {
    let folder = folder.as_ref();
    check_on(&Files::new(folder), key).map_err(|error| match error {
        Error::NotALog { .. } => Error::NotALog {
            folder: folder.to_owned(),
        },
        other => other,
    })
}

pub(crate) fn check_on(disk: &dyn ReadDisk, key: Option<&LogKey>) -> Result<Report, Error> {
    let mut report = Report::default();
    look_around(disk, &mut report)?;
    let manifest = manifest(disk, &mut report);
    let id = manifest.as_ref().map(|manifest| manifest.log_id);
    report.origin = manifest.map(|manifest| manifest.origin);
    let found = keys(disk, id, key, &mut report);
    let snapshot = Snapshot::read(disk, found.as_ref(), &mut report);
    let state = state(disk, &mut report);
    let listing = Listing::read(disk, &mut report).map_err(Error::disk("list", PUBLIC))?;
    Audit::new(disk, &mut report, listing, snapshot, state).run();
    report.sort();
    Ok(report)
}

/// Finds what does not belong in the folder.
fn look_around(disk: &dyn ReadDisk, report: &mut Report) -> Result<(), Error> {
    let listed = disk.list("").map_err(Error::disk("list", "."))?;
    let names: Vec<_> = listed.into_iter().map(|listed| listed.name).collect();
    if ![MANIFEST, JOURNAL, PUBLIC]
        .iter()
        .any(|name| names.iter().any(|found| found == name))
    {
        return Err(Error::NotALog {
            folder: PathBuf::new(),
        });
    }
    for name in names {
        match name.as_str() {
            STAGING => report.add(name, Problem::Leftover),
            MANIFEST | JOURNAL | PUBLIC | STATE | KEY | NOTE_KEY | PUBLIC_KEY | PUBLIC_NOTE_KEY
            | LOCK => {}
            _ => report.add(name, Problem::Unknown),
        }
    }
    Ok(())
}

fn manifest(disk: &dyn ReadDisk, report: &mut Report) -> Option<Manifest> {
    let Some(text) = report.read(disk, MANIFEST) else {
        report.add(MANIFEST, Problem::Missing);
        return None;
    };
    let manifest = Manifest::parse(&text);
    if manifest.is_none() {
        report.add(MANIFEST, Problem::Damaged { offset: 0 });
    }
    manifest
}

/// Compares every key at hand with the log's identifier; gives one that is the log's.
fn keys(
    disk: &dyn ReadDisk,
    id: Option<[u8; 32]>,
    given: Option<&LogKey>,
    report: &mut Report,
) -> Option<LogKey> {
    let stored = match stored_key(disk) {
        Ok(key) => key.map(|key| (KEY, key.public().clone())),
        Err(error) => {
            report.add_error(KEY, &error);
            None
        }
    };
    if let Err(error) = stored_note_key(disk) {
        report.add_error(NOTE_KEY, &error);
    }
    let public = report.read(disk, PUBLIC_KEY).and_then(|pem| {
        let key = LogKey::from_pem(&pem);
        if key.is_err() {
            report.add(PUBLIC_KEY, Problem::Key);
        }
        Some((PUBLIC_KEY, key.ok()?))
    });
    let given = given.map(|key| (MANIFEST, key.clone()));
    let mut found = None;
    for (file, key) in [given, stored, public].into_iter().flatten() {
        if id.is_some_and(|id| id != key.id()) {
            report.add(file, Problem::KeyMismatch);
        } else {
            found = found.or(Some(key));
        }
    }
    found
}

fn state(disk: &dyn ReadDisk, report: &mut Report) -> Option<State> {
    let state = State::parse(&report.read(disk, STATE)?);
    if state.is_none() {
        report.add(STATE, Problem::Stale);
    }
    state
}

impl Report {
    /// Reads a file; what keeps it from being read is a finding, and its absence is not.
    fn read(&mut self, disk: &dyn ReadDisk, name: &str) -> Option<Vec<u8>> {
        disk.read(name).unwrap_or_else(|error| {
            self.add_failure(name, &error);
            None
        })
    }

    fn add_failure(&mut self, name: &str, error: &io::Error) {
        let private = name == KEY || name == NOTE_KEY;
        let problem = match error.kind() {
            io::ErrorKind::PermissionDenied if private => Problem::Private,
            kind => Problem::Unreadable { kind },
        };
        self.add(name, problem);
    }

    fn add_error(&mut self, name: &str, error: &Error) {
        match error {
            Error::Disk { source, .. } => self.add_failure(name, source),
            Error::Damaged { offset, .. } => self.add(name, Problem::Damaged { offset: *offset }),
            _ => self.add(name, Problem::Key),
        }
    }
}

/// The file that keeps a second process out.
const LOCK: &str = "lock";

/// The public key, where whoever opened the log has put it.
const PUBLIC_KEY: &str = "public-key.pem";

/// The public key of second signatures, likewise.
const PUBLIC_NOTE_KEY: &str = "note-key.pub";
