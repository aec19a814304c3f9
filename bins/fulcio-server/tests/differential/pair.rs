use std::fs;

use tempfile::TempDir;

use super::{Stage, exchange::Addresses, reference::Reference};
use crate::common::{CaFiles, CtLog, Finished, Server, path};

/// What both servers are started with.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    config: String,
    file: String,
    flags: Vec<String>,
    log: Option<LogOf>,
}

/// What is right with a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LogOf {
    /// Its key is another than the servers are told.
    AnotherKey,
    /// Everything.
    Ours,
}

/// Fulcio and ours, with the same of everything.
#[derive(Debug)]
pub(crate) struct Pair {
    ours: Server,
    fulcio: Reference,
    _log: Option<CtLog>,
    _folder: TempDir,
}

impl Setup {
    /// Both with this issuer configuration, and without a log.
    pub(crate) fn new(config: &str) -> Self {
        Self {
            config: config.to_owned(),
            file: "config.yaml".to_owned(),
            flags: Vec::new(),
            log: None,
        }
    }

    /// The configuration in a file of this name.
    pub(crate) fn named(mut self, file: &str) -> Self {
        self.file = file.to_owned();
        self
    }

    /// One flag more for both.
    pub(crate) fn flag(mut self, flag: &str) -> Self {
        self.flags.push(flag.to_owned());
        self
    }

    /// Both with the same log.
    pub(crate) fn with_log(mut self) -> Self {
        self.log = Some(LogOf::Ours);
        self
    }

    /// Both with the same log, whose key they take for another.
    pub(crate) fn with_log_of_another_key(mut self) -> Self {
        self.log = Some(LogOf::AnotherKey);
        self
    }

    /// Both of them, running.
    #[track_caller]
    pub(crate) fn start(self, stage: &Stage) -> Pair {
        let parts = self.try_start(stage);
        let ours = parts.ours.unwrap_or_else(|ended| {
            panic!("ours ended: {}{}", ended.stdout, ended.stderr);
        });
        Pair {
            ours,
            fulcio: parts
                .fulcio
                .unwrap_or_else(|log| panic!("Fulcio ended: {log}")),
            _log: parts.log,
            _folder: parts.folder,
        }
    }

    pub(super) fn try_start(self, stage: &Stage) -> Attempt {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join(&self.file);
        fs::write(&config, &self.config).unwrap();
        let ca = stage.ca();
        let (chain, key) = match self.log {
            Some(_) => ("chain.pem", "intermediate.key.pem"),
            None => ("quick.chain.pem", "quick.key.pem"),
        };
        let mut flags = vec![
            "--ca=fileca".to_owned(),
            format!("--fileca-cert={}", ca.path(chain)),
            format!("--fileca-key={}", ca.path(key)),
            format!("--fileca-key-passwd={}", CaFiles::PASSWORD),
            format!("--config-path={}", path(&config)),
        ];
        let log = self.log.map(|_| CtLog::start(stage.log(), ca, "root.pem"));
        match &log {
            Some(log) => {
                let key = match self.log {
                    Some(LogOf::AnotherKey) => "another.pub",
                    _ => "ct.pub",
                };
                flags.push(format!("--ct-log-url={}", log.url()));
                flags.push(format!("--ct-log-public-key-path={}", ca.path(key)));
            }
            None => flags.push("--ct-log-url=".to_owned()),
        }
        flags.extend(self.flags);
        let fulcio = Reference::start(stage.fulcio(), &flags);
        let flags: Vec<_> = flags.iter().map(String::as_str).collect();
        Attempt {
            ours: Server::try_start(&flags),
            fulcio,
            log,
            folder,
        }
    }
}

/// Two servers of which each may have ended.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) ours: Result<Server, Finished>,
    pub(super) fulcio: Result<Reference, String>,
    log: Option<CtLog>,
    folder: TempDir,
}

impl Attempt {
    /// The pair, where both run; otherwise what each has written, where it ended.
    pub(super) fn pair(self) -> Result<Pair, (Option<String>, Option<String>)> {
        match (self.ours, self.fulcio) {
            (Ok(ours), Ok(fulcio)) => Ok(Pair {
                ours,
                fulcio,
                _log: self.log,
                _folder: self.folder,
            }),
            (ours, fulcio) => Err((
                ours.err().map(|ended| ended.stdout + &ended.stderr),
                fulcio.err(),
            )),
        }
    }
}

impl Pair {
    pub(super) fn ours(&self) -> Addresses {
        Addresses {
            http: self.ours.http(),
            grpc: self.ours.grpc(),
        }
    }

    pub(super) fn fulcio(&self) -> Addresses {
        self.fulcio.addresses
    }
}
