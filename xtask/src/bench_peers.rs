//! `cargo xtask bench-peers`: our benches beside independent implementations, written to `benches/RESULTS.md`.
//!
//! Ours and each peer is a program of its own that measures what it is asked for on a line (`benches/src/measure.rs`).
//! They are asked in turns of a few milliseconds, so that what else the machine does hits all alike, in several passes
//! over all rows; each counts as the tenth percentile of its turns.

mod program;
mod results;

use std::collections::BTreeMap;
use std::path::Path;
use std::path::PathBuf;

use anyhow::Context;
use anyhow::Result;
use serde_json::Value;

use crate::bench_peers::program::Program;
use crate::bench_peers::results::Row;
use crate::steps::Steps;
use crate::steps::command;
use crate::steps::run;
use crate::test;

/// How often all rows are measured.
const PASSES: usize = 4;

/// How often everybody is asked in a pass over a row.
const ROUNDS: usize = 8;

/// How long one measures when it is asked: some runs of the slowest peer, hundreds of ours.
const ROUND_MILLISECONDS: u32 = 40;

/// Installs and builds, measures, and writes the page.
///
/// # Errors
/// When something cannot be installed or built, or a peer does not verify what we issue.
pub(crate) fn all(root: &Path) -> Result<()> {
    let target = test::target(root)?;
    let mut steps = Steps::begin();
    steps.step("npm and PyPI packages", || {
        test::install_peers(&root.join("tests/interop"), &target)
    })?;
    let ours = steps.step("our benches", || build(root, &target))?;
    let peers = steps.step("Rust peers", || {
        build(&root.join("benches/peers"), &target.join("bench-peers"))
    })?;
    let rows = steps.step("measuring", || measure(root, &target, &ours, &peers))?;
    steps.step("benches/RESULTS.md", || {
        results::write(root, &test::venv(&target).join("bin/python"), &rows)
    })?;
    steps.summary();
    Ok(())
}

/// The optimized program of the package in `folder`.
fn build(folder: &Path, target: &Path) -> Result<PathBuf> {
    let (package, program) = if folder.ends_with("peers") {
        ("bench-peers", "bench-peers")
    } else {
        ("benches", "bench-ours")
    };
    let mut build = command(test::cargo(), folder);
    build.args(["build", "--release", "--locked", "--package", package, "--bin", program]);
    run(build.arg("--target-dir").arg(target))?;
    Ok(target.join("release").join(program))
}

fn measure(root: &Path, target: &Path, ours: &Path, peers: &Path) -> Result<Vec<Row>> {
    let material = target.join("bench-material.json");
    let interop = root.join("tests/interop/bench");
    let python = test::venv(target).join("bin/python");
    let mut ours = Program::start(command(ours, root).arg(&material))?;
    let mut others = vec![
        Program::start(command(peers, root).arg("ssi").arg(&material))?,
        Program::start(command(peers, root).arg("isomdl").arg(&material))?,
    ];
    for script in ["data-integrity.mjs", "sd-jwt.mjs"] {
        others.push(Program::start(command("node", &interop).arg(script).arg(&material))?);
    }
    others.push(Program::start(
        command(python, &interop).arg("sd_jwt_python.py").arg(&material),
    )?);

    let described = ours.described("rows")?;
    let mut rows: Vec<Row> = described
        .iter()
        .map(Row::new)
        .collect::<Option<_>>()
        .context("expected rows")?;
    for pass in 1..=PASSES {
        for row in &mut rows {
            // Before the first turn that counts everybody has worked for a while.
            ours.ask(&row.id, ROUND_MILLISECONDS)?;
            let mut able = Vec::new();
            for peer in others.iter_mut().filter(|peer| peer.can(&row.id)) {
                let rounds = rounds(&peer.ask(&row.id, ROUND_MILLISECONDS)?);
                able.push((peer, rounds));
            }
            for round in 0..ROUNDS {
                row.add(ours.ask(&row.id, ROUND_MILLISECONDS)?);
                for (peer, _) in able.iter_mut().filter(|(_, rounds)| round < *rounds) {
                    row.add(peer.ask(&row.id, ROUND_MILLISECONDS)?);
                }
            }
            eprintln!("{pass} of {PASSES}: {}", row.summary());
        }
    }
    Ok(rows)
}

/// How often somebody is asked who answers like this: who takes several rounds for one run is not asked each time.
fn rounds(answer: &Turns) -> usize {
    let longest = answer.values().flatten().copied().fold(0.0, f64::max);
    if longest > 5e6 * f64::from(ROUND_MILLISECONDS) {
        2
    } else {
        ROUNDS
    }
}

/// Nanoseconds of each turn, by who did the work.
type Turns = BTreeMap<String, Vec<f64>>;

/// What a line of answer says.
fn turns(line: &Value) -> Option<Turns> {
    let of = |value: &Value| -> Option<Vec<f64>> { value.as_array()?.iter().map(Value::as_f64).collect() };
    line.as_object()?
        .iter()
        .map(|(name, value)| Some((name.clone(), of(value)?)))
        .collect()
}
