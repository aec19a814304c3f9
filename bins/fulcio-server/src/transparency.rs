use core::{num::NonZeroUsize, time::Duration};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::Args;
use fulcio_ct_client::{HttpLogConfig, HttpLogError, LogKey, LogsError, Proxy, Rule};
use fulcio_issuance::Pipeline;
use fulcio_server::Metrics;
use pki_types::{CertificateDer, pem::PemObject as _};

use self::{
    embedded::embedded,
    external_log::NewLog,
    log_place::{LogPlace, http_log},
    logs_file::{LogEntry, LogsFile},
    open_logs::OpenLog,
};
use crate::{
    input_file,
    network::SystemRoots,
    proxy::Proxies,
    usage_error::UsageError,
    values::{Optional, duration},
};

mod embedded;
mod external_log;
mod log_place;
mod logs_file;
mod open_logs;

pub(crate) use self::{embedded::open_embedded, open_logs::OpenLogs};

/// Which logs certificates go to.
#[derive(Debug, Args)]
#[command(next_help_heading = "Certificate transparency")]
pub(crate) struct TransparencyFlags {
    /// URL of the log's submission prefix; `embedded:DIR` for a log of our own in that folder;
    /// empty for none.
    #[arg(
        long,
        value_name = "URL",
        default_value = DEFAULT_URL,
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
    /// File with several logs instead of the one of --ct-log-url: TOML, JSON or YAML, as its
    /// extension says.
    #[arg(long, value_name = "FILE", default_value = "")]
    ct_logs_path: Optional<PathBuf>,
    /// How many timestamps go into a certificate. Leave it at 1 unless all your clients are known
    /// to take more: sigstore-python refuses a certificate with more than one.
    #[arg(long, value_name = "N", default_value = "1")]
    ct_scts_embedded: NonZeroUsize,
}

const DEFAULT_URL: &str = "http://localhost:6962/test";
/// The flag for several logs.
const FLAG: &str = "--ct-logs-path";

impl TransparencyFlags {
    /// The files that say which logs there are, or what is true of them; `None` where flags alone do.
    pub(crate) fn files(&self) -> Option<LogFileNames> {
        if let Some(path) = self.ct_logs_path.as_ref() {
            return Some(LogFileNames::Several(path.clone()));
        }
        if !matches!(self.ct_log_url, LogPlace::External(_)) {
            return None;
        }
        let files = [&self.ct_log_public_key_path, &self.ct_log_tls_ca_cert];
        let files: Vec<_> = files
            .into_iter()
            .filter_map(Optional::as_ref)
            .cloned()
            .collect();
        (!files.is_empty()).then_some(LogFileNames::Single(files))
    }

    /// Opens the logs; nothing where there is to be none. Of those that are open `earlier`, the ones
    /// go on that are the same.
    pub(crate) fn open(
        &self,
        system_roots: &SystemRoots,
        metrics: &Metrics,
        earlier: Option<&OpenLogs>,
    ) -> Result<Option<OpenLogs>> {
        let (logs, rule) = match self.ct_logs_path.as_ref() {
            Some(path) => {
                self.no_single_log()?;
                self.several(path, system_roots, earlier)?
            }
            None => match self.single(system_roots, earlier)? {
                Some(log) => (vec![log], Rule::All),
                None => return Ok(None),
            },
        };
        let open = OpenLogs::new(logs, rule, metrics, earlier);
        let open = open.map_err(|error| self.wrong(FLAG, &error))?;
        let embedded = open.with_embedded(self.ct_scts_embedded);
        Ok(Some(embedded.map_err(|error| {
            self.wrong("--ct-scts-embedded", &error)
        })?))
    }

