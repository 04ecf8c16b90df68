//! A program that measures what it is asked for.

use std::io::BufRead as _;
use std::io::BufReader;
use std::io::Write as _;
use std::process::Child;
use std::process::ChildStdin;
use std::process::ChildStdout;
use std::process::Command;
use std::process::Stdio;

use anyhow::Context;
use anyhow::Result;
use anyhow::bail;
use serde_json::Value;

use crate::bench_peers::Turns;
use crate::bench_peers::turns;

pub(super) struct Program {
    name: String,
    child: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
    described: Value,
}

impl Program {
    /// Starts it, and reads what it can do.
    ///
    /// # Errors
    /// When it ends instead, as it does when it cannot verify what it was given.
    pub(super) fn start(command: &mut Command) -> Result<Self> {
        let name = format!("{command:?}");
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("starting {name}"))?;
        let questions = child.stdin.take().context("expected a pipe")?;
        let answers = BufReader::new(child.stdout.take().context("expected a pipe")?);
        let mut program = Self {
            name,
            child,
            questions,
            answers,
            described: Value::Null,
        };
        program.described = program.read()?;
        Ok(program)
    }

    /// Has it measure this work for so long.
    ///
    /// # Errors
    /// When it ends, or says something else.
    pub(super) fn ask(&mut self, id: &str, milliseconds: u32) -> Result<Turns> {
        writeln!(self.questions, "{id} {milliseconds}").with_context(|| format!("asking {}", self.name))?;
        let answer = self.read()?;
        turns(&answer).with_context(|| format!("expected turns from {}, found {answer}", self.name))
    }

    fn read(&mut self) -> Result<Value> {
        let mut line = String::new();
        self.answers
            .read_line(&mut line)
            .with_context(|| format!("reading from {}", self.name))?;
        if line.is_empty() {
            bail!("expected an answer from {}, found that it has ended", self.name);
        }
        serde_json::from_str(&line).with_context(|| format!("expected JSON from {}, found {line}", self.name))
    }

    /// Whether it does this work.
    pub(super) fn can(&self, id: &str) -> bool {
        let ids = self.described.get("ids").and_then(Value::as_array);
        ids.is_some_and(|ids| ids.iter().any(|one| one.as_str() == Some(id)))
    }

    /// What it says of itself under this name.
    ///
    /// # Errors
    /// When it says nothing.
    pub(super) fn described(&self, name: &str) -> Result<Vec<Value>> {
        let found = self.described.get(name).and_then(Value::as_array);
        found
            .cloned()
            .with_context(|| format!("expected {name} from {}", self.name))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
