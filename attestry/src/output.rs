//! What commands print: text for people, or one JSON object for programs. Errors go to stderr.

use std::fmt::Display;
use std::io::IsTerminal as _;
use std::io::Write as _;
use std::process::ExitCode;

use indicatif::ProgressBar;
use indicatif::ProgressStyle;
use serde_json::Value;
use serde_json::json;

/// Exit status of a command that was used wrongly or could not do its work.
pub(crate) const WRONG_USE: u8 = 2;

/// Where a command's result goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    json: bool,
}

impl Output {
    pub(crate) const fn new(json: bool) -> Self {
        Self { json }
    }

    /// Whether a program reads it.
    pub(crate) const fn is_json(self) -> bool {
        self.json
    }

    /// Prints the one result of a command: `text` for people, `value` for programs.
    pub(crate) fn result(self, text: impl Display, value: &Value) {
        let line = if self.json { value.to_string() } else { text.to_string() };
        print_line(&line);
    }

    /// Prints a line of a story that people read along; programs get the result at its end instead.
    pub(crate) fn tell(self, line: impl Display) {
        if !self.json {
            print_line(&line.to_string());
        }
    }

    /// Prints what people should know beside the result, on stderr; programs find it in the result.
    pub(crate) fn hint(self, line: impl Display) {
        if !self.json {
            // Nobody is left to tell if stderr is closed.
            writeln!(std::io::stderr().lock(), "attestry: {line}").ok();
        }
    }

    /// Prints an error with its causes and what to do.
    pub(crate) fn failure(self, error: &anyhow::Error) -> ExitCode {
        let mut stderr = std::io::stderr().lock();
        // Nobody is left to tell if stderr is closed.
        if self.json {
            let causes: Vec<String> = error.chain().skip(1).map(ToString::to_string).collect();
            writeln!(stderr, "{}", json!({"error": error.to_string(), "causes": causes})).ok();
        } else {
            writeln!(stderr, "attestry: {error}").ok();
            for cause in error.chain().skip(1) {
                writeln!(stderr, "  because: {cause}").ok();
            }
        }
        ExitCode::from(WRONG_USE)
    }
}

/// How far long work is, on stderr, where a person watches; elsewhere nothing.
pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// `what` is counted, such as "entries hold".
    pub(crate) fn new(what: &'static str) -> Self {
        let bar = ProgressBar::new(0).with_message(what);
        // The template is ours, so that it is understood.
        if let Ok(style) = ProgressStyle::with_template("{wide_bar} {human_pos} of {human_len} {msg}, {eta} left") {
            bar.set_style(style);
        }
        Self(bar)
    }

    pub(crate) fn at(&mut self, done: u64, all: u64) {
        self.0.set_length(all);
        self.0.set_position(done);
    }

    /// Takes the bar away, for the result to stand alone.
    pub(crate) fn end(self) {
        self.0.finish_and_clear();
    }
}

/// Asks a person on the terminal; `None` where there is none.
pub(crate) fn ask(question: &str) -> Option<String> {
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return None;
    }
    let mut stderr = std::io::stderr().lock();
    write!(stderr, "{question} ").ok()?;
    stderr.flush().ok()?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).ok()?;
    Some(answer.trim().to_owned())
}

/// A closed pipe (`attestry ... | head`) is the reader's wish, not an error.
fn print_line(line: &str) {
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "{line}").and_then(|()| stdout.flush()).ok();
}
