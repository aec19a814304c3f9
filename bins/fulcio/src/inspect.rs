use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use fulcio_client::Description;

use crate::{
    Failure, files,
    output::{self, Page},
};

/// Show everything that a certificate says; nothing is verified.
#[derive(Debug, Args)]
pub(crate) struct Inspect {
    /// The certificate in PEM, the first one of the file, or - for standard input.
    certificate: PathBuf,
}

impl Inspect {
    pub(crate) fn run(self, json: bool) -> Result<(), Failure> {
        let certificates = files::certificates(&self.certificate)?;
        let description = Description::of(&certificates[0])
            .with_context(|| format!("cannot read {}", self.certificate.display()))?;
        if json {
            output::json(&description)?;
        } else {
            let mut page = Page::default();
            page.description(&description);
            page.print()?;
        }
        Ok(())
    }
}
