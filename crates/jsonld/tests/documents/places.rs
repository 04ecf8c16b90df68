//! Blank nodes that are known by where they stand in the document.

use std::collections::BTreeSet;

use jsonld::ContextLoader;
use jsonld::Error;
use jsonld::Options;
use serde_json::Value;
use serde_json::json;

fn loader() -> ContextLoader {
    let mut loader = ContextLoader::bundled();
    loader.register(
        "https://a.example/v1",
        json!({"@context": {
            "id": "@id",
            "a": "https://a.example/a",
            "a~c": "https://a.example/abc",
            "list": {"@id": "https://a.example/list", "@container": "@list"},
            "by": {"@id": "https://a.example/by", "@container": "@index", "@index": "a"},
            "graph": {"@id": "https://a.example/graph", "@container": "@graph"},
        }}),
    );
    loader
}

fn document(mut members: Value) -> Value {
    members["@context"] = json!("https://a.example/v1");
    members
}

#[test]
fn each_blank_node_has_its_place() {
    let loader = loader();
    let options = Options::compact(&loader);
    let document = document(json!({
        "a": [{"a": "x"}, "text", {"id": "urn:example:named", "a": {"a": "y"}}],
        "a~c": {"a": {"@value": "z", "@language": "en"}},
        "list": ["one", {"a": "two"}, ["three"]],
        "by": {"key": [{"a": "v"}]},
    }));
    let placed = jsonld::to_rdf_with_places(&document, &options).unwrap();
    let found: BTreeSet<&str> = placed.places.iter().map(String::as_str).collect();
    let expected = [
        "",
        "/a/0",
        "/a/2/a",
        "/a~0c",
        "/list/0~",
        "/list/1~",
        "/list/1",
        "/list/2~",
        "/list/2/0~",
        "/by/key/0",
    ];
    assert_eq!(found, BTreeSet::from(expected));
    assert_eq!(placed.places.len(), expected.len());
    assert_eq!(placed.dataset, jsonld::to_rdf(&document, &options).unwrap());
}

#[test]
fn a_graph_without_a_name_has_no_place() {
    let loader = loader();
    let options = Options::compact(&loader);
    let document = document(json!({"graph": {"a": "x"}}));
    assert!(jsonld::to_rdf(&document, &options).is_ok());
    let refused = jsonld::to_rdf_with_places(&document, &options);
    assert_eq!(refused, Err(Error::UnnamedGraph));
}

#[test]
fn places_need_the_compacted_form() {
    let loader = loader();
    let document = document(json!({"@included": [{"a": "x"}], "a": "y"}));
    assert!(jsonld::to_rdf(&document, &Options::strict(&loader)).is_ok());
    let refused = jsonld::to_rdf_with_places(&document, &Options::strict(&loader));
    assert!(matches!(refused, Err(Error::NotCompact { .. })));
}

/// A long key above many nodes costs its length for each of them.
#[test]
fn the_bytes_of_places_are_bounded() {
    let loader = loader();
    let options = Options::compact(&loader);
    let nodes = |count: usize| vec![json!({"a": "x"}); count];
    let key = "k".repeat(1_000);
    let document = |count| document(json!({"by": {key.as_str(): nodes(count)}}));
    assert!(jsonld::to_rdf_with_places(&document(100), &options).is_ok());
    let large = document(10_000);
    assert!(jsonld::to_rdf(&large, &options).is_ok());
    let refused = jsonld::to_rdf_with_places(&large, &options);
    assert!(matches!(refused, Err(Error::LimitExceeded { .. })));
}
