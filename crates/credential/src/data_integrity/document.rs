//! Checks that the JSON of a document says what its signature covers (see the module above).

use jsonld::ContextLoader;
use serde_json::Map;
use serde_json::Value;
use thiserror::Error;

use super::MAX_CONTEXTS;
use crate::integrity::IntegrityError;
use crate::vc::ProblemType;
use crate::vc::RelatedResource;

/// Levels of a document; foreign text is parsed with at most 32.
const MAX_DEPTH: usize = 64;

/// The largest integer up to which doubles count by ones.
const MAX_INTEGER: u64 = 1 << 53;

/// The author's fault, or of whoever changed the document; [`DocumentError::UnknownContext`] may also be ours.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum DocumentError {
    /// `relatedResource` says that a context is another than the one we would use, or we have not got its bytes.
    #[error("expected the context `{url}` with the digest that the document tells")]
    ContextDigest {
        /// Its URL.
        url: String,
        /// What is wrong; `None` when the context was registered without its bytes.
        source: Option<IntegrityError>,
    },
    /// Something about the credential or its subject stands at another place, where a reader would miss it.
    #[error("expected everything about an id in one place, found more at `{property}`")]
    DescribedElsewhere {
        /// The property below which it was found.
        property: String,
    },
    /// `@context` holds more than URLs where only URLs are taken, or stands below the top.
    #[error("expected `@context` as at most {MAX_CONTEXTS} URLs at the top of the document")]
    InlineContext,
    /// An integer that implementations read differently.
    #[error("expected integers within 2^53, found a larger one at `{property}`")]
    LargeInteger {
        /// The property that has it.
        property: String,
    },
    /// Nested deeper than any credential.
    #[error("expected at most {MAX_DEPTH} levels, found more")]
    TooDeep,
    /// A context that we do not know, so we cannot tell what the document means.
    #[error("expected known contexts, found `{url}`")]
    UnknownContext {
        /// Its URL.
        url: String,
    },
}

/// Checks the contexts and integers of a document that stands by itself.
pub(super) fn check(document: &Map<String, Value>, contexts: &ContextLoader) -> Result<(), DocumentError> {
    let urls = if contexts.accepts_embedded() {
        check_form(document)?;
        context_items(document).iter().filter_map(Value::as_str).collect()
    } else {
        context_urls(document)?
    };
    for url in urls {
        if !contexts.contains(url) {
            return Err(DocumentError::UnknownContext { url: url.to_owned() });
        }
    }
    for (property, value) in document.iter().filter(|(key, _)| *key != "@context") {
        check_value(value, property, 0)?;
    }
    Ok(())
}

impl DocumentError {
    /// The `type` of a problem report.
    #[must_use]
    pub const fn problem_type(&self) -> ProblemType {
        match self {
            Self::ContextDigest { .. } => ProblemType::CryptographicSecurityError,
            Self::DescribedElsewhere { .. } | Self::InlineContext | Self::TooDeep => ProblemType::MalformedValueError,
            Self::LargeInteger { .. } => ProblemType::RangeError,
            Self::UnknownContext { .. } => ProblemType::ProofTransformationError,
        }
    }
}

/// Checks the contexts of a document that its `relatedResource` names: we are about to make use of them
/// ([integrity of related resources](https://www.w3.org/TR/vc-data-model-2.0/#integrity-of-related-resources)).
pub(super) fn check_context_digests(
    document: &Map<String, Value>,
    resources: &[RelatedResource],
    contexts: &ContextLoader,
) -> Result<(), DocumentError> {
    let items = context_items(document);
    let is_context = |resource: &&RelatedResource| items.iter().any(|item| item == resource.id());
    for resource in resources.iter().filter(is_context) {
        let verified = match contexts.text(resource.id()) {
            None => Err(None),
            Some(text) => resource.verify(text.as_bytes()).map_err(Some),
        };
        verified.map_err(|source| DocumentError::ContextDigest {
            url: resource.id().to_owned(),
            source,
        })?;
    }
    Ok(())
}

