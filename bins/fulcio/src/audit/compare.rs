use core::time::Duration;
use std::{collections::BTreeMap, path::PathBuf, time::SystemTime};

use anyhow::{Context as _, Result, anyhow};
use clap::Args;
use fulcio_audit_log::{
    Comparison, Discrepancies, Expectation, Finding, LogEntry, Problem, Trail, Unlogged,
    Unrecorded, by_node, verify,
};
use fulcio_ct_monitor::{Content, Protocol, Subject, Walk, WalkedEntry};
use fulcio_issuance::{Clock as _, SystemClock};
use serde_json::{Value, json};

use super::{
    verify::{complain, finding_json},
    with_former,
};
use crate::{
    Failure, files,
    monitor::{
        config::{LogConfig, Wait},
        http::{HttpLog, agent},
        settings::monitored,
    },
    output::{self, Page},
};

/// Compare audit logs with a transparency log, and tell what is in one and not in the other.
///
/// An entry of the authority that no line knows was issued round the server, or its line was lost. A line
/// whose certificate the log does not have, though the time for it is over, is a promise that the log has
/// not kept. Every signature and every entry of the log is verified, from the first to the last, and the
/// audit log is verified as well. Give the files of every node that issues with the key; entries from
/// before the last of them began are not judged.
///
/// Exit codes: 0 they agree, 1 something could not be read, 3 they do not agree, or the audit log is
/// damaged.
#[derive(Debug, Args)]
pub(super) struct Compare {
    /// The files of the audit log; those of the same chain before them are found.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Where the log can be read.
    #[arg(long, value_name = "URL")]
    log: String,
    /// A PEM file of the log's public key.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// What a static-ct log calls itself in its checkpoints; without it, its URL without the scheme.
    #[arg(long)]
    origin: Option<String>,
    /// How the log is read: static-ct or rfc6962.
    #[arg(long, default_value = "static-ct")]
    protocol: Protocol,
    /// A PEM file of the roots of the log's TLS certificate; without it, the system's.
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// A PEM file of the authority's certificate. Whoever is in the audit log as an issuer is known
    /// without it. May be repeated.
    #[arg(long, value_name = "FILE")]
    issuer: Vec<PathBuf>,
    /// Judge entries since this moment (RFC 3339), instead of the beginning of the audit log.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    since: Option<SystemTime>,
    /// Judge entries until this moment (RFC 3339), instead of a minute ago: when the files were
    /// copied, less a minute.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    until: Option<SystemTime>,
    /// How long the log may take to show what it has promised: 1m for static-ct, 24h for RFC 6962.
    #[arg(long, value_name = "TIME")]
    merge_delay: Option<Wait>,
    /// How long one request to the log may take.
    #[arg(long, value_name = "TIME", default_value = "30s")]
    timeout: Wait,
}

fn moment(text: &str) -> Result<SystemTime, humantime::TimestampError> {
    humantime::parse_rfc3339(text)
}

impl Compare {
    pub(super) fn run(self, json: bool) -> Result<(), Failure> {
        let log = monitored(&LogConfig {
            url: self.log.clone(),
            key: self.key.clone(),
            name: None,
            origin: self.origin.clone(),
            protocol: self.protocol,
            ca_file: self.ca_file.clone(),
            stopped_after: None,
        })?;
        let log_id = log.key.id();
        let merge_delay = match (&self.merge_delay, self.protocol) {
            (Some(wait), _) => wait.0,
            (None, Protocol::Rfc6962) => Duration::from_secs(24 * 60 * 60),
            (None, _) => Duration::from_secs(60),
        };
        let until = self
            .until
            .unwrap_or_else(|| SystemClock.now() - RECORDED_WITHIN);
        let agent = agent(self.ca_file.as_deref(), self.timeout.0)?;
        // The tree first: what it has was recorded when the files are read, but for the last minute.
        let mut walk = Walk::begin(log, HttpLog::new(agent, &self.log))
            .with_context(|| format!("cannot read the log {}", self.log))?;

        let paths = with_former(&self.files)?;
        let damage = damage(&paths)?;
        let trail = Trail::read(&paths)?;
        let mut comparison = Comparison::new(&trail, log_id).until(until);
        if let Some(since) = self.since {
            comparison = comparison.since(since);
        }
        for path in &self.issuer {
            for certificate in files::certificates(path)? {
                comparison = comparison
                    .issuer(&certificate)
                    .with_context(|| path.display().to_string())?;
            }
        }
        if !comparison.has_issuer() {
            return Err(Failure::Error(anyhow!(
                "no line of the audit log names an issuer: give its certificate by --issuer"
            )));
        }
        let subjects = read(&mut walk, &mut comparison)?;
        let found = comparison.finish(walk.timestamp(), merge_delay);
        if json {
            output::json(&to_json(&found, &subjects, &damage, walk.size()))?;
        } else {
            page(&found, &subjects, &damage, walk.size()).print()?;
        }
        complain(damage.iter(), 0)?;
        disagree(&found)
    }
}

/// What is wrong with the files themselves. A live server may be writing the last line, and older files
/// may have been taken away.
fn damage(paths: &[PathBuf]) -> Result<Vec<Finding>, Failure> {
    let mut damage = Vec::new();
    for files in by_node(paths)?.values() {
        let verified = verify(files, &Expectation::default())?;
        let is_damage = |finding: &Finding| {
            !matches!(
                finding.problem,
                Problem::Beginning { .. } | Problem::Torn { .. }
            )
        };
        damage.extend(verified.findings.into_iter().filter(is_damage));
    }
    Ok(damage)
}

