//! The registry's pages in a real browser: what they show, and what they refuse to show.
#![cfg(test)]

mod refused;
mod shown;

use e2e::Browser;

/// Opens the pages at a view and waits for what they come to; the headline of the verdict.
fn visit(browser: &Browser, url: &str) -> String {
    browser.open(url);
    // Also says that the view under it is drawn, or that there is none.
    browser
        .until("['verified', 'refused'].some((kind) => document.querySelector('.verdict').classList.contains(kind))");
    browser.until("document.querySelector('#view').getAttribute('aria-busy') === 'false'");
    browser.text("#headline")
}
