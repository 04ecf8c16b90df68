//! Officers who change, with the keys that they committed to before; and a nation whose officers lost theirs.

use std::fs;
use std::path::Path;
use std::process::Command;

use e2e::LogView;
use e2e::Outcome;
use e2e::Place;
use e2e::Platform;
use serde_json::Value;
use serde_json::json;

/// What officers of the sample open their keys with, and ours here.
const PASSPHRASE: &str = "sample";

/// What others may know of the key in a file.
fn public(place: &Place, path: &Path) -> Value {
    let shown = place.run(&["registry", "key", "show", path.to_str().unwrap()]);
    shown.expect(0).clone()
}

/// Makes a key file.
fn new_key(place: &Place, name: &str, options: &[&str]) -> Outcome {
    let path = place.path(name);
    let mut command = place.command(&["registry", "key", "new", "--json"]);
    command.arg(path).args(options).env("ATTESTRY_PASSPHRASE", PASSPHRASE);
    Outcome::of(&mut command)
}

/// Approves on a machine that has a key file and nothing of the platform's, its token least of all.
fn approve(place: &Place, platform: &Platform, proposal: &str, key: &Path) -> Outcome {
    let mut command = place.command(&["registry", "approve", proposal, "--json", "--key"]);
    command.arg(key).env("ATTESTRY_PASSPHRASE", PASSPHRASE);
    command.env("ATTESTRY_DATA", place.path("elsewhere"));
    Outcome::of(command.env("ATTESTRY_URL", platform.url()))
}

