//! The direct path gives what the general path gives, for documents of every kind.

use std::sync::LazyLock;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

use jsonld::ContextLoader;
use jsonld::HashAlgorithm;
use jsonld::Limits;
use jsonld::MAX_CANONICALIZATION_WORK;
use jsonld::Options;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::comparison::compare;
use crate::generator;

static LOADER: LazyLock<ContextLoader> = LazyLock::new(generator::loader);

fn map(value: Value) -> Map<String, Value> {
    let Value::Object(map) = value else {
        panic!("expected an object, found {value}");
    };
    map
}

fn is_direct(document: Value) -> bool {
    let document = map(document);
    compare(&document, &LOADER)
}

#[test]
fn generated_documents_come_to_the_same() {
    static DIRECT: AtomicUsize = AtomicUsize::new(0);
    static ALL: AtomicUsize = AtomicUsize::new(0);
    let mut runner = proptest::test_runner::TestRunner::new(proptest::test_runner::Config {
        cases: 400,
        failure_persistence: None,
        ..proptest::test_runner::Config::default()
    });
    runner
        .run(&proptest::collection::vec(proptest::num::u8::ANY, 0..80), |bytes| {
            ALL.fetch_add(1, Ordering::Relaxed);
            if compare(&generator::document(&bytes), &LOADER) {
                DIRECT.fetch_add(1, Ordering::Relaxed);
            }
            Ok(())
        })
        .unwrap();
    let (direct, all) = (DIRECT.load(Ordering::Relaxed), ALL.load(Ordering::Relaxed));
    println!("{direct} of {all} documents took the direct path");
    assert!(direct * 8 > all, "{direct} of {all}");
}

#[test]
fn genuine_documents_take_the_direct_path() {
    for template in 0..7 {
        let document = generator::document(&[template]);
        // Only the first has a type that nothing defines, and so is refused.
        assert_eq!(compare(&document, &LOADER), template > 0, "{template}");
    }
}

/// What is added to a thing, and whether the direct path still takes it.
fn with(context: &str, name: &str, value: Value) -> bool {
    let mut document = map(json!({"@context": [generator::PLAIN, context], "id": "urn:x:0", "plain": 1}));
    let is_left_whole = [generator::ALIASES, generator::LANGUAGE].contains(&context);
    assert_ne!(compare(&document, &LOADER), is_left_whole, "{context}");
    document.insert(name.to_owned(), value);
    is_direct(Value::Object(document))
}

#[test]
fn what_the_direct_path_takes() {
    for (context, name, value) in [
        (generator::PLAIN, "data", Value::Null),
        (generator::PLAIN, "double", json!([1, "x", true])),
        (generator::PLAIN, "fresh", json!({})),
        (
            generator::PLAIN,
            "fresh",
            json!({"@context": generator::PLAIN, "plain": 1}),
        ),
        (generator::PLAIN, "graph", json!({"id": "urn:x:1"})),
        (generator::PLAIN, "kind", json!("Thing")),
        (generator::PLAIN, "link", json!(1)),
        (generator::PLAIN, "links", json!(["urn:x:1", "urn:x:1"])),
        (generator::PLAIN, "list", json!([])),
        (generator::PLAIN, "list", json!({"@value": "x", "@language": "EN-nz"})),
        (generator::PLAIN, "node", json!({"within": 1})),
        (generator::PLAIN, "plain", json!({"@value": "x", "@direction": "rtl"})),
        (generator::PLAIN, "plain", json!({"@value": true})),
        (generator::PLAIN, "set", json!(["x", "y", "x"])),
        (generator::PLAIN, "type", json!(["Scoped", "Other", "Scoped"])),
        (generator::LOCAL, "here", json!({"plain": "x"})),
        (generator::RICH, "link", json!("pre://x")),
        (generator::VOCABULARY, "anything", json!({"type": "Unheard"})),
    ] {
        let shown = format!("{name}: {value}");
        assert!(with(context, name, value), "{shown}");
    }
}

