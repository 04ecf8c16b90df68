//! Resolves logs of did:webvh 1.0 with `didwebvh-rs`.
//!
//! Questions: `{"do": "resolve", "did_url", "log", "witness"?}` with the texts of `did.jsonl` and `did-witness.json`; the
//! version that is asked for stands in the query of `did_url`. Answers: `{"ok": true, "document", "version_id",
//! "deactivated"}`, or `{"ok": false, "error"}`. One question on standard input, or an array of them.

use std::io::Read;

use didwebvh_rs::log_entry::LogEntryMethods;
use didwebvh_rs::prelude::DIDWebVHState;
use serde_json::Value;
use serde_json::json;
use tokio::runtime::Runtime;

fn main() {
    let mut question = String::new();
    std::io::stdin().read_to_string(&mut question).expect("a question");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    let answer = match serde_json::from_str(&question).expect("JSON") {
        Value::Array(questions) => questions.iter().map(|question| answer(question, &runtime)).collect(),
        question => answer(&question, &runtime),
    };
    println!("{answer}");
}

fn answer(question: &Value, runtime: &Runtime) -> Value {
    let text = |name: &str| question[name].as_str();
    assert_eq!(text("do"), Some("resolve"), "the one question");
    let (did_url, log) = (text("did_url").expect("a DID URL"), text("log").expect("a log"));
    let mut state = DIDWebVHState::default();
    let resolved = runtime.block_on(state.resolve_log_owned(did_url, log, text("witness")));
    let resolved = resolved.and_then(|(entry, metadata)| Ok((entry.get_did_document()?, metadata)));
    match resolved {
        Ok((document, metadata)) => json!({
            "ok": true, "document": document, "version_id": metadata.version_id, "deactivated": metadata.deactivated,
        }),
        Err(error) => json!({"ok": false, "error": error.to_string()}),
    }
}
