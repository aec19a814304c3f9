use core::{error::Error as StdError, time::Duration};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context as _, Result, bail};
use clap::Args;
use fulcio_ct_client::{HttpLog, HttpLogConfig, HttpLogError, LogKey, Proxy, TransparencyLog};
use fulcio_ct_log::{EmbeddedLog, Error as LogError, Options};
use fulcio_issuance::{Clock as _, SystemClock};
use pki_types::{CertificateDer, pem::PemObject as _};

use crate::{
    input_file,
    proxy::Proxies,
    usage_error::UsageError,
    values::{Optional, duration},
};

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
        value_parser = LogPlace::parse
    )]
    ct_log_url: LogPlace,
    /// PEM file of the log's public key; every timestamp is then verified before it is used.
    #[arg(long, value_name = "FILE", default_value = "")]
    ct_log_public_key_path: Optional<PathBuf>,
    /// Host header for requests to the log; for an embedded log that is new, its origin.
    #[arg(long, value_name = "HOST", default_value = "")]
    ct_log_origin: Optional<String>,
    /// PEM file of the only roots that the log's TLS certificate may be under.
    #[arg(long = "ct-log.tls-ca-cert", value_name = "FILE", default_value = "")]
    ct_log_tls_ca_cert: Optional<PathBuf>,
    /// How long the log may take for one certificate, retries included.
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = duration)]
    ct_log_timeout: Duration,
}

/// The value of `--ct-log-url`.
#[derive(Clone, Debug, PartialEq, Eq)]
enum LogPlace {
    Embedded(PathBuf),
    External(String),
    None,
}

impl LogPlace {
    fn parse(text: &str) -> Result<Self, Box<dyn StdError + Send + Sync>> {
        if text.is_empty() {
            return Ok(Self::None);
        }
        match text.strip_prefix(EMBEDDED) {
            Some("") => Err("it needs a folder, as in embedded:/var/lib/fulcio/log".into()),
            Some(folder) => Ok(Self::Embedded(folder.into())),
            None => match HttpLog::new(&http_log(text, None)) {
                Err(error @ (HttpLogError::Url { .. } | HttpLogError::UrlShape)) => {
                    Err(error.into())
                }
                // What else is missing comes from other flags.
                _ => Ok(Self::External(text.to_owned())),
            },
        }
    }
}

const EMBEDDED: &str = "embedded:";

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
        match &self.ct_log_url {
            LogPlace::None => Ok(None),
            LogPlace::Embedded(folder) => self.embedded(folder).map(Some),
            LogPlace::External(url) => self.external(url, system_roots).map(Some),
        }
    }

    fn embedded(&self, folder: &Path) -> Result<Log> {
        let origin = self.ct_log_origin.as_ref().map(String::as_str);
        let log = open_embedded(folder, origin).map_err(|error| {
            let needs_origin = matches!(error, LogError::NoLog { .. });
            let flag = format!("--ct-log-url {EMBEDDED}{}", folder.display());
            let error = anyhow::Error::new(error).context(flag);
            if needs_origin {
                error.context(UsageError::new(
                    "--ct-log-origin is missing; give one, such as log.example.com",
                ))
            } else {
                error
            }
        })?;
        tracing::info!(
            origin = log.origin(),
            public_key = %folder.join(PUBLIC_KEY).display(),
            "the embedded log is open"
        );
        Ok(Log::Embedded(log))
    }

    fn external(&self, url: &str, system_roots: &[CertificateDer<'static>]) -> Result<Log> {
        let mut config = http_log(url, self.key()?);
        config.origin = self.ct_log_origin.as_ref().cloned();
        // As in Fulcio, a log with a root of its own is never behind a proxy.
        match self.ct_log_tls_ca_cert.as_ref() {
            Some(path) => config.roots = certificates(path, "--ct-log.tls-ca-cert")?,
            None => {
                config.roots = system_roots.to_vec();
                config.proxy = Proxies::of_this_process()
                    .proxy_for(url)
                    .map(|proxy| Proxy::from_url(proxy.url).context(proxy.variable))
                    .transpose()?;
            }
        }
        config.timeout = self.ct_log_timeout;
        let log = HttpLog::new(&config).map_err(|error| match error {
            HttpLogError::Origin { .. } | HttpLogError::OriginHost { .. } => {
                anyhow::Error::new(error).context(UsageError::new("--ct-log-origin"))
            }
            error => anyhow::Error::new(error).context(format!("--ct-log-url {url}")),
        })?;
        Ok(Log::External(Arc::new(log)))
    }

    fn key(&self) -> Result<Option<LogKey>> {
        let Some(path) = self.ct_log_public_key_path.as_ref() else {
            return Ok(None);
        };
        let flag = format!("--ct-log-public-key-path {}", path.display());
        let pem = input_file::read(&flag, path)?;
        Ok(Some(LogKey::from_pem(&pem).context(flag)?))
    }
}

/// A log behind HTTP whose timestamps are held against the clock of this machine.
fn http_log(url: &str, key: Option<LogKey>) -> HttpLogConfig {
    HttpLogConfig::new(url, key, || SystemClock.now())
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
