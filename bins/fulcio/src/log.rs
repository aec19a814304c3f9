use std::path::PathBuf;

use anyhow::{Context as _, anyhow};
use clap::{Args, Subcommand};
use fulcio_ct_client::LogKey;
use fulcio_ct_log::{Finding, Report, Severity};
use serde_json::json;

use crate::{
    Failure, files,
    output::{self, Page},
};

/// Look after the embedded log of a server.
#[derive(Debug, Args)]
pub(crate) struct Log {
    #[command(subcommand)]
    command: LogCommand,
}

#[derive(Debug, Subcommand)]
enum LogCommand {
    Check(Check),
}

/// Recompute the whole log in a folder, and say what is wrong with it, file by file.
///
/// Nothing is written, and a server may have the log open meanwhile; a backup may be checked as well.
///
/// Exit codes: 0 it is as it should be, 1 there is no log or it cannot be read, 3 it is damaged.
#[derive(Debug, Args)]
struct Check {
    /// The folder of the log.
    folder: PathBuf,
    /// A PEM file of the log's public key; without it, what the folder says of the key is believed.
    #[arg(long, value_name = "FILE")]
    ct_log_key: Option<PathBuf>,
}

impl Log {
    pub(crate) fn run(self, json: bool) -> Result<(), Failure> {
        match self.command {
            LogCommand::Check(check) => check.run(json),
        }
    }
}

impl Check {
    fn run(self, json: bool) -> Result<(), Failure> {
        let key = match &self.ct_log_key {
            Some(path) => {
                let key = LogKey::from_pem(&files::read(path)?);
                Some(key.with_context(|| format!("{} is not a log's key", path.display()))?)
            }
            None => None,
        };
        let folder = self.folder.display();
        let report = fulcio_ct_log::check(&self.folder, key.as_ref())
            .with_context(|| format!("cannot check {folder}"))?;
        if json {
            output::json(&to_json(&report))?;
        } else {
            page(&report).print()?;
        }
        if report.is_sound() {
            return Ok(());
        }
        let wrong = report.findings.iter().filter(|finding| is_wrong(finding));
        let more = match wrong.clone().count() {
            0 | 1 => String::new(),
            count => format!(", and {} more", count - 1),
        };
        let first = wrong.max_by_key(|finding| finding.severity());
        let first = first.map_or_else(String::new, ToString::to_string);
        let error = anyhow!("the log in {folder} is damaged: {first}{more}");
        Err(Failure::Damaged(error))
    }
}

fn is_wrong(finding: &Finding) -> bool {
    finding.severity() > Severity::Harmless
}

fn page(report: &Report) -> Page {
    let mut page = Page::default();
    page.row("Log", report.origin.as_deref().unwrap_or("unknown"));
    let (entries, batches) = (report.entries, report.batches);
    page.row(
        "Journal",
        &format!("{entries} entries in {batches} batches"),
    );
    page.row("Root hash", &hex(&report.root));
    let published = match report.published {
        Some(size) => format!("{size} entries"),
        None => "nothing".to_owned(),
    };
    page.row("Published", &published);
    page.row(
        "Compared",
        &format!("{} tiles, {} issuers", report.tiles, report.issuers),
    );
    if report.not_compared > 0 {
        page.row("Not compared", &format!("{} files", report.not_compared));
    }
    page.line("");
    for finding in &report.findings {
        page.row(&format!("  {}", name(finding)), &finding.to_string());
    }
    if report.omitted > 0 {
        page.row("", &format!("and {} more", report.omitted));
    }
    if report.is_sound() {
        page.good("The log is consistent: journal, tiles, issuers and checkpoint fit together.");
    } else {
        page.line(
            "Damage is mended from a backup; what is repairable is made again from the journal",
        );
        page.line("when the file is removed and the log opened.");
    }
    page
}

fn to_json(report: &Report) -> serde_json::Value {
    let findings = report.findings.iter().map(|finding| {
        json!({
            "file": finding.file,
            "severity": name(finding),
            "problem": finding.problem.to_string(),
        })
    });
    json!({
        "consistent": report.is_sound(),
        "origin": report.origin,
        "batches": report.batches,
        "entries": report.entries,
        "rootHash": hex(&report.root),
        "published": report.published,
        "tiles": report.tiles,
        "issuers": report.issuers,
        "notCompared": report.not_compared,
        "findings": findings.collect::<Vec<_>>(),
        "omitted": report.omitted,
    })
}

fn name(finding: &Finding) -> &'static str {
    match finding.severity() {
        Severity::Harmless => "harmless",
        Severity::Repairable => "repairable",
        _ => "damage",
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
