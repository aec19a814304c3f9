use core::time::Duration;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use fulcio_ct_monitor::Protocol;
use serde::{Deserialize, Deserializer, de::Error as _};

use crate::files;

/// The configuration of a monitor as it is written, in TOML, YAML or JSON.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Config {
    pub(super) state: PathBuf,
    #[serde(default = "Config::poll_interval")]
    pub(super) poll_interval: Wait,
    #[serde(default = "Config::timeout")]
    pub(super) timeout: Wait,
    #[serde(default = "Config::stdout")]
    pub(super) stdout: bool,
    pub(super) logs: Vec<LogConfig>,
    pub(super) watches: Vec<WatchConfig>,
    #[serde(default)]
    pub(super) webhooks: Vec<WebhookConfig>,
    #[serde(default)]
    pub(super) mails: Vec<MailConfig>,
}

/// A log to follow.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct LogConfig {
    pub(crate) url: String,
    pub(crate) key: PathBuf,
    pub(crate) name: Option<String>,
    pub(crate) origin: Option<String>,
    #[serde(default = "LogConfig::protocol")]
    pub(crate) protocol: Protocol,
    pub(crate) ca_file: Option<PathBuf>,
    pub(crate) stopped_after: Option<Wait>,
}

/// Certificates that somebody wants to hear of.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct WatchConfig {
    pub(super) name: Option<String>,
    #[serde(default)]
    pub(super) all: bool,
    pub(super) identity: Option<String>,
    pub(super) identity_regex: Option<String>,
    #[serde(default)]
    pub(super) extensions: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) extensions_regex: BTreeMap<String, String>,
    pub(super) tell: Option<Vec<String>>,
}

/// An HTTP endpoint that is told.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct WebhookConfig {
    pub(super) url: String,
    pub(super) name: Option<String>,
    pub(super) secret_file: Option<PathBuf>,
    pub(super) secret_env: Option<String>,
    pub(super) ca_file: Option<PathBuf>,
}

/// Addresses that are told by mail.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct MailConfig {
    pub(super) server: String,
    pub(super) from: String,
    pub(super) to: Vec<String>,
    pub(super) name: Option<String>,
    pub(super) port: Option<u16>,
    #[serde(default)]
    pub(super) tls: MailTls,
    pub(super) username: Option<String>,
    pub(super) password_file: Option<PathBuf>,
    pub(super) password_env: Option<String>,
    pub(super) ca_file: Option<PathBuf>,
}

/// How the connection to a mail server is secured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum MailTls {
    /// Not at all.
    None,
    /// By STARTTLS (RFC 3207), and not without it.
    #[default]
    Starttls,
    /// From the first byte (RFC 8314).
    Tls,
}

impl Config {
    /// Reads the file; its name says what it is written in. Its paths are relative to its folder.
    pub(super) fn read(path: &Path) -> Result<Self> {
        let text = String::from_utf8(files::read(path)?)
            .with_context(|| format!("{} is not text", path.display()))?;
        let extension = path.extension().and_then(|extension| extension.to_str());
        let parsed: Result<Self> = match extension {
            Some("toml") => toml::from_str(&text).map_err(Into::into),
            Some("yaml" | "yml") => serde_norway::from_str(&text).map_err(Into::into),
            Some("json") => serde_json::from_str(&text).map_err(Into::into),
            _ => bail!(
                "{} is not named .toml, .yaml, .yml or .json",
                path.display()
            ),
        };
        let mut config =
            parsed.with_context(|| format!("{} is not a configuration", path.display()))?;
        if let Some(folder) = path.parent() {
            config.place(folder);
        }
        Ok(config)
    }

    fn place(&mut self, folder: &Path) {
        let place = |path: &mut PathBuf| *path = folder.join(&*path);
        place(&mut self.state);
        for log in &mut self.logs {
            place(&mut log.key);
            log.ca_file.as_mut().map(place);
        }
        for webhook in &mut self.webhooks {
            webhook.secret_file.as_mut().map(place);
            webhook.ca_file.as_mut().map(place);
        }
        for mail in &mut self.mails {
            mail.password_file.as_mut().map(place);
            mail.ca_file.as_mut().map(place);
        }
    }

    pub(super) fn poll_interval() -> Wait {
        Wait(Duration::from_secs(60))
    }

    pub(super) fn timeout() -> Wait {
        Wait(Duration::from_secs(30))
    }

    fn stdout() -> bool {
        true
    }
}

impl LogConfig {
    fn protocol() -> Protocol {
        Protocol::StaticCt
    }
}

/// A time as it is written: `90s`, `10m`, `1h 30m`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wait(pub(crate) Duration);

impl core::str::FromStr for Wait {
    type Err = humantime::DurationError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        humantime::parse_duration(text).map(Self)
    }
}

impl<'de> Deserialize<'de> for Wait {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}
