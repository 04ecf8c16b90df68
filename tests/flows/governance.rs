//! Officers who change: the keys that they committed to before are revealed by signing with them.

use std::fs;
use std::path::Path;

use e2e::LogView;
use e2e::Outcome;
use e2e::Place;
use e2e::Platform;
use keys::Algorithm;
use serde_json::Value;
use serde_json::json;
use signer::KeyFile;
use signer::Passphrase;
use signer::SoftwareKey;
use trust::merkle::Hash;

/// What officers of the sample open their keys with.
const PASSPHRASE: &str = "sample";

/// The multikey of an officer's key file.
fn public(path: &Path) -> String {
    KeyFile::read(path).unwrap().public_key().to_owned()
}

fn propose(place: &Place, platform: &Platform, officers: &[Value], name: &str) -> String {
    let bundle = LogView::pin(platform.client()).bundle(platform.client());
    let authority = bundle.state().policy().unwrap().body().governing().unwrap().id.clone();
    let body = json!({
        "type": "policy", "action": "authorities",
        "authorities": [{"id": authority, "threshold": 2, "officers": officers}],
    });
    let file = place.path(name);
    fs::write(&file, body.to_string()).unwrap();
    let proposed = platform.run(place, &["registry", "propose", file.to_str().unwrap()]);
    proposed.expect(0)["id"].as_str().unwrap().to_owned()
}

#[test]
fn officers_reveal_the_keys_that_they_committed_to() {
    let place = Place::new();
    let platform = place.up(&["--sample"]);
    let of = |number: u8| place.path(&format!("data-officers/officer-{number}.key"));
    let next = |number: u8| place.path(&format!("next-{number}.key"));
    for number in 1..=3 {
        let key = SoftwareKey::generate(Algorithm::EdDsa, &mut signer::os_rng());
        let passphrase = Passphrase::new(PASSPHRASE.to_owned());
        let sealed = KeyFile::seal(&key, &passphrase, &mut signer::os_rng()).unwrap();
        sealed.write_new(&next(number)).unwrap();
    }
    let officer = |number: u8, key: &Path, next: Option<&Path>| {
        let next = next.map(|next| Hash::digest(public(next).as_bytes()).to_string());
        let mut officer = json!({"id": format!("officer-{number}"), "key": public(key)});
        if let Some(next) = next {
            officer["next"] = next.into();
        }
        officer
    };
    let committed: Vec<Value> = (1..=3)
        .map(|number| officer(number, &of(number), Some(&next(number))))
        .collect();
    let proposal = propose(&place, &platform, &committed, "committed.json");
    place.approve(&platform, &proposal);

    let in_office: Vec<Value> = (1..=3)
        .map(|number| match number {
            3 => officer(3, &of(3), Some(&next(3))),
            number => officer(number, &next(number), None),
        })
        .collect();
    let proposal = propose(&place, &platform, &in_office, "in-office.json");
    let approve = |key: &Path| {
        let mut command = place.command(&["registry", "approve", &proposal, "--json", "--key"]);
        command.arg(key).env("ATTESTRY_PASSPHRASE", PASSPHRASE);
        let output = command.env("ATTESTRY_URL", platform.url()).output().unwrap();
        let told: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        (
            output.status.code(),
            told,
            String::from_utf8_lossy(&output.stderr).into_owned(),
        )
    };
    let (code, _, stderr) = approve(&of(1));
    assert_eq!(code, Some(2));
    assert!(stderr.contains("the next one where one is committed to"), "{stderr}");
    assert_eq!(approve(&next(1)).1["state"], "open");
    assert_eq!(approve(&next(2)).1["state"], "appended");
    // From then on the revealed keys are those in office.
    let listed: Outcome = platform.run(&place, &["registry", "proposals"]);
    assert!(
        listed
            .expect(0)
            .to_string()
            .contains("2 of officer-1, officer-2, officer-3")
    );
    let proposal = propose(&place, &platform, &in_office, "again.json");
    assert_eq!(place.approve_as(&platform, &proposal, 1).code, 2, "the key of before");
    platform.stop();
}
