//! `fulcio ca`: the certificates of authorities, over keys wherever they are.

mod csr;
mod import;
mod intermediate;
mod key;
mod lifetime;
mod name;
mod path_length;
mod report;
mod root;
mod rules;
mod template;
mod template_file;
mod token;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use tokio::runtime;

use crate::Failure;

/// Make the certificates of an authority, whose key may be in a file, a token or a key service.
///
/// Whatever breaks Sigstore's certificate specification is refused, and whatever it advises against
/// is warned of.
#[derive(Debug, Args)]
pub(crate) struct Ca {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Root(root::Root),
    Intermediate(intermediate::Intermediate),
    Csr(csr::Csr),
    Import(import::Import),
}

impl Ca {
    pub(crate) fn run(self, json: bool) -> Result<(), Failure> {
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("no runtime for the key services could be started")?;
        runtime.block_on(async {
            match self.command {
                Command::Root(root) => root.run(json).await,
                Command::Intermediate(intermediate) => intermediate.run(json).await,
                Command::Csr(csr) => csr.run(json).await,
                Command::Import(import) => import.run(json).await,
            }
        })?;
        Ok(())
    }
}
