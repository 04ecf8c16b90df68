//! The W3C Verifiable Credentials Data Model 2.0 (<https://www.w3.org/TR/vc-data-model-2.0/>) as far as plain
//! JSON shows it: which properties there are and what shape they have.
//!
//! Not done here: anything that needs the meaning of `@context` (undefined or redefined terms, types that map
//! to no URL). That belongs to Data Integrity, which processes JSON-LD.

mod credential;
mod language;
mod presentation;

pub use credential::CredentialProperties;
pub use presentation::ENVELOPED_CREDENTIAL;
pub use presentation::PresentationProperties;

use keys::Timestamp;
use serde_json::Map;
use serde_json::Value;
use thiserror::Error;

use crate::registered_claims::ValidityError;
use crate::status_list::StatusReferenceError;
use crate::status_list::is_uri;

/// The context that every document begins with.
pub const BASE_CONTEXT: &str = "https://www.w3.org/ns/credentials/v2";

/// The context that every document of the [data model 1.1](https://www.w3.org/TR/vc-data-model-1.1/) begins with.
pub const BASE_CONTEXT_1_1: &str = "https://www.w3.org/2018/credentials/v1";

/// The type that every credential has.
pub const CREDENTIAL_TYPE: &str = "VerifiableCredential";

/// The type that every presentation has.
pub const PRESENTATION_TYPE: &str = "VerifiablePresentation";

/// The fault of the document's author.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum DataModelError {
    /// A property is missing or malformed. Only its name is told.
    #[error("expected `{property}` as {expected}, found something else or nothing")]
    Property {
        /// Which property.
        property: &'static str,
        /// What belongs there.
        expected: &'static str,
    },
    /// A status entry of a known type is malformed.
    #[error("a `credentialStatus` entry is not read")]
    Status(#[from] StatusReferenceError),
    /// `validFrom` or `validUntil` excludes the time of checking.
    #[error("the credential is not valid now")]
    Validity(#[from] ValidityError),
}

const fn malformed(property: &'static str, expected: &'static str) -> DataModelError {
    DataModelError::Property { property, expected }
}

/// `@context`: the base context first, then URLs and objects
/// ([contexts](https://www.w3.org/TR/vc-data-model-2.0/#contexts)).
fn check_context(document: &Map<String, Value>) -> Result<(), DataModelError> {
    check_context_with(document, BASE_CONTEXT)
}

fn check_context_with(document: &Map<String, Value>, base: &str) -> Result<(), DataModelError> {
    let expected = "the context of the data model, then URLs or objects";
    let malformed = || malformed("@context", expected);
    let mut contexts = one_or_many(document.get("@context").ok_or_else(malformed)?);
    if contexts.next().and_then(Value::as_str) != Some(base) {
        return Err(malformed());
    }
    let fits = |context: &Value| context.is_object() || context.as_str().is_some_and(is_uri);
    if contexts.all(fits) { Ok(()) } else { Err(malformed()) }
}

/// `type`: non-empty strings, among them `base` ([types](https://www.w3.org/TR/vc-data-model-2.0/#types)).
fn read_types<'a>(document: &'a Map<String, Value>, base: &str) -> Result<Vec<&'a str>, DataModelError> {
    let malformed = || malformed("type", "terms or URLs, with the one of the document's kind");
    let types = read_type_strings(document).ok_or_else(malformed)?;
    if types.contains(&base) {
        Ok(types)
    } else {
        Err(malformed())
    }
}

/// At least one string, and nothing but strings without white space.
fn read_type_strings(object: &Map<String, Value>) -> Option<Vec<&str>> {
    let is_type = |text: &&str| !text.is_empty() && !text.contains(char::is_whitespace);
    let types: Vec<&str> = one_or_many(object.get("type")?)
        .map(|value| value.as_str().filter(is_type))
        .collect::<Option<_>>()?;
    (!types.is_empty()).then_some(types)
}

/// `id`: one URL, if present ([identifiers](https://www.w3.org/TR/vc-data-model-2.0/#identifiers)).
fn optional_id<'a>(object: &'a Map<String, Value>, property: &'static str) -> Result<Option<&'a str>, DataModelError> {
    let Some(id) = object.get("id") else { return Ok(None) };
    let id = id.as_str().filter(|id| is_uri(id));
    id.map(Some).ok_or_else(|| malformed(property, "with one URL as id"))
}

/// A URL, or an object that has one as `id`: `issuer` and `holder`.
fn identified<'a>(value: &'a Value, property: &'static str) -> Result<&'a str, DataModelError> {
    let id = match value {
        Value::Object(object) => object.get("id").unwrap_or(&Value::Null),
        other => other,
    };
    let id = id.as_str().filter(|id| is_uri(id));
    id.ok_or_else(|| malformed(property, "a URL or an object with a URL as id"))
}

/// A `dateTimeStamp`, if present.
fn optional_time(document: &Map<String, Value>, property: &'static str) -> Result<Option<Timestamp>, DataModelError> {
    let Some(value) = document.get(property) else {
        return Ok(None);
    };
    let time = value.as_str().and_then(|text| Timestamp::parse_rfc3339(text).ok());
    time.map(Some)
        .ok_or_else(|| malformed(property, "a date and time with an offset"))
}

/// Each must be an object with a `type`; a single one may stand without an array.
fn typed_objects<'a>(
    document: &'a Map<String, Value>,
    property: &'static str,
) -> Result<Vec<&'a Map<String, Value>>, DataModelError> {
    let Some(value) = document.get(property) else {
        return Ok(Vec::new());
    };
    let malformed = || malformed(property, "objects with a type");
    let typed = |value: &'a Value| value.as_object().filter(|object| read_type_strings(object).is_some());
    let objects: Vec<_> = one_or_many(value)
        .map(typed)
        .collect::<Option<_>>()
        .ok_or_else(malformed)?;
    for object in &objects {
        optional_id(object, property)?;
    }
    Ok(objects)
}

fn one_or_many(value: &Value) -> impl Iterator<Item = &Value> {
    match value {
        Value::Array(items) => items.iter(),
        single => std::slice::from_ref(single).iter(),
    }
}
