//! Documents made to be expensive end in an error early, and good ones stay below the limits. How long each takes is
//! measured in `benches/benches/operations.rs`.

use jsonld::CanonicalizationError;
use jsonld::ContextLoader;
use jsonld::Error;
use jsonld::ErrorCode;
use jsonld::HashAlgorithm;
use jsonld::MAX_CANONICALIZATION_WORK;
use jsonld::Options;
use serde_json::Value;
use serde_json::json;

use crate::expensive::POISON;
use crate::expensive::alike;
use crate::expensive::many_contexts;
use crate::expensive::many_elements;
use crate::expensive::many_prefixes;
use crate::expensive::nested;
use crate::expensive::ring;
use crate::expensive::unfolding;

fn strict(document: &Value) -> Result<jsonld::Dataset, Error> {
    jsonld::to_rdf(document, &Options::strict(&ContextLoader::bundled()))
}

#[test]
fn poison_graphs_end_within_the_bound() {
    for (what, document) in POISON {
        let dataset = strict(&document()).unwrap();
        let error = jsonld::canonicalize(&dataset, HashAlgorithm::Sha256, MAX_CANONICALIZATION_WORK).unwrap_err();
        assert!(
            matches!(
                error,
                CanonicalizationError::TooDeep { .. } | CanonicalizationError::TooMuchWork { .. }
            ),
            "{what}: {error}"
        );
    }
}

#[test]
fn many_blank_nodes_that_look_alike_are_no_poison() {
    let dataset = strict(&alike(500)).unwrap();
    let canonical = jsonld::canonicalize(&dataset, HashAlgorithm::Sha256, MAX_CANONICALIZATION_WORK);
    assert_eq!(canonical.unwrap().labels.len(), 500);
    let dataset = strict(&ring(8)).unwrap();
    jsonld::canonicalize(&dataset, HashAlgorithm::Sha256, MAX_CANONICALIZATION_WORK).unwrap();
}

/// What the document has too much of.
fn exceeded(document: &Value) -> &'static str {
    match strict(document) {
        Err(Error::LimitExceeded { what, .. }) => what,
        other => panic!("expected a limit that is exceeded, found {other:?}"),
    }
}

#[test]
fn deep_documents_are_refused() {
    strict(&nested(60)).unwrap();
    assert_eq!(exceeded(&nested(70)), "levels of nesting");
}

#[test]
fn large_documents_are_refused() {
    assert_eq!(exceeded(&many_elements()), "JSON elements");
}

#[test]
fn documents_that_unfold_are_refused() {
    assert_eq!(exceeded(&unfolding()), "bytes of expanded IRIs");
}

#[test]
fn contexts_are_paid_for() {
    assert_eq!(exceeded(&many_contexts()), "term definitions");
}

#[test]
fn terms_that_depend_on_each_other_too_deep_are_refused() {
    let error = strict(&many_prefixes()).unwrap_err();
    assert_eq!(error.code(), Some(ErrorCode::ContextOverflow));
}

#[test]
fn contexts_that_include_each_other_are_refused() {
    let mut loader = ContextLoader::empty();
    loader.register("https://a.example/1", json!({"@context": "https://a.example/2"}));
    loader.register("https://a.example/2", json!({"@context": "https://a.example/1"}));
    let document = json!({"@context": "https://a.example/1", "@type": "https://a.example/T"});
    let error = jsonld::to_rdf(&document, &Options::strict(&loader)).unwrap_err();
    assert_eq!(error.code(), Some(ErrorCode::ContextOverflow));
}

#[test]
fn an_unknown_context_is_an_error_and_nothing_else() {
    let error = strict(&json!({"@context": "https://a.example/unknown"})).unwrap_err();
    assert_eq!(
        error,
        Error::UnknownContext {
            url: "https://a.example/unknown".to_owned()
        }
    );
}

#[test]
fn known_contexts_are_worked_out_once() {
    // A limit that the first document needs and the second could not pay for.
    let loader = ContextLoader::bundled();
    let document = json!({
        "@context": "https://www.w3.org/ns/credentials/v2",
        "type": "VerifiableCredential",
        "issuer": "did:web:agency.example",
        "credentialStatus": {"type": "BitstringStatusListEntry", "statusPurpose": "revocation"},
    });
    let nothing = jsonld::Limits {
        max_context_work: 0,
        ..jsonld::Limits::default()
    };
    let poor = Options::strict(&loader).with_limits(nothing);
    assert!(matches!(
        jsonld::to_rdf(&document, &poor),
        Err(Error::LimitExceeded { .. })
    ));
    let rich = jsonld::to_rdf(&document, &Options::strict(&loader)).unwrap();
    assert_eq!(jsonld::to_rdf(&document, &poor), Ok(rich));
}

#[test]
fn contexts_of_documents_are_not_kept() {
    let loader = ContextLoader::bundled();
    let document =
        |iri: &str| json!({"@context": {"p": {"@id": iri, "@context": {}}}, "p": {"@type": "https://a.example/T"}});
    let first = jsonld::to_rdf(&document("https://a.example/1"), &Options::strict(&loader)).unwrap();
    let second = jsonld::to_rdf(&document("https://a.example/2"), &Options::strict(&loader)).unwrap();
    assert_ne!(first, second);
}
