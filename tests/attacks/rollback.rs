//! An old bundle laid in the place of a newer one, and a clock that was moved back: either would hide a revocation.

use std::fs;

use e2e::Place;
use serde_json::Value;
use server::Clock;

/// A verifier's machine with the bundle of before and after a revocation, and a presentation of what was revoked.
#[test]
fn a_verifier_that_has_used_a_newer_bundle_takes_no_older_one() {
    let place = Place::new();
    let platform = place.up(&["--sample"]);
    let url = platform.url();
    let ok = |arguments: &[&str]| platform.run(&place, arguments).expect(0).clone();
    let file = |name: &str| place.path(name).to_str().unwrap().to_owned();
    let (old, new, request, presentation) = (file("old.bundle"), file("new.bundle"), file("q.json"), file("p.json"));

    ok(&["wallet", "init"]);
    let offer = [
        "offer",
        "create",
        "--agency",
        "population",
        "--type",
        "PersonIdentity",
        "--subject",
        "X0000001A",
    ];
    let offered = ok(&offer);
    ok(&["wallet", "accept", offered["offer"].as_str().unwrap()]);
    ok(&[
        "verifier",
        "request",
        "--offline",
        "--query",
        "identity",
        "--out",
        &request,
    ]);
    ok(&["wallet", "present", &request, "--out", &presentation, "--yes"]);
    ok(&["bundle", "fetch", url, "--out", &old]);
    let verify = ["verify", "--bundle", &old, "--request", &request, &presentation];
    assert_eq!(place.run(&verify).expect(0)["verdict"], "valid");

    let id = platform.client().credentials("population", None)[0]["id"].clone();
    ok(&["revoke", "--agency", "population", "--credential", id.as_str().unwrap()]);
    ok(&["bundle", "fetch", url, "--out", &new]);

    // The old file still holds by itself. It was not looked at since, and is refused all the same.
    let refused = place.run(&verify);
    assert_ne!(refused.code, 0, "{}", refused.value);
    assert!(refused.stderr.contains("a newer bundle"), "{}", refused.stderr);
    assert!(refused.value.get("claims").is_none());
    // Whoever asks about then, gets the answer of then.
    let then = Clock::System.now().to_rfc3339();
    assert_eq!(
        place.run(&[&verify[..], &["--at", &then]].concat()).expect(0)["verdict"],
        "valid"
    );
    // With the new one it is known.
    let now = ["verify", "--bundle", &new, "--request", &request, &presentation];
    let revoked = place.run(&now).expect(1).clone();
    assert!(revoked["reasons"].to_string().contains("revoked"), "{revoked}");
    platform.stop();

    // A clock that stands hours before what witnesses have signed: as if it had been moved back since.
    let memory = fs::read_dir(place.path("home/seen"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let mut seen: Value = serde_json::from_slice(&fs::read(&memory).unwrap()).unwrap();
    seen["as_of"] = (seen["as_of"].as_i64().unwrap() + 7_200).into();
    fs::write(&memory, seen.to_string()).unwrap();
    let behind = place.run(&now).expect(1).clone();
    assert!(behind["reasons"].to_string().contains("set the clock"), "{behind}");
    // A memory that cannot be read is not taken for none.
    fs::write(&memory, "{}").unwrap();
    let unread = place.run(&now);
    assert_ne!(unread.code, 0);
    assert!(unread.stderr.contains("cannot understand"), "{}", unread.stderr);
}
