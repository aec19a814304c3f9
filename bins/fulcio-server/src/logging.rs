use std::io::{self, IsTerminal as _};

use clap::ValueEnum;
use tracing_subscriber::{
    EnvFilter, Layer as _, fmt, layer::SubscriberExt as _, registry, util::SubscriberInitExt as _,
};

use crate::{
    json_lines::JsonLines,
    log_writer::{LogWriter, Writing},
    tracing_export::Traces,
};

/// How log lines look and where they go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogType {
    /// For people: text on standard output.
    Dev,
    /// For machines: JSON on standard error.
    Prod,
}

/// Sends log lines where `log_type` says, and traces to whoever takes them. `RUST_LOG` chooses what
/// is logged; without it, what concerns the operator is.
///
/// # Errors
/// There is no thread to write them.
pub(crate) fn start(log_type: LogType, traces: Option<&Traces>) -> io::Result<Writing> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_unset| EnvFilter::new(USUAL));
    let (lines, writing) = match log_type {
        LogType::Dev => {
            let (writer, writing) = LogWriter::start(io::stdout)?;
            let colours = io::stdout().is_terminal();
            let lines = fmt::layer().with_ansi(colours).with_writer(writer);
            (lines.boxed(), writing)
        }
        LogType::Prod => {
            let (writer, writing) = LogWriter::start(io::stderr)?;
            let lines = fmt::layer().event_format(JsonLines).with_writer(writer);
            (lines.boxed(), writing)
        }
    };
    registry()
        .with(lines.with_filter(filter))
        .with(traces.map(Traces::layer))
        .init();
    Ok(writing)
}

/// Of a failed try the SDK of Azure tells too, and whoever made the request tells more.
const USUAL: &str = "info,azure_core=warn,azure_identity=warn,typespec_client_core=error";
