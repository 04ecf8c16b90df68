//! Names and descriptions in several languages
//! ([language and base direction](https://www.w3.org/TR/vc-data-model-2.0/#language-and-base-direction)).

use serde_json::Map;
use serde_json::Value;

use super::DataModelError;
use super::malformed;
use super::one_or_many;

/// Checks `name` and `description` of a credential or an issuer, if present: strings or language value objects.
pub(super) fn check_texts(object: &Map<String, Value>) -> Result<(), DataModelError> {
    for property in ["name", "description"] {
        let Some(value) = object.get(property) else { continue };
        if !one_or_many(value).all(is_text) {
            return Err(malformed(property, "a string or language value objects"));
        }
    }
    Ok(())
}

fn is_text(value: &Value) -> bool {
    match value {
        Value::String(_) => true,
        Value::Object(object) => {
            let has_value = object.get("@value").is_some_and(Value::is_string);
            let known = |name: &str| matches!(name, "@value" | "@language" | "@direction");
            has_value && object.iter().all(|(name, value)| known(name) && value.is_string())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => false,
    }
}
