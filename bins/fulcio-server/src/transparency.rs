use core::time::Duration;
use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context as _, Result, bail};
use clap::Args;
use fulcio_ct_client::{HttpLog, HttpLogConfig, LogKey, TransparencyLog};
use fulcio_ct_log::{EmbeddedLog, Error as LogError, Options};
use fulcio_issuance::{Clock as _, SystemClock};
use pki_types::{CertificateDer, pem::PemObject as _};

use crate::input_file;

/// Which log certificates go to.
#[derive(Debug, Args)]
#[command(next_help_heading = "Certificate transparency")]
pub(crate) struct TransparencyFlags {
    /// URL of the log's submission prefix; `embedded:DIR` for a log of our own in that folder;
    /// empty for none.
    #[arg(
        long,
        value_name = "URL",
        default_value = "http://localhost:6962/test",
        env = "FULCIO_SERVE_CT_LOG_URL"
    )]
    ct_log_url: String,
    /// PEM file of the log's public key; every timestamp is then verified before it is used.
    #[arg(long, value_name = "FILE", env = "FULCIO_SERVE_CT_LOG_PUBLIC_KEY_PATH")]
    ct_log_public_key_path: Option<PathBuf>,
    /// Host header for requests to the log; for an embedded log that is new, its origin.
    #[arg(long, value_name = "HOST", env = "FULCIO_SERVE_CT_LOG_ORIGIN")]
    ct_log_origin: Option<String>,
    /// PEM file of the only roots that the log's TLS certificate may be under.
    #[arg(
        long = "ct-log.tls-ca-cert",
        value_name = "FILE",
        env = "FULCIO_SERVE_CT_LOG_TLS_CA_CERT"
    )]
    ct_log_tls_ca_cert: Option<PathBuf>,
    /// How long the log may take for one certificate, retries included.
    #[arg(
        long,
        value_name = "DURATION",
        default_value = "10s",
        value_parser = humantime::parse_duration,
        env = "FULCIO_SERVE_CT_LOG_TIMEOUT"
    )]
    ct_log_timeout: Duration,
}

/// The log that certificates go to.
#[derive(Debug)]
pub(crate) enum Log {
    /// One in this process.
    Embedded(Arc<EmbeddedLog>),
    /// One behind HTTP.
    External(Arc<HttpLog>),
}

impl Log {
    /// The seam that the authority uses.
    pub(crate) fn transparency_log(&self) -> Arc<dyn TransparencyLog> {
        match self {
            Self::Embedded(log) => Arc::clone(log) as _,
            Self::External(log) => Arc::clone(log) as _,
        }
    }

    /// The log that has to be served for reading and closed at the end.
    pub(crate) fn embedded(&self) -> Option<&Arc<EmbeddedLog>> {
        match self {
            Self::Embedded(log) => Some(log),
            Self::External(_) => None,
        }
    }
}

impl TransparencyFlags {
    /// Opens the log; nothing where there is to be none.
    pub(crate) fn open(&self, system_roots: &[CertificateDer<'static>]) -> Result<Option<Log>> {
        if self.ct_log_url.is_empty() {
            return Ok(None);
        }
        if let Some(folder) = self.ct_log_url.strip_prefix("embedded:") {
            if folder.is_empty() {
                bail!("--ct-log-url embedded: needs a folder, as in embedded:/var/lib/fulcio/log");
            }
            let origin = self.ct_log_origin.as_deref();
            let log = open_embedded(Path::new(folder), origin).map_err(|error| {
                let needs_origin = matches!(error, LogError::NoLog { .. });
                let error =
                    anyhow::Error::new(error).context(format!("--ct-log-url {}", self.ct_log_url));
                if needs_origin {
                    error.context("--ct-log-origin is missing; give one, such as log.example.com")
                } else {
                    error
                }
            })?;
            tracing::info!(
                origin = log.origin(),
                public_key = %Path::new(folder).join(PUBLIC_KEY).display(),
                "the embedded log is open"
            );
            return Ok(Some(Log::Embedded(log)));
        }
        let mut config = HttpLogConfig::new(self.ct_log_url.clone(), self.key()?);
        config.origin.clone_from(&self.ct_log_origin);
        config.roots = match &self.ct_log_tls_ca_cert {
            Some(path) => certificates(path, "--ct-log.tls-ca-cert")?,
            None => system_roots.to_vec(),
        };
        config.timeout = self.ct_log_timeout;
        let log = HttpLog::new(&config)
            .with_context(|| format!("--ct-log-url {} cannot be used", self.ct_log_url))?;
        Ok(Some(Log::External(Arc::new(log))))
    }

    fn key(&self) -> Result<Option<LogKey>> {
        let Some(path) = &self.ct_log_public_key_path else {
            return Ok(None);
        };
        let flag = format!("--ct-log-public-key-path {}", path.display());
        let pem = input_file::read(&flag, path)?;
        Ok(Some(LogKey::from_pem(&pem).context(flag)?))
    }
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
pub(crate) const PUBLIC_KEY: &str = "public-key.pem";

/// The certificates of the PEM file that `flag` names.
pub(crate) fn certificates(path: &Path, flag: &str) -> Result<Vec<CertificateDer<'static>>> {
    let flag = format!("{flag} {}", path.display());
    let pem = input_file::read(&flag, path)?;
    let found = CertificateDer::pem_slice_iter(&pem)
        .collect::<Result<Vec<_>, _>>()
        .with_context(|| flag.clone())?;
    if found.is_empty() {
        bail!("{flag} holds no PEM block CERTIFICATE; give the certificates of the roots");
    }
    Ok(found)
}
