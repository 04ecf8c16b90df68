//! What the pages show of a running nation, on a desk and on a phone.

use e2e::Browser;
use e2e::Place;
use e2e::Platform;
use e2e::Request;
use serde_json::json;

use crate::approve;
use crate::propose;
use crate::visit;

const VIEWS: [&str; 8] = [
    "agencies",
    "delegation",
    "types",
    "registries",
    "incidents",
    "policy",
    "log",
    "proposals",
];
/// "Good" by the usual measure is below 0.1; nothing of ours needs to move at all.
const MAX_LAYOUT_SHIFT: f64 = 0.01;
const VERIFIED: &str = "Verified in this browser";

fn view(platform: &Platform, name: &str) -> String {
    format!("{}/registry/#/{name}", platform.url())
}

/// The texts of an agency's accreditations.
fn accreditations(browser: &Browser, agency: &str) -> Vec<String> {
    let script = format!(
        "const cards = [...document.querySelectorAll('#view article')];
        const card = cards.find((one) => one.querySelector('h3').innerText === {});
        return [...card.querySelectorAll('.permission')].map((line) => line.innerText);",
        json!(agency)
    );
    let lines = browser.run(&script);
    let lines = lines.as_array().unwrap().iter();
    lines.map(|line| line.as_str().unwrap().to_owned()).collect()
}

#[test]
fn agencies_and_accreditations_are_verified_and_shown() {
    let Some(browser) = Browser::start() else { return };
    let place = Place::new();
    let platform = place.up(&["--sample"]);
    assert_eq!(visit(&browser, &view(&platform, "agencies")), VERIFIED);
    assert!(browser.text(".verdict").contains("12 checks held"));
    assert!(
        browser.text(".verdict .warning").contains("first visit"),
        "the pin is told"
    );
    let transport = "transport.attestry.example";
    assert_eq!(accreditations(&browser, transport), ["active may issue DrivingLicence"]);
    assert_eq!(accreditations(&browser, "population.attestry.example").len(), 2);
    let name = "Transport Office of the Sample Nation";
    assert!(browser.text("#view").contains(name), "the name that officers approved");

    // The search finds by type.
    let search = "const field = document.querySelector('#search'); field.value = 'vaccination'; field.dispatchEvent(new Event('input'));";
    let _ = browser.run(search);
    assert_eq!(browser.text(".told"), "1 of 4 agencies");
    assert_eq!(browser.text("#view article h3"), "health.attestry.example");

    // What officers decide is there at the next visit, which continues the first one.
    let suspend = json!({"type": "accreditation", "action": "suspend", "id": "transport-issues-drivinglicence", "reason": "non_compliance"});
    approve(&place, &platform, &suspend);
    assert_eq!(visit(&browser, &view(&platform, "agencies")), VERIFIED);
    assert_eq!(browser.text(".verdict .warning"), "", "the pin is told once");
    assert_eq!(
        accreditations(&browser, transport),
        ["suspended may not issue DrivingLicence"]
    );
    assert!(
        !browser.text("#view").contains(name),
        "no accreditation that counts names it"
    );
    assert_eq!(visit(&browser, &view(&platform, "log")), VERIFIED);
    assert!(browser.text("#view").contains("proven to continue the tree of"));
    assert!(browser.text("#view").contains("Accreditation: suspend"));
    assert!(visit(&browser, &view(&platform, "policy")).contains(VERIFIED));
    assert!(browser.text("#view article").contains("cosigned"));
    assert_eq!(visit(&browser, &view(&platform, "delegation")), VERIFIED);
    browser.until("document.querySelectorAll('#view svg .node').length === 5");
    assert_eq!(
        browser.run("return document.querySelectorAll('#view svg .broken').length"),
        1
    );
    assert!(browser.text("#delegation-list").contains(transport));
    platform.stop();
}

#[test]
fn proposals_are_text_and_say_what_is_signed() {
    let Some(browser) = Browser::start() else { return };
    let place = Place::new();
    let platform = place.up(&["--sample"]);
    // Whoever proposes may call things as they like.
    let id = "<img src=x onerror=\"document.title='taken'\">";
    let body = json!({
        "type": "accreditation", "action": "grant", "id": id, "may": "verify", "resources": ["DrivingLicence"],
        "entity": "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK",
        "valid_until": "2100-01-01T00:00:00Z", "max_staleness": 86400,
    });
    let proposal = propose(&place, &platform, &body);
    assert_eq!(visit(&browser, &view(&platform, "proposals")), VERIFIED);
    let shown = browser.text("#view article");
    assert!(shown.contains(id), "{shown}");
    assert!(
        shown.contains(&format!("attestry registry approve {proposal} --key FILE")),
        "{shown}"
    );
    assert!(shown.contains("2100-01-01 00:00:00 UTC"), "the terms of the draft");
    assert!(browser.text("#view .warning").contains("not in the log"));
    assert_eq!(browser.run("return document.querySelectorAll('#view img').length"), 0);
    // The hash is of the bytes that the officers' keys sign.
    let answer = platform
        .client()
        .get(&format!("/registry/proposals/{proposal}"))
        .expect(200);
    let draft = keys::base64url::decode(answer["draft"].as_str().unwrap()).unwrap();
    let message = trust::entry::Draft::parse(&draft).unwrap().message();
    let hash = trust::merkle::Hash::digest(&message).to_string();
    assert!(shown.contains(&hash), "{shown}");
    assert_eq!(browser.complaints(), Vec::<String>::new());
    platform.stop();
}

