use std::io::{self, IsTerminal as _};

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;

/// How log lines look and where they go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogType {
    /// For people: text on standard output.
    Dev,
    /// For machines: JSON on standard error.
    Prod,
}

/// Sends log lines where `log_type` says. `RUST_LOG` chooses what is logged; without it, what
/// concerns the operator is.
pub(crate) fn start(log_type: LogType) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_unset| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter);
    match log_type {
        LogType::Dev => builder.with_ansi(io::stdout().is_terminal()).init(),
        LogType::Prod => builder.json().with_writer(io::stderr).init(),
    }
}
