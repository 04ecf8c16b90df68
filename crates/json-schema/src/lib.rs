//! [`Evaluator`]: [`SchemaEvaluator`] on the library `jsonschema`, for whoever gives verdicts
//! ([VC JSON Schema](https://www.w3.org/TR/vc-json-schema/#evaluation); JSON Schema
//! [2020-12](https://json-schema.org/draft/2020-12/json-schema-core)).
//!
//! In scope: one schema and one document. Out of scope: where schemas come from, and what an outcome means for a verdict.
//!
//! Nothing is retrieved: the library is built without its retrievers, and `bounds.rs` refuses a `$ref` to another document
//! before it sees the schema. Patterns run on an engine without backtracking, so that look-around and back-references are
//! refused. `format` is asserted, as the examples of the Recommendation have it.

mod bounds;

use credential::vc::SchemaEvaluator;
use jsonschema::Draft;
use jsonschema::PatternOptions;
use serde_json::Value;

/// Bytes of one compiled pattern. A date takes 4 KiB, and a name of a hundred letters of any alphabet 200 KiB.
const MAX_PATTERN_BYTES: usize = 1 << 20;

/// Evaluates with a library. It has no state: a schema is compiled each time, which costs less than a signature.
#[derive(Clone, Copy, Debug, Default)]
pub struct Evaluator;

impl SchemaEvaluator for Evaluator {
    fn evaluate(&self, schema: &Value, document: &Value) -> Option<bool> {
        if !bounds::hold(schema) {
            return None;
        }
        let patterns = PatternOptions::regex()
            .size_limit(MAX_PATTERN_BYTES)
            .dfa_size_limit(MAX_PATTERN_BYTES);
        let validator = jsonschema::options()
            .with_draft(Draft::Draft202012)
            .offline()
            .should_validate_formats(true)
            .with_pattern_options(patterns)
            .build(schema)
            .ok()?;
        Some(validator.is_valid(document))
    }
}

#[cfg(test)]
mod tests;
