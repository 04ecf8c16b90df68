//! What the words of a document mean: the contexts of W3C, those of its examples and test suites, those that the
//! registry has for credential types, and those written into the document itself. Nothing is fetched.
//!
//! This service acts on no claim, so documents may say themselves what they mean; who acts on one compares the contexts
//! with those that it knows for the type, as verdicts and wallets do.

use std::collections::BTreeSet;
use std::sync::Arc;

use jsonld::ContextLoader;
use keys::json;
use trust::TrustedBundle;
use trust::entry::DocumentRole;
use trust::state::SchemaRecord;

use crate::BundleError;
use crate::VcApi;

/// Contexts of examples and test suites, of which some give every word a meaning. Callers of this service say what they
/// mean themselves; verdicts and wallets do not know these.
const EXAMPLES: [(&str, &str); 3] = [
    (
        "https://www.w3.org/ns/credentials/examples/v2",
        include_str!("../../schemas/contexts/examples/examples-v2.jsonld"),
    ),
    (
        "https://www.w3.org/ns/credentials/undefined-terms/v2",
        include_str!("../../schemas/contexts/examples/undefined-terms-v2.jsonld"),
    ),
    (
        "https://w3id.org/vdl/v1",
        include_str!("../../schemas/contexts/examples/vdl-v1.jsonld"),
    ),
];

/// A context of a credential type has some hundred terms.
const LIMITS: json::Limits = json::Limits {
    max_bytes: 256 * 1024,
    max_depth: 16,
};

/// The contexts that every document may refer to.
pub(crate) fn bundled() -> ContextLoader {
    let mut loader = ContextLoader::bundled().accepting_embedded();
    for (url, text) in EXAMPLES {
        // A test below parses every one of them.
        loader.register(url, serde_json::from_str(text).unwrap_or_default());
    }
    loader
}

/// The contexts for a document that refers to `urls`; the registry is asked only if it has to be.
pub(crate) async fn loader<'u>(
    api: &VcApi,
    urls: impl Iterator<Item = &'u str>,
) -> Result<Arc<ContextLoader>, BundleError> {
    let unknown: BTreeSet<&str> = urls.filter(|url| !api.0.contexts.contains(url)).collect();
    if unknown.is_empty() {
        return Ok(Arc::clone(&api.0.contexts));
    }
    let bundle = api.0.registry.bundle().await?;
    Ok(Arc::new(with_registered(&bundle, &unknown)))
}

/// With those of `urls` that are registered. What nobody knows, the check of the document refuses.
fn with_registered(bundle: &TrustedBundle, urls: &BTreeSet<&str>) -> ContextLoader {
    let mut loader = bundled();
    let schemas = bundle.state().schemas().filter_map(SchemaRecord::schema);
    for document in schemas.flat_map(|schema| &schema.documents) {
        if document.role != DocumentRole::Context || !urls.contains(document.uri.as_str()) {
            continue;
        }
        let bytes = bundle.schema_document(document);
        if let Some(context) = bytes.and_then(|bytes| json::parse(bytes, LIMITS).ok()) {
            loader.register(&document.uri, context);
        }
    }
    loader
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_context_of_the_examples_is_read_and_named_in_its_source() {
        let source = include_str!("../../schemas/contexts/examples/SOURCE");
        for (url, text) in EXAMPLES {
            let document: serde_json::Value = serde_json::from_str(text).unwrap();
            assert!(document["@context"].is_object(), "{url}");
            assert!(source.contains(url), "{url}");
            assert!(!ContextLoader::bundled().contains(url), "{url}");
            assert!(bundled().contains(url), "{url}");
        }
    }
}