    /// The log of `--ct-log-url`, and what it is called.
    fn single(
        &self,
        system_roots: &SystemRoots,
        earlier: Option<&OpenLogs>,
    ) -> Result<Option<Named>> {
        let flag = format!("--ct-log-url {}", self.ct_log_url);
        match &self.ct_log_url {
            LogPlace::None => Ok(None),
            LogPlace::Embedded(folder) => {
                let origin = self.ct_log_origin.as_ref().map(String::as_str);
                let log = embedded(&flag, "--ct-log-origin", folder, origin, earlier)?;
                Ok(Some((log.log.origin().to_owned(), OpenLog::Embedded(log))))
            }
            LogPlace::External(url) => {
                let log = self.external(&flag, url, system_roots)?;
                Ok(Some((url.clone(), OpenLog::External(flag, log))))
            }
        }
    }

    fn external(&self, flag: &str, url: &str, system_roots: &SystemRoots) -> Result<NewLog> {
        let key = self.ct_log_public_key_path.as_ref();
        let key = key.map(|path| {
            let flag = format!("--ct-log-public-key-path {}", path.display());
            log_key(&flag, path)
        });
        let roots = self.ct_log_tls_ca_cert.as_ref();
        let roots = roots.map(|path| certificates(path, "--ct-log.tls-ca-cert"));
        let mut config = http_log(url, key.transpose()?);
        config.origin = self.ct_log_origin.as_ref().cloned();
        config.timeout = self.ct_log_timeout;
        reach(&mut config, roots.transpose()?, system_roots)?;
        NewLog::new(&config).map_err(|error| match error {
            HttpLogError::Origin { .. } | HttpLogError::OriginHost { .. } => {
                anyhow::Error::new(error).context(UsageError::new("--ct-log-origin"))
            }
            error => anyhow::Error::new(error).context(flag.to_owned()),
        })
    }

    /// The logs of `--ct-logs-path`, and what they are called.
    fn several(
        &self,
        path: &Path,
        system_roots: &SystemRoots,
        earlier: Option<&OpenLogs>,
    ) -> Result<(Vec<Named>, Rule)> {
        let file = LogsFile::read(path)?;
        let fault =
            |message: String| UsageError::new(format!("{FLAG} {}: {message}", path.display()));
        let (mut logs, mut ids): (Vec<Named>, Vec<[u8; 32]>) = (Vec::new(), Vec::new());
        for entry in &file.logs {
            let flag = format!("{FLAG} {}: {}", path.display(), entry.place);
            let (name, id, log) = self.entry(&flag, entry, system_roots, earlier)?;
            let is_embedded = |log: &OpenLog| matches!(log, OpenLog::Embedded(_));
            if is_embedded(&log) && logs.iter().any(|(_, log)| is_embedded(log)) {
                return Err(fault("there can be one embedded log".to_owned()).into());
            }
            if ids.contains(&id) || logs.iter().any(|(other, _)| *other == name) {
                return Err(fault(format!("{} is there twice", entry.place)).into());
            }
            ids.push(id);
            logs.push((name, log));
        }
        Ok((logs, file.rule))
    }

    /// One log of the file: what it is called, the SHA-256 of its key, and itself.
    fn entry(
        &self,
        flag: &str,
        entry: &LogEntry,
        system_roots: &SystemRoots,
        earlier: Option<&OpenLogs>,
    ) -> Result<(String, [u8; 32], OpenLog)> {
        let origin = entry.origin.as_deref();
        match &entry.place {
            LogPlace::Embedded(folder) => {
                let log = embedded(flag, "origin", folder, origin, earlier)?;
                let name = entry.name.clone();
                let name = name.unwrap_or_else(|| log.log.origin().to_owned());
                Ok((name, log.log.key().id(), OpenLog::Embedded(log)))
            }
            LogPlace::External(url) => {
                let path = entry.public_key_path.as_deref().unwrap_or(Path::new(""));
                let key = log_key(&format!("{flag}: public-key-path {}", path.display()), path)?;
                let id = key.id();
                let mut config = http_log(url, Some(key));
                config.origin = entry.origin.clone();
                config.timeout = entry.timeout.unwrap_or(self.ct_log_timeout);
                let roots = entry.tls_ca_cert.as_ref();
                let roots = roots.map(|path| certificates(path, &format!("{flag}: tls-ca-cert")));
                reach(&mut config, roots.transpose()?, system_roots)?;
                let log = NewLog::new(&config).with_context(|| flag.to_owned())?;
                let name = entry.name.clone().unwrap_or_else(|| url.clone());
                Ok((name, id, OpenLog::External(flag.to_owned(), log)))
            }
            LogPlace::None => bail!("{flag} is no log"),
        }
    }

