//! Running commands one after another, with a heading and a time for each, until one fails.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::Context;
use anyhow::Result;
use anyhow::bail;

/// What was done so far.
pub(crate) struct Steps {
    begin: Instant,
    done: Vec<(String, u64)>,
}

impl Steps {
    pub(crate) fn begin() -> Self {
        Self {
            begin: now(),
            done: Vec::new(),
        }
    }

    /// Does one thing under a heading.
    ///
    /// # Errors
    /// The work's own, with the heading and what held before it.
    pub(crate) fn step<T>(&mut self, heading: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
        eprintln!("\n== {heading} (after {} s)", self.begin.elapsed().as_secs());
        let begin = now();
        let result = work().with_context(|| format!("failed at: {heading}"))?;
        self.done.push((heading.to_owned(), begin.elapsed().as_secs()));
        Ok(result)
    }

    /// Says what held.
    pub(crate) fn summary(&self) {
        eprintln!("\n== all held, in {} s", self.begin.elapsed().as_secs());
        for (heading, seconds) in &self.done {
            eprintln!("{seconds:>6} s  {heading}");
        }
    }
}

/// Runs a command whose output is for the person who waits.
///
/// # Errors
/// When it cannot be started or does not exit with 0; the text says how to run it again.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let line = shown(command);
    eprintln!("$ {line}");
    let status = command.status().with_context(|| format!("starting `{line}`"))?;
    if !status.success() {
        bail!("`{line}` ended with {status}");
    }
    Ok(())
}

/// Whether a command runs and exits with 0; its output is not shown.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command.output().is_ok_and(|output| output.status.success())
}

/// A command that begins in `folder`.
pub(crate) fn command(program: impl AsRef<OsStr>, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder);
    command
}

fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let line: Vec<String> = words.map(|word| word.to_string_lossy().into_owned()).collect();
    line.join(" ")
}

#[expect(
    clippy::disallowed_methods,
    reason = "a person waits: the time a step takes is what is shown"
)]
fn now() -> Instant {
    Instant::now()
}
