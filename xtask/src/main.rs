//! What the project does to itself: its tests, its generated files, its measurements, its fuzzing.

mod bench_peers;
mod fuzz;
mod interop;
mod postgres;
mod sample;
mod steps;
mod test;

use std::path::Path;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use anyhow::Result;

/// Long enough to reach the deep branches of a small parser from a good corpus.
const FUZZ_SECONDS: u32 = 60;

const USAGE: &str = "\
Usage: cargo xtask COMMAND

Commands:
  test                         install what the tests need (says so first), then run all of them
  test ARGS                    run `cargo test ARGS` with a PostgreSQL server, such as `test -p issuer`
  interop                      exchange credentials with independent implementations and write spec/interop.md
  bench-peers                  measure ours beside independent implementations and write benches/RESULTS.md
  sample                       write the sample nation's registers to schemas/sample
  sample --check               fail when the committed ones differ from what the generator makes
  fuzz [TARGET] [--seconds N]  run one fuzz target, or all in turn, for 60 or N seconds each
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = root().and_then(|root| match arguments.as_slice() {
        ["test"] => test::all(&root),
        ["test", arguments @ ..] => test::some(&root, arguments),
        ["interop"] => test::interop(&root),
        ["bench-peers"] => bench_peers::all(&root),
        ["sample"] => sample::write(&root),
        ["sample", "--check"] => sample::check(&root),
        ["fuzz"] => fuzz::fuzz(&root, None, FUZZ_SECONDS),
        ["fuzz", "--seconds", seconds] => fuzz::fuzz(&root, None, number(seconds)?),
        ["fuzz", target] => fuzz::fuzz(&root, Some(target), FUZZ_SECONDS),
        ["fuzz", target, "--seconds", seconds] => fuzz::fuzz(&root, Some(target), number(seconds)?),
        _ => {
            eprint!("{USAGE}");
            anyhow::bail!("expected a command of the list above, found `{}`", arguments.join(" "))
        }
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn number(text: &str) -> Result<u32> {
    text.parse()
        .with_context(|| format!("expected a number of seconds, found `{text}`"))
}

/// The workspace root, wherever the command was typed.
fn root() -> Result<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    Ok(folder.parent().context("xtask lies in the workspace")?.to_path_buf())
}
