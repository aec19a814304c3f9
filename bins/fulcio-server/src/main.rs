//! The certificate authority server: reads flags, builds the parts, and hands them to the library.

mod announced;
mod audit;
mod authority;
mod authority_flags;
mod chains;
mod cluster;
mod command_line;
mod createca;
mod data_dir;
mod dev_idp;
mod first_client;
mod flag_name;
mod google_ca;
mod identity_issuers;
mod input_file;
mod json_lines;
mod key_files;
mod key_service;
mod kms_ca;
mod layers;
mod limits_flags;
mod log_writer;
mod logging;
mod network;
mod pkcs11_ca;
mod ports;
mod private_ca;
mod proxied_fetch;
mod proxy;
mod quickstart;
mod reload;
mod remote_key;
mod secret_file;
mod serve;
mod settings_file;
mod stop;
mod tink_ca;
mod tls;
mod tracing_export;
mod transparency;
mod usage_error;
mod values;
mod variables;

use std::process::ExitCode;

use command_line::Command;
use mimalloc::MiMalloc;
use usage_error::UsageError;

/// That of the C library keeps what many requests at once have needed, and in pieces it needs more each time.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("fulcio-server: {}", one_line(&error));
            if error.is::<UsageError>() {
                ExitCode::from(WRONG_COMMAND_LINE)
            } else {
                ExitCode::FAILURE
            }
        }
    }
}

/// What clap ends the program with, too.
const WRONG_COMMAND_LINE: u8 = 2;

async fn run() -> anyhow::Result<()> {
    match command_line::read()?.command {
        Command::Serve(serve) => serve.run().await,
        Command::CreateCa(create) => create.run().await,
        Command::Quickstart(quickstart) => quickstart.run().await,
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
