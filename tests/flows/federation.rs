//! Three nations, as `demo --federation` tells it, and what the commands around it refuse.

use std::fs;

use e2e::Place;
use serde_json::json;

#[test]
fn the_story_of_three_nations_holds() {
    let place = Place::new();
    let outcome = place.run(&["demo", "--federation"]);
    let told = outcome.expect(0);
    assert_eq!(told["held"], true, "{told}");
    assert_eq!(told["steps"].as_array().unwrap().len(), 9, "{told}");
}

#[test]
fn a_registry_keeps_the_name_under_which_it_was_founded() {
    let place = Place::new();
    let platform = place.up(&["--sample", "--origin", "registry.a.example/log"]);
    let anchor = platform.client().get("/registry/anchor").json();
    assert_eq!(anchor["origin"], "registry.a.example/log");
    platform.stop();
    let mut other = place.command(&["up", "--listen", "127.0.0.1:0", "--origin", "registry.b.example"]);
    let refused = other.env_remove("ATTESTRY_PASSPHRASE").output().unwrap();
    let told = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(2));
    assert!(told.contains("registry.a.example/log"), "{told}");
    let platform = place.up(&[]);
    assert_eq!(platform.client().get("/registry/anchor").json(), anchor);
    platform.stop();
}

/// A bundle that nobody recognises is not taken, shown or pinned, and one that is recognised is not pinned either.
#[test]
fn a_recognised_registry_is_never_pinned() {
    let (home, abroad) = (Place::new(), Place::new());
    let here = home.up(&["--sample"]);
    let there = abroad.up(&["--sample", "--origin", "registry.abroad.example"]);
    let file = |name: &str| home.path(name).to_str().unwrap().to_owned();
    let (own, other) = (file("trust.bundle"), file("abroad.bundle"));
    let _ = home.run(&["bundle", "fetch", here.url(), "--out", &own]).expect(0);
    let fetch = || home.run(&["bundle", "fetch", there.url(), "--out", &other, "--recognised-by", &own]);
    let refused = fetch();
    assert_eq!(refused.code, 2);
    assert!(refused.stderr.contains("registry.abroad.example"), "{}", refused.stderr);

    let until = ["--until", "2099-01-01T00:00:00Z", "--max-staleness", "2d"];
    let proposed = here.run(&home, &[&["registry", "recognise", there.url()], &until[..]].concat());
    let listed = here.client().get("/registry/proposals").text();
    assert!(
        listed.contains("Recognise the registry registry.abroad.example"),
        "{listed}"
    );
    home.approve(&here, proposed.expect(0)["id"].as_str().unwrap());
    assert_eq!(fetch().code, 2, "the bundle at hand is older than the recognition");
    let _ = home.run(&["bundle", "update", &own, here.url()]).expect(0);
    assert_eq!(fetch().expect(0)["anchor_pinned"], false);

    let anchors = fs::read_dir(home.path("home/anchors")).unwrap().count();
    assert_eq!(anchors, 1);
    assert_eq!(home.run(&["bundle", "show", &other]).code, 2);
    let shown = home.run(&["bundle", "show", &other, "--recognised-by", &own]);
    assert_eq!(shown.expect(0)["origin"], "registry.abroad.example");
    let update = ["bundle", "update", &other, there.url(), "--recognised-by", &own];
    let _ = home.run(&update).expect(0);
    // Nobody can be recognised on their own word.
    let own_word = home.run(&["bundle", "show", &other, "--recognised-by", &other]);
    assert_eq!(own_word.code, 2);
    assert_eq!(
        here.client().get("/health").json(),
        json!({"status": "ok", "sequencer": true})
    );
    there.stop();
    here.stop();
}
