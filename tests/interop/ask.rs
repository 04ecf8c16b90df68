//! Asking a program of `tests/interop/peers`: one JSON question, one JSON answer. The tests of several crates take this
//! file in as a module of their own, so that a library's tests need no crate that the platform does not.

use std::env;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::process::Stdio;

use serde_json::Value;

/// A program, by its file name and the package behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Peer(&'static str, &'static str);

/// Whether the peers are installed; says so if not.
pub(crate) fn are_installed() -> bool {
    let is_set = |name| env::var_os(name).is_some_and(|value| value == "1");
    if is_set("ATTESTRY_INTEROP") {
        return true;
    }
    assert!(!is_set("ATTESTRY_REQUIRE_INTEROP"), "ATTESTRY_INTEROP is not set");
    println!("skipped: ATTESTRY_INTEROP is not set; `cargo xtask test` installs the independent implementations");
    false
}

impl Peer {
    pub(crate) const fn new(file: &'static str, package: &'static str) -> Self {
        Self(file, package)
    }

    /// The answer, or why the peer refused.
    ///
    /// # Panics
    /// When the peer fails instead of answering.
    pub(crate) fn ask(self, question: &Value) -> Result<Value, String> {
        let output = self.run(&question.to_string());
        read_answer(serde_json::from_slice(&output).expect("a JSON answer"))
    }

    /// The answers to many questions, asked at once.
    ///
    /// # Panics
    /// When the peer fails instead of answering.
    pub(crate) fn ask_all(self, questions: &[Value]) -> Vec<Result<Value, String>> {
        let output = self.run(&Value::from(questions).to_string());
        let answers: Vec<Value> = serde_json::from_slice(&output).expect("a JSON array of answers");
        assert_eq!(answers.len(), questions.len());
        answers.into_iter().map(read_answer).collect()
    }

    /// Its name and the package behind it.
    pub(crate) const fn name(self) -> &'static str {
        self.1
    }

    fn run(self, question: &str) -> Vec<u8> {
        let mut process = self
            .command()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{} does not start: {error}", self.0));
        let mut stdin = process.stdin.take().expect("a pipe");
        // Every peer reads it all before it writes anything.
        stdin.write_all(question.as_bytes()).expect("a peer that reads");
        drop(stdin);
        let output = process.wait_with_output().expect("a peer that ends");
        assert!(output.status.success(), "{} failed: {}", self.0, output.status);
        output.stdout
    }

    fn command(self) -> Command {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/interop/peers");
        let interpreter = match Path::new(self.0).extension() {
            // A program in Rust, in a folder of its own.
            None => {
                let programs =
                    env::var_os("ATTESTRY_PEERS").expect("ATTESTRY_PEERS names the folder of compiled peers");
                return Command::new(Path::new(&programs).join(self.0));
            }
            Some(extension) if extension == "py" => env::var_os("ATTESTRY_PYTHON").unwrap_or_else(|| "python3".into()),
            Some(_) => "node".into(),
        };
        let mut command = Command::new(interpreter);
        command.arg(folder.join(self.0));
        command
    }
}

fn read_answer(answer: Value) -> Result<Value, String> {
    if answer["ok"] == true {
        Ok(answer)
    } else {
        Err(answer["error"].as_str().expect("a reason").to_owned())
    }
}
