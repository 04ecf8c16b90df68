//! Rust peers of `cargo xtask bench-peers`: `bench-peers NAME FILE`, with the file that `bench-ours` has written.

mod isomdl;
/// Turns are measured as ours are.
#[path = "../../src/measure.rs"]
#[expect(dead_code, reason = "allocations of others are not counted")]
mod measure;
mod ssi;

use serde_json::Value;
use serde_json::json;

/// What can go wrong is the library's own.
type Outcome = Result<(), Box<dyn std::error::Error>>;

/// An id, and what is measured under it.
type Work = (&'static str, Box<dyn Fn()>);

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, name, file] = arguments.as_slice() else {
        panic!("expected `bench-peers NAME FILE`, found {arguments:?}");
    };
    let material: Value = serde_json::from_slice(&std::fs::read(file).expect("a file")).expect("JSON");
    let works = match name.as_str() {
        "isomdl" => isomdl::works(&material["mso_mdoc"]),
        "ssi" => ssi::works(&material),
        other => panic!("expected a peer, found {other}"),
    };
    let ids: Vec<&str> = works.iter().map(|(id, _)| *id).collect();
    let served: Vec<_> = works
        .iter()
        .map(|(id, work)| (*id, [(name.as_str(), work.as_ref())]))
        .collect();
    measure::serve(&json!({ "ids": ids }), &served);
}

/// Verifying `text`, which the library has to accept, and has to refuse when it was tampered with.
fn verifying(id: &'static str, of: &Value, verify: impl Fn(&str) -> Outcome + 'static) -> Work {
    let text = string(of, "text");
    if let Err(error) = verify(&text) {
        panic!("{id}: our credential is refused: {error}");
    }
    assert!(
        verify(&string(of, "tampered")).is_err(),
        "{id}: what was tampered with is accepted"
    );
    (id, Box::new(move || verify(&text).expect("our credential")))
}

fn string(of: &Value, name: &str) -> String {
    of[name].as_str().expect("text").to_owned()
}
