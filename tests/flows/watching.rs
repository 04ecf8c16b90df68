//! A registry watched from outside: its log audited over HTTP, copied, and the copy audited, with every file of it damaged
//! in turn.

use std::fs;
use std::io::BufRead as _;
use std::io::BufReader;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::Stdio;
use std::time::Duration;

use e2e::Place;
use e2e::eventually;
use serde_json::Value;
use serde_json::json;
use trust::Anchor;
use trust::TrustedBundle;
use trust::bundle::Limits;

use crate::by_hand::Hands;
use crate::by_hand::text;
use crate::by_hand::with_wallet;

/// What is committed is committed with the next call.
const PATIENCE: Duration = Duration::from_secs(30);

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}

#[test]
fn a_log_is_audited_and_copied_and_damage_to_the_copy_is_found() {
    with_wallet(is_audited_and_copied);
}

fn is_audited_and_copied(hands: &Hands<'_>) {
    let place = hands.place;
    let url = format!("{}/registry", hands.platform.url());
    let (copy, seen) = (place.path("copy"), place.path("seen"));
    let (to, seen) = (copy.to_str().unwrap(), seen.to_str().unwrap());

    let first = place.run(&["registry", "audit", &url, "--save", seen]);
    let first = first.expect(0);
    assert_eq!(first["holds"], true);
    assert_eq!(fs::read_to_string(seen).unwrap(), text(&first["checkpoint"]));
    let mirrored = place.run(&["registry", "mirror", &url, "--to", to]);
    assert_eq!(mirrored.expect(0)["origin"], first["origin"]);

    // The log grows, and both go on from what they saw.
    let _ = hands.accept(&hands.offer("population", "PersonIdentity", "X0000001A", &[]));
    let id = text(&hands.ok(&["credentials", "list", "--agency", "population"])["credentials"][0]["id"]);
    let _ = hands.ok(&["suspend", "--agency", "population", "--credential", &id]);
    let second = place.run(&["registry", "audit", &url, "--from", seen]);
    let second = second.expect(0);
    assert!(second["size"].as_u64() > first["size"].as_u64());
    let copied = place.run(&["registry", "mirror", &url, "--to", to]);
    let copied = copied.expect(0);
    assert!(copied["size"].as_u64() >= second["size"].as_u64());
    let of_copy = place.run(&["registry", "audit", to, "--from", seen]);
    assert_eq!(of_copy.expect(0)["root"], copied["root"]);

    damage_is_found(place, &copy, copied["size"].as_u64().unwrap());
}

/// A witness on an address of its own, killed with this value.
struct Witness {
    process: Child,
    ready: Value,
}

impl Witness {
    fn start(place: &Place, registry: &str, listen: &str) -> Self {
        let data = place.path("witness");
        let mut command = place.command(&["witness", "serve", "--json", "--name", "witness.example/w"]);
        command.args([
            "--data",
            data.to_str().unwrap(),
            "--listen",
            listen,
            "--registry",
            registry,
        ]);
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let ready = serde_json::from_str(&line).unwrap();
        Self { process, ready }
    }

    fn of(&self, name: &str) -> &str {
        self.ready[name].as_str().unwrap()
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

#[test]
fn officers_demand_a_witness_elsewhere_and_nothing_is_published_without_it() {
    with_wallet(is_witnessed_elsewhere);
}

fn is_witnessed_elsewhere(hands: &Hands<'_>) {
    let place = hands.place;
    let url = format!("{}/registry", hands.platform.url());
    let _ = hands.bundle("pinned.bundle");
    let audit = || place.run(&["registry", "audit", &url]);
    let witnesses = |value: &Value| value["witnesses"].as_array().unwrap().len();
    assert_eq!(witnesses(audit().expect(0)), 1, "the platform's own");

    let witness = Witness::start(place, &url, "127.0.0.1:0");
    let (at, plain, stated) = (
        witness.of("ready").to_owned(),
        witness.of("plain_key"),
        witness.of("state_key"),
    );
    let state = hands.platform.client().get("/registry/checkpoint").body;
    let own = String::from_utf8(state).unwrap();
    assert_eq!(own.matches('\u{2014}').count(), 2, "log and own witness");
    let bundle = fs::read(place.path("pinned.bundle")).unwrap();
    let anchor = Anchor::parse(&hands.platform.client().get("/registry/anchor").body).unwrap();
    let bundle = TrustedBundle::load(&bundle, &anchor, Limits::default()).unwrap();
    let policy = &bundle.state().policy().unwrap().body().witness_policy;
    let policy = policy.replace(
        "quorum state\n",
        &format!("witness plain {plain} {at}\nwitness stated {stated} {at}\ngroup all-of all state plain stated\nquorum all-of\n"),
    );
    let proposal = json!({
        "type": "policy", "action": "witnesses", "witness_policy": policy, "state_quorum": "stated",
    });
    let file = place.path("policy.json");
    fs::write(&file, proposal.to_string()).unwrap();
    let proposed = hands.ok(&["registry", "propose", file.to_str().unwrap()]);
    place.approve(hands.platform, proposed["id"].as_str().unwrap());
    assert_eq!(witnesses(audit().expect(0)), 3);

    let _ = hands.accept(&hands.offer("population", "PersonIdentity", "X0000001A", &[]));
    let id = text(&hands.ok(&["credentials", "list", "--agency", "population"])["credentials"][0]["id"]);

    // Without it the log takes entries and publishes none; with it again they are published.
    drop(witness);
    let before = audit().expect(0)["size"].clone();
    let suspend = ["suspend", "--agency", "population", "--credential", &id];
    let waiting = hands.run(&suspend);
    assert_ne!(waiting.value["committed"], true, "{} {}", waiting.value, waiting.stderr);
    assert_eq!(audit().expect(0)["size"], before);
    let _witness = Witness::start(place, &url, at.rsplit('/').next().unwrap());
    // The first call finds what waited published, and its own commitment overtaken by that.
    eventually("the commitment", PATIENCE, || {
        (hands.ok(&suspend)["committed"] == true).then_some(())
    });
    let after = audit();
    assert_eq!(witnesses(after.expect(0)), 3);
    assert!(after.value["size"].as_u64() > before.as_u64());
}

/// Every file of the copy that an audit reads is changed, then taken away.
fn damage_is_found(place: &Place, copy: &Path, size: u64) {
    let audit = || place.run(&["registry", "audit", copy.to_str().unwrap()]);
    let mut damaged = 0;
    for file in files(copy).iter().filter(|file| is_read(file, size)) {
        let whole = fs::read(file).unwrap();
        let mut changed = whole.clone();
        let middle = changed.len() / 2;
        changed[middle] ^= 1;
        fs::write(file, &changed).unwrap();
        let found = audit();
        assert_ne!(found.code, 0, "{}: {}", file.display(), found.value);
        assert_ne!(found.value["holds"], true);
        fs::remove_file(file).unwrap();
        let gone = audit();
        assert_eq!(gone.code, 2, "{}: {}", file.display(), gone.value);
        fs::write(file, &whole).unwrap();
        damaged += 1;
    }
    assert!(damaged >= 4, "checkpoint, anchor, entries and hashes, found {damaged}");
    let _ = audit().expect(0);
}

/// Whether an audit reads the file: partial tiles of earlier copies are not part of the log any more.
fn is_read(file: &Path, size: u64) -> bool {
    let is_hidden = file
        .file_name()
        .is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
    if is_hidden {
        return false;
    }
    let is_partial = file.parent().and_then(Path::extension).is_some();
    !is_partial || file.ends_with((size % 256).to_string())
}
