use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use clap::Args;
use serde::Serialize;

use crate::{
    files,
    output::{self, Page},
};

/// The file that is written.
#[derive(Debug, Args)]
pub(crate) struct OutFlags {
    /// The file that is written, in PEM.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// Write over the file if it is there.
    #[arg(long)]
    overwrite: bool,
}

impl OutFlags {
    /// Refuses a file that is there before anything is done.
    pub(crate) fn check(&self) -> Result<()> {
        must_be_new(&self.out, self.overwrite)
    }

    pub(crate) fn write(&self, pem: &str) -> Result<()> {
        files::write(&self.out, pem, false, self.overwrite)
    }
}

pub(crate) fn must_be_new(out: &Path, overwrite: bool) -> Result<()> {
    if !overwrite && out.symlink_metadata().is_ok() {
        bail!(
            "--out {} is there already; --overwrite writes over it",
            out.display()
        );
    }
    Ok(())
}

/// What the user should know, and what stops nothing.
#[derive(Debug, Default)]
pub(crate) struct Warnings(Vec<String>);

impl Warnings {
    pub(crate) fn add(&mut self, text: String) {
        if !self.0.contains(&text) {
            self.0.push(text);
        }
    }
}

/// Prints what was done: `facts` with the warnings among them for machines, or the page.
pub(crate) fn print(
    json: bool,
    facts: &impl Serialize,
    page: impl FnOnce(&mut Page),
    warnings: &Warnings,
) -> Result<()> {
    #[derive(Serialize)]
    struct Report<'a, T> {
        #[serde(flatten)]
        facts: &'a T,
        warnings: &'a [String],
    }

    if json {
        let warnings = warnings.0.as_slice();
        return output::json(&Report { facts, warnings });
    }
    for warning in &warnings.0 {
        eprintln!("fulcio: warning: {}", output::harmless(warning));
    }
    let mut text = Page::default();
    page(&mut text);
    text.print()
}
