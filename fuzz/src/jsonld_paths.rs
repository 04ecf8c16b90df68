//! The direct path to canonical N-Quads against the general one, in result and refusal: for a document as it
//! comes, and for one that the bytes describe, which the direct path takes more often.

use std::sync::LazyLock;

use jsonld::ContextLoader;
use keys::json;
use keys::json::DEFAULT_LIMITS;
use serde_json::Value;

#[path = "../../crates/jsonld/tests/documents/comparison.rs"]
mod comparison;
#[path = "../../crates/jsonld/tests/documents/generator.rs"]
mod generator;

static LOADER: LazyLock<ContextLoader> = LazyLock::new(generator::loader);

/// Input that begins with a brace is JSON.
pub fn fuzz(data: &[u8]) {
    let document = if data.first() == Some(&b'{') {
        match json::parse(data, DEFAULT_LIMITS) {
            Ok(Value::Object(document)) => document,
            Ok(_) | Err(_) => return,
        }
    } else {
        generator::document(data)
    };
    comparison::compare(&document, &LOADER);
}
