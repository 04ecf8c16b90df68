//! Trusted lists as others use them, told from forged ones by a bundle and no network.

use std::fs;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use e2e::Place;
use serde_json::Value;

use crate::by_hand::Hands;

#[test]
fn a_bundle_tells_the_registrys_list_from_another() {
    let place = Place::new();
    let platform = place.up(&["--sample"]);
    let hands = Hands {
        place: &place,
        platform: &platform,
    };
    let bundle = hands.bundle("trust.bundle");
    let bundle = bundle.to_str().unwrap();
    let file = place.path("lote.json");
    let compare = |form: &str| place.run(&["bundle", "compare", bundle, form, file.to_str().unwrap()]);
    // While the nation is young, another list may be made between the two answers.
    let (list, told) = e2e::eventually("list and bundle of one time", Duration::from_secs(20), || {
        let _ = hands.ok(&["bundle", "update", bundle, platform.url()]);
        let list = platform.client().get("/export/lote.json").text();
        fs::write(&file, &list).unwrap();
        let told = compare("etsi-lote");
        (told.code == 0).then_some((list, told))
    });
    platform.stop();
    assert_eq!(told.expect(0)["name"], "etsi-lote");
    // It is no list of the other form.
    assert_eq!(compare("vical").code, 2);

    // Whoever holds the operator's key can sign another list, and no officer would have approved it.
    let [header, payload, signature] = list.split('.').collect::<Vec<_>>()[..] else {
        panic!("three parts")
    };
    let mut claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap();
    claims["LoTE"]["ListAndSchemeInformation"]["SchemeOperatorName"][0]["value"] = "Somebody".into();
    let forged = URL_SAFE_NO_PAD.encode(claims.to_string());
    fs::write(&file, format!("{header}.{forged}.{signature}")).unwrap();
    let refused = compare("etsi-lote");
    assert_eq!(refused.code, 2);
    assert!(
        refused.stderr.contains("another list than the registry's"),
        "{}",
        refused.stderr
    );
}
