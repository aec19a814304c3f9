use core::{fmt, num::NonZeroUsize, str::FromStr, time::Duration};
use std::path::{Path, PathBuf};

use anyhow::Result;
use fulcio_ct_client::Rule;
use serde::{Deserialize, Deserializer, de};

use super::{FLAG, log_place::LogPlace};
use crate::{input_file, usage_error::UsageError, values::duration};

/// The file of `--ct-logs-path`: several logs, and how many of them must promise.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LogsFile {
    #[serde(default, deserialize_with = "rule")]
    pub(super) rule: Rule,
    pub(super) logs: Vec<LogEntry>,
}

/// One log of the file; the names are those of the flags for a single log.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct LogEntry {
    #[serde(rename = "url", deserialize_with = "parsed")]
    pub(super) place: LogPlace,
    pub(super) name: Option<String>,
    pub(super) public_key_path: Option<PathBuf>,
    pub(super) origin: Option<String>,
    pub(super) tls_ca_cert: Option<PathBuf>,
    #[serde(default, deserialize_with = "optional_duration")]
    pub(super) timeout: Option<Duration>,
}

impl LogsFile {
    /// Reads the file; its paths are as seen from its folder.
    pub(super) fn read(path: &Path) -> Result<Self> {
        let named = format!("{FLAG} {}", path.display());
        let text = input_file::read_text(&named, path)?;
        let fault = |message: String| UsageError::new(format!("{named}: {message}"));
        let extension = path.extension().and_then(|extension| extension.to_str());
        let file: Result<Self, String> = match extension {
            Some("json") => serde_json::from_str(&text).map_err(|error| error.to_string()),
            Some("toml") => toml::from_str(&text).map_err(|error: toml::de::Error| {
                let before = error.span().and_then(|span| text.get(..span.start));
                let line = before.map_or(1, |before| before.matches('\n').count() + 1);
                format!("{} at line {line}", error.message())
            }),
            Some("yaml" | "yml") => {
                serde_norway::from_str(&text).map_err(|error| error.to_string())
            }
            _ => Err(
                "the extension says how the file is written; give it one of json, toml, yaml, yml"
                    .to_owned(),
            ),
        };
        let mut file = file.map_err(fault)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        for entry in &mut file.logs {
            entry.check().map_err(fault)?;
            entry.be_below(folder);
        }
        Ok(file)
    }
}

impl LogEntry {
    /// What is said of a log must be of use, and a log elsewhere must be known by its key.
    fn check(&self) -> Result<(), String> {
        let place = &self.place;
        match place {
            LogPlace::None => Err("a log without url".to_owned()),
            LogPlace::External(_) if self.public_key_path.is_none() => {
                Err(format!("{place} needs public-key-path"))
            }
            LogPlace::External(_) => Ok(()),
            LogPlace::Embedded(_) => {
                let useless = [
                    ("public-key-path", self.public_key_path.is_some()),
                    ("tls-ca-cert", self.tls_ca_cert.is_some()),
                    ("timeout", self.timeout.is_some()),
                ];
                match useless.iter().find(|(_, is_given)| *is_given) {
                    Some((name, _)) => Err(format!("{place} has no {name}; remove it")),
                    None => Ok(()),
                }
            }
        }
    }

    /// The files that it names.
    pub(super) fn into_files(self) -> impl Iterator<Item = PathBuf> {
        [self.public_key_path, self.tls_ca_cert]
            .into_iter()
            .flatten()
    }

    fn be_below(&mut self, folder: &Path) {
        if let LogPlace::Embedded(path) = &mut self.place {
            *path = folder.join(&path);
        }
        let paths = [&mut self.public_key_path, &mut self.tls_ca_cert];
        for path in paths.into_iter().flatten() {
            *path = folder.join(&path);
        }
    }
}

/// `all`, or `any 2`.
fn rule<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Rule, D::Error> {
    let text = String::deserialize(deserializer)?;
    let words: Vec<_> = text.split_whitespace().collect();
    match words[..] {
        ["all"] => Ok(Rule::All),
        ["any", count] => match NonZeroUsize::from_str(count) {
            Ok(count) => Ok(Rule::Any(count)),
            Err(_not_a_count) => Err(wrong_rule(&text)),
        },
        _ => Err(wrong_rule(&text)),
    }
}

fn wrong_rule<E: de::Error>(text: &str) -> E {
    E::custom(format_args!(
        "rule is {text:?}, and must be all, or any with a number, such as any 2"
    ))
}

fn parsed<'de, D: Deserializer<'de>>(deserializer: D) -> Result<LogPlace, D::Error> {
    let text = String::deserialize(deserializer)?;
    LogPlace::parse(&text).map_err(|error| de::Error::custom(format_args!("{text:?}: {error}")))
}

fn optional_duration<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Duration>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let timeout = duration(&text);
    timeout.map(Some).map_err(|error| {
        let message: &dyn fmt::Display = &error;
        de::Error::custom(format_args!("timeout {text:?}: {message}"))
    })
}
