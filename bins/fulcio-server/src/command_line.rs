use std::{env, ffi::OsString};

use anyhow::Result;
use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use crate::{
    createca::CreateCa,
    layers::{Layers, layered, undemanding},
    quickstart::Quickstart,
    serve::Serve,
    variables::Variables,
};

/// A certificate authority for code signing that speaks the protocol of Sigstore's Fulcio.
///
/// Exit codes: 0 when it was told to stop; 1 when something failed, such as a file that cannot be
/// read or a port that is in use; 2 when the command line, a variable or the settings file cannot
/// be meant.
#[derive(Debug, Parser)]
#[command(name = "fulcio-server", version)]
pub(crate) struct CommandLine {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Serve(Box<Serve>),
    Quickstart(Quickstart),
    #[command(name = "createca")]
    CreateCa(Box<CreateCa>),
}

const SERVE: &str = "serve";

/// Reads the command line, and for `serve` the variables and the settings file below it.
///
/// It ends the program when the command line cannot be understood, or asks for help.
pub(crate) fn read() -> Result<CommandLine> {
    let given: Vec<OsString> = env::args_os().collect();
    let command = CommandLine::command().mut_subcommand(SERVE, layered);
    let on_its_own = command.clone().mut_subcommand(SERVE, undemanding);
    let explicit = on_its_own.get_matches_from(&given);
    let Some((SERVE, explicit)) = explicit.subcommand() else {
        return Ok(understood(&explicit));
    };
    let serve = command.find_subcommand(SERVE).cloned().unwrap_or_default();
    let layers = Layers::read(&serve, explicit, Variables::of_this_process())?;

    // What comes later wins, so the layers come first.
    let end = given.iter().position(|argument| argument == SERVE);
    let (program, rest) = given.split_at(end.map_or(given.len(), |end| end + 1));
    let all = program.iter().chain(layers.arguments()).chain(rest);
    let matches = match command.try_get_matches_from(all) {
        Ok(matches) => matches,
        Err(error) => match layers.explain(&error) {
            Some(error) => return Err(error.into()),
            None => error.exit(),
        },
    };
    let mut line = understood(&matches);
    if let Command::Serve(serve) = &mut line.command {
        serve.layers = layers;
    }
    Ok(line)
}

fn understood(matches: &clap::ArgMatches) -> CommandLine {
    CommandLine::from_arg_matches(matches).unwrap_or_else(|error| error.exit())
}
