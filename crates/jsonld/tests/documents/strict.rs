//! Strict mode: whatever a signature would not cover is refused, each loss by a test of its own.

use jsonld::ContextLoader;
use jsonld::DataLoss;
use jsonld::Error;
use jsonld::Options;
use serde_json::Value;
use serde_json::json;

const CREDENTIALS_V2: &str = "https://www.w3.org/ns/credentials/v2";

fn credential() -> Value {
    json!({
        "@context": [CREDENTIALS_V2, {"age": "https://a.example/age", "list": {"@id": "https://a.example/list", "@container": "@list"}}],
        "type": ["VerifiableCredential"],
        "issuer": "did:web:agency.example",
        "credentialSubject": {"id": "did:key:z6MkHolder", "age": 40, "name": {"@value": "Tan", "@language": "en", "@direction": "ltr"}},
    })
}

/// The loss for which the genuine document with one change is refused. The lenient mode takes both.
fn loss(change: impl FnOnce(&mut Value)) -> (String, DataLoss) {
    let loader = ContextLoader::bundled();
    let mut document = credential();
    jsonld::to_rdf(&document, &Options::strict(&loader)).unwrap();
    change(&mut document);
    jsonld::to_rdf(&document, &Options::lenient(&loader)).unwrap();
    match jsonld::to_rdf(&document, &Options::strict(&loader)) {
        Err(Error::DataLoss { term, loss }) => (term, loss),
        other => panic!("expected data loss, found {other:?}"),
    }
}

fn expect(term: &str, expected: DataLoss, change: impl FnOnce(&mut Value)) {
    assert_eq!(loss(change), (term.to_owned(), expected));
}

#[test]
fn undefined_term() {
    expect("admin", DataLoss::UndefinedTerm, |document| {
        document["credentialSubject"]["admin"] = json!(true);
    });
}

#[test]
fn term_without_meaning() {
    expect("age", DataLoss::UndefinedTerm, |document| {
        document["@context"][1]["age"] = Value::Null;
    });
}

#[test]
fn reserved_name() {
    expect("@admin", DataLoss::ReservedName, |document| {
        document["@admin"] = json!(true);
    });
}

#[test]
fn keyword_of_contexts_only() {
    expect("@container", DataLoss::ReservedName, |document| {
        document["@container"] = json!("x");
    });
}

#[test]
fn undefined_type() {
    expect("type", DataLoss::RelativeOrMalformedIri, |document| {
        document["type"] = json!(["VerifiableCredential", "NotDefined"]);
    });
}

#[test]
fn relative_id() {
    expect("id", DataLoss::RelativeOrMalformedIri, |document| {
        document["credentialSubject"]["id"] = json!("someone");
    });
}

#[test]
fn relative_reference() {
    expect("issuer", DataLoss::RelativeOrMalformedIri, |document| {
        document["issuer"] = json!("agency");
    });
}

#[test]
fn malformed_property() {
    expect("https://a.example/a b", DataLoss::RelativeOrMalformedIri, |document| {
        document["https://a.example/a b"] = json!(1);
    });
}

#[test]
fn malformed_datatype_is_invalid_anyway() {
    let loader = ContextLoader::bundled();
    let mut document = credential();
    document["credentialSubject"]["age"] = json!({"@value": "1", "@type": "relative"});
    let error = jsonld::to_rdf(&document, &Options::strict(&loader)).unwrap_err();
    assert!(matches!(error, Error::DataLoss { .. }), "{error}");
}

#[test]
fn malformed_language() {
    expect("https://schema.org/name", DataLoss::MalformedLanguageTag, |document| {
        document["credentialSubject"]["name"] = json!({"@value": "x", "@language": "not a tag"});
    });
}

#[test]
fn null() {
    expect("age", DataLoss::NullValue, |document| {
        document["credentialSubject"]["age"] = Value::Null;
    });
    expect("age", DataLoss::NullValue, |document| {
        document["credentialSubject"]["age"] = json!([1, null]);
    });
    expect("age", DataLoss::NullValue, |document| {
        document["credentialSubject"]["age"] = json!({"@value": null});
    });
}

#[test]
fn empty_array() {
    expect("age", DataLoss::EmptyCollection, |document| {
        document["credentialSubject"]["age"] = json!([]);
    });
    expect("type", DataLoss::EmptyCollection, |document| {
        document["credentialSubject"]["type"] = json!([]);
    });
}

#[test]
fn an_empty_list_is_a_statement() {
    let loader = ContextLoader::bundled();
    let mut document = credential();
    document["credentialSubject"]["list"] = json!([]);
    let with = jsonld::to_rdf(&document, &Options::strict(&loader)).unwrap();
    let without = jsonld::to_rdf(&credential(), &Options::strict(&loader)).unwrap();
    assert_eq!(with.quads().len(), without.quads().len() + 1);
}

#[test]
fn free_floating() {
    expect("@graph", DataLoss::FreeFloating, |document| {
        document["@graph"] = json!(["words"]);
    });
    expect("@graph", DataLoss::FreeFloating, |document| {
        document["@graph"] = json!([{"@id": "did:web:nobody.example"}]);
    });
    expect("@list", DataLoss::FreeFloating, |document| {
        document["@graph"] = json!([{"@list": [1]}]);
    });
}

#[test]
fn index() {
    expect("https://a.example/age", DataLoss::Index, |document| {
        document["credentialSubject"]["age"] = json!({"@value": 40, "@index": "i"});
    });
    expect("@index", DataLoss::Index, |document| {
        document["credentialSubject"]["@index"] = json!("i");
    });
}

#[test]
fn blank_node_as_property() {
    expect("_:p", DataLoss::BlankNodeProperty, |document| {
        document["_:p"] = json!(1);
    });
}

#[test]
fn direction_that_nothing_expresses() {
    let loader = ContextLoader::bundled();
    let options = Options::strict(&loader).with_rdf_direction(jsonld::RdfDirection::Dropped);
    assert_eq!(
        jsonld::to_rdf(&credential(), &options),
        Err(Error::DataLoss {
            term: "https://schema.org/name".to_owned(),
            loss: DataLoss::Direction,
        })
    );
}
