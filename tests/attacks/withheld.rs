//! Somebody between a verifier and its registry holds back what would tell of a revocation: a delta, a part of one, or all
//! that is new. What is not whole is not taken, and what stays old is told to be old.

use std::collections::BTreeMap;
use std::fs;
use std::io::BufRead as _;
use std::io::BufReader;
use std::io::Write as _;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::Mutex;

use e2e::LogView;
use e2e::Place;
use e2e::Platform;
use e2e::Response;
use serde_json::Value;
use serde_json::json;
use trust::entry::Action;
use trust::state::AccreditationRecord;

/// How old knowledge about identities may be, in seconds.
const STALE_AFTER: i64 = 600;

/// What the liar answers, by path: status and body. Everything else is 404.
type Answers = Arc<Mutex<BTreeMap<&'static str, (u16, Vec<u8>)>>>;

/// A server of the liar's answers, for as long as the test runs.
fn lie(answers: &Answers) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let answers = answers.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap())
                .lines()
                .map_while(Result::ok);
            let target = lines.next().unwrap_or_default();
            let path = target.split([' ', '?']).nth(1).unwrap_or_default().to_owned();
            lines.find(String::is_empty);
            let answer = answers.lock().unwrap().get(path.as_str()).cloned();
            let (status, body) = answer.unwrap_or((404, Vec::new()));
            let head = format!(
                "HTTP/1.1 {status} Told\r\ncontent-type: application/cbor\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                body.len()
            );
            stream.write_all(&[head.as_bytes(), &body].concat()).ok();
        }
    });
    url
}

/// The officers decide that identities are verified with young knowledge only.
fn soon_stale(place: &Place, platform: &Platform) {
    let bundle = LogView::pin(platform.client()).bundle(platform.client());
    let mut accreditations = bundle.state().accreditations();
    let of_identity = |record: &&AccreditationRecord| {
        let grant = record.grant();
        grant.action == Action::Issue && grant.resources.iter().any(|resource| resource.id == "PersonIdentity")
    };
    let record = accreditations.find(of_identity).unwrap();
    let grant = record.grant();
    let body = json!({
        "type": "accreditation", "action": "amend", "id": record.id(), "entity": grant.entity, "may": "issue",
        "resources": ["PersonIdentity"], "valid_from": grant.valid_from.to_rfc3339(),
        "valid_until": grant.valid_until.to_rfc3339(), "max_staleness": STALE_AFTER,
    });
    let file = place.path("amend.json");
    fs::write(&file, body.to_string()).unwrap();
    let proposed = platform.run(place, &["registry", "propose", file.to_str().unwrap()]);
    place.approve(platform, proposed.expect(0)["id"].as_str().unwrap());
}

#[test]
fn a_delta_that_is_held_back_leaves_a_bundle_that_says_how_old_it_is() {
    let place = Place::new();
    let platform = place.up(&["--sample"]);
    let ok = |arguments: &[&str]| platform.run(&place, arguments).expect(0).clone();
    let file = |name: &str| place.path(name).to_str().unwrap().to_owned();
    let (bundle, request, presentation) = (file("trust.bundle"), file("q.json"), file("p.json"));
    ok(&["wallet", "init"]);
    soon_stale(&place, &platform);
    let offer = ["offer", "create", "--agency", "population", "--type", "PersonIdentity"];
    let offered = ok(&[&offer[..], &["--subject", "X0000001A"]].concat());
    ok(&["wallet", "accept", offered["offer"].as_str().unwrap()]);
    let ask = ["verifier", "request", "--offline", "--query", "identity", "--out"];
    ok(&[&ask[..], &[&request]].concat());
    ok(&["wallet", "present", &request, "--out", &presentation, "--yes"]);
    ok(&["bundle", "fetch", platform.url(), "--out", &bundle]);
    let before = fs::read(&bundle).unwrap();

    let client = platform.client();
    let size = ok(&["bundle", "show", &bundle])["size"].as_u64().unwrap();
    let old_checkpoint = client.get("/registry/checkpoint").body;
    let id = client.credentials("population", None)[0]["id"].clone();
    ok(&["revoke", "--agency", "population", "--credential", id.as_str().unwrap()]);
    let delta = client.get(&format!("/registry/bundle/delta?from={size}"));
    let fetched = |answer: &Response| (answer.status, answer.body.clone());
    assert_eq!(delta.status, 200);
    let new_checkpoint = client.get("/registry/checkpoint");

    let answers = Answers::default();
    let liar = lie(&answers);
    let tell = |path: &'static str, status: u16, body: &[u8]| {
        answers.lock().unwrap().insert(path, (status, body.to_vec()));
    };
    let update = || place.run(&["bundle", "update", &bundle, &liar]);
    let refused = |why: &str| {
        let outcome = update();
        assert_ne!(outcome.code, 0, "{why}: {}", outcome.value);
        assert_eq!(fs::read(&bundle).unwrap(), before, "{why}");
        outcome.stderr
    };

    // "There is nothing newer", beside the checkpoint that says otherwise, or none.
    tell("/registry/bundle/delta", 204, &[]);
    refused("no checkpoint");
    tell("/registry/checkpoint", 200, &new_checkpoint.body);
    let told = refused("the checkpoint is another one");
    assert!(told.contains("nothing is newer"), "{told}");

    // The delta without its end, with one byte changed, or of another bundle; and the old bundle for the whole one.
    let (status, bytes) = fetched(&delta);
    tell("/registry/bundle", 200, &before);
    let mut changed = bytes.clone();
    let middle = changed.len() / 2;
    changed[middle] ^= 1;
    for (why, lie) in [
        ("cut off", &bytes[..bytes.len() - 9]),
        ("changed", &changed),
        ("none", &[][..]),
        ("a bundle", &before),
    ] {
        tell("/registry/bundle/delta", status, lie);
        let told = refused(why);
        assert!(told.contains("the delta leads nowhere"), "{why}: {told}");
    }

    // All that is new is held back, and what was before is consistent. It is valid, for as long as it may be old.
    tell("/registry/bundle/delta", 204, &[]);
    tell("/registry/checkpoint", 200, &old_checkpoint);
    assert_eq!(update().expect(0)["changed"], false);
    let verify = ["verify", "--bundle", &bundle, "--request", &request, &presentation];
    assert_eq!(place.run(&verify).expect(0)["verdict"], "valid");
    let later = server::Clock::System.now().plus(2 * STALE_AFTER).to_rfc3339();
    let stale = place.run(&[&verify[..], &["--at", &later, "--max-age", "1d"]].concat());
    assert_eq!(stale.expect(1)["verdict"], "stale", "{}", stale.value);

    // The genuine delta tells.
    tell("/registry/bundle/delta", status, &bytes);
    assert_eq!(update().expect(0)["by_delta"], true);
    let told: Value = place.run(&verify).expect(1).clone();
    assert!(told["reasons"].to_string().contains("revoked"), "{told}");
    platform.stop();
}
