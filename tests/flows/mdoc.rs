//! A driving licence as an mdoc: issued, held, shown in part, suspended.

use e2e::Place;
use serde_json::Value;
use serde_json::json;

use crate::by_hand::Hands;
use crate::by_hand::text;

/// Born 1990; everything filled in, the portrait too.
const MAYA: &str = "X0000001A";
/// A licence with everything but a portrait.
const WITHOUT_PORTRAIT: &str = "X0000121L";
const MDL: &str = "org.iso.18013.5.1";
const PID: &str = "eu.europa.ec.eudi.pid.1";

fn members(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn a_licence_is_issued_held_and_shown_in_part_as_an_mdoc() {
    let place = Place::new();
    let platform = place.up(&["--sample"]);
    let hands = Hands {
        place: &place,
        platform: &platform,
    };
    let _ = hands.ok(&["wallet", "init"]);
    let as_mdoc = ["--format", "mso_mdoc"];
    let licence = hands.accept(&hands.offer("transport", "DrivingLicence", MAYA, &as_mdoc));
    let shown = hands.ok(&["wallet", "show", &licence]);
    assert_eq!(shown["format"], "mso_mdoc", "{shown}");
    let labels = shown.to_string();
    for expected in [
        "Family name",
        "Temasuka-Lakshmore",
        "1990-05-17",
        "un_distinguishing_sign",
    ] {
        assert!(labels.contains(expected), "{expected} in {shown}");
    }

    // Plain and encrypted: the device signs the verifier's key as well.
    for more in [&[][..], &["--encrypted"]] {
        let verdict = hands.ask_and_answer("driving-licence-mdoc", more);
        assert_eq!(verdict["verdict"], "valid", "{verdict}");
        assert_eq!(verdict["holder_binding"], "request");
        // What was asked for and nothing else: each element is the person's to show.
        assert_eq!(members(&verdict["claims"]), [MDL]);
        assert_eq!(
            members(&verdict["claims"][MDL]),
            [
                "document_number",
                "driving_privileges",
                "expiry_date",
                "family_name",
                "given_name"
            ]
        );
        assert_eq!(verdict["claims"][MDL]["given_name"], "Maya");
        let category = &verdict["claims"][MDL]["driving_privileges"][0];
        assert_eq!(
            (&category["vehicle_category_code"], &category["issue_date"]),
            (&json!("B"), &json!("2010-11-03"))
        );
    }

    // Another type, by a query of one's own; its elements stand in two name spaces.
    let _ = hands.accept(&hands.offer("population", "PersonIdentity", MAYA, &as_mdoc));
    let paths = [
        [PID, "nationality"],
        [PID, "place_of_birth"],
        ["eu.europa.ec.eudi.pid.xa.1", "age_over_18"],
    ];
    let claims: Vec<Value> = paths
        .iter()
        .map(|path| json!({"path": path, "intent_to_retain": true}))
        .collect();
    let query =
        json!({"credentials": [{"id": "pid", "format": "mso_mdoc", "meta": {"doctype_value": PID}, "claims": claims}]});
    std::fs::write(place.path("pid.json"), query.to_string()).unwrap();
    let asked = hands.ok(&[
        "verifier",
        "request",
        "--query",
        place.path("pid.json").to_str().unwrap(),
    ]);
    let presented = hands.ok(&["wallet", "present", &text(&asked["request"]), "--yes"]);
    let disclosed = presented["disclosed"][0]["claims"].as_array().unwrap();
    assert!(disclosed.iter().all(|claim| claim["retained"] == true), "{presented}");
    let verdict = hands.ok(&["verifier", "result", &text(&asked["id"])])["verdict"].clone();
    assert_eq!(verdict["verdict"], "valid", "{verdict}");
    assert_eq!(
        verdict["claims"],
        json!({
            PID: {"nationality": ["XA"], "place_of_birth": {"country": "XA", "locality": "Port Saga"}},
            "eu.europa.ec.eudi.pid.xa.1": {"age_over_18": true},
        })
    );

    // The office suspends the licence, and lets it count again: one record for every format.
    let issued = hands.ok(&["credentials", "list", "--agency", "transport", "--subject", MAYA]);
    assert_eq!(issued["credentials"][0]["format"], "mso_mdoc");
    let id = text(&issued["credentials"][0]["id"]);
    for (change, verdict) in [("suspend", "refused"), ("reinstate", "valid"), ("revoke", "refused")] {
        let _ = hands.ok(&[change, "--agency", "transport", "--credential", &id]);
        let judged = loop {
            let judged = hands.ask_and_answer("driving-licence-mdoc", &[]);
            // The service may judge with a bundle of some seconds ago.
            if judged["verdict"] == verdict {
                break judged;
            }
        };
        assert_eq!(judged.get("claims").is_some(), verdict == "valid", "{judged}");
    }
    platform.stop();
}

#[test]
fn an_office_is_certified_anew() {
    let place = Place::new();
    let platform = place.up(&["--sample"]);
    let address = platform.client().address().to_string();
    let certificate = place.data().join("agencies/transport/document-signer.der");
    std::fs::remove_file(&certificate).unwrap();
    let mut command = place.command(&["agency", "certify", "--id", "transport", "--authority", "data-officers"]);
    command.env("ATTESTRY_URL", platform.url());
    // With another passphrase there is no key to certify with.
    assert!(!command.output().unwrap().status.success());
    assert!(!certificate.exists());
    let certified = command.env("ATTESTRY_PASSPHRASE", "sample").output().unwrap();
    assert!(
        certified.status.success(),
        "{}",
        String::from_utf8_lossy(&certified.stderr)
    );
    platform.stop();

    let platform = place.up(&["--listen", &address]);
    let hands = Hands {
        place: &place,
        platform: &platform,
    };
    let _ = hands.ok(&["wallet", "init"]);
    let _ = hands.accept(&hands.offer("transport", "DrivingLicence", MAYA, &["--format", "mso_mdoc"]));
    assert_eq!(hands.ask_and_answer("driving-licence-mdoc", &[])["verdict"], "valid");
    platform.stop();
}

#[test]
fn an_mdoc_is_refused_where_no_standard_has_it() {
    let place = Place::new();
    let platform = place.up(&["--sample"]);
    let hands = Hands {
        place: &place,
        platform: &platform,
    };
    let _ = hands.ok(&["wallet", "init"]);
    // A licence without a portrait is none.
    let mut offer = vec!["offer", "create", "--agency", "transport", "--type", "DrivingLicence"];
    offer.extend(["--format", "mso_mdoc", "--subject", WITHOUT_PORTRAIT]);
    let refused = hands.run(&offer);
    assert_ne!(refused.code, 0, "{}", refused.value);
    assert!(refused.stderr.contains("`portrait`"), "{}", refused.stderr);
    // A type without data elements is not issued as one.
    let mut offer = vec![
        "offer",
        "create",
        "--agency",
        "health",
        "--type",
        "VaccinationCertificate",
    ];
    offer.extend(["--format", "mso_mdoc", "--subject", MAYA]);
    let refused = hands.run(&offer);
    assert_ne!(refused.code, 0, "{}", refused.value);
    assert!(
        refused.stderr.contains("VaccinationCertificate.mso_mdoc"),
        "{}",
        refused.stderr
    );

    // A file has no session that a device could sign.
    let mut request = vec!["verifier", "request", "--offline", "--query", "driving-licence-mdoc"];
    request.extend(["--out", "request.json"]);
    let refused = hands.run(&request);
    assert_ne!(refused.code, 0, "{}", refused.value);
    assert!(refused.stderr.contains("mdocs"), "{}", refused.stderr);
    assert!(!place.path("request.json").exists());
    let _ = hands.accept(&hands.offer("transport", "DrivingLicence", MAYA, &["--format", "mso_mdoc"]));
    let asked = hands.ok(&["verifier", "request", "--query", "driving-licence-mdoc"]);
    let presented = hands.run(&[
        "wallet",
        "present",
        &text(&asked["request"]),
        "--out",
        "presentation.json",
        "--yes",
    ]);
    assert_ne!(presented.code, 0, "{}", presented.value);
    assert!(
        presented.stderr.contains("an mdoc cannot go into one"),
        "{}",
        presented.stderr
    );
    assert!(!place.path("presentation.json").exists());
    platform.stop();
}
