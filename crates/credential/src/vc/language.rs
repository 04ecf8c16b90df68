//! Names and descriptions in several languages
//! ([language and base direction](https://www.w3.org/TR/vc-data-model-2.0/#language-and-base-direction)).

use serde_json::Map;
use serde_json::Value;

use super::DataModelError;
use super::malformed;

/// Checks `name` and `description` of a credential or an issuer, if present: a string, or one or more language value
/// objects.
pub(super) fn check_texts(object: &Map<String, Value>) -> Result<(), DataModelError> {
    for property in ["name", "description"] {
        let fits = match object.get(property) {
            None | Some(Value::String(_)) => true,
            Some(Value::Array(values)) => !values.is_empty() && values.iter().all(is_language_value),
            Some(value) => is_language_value(value),
        };
        if !fits {
            return Err(malformed(property, "a string or language value objects"));
        }
    }
    Ok(())
}

fn is_language_value(value: &Value) -> bool {
    let Some(object) = value.as_object() else { return false };
    let fits = |(name, value): (&String, &Value)| match (name.as_str(), value) {
        ("@value", Value::String(_)) => true,
        ("@language", Value::String(tag)) => is_language_tag(tag),
        ("@direction", Value::String(direction)) => matches!(direction.as_str(), "ltr" | "rtl"),
        _ => false,
    };
    object.contains_key("@value") && object.iter().all(fits)
}

/// The outer form of a [BCP 47](https://www.rfc-editor.org/rfc/rfc5646#section-2.1) tag, which no document without
/// mistakes lacks: subtags of one to eight letters and digits, the first without digits.
fn is_language_tag(tag: &str) -> bool {
    let mut subtags = tag.split('-');
    let is_language = |subtag: &str| subtag.bytes().all(|byte| byte.is_ascii_alphabetic());
    let fits =
        |subtag: &str| (1..=8).contains(&subtag.len()) && subtag.bytes().all(|byte| byte.is_ascii_alphanumeric());
    subtags.next().is_some_and(|first| fits(first) && is_language(first)) && subtags.all(fits)
}
