use std::sync::Arc;

use anyhow::{Context as _, Result};
use fulcio_ct_client::{HttpLog, Logs, LogsError, NamedLog, Observed, Rule};
use fulcio_ct_log::EmbeddedLog;
use fulcio_server::{LogHealth, LogsHealth, Metrics};
use tokio::task::JoinSet;

use super::external_log::{Chains, ExternalLog};

/// The logs that certificates go to, open.
#[derive(Debug)]
pub(crate) struct OpenLogs {
    logs: Logs,
    health: LogsHealth,
    embedded: Option<Arc<EmbeddedLog>>,
    /// With the flag, and its value, that named it.
    external: Vec<(String, Arc<ExternalLog>)>,
}

/// One log on its way to become one of several.
#[derive(Debug)]
pub(super) enum OpenLog {
    /// One in this process.
    Embedded(Arc<EmbeddedLog>),
    /// One behind HTTP, with the flag, and its value, that named it.
    External(String, Box<HttpLog>),
}

impl OpenLogs {
    /// These logs by name, which `metrics` tells about.
    pub(super) fn new(
        logs: Vec<(String, OpenLog)>,
        rule: Rule,
        metrics: &Metrics,
    ) -> Result<Self, LogsError> {
        let (mut all, mut health) = (Vec::new(), Vec::new());
        let (mut embedded, mut external) = (None, Vec::new());
        for (name, log) in logs {
            let observer = metrics.log(&name);
            let (log, state): (_, Arc<dyn LogHealth>) = match log {
                OpenLog::Embedded(log) => {
                    embedded = Some(Arc::clone(&log));
                    let observed = Observed::new(Arc::clone(&log), observer);
                    (Arc::new(observed) as _, log)
                }
                OpenLog::External(flag, log) => {
                    let log = Arc::new(ExternalLog::new(&name, *log, Arc::clone(&observer)));
                    external.push((flag, Arc::clone(&log)));
                    let observed = Observed::new(Arc::clone(log.breaker()), observer);
                    (Arc::new(observed) as _, log)
                }
            };
            health.push((name.clone(), state));
            all.push(NamedLog { name, log });
        }
        let logs = Logs::new(all, rule)?;
        Ok(Self {
            health: LogsHealth::new(health, logs.needed()),
            logs,
            embedded,
            external,
        })
    }

    /// The one log of our own.
    pub(crate) fn own(log: Arc<EmbeddedLog>, metrics: &Metrics) -> Result<Self> {
        let name = log.origin().to_owned();
        Ok(Self::new(
            vec![(name, OpenLog::Embedded(log))],
            Rule::All,
            metrics,
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
        self.embedded.as_ref()
    }

    /// Fails where a log tells that it accepts no root of these chains; waits a few seconds at most.
    pub(crate) async fn check_roots(&self, chains: Chains) -> Result<()> {
        let mut checks = JoinSet::new();
        for (flag, log) in &self.external {
            let (flag, log, chains) = (flag.clone(), Arc::clone(log), Arc::clone(&chains));
            checks.spawn(async move { log.check_roots(chains).await.context(flag) });
        }
        // All of them end before one fails the start, so that its fault is the last thing said.
        for checked in checks.join_all().await {
            checked?;
        }
        Ok(())
    }
}
