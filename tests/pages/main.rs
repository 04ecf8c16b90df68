//! The registry's pages in a real browser: what they show, and what they refuse to show.
#![cfg(test)]

mod delegated;
mod policies;
mod refused;
mod shown;
mod tiles;

use std::fs;

use e2e::Browser;
use e2e::Place;
use e2e::Platform;
use serde_json::Value;

/// Opens the pages at a view and waits for what they come to; the headline of the verdict.
fn visit(browser: &Browser, url: &str) -> String {
    browser.open(url);
    // Also says that the view under it is drawn, or that there is none.
    browser
        .until("['verified', 'refused'].some((kind) => document.querySelector('.verdict').classList.contains(kind))");
    browser.until("document.querySelector('#view').getAttribute('aria-busy') === 'false'");
    browser.text("#headline")
}

/// An operator proposes; the id.
fn propose(place: &Place, platform: &Platform, body: &Value) -> String {
    let file = place.path("proposal.json");
    fs::write(&file, body.to_string()).unwrap();
    let proposed = platform.run(place, &["registry", "propose", file.to_str().unwrap()]);
    proposed.expect(0)["id"].as_str().unwrap().to_owned()
}

/// And two officers approve.
fn approve(place: &Place, platform: &Platform, body: &Value) {
    place.approve(platform, &propose(place, platform, body));
}
