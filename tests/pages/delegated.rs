//! Who was accredited passes it on: the drawing and its list go down to them, and what befalls one above reaches them.

use e2e::Browser;
use e2e::LogView;
use e2e::Place;
use e2e::Platform;
use e2e::Request;
use keys::Algorithm;
use keys::Signer as _;
use serde_json::json;
use server::Clock;
use signer::SoftwareKey;
use trust::entry::AccreditationBody;
use trust::entry::Body;
use trust::entry::Grant;

use crate::approve;
use crate::visit;

const ABOVE: &str = "hospital-verifies";
const BELOW: &str = "ward-verifies";

/// The holder of a did:key passes its accreditation on to another one.
fn pass_on(platform: &Platform, key: &SoftwareKey, below: &str) {
    let multikey = key.public_key().to_multikey();
    let did = format!("did:key:{multikey}");
    let bundle = LogView::pin(platform.client()).bundle(platform.client());
    let above = bundle.state().accreditation_record(ABOVE).unwrap().grant().clone();
    let grant = Grant {
        entity: below.to_owned(),
        delegation_depth: 0,
        parent: Some(ABOVE.to_owned()),
        ..above
    };
    let body = Body::Accreditation(AccreditationBody::Grant(grant));
    let draft = bundle.state().draft(&did, BELOW, body, Clock::System.now().plus(3_600));
    let signature = key
        .fulfil(draft.sign(&format!("{did}#{multikey}"), Algorithm::EdDsa))
        .unwrap();
    let leaf = draft.assemble(vec![signature]).unwrap();
    let answer = platform
        .client()
        .send(&Request::post("/registry/entries", "application/cbor", leaf));
    assert_eq!(answer.status, 200, "{}", answer.text());
}

#[test]
fn what_is_passed_on_is_drawn_and_falls_with_what_is_above() {
    let Some(browser) = Browser::start() else { return };
    let place = Place::new();
    let platform = place.up(&["--sample"]);
    let [hospital, ward] = [(); 2].map(|()| SoftwareKey::generate(Algorithm::EdDsa, &mut signer::os_rng()));
    let [above, below] = [&hospital, &ward].map(|key| format!("did:key:{}", key.public_key().to_multikey()));
    let grant = json!({
        "type": "accreditation", "action": "grant", "id": ABOVE, "entity": above, "may": "verify",
        "resources": ["VaccinationCertificate"], "valid_until": "2100-01-01T00:00:00Z", "max_staleness": 86400,
        "delegation_depth": 1,
    });
    approve(&place, &platform, &grant);
    pass_on(&platform, &hospital, &below);

    let url = |view: &str| format!("{}/registry/#/{view}", platform.url());
    assert_eq!(visit(&browser, &url("delegation")), "Verified in this browser");
    browser.until("document.querySelectorAll('#view svg .node').length === 7");
    // Three columns from left to right: the authority, who it accredited, and whom that one did.
    let columns = browser.run(
        "const places = [...document.querySelectorAll('#view svg .node rect')].map((box) => Number(box.getAttribute('x')));
        return [...new Set(places)].length",
    );
    assert_eq!(columns, 3);
    let path = "ul.tree > li > ul > li > ul > li";
    assert!(
        browser.text(path).contains(&below),
        "{}",
        browser.text("#delegation-list")
    );
    browser.resize(360);
    let overflow = browser.run("return document.documentElement.scrollWidth - innerWidth");
    assert!(overflow.as_i64().unwrap() <= 0, "{overflow} pixels too wide");

    let suspend = json!({"type": "accreditation", "action": "suspend", "id": ABOVE, "reason": "non_compliance"});
    approve(&place, &platform, &suspend);
    assert_eq!(visit(&browser, &url("agencies")), "Verified in this browser");
    let card = browser.run(&format!(
        "return [...document.querySelectorAll('#view article')].find((one) => one.innerText.includes({})).innerText",
        json!(below)
    ));
    let card = card.as_str().unwrap();
    assert!(
        card.contains("suspended may not verify VaccinationCertificate"),
        "{card}"
    );
    assert!(
        card.contains(&format!("by the accreditation {ABOVE} that it is a part of")),
        "{card}"
    );
    platform.stop();
}
