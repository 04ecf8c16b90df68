//! The whole story by commands: issue, hold, present, verify, revoke, in every way that the commands offer.

use std::os::unix::fs::PermissionsExt as _;

use e2e::Place;

use crate::by_hand::Hands;
use crate::by_hand::changed;
use crate::by_hand::text;
use crate::by_hand::verify;

/// Born 1990; everything filled in.
const MAYA: &str = "X0000001A";

#[test]
fn the_demo_holds() {
    let place = Place::new();
    let outcome = place.run(&["demo"]);
    assert_eq!(outcome.expect(0)["held"], true);
    let steps = outcome.value["steps"].as_array().unwrap();
    assert!(steps.len() >= 8, "{steps:?}");
    // It leaves nothing of its own behind.
    assert_eq!(outcome.value["folder"], serde_json::Value::Null);
}

#[test]
fn a_credential_is_offered_accepted_and_shown_online() {
    let place = Place::new();
    let platform = place.up(&["--sample"]);
    let hands = Hands {
        place: &place,
        platform: &platform,
    };
    let _ = hands.ok(&["wallet", "init"]);

    // By value, by reference, and with a code that comes another way.
    let identity = hands.accept(&hands.offer("population", "PersonIdentity", MAYA, &[]));
    let by_reference = hands.offer("transport", "DrivingLicence", MAYA, &["--by-reference"]);
    assert!(by_reference.contains("credential_offer_uri"), "{by_reference}");
    let _ = hands.accept(&by_reference);
    let with_code = hands.offer("health", "VaccinationCertificate", MAYA, &["--tx-code", "4711"]);
    assert_ne!(
        hands.run(&["wallet", "accept", &with_code, "--tx-code", "4712"]).code,
        0
    );
    let _ = hands.ok(&["wallet", "accept", &with_code, "--tx-code", "4711"]);
    let listed = hands.ok(&["wallet", "list"]);
    assert_eq!(listed["credentials"].as_array().unwrap().len(), 3);
    let shown = hands.ok(&["wallet", "show", &identity]);
    assert!(shown.to_string().contains("Temasuka-Lakshmore"), "{shown}");
    drawn(&hands, &identity);

    for more in [&[][..], &["--encrypted"]] {
        let verdict = hands.ask_and_answer("age-over-18", more);
        assert_eq!(verdict["verdict"], "valid", "{verdict}");
        assert_eq!(verdict["claims"]["age_over_18"], true);
        assert!(!verdict.to_string().contains("Maya"), "{verdict}");
        assert_eq!(verdict["holder_binding"], "request");
    }
    let licence = hands.ask_and_answer("driving-licence", &[]);
    assert_eq!(licence["claims"]["given_name"], "Maya", "{licence}");

    // The office revokes, and the next answer is refused.
    let issued = hands.ok(&["credentials", "list", "--agency", "population", "--subject", MAYA]);
    let id = text(&issued["credentials"][0]["id"]);
    let _ = hands.ok(&["revoke", "--agency", "population", "--credential", &id]);
    let verdict = loop {
        let verdict = hands.ask_and_answer("age-over-18", &[]);
        // The service may judge with a bundle of some seconds ago.
        if verdict["verdict"] != "valid" {
            break verdict;
        }
    };
    assert_eq!(verdict["verdict"], "refused", "{verdict}");
    assert!(verdict["reasons"].to_string().contains("revoked"), "{verdict}");
    assert!(verdict.get("claims").is_none(), "{verdict}");
    let issued = hands.ok(&["credentials", "list", "--agency", "population", "--subject", MAYA]);
    assert_eq!(issued["credentials"][0]["status"], "revoked");

    let _ = hands.ok(&["wallet", "forget", &identity, "--yes"]);
    assert_eq!(
        hands.ok(&["wallet", "list"])["credentials"].as_array().unwrap().len(),
        2
    );
    platform.stop();
}

