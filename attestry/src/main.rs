//! The `attestry` command: every actor, and `up`, which runs them all in one process.
//!
//! Commands speak HTTP to a running platform, or use the pure libraries on files; only `compose` holds the
//! actors together.

mod agencies;
mod anchors;
mod cli;
mod commands;
mod compose;
mod data;
mod files;
mod front;
mod hub;
mod iaca;
mod instances;
mod output;
mod platform;
#[cfg(feature = "png")]
mod png;
mod register_api;
mod sample;
mod seen;
mod trust_anchors;

use std::process::ExitCode;

use clap::Parser as _;

use crate::cli::Cli;
use crate::output::Output;

fn main() -> ExitCode {
    // Wrong use exits with 2 and tells how it is used.
    let cli = Cli::parse();
    server::telemetry::start(if cli.json {
        server::telemetry::LogFormat::Json
    } else {
        server::telemetry::LogFormat::Text
    });
    let output = Output::new(cli.json);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return output.failure(&error.into()),
    };
    match runtime.block_on(commands::run(cli.command, &output)) {
        Ok(code) => code,
        Err(error) => output.failure(&error),
    }
}