#[test]
fn what_the_direct_path_leaves_to_the_general_path() {
    for (context, name, value) in [
        (generator::ALIASES, "key", json!("urn:x:1")),
        (generator::LANGUAGE, "plain", json!("x")),
        (generator::LOCAL, "node", json!({"here": 1})),
        (generator::PLAIN, "@graph", json!([])),
        (generator::PLAIN, "@id", json!("urn:x:1")),
        (generator::PLAIN, "anything", json!(1)),
        (generator::PLAIN, "graph", json!({"@value": 1})),
        (generator::PLAIN, "id", json!("_:b")),
        (generator::PLAIN, "id", json!("relative")),
        (generator::PLAIN, "kind", json!("https://a.example/Thing")),
        (generator::PLAIN, "link", json!("_:b")),
        (generator::PLAIN, "list", json!([[1]])),
        (generator::PLAIN, "node", json!({"@context": {}, "within": 1})),
        (generator::PLAIN, "plain", json!(["x", null])),
        (generator::PLAIN, "plain", json!([])),
        (generator::PLAIN, "plain", json!([{"within": 1}])),
        (
            generator::PLAIN,
            "plain",
            json!({"@value": 1, "@type": "https://a.example/T"}),
        ),
        (generator::PLAIN, "plain", json!({"@value": 1, "@language": "en"})),
        (generator::PLAIN, "plain", json!({"@value": "x", "@language": "no tag"})),
        (generator::PLAIN, "set", json!([{}, {}])),
        (generator::PLAIN, "type", json!("_:b")),
        (generator::PLAIN, "type", json!([])),
        (generator::RICH, "back", json!({"id": "urn:x:1"})),
        (generator::RICH, "blank", json!(1)),
        (generator::RICH, "broken", json!(1)),
        (generator::RICH, "byId", json!({"urn:x:1": {"plain": 1}})),
        (generator::RICH, "byLanguage", json!({"en": "x"})),
        (generator::RICH, "byType", json!({"Thing": {"plain": 1}})),
        (generator::RICH, "english", json!("x")),
        (generator::RICH, "indexed", json!({"i": 1})),
        (generator::RICH, "jsonList", json!(1)),
        (generator::RICH, "link", json!("pre:x")),
        (generator::RICH, "nothing", json!(1)),
        (generator::RICH, "pre:defined", json!(1)),
        (generator::RICH, "right", json!("x")),
        (generator::SYNONYMS, "type", json!("Thing")),
    ] {
        let shown = format!("{name}: {value}");
        assert!(!with(context, name, value), "{shown}");
    }
}

/// Contexts are worked out by the first document that uses them, on either path.
#[test]
fn the_first_document_of_a_loader_comes_to_the_same() {
    for template in 0..7 {
        let document = generator::document(&[template]);
        compare(&document, &generator::loader());
        let loader = generator::loader();
        let (options, hash) = (Options::compact(&loader), HashAlgorithm::Sha256);
        let direct = jsonld::canonical_n_quads(&document, None, &options, hash, MAX_CANONICALIZATION_WORK);
        compare(&document, &loader);
        let again = jsonld::canonical_n_quads(&document, None, &options, hash, MAX_CANONICALIZATION_WORK);
        assert_eq!(direct, again, "{template}");
    }
}

#[test]
fn a_replaced_context_counts_at_once() {
    let mut loader = ContextLoader::empty();
    let document = map(json!({"@context": "https://a.example/c", "p": 1}));
    let mut results = Vec::new();
    for iri in ["https://a.example/1", "https://a.example/2"] {
        loader.register("https://a.example/c", json!({"@context": {"p": iri}}));
        assert!(compare(&document, &loader));
        results.push(jsonld::direct_n_quads(
            &document,
            None,
            &Options::compact(&loader),
            HashAlgorithm::Sha256,
        ));
    }
    assert_ne!(results.first(), results.last());
}

/// Nothing is kept any more, so nothing is taken; the result stays the same.
#[test]
fn a_full_loader_comes_to_the_same() {
    let mut loader = ContextLoader::empty();
    let url = |number: usize| format!("https://a.example/{number}");
    let count = 1_100;
    for number in 0..count {
        let context = json!({"@context": {"p": format!("https://a.example/p#{number}")}});
        loader.register(&url(number), context);
    }
    let options = Options::compact(&loader);
    let is_direct = |number: usize| {
        let document = map(json!({"@context": url(number), "p": number}));
        jsonld::direct_n_quads(&document, None, &options, HashAlgorithm::Sha256).is_some()
    };
    let direct = (0..count).filter(|number| is_direct(*number)).count();
    assert_eq!(direct, 1_024);
    for number in [0, count - 1] {
        let document = map(json!({"@context": url(number), "p": number}));
        assert_eq!(compare(&document, &loader), number == 0);
    }
}

#[test]
fn limits_hold_on_both_paths() {
    let document = generator::document(&[1]);
    let narrow = [
        Limits {
            max_depth: 1,
            ..Limits::default()
        },
        Limits {
            max_elements: 10,
            ..Limits::default()
        },
        Limits {
            max_expanded_bytes: 1_000,
            ..Limits::default()
        },
    ];
    for limits in narrow {
        let options = Options::compact(&LOADER).with_limits(limits);
        assert_eq!(
            jsonld::direct_n_quads(&document, None, &options, HashAlgorithm::Sha256),
            None
        );
    }
}