#[test]
fn every_view_fits_a_phone_moves_nothing_and_complains_of_nothing() {
    let Some(browser) = Browser::start() else { return };
    let place = Place::new();
    let platform = place.up(&["--sample"]);
    let suspend = json!({"type": "accreditation", "action": "revoke", "id": "health-issues-vaccinationcertificate"});
    let _ = propose(&place, &platform, &suspend);
    browser.before_each_page(
        "globalThis.shift = 0; new PerformanceObserver((list) => { for (const entry of list.getEntries()) if (!entry.hadRecentInput) shift += entry.value; }).observe({ type: 'layout-shift', buffered: true });",
    );
    for width in [360, 1_280] {
        browser.resize(width);
        for name in VIEWS {
            assert_eq!(visit(&browser, &view(&platform, name)), VERIFIED, "{name}");
            let overflow = browser.run("return document.documentElement.scrollWidth - innerWidth");
            assert!(
                overflow.as_i64().unwrap() <= 0,
                "{name} at {width}: {overflow} pixels too wide"
            );
            let shift = browser.run("return shift").as_f64().unwrap();
            assert!(shift < MAX_LAYOUT_SHIFT, "{name} at {width} moved by {shift}");
            assert!(browser.text("h2").len() > 2, "{name} has a heading");
            assert_eq!(browser.complaints(), Vec::<String>::new(), "{name} at {width}");
        }
    }
    platform.stop();
}

#[test]
fn nothing_inline_runs_and_files_are_asked_for_again() {
    let place = Place::new();
    let platform = place.up(&["--sample"]);
    let client = platform.client();
    let page = client.get("/registry/");
    let policy = page.header("content-security-policy").unwrap();
    for rule in [
        "default-src 'none'",
        "script-src 'self'",
        "require-trusted-types-for 'script'",
    ] {
        assert!(policy.contains(rule), "{policy}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");
    assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(page.header("cache-control"), Some("no-cache"));
    let etag = page.header("etag").unwrap();
    let again = |etag: &str| {
        client
            .send(&Request::get("/registry/").header("if-none-match", etag))
            .status
    };
    assert_eq!((again(etag), again("\"another\"")), (304, 200));
    assert_eq!(client.get("/registry").header("location"), Some("/registry/"));
    for nothing in [
        "/registry/pages/",
        "/registry/pages/../lib.rs",
        "/registry/pages/other.js",
    ] {
        assert_eq!(client.get(nothing).status, 404, "{nothing}");
    }
    assert!(
        client.get("/").text().contains("href=\"/registry/\""),
        "the front door leads there"
    );
    platform.stop();
}

#[test]
fn did_web_is_read_from_the_register_and_its_document_before_it_is_approved() {
    let Some(browser) = Browser::start() else { return };
    let place = Place::new();
    let platform = place.up(&["--sample"]);
    let did = "did:web:agency.example%3A8443:population";
    let methods = json!({"type": "policy", "action": "methods", "methods": ["key", "web", "webvh"]});
    approve(&place, &platform, &methods);
    let document = |service: &str| json!({"id": did, "service": [{"id": format!("{did}#{service}"), "type": "LinkedDomains", "serviceEndpoint": "https://agency.example"}]});
    let snapshot = |service: &str| json!({"type": "did", "action": "snapshot", "did": did, "document": document(service).to_string()});
    // Twice, so that the record has one before.
    approve(&place, &platform, &snapshot("first"));
    approve(&place, &platform, &snapshot("second"));
    let _ = propose(&place, &platform, &snapshot("third"));
    assert_eq!(visit(&browser, &view(&platform, "agencies")), VERIFIED);
    let names = browser.run("return [...document.querySelectorAll('#view article h3')].map((one) => one.innerText);");
    assert!(names.as_array().unwrap().contains(&json!(did)), "{names}");
    assert_eq!(visit(&browser, &view(&platform, "log")), VERIFIED);
    assert_eq!(visit(&browser, &view(&platform, "proposals")), VERIFIED);
    let draft = browser.run("return document.querySelector('#view').textContent;");
    assert!(draft.as_str().unwrap().contains(&format!("{did}#third")), "{draft}");
}
