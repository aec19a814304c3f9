//! What a certificate costs: a load generator, the clocks of the operating system, and a comparison with
//! Fulcio, all on one machine.

mod authority;
mod callgrind;
mod canned;
mod case;
mod check;
mod clock;
mod compare;
mod connection;
mod floor;
mod in_process;
mod instructions;
mod lane;
mod load;
mod material;
mod measure;
mod open_loop;
mod page;
mod process;
mod provider;
mod recorder;
mod report;
mod scene;
mod server;
mod slow_signer;
mod soak;

use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::{Parser, Subcommand};
use tokio::{
    runtime::Builder,
    signal::unix::{SignalKind, signal},
    task::LocalSet,
};

/// Measure what a certificate costs. Every program that is started ends with this one.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    #[command(hide = true)]
    Canned(canned::Canned),
    Compare(compare::Compare),
    #[command(hide = true)]
    InProcess(in_process::InProcess),
    Instructions(instructions::Instructions),
    Measure(measure::Measure),
    Page(page::Page),
    #[command(hide = true)]
    SlowSigner(slow_signer::SlowSigner),
    Soak(soak::Soak),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(arguments.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("fulcio-bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<()> {
    match command {
        Command::Canned(canned) => serve(canned.run()),
        Command::Compare(compare) => make_load(compare.run()),
        Command::InProcess(issue) => issue.run(),
        Command::Instructions(instructions) => instructions.run(),
        Command::Measure(measure) => make_load(measure.run()),
        Command::Page(page) => page.run(),
        Command::SlowSigner(slow) => serve(slow.run()),
        Command::Soak(soak) => make_load(soak.run()),
    }
}

/// A server uses what cores there are, and runs until it is killed.
fn serve(work: impl Future<Output = Result<()>>) -> Result<()> {
    let runtime = Builder::new_multi_thread().enable_all().build();
    runtime.context("the runtime")?.block_on(work)
}

/// Everything that makes load runs on one thread, which leaves the other cores to the server.
fn make_load(work: impl Future<Output = Result<()>>) -> Result<()> {
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.context("the runtime")?;
    let stopped = async {
        let mut interrupted = signal(SignalKind::interrupt())?;
        let mut terminated = signal(SignalKind::terminate())?;
        tokio::select! {
            _ = interrupted.recv() => anyhow::bail!("interrupted"),
            _ = terminated.recv() => anyhow::bail!("told to stop"),
        }
    };
    LocalSet::new().block_on(&runtime, async {
        // What is dropped here ends the programs that it has started.
        tokio::select! {
            done = work => done,
            stopped = stopped => stopped,
        }
    })
}
