//! A bundle that follows its registry by what changed, over the network and in a file.

use std::fs;

use e2e::Place;
use serde_json::Value;

use crate::by_hand::Hands;

const MAYA: &str = "X0000001A";

fn issued(hands: &Hands<'_>) -> String {
    let _ = hands.ok(&["wallet", "init"]);
    let _ = hands.accept(&hands.offer("population", "PersonIdentity", MAYA, &[]));
    let listed = hands.platform.client().credentials("population", Some(MAYA));
    listed[0]["id"].as_str().unwrap().to_owned()
}

fn revoke(hands: &Hands<'_>, id: &str) {
    let revoked = hands.ok(&["revoke", "--agency", "population", "--credential", id]);
    assert_eq!(revoked["committed"], true);
}

#[test]
fn a_bundle_follows_its_registry_by_what_changed() {
    let place = Place::new();
    let platform = place.up(&["--sample"]);
    let hands = Hands {
        place: &place,
        platform: &platform,
    };
    let id = issued(&hands);
    let bundle = hands.bundle("trust.bundle");
    let carried = place.path("carried.bundle");
    fs::copy(&bundle, &carried).unwrap();
    let (file, copy) = (bundle.to_str().unwrap(), carried.to_str().unwrap());
    revoke(&hands, &id);

    let whole = fs::metadata(&bundle).unwrap().len();
    let updated = hands.ok(&["bundle", "update", file, platform.url()]);
    let fetched = updated["fetched_bytes"].as_u64().unwrap();
    assert_eq!(
        (&updated["changed"], &updated["by_delta"]),
        (&Value::from(true), &Value::from(true))
    );
    assert!(fetched * 4 < whole, "{fetched} of {whole}");

    // The same over a file, to a machine that has no network.
    let delta = place.path("monday.delta");
    let delta = delta.to_str().unwrap();
    let written = hands.ok(&["bundle", "delta", copy, platform.url(), "--out", delta]);
    assert_eq!(written["bytes"], fs::metadata(delta).unwrap().len());
    let before = fs::read(&carried).unwrap();
    let by_file = place.run(&["bundle", "update", copy, delta]);
    assert_eq!(by_file.expect(0)["by_delta"], true);
    assert_ne!(fs::read(&carried).unwrap(), before);
    // It leads on from that bundle only.
    let again = place.run(&["bundle", "update", copy, delta]);
    assert_eq!(again.code, 2);
    assert!(again.stderr.contains("does not lead on"), "{}", again.stderr);
    assert_eq!(place.run(&["bundle", "update", copy, "none.delta"]).code, 2);

    // The registry makes a new Snapshot for whoever asks, so only within a second there is nothing newer.
    let _ = hands.ok(&["bundle", "update", copy, platform.url()]);
    let show = |file: &str| place.run(&["bundle", "show", file]).expect(0)["size"].as_u64().unwrap();
    assert!(show(copy) >= show(file));
    platform.stop();
}

/// A counter that verifies one type needs the lists of those who issue it; about others it says that it does not know.
#[test]
fn a_bundle_of_a_part_says_what_it_does_not_cover() {
    let place = Place::new();
    let platform = place.up(&["--sample"]);
    let hands = Hands {
        place: &place,
        platform: &platform,
    };
    let _ = issued(&hands);
    let file = |name: &str| place.path(name).to_str().unwrap().to_owned();
    let (request, presentation) = (file("q.json"), file("p.json"));
    let ask = [
        "verifier",
        "request",
        "--offline",
        "--query",
        "age-over-18",
        "--out",
        &request,
    ];
    let _ = hands.ok(&ask);
    let _ = hands.ok(&["wallet", "present", &request, "--out", &presentation, "--yes"]);
    let verdict = |bundle: &str| {
        let outcome = place.run(&["verify", "--bundle", bundle, "--request", &request, &presentation]);
        outcome.value["verdict"].as_str().unwrap().to_owned()
    };
    let (whole, identities, licences) = (file("all.bundle"), file("identities.bundle"), file("licences.bundle"));
    let _ = hands.ok(&["bundle", "fetch", platform.url(), "--out", &whole]);
    // Each is used before the next is fetched: a verifier refuses a bundle older than one it has used.
    for (out, name, expected) in [
        (&identities, "PersonIdentity", "valid"),
        (&licences, "DrivingLicence", "not_covered"),
    ] {
        let _ = hands.ok(&["bundle", "fetch", platform.url(), "--out", out, "--type", name]);
        assert!(fs::metadata(out).unwrap().len() < fs::metadata(&whole).unwrap().len());
        assert_eq!(verdict(out), expected);
    }
    let update = [
        "bundle",
        "update",
        &licences,
        platform.url(),
        "--type",
        "DrivingLicence",
    ];
    let _ = hands.ok(&update);
    assert_eq!(verdict(&licences), "not_covered");
    let _ = hands.ok(&["bundle", "fetch", platform.url(), "--out", &licences]);
    assert_eq!(verdict(&licences), "valid");
    platform.stop();
}
