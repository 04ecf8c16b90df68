//! What the project does to itself: `cargo xtask sample` and `cargo xtask test`.

mod postgres;
mod sample;
mod steps;
mod test;

use std::path::Path;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use anyhow::Result;

const USAGE: &str = "\
Usage: cargo xtask COMMAND

Commands:
  test              install what the tests need (says so first), then run all of them
  sample            write the sample nation's registers to schemas/sample
  sample --check    fail when the committed ones differ from what the generator makes
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = root().and_then(|root| match arguments.as_slice() {
        ["test"] => test::test(&root),
        ["sample"] => sample::write(&root),
        ["sample", "--check"] => sample::check(&root),
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

/// The workspace root, wherever the command was typed.
fn root() -> Result<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    Ok(folder.parent().context("xtask lies in the workspace")?.to_path_buf())
}
