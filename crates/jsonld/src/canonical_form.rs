//! From JSON to the canonical form in one call.

use serde_json::Map;
use serde_json::Value;

use crate::CanonicalizationError;
use crate::Error;
use crate::HashAlgorithm;
use crate::Options;
use crate::canonicalize;
use crate::direct;
use crate::to_rdf;

/// Why a document has no canonical form: its author's fault, apart from [`Error::UnknownContext`], which may be
/// ours.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum CanonicalFormError {
    /// Its blank nodes cannot be told apart with bearable work.
    #[error("the document is too hard to canonicalize")]
    Canonicalization(#[from] CanonicalizationError),
    /// It is not processed.
    #[error("the document is refused")]
    JsonLd(#[from] Error),
}

/// The canonical N-Quads of `document`: what [`canonicalize`] makes of the result of [`to_rdf`], for most
/// documents without either. With `context`, that stands in the place of the document's own `@context`.
///
/// # Errors
/// [`CanonicalFormError`], as those two have it.
pub fn canonical_n_quads(
    document: &Map<String, Value>,
    context: Option<&Value>,
    options: &Options<'_>,
    algorithm: HashAlgorithm,
    max_work: usize,
) -> Result<String, CanonicalFormError> {
    if let Some(n_quads) = direct_n_quads(document, context, options, algorithm) {
        return Ok(n_quads);
    }
    let mut document = document.clone();
    if let Some(context) = context {
        document.insert("@context".to_owned(), context.clone());
    }
    let dataset = to_rdf(&Value::Object(document), options)?;
    Ok(canonicalize(&dataset, algorithm, max_work)?.n_quads)
}

/// Checks that `document` has statements to make: what [`to_rdf`] would refuse is refused.
///
/// # Errors
/// [`Error`], as [`to_rdf`] has it.
pub fn check(document: &Map<String, Value>, options: &Options<'_>) -> Result<(), Error> {
    if direct::takes(document, options) {
        return Ok(());
    }
    to_rdf(&Value::Object(document.clone()), options).map(drop)
}

/// The direct path of [`canonical_n_quads`] alone. `None` says nothing about the document but that the general
/// path has to decide.
#[must_use]
pub fn direct_n_quads(
    document: &Map<String, Value>,
    context: Option<&Value>,
    options: &Options<'_>,
    algorithm: HashAlgorithm,
) -> Option<String> {
    direct::n_quads(document, context, options, algorithm)
}