#[test]
fn a_presentation_is_verified_from_files_alone() {
    let place = Place::new();
    let platform = place.up(&["--sample"]);
    let hands = Hands {
        place: &place,
        platform: &platform,
    };
    let _ = hands.ok(&["wallet", "init"]);
    let _ = hands.accept(&hands.offer("population", "PersonIdentity", MAYA, &[]));
    let issued = hands.ok(&["credentials", "list", "--agency", "population", "--subject", MAYA]);
    let id = text(&issued["credentials"][0]["id"]);
    let bundle = hands.bundle("trust.bundle");
    let request = hands.request_file("age-over-18", "request.json");
    let presentation = hands.present_file(&request, "presentation.json");
    let mode = std::fs::metadata(&presentation).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let address = platform.client().address().to_string();
    platform.stop();

    let valid = verify(&place, &bundle, Some(&request), &presentation);
    assert_eq!(valid.expect(0)["verdict"], "valid");
    // The two that the type always shows say nothing about the person.
    let claims: Vec<&String> = valid.value["claims"].as_object().unwrap().keys().collect();
    assert_eq!(claims, ["age_over_18", "issuing_authority", "issuing_country"]);
    assert_eq!(valid.value["claims"]["age_over_18"], true);
    assert_eq!(valid.value["holder_binding"], "request");
    let by_file = verify(&place, &bundle, None, &presentation);
    assert_eq!(by_file.expect(0)["holder_binding"], "request_from_file");

    // Another request, even of the same question, is not answered by it.
    let other = place.run(&[
        "verifier",
        "request",
        "--offline",
        "--query",
        "age-over-18",
        "--out",
        "other.json",
    ]);
    let _ = other.expect(0);
    let replayed = verify(&place, &bundle, Some(&place.path("other.json")), &presentation);
    assert_eq!(replayed.expect(1)["verdict"], "refused");

    // Each part of the presentation is signed for; a change of any is refused, and nothing is told of it.
    let token = "/response/vp_token/age-over-18/0";
    let parts = std::fs::read_to_string(&presentation).unwrap();
    let parts: serde_json::Value = serde_json::from_str(&parts).unwrap();
    let genuine = text(parts.pointer(token).unwrap());
    for (place_of_change, _) in genuine.char_indices().filter(|(at, _)| at % 97 == 13) {
        let tampered = changed(&place, &presentation, "tampered.json", |value| {
            let mut bytes = genuine.clone().into_bytes();
            bytes[place_of_change] = if bytes[place_of_change] == b'A' { b'B' } else { b'A' };
            *value.pointer_mut(token).unwrap() = String::from_utf8(bytes).unwrap().into();
        });
        let refused = verify(&place, &bundle, Some(&request), &tampered);
        assert_eq!(refused.expect(1)["verdict"], "refused", "at {place_of_change}");
        assert!(refused.value.get("claims").is_none());
    }

    // A verifier learns of a revocation with its next bundle, and not before.
    let platform = place.up(&["--listen", &address]);
    let hands = Hands {
        place: &place,
        platform: &platform,
    };
    let revoked = hands.ok(&["revoke", "--agency", "population", "--credential", &id]);
    assert_eq!(revoked["committed"], true);
    let _ = verify(&place, &bundle, Some(&request), &presentation).expect(0);
    let _ = hands.ok(&["bundle", "update", bundle.to_str().unwrap(), platform.url()]);
    let refused = verify(&place, &bundle, Some(&request), &presentation);
    assert!(
        refused.expect(1)["reasons"].to_string().contains("revoked"),
        "{}",
        refused.value
    );
    platform.stop();
}

#[test]
fn wrong_use_is_told_from_a_refusal() {
    let place = Place::new();
    assert_eq!(place.run(&["verify"]).code, 2);
    assert_eq!(place.run(&["verify", "--bundle", "none.bundle", "none.json"]).code, 2);
    assert_eq!(place.run(&["nonsense"]).code, 2);
}

#[test]
fn a_bundle_of_another_nation_is_refused() {
    let (place, foreign) = (Place::new(), Place::new());
    let platform = place.up(&["--sample"]);
    let hands = Hands {
        place: &place,
        platform: &platform,
    };
    let bundle = hands.bundle("trust.bundle");
    // The same name, other keys: a registry that an attacker set up.
    let attacker = foreign.up(&["--sample"]);
    let file = bundle.to_str().unwrap();
    let before = std::fs::read(&bundle).unwrap();
    let updated = hands.run(&["bundle", "update", file, attacker.url()]);
    assert_ne!(updated.code, 0, "{}", updated.value);
    let fetched = hands.run(&["bundle", "fetch", attacker.url(), "--out", file]);
    assert_ne!(fetched.code, 0, "{}", fetched.value);
    assert!(fetched.stderr.contains("anchor"), "{}", fetched.stderr);
    assert_eq!(std::fs::read(&bundle).unwrap(), before);
    attacker.stop();
    platform.stop();
}

/// The card of Maya's identity, as files that only she reads.
fn drawn(hands: &Hands<'_>, id: &str) {
    for (form, start) in [
        ("html", &b"<!doctype html>"[..]),
        ("svg", b"<svg "),
        ("png", b"\x89PNG"),
    ] {
        let path = hands.place.path(&format!("card.{form}"));
        let file = path.to_str().unwrap();
        let outcome = hands.run(&["wallet", "show", id, "--as", form, "--locale", "zh", "--out", file]);
        if form == "png" && outcome.code != 0 {
            // Fonts are the machine's: without them it must say so, and not draw boxes.
            assert!(outcome.stderr.contains("--font FILE"), "{}", outcome.stderr);
            continue;
        }
        assert_eq!(outcome.expect(0)["file"], file);
        let card = std::fs::read(&path).unwrap();
        assert!(card.starts_with(start), "{form}");
        let text = String::from_utf8_lossy(&card);
        assert!(
            form == "png" || (text.contains("个人身份证明") && text.contains("1990年5月17日")),
            "{text}"
        );
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let beside = hands.run(&["wallet", "show", id, "--as", "html"]);
    assert_eq!(beside.code, 2, "JSON and a page on one stdout");
}
