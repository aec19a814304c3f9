use std::{path::PathBuf, sync::Arc};

use anyhow::{Context as _, Result};
use fulcio_ct_client::{BreakerState, Logs, LogsError, NamedLog, Observed, Rule};
use fulcio_ct_log::EmbeddedLog;
use fulcio_server::{LogHealth, LogsHealth, Metrics};
use tokio::task::JoinSet;

use super::{
    embedded::Embedded,
    external_log::{Chain, ExternalLog, NewLog},
};

/// The logs that certificates go to, open.
#[derive(Debug)]
pub(crate) struct OpenLogs {
    logs: Logs,
    health: LogsHealth,
    pub(super) embedded: Option<Embedded>,
    /// With the flag, and its value, that named it.
    external: Vec<(String, Arc<ExternalLog>)>,
}

/// One log on its way to become one of several.
#[derive(Debug)]
pub(super) enum OpenLog {
    /// One in this process.
    Embedded(Embedded),
    /// One behind HTTP, with the flag, and its value, that named it.
    External(String, NewLog),
}

impl OpenLogs {
    /// These logs by name, which `metrics` tells about.
    pub(super) fn new(
        logs: Vec<(String, OpenLog)>,
        rule: Rule,
        metrics: &Metrics,
        earlier: Option<&Self>,
    ) -> Result<Self, LogsError> {
        let (mut all, mut health) = (Vec::new(), Vec::new());
        // One that is not used any more is still read by others, and closed at the end.
        let mut embedded = earlier.and_then(|earlier| earlier.embedded.clone());
        let mut external = Vec::new();
        for (name, log) in logs {
            let observer = metrics.log(&name);
            let (log, state): (_, Arc<dyn LogHealth>) = match log {
                OpenLog::Embedded(open) => {
                    let log = Arc::clone(&open.log);
                    embedded = Some(open);
                    let observed = Observed::new(Arc::clone(&log), observer);
                    (Arc::new(observed) as _, log)
                }
                OpenLog::External(flag, log) => {
                    let same = earlier.and_then(|earlier| earlier.same(&name, &log));
                    let log = same.unwrap_or_else(|| {
                        Arc::new(ExternalLog::new(&name, log, Arc::clone(&observer)))
                    });
                    external.push((flag, Arc::clone(&log)));
                    let observed = Observed::new(Arc::clone(log.breaker()), observer);
                    (Arc::new(observed) as _, log)
                }
            };
            health.push((name.clone(), state));
            all.push(NamedLog { name, log });
        }
        let logs = Logs::new(all, rule)?;
        for (_, gone) in earlier.iter().flat_map(|earlier| &earlier.external) {
            if !health.iter().any(|(name, _)| name == gone.name()) {
                metrics.log(gone.name()).breaker(BreakerState::Closed);
            }
        }
        Ok(Self {
            health: LogsHealth::new(health, logs.needed()),
            logs,
            embedded,
            external,
        })
    }

    /// The one log of our own.
    pub(crate) fn own(folder: PathBuf, log: Arc<EmbeddedLog>, metrics: &Metrics) -> Result<Self> {
        let name = log.origin().to_owned();
        Ok(Self::new(
            vec![(name, OpenLog::Embedded(Embedded { folder, log }))],
            Rule::All,
            metrics,
            None,
        )?)
    }

    /// Embeds the timestamps of so many of them.
    pub(super) fn with_embedded(
        mut self,
        count: core::num::NonZeroUsize,
    ) -> Result<Self, LogsError> {
        self.logs = self.logs.with_embedded(count)?;
        Ok(self)
    }

    /// What the authority gives certificates to.
    pub(crate) fn logs(&self) -> Logs {
        self.logs.clone()
    }

    /// Whether they can be used.
    pub(crate) fn health(&self) -> &LogsHealth {
        &self.health
    }

    /// The log that has to be served for reading and closed at the end.
    pub(crate) fn embedded(&self) -> Option<&Arc<EmbeddedLog>> {
        self.embedded.as_ref().map(|embedded| &embedded.log)
    }

    /// The log of this name, if it is asked as the new one would be.
    fn same(&self, name: &str, new: &NewLog) -> Option<Arc<ExternalLog>> {
        let mut logs = self.external.iter();
        let (_, log) = logs.find(|(_, log)| log.name() == name && log.is_same(new))?;
        Some(Arc::clone(log))
    }

    /// Fails where a log tells that it accepts no root of these chains; waits a few seconds at most.
    pub(crate) async fn check_roots(&self, chains: &[Chain]) -> Result<()> {
        let chains: Arc<[Chain]> = chains.into();
        let mut checks = JoinSet::new();
        for (flag, log) in &self.external {
            let (flag, log, chains) = (flag.clone(), Arc::clone(log), Arc::clone(&chains));
            checks.spawn(async move { log.check_roots(&chains).await.context(flag) });
        }
        // All of them end before one fails the start, so that its fault is the last thing said.
        for checked in checks.join_all().await {
            checked?;
        }
        Ok(())
    }

    /// They get certificates under these chains from now on. Logs that did not answer when they were
    /// asked for their roots are asked again, and held against these.
    pub(crate) fn are_given(&self, chains: &[Chain]) {
        for (_, log) in &self.external {
            log.is_given(chains.into());
        }
    }
}