/// Shows the whole log to the comparison; gives what those entries say that may be strange to the trail.
fn read(
    walk: &mut Walk<HttpLog>,
    comparison: &mut Comparison<'_>,
) -> Result<BTreeMap<u64, Subject>, Failure> {
    let mut subjects = BTreeMap::new();
    loop {
        let entries = walk.next_entries().context("cannot read the log further")?;
        if entries.is_empty() {
            return Ok(subjects);
        }
        for WalkedEntry {
            index,
            timestamp,
            content,
            ..
        } in entries
        {
            let entry = match &content {
                Content::Certificate(der) => LogEntry::Certificate(der),
                Content::Precertificate {
                    issuer_key_hash,
                    tbs,
                } => LogEntry::Precertificate {
                    issuer_key_hash: *issuer_key_hash,
                    tbs,
                },
                _ => continue,
            };
            if comparison.add(index, timestamp, entry) && subjects.len() < MAX_SUBJECTS {
                subjects.extend(content.subject().map(|subject| (index, subject)));
            }
        }
    }
}

fn disagree(found: &Discrepancies) -> Result<(), Failure> {
    let mut parts = Vec::new();
    if !found.unrecorded.is_empty() {
        let count = found.unrecorded.len();
        parts.push(format!(
            "{count} entries of the log are not in the audit log"
        ));
    }
    if !found.unlogged.is_empty() {
        let count = found.unlogged.len();
        parts.push(format!("{count} promises of the log are not kept"));
    }
    if parts.is_empty() {
        return Ok(());
    }
    Err(Failure::Damaged(anyhow!(parts.join(", and "))))
}

fn page(
    found: &Discrepancies,
    subjects: &BTreeMap<u64, Subject>,
    damage: &[Finding],
    size: u64,
) -> Page {
    let mut page = Page::default();
    page.row("Log", &format!("{size} entries"));
    page.row("  judged", &found.judged.to_string());
    page.row("  before that time", &found.earlier.to_string());
    page.row("  after that time", &found.later.to_string());
    page.row("  of other authorities", &found.others.to_string());
    page.row("Promises of the log", &found.promises.to_string());
    page.row("  with time left", &found.pending.to_string());
    page.row("Promises of other logs", &found.elsewhere.to_string());
    if found.lost > 0 {
        page.row("Could not be recorded", &found.lost.to_string());
    }
    for finding in damage {
        page.row("  damage", &finding.to_string());
    }
    for entry in &found.unrecorded {
        page.row("  not in the audit log", &entry_text(entry, subjects));
    }
    for promise in &found.unlogged {
        page.row("  not in the log", &promise_text(promise));
    }
    if found.unrecorded.is_empty() && found.unlogged.is_empty() && damage.is_empty() {
        page.good("The log and the audit log have the same certificates.");
    }
    page
}

fn entry_text(entry: &Unrecorded, subjects: &BTreeMap<u64, Subject>) -> String {
    let kind = if entry.is_precertificate {
        "precertificate"
    } else {
        "certificate"
    };
    let said = subjects.get(&entry.index).map_or_else(String::new, |it| {
        let names: Vec<_> = it.identities.iter().map(|it| it.value.as_str()).collect();
        format!(", serial {}, for {}", it.serial_number, names.join(", "))
    });
    format!("entry {}: a {kind}{said}", entry.index)
}

fn promise_text(promise: &Unlogged) -> String {
    let serial = promise.serial.as_deref().unwrap_or("unknown");
    format!(
        "number {} of {}: serial {serial}",
        promise.seq, promise.node
    )
}

fn to_json(
    found: &Discrepancies,
    subjects: &BTreeMap<u64, Subject>,
    damage: &[Finding],
    size: u64,
) -> Value {
    let unrecorded = found.unrecorded.iter().map(|entry| {
        json!({
            "index": entry.index,
            "timestampMs": entry.timestamp,
            "precertificate": entry.is_precertificate,
            "sha256": entry.sha256,
            "certificate": subjects.get(&entry.index),
        })
    });
    let unlogged = found.unlogged.iter().map(|promise| {
        json!({
            "node": promise.node,
            "seq": promise.seq,
            "serial": promise.serial,
            "timestampMs": promise.timestamp,
        })
    });
    json!({
        "agree": found.unrecorded.is_empty() && found.unlogged.is_empty(),
        "entries": size,
        "judged": found.judged,
        "earlier": found.earlier,
        "later": found.later,
        "others": found.others,
        "promises": found.promises,
        "pending": found.pending,
        "elsewhere": found.elsewhere,
        "lost": found.lost,
        "damage": damage.iter().map(finding_json).collect::<Vec<_>>(),
        "unrecorded": unrecorded.collect::<Vec<_>>(),
        "unlogged": unlogged.collect::<Vec<_>>(),
    })
}

/// A record is written within the time of a request after the log has answered.
const RECORDED_WITHIN: Duration = Duration::from_secs(60);

/// Entries whose contents are told.
const MAX_SUBJECTS: usize = 10_000;
