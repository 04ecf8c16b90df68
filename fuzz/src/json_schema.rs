//! A schema and a document, `[schema, document]`: the evaluation ends, and says the same twice.

use credential::vc::MAX_SCHEMA_BYTES;
use credential::vc::SchemaEvaluator as _;
use json_schema::Evaluator;
use keys::json;
use serde_json::Value;

/// As deep and as large as what a credential brings.
pub fn fuzz(data: &[u8]) {
    let limits = json::Limits {
        max_bytes: MAX_SCHEMA_BYTES,
        ..json::DEFAULT_LIMITS
    };
    let Ok(Value::Array(pair)) = json::parse(data, limits) else {
        return;
    };
    if let [schema, document] = pair.as_slice() {
        let outcome = Evaluator.evaluate(schema, document);
        assert_eq!(outcome, Evaluator.evaluate(schema, document));
    }
}
