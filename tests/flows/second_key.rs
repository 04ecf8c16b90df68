//! A log that signs with ML-DSA-44, too: from its founding, or from a Policy on that its officers approve.

use std::time::Duration;

use e2e::Place;
use e2e::eventually;
use serde_json::json;

const BOTH: [&str; 2] = ["Ed25519", "ML-DSA-44"];

#[test]
fn a_registry_gets_a_second_key_and_demands_it_from_a_policy_on() {
    let place = Place::new();
    let platform = place.up(&["--sample"]);
    let (url, file) = (platform.url().to_owned(), place.path("trust.bundle"));
    let file = file.to_str().unwrap();
    let fetched = platform.run(&place, &["bundle", "fetch", &url, "--out", file]);
    assert_eq!(fetched.expect(0)["log_signatures"], json!(BOTH[..1]));
    assert_ne!(platform.run(&place, &["registry", "add-ml-dsa"]).code, 0);
    platform.stop();

    // The key is there, and nobody demands it yet.
    let platform = place.up(&["--ml-dsa"]);
    let registry = format!("{}/registry", platform.url());
    let audited = || {
        platform
            .run(&place, &["registry", "audit", &registry])
            .expect(0)
            .clone()
    };
    let before = eventually("a checkpoint of this start", Duration::from_secs(30), || {
        // Whoever asks for a bundle has a new Snapshot made, if the last one is older than a second.
        let updated = platform.run(&place, &["bundle", "update", file, platform.url()]);
        assert_eq!(updated.expect(0)["log_signatures"], json!(BOTH[..1]));
        Some(audited()).filter(|seen| lines_of_the_log(&seen["checkpoint"]) == 2)
    });
    assert_eq!(before["log_signatures"], json!(BOTH[..1]));
    let proposed = platform.run(&place, &["registry", "add-ml-dsa"]);
    place.approve(&platform, proposed.expect(0)["id"].as_str().unwrap());
    assert_eq!(audited()["log_signatures"], json!(BOTH));
    platform.stop();

    // It is no option any more.
    let platform = place.up(&[]);
    let updated = platform.run(&place, &["bundle", "update", file, platform.url()]);
    assert_eq!(updated.expect(0)["log_signatures"], json!(BOTH));
    let shown = platform.run(&place, &["bundle", "show", file]);
    assert_eq!(shown.expect(0)["log_signatures"], json!(BOTH));
    platform.stop();
}

#[test]
fn a_registry_that_is_founded_with_both_keys_demands_both_from_the_first() {
    let place = Place::new();
    let platform = place.up(&["--sample", "--ml-dsa"]);
    let registry = format!("{}/registry", platform.url());
    let audited = platform.run(&place, &["registry", "audit", &registry]);
    assert_eq!(audited.expect(0)["log_signatures"], json!(BOTH));
    let address = platform.url().trim_start_matches("http://").to_owned();
    let examined = platform.run(&place, &["doctor", "--listen", &address]);
    let findings = examined.expect(0)["findings"].as_array().unwrap().clone();
    let log = findings.iter().find(|finding| finding["what"] == "log").unwrap();
    assert!(
        log["detail"]
            .as_str()
            .unwrap()
            .contains("is signed with Ed25519 and ML-DSA-44;"),
        "{log}"
    );
    platform.stop();
}

/// How many lines the log has put below a checkpoint: those of its own name.
fn lines_of_the_log(checkpoint: &serde_json::Value) -> usize {
    let text = checkpoint.as_str().unwrap();
    let origin = text.lines().next().unwrap();
    text.lines()
        .filter(|line| line.starts_with(&format!("\u{2014} {origin} ")))
        .count()
}
