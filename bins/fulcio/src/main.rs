//! The command line for Fulcio certificates.

mod audit;
mod ca;
mod files;
mod inspect;
mod log;
mod monitor;
mod output;
mod request;
mod roots;
mod serve;
mod token;
mod verify;

use std::{path::Path, process::ExitCode};

use clap::{Parser, Subcommand};

/// Request, read and verify code-signing certificates of a Fulcio certificate authority, and make the
/// authority's own.
///
/// Exit codes: 0 done, 1 it failed, 2 the command line is wrong, 3 the certificate is not to be trusted, the
/// log or the audit log is damaged, the two do not agree, or an alarm about a log stands.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Print JSON on standard output instead of text, for machines.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Request(request::Request),
    Inspect(inspect::Inspect),
    Verify(Box<verify::Verify>),
    Log(log::Log),
    Audit(Box<audit::Audit>),
    Ca(Box<ca::Ca>),
    Monitor(Box<monitor::Monitor>),
    /// Say where the server is.
    #[command(hide = true)]
    Serve(serve::Serve),
}

/// How a command failed.
enum Failure {
    /// It was done, and what was looked at is damaged.
    Damaged(anyhow::Error),
    /// It could not be done.
    Error(anyhow::Error),
    /// It was done, and the certificate is not to be trusted.
    Untrusted(anyhow::Error),
}

impl Failure {
    fn of_verification(error: fulcio_client::Error) -> Self {
        if error.is_judgement() {
            Self::Untrusted(error.into())
        } else {
            Self::Error(error.into())
        }
    }

    /// The same, with the file in which it is.
    fn about(self, path: &Path) -> Self {
        let file = path.display().to_string();
        match self {
            Self::Damaged(error) => Self::Damaged(error.context(file)),
            Self::Error(error) => Self::Error(error.context(file)),
            Self::Untrusted(error) => Self::Untrusted(error.context(file)),
        }
    }
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Error(error.into())
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match arguments.command {
        Command::Request(request) => request.run(arguments.json),
        Command::Inspect(inspect) => inspect.run(arguments.json),
        Command::Verify(verify) => verify.run(arguments.json),
        Command::Log(log) => log.run(arguments.json),
        Command::Audit(audit) => audit.run(arguments.json),
        Command::Ca(ca) => ca.run(arguments.json),
        Command::Monitor(monitor) => monitor.run(),
        Command::Serve(serve) => serve.run(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Error(error)) => {
            eprintln!("fulcio: {}", one_line(&error));
            ExitCode::FAILURE
        }
        Err(Failure::Damaged(error)) => {
            eprintln!("fulcio: {}", one_line(&error));
            ExitCode::from(3)
        }
        Err(Failure::Untrusted(error)) => {
            eprintln!("fulcio: not trusted: {}", one_line(&error));
            ExitCode::from(3)
        }
    }
}

/// An error and its causes on one line, for a terminal. A cause that the text before has told already is left out.
fn one_line(error: &anyhow::Error) -> String {
    let mut line = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if line.is_empty() {
            line = cause;
        } else if !line.contains(&cause) {
            line = format!("{line}: {cause}");
        }
    }
    output::harmless(&line)
}
