//! One file per group of commands, named as on the command line.

mod agency;
mod bundle;
mod card;
mod demo;
mod doctor;
mod hub;
mod issuer;
mod jose;
mod registry;
mod resolve;
mod up;
mod verifier;
mod verify;
mod wallet;
mod witness;

pub(crate) use verify::read_file;

use std::process::ExitCode;

use anyhow::Result;
use clap::CommandFactory as _;

use crate::cli;
use crate::cli::Cli;
use crate::cli::Command;
use crate::output::Output;

/// Runs one command. An error is wrong use or a failure to do the work; a verdict is not an error.
pub(crate) async fn run(command: Command, output: &Output) -> Result<ExitCode> {
    match command {
        Command::Up(options) => up::run(options, *output).await,
        Command::Demo(options) => demo::run(options, *output).await,
        Command::Agency(command) => agency::run(command, *output).await,
        Command::Issuer(command) => issuer::instances(command, *output).await,
        Command::Offer(command) => issuer::offer(command, *output).await,
        Command::Wallet(command) => wallet::run(command, *output).await,
        Command::Verifier(command) => verifier::run(command, *output).await,
        Command::Bundle(command) => bundle::run(command, *output).await,
        Command::Verify(options) => verify::run(&options, *output),
        Command::Credentials(command) => issuer::credentials(command, *output).await,
        Command::Suspend(options) => issuer::change(&options, "suspend", *output).await,
        Command::Reinstate(options) => issuer::change(&options, "reinstate", *output).await,
        Command::Revoke(options) => issuer::change(&options, "revoke", *output).await,
        Command::Jose(command) => jose::run(&command, *output),
        Command::Resolve(options) => resolve::run(options, *output).await,
        Command::Registry(command) => registry::run(command, *output).await,
        Command::Witness(cli::Witness::Serve(options)) => witness::serve(options, *output).await,
        Command::Hub(command) => hub::run(command, *output).await,
        Command::Doctor(options) => doctor::run(options, *output).await,
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Cli::command(), "attestry", &mut std::io::stdout());
            Ok(ExitCode::SUCCESS)
        }
    }
}