    /// With a file of logs, the flags for a single one would do nothing.
    fn no_single_log(&self) -> Result<(), UsageError> {
        let is_default = LogPlace::parse(DEFAULT_URL).is_ok_and(|url| url == self.ct_log_url);
        let given = [
            (
                "--ct-log-url",
                !is_default && self.ct_log_url != LogPlace::None,
            ),
            (
                "--ct-log-public-key-path",
                self.ct_log_public_key_path.as_ref().is_some(),
            ),
            ("--ct-log-origin", self.ct_log_origin.as_ref().is_some()),
            (
                "--ct-log.tls-ca-cert",
                self.ct_log_tls_ca_cert.as_ref().is_some(),
            ),
        ];
        match given.iter().find(|(_, is_given)| *is_given) {
            Some((flag, _)) => Err(UsageError::new(format!(
                "{flag} is for a single log, and {FLAG} names a file with all; give one of them"
            ))),
            None => Ok(()),
        }
    }

    fn wrong(&self, flag: &str, error: &LogsError) -> UsageError {
        let value = match self.ct_logs_path.as_ref() {
            Some(path) if flag == FLAG => path.display().to_string(),
            _ => self.ct_scts_embedded.to_string(),
        };
        UsageError::new(format!("{flag} {value}: {error}"))
    }
}

/// The files that say which logs there are, or what is true of them.
#[derive(Clone, Debug)]
pub(crate) enum LogFileNames {
    /// Those of a single log.
    Single(Vec<PathBuf>),
    /// The file of several, and those that it names.
    Several(PathBuf),
}

impl LogFileNames {
    /// All of them, as far as that is known now.
    pub(crate) fn list(&self) -> Vec<PathBuf> {
        match self {
            Self::Single(files) => files.clone(),
            Self::Several(path) => {
                let mut files = vec![path.clone()];
                // Whoever opens the logs says what is wrong with it.
                if let Ok(file) = LogsFile::read(path) {
                    files.extend(file.logs.into_iter().flat_map(LogEntry::into_files));
                }
                files
            }
        }
    }
}

/// A log and what it is called.
type Named = (String, OpenLog);

/// Says how a log is reached. As in Fulcio, one with a root of its own is never behind a proxy.
/// Warns of a timeout that nothing is left of when it ends.
fn reach(
    config: &mut HttpLogConfig,
    roots: Option<Vec<CertificateDer<'static>>>,
    system_roots: &SystemRoots,
) -> Result<()> {
    let deadline = Pipeline::DEADLINE;
    if config.timeout > deadline {
        tracing::warn!(
            log = config.url,
            timeout = ?config.timeout,
            "the log may take longer than the request, which ends after {deadline:?}; what the client is \
             told then does not name the log"
        );
    }
    match roots {
        Some(roots) => config.roots = roots,
        None => {
            config.roots = system_roots.to_vec();
            config.proxy = Proxies::of_this_process()
                .proxy_for(&config.url)
                .map(|proxy| Proxy::from_url(proxy.url).context(proxy.variable))
                .transpose()?;
        }
    }
    Ok(())
}

fn log_key(flag: &str, path: &Path) -> Result<LogKey> {
    let pem = input_file::read(flag, path)?;
    LogKey::from_pem(&pem).with_context(|| flag.to_owned())
}

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
