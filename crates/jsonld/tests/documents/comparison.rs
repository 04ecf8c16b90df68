//! Both paths on one document. (The fuzz target `jsonld_paths` includes this file.)

use jsonld::CanonicalFormError;
use jsonld::ContextLoader;
use jsonld::HashAlgorithm;
use jsonld::Options;
use jsonld::RdfDirection;
use serde_json::Map;
use serde_json::Value;

/// Steps that the general path may take to tell blank nodes apart: enough to see a difference, not to take long.
const MAX_WORK: usize = 10_000;

/// Compares the result or the refusal in each mode, with each hash, and with the context given apart. Says
/// whether compact mode took the direct path.
///
/// # Panics
/// When the paths differ.
pub(crate) fn compare(document: &Map<String, Value>, loader: &ContextLoader) -> bool {
    let hash = HashAlgorithm::Sha256;
    let options = Options::compact(loader);
    compare_with(document, &options, hash);
    compare_with(document, &Options::strict(loader), hash);
    compare_with(document, &Options::lenient(loader), hash);
    compare_with(document, &options, HashAlgorithm::Sha384);
    compare_with(document, &options.with_rdf_direction(RdfDirection::Dropped), hash);
    compare_with(document, &options.with_base("https://base.example/"), hash);
    compare_apart(document, &options);
    jsonld::direct_n_quads(document, None, &options, hash).is_some()
}

fn compare_with(document: &Map<String, Value>, options: &Options<'_>, hash: HashAlgorithm) {
    let general = general(document, options, hash);
    assert_eq!(
        jsonld::canonical_n_quads(document, None, options, hash, MAX_WORK),
        general
    );
    let statements = jsonld::to_rdf(&Value::Object(document.clone()), options);
    assert_eq!(jsonld::check(document, options), statements.map(drop));
    // Not only what is passed on: the direct path by itself takes nothing that the general one refuses.
    if let Some(direct) = jsonld::direct_n_quads(document, None, options, hash) {
        assert_eq!(Ok(direct), general);
    }
}

/// The document with another context, which is given apart and in the document.
fn compare_apart(document: &Map<String, Value>, options: &Options<'_>) {
    let mut without = document.clone();
    let Some(context) = without.remove("@context") else {
        return;
    };
    let hash = HashAlgorithm::Sha256;
    let apart = jsonld::canonical_n_quads(&without, Some(&context), options, hash, MAX_WORK);
    assert_eq!(apart, general(document, options, hash));
    without.insert("@context".to_owned(), Value::from("https://replaced.example"));
    assert_eq!(
        jsonld::canonical_n_quads(&without, Some(&context), options, hash, MAX_WORK),
        apart
    );
}

fn general(
    document: &Map<String, Value>,
    options: &Options<'_>,
    hash: HashAlgorithm,
) -> Result<String, CanonicalFormError> {
    let dataset = jsonld::to_rdf(&Value::Object(document.clone()), options)?;
    Ok(jsonld::canonicalize(&dataset, hash, MAX_WORK)?.n_quads)
}
