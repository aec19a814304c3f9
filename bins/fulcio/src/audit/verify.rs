use std::path::PathBuf;

use anyhow::{Result, anyhow};
use clap::Args;
use fulcio_audit_log::{
    Digest, Expectation, Finding, Head, Outcome, Verification, by_node, verify,
};
use serde_json::{Value, json};

use super::with_former;
use crate::{
    Failure,
    output::{self, Page},
};

/// Verify that no line of an audit log was changed, removed, moved or put in.
///
/// With each file, those of the same chain before it (FILE.000001 and so on) are verified too. Files may
/// be of several nodes; each has its own chain. Lines that are missing at the end are found only where
/// the head of the chain was kept elsewhere: give it by --head.
///
/// Exit codes: 0 it is as it should be, 1 a file cannot be read, 3 something is wrong with it.
#[derive(Debug, Args)]
pub(super) struct Verify {
    /// The files.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// A line that the chain has to have: its number and its hash, as this command shows them. May be
    /// repeated.
    #[arg(long, value_name = "SEQ:HASH", value_parser = place)]
    head: Vec<Place>,
    /// The line after which the files begin, where earlier ones were taken away.
    #[arg(long, value_name = "SEQ:HASH", value_parser = place)]
    after: Option<Place>,
}

/// A line of a chain.
#[derive(Clone, Copy, Debug)]
struct Place {
    seq: u64,
    hash: Digest,
}

fn place(text: &str) -> Result<Place> {
    let (seq, hash) = text
        .split_once(':')
        .ok_or_else(|| anyhow!("it is not SEQ:HASH"))?;
    Ok(Place {
        seq: seq.parse()?,
        hash: hash.parse()?,
    })
}

impl Verify {
    pub(super) fn run(self, json: bool) -> Result<(), Failure> {
        let mut expectation = Expectation::default();
        expectation.heads = self.head.iter().map(|it| (it.seq, it.hash)).collect();
        expectation.after = self.after.map(|after| Head {
            next: after.seq + 1,
            hash: after.hash,
        });
        let nodes = by_node(&with_former(&self.files)?)?;
        if nodes.len() > 1 && (!self.head.is_empty() || self.after.is_some()) {
            let names: Vec<_> = nodes.keys().flatten().cloned().collect();
            return Err(Failure::Error(anyhow!(
                "--head and --after are about one chain, and these files are of the nodes {}",
                names.join(", ")
            )));
        }
        let mut chains = Vec::new();
        for files in nodes.values() {
            chains.push(verify(files, &expectation)?);
        }
        if json {
            output::json(&json!({
                "sound": chains.iter().all(|chain| chain.findings.is_empty()),
                "chains": chains.iter().map(to_json).collect::<Vec<_>>(),
            }))?;
        } else {
            let mut page = Page::default();
            for chain in &chains {
                show(&mut page, chain);
            }
            page.print()?;
        }
        let found = chains.iter().flat_map(|chain| &chain.findings);
        let omitted: u64 = chains.iter().map(|chain| chain.omitted).sum();
        complain(found, omitted)
    }
}

/// Fails with the first finding, if there is one.
pub(super) fn complain<'a>(
    mut found: impl Iterator<Item = &'a Finding>,
    omitted: u64,
) -> Result<(), Failure> {
    let Some(first) = found.next() else {
        return Ok(());
    };
    let more = match found.count() as u64 + omitted {
        0 => String::new(),
        count => format!(", and {count} more"),
    };
    let error = anyhow!("the audit log is not as it was written: {first}{more}");
    Err(Failure::Damaged(error))
}

fn show(page: &mut Page, chain: &Verification) {
    page.row("Node", chain.node.as_deref().unwrap_or("unknown"));
    page.row("Lines", &chain.lines.to_string());
    if let Some((first, last)) = &chain.times {
        page.row("From", first);
        page.row("To", last);
    }
    for outcome in Outcome::ALL {
        let count = chain.counts[outcome as usize];
        page.row(&format!("  {}", outcome.as_str()), &count.to_string());
    }
    if chain.lost > 0 {
        page.row("  could not be kept", &chain.lost.to_string());
    }
    if let Some(head) = head(chain) {
        page.row("Head", &head);
    }
    let end = if chain.is_stopped {
        "the server stopped"
    } else {
        "open: the server runs, or was killed, or lines are missing at the end"
    };
    page.row("End", end);
    for finding in &chain.findings {
        page.row(
            &format!("  {}", finding.problem.as_str()),
            &finding.to_string(),
        );
    }
    if chain.omitted > 0 {
        page.row("", &format!("and {} more", chain.omitted));
    }
    if chain.findings.is_empty() {
        page.good("Every line follows the one before, and is as it was written.");
    }
}

/// The last line: its number and its hash.
fn head(chain: &Verification) -> Option<String> {
    let head = chain.head.filter(|head| head.next > 0)?;
    Some(format!("{}:{}", head.next - 1, head.hash))
}

fn to_json(chain: &Verification) -> Value {
    let count = |outcome: Outcome| chain.counts[outcome as usize];
    json!({
        "node": chain.node,
        "first": chain.first,
        "lines": chain.lines,
        "from": chain.times.as_ref().map(|(first, _)| first),
        "to": chain.times.as_ref().map(|(_, last)| last),
        "abandoned": count(Outcome::Abandoned),
        "issued": count(Outcome::Issued),
        "refused": count(Outcome::Refused),
        "lost": chain.lost,
        "head": head(chain),
        "stopped": chain.is_stopped,
        "findings": chain.findings.iter().map(finding_json).collect::<Vec<_>>(),
        "omitted": chain.omitted,
    })
}

pub(super) fn finding_json(finding: &Finding) -> Value {
    json!({
        "file": finding.file,
        "line": finding.line,
        "kind": finding.problem.as_str(),
        "problem": finding.problem.to_string(),
    })
}
