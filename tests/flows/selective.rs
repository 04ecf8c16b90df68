//! A W3C credential of which its holder shows two claims: offered, accepted, presented, verified and revoked.

use std::path::Path;

use serde_json::Value;
use serde_json::json;

use crate::by_hand::Hands;
use crate::by_hand::changed;
use crate::by_hand::text;
use crate::by_hand::verify;
use crate::by_hand::with_wallet;

const MAYA: &str = "X0000001A";
const SUITES: [&str; 2] = ["ecdsa-sd-2023", "bbs-2023"];
/// Two of two dozen.
const CLAIMS: [&[&str]; 2] = [&["given_name"], &["address", "locality"]];

#[test]
fn two_claims_are_shown_and_no_more_until_the_credential_is_revoked() {
    with_wallet(|hands| SUITES.into_iter().for_each(|suite| is_shown_and_revoked(hands, suite)));
}

fn is_shown_and_revoked(hands: &Hands<'_>, suite: &str) {
    let more = ["--format", "ldp_vc", "--suite", suite];
    let held = hands.accept(&hands.offer("population", "PersonIdentity", MAYA, &more));
    let path = |names: &&[&str]| {
        let path = [&["credentialSubject"][..], *names].concat();
        json!({ "path": path })
    };
    let query = json!({"credentials": [{
        "id": "it", "format": "ldp_vc",
        "meta": {"type_values": [["https://attestry.example/types/PersonIdentity"]]},
        "claims": CLAIMS.iter().map(path).collect::<Vec<_>>(),
    }]});
    std::fs::write(hands.place.path("query.json"), query.to_string()).unwrap();

    let verdict = hands.ask_and_answer("query.json", &[]);
    assert_eq!(verdict["verdict"], "valid", "{suite}: {verdict}");
    assert_eq!(verdict["holder_binding"], "request");
    assert_two_claims(&verdict["claims"]);

    let bundle = hands.bundle(&format!("{suite}.bundle"));
    let request = hands.request_file("query.json", &format!("{suite}-request.json"));
    let presentation = hands.present_file(&request, &format!("{suite}-presentation.json"));
    let judge = |presentation: &Path| verify(hands.place, &bundle, Some(&request), presentation);
    assert_two_claims(&judge(&presentation).expect(0)["claims"]);
    for (attack, change) in ATTACKS {
        let attacked = changed(hands.place, &presentation, "attacked.json", |file| {
            change(&mut file["response"]["vp_token"]["it"][0]);
        });
        let refused = judge(&attacked);
        assert_eq!(refused.expect(1)["verdict"], "refused", "{suite}: {attack}");
        assert!(refused.value.get("claims").is_none(), "{suite}: {attack}");
    }

    let issued = hands.ok(&["credentials", "list", "--agency", "population", "--subject", MAYA]);
    let issued = issued["credentials"].as_array().unwrap();
    let id = issued.iter().find(|one| one["status"] == "valid").unwrap();
    let _ = hands.ok(&["revoke", "--agency", "population", "--credential", &text(&id["id"])]);
    let _ = hands.ok(&["bundle", "update", bundle.to_str().unwrap(), hands.platform.url()]);
    let refused = judge(&presentation);
    let reasons = refused.expect(1)["reasons"].to_string();
    assert!(reasons.contains(" revoked by its issuer"), "{suite}: {reasons}");
    assert!(refused.value.get("claims").is_none());
    let _ = hands.ok(&["wallet", "forget", &held, "--yes"]);
}

/// And what the agency's mapping always shows.
fn assert_two_claims(claims: &Value) {
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<String>>();
    assert_eq!(
        keys(claims),
        ["address", "given_name", "issuing_authority", "issuing_country"],
        "{claims}"
    );
    assert_eq!(keys(&claims["address"]), ["locality"]);
    assert_eq!(claims["given_name"], "Maya");
}

type Attack = (&'static str, fn(&mut Value));

/// What somebody does to a presentation on its way, who lacks the holder's key. What the holder does, who has it, is in
/// `verifier/tests/engine/w3c/selective.rs`.
const ATTACKS: [Attack; 6] = [
    ("claim added", |presentation| {
        presentation["verifiableCredential"][0]["credentialSubject"]["family_name"] = json!("Other");
    }),
    ("claim changed", |presentation| {
        presentation["verifiableCredential"][0]["credentialSubject"]["given_name"] = json!("Other");
    }),
    ("claim removed", |presentation| {
        remove(
            &mut presentation["verifiableCredential"][0]["credentialSubject"],
            "issuing_country",
        );
    }),
    ("status hidden", |presentation| {
        remove(&mut presentation["verifiableCredential"][0], "credentialStatus");
    }),
    ("holder changed", |presentation| {
        presentation["holder"] = json!("did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK");
    }),
    ("shown without the holder", |presentation| {
        *presentation = presentation["verifiableCredential"][0].clone();
    }),
];

fn remove(object: &mut Value, name: &str) {
    object.as_object_mut().unwrap().remove(name).unwrap();
}
