//! `cargo xtask fuzz`: the fuzz targets for a while each, with `cargo-fuzz` on the project's own toolchain.

use std::path::Path;
use std::process::Command;

use anyhow::Context;
use anyhow::Result;
use anyhow::bail;

use crate::steps::Steps;
use crate::steps::command;
use crate::steps::run;
use crate::steps::succeeds;

/// What one input may take before it counts as a finding: parsers answer in microseconds.
const SLOW_INPUT_SECONDS: u32 = 10;

/// What one input may take in memory: a thousand times the largest input.
const MEMORY_MEGABYTES: u32 = 1_024;

/// Fuzzes one target, or each of them in turn, for `seconds`.
pub(crate) fn fuzz(root: &Path, target: Option<&str>, seconds: u32) -> Result<()> {
    if !succeeds(Command::new("cargo").args(["fuzz", "--version"])) {
        bail!("expected cargo-fuzz, found none; install it with `cargo install --locked cargo-fuzz`");
    }
    let targets = match target {
        Some(target) => vec![target.to_owned()],
        None => targets(root)?,
    };
    let mut steps = Steps::begin();
    for target in &targets {
        steps.step(&format!("{target} for {seconds} s"), || {
            let mut fuzzing = command("cargo", root);
            // The address sanitizer needs a nightly compiler, and the workspace denies unsafe code.
            fuzzing.args(["fuzz", "run", "--sanitizer", "none", target, "--"]);
            fuzzing.arg(format!("-max_total_time={seconds}"));
            fuzzing.arg(format!("-timeout={SLOW_INPUT_SECONDS}"));
            fuzzing.arg(format!("-rss_limit_mb={MEMORY_MEGABYTES}"));
            run(fuzzing.arg("-print_final_stats=1"))
        })?;
    }
    steps.summary();
    Ok(())
}

fn targets(root: &Path) -> Result<Vec<String>> {
    let output = command("cargo", root)
        .args(["fuzz", "list"])
        .output()
        .context("starting cargo fuzz")?;
    let names: Vec<String> = String::from_utf8_lossy(&output.stdout)
        .lines()
        .map(str::to_owned)
        .collect();
    if !output.status.success() || names.is_empty() {
        bail!(
            "expected fuzz targets in fuzz/, found none: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(names)
}
