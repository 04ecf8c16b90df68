//! `demo`: tells and performs the whole story. Every step runs this very program as a person would, over real
//! HTTP between the parts, in a fresh folder and on a free port; a step that does not hold ends the story.

mod federation;

use std::io::BufRead as _;
use std::io::BufReader;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::ExitCode;
use std::process::Stdio;

use anyhow::Context as _;
use anyhow::Result;
use anyhow::bail;
use anyhow::ensure;
use serde_json::Value;
use serde_json::json;

use crate::cli;
use crate::output::Output;

/// Sealed under this, and thrown away with the folder.
const PASSPHRASE: &str = "demo";
/// Maya, of the sample's population register: born 1990.
const PERSON: &str = "X0000001A";

pub(crate) async fn run(options: cli::Demo, output: Output) -> Result<ExitCode> {
    // The story waits for processes; it must not hold up the runtime.
    tokio::task::spawn_blocking(move || tell(&options, output)).await?
}

fn tell(options: &cli::Demo, output: Output) -> Result<ExitCode> {
    let folder = fresh_folder()?;
    let mut stage = Stage::new(folder.clone(), output)?;
    let told = if options.federation {
        federation::story(&mut stage)
    } else {
        stage.story()
    };
    let stopped = stage.stop_platform();
    if !options.keep {
        std::fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    let kept = options.keep.then(|| folder.display().to_string());
    match told.and(stopped) {
        Ok(()) => {
            let where_kept = kept
                .as_ref()
                .map(|kept| format!(" The data is kept in {kept}."))
                .unwrap_or_default();
            let text = format!("\nEvery step held ({}).{where_kept}", stage.steps.len());
            output.result(text, &json!({"held": true, "steps": stage.steps, "folder": kept}));
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => {
            let cause: Vec<String> = error.chain().map(ToString::to_string).collect();
            let text = format!("  FAIL  {}", cause.join(": "));
            output.result(
                text,
                &json!({"held": false, "steps": stage.steps, "failed": cause.join(": "), "folder": kept}),
            );
            Ok(ExitCode::FAILURE)
        }
    }
}

struct Stage {
    folder: PathBuf,
    program: PathBuf,
    platform: Option<RunningPlatform>,
    /// Where the platform listens: any free port at first.
    address: String,
    steps: Vec<String>,
    output: Output,
}

struct RunningPlatform {
    process: Child,
    url: String,
}

/// What a command of the story came to.
struct Outcome {
    code: i32,
    value: Value,
    stderr: String,
}

impl Stage {
    fn new(folder: PathBuf, output: Output) -> Result<Self> {
        Ok(Self {
            folder,
            program: std::env::current_exe()?,
            platform: None,
            address: "127.0.0.1:0".to_owned(),
            steps: Vec::new(),
            output,
        })
    }

    fn story(&mut self) -> Result<()> {
        self.output.tell("The story of a nation without a centre\n");
        self.start_platform(&["--sample"])?;
        self.held("A nation is founded: three officers, four agencies, a witnessed registry");
        self.admit_an_agency()?;
        let credential = self.issue_to_a_wallet()?;
        self.carry_trust_away()?;
        self.present_offline()?;
        self.revoke(&credential)?;
        self.exchange()
    }

    /// A fifth agency comes; one officer is not enough, two are.
    fn admit_an_agency(&mut self) -> Result<()> {
        let folder = self.folder.join("library");
        write_library(&folder)?;
        let data = self.data();
        let added = self.ok(&[
            "agency",
            "add",
            "--id",
            "library",
            "--name",
            "City Library",
            "--folder",
            path(&folder)?,
            "--data",
            path(&data)?,
        ])?;
        let proposals = added
            .get("proposals")
            .and_then(Value::as_array)
            .context("no proposals")?
            .clone();
        ensure!(
            proposals.len() == 2,
            "expected two proposals, found {}",
            proposals.len()
        );
        for proposal in &proposals {
            let id = proposal.as_str().map_or_else(|| proposal.to_string(), str::to_owned);
            let first = self.approve(&id, 1)?;
            ensure!(
                first == "open",
                "expected the proposal {id} to wait for a second officer, found it {first}"
            );
            let again = self.approve_outcome(&id, 1)?;
            ensure!(again.code != 0, "the same officer approved twice");
            self.complete(&id)?;
        }
        self.held("The City Library is admitted: one officer of three was not enough, the same one twice was refused, two were");
        let offer = self.offer("library", "LibraryCard", "R-17")?;
        self.wallet(&["init"])?;
        self.wallet(&["accept", &offer])?;
        self.held("It issues a library card from its own CSV to a wallet");
        Ok(())
    }

    fn issue_to_a_wallet(&mut self) -> Result<String> {
        let offer = self.offer("population", "PersonIdentity", PERSON)?;
        self.wallet(&["accept", &offer])?;
        let listed = self.wallet(&["list"])?;
        let count = listed.get("credentials").and_then(Value::as_array).map_or(0, Vec::len);
        ensure!(count == 2, "expected two credentials in the wallet, found {count}");
        let data = self.data();
        let issued = self.ok(&[
            "credentials",
            "list",
            "--agency",
            "population",
            "--subject",
            PERSON,
            "--data",
            path(&data)?,
        ])?;
        let id = issued
            .pointer("/credentials/0/id")
            .and_then(Value::as_str)
            .context("the agency has no record of the credential")?
            .to_owned();
        self.held("The population office issues an identity; the wallet keeps it under its own key");
        Ok(id)
    }

    fn carry_trust_away(&mut self) -> Result<()> {
        let url = self.url()?;
        let bundle = self.bundle();
        self.ok(&["bundle", "fetch", &url, "--out", path(&bundle)?])?;
        self.stop_platform()?;
        let gone = self.run(&[
            "bundle",
            "fetch",
            &url,
            "--out",
            path(&self.folder.join("other.bundle"))?,
        ])?;
        ensure!(gone.code != 0, "the platform still answers after it was stopped");
        self.held("A verifier fetches the trust bundle; then the platform is switched off");
        Ok(())
    }

    fn present_offline(&mut self) -> Result<()> {
        let (request, presentation, bundle) = (self.folder.join("request.json"), self.presentation(), self.bundle());
        self.ok(&[
            "verifier",
            "request",
            "--offline",
            "--query",
            "age-over-18",
            "--out",
            path(&request)?,
        ])?;
        self.wallet(&["present", path(&request)?, "--out", path(&presentation)?, "--yes"])?;
        let valid = self.verify(&["--request", path(&request)?])?;
        ensure!(valid.code == 0, "expected the verdict valid, found {}", valid.value);
        let claims = valid
            .value
            .get("claims")
            .and_then(Value::as_object)
            .context("the verdict has no claims")?;
        ensure!(
            claims.get("age_over_18") == Some(&Value::Bool(true)),
            "expected age_over_18 to be true, found {claims:?}"
        );
        for private in ["given_name", "family_name", "birthdate", "address", "picture"] {
            ensure!(!claims.contains_key(private), "the presentation disclosed {private}");
        }
        ensure!(
            valid.value.get("holder_binding") == Some(&Value::from("request")),
            "expected the holder to be bound to the request"
        );
        self.held("Maya shows that she is over 18 and nothing else; it is verified with no network");
        self.tampered(&presentation, &bundle)
    }

    fn tampered(&mut self, presentation: &Path, bundle: &Path) -> Result<()> {
        let text = std::fs::read_to_string(presentation)?;
        let mut value: Value = serde_json::from_str(&text)?;
        let token = value
            .pointer_mut("/response/vp_token/age-over-18/0")
            .context("no presentation in the file")?;
        let genuine = token.as_str().context("the presentation is no text")?.to_owned();
        // One character of the only disclosure: age_over_18 itself.
        let tilde = genuine.find('~').context("no disclosure in the presentation")?;
        let at = tilde + 20;
        let mut bytes = genuine.into_bytes();
        if let Some(byte) = bytes.get_mut(at) {
            *byte = if *byte == b'A' { b'B' } else { b'A' };
        }
        *token = Value::from(String::from_utf8(bytes)?);
        let copy = self.folder.join("tampered.json");
        std::fs::write(&copy, value.to_string())?;
        let refused = self.run(&[
            "verify",
            "--bundle",
            path(bundle)?,
            "--request",
            path(&self.folder.join("request.json"))?,
            path(&copy)?,
        ])?;
        ensure!(
            refused.code == 1 && refused.value.get("verdict") == Some(&Value::from("refused")),
            "a tampered copy was not refused: {}",
            refused.value
        );
        ensure!(refused.value.get("claims").is_none(), "a refused verdict showed claims");
        self.held("A copy with one changed character is refused");
        Ok(())
    }

    fn revoke(&mut self, credential: &str) -> Result<()> {
        self.start_platform(&[])?;
        let data = self.data();
        let revoked = self.ok(&[
            "revoke",
            "--agency",
            "population",
            "--credential",
            credential,
            "--data",
            path(&data)?,
        ])?;
        ensure!(
            revoked.get("committed") == Some(&Value::Bool(true)),
            "the revocation was not committed"
        );
        let still = self.verify(&["--request", path(&self.folder.join("request.json"))?])?;
        ensure!(still.code == 0, "the old bundle cannot know of the revocation yet");
        let (url, bundle) = (self.url()?, self.bundle());
        self.ok(&["bundle", "update", path(&bundle)?, &url])?;
        let refused = self.verify(&["--request", path(&self.folder.join("request.json"))?])?;
        let reasons = refused
            .value
            .get("reasons")
            .map(ToString::to_string)
            .unwrap_or_default();
        ensure!(
            refused.code == 1 && reasons.contains("revoked"),
            "expected a refusal for revocation, found {}",
            refused.value
        );
        self.held("The office revokes the identity; with the updated bundle the same presentation is refused");
        Ok(())
    }

    /// One agency asks another about a person, through the hub.
    fn exchange(&mut self) -> Result<()> {
        let wallet = self.folder.join("wallet");
        let target = format!("/persons/{PERSON}?fields=given_name,birthdate");
        let api = ["--agency", "transport", "--api", "population-register/v1"];
        let refused = self.hub(&[&["call", "GET", &target], api.as_slice()].concat())?;
        ensure!(
            refused.code == 1 && refused.value.get("status") == Some(&Value::from(403)),
            "expected a refusal without consent, found {} {}",
            refused.value,
            refused.stderr
        );
        let person = ["--subject", PERSON, "--home", path(&wallet)?];
        self.hub_ok(&[&["enrol", "--agency", "population"], person.as_slice()].concat())?;
        let fields = ["--fields", "given_name,birthdate", "--yes"];
        let consent = self.hub_ok(&[&["consent"], api.as_slice(), &person, &fields].concat())?;
        let consent = consent.get("id").and_then(Value::as_str).context("no consent")?;
        let called = self.hub_ok(&[&["call", "GET", &target], api.as_slice(), &["--consent", consent]].concat())?;
        ensure!(
            called.get("answer") == Some(&json!({"given_name": "Maya", "birthdate": "1990-05-17"})),
            "expected two fields of the register, found {called}"
        );
        self.held("The transport office asks the population register through the hub: refused without Maya's consent, answered with it");
        self.check_evidence(called.get("evidence").and_then(Value::as_str).context("no evidence")?)
    }

    /// The record of a call, checked after the platform is gone.
    fn check_evidence(&mut self, id: &str) -> Result<()> {
        let (file, copy) = (self.folder.join("evidence.json"), self.folder.join("changed.json"));
        self.hub_ok(&["evidence", id, "--out", path(&file)?])?;
        // Keys of evidence are published; a party keeps its own copy.
        let url = self.url()?;
        let key = self.ok(&["hub", "key", "--url", &url])?;
        let key = key.get("key").and_then(Value::as_str).context("no key")?;
        self.stop_platform()?;
        let verify = |file| self.run(&["hub", "verify-evidence", path(file)?, "--key", key]);
        let valid = verify(&file)?;
        ensure!(valid.code == 0, "the evidence is refused: {}", valid.value);
        let genuine = std::fs::read_to_string(&file)?;
        // Maya's date of birth was never asked for, somebody may want to claim.
        let changed = genuine.replace("birthdate", "portraits");
        ensure!(changed != genuine, "the evidence does not name the fields of the call");
        std::fs::write(&copy, changed)?;
        let refused = verify(&copy)?;
        ensure!(
            refused.code == 1 && refused.value.get("verdict") == Some(&Value::from("refused")),
            "a changed record was not refused: {}",
            refused.value
        );
        self.held("The evidence of that call is verified with no network; a copy with one changed word is refused");
        Ok(())
    }

    fn start_platform(&mut self, options: &[&str]) -> Result<()> {
        let data = self.data();
        // The same address again: what was published and issued names it.
        let listen = self.address.clone();
        let mut arguments = vec!["up", "--json", "--data", path(&data)?, "--listen", &listen];
        arguments.extend(options);
        let mut process = self
            .command(&arguments)
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start the platform")?;
        let stdout = process.stdout.take().context("the platform has no output")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let ready: Value =
            serde_json::from_str(&line).with_context(|| format!("the platform did not get ready: {line:?}"))?;
        let url = ready
            .get("ready")
            .and_then(Value::as_str)
            .context("the platform told no URL")?
            .to_owned();
        url.trim_start_matches("http://").clone_into(&mut self.address);
        self.platform = Some(RunningPlatform { process, url });
        Ok(())
    }

    fn stop_platform(&mut self) -> Result<()> {
        let Some(mut platform) = self.platform.take() else {
            return Ok(());
        };
        let terminate = format!("kill -TERM {}", platform.process.id());
        Command::new("sh")
            .args(["-c", &terminate])
            .status()
            .context("cannot stop the platform")?;
        let status = platform.process.wait()?;
        ensure!(status.success(), "the platform ended with {status}");
        Ok(())
    }

    fn offer(&self, agency: &str, credential_type: &str, subject: &str) -> Result<String> {
        let data = self.data();
        let offered = self.ok(&[
            "offer",
            "create",
            "--agency",
            agency,
            "--type",
            credential_type,
            "--subject",
            subject,
            "--data",
            path(&data)?,
        ])?;
        Ok(offered
            .get("offer")
            .and_then(Value::as_str)
            .context("no offer")?
            .to_owned())
    }

    fn approve(&self, id: &str, officer: u8) -> Result<String> {
        let outcome = self.approve_outcome(id, officer)?;
        ensure!(
            outcome.code == 0,
            "officer {officer} could not approve: {}",
            outcome.stderr
        );
        Ok(outcome
            .value
            .get("state")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned())
    }

    /// The second officer approves.
    fn complete(&self, id: &str) -> Result<()> {
        let second = self.approve(id, 2)?;
        ensure!(
            second == "appended",
            "expected the proposal {id} to be appended, found it {second}"
        );
        Ok(())
    }

    fn approve_outcome(&self, id: &str, officer: u8) -> Result<Outcome> {
        let data = self.data();
        let key = crate::data::officers_folder(&data).join(format!("officer-{officer}.key"));
        let arguments = ["registry", "approve", id, "--key", path(&key)?, "--data", path(&data)?];
        self.run_with(
            &arguments,
            &[("ATTESTRY_PASSPHRASE", crate::sample::OFFICER_PASSPHRASE)],
        )
    }

    fn wallet(&self, arguments: &[&str]) -> Result<Value> {
        let home = self.folder.join("wallet");
        let mut all = vec!["wallet", "--home", path(&home)?];
        all.extend(arguments);
        self.ok(&all)
    }

    fn verify(&self, arguments: &[&str]) -> Result<Outcome> {
        let (bundle, presentation) = (self.bundle(), self.presentation());
        let mut all = vec!["verify", "--bundle", path(&bundle)?];
        all.extend(arguments);
        all.push(path(&presentation)?);
        self.run(&all)
    }

    /// A command of the hub with the administrative token.
    fn hub(&self, arguments: &[&str]) -> Result<Outcome> {
        let data = self.data();
        self.run(&[&["hub"], arguments, &["--data", path(&data)?]].concat())
    }

    fn hub_ok(&self, arguments: &[&str]) -> Result<Value> {
        let data = self.data();
        self.ok(&[&["hub"], arguments, &["--data", path(&data)?]].concat())
    }

    fn ok(&self, arguments: &[&str]) -> Result<Value> {
        let outcome = self.run(arguments)?;
        if outcome.code != 0 {
            bail!("`attestry {}` failed: {}", arguments.join(" "), outcome.stderr.trim());
        }
        Ok(outcome.value)
    }

    fn run(&self, arguments: &[&str]) -> Result<Outcome> {
        self.run_with(arguments, &[])
    }

    fn run_with(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Result<Outcome> {
        let mut command = self.command(arguments);
        command.arg("--json").envs(environment.iter().copied());
        if let Some(platform) = &self.platform {
            command.env("ATTESTRY_URL", &platform.url);
        }
        let output = command.stdin(Stdio::null()).output().context("cannot run a step")?;
        let value = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        Ok(Outcome {
            code: output.status.code().unwrap_or(-1),
            value,
            stderr,
        })
    }

    /// This program with a home of its own, and nothing of the person's who runs the demo.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(arguments)
            .env("ATTESTRY_HOME", self.folder.join("home"))
            .env("ATTESTRY_PASSPHRASE", PASSPHRASE);
        for foreign in [
            "ATTESTRY_DATA",
            "ATTESTRY_TOKEN",
            "ATTESTRY_STORE",
            "ATTESTRY_URL",
            "ATTESTRY_WALLET",
        ] {
            command.env_remove(foreign);
        }
        command
    }

    fn held(&mut self, step: &str) {
        self.steps.push(step.to_owned());
        self.output.tell(format!("  {:>2}  {step}", self.steps.len()));
    }

    fn url(&self) -> Result<String> {
        Ok(self
            .platform
            .as_ref()
            .context("the platform is not running")?
            .url
            .clone())
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn bundle(&self) -> PathBuf {
        self.folder.join("trust.bundle")
    }

    fn presentation(&self) -> PathBuf {
        self.folder.join("presentation.json")
    }
}

impl Drop for RunningPlatform {
    /// A story that fails half-way leaves no process behind.
    fn drop(&mut self) {
        if let Ok(None) = self.process.try_wait() {
            self.process.kill().ok();
            self.process.wait().ok();
        }
    }
}

fn path(path: &Path) -> Result<&str> {
    path.to_str().context("the folder's name is no text")
}

fn fresh_folder() -> Result<PathBuf> {
    let mut random = [0; 8];
    rand_core::Rng::fill_bytes(&mut signer::os_rng(), &mut random);
    let name = format!("attestry-demo-{}", keys::multibase::base58btc_encode(&random));
    let folder = std::env::temp_dir().join(name);
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
        .create(&folder)
        .with_context(|| format!("cannot make {}", folder.display()))?;
    Ok(folder)
}

/// An agency's folder as a newcomer would write it; the same files as in `schemas/library`.
fn write_library(folder: &Path) -> Result<()> {
    let files = [
        ("readers.csv", include_str!("../../../schemas/library/readers.csv")),
        (
            "mappings/LibraryCard.json",
            include_str!("../../../schemas/library/mappings/LibraryCard.json"),
        ),
        (
            "types/LibraryCard/type.json",
            include_str!("../../../schemas/library/types/LibraryCard/type.json"),
        ),
        (
            "types/LibraryCard/display.json",
            include_str!("../../../schemas/library/types/LibraryCard/display.json"),
        ),
    ];
    for (name, text) in files {
        let path = folder.join(name);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::write(path, text)?;
    }
    Ok(())
}
