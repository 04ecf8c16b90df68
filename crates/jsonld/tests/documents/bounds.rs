//! Documents made to be expensive end in an error early, and good ones stay below the limits.
#![expect(clippy::disallowed_methods, reason = "how long it takes is what is tested")]

use std::fmt::Write as _;
use std::time::Duration;
use std::time::Instant;

use jsonld::CanonicalizationError;
use jsonld::ContextLoader;
use jsonld::Error;
use jsonld::ErrorCode;
use jsonld::HashAlgorithm;
use jsonld::MAX_CANONICALIZATION_WORK;
use jsonld::Options;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

/// An optimized build takes under 50 ms for each of these (`cargo test --release` prints it). Busy machines
/// get more before we call it unbounded.
const PATIENCE: Duration = Duration::from_millis(if cfg!(debug_assertions) { 1_000 } else { 100 });

fn timed<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = work();
    let took = start.elapsed();
    println!("{what}: {took:?}");
    assert!(took < PATIENCE, "{what} took {took:?}");
    result
}

fn strict(document: &Value) -> Result<jsonld::Dataset, Error> {
    jsonld::to_rdf(document, &Options::strict(&ContextLoader::bundled()))
}

/// A graph of `size` blank nodes where each refers to every other.
fn clique(size: usize) -> Value {
    let node = |number: usize| {
        let others: Vec<Value> = (0..size)
            .filter(|other| *other != number)
            .map(|other| json!({"@id": format!("_:n{other}")}))
            .collect();
        json!({"@id": format!("_:n{number}"), "https://a.example/knows": others})
    };
    json!({"@graph": (0..size).map(node).collect::<Vec<_>>()})
}

/// A ring of `size` blank nodes that all look alike.
fn ring(size: usize) -> Value {
    let node = |number: usize| {
        json!({
            "@id": format!("_:n{number}"),
            "https://a.example/next": {"@id": format!("_:n{}", (number + 1) % size)},
        })
    };
    json!({"@graph": (0..size).map(node).collect::<Vec<_>>()})
}

#[test]
fn poison_graphs_end_within_the_bound() {
    for (what, document) in [
        ("clique of 10", clique(10)),
        ("clique of 30", clique(30)),
        ("clique of 100", clique(100)),
        ("ring of 100", ring(100)),
        ("ring of 1000", ring(1_000)),
    ] {
        let dataset = strict(&document).unwrap();
        let result = timed(what, || {
            jsonld::canonicalize(&dataset, HashAlgorithm::Sha256, MAX_CANONICALIZATION_WORK)
        });
        let error = result.unwrap_err();
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
    let same: Vec<Value> = (0..500).map(|_| json!({"https://a.example/p": 1})).collect();
    let dataset = strict(&json!({"@id": "https://a.example/hub", "https://a.example/has": same})).unwrap();
    let canonical = timed("500 alike", || {
        jsonld::canonicalize(&dataset, HashAlgorithm::Sha256, MAX_CANONICALIZATION_WORK)
    });
    assert_eq!(canonical.unwrap().labels.len(), 500);
    let small = ring(8);
    let dataset = strict(&small).unwrap();
    jsonld::canonicalize(&dataset, HashAlgorithm::Sha256, MAX_CANONICALIZATION_WORK).unwrap();
}

#[test]
fn deep_documents_are_refused() {
    let nested = |levels: usize| {
        (0..levels).fold(
            json!({"https://a.example/p": 1}),
            |inner, _| json!({"https://a.example/p": inner}),
        )
    };
    strict(&nested(60)).unwrap();
    assert!(matches!(
        strict(&nested(70)),
        Err(Error::LimitExceeded {
            what: "levels of nesting",
            ..
        })
    ));
}

#[test]
fn large_documents_are_refused() {
    let items: Vec<Value> = (0..60_000).map(Value::from).collect();
    let document = json!({"https://a.example/p": items});
    let error = timed("60,000 elements", || strict(&document)).unwrap_err();
    assert!(
        matches!(
            error,
            Error::LimitExceeded {
                what: "JSON elements",
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn documents_that_unfold_are_refused() {
    let long = format!("https://a.example/{}", "x".repeat(4_000));
    let items: Vec<Value> = (0..40_000).map(|_| json!("t:a")).collect();
    let document = json!({"@context": {"t": {"@id": long, "@prefix": true}}, "@type": items});
    let error = timed("40,000 long types", || strict(&document)).unwrap_err();
    assert!(
        matches!(
            error,
            Error::LimitExceeded {
                what: "bytes of expanded IRIs",
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn contexts_are_paid_for() {
    // Each node loads a context with 300 terms again.
    let mut terms = Map::new();
    for number in 0..300 {
        let mut name = String::from("t");
        write!(name, "{number}").unwrap();
        terms.insert(name, json!("https://a.example/t"));
    }
    let nodes: Vec<Value> = (0..1_000)
        .map(|_| json!({"@context": terms, "https://a.example/p": 1}))
        .collect();
    let document = json!({"@graph": nodes});
    let error = timed("1,000 contexts", || strict(&document)).unwrap_err();
    assert!(
        matches!(
            error,
            Error::LimitExceeded {
                what: "term definitions",
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn terms_that_depend_on_each_other_too_deep_are_refused() {
    // Sorted by name, the first term needs all others.
    let mut terms = Map::new();
    for number in 0..5_000 {
        terms.insert(format!("t{number:05}"), json!(format!("t{:05}:x", number + 1)));
    }
    let document = json!({"@context": terms});
    let error = timed("5,000 prefixes", || strict(&document)).unwrap_err();
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
