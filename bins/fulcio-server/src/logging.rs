use std::io::{self, IsTerminal as _};

use clap::ValueEnum;
use tracing_subscriber::{
    EnvFilter, Layer as _, fmt, layer::SubscriberExt as _, registry, util::SubscriberInitExt as _,
};

use crate::{json_lines::JsonLines, tracing_export::Traces};

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
pub(crate) fn start(log_type: LogType, traces: Option<&Traces>) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_unset| EnvFilter::new(USUAL));
    let lines = match log_type {
        LogType::Dev => fmt::layer().with_ansi(io::stdout().is_terminal()).boxed(),
        LogType::Prod => fmt::layer()
            .event_format(JsonLines)
            .with_writer(io::stderr)
            .boxed(),
    };
    registry()
        .with(lines.with_filter(filter))
        .with(traces.map(Traces::layer))
        .init();
}

/// Of a failed try the SDK of Azure tells too, and whoever made the request tells more.
const USUAL: &str = "info,azure_core=warn,azure_identity=warn,typespec_client_core=error";
