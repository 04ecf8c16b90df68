//! A wallet that was online later than the verifier brings what the register says now; what it kept from before does not
//! count against a newer bundle.

use crate::by_hand::Hands;
use crate::by_hand::changed;
use crate::by_hand::text;
use crate::by_hand::verify;
use crate::by_hand::with_wallet;

const MAYA: &str = "X0000001A";

#[test]
fn newer_status_comes_with_the_presentation_and_an_older_one_does_not_count() {
    with_wallet(brings_what_the_register_says);
}

fn brings_what_the_register_says(hands: &Hands<'_>) {
    let id = hands.accept(&hands.offer("population", "PersonIdentity", MAYA, &[]));
    let listed = hands.ok(&["credentials", "list", "--agency", "population", "--subject", MAYA]);
    let credential = text(&listed["credentials"][0]["id"]);
    let change = |what: &str| hands.ok(&[what, "--agency", "population", "--credential", &credential]);
    let refresh = || {
        let refreshed = hands.ok(&["wallet", "refresh", "--url", hands.platform.url()]);
        assert_eq!(refreshed["extracts"][0]["id"], id.as_str());
        // The anchor was pinned with the first bundle, so this wallet can tell how new it is.
        assert!(refreshed["extracts"][0]["as_of"].is_string(), "{refreshed}");
        let bytes = refreshed["extracts"][0]["bytes"].as_u64().unwrap();
        assert!((1_000..20_000).contains(&bytes), "{bytes} bytes");
    };
    let request = {
        let _ = hands.bundle("first.bundle");
        hands.request_file("age-over-18", "request.json")
    };
    let judge = |bundle, presentation| verify(hands.place, bundle, Some(&request), presentation);

    // The verifier was online while the credential was suspended, the wallet after it was reinstated.
    let _ = change("suspend");
    let suspended = hands.bundle("suspended.bundle");
    let without = hands.present_file(&request, "without.json");
    let reasons = judge(&suspended, &without).expect(1)["reasons"].to_string();
    assert!(reasons.contains("suspended by its issuer"), "{reasons}");
    let _ = change("reinstate");
    refresh();
    let with = hands.present_file(&request, "with.json");
    let verified = judge(&suspended, &with);
    assert_eq!(verified.expect(0)["verdict"], "valid");

    // An extract whose bytes were changed on the way is no help, and the presentation is judged without it.
    let broken = changed(hands.place, &with, "broken.json", |value| {
        let extract = &mut value["trust_extracts"][0];
        let text = extract.as_str().unwrap();
        let (head, tail) = text.split_at(text.len() / 2);
        let other = if tail.starts_with('A') { "B" } else { "A" };
        *extract = format!("{head}{other}{}", &tail[1..]).into();
    });
    let reasons = judge(&suspended, &broken).expect(1)["reasons"].to_string();
    assert!(reasons.contains("suspended by its issuer"), "{reasons}");

    // The wallet keeps its extract, and the verifier learns of the revocation.
    let _ = change("revoke");
    let revoked = hands.bundle("revoked.bundle");
    let reasons = judge(&revoked, &with).expect(1)["reasons"].to_string();
    assert!(reasons.contains("revoked by its issuer"), "{reasons}");
    // A wallet that asks again brings the bad news itself.
    refresh();
    let honest = hands.present_file(&request, "honest.json");
    let reasons = judge(&revoked, &honest).expect(1)["reasons"].to_string();
    assert!(reasons.contains("revoked by its issuer"), "{reasons}");

    let nobody = hands.run(&["wallet", "refresh", "0000000000", "--url", hands.platform.url()]);
    assert_ne!(nobody.code, 0);
    let _ = hands.ok(&["wallet", "forget", &id, "--yes"]);
    assert_eq!(
        hands.ok(&["wallet", "refresh", "--url", hands.platform.url()])["extracts"],
        serde_json::json!([])
    );
}
