//! What the tests of the whole platform share: the real program in a folder of its own, a plain HTTP client
//! that can lie, a wallet of a few lines, a database of one test, a browser and somebody between it and the platform.
//!
//! In scope: running `attestry` as a person or an operator does, and speaking to it over sockets. Out of
//! scope: anything that looks into the program; a crate's own tests do that.
#![expect(
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a harness for tests: a panic is how it fails"
)]

mod browser;
mod http;
mod log;
mod place;
mod platform;
mod postgres;
mod proxy;
mod wallet;

pub use browser::Browser;
pub use http::Client;
pub use http::Request;
pub use http::Response;
pub use log::LogView;
pub use place::Outcome;
pub use place::Place;
pub use platform::Platform;
pub use postgres::Database;
pub use proxy::Proxy;
pub use wallet::Offer;
pub use wallet::Wallet;
pub use wallet::credential_request;
pub use wallet::status_of;

use std::time::Duration;
use std::time::Instant;

use serde_json::Value;

/// The time, for measuring how long something took.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "tests measure real time")]
pub fn now() -> Instant {
    Instant::now()
}

/// Asks until `done` gives something, for at most `limit`.
pub fn eventually<T>(what: &str, limit: Duration, mut done: impl FnMut() -> Option<T>) -> T {
    let begin = now();
    loop {
        if let Some(found) = done() {
            return found;
        }
        assert!(begin.elapsed() < limit, "expected {what} within {limit:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Moves the time at `pointer` of a record back, if there is one; whether there is.
pub fn older(record: &mut Value, pointer: &str, seconds: i64) -> bool {
    let Some(time) = record.pointer_mut(pointer) else {
        return false;
    };
    let Some(before) = time.as_i64() else { return false };
    *time = (before - seconds).into();
    true
}
