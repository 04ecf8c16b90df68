//! A running platform: `attestry up` as a process of its own.

use std::fs;
use std::io::BufRead as _;
use std::io::BufReader;
use std::net::Ipv4Addr;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::ExitStatus;
use std::process::Stdio;
use std::sync::mpsc;
use std::time::Duration;

use serde_json::Value;
use serde_json::json;

use crate::Client;
use crate::Offer;
use crate::Outcome;
use crate::Place;
use crate::eventually;

/// The platform is ready in a fraction of a second; the rest is for machines that do something else as well.
const READY: Duration = Duration::from_mins(1);
/// More than the platform gives to requests in flight.
const STOPPED: Duration = Duration::from_secs(30);

/// A process that is killed with this value, if it still runs.
#[derive(Debug)]
pub struct Platform {
    process: Child,
    url: String,
    client: Client,
    stderr: PathBuf,
}

impl Platform {
    pub(crate) fn start(place: &Place, arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let stderr = place.path("up.stderr");
        let log = fs::File::options().create(true).append(true).open(&stderr).unwrap();
        let mut command = place.command(&["up", "--json"]);
        if !arguments.contains(&"--listen") {
            command.args(["--listen", "127.0.0.1:0"]);
        }
        // The vault is opened with the key in its own folder, as on an operator's machine.
        command.args(arguments).env_remove("ATTESTRY_PASSPHRASE");
        command
            .envs(environment.iter().copied())
            .stdout(Stdio::piped())
            .stderr(log);
        let mut process = command.spawn().unwrap();
        let stdout = process.stdout.take().unwrap();
        let (said, hear) = mpsc::channel();
        std::thread::spawn(move || {
            let mut line = String::new();
            said.send(BufReader::new(stdout).read_line(&mut line).map(|_| line))
                .ok();
        });
        let line = hear.recv_timeout(READY).map(Result::unwrap).unwrap_or_default();
        let told = || fs::read_to_string(&stderr).unwrap_or_default();
        let Ok(Value::Object(ready)) = serde_json::from_str(&line) else {
            process.kill().ok();
            process.wait().ok();
            panic!("expected {{\"ready\": URL}}, found {line:?}; {}", told());
        };
        let url = ready["ready"].as_str().unwrap().to_owned();
        let token = fs::read_to_string(place.data().join("admin.token")).unwrap();
        // Behind a public name it is at the address that it was told.
        let listen = arguments.iter().skip_while(|word| **word != "--listen").nth(1);
        let own = url.rsplit('/').next().unwrap().parse();
        let mut address: SocketAddr = own.unwrap_or_else(|_| listen.unwrap().parse().unwrap());
        if address.ip().is_unspecified() {
            address.set_ip(Ipv4Addr::LOCALHOST.into());
        }
        let client = Client::new(address, token.trim().to_owned());
        Self {
            process,
            url,
            client,
            stderr,
        }
    }

    /// What its clients call it.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A client of it.
    #[must_use]
    pub const fn client(&self) -> &Client {
        &self.client
    }

    /// The number of its process.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Runs a command that finds this platform.
    #[must_use]
    pub fn run(&self, place: &Place, arguments: &[&str]) -> Outcome {
        Outcome::of(place.command(arguments).arg("--json").env("ATTESTRY_URL", &self.url))
    }

    /// An offer of an agency, as a wallet reads it.
    #[must_use]
    pub fn offer(&self, agency: &str, credential_type: &str, subject: &str) -> Offer {
        self.offer_with(agency, &json!({"type": credential_type, "subject": subject}))
    }

    /// An offer on the given terms.
    #[must_use]
    pub fn offer_with(&self, agency: &str, terms: &Value) -> Offer {
        let made = self
            .client
            .admin_post(&format!("/issuers/{agency}/admin/offers"), terms);
        Offer::parse(made.expect(201)["offer"].as_str().unwrap())
    }

    /// Tells it to stop, and does not wait.
    pub fn terminate(&self) {
        let line = format!("kill -TERM {}", self.process.id());
        assert!(Command::new("sh").args(["-c", &line]).status().unwrap().success());
    }

    /// Waits for its end.
    #[must_use]
    pub fn wait(&mut self) -> ExitStatus {
        eventually("the platform's end", STOPPED, || self.process.try_wait().unwrap())
    }

    /// Stops it as an operator does, and holds it to its promise: exit 0, and no panic on the way.
    pub fn stop(mut self) {
        self.terminate();
        let status = self.wait();
        assert!(status.success(), "expected exit 0, found {status}; {}", self.stderr());
    }

    /// Kills it without warning.
    pub fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// What it has written to stderr, in all its lives.
    #[must_use]
    pub fn stderr(&self) -> String {
        fs::read_to_string(&self.stderr).unwrap_or_default()
    }
}

impl Drop for Platform {
    fn drop(&mut self) {
        if let Ok(None) = self.process.try_wait() {
            self.process.kill().ok();
            self.process.wait().ok();
        }
        let stderr = self.stderr();
        let panic = stderr.lines().find(|line| line.contains("panicked at"));
        if let Some(panic) = panic.filter(|_| !std::thread::panicking()) {
            panic!("the platform panicked: {panic}");
        }
    }
}
