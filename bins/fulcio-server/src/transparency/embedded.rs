use std::{fs, path::Path, sync::Arc};

use anyhow::Result;
use fulcio_ct_log::{EmbeddedLog, Error as LogError, Options};
use fulcio_issuance::{Clock as _, SystemClock};

use crate::usage_error::UsageError;

/// Opens the log that `flag` names; `origin_flag` is what names a new one.
pub(super) fn embedded(
    flag: &str,
    origin_flag: &str,
    folder: &Path,
    origin: Option<&str>,
) -> Result<Arc<EmbeddedLog>> {
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
        "the embedded log is open"
    );
    Ok(log)
}

/// Opens the log in `folder`, or creates it with `origin`. What verifies its timestamps is then in
/// the folder, as [`PUBLIC_KEY`].
pub(crate) fn open_embedded(
    folder: &Path,
    origin: Option<&str>,
) -> Result<Arc<EmbeddedLog>, LogError> {
    let mut options = Options::new(|| SystemClock.now());
    options.origin = origin.map(str::to_owned);
    let log = EmbeddedLog::open(folder, options)?;
    let path = folder.join(PUBLIC_KEY);
    let pem = log.public_key_pem();
    if fs::read_to_string(&path).ok().as_deref() != Some(pem.as_str()) {
        fs::write(&path, pem).map_err(|source| LogError::Disk {
            action: "write",
            file: PUBLIC_KEY.to_owned(),
            source,
        })?;
    }
    Ok(Arc::new(log))
}

/// The file with an embedded log's public key, in its folder.
const PUBLIC_KEY: &str = "public-key.pem";
