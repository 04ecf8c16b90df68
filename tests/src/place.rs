//! A folder of one test: the platform's data, a person's home, files. And the program that runs in it.

use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;

use serde_json::Value;
use store::Direction;
use store::Keyspace;
use store::Store;
use store::StoreUrl;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::Platform;

/// What officers of the sample open their keys with.
const OFFICER_PASSPHRASE: &str = "sample";
/// The wallet's.
const PASSPHRASE: &str = "of a test";

/// A folder that is removed with this value. Stop what runs in it first.
#[derive(Debug)]
pub struct Place {
    folder: TempDir,
}

/// What a command came to.
#[derive(Debug)]
pub struct Outcome {
    /// The exit status.
    pub code: i32,
    /// What stood on stdout, if it was JSON.
    pub value: Value,
    /// What stood on stderr.
    pub stderr: String,
}

impl Place {
    /// A fresh folder.
    #[must_use]
    #[expect(
        clippy::new_without_default,
        reason = "it makes a folder; nothing about that is a default"
    )]
    pub fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("attestry-e2e-").tempdir().unwrap();
        Self { folder }
    }

    /// Something in the folder.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The platform's data folder.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.path("data")
    }

    /// The program with this folder's data and home, and nothing of the person's who runs the tests.
    #[must_use]
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program());
        self.dress(&mut command);
        command.args(arguments);
        command
    }

    /// Gives a command this folder's environment.
    pub fn dress(&self, command: &mut Command) {
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("ATTESTRY_")) {
            command.env_remove(name);
        }
        command
            .env("ATTESTRY_HOME", self.path("home"))
            .env("ATTESTRY_DATA", self.data())
            .env("ATTESTRY_PASSPHRASE", PASSPHRASE)
            .env_remove("RUST_LOG")
            .current_dir(self.folder.path())
            .stdin(Stdio::null());
    }

    /// Runs a command to its end.
    #[must_use]
    pub fn run(&self, arguments: &[&str]) -> Outcome {
        Outcome::of(self.command(arguments).arg("--json"))
    }

    /// Starts the platform and waits until it says that it is ready.
    #[must_use]
    pub fn up(&self, arguments: &[&str]) -> Platform {
        Platform::start(self, arguments, &[])
    }

    /// Like [`Place::up`], with environment variables.
    #[must_use]
    pub fn up_with(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Platform {
        Platform::start(self, arguments, environment)
    }

    /// Two of the three officers approve a proposal, and it is in the log.
    pub fn approve(&self, platform: &Platform, proposal: &str) {
        for officer in 1..=2 {
            let outcome = self.approve_as(platform, proposal, officer);
            let state = if officer == 1 { "open" } else { "appended" };
            assert_eq!(outcome.expect(0)["state"], state, "{}", outcome.stderr);
        }
    }

    /// One officer approves a proposal.
    #[must_use]
    pub fn approve_as(&self, platform: &Platform, proposal: &str, officer: u8) -> Outcome {
        let key = self.path(&format!("data-officers/officer-{officer}.key"));
        let mut command = self.command(&["registry", "approve", proposal, "--json", "--key"]);
        command.arg(key).env("ATTESTRY_PASSPHRASE", OFFICER_PASSPHRASE);
        Outcome::of(command.env("ATTESTRY_URL", platform.url()))
    }

    /// Changes the records of a stopped platform: those of a room whose keys begin with `prefix`. Returns how many
    /// `change` has changed, as it says.
    pub fn change_records(&self, room: &str, prefix: &str, change: impl Fn(&mut Value) -> bool) -> usize {
        let url = StoreUrl::parse_in("fjall", &self.data().join("store")).unwrap();
        Runtime::new().unwrap().block_on(async {
            let whole = Store::open(&url).await.unwrap();
            let store = whole.room(&Keyspace::new(room).unwrap());
            let tx = store.begin().await.unwrap();
            let mut changed = 0;
            for entry in tx.prefix(prefix, 1_000, Direction::Forward).await.unwrap() {
                let mut record: Value = serde_json::from_slice(&entry.value).unwrap();
                if change(&mut record) {
                    tx.put(&entry.key, record.to_string()).unwrap();
                    changed += 1;
                }
            }
            tx.commit().await.unwrap();
            whole.close().await;
            changed
        })
    }

    /// Brings an agency by the README's steps, until it may issue.
    pub fn admit(&self, platform: &Platform, id: &str, folder: &Path) {
        let folder = folder.to_str().unwrap();
        let added = platform.run(self, &["agency", "add", "--id", id, "--name", id, "--folder", folder]);
        let proposals = added.expect(0)["proposals"].as_array().unwrap().clone();
        assert_eq!(proposals.len(), 2, "a schema and an accreditation");
        for proposal in proposals {
            self.approve(platform, proposal.as_str().unwrap());
        }
    }
}

impl Outcome {
    /// Runs a command to its end.
    #[must_use]
    pub fn of(command: &mut Command) -> Self {
        let output = command.output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!stderr.contains("panicked at"), "{command:?}: {stderr}");
        Self {
            code: output.status.code().unwrap_or(-1),
            value: serde_json::from_slice(&output.stdout).unwrap_or_default(),
            stderr,
        }
    }

    /// What it printed, if it exited with `code`.
    #[must_use]
    pub fn expect(&self, code: i32) -> &Value {
        assert_eq!(self.code, code, "{} {}", self.value, self.stderr);
        &self.value
    }
}

/// The program under test: `ATTESTRY_BIN`, or the one that cargo built beside this test.
pub(crate) fn program() -> PathBuf {
    if let Some(program) = std::env::var_os("ATTESTRY_BIN") {
        return program.into();
    }
    let test = std::env::current_exe().unwrap();
    let profile = test.parent().and_then(Path::parent).unwrap();
    let program = profile.join(format!("attestry{}", std::env::consts::EXE_SUFFIX));
    assert!(
        program.exists(),
        "expected the program in {}, found none: run `cargo build -p attestry` first, or name it in ATTESTRY_BIN",
        program.display()
    );
    program
}
