//! The certificate authority server: reads flags, builds the parts, and hands them to the library.

mod authority;
mod cluster;
mod data_dir;
mod dev_idp;
mod first_client;
mod identity_issuers;
mod input_file;
mod logging;
mod private_ca;
mod quickstart;
mod serve;
mod stop;
mod transparency;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// A certificate authority for code signing that speaks the protocol of Sigstore's Fulcio.
///
/// Exit codes: 0 when it was told to stop, 1 when something failed, 2 when the command line is wrong.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(Box<serve::Serve>),
    Quickstart(quickstart::Quickstart),
}

#[tokio::main]
async fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Serve(serve) => serve.run().await,
        Command::Quickstart(quickstart) => quickstart.run().await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("fulcio-server: {}", one_line(&error));
            ExitCode::FAILURE
        }
    }
}

/// An error and its causes on one line. A cause that the text before has told already is left out.
fn one_line(error: &anyhow::Error) -> String {
    let mut line = String::new();
    for cause in error.chain() {
        let cause = cause.to_string();
        let cause = cause.split_whitespace().collect::<Vec<_>>().join(" ");
        if line.is_empty() {
            line = cause;
        } else if !line.contains(&cause) {
            line = format!("{line}: {cause}");
        }
    }
    line
}
