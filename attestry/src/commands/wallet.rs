//! `wallet`: comes with the agent.

use std::process::ExitCode;

use anyhow::Result;

use crate::cli;
use crate::output::Output;

pub(crate) async fn run(_: cli::Wallet, _: Output) -> Result<ExitCode> {
    anyhow::bail!("not yet")
}
