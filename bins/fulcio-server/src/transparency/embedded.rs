use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Result, bail};
use fulcio_ct_log::{EmbeddedLog, Error as LogError, NoteKey, Options};
use fulcio_issuance::{Clock as _, SystemClock};

use super::OpenLogs;
use crate::{secret_file::warn_if_exposed, usage_error::UsageError};

/// A log in this process, and the folder that it is in.
#[derive(Clone, Debug)]
pub(super) struct Embedded {
    pub(super) folder: PathBuf,
    pub(super) log: Arc<EmbeddedLog>,
}

/// Opens the log that `flag` names; `origin_flag` is what names a new one. While the server runs, the
/// one goes on that has been opened `earlier`, and there can be no other.
pub(super) fn embedded(
    flag: &str,
    origin_flag: &str,
    folder: &Path,
    origin: Option<&str>,
    earlier: Option<&OpenLogs>,
) -> Result<Embedded> {
    if let Some(earlier) = earlier {
        let open = earlier.embedded.as_ref();
        let Some(open) = open.filter(|open| open.folder == folder) else {
            bail!(
                "{flag}: an embedded log cannot be added or exchanged while the server runs; restart it"
            );
        };
        return Ok(open.clone());
    }
    let log = open_embedded(folder, origin).map_err(|error| {
        let needs_origin = matches!(error, LogError::NoLog { .. });
        let error = anyhow::Error::new(error).context(flag.to_owned());
        if needs_origin {
            error.context(UsageError::new(format!(
                "{origin_flag} is missing; give one, such as log.example.com"
            )))
        } else {
            error
        }
    })?;
    tracing::info!(
        origin = log.origin(),
        public_key = %folder.join(PUBLIC_KEY).display(),
        note_key = log.note_verifier_key(),
        "the embedded log is open"
    );
    for key in ["key.pem", "note-key.pem"] {
        let path = folder.join(key);
        warn_if_exposed(&format!("{flag}: {key}"), &path);
    }
    Ok(Embedded {
        folder: folder.to_owned(),
        log,
    })
}

/// Opens the log in `folder`, or creates it with `origin`. What verifies its timestamps is then in
/// the folder, as [`PUBLIC_KEY`]; what verifies the second signatures of its checkpoints, if somebody
/// has put a key for them there, as [`NOTE_PUBLIC_KEY`].
pub(crate) fn open_embedded(
    folder: &Path,
    origin: Option<&str>,
) -> Result<Arc<EmbeddedLog>, LogError> {
    let mut options = Options::new(|| SystemClock.now());
    options.origin = origin.map(str::to_owned);
    options.note_key = NoteKey::Found;
    let log = EmbeddedLog::open(folder, options)?;
    put(folder, PUBLIC_KEY, Some(log.public_key_pem()))?;
    let note_key = log.note_verifier_key();
    put(folder, NOTE_PUBLIC_KEY, note_key.map(|key| key + "\n"))?;
    Ok(Arc::new(log))
}

/// Lets a file of the folder hold this and nothing else; without a text it is not there.
fn put(folder: &Path, file: &str, text: Option<String>) -> Result<(), LogError> {
    let path = folder.join(file);
    let (action, done) = match text {
        Some(text) if fs::read_to_string(&path).ok().as_ref() == Some(&text) => return Ok(()),
        Some(text) => ("write", fs::write(&path, text)),
        None => match fs::remove_file(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            removed => ("remove", removed),
        },
    };
    done.map_err(|source| LogError::Disk {
        action,
        file: file.to_owned(),
        source,
    })
}

/// The file with an embedded log's public key, in its folder.
const PUBLIC_KEY: &str = "public-key.pem";

/// The file with the public key of second signatures, as verifiers of signed notes take it.
const NOTE_PUBLIC_KEY: &str = "note-key.pub";
