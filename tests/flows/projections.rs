//! Trusted lists as others use them, told from forged ones by a bundle and no network.

use std::fs;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use e2e::Outcome;
use e2e::Place;
use serde_json::Value;
use trust::federation::Federation;

use crate::by_hand::Hands;

const BUNDLE: &str = "trust.bundle";

/// The list of this form as the registry of a sample nation hands it out, and the nation's bundle of the same time in
/// `trust.bundle`; the platform has stopped.
fn handed_out(place: &Place, form: &str, path: &str) -> String {
    let platform = place.up(&["--sample"]);
    let hands = Hands {
        place,
        platform: &platform,
    };
    let bundle = hands.bundle(BUNDLE);
    // While the nation is young, another list may be made between the two answers.
    let (list, told) = e2e::eventually("list and bundle of one time", Duration::from_secs(20), || {
        let _ = hands.ok(&["bundle", "update", bundle.to_str().unwrap(), platform.url()]);
        let list = platform.client().get(path).text();
        let told = compare(place, form, &list);
        (told.code == 0).then_some((list, told))
    });
    platform.stop();
    assert_eq!(told.expect(0)["name"], form);
    list
}

fn compare(place: &Place, form: &str, list: &str) -> Outcome {
    let (bundle, file) = (place.path(BUNDLE), place.path("list"));
    fs::write(&file, list).unwrap();
    place.run(&[
        "bundle",
        "compare",
        bundle.to_str().unwrap(),
        form,
        file.to_str().unwrap(),
    ])
}

#[track_caller]
fn assert_another(refused: &Outcome) {
    assert_eq!(refused.code, 2);
    assert!(
        refused.stderr.contains("another list than the registry's"),
        "{}",
        refused.stderr
    );
}

#[test]
fn a_bundle_tells_the_registrys_list_from_another() {
    let place = Place::new();
    let list = handed_out(&place, "etsi-lote", "/export/lote.json");
    // It is no list of the other form.
    assert_eq!(compare(&place, "vical", &list).code, 2);

    // Whoever holds the operator's key can sign another list, and no officer would have approved it.
    let [header, payload, signature] = list.split('.').collect::<Vec<_>>()[..] else {
        panic!("three parts")
    };
    let mut claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap();
    claims["LoTE"]["ListAndSchemeInformation"]["SchemeOperatorName"][0]["value"] = "Somebody".into();
    let forged = URL_SAFE_NO_PAD.encode(claims.to_string());
    assert_another(&compare(&place, "etsi-lote", &format!("{header}.{forged}.{signature}")));
}

#[test]
fn a_bundle_tells_what_the_registry_signs_from_something_else() {
    let place = Place::new();
    let content = handed_out(&place, "openid-federation", "/export/openid-federation.json");
    // On loopback nobody has an entity identifier.
    let federation = Federation::parse(content.as_bytes()).unwrap();
    assert_eq!(federation.list(&[]).count(), 0);
    let forged = content.replace("Authority", "Ministry");
    assert_another(&compare(&place, "openid-federation", &forged));
}
