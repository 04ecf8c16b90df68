//! A credential is suspended, reinstated and revoked; verifiers without a network learn of each with their next bundle.

use crate::by_hand::Hands;
use crate::by_hand::text;
use crate::by_hand::verify;
use crate::by_hand::with_wallet;

const MAYA: &str = "X0000001A";

#[test]
fn a_suspended_credential_counts_again_and_a_revoked_one_does_not() {
    with_wallet(is_suspended_reinstated_and_revoked);
}

fn is_suspended_reinstated_and_revoked(hands: &Hands<'_>) {
    let _ = hands.accept(&hands.offer("population", "PersonIdentity", MAYA, &[]));
    let list = || hands.ok(&["credentials", "list", "--agency", "population", "--subject", MAYA]);
    let id = text(&list()["credentials"][0]["id"]);
    let bundle = hands.bundle("trust.bundle");
    let request = hands.request_file("age-over-18", "request.json");
    let presentation = hands.present_file(&request, "presentation.json");
    let judge = || verify(hands.place, &bundle, Some(&request), &presentation);
    let _ = judge().expect(0);

    for (change, status, refusal) in [
        ("suspend", "suspended", Some("suspended")),
        ("reinstate", "valid", None),
        ("suspend", "suspended", Some("suspended")),
        ("revoke", "revoked", Some("revoked")),
    ] {
        let before = judge().code;
        let arguments = [change, "--agency", "population", "--credential", &id];
        // What is done twice is done.
        for _ in 0..2 {
            let changed = hands.ok(&arguments);
            assert_eq!(
                (&changed["status"], &changed["committed"]),
                (&status.into(), &true.into())
            );
        }
        assert_eq!(list()["credentials"][0]["status"], status);
        assert_eq!(judge().code, before, "the old bundle cannot know");
        let _ = hands.ok(&["bundle", "update", bundle.to_str().unwrap(), hands.platform.url()]);
        let judged = judge();
        match refusal {
            None => assert_eq!(judged.expect(0)["verdict"], "valid"),
            Some(reason) => {
                let reasons = judged.expect(1)["reasons"].to_string();
                assert!(reasons.contains(&format!(" {reason} by its issuer")), "{reasons}");
                assert!(judged.value.get("claims").is_none());
            }
        }
    }

    // A revocation is for good.
    for change in ["reinstate", "suspend"] {
        let refused = hands.run(&[change, "--agency", "population", "--credential", &id]);
        assert_ne!(refused.code, 0, "{}", refused.value);
        assert!(refused.stderr.contains("revoked"), "{}", refused.stderr);
    }
    let unknown = hands.run(&["suspend", "--agency", "population", "--credential", "0"]);
    assert_ne!(unknown.code, 0, "{}", unknown.value);
    assert_eq!(list()["credentials"][0]["status"], "revoked");
}
