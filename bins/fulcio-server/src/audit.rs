use std::{fs, path::PathBuf, sync::Arc};

use anyhow::{Context as _, Result};
use clap::Args;
use fulcio_api::{Part, Row, code_name};
use fulcio_audit_log::{AuditLog, Options, RefusalWords};
use fulcio_issuance::{Journal, Journals, SystemClock};
use fulcio_server::{LogJournal, Metrics, Probe};

use crate::{
    usage_error::UsageError,
    values::{Optional, Switch},
};

/// Where decisions are written down.
#[derive(Debug, Args)]
#[command(next_help_heading = "Audit log")]
pub(crate) struct AuditFlags {
    /// File to which a record of every decision is appended before its answer leaves, in lines of
    /// JSON that are chained by their hashes; empty for none.
    #[arg(long, value_name = "FILE", default_value = "")]
    audit_log: Optional<PathBuf>,
    /// Wait until each record is on the disk (fdatasync; one for all that wait).
    #[arg(long, value_name = "BOOL", default_value = "false")]
    audit_log_sync: Switch,
    /// Size in bytes at which the file gets a number and a new one is begun.
    #[arg(long, value_name = "BYTES", default_value = "104857600", value_parser = clap::value_parser!(u64).range(1024..))]
    audit_log_max_size: u64,
    /// Name of this node, in the first line of each file; empty for the host name.
    #[arg(long, value_name = "NAME", default_value = "")]
    audit_log_node: Optional<String>,
    /// Issue certificates all the same while no record of them can be written.
    #[arg(long, value_name = "BOOL", default_value = "false")]
    audit_fail_open: Switch,
}

impl AuditFlags {
    /// Opens the audit log; nothing where there is to be none.
    pub(crate) fn open(&self, metrics: &Metrics) -> Result<Option<Audit>> {
        let Some(path) = self.audit_log.as_ref() else {
            return Ok(None);
        };
        let node = match self.audit_log_node.as_ref() {
            Some(node) => node.clone(),
            None => host_name()?,
        };
        let mut options = Options::new(node, Arc::new(SystemClock), words);
        options.sync = self.audit_log_sync.is_on();
        options.max_size = self.audit_log_max_size;
        options.fail_open = self.audit_fail_open.is_on();
        options.observer = metrics.audit();
        let log = AuditLog::open(path, options)
            .with_context(|| format!("--audit-log {}", path.display()))?;
        Ok(Some(Audit(Arc::new(log))))
    }
}

fn host_name() -> Result<String> {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    match name.trim() {
        "" => Err(UsageError::new(
            "this machine has no host name; name the node by --audit-log-node",
        )
        .into()),
        name => Ok(name.to_owned()),
    }
}

fn words(refusal: &fulcio_issuance::Refusal) -> RefusalWords {
    let row = Row::from(refusal);
    RefusalWords {
        code: code_name(row.code),
        reason: row.reason.as_str(),
    }
}

/// The audit log, open.
#[derive(Clone, Debug)]
pub(crate) struct Audit(Arc<AuditLog>);

impl Audit {
    /// Writes what waits, and ends the log as it should end.
    pub(crate) async fn close(&self) -> Result<()> {
        self.0.close().await.context("the audit log")
    }
}

/// What keeps decisions: the audit log first, where there is one, because what it does not keep does
/// not leave; then the log.
pub(crate) fn journal(audit: Option<&Audit>) -> Arc<dyn Journal> {
    let log: Arc<dyn Journal> = Arc::new(LogJournal);
    match audit {
        Some(Audit(audit)) => Arc::new(Journals::new(vec![audit.clone(), log])),
        None => log,
    }
}

impl Probe for Audit {
    fn part(&self) -> Part {
        match self.0.fault() {
            None => Part::ready(NAME),
            Some(error) => {
                let kind = error.kind();
                let fault =
                    Part::at_fault(NAME, format!("the audit log cannot be written: {kind}"));
                if self.0.is_fail_open() {
                    fault.dispensable()
                } else {
                    fault
                }
            }
        }
    }
}

const NAME: &str = "audit-log";
