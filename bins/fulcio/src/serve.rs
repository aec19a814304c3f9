use anyhow::anyhow;
use clap::Args;

use crate::Failure;

/// What Go's server understands after `serve`, whatever it is.
#[derive(Debug, Args)]
pub(crate) struct Serve {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    _flags: Vec<String>,
}

impl Serve {
    pub(crate) fn run(self) -> Result<(), Failure> {
        Err(anyhow!(
            "the server is a program of its own; run `fulcio-server serve` with the same flags"
        )
        .into())
    }
}
