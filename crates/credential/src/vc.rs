//! The W3C Verifiable Credentials Data Model 2.0 (<https://www.w3.org/TR/vc-data-model-2.0/>) as far as plain
//! JSON shows it: which properties there are and what shape they have.
//!
//! Credentials of version 1.1 are read where they are received ([`CredentialProperties::read_received`]), and where
//! somebody asks for that version by its name ([`CredentialProperties::read_1_1`]).
//!
//! Not done here: anything that needs the meaning of `@context` (undefined or redefined terms, types that map
//! to no URL). That belongs to Data Integrity, which processes JSON-LD.

mod credential;
mod credential_schema;
mod envelope;
mod language;
mod presentation;
mod problem;
mod related_resource;
mod version;

#[cfg(test)]
mod tests;

pub use credential::CredentialProperties;
pub use credential_schema::CredentialSchema;
pub use credential_schema::DIALECT;
pub use credential_schema::JsonSchema;
pub use credential_schema::MAX_SCHEMA_BYTES;
pub use credential_schema::SchemaError;
pub use credential_schema::SchemaEvaluator;
pub use credential_schema::SchemaKind;
pub use credential_schema::SchemaOutcome;
pub use envelope::ENVELOPED_CREDENTIAL;
pub use envelope::ENVELOPED_PRESENTATION;
pub use envelope::Envelope;
pub use envelope::envelope_of_credential;
pub use presentation::PresentationProperties;
pub use problem::ProblemType;
pub use related_resource::RelatedResource;
pub use version::BASE_CONTEXT_1_1;
pub use version::DataModelVersion;

use keys::Timestamp;
use serde_json::Map;
use serde_json::Value;
use thiserror::Error;

use crate::registered_claims::ValidityError;
use crate::status_list::StatusReferenceError;
use crate::status_list::is_uri;

/// The context that every document begins with.
pub const BASE_CONTEXT: &str = "https://www.w3.org/ns/credentials/v2";

/// The context that stands last where a document uses terms that no other context defines
/// ([semantic interoperability](https://www.w3.org/TR/vc-data-model-2.0/#semantic-interoperability)).
const UNDEFINED_TERMS: &str = "https://www.w3.org/ns/credentials/undefined-terms/v2";

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

/// `@context`: an array with the base context first, then URLs and objects, none of the URLs twice
/// ([contexts](https://www.w3.org/TR/vc-data-model-2.0/#contexts)).
fn check_context(document: &Map<String, Value>, base: &str) -> Result<(), DataModelError> {
    let expected = "an ordered set of the base context, then URLs or objects";
    let malformed = || malformed("@context", expected);
    let contexts = document.get("@context").and_then(Value::as_array);
    let contexts = contexts.ok_or_else(malformed)?;
    if contexts.first().and_then(Value::as_str) != Some(base) {
        return Err(malformed());
    }
    let mut urls: Vec<&str> = contexts.iter().filter_map(Value::as_str).collect();
    urls.sort_unstable();
    let is_unique = urls
        .windows(2)
        .all(|pair| !matches!(pair, [one, other] if one == other));
    // The base contexts exclude one another.
    let is_url = |url: &&str| is_uri(url) && (*url == base || !is_base_context(url));
    let fits = |context: &Value| context.is_string() || context.is_object();
    let is_last = |position| position + 1 == contexts.len();
    let undefined_terms = contexts.iter().position(|context| context == UNDEFINED_TERMS);
    if contexts.iter().all(fits) && urls.iter().all(is_url) && is_unique && undefined_terms.is_none_or(is_last) {
        Ok(())
    } else {
        Err(malformed())
    }
}

fn is_base_context(url: &str) -> bool {
    matches!(url, BASE_CONTEXT | BASE_CONTEXT_1_1)
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

/// At least one term or URL, and nothing else.
fn read_type_strings(object: &Map<String, Value>) -> Option<Vec<&str>> {
    let types: Vec<&str> = one_or_many(object.get("type")?)
        .map(|value| value.as_str().filter(|text| is_term_or_url(text)))
        .collect::<Option<_>>()?;
    (!types.is_empty()).then_some(types)
}

/// A [term](https://www.w3.org/TR/json-ld11/#terms) has no colon, so that it cannot be taken for a URL, and does not look
/// like a keyword.
fn is_term_or_url(text: &str) -> bool {
    let is_term = !text.is_empty() && !text.starts_with('@') && !text.contains(char::is_whitespace);
    if text.contains(':') { is_uri(text) } else { is_term }
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

/// A `dateTimeStamp`, if present. One without an offset would
/// [mean UTC](https://www.w3.org/TR/vc-data-model-2.0/#representing-time), but a document that has one does not conform.
fn optional_time(document: &Map<String, Value>, property: &'static str) -> Result<Option<Timestamp>, DataModelError> {
    let Some(value) = document.get(property) else {
        return Ok(None);
    };
    let time = value
        .as_str()
        .and_then(|text| Timestamp::parse_date_time_stamp(text).ok());
    time.map(Some).ok_or_else(|| malformed(property, "a dateTimeStamp"))
}

/// Objects that each have a `type`, and an `id` that is one URL if any; a single one may stand without an array.
fn typed_objects<'a>(
    document: &'a Map<String, Value>,
    property: &'static str,
) -> Result<Vec<&'a Map<String, Value>>, DataModelError> {
    let objects = read_objects(document, property)?;
    for object in &objects {
        read_type_strings(object).ok_or_else(|| malformed(property, "one or more objects with a type"))?;
        optional_id(object, property)?;
    }
    Ok(objects)
}

/// The value of a property as one or more objects.
fn read_objects<'a>(
    document: &'a Map<String, Value>,
    property: &'static str,
) -> Result<Vec<&'a Map<String, Value>>, DataModelError> {
    let Some(value) = document.get(property) else {
        return Ok(Vec::new());
    };
    let objects: Option<Vec<_>> = one_or_many(value).map(Value::as_object).collect();
    objects
        .filter(|objects| !objects.is_empty())
        .ok_or_else(|| malformed(property, "one or more objects"))
}

fn one_or_many(value: &Value) -> impl Iterator<Item = &Value> {
    match value {
        Value::Array(items) => items.iter(),
        single => std::slice::from_ref(single).iter(),
    }
}
