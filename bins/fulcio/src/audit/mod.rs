//! `fulcio audit`: looks after the audit log of a server.

mod compare;
mod verify;

use std::{collections::BTreeSet, path::PathBuf};

use clap::{Args, Subcommand};
use fulcio_audit_log::files_of;

use crate::Failure;

/// Look after the audit log of a server.
#[derive(Debug, Args)]
pub(crate) struct Audit {
    #[command(subcommand)]
    command: AuditCommand,
}

#[derive(Debug, Subcommand)]
enum AuditCommand {
    Compare(Box<compare::Compare>),
    Verify(verify::Verify),
}

impl Audit {
    pub(crate) fn run(self, json: bool) -> Result<(), Failure> {
        match self.command {
            AuditCommand::Compare(compare) => compare.run(json),
            AuditCommand::Verify(verify) => verify.run(json),
        }
    }
}

/// The files that were named, and those of the same chain before them.
fn with_former(paths: &[PathBuf]) -> Result<Vec<PathBuf>, fulcio_audit_log::Error> {
    let mut files = BTreeSet::new();
    for path in paths {
        files.extend(files_of(path)?);
    }
    Ok(files.into_iter().collect())
}