/// Checks that the credential and its subjects have all their properties where a reader looks for them.
///
/// In JSON-LD everything with one `id` is one thing, so `validUntil` could also stand in some object far below
/// that has the credential's `id`; the RDF would be the same.
pub(super) fn check_places(document: &Map<String, Value>) -> Result<(), DocumentError> {
    let subjects: Vec<&Map<String, Value>> = match document.get("credentialSubject") {
        Some(Value::Array(subjects)) => subjects.iter().filter_map(Value::as_object).collect(),
        Some(Value::Object(subject)) => vec![subject],
        _ => Vec::new(),
    };
    let ids: Vec<&Value> = subjects
        .iter()
        .filter_map(|subject| subject.get("id"))
        .chain(document.get("id"))
        .collect();
    for (position, id) in ids.iter().enumerate() {
        if ids.iter().skip(position + 1).any(|other| other == id) {
            return Err(DocumentError::DescribedElsewhere {
                property: "credentialSubject".to_owned(),
            });
        }
    }
    let is_home = |key: &str| matches!(key, "@context" | "credentialSubject");
    let below_subjects = subjects.iter().copied().flatten();
    let elsewhere = document.iter().filter(|(key, _)| !is_home(key)).chain(below_subjects);
    for (property, value) in elsewhere {
        check_not_described(value, &ids, property)?;
    }
    Ok(())
}

/// Checks that the contexts could be used by somebody: few, and URLs or objects. Which are taken is the loader's to say.
pub(super) fn check_form(document: &Map<String, Value>) -> Result<(), DocumentError> {
    let items = context_items(document);
    if items.len() <= MAX_CONTEXTS && items.iter().all(|item| item.is_string() || item.is_object()) {
        return Ok(());
    }
    Err(DocumentError::InlineContext)
}

fn context_items(document: &Map<String, Value>) -> &[Value] {
    match document.get("@context") {
        None => &[],
        Some(Value::Array(items)) => items,
        Some(single) => std::slice::from_ref(single),
    }
}

/// The contexts of a document: URLs only.
pub(crate) fn context_urls(document: &Map<String, Value>) -> Result<Vec<&str>, DocumentError> {
    let urls: Option<Vec<&str>> = context_items(document).iter().map(Value::as_str).collect();
    urls.filter(|urls| urls.len() <= MAX_CONTEXTS)
        .ok_or(DocumentError::InlineContext)
}

fn check_value(value: &Value, property: &str, depth: usize) -> Result<(), DocumentError> {
    if depth > MAX_DEPTH {
        return Err(DocumentError::TooDeep);
    }
    match value {
        Value::Number(number) => {
            let magnitude = number.as_i64().map(i64::unsigned_abs).or_else(|| number.as_u64());
            if magnitude.is_some_and(|magnitude| magnitude > MAX_INTEGER) {
                return Err(DocumentError::LargeInteger {
                    property: property.to_owned(),
                });
            }
        }
        Value::Array(items) => {
            for item in items {
                check_value(item, property, depth + 1)?;
            }
        }
        Value::Object(map) => {
            for (key, value) in map {
                if key == "@context" {
                    return Err(DocumentError::InlineContext);
                }
                check_value(value, key, depth + 1)?;
            }
        }
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
    Ok(())
}

/// The depth was checked before, with the contexts.
fn check_not_described(value: &Value, ids: &[&Value], property: &str) -> Result<(), DocumentError> {
    match value {
        Value::Array(items) => items
            .iter()
            .try_for_each(|item| check_not_described(item, ids, property)),
        Value::Object(map) => {
            // A bare reference says nothing.
            if map.len() > 1 && map.get("id").is_some_and(|id| ids.contains(&id)) {
                return Err(DocumentError::DescribedElsewhere {
                    property: property.to_owned(),
                });
            }
            map.iter()
                .try_for_each(|(key, value)| check_not_described(value, ids, key))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
    }
}