/// What a command says to people.
fn text(place: &Place, platform: &Platform, arguments: &[&str]) -> String {
    let mut command = place.command(arguments);
    command.env("ATTESTRY_DATA", place.path("elsewhere"));
    let output = command.env("ATTESTRY_URL", platform.url()).output().unwrap();
    assert!(output.status.success(), "{arguments:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn propose_json(place: &Place, platform: &Platform, body: &Value) -> Outcome {
    let file = place.path("proposal.json");
    fs::write(&file, body.to_string()).unwrap();
    platform.run(place, &["registry", "propose", file.to_str().unwrap()])
}

fn id(proposed: &Outcome) -> String {
    proposed.expect(0)["id"].as_str().unwrap().to_owned()
}

fn propose(place: &Place, platform: &Platform, officers: &[Value]) -> String {
    let bundle = LogView::pin(platform.client()).bundle(platform.client());
    let authority = bundle.state().policy().unwrap().body().governing().unwrap().id.clone();
    let body = json!({
        "type": "policy", "action": "authorities",
        "authorities": [{"id": authority, "threshold": 2, "officers": officers}],
    });
    id(&propose_json(place, platform, &body))
}

#[test]
fn officers_reveal_the_keys_that_they_committed_to() {
    let place = Place::new();
    let platform = place.up(&["--sample"]);
    let of = |number: u8| place.path(&format!("data-officers/officer-{number}.key"));
    let next = |number: u8| place.path(&format!("next-{number}.key"));
    for number in 1..=3 {
        assert_eq!(new_key(&place, &format!("next-{number}.key"), &[]).code, 0);
    }
    let officer = |number: u8, key: &Path, next: Option<&Path>| {
        let mut officer = json!({"id": format!("officer-{number}"), "key": public(&place, key)["key"]});
        if let Some(next) = next {
            officer["next"] = public(&place, next)["digest"].clone();
        }
        officer
    };
    let committed: Vec<Value> = (1..=3)
        .map(|number| officer(number, &of(number), Some(&next(number))))
        .collect();
    let proposal = propose(&place, &platform, &committed);
    place.approve(&platform, &proposal);

    let in_office: Vec<Value> = (1..=3)
        .map(|number| match number {
            3 => officer(3, &of(3), Some(&next(3))),
            number => officer(number, &next(number), None),
        })
        .collect();
    let proposal = propose(&place, &platform, &in_office);
    let refused = approve(&place, &platform, &proposal, &of(1));
    assert_eq!(refused.code, 2);
    assert!(
        refused.stderr.contains("the next one where one is committed to"),
        "{}",
        refused.stderr
    );
    let mut told = place.command(&["registry", "approve", &proposal, "--key"]);
    told.arg(next(1)).env("ATTESTRY_PASSPHRASE", PASSPHRASE);
    let told = told.env("ATTESTRY_URL", platform.url()).output().unwrap();
    assert!(
        String::from_utf8(told.stderr)
            .unwrap()
            .starts_with("attestry: no anchor of ")
    );
    let told = String::from_utf8(told.stdout).unwrap();
    let moves = format!(
        "officer-1 of authority.attestry.example moves to the next key, {}",
        public(&place, &next(1))["key"].as_str().unwrap()
    );
    assert!(told.contains(&moves) && told.contains("it is open"), "{told}");
    assert_eq!(
        approve(&place, &platform, &proposal, &next(2)).expect(0)["state"],
        "appended"
    );
    // From then on the revealed keys are those in office.
    let methods = json!({"type": "policy", "action": "methods", "methods": ["webvh"]});
    let proposal = id(&propose_json(&place, &platform, &methods));
    assert_eq!(place.approve_as(&platform, &proposal, 1).code, 2, "the key of before");
    assert_eq!(
        approve(&place, &platform, &proposal, &next(1)).expect(0)["state"],
        "open"
    );
    platform.stop();
}

#[test]
fn lost_officers_are_replaced_in_public_and_officers_who_are_there_object() {
    let place = Place::new();
    let platform = place.up(&["--sample"]);
    let key = |name: &str| place.path(&format!("data-officers/{name}.key"));
    let status = || platform.run(&place, &["registry", "status"]).expect(0).clone();
    let before = status();
    let mut committed: Vec<Value> = (1..=3)
        .map(|number| public(&place, &key(&format!("recovery-{number}")))["digest"].clone())
        .collect();
    committed.sort_by_key(ToString::to_string);
    assert_eq!(
        before["recovery"],
        json!({"threshold": 2, "keys": committed, "delay": 604_800})
    );
    assert_eq!(before.get("pending_recovery"), None);
    let told = text(&place, &platform, &["registry", "status"]);
    assert!(
        told.contains("recovery by 2 of 3 keys, 7 days after it is logged"),
        "{told}"
    );
    assert!(told.contains("No recovery is pending."), "{told}");

    // What stands there is what a proposal begins with.
    let mut authorities = before["authorities"].clone();
    for (at, name) in ["a", "b", "c"].iter().enumerate() {
        let made = new_key(&place, name, &["--algorithm", "ESP256"]);
        authorities[0]["officers"][at]["key"] = made.expect(0)["key"].clone();
    }
    let recover = json!({"type": "policy", "action": "recover", "authorities": authorities});
    let proposal = id(&propose_json(&place, &platform, &recover));
    let refused = approve(&place, &platform, &proposal, &key("officer-1"));
    assert_eq!(refused.code, 2);
    assert!(refused.stderr.contains("expected a recovery key"), "{}", refused.stderr);
    let approved = |name: &str| approve(&place, &platform, &proposal, &key(name));
    assert_eq!(approved("recovery-1").expect(0)["state"], "open");
    let again = approved("recovery-1");
    assert!(again.code == 2 && again.stderr.contains("another"), "{}", again.stderr);
    let last = approved("recovery-3");
    assert_eq!(last.expect(0)["state"], "appended");
    let pending = last.value["pending_recovery"].clone();
    assert_eq!(status()["pending_recovery"], pending);
    assert_eq!(status()["policy"], before["policy"], "nothing has changed yet");
    let listed = platform.run(&place, &["registry", "proposals"]);
    assert_eq!(listed.expect(0)["pending_recovery"], pending);
    for command in ["status", "proposals"] {
        let told = text(&place, &platform, &["registry", command]);
        let takes_effect = format!("It takes effect at {}", pending["takes_effect_at"].as_str().unwrap());
        assert!(told.contains("A RECOVERY IS PENDING"), "{told}");
        assert!(
            told.contains(&takes_effect) && told.contains("cancel_recovery"),
            "{told}"
        );
    }
    let second = propose_json(&place, &platform, &recover);
    assert!(
        second.code == 2 && second.stderr.contains("no recovery under way"),
        "{}",
        second.stderr
    );

    // The officers have not lost their keys after all.
    let cancel = json!({"type": "policy", "action": "cancel_recovery"});
    let proposal = id(&propose_json(&place, &platform, &cancel));
    place.approve(&platform, &proposal);
    assert_eq!(status().get("pending_recovery"), None);
    assert_eq!(status()["authorities"], before["authorities"]);
    platform.stop();
}

/// Whoever signs or reads by the registry's own anchor learns that it came from the registry, and how to pin another.
#[test]
fn an_anchor_that_nobody_pinned_is_told() {
    let place = Place::new();
    let platform = place.up(&["--sample"]);
    let methods = json!({"type": "policy", "action": "methods", "methods": ["webvh"]});
    let proposal = id(&propose_json(&place, &platform, &methods));
    let key = |number: u8| place.path(&format!("data-officers/officer-{number}.key"));
    let status = ["registry", "status"];
    let mut to_people = place.command(&status);
    let told = |command: &mut Command| {
        let output = command.env("ATTESTRY_URL", platform.url()).output().unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    let hint = format!(
        "no anchor of registry.attestry.example is pinned, so the registry's own is believed: pin one that you have from another channel, `attestry bundle fetch {}/ --out trust.bundle --anchor anchor.json`",
        platform.url()
    );
    assert_eq!(told(&mut to_people), format!("attestry: {hint}\n"));
    assert_eq!(platform.run(&place, &status).expect(0)["unpinned_anchor"], hint);
    let approved = approve(&place, &platform, &proposal, &key(1));
    assert_eq!(approved.expect(0)["unpinned_anchor"], hint);
    assert_eq!(approved.stderr, "");

    // As the hint says.
    let anchor = platform.client().get("/registry/anchor").expect(200).to_string();
    fs::write(place.path("anchor.json"), anchor).unwrap();
    let fetch = [
        "bundle",
        "fetch",
        platform.url(),
        "--out",
        "trust.bundle",
        "--anchor",
        "anchor.json",
    ];
    assert_eq!(place.run(&fetch).code, 0);
    assert_eq!(told(&mut to_people), "");
    assert_eq!(platform.run(&place, &status).expect(0).get("unpinned_anchor"), None);
    let approved = approve(&place, &platform, &proposal, &key(2));
    assert_eq!(approved.expect(0)["state"], "appended");
    assert_eq!(approved.value.get("unpinned_anchor"), None);
    platform.stop();
}

#[test]
fn a_key_file_is_its_owner_s_and_is_never_overwritten() {
    let place = Place::new();
    for (algorithm, prefix) in [("Ed25519", "z6Mk"), ("ESP256", "zDn"), ("ESP384", "z82L")] {
        let new = new_key(&place, algorithm, &["--algorithm", algorithm]);
        let told = new.expect(0);
        assert!(told["key"].as_str().unwrap().starts_with(prefix), "{told}");
        assert_eq!(public(&place, &place.path(algorithm)), *told);
        #[cfg(unix)]
        {
            let metadata = fs::metadata(place.path(algorithm)).unwrap();
            let mode = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions());
            assert_eq!(mode & 0o777, 0o600);
        }
    }
    let before = fs::read(place.path("Ed25519")).unwrap();
    let again = new_key(&place, "Ed25519", &[]);
    assert_eq!(again.code, 2);
    assert!(
        again.stderr.contains("may be the only copy of a key"),
        "{}",
        again.stderr
    );
    assert_eq!(fs::read(place.path("Ed25519")).unwrap(), before);
    let mut unsealed = place.command(&["registry", "key", "new", "open.key"]);
    let refused = unsealed.env("ATTESTRY_PASSPHRASE", "").output().unwrap();
    assert!(!refused.status.success() && !place.path("open.key").exists());
}
