//! Compact mode: a signed document cannot be rewritten so that its RDF stays the same and a reader of its
//! JSON misses something. Each rewriting has the same canonical form as the genuine document, and is refused.

use jsonld::ContextLoader;
use jsonld::Error;
use jsonld::HashAlgorithm;
use jsonld::MAX_CANONICALIZATION_WORK;
use jsonld::Options;
use serde_json::Value;
use serde_json::json;

const SYNONYMS: &str = "https://attacker.example/synonyms";
const TYPE_SYNONYM: &str = "https://attacker.example/type";

fn genuine() -> Value {
    json!({
        "@context": ["https://www.w3.org/ns/credentials/v2", "https://a.example/v1"],
        "id": "urn:uuid:8c3c2f4e-8c53-4d1b-a0c5-0d1f8c6ac5f1",
        "type": ["VerifiableCredential", "Licence"],
        "issuer": "did:web:agency.example",
        "validUntil": "2027-01-01T00:00:00Z",
        "credentialStatus": {
            "id": "https://a.example/status#7",
            "type": "BitstringStatusListEntry",
            "statusPurpose": "revocation",
            "statusListIndex": "7",
            "statusListCredential": "https://a.example/status",
        },
        "credentialSubject": {
            "id": "did:key:z6MkHolder",
            "grade": "Learner",
            "spouse": {"id": "did:key:z6MkOther"},
            "note": {"@value": "x", "@type": "https://a.example/Note"},
        },
    })
}

fn loader() -> ContextLoader {
    let mut loader = ContextLoader::bundled();
    loader.register(
        "https://a.example/v1",
        json!({"@context": {
            "Licence": "https://a.example/Licence",
            "Learner": "https://a.example/Learner",
            "grade": {"@id": "https://a.example/grade", "@type": "@vocab"},
            "spouse": {"@id": "https://a.example/spouse", "@type": "@id"},
            "note": "https://a.example/note",
        }}),
    );
    loader.register(
        SYNONYMS,
        json!({"@context": {
            "cred": {"@id": "https://www.w3.org/2018/credentials#", "@prefix": true},
            "key": "@id",
            "kind": "@type",
            "more": "@nest",
            "box": "@included",
            "until": {
                "@id": "https://www.w3.org/2018/credentials#validUntil",
                "@type": "http://www.w3.org/2001/XMLSchema#dateTime",
            },
            "marriedTo": {"@reverse": "https://a.example/spouse"},
        }}),
    );
    loader.register(
        TYPE_SYNONYM,
        json!({"@context": {"Permit": "https://a.example/Licence"}}),
    );
    loader
}

fn canonical(document: &Value, options: &Options<'_>) -> Result<String, Error> {
    let dataset = jsonld::to_rdf(document, options)?;
    Ok(
        jsonld::canonicalize(&dataset, HashAlgorithm::Sha256, MAX_CANONICALIZATION_WORK)
            .unwrap()
            .n_quads,
    )
}

/// `rewrite` keeps the statements, and only compact mode sees what it does.
fn refused(term: &str, rewrite: impl FnOnce(&mut Value)) {
    let loader = loader();
    let document = genuine();
    let signed = canonical(&document, &Options::compact(&loader)).unwrap();
    let mut rewritten = document;
    rewrite(&mut rewritten);
    assert_eq!(
        canonical(&rewritten, &Options::strict(&loader)),
        Ok(signed),
        "the rewriting changes statements"
    );
    assert_eq!(
        canonical(&rewritten, &Options::compact(&loader)),
        Err(Error::NotCompact { term: term.to_owned() })
    );
}

fn rename(object: &mut Value, from: &str, to: &str) {
    let map = object.as_object_mut().unwrap();
    let value = map.remove(from).unwrap();
    map.insert(to.to_owned(), value);
}

fn add_context(document: &mut Value, url: &str) {
    document["@context"].as_array_mut().unwrap().push(json!(url));
}

#[test]
fn status_hidden_under_its_iri() {
    refused("https://www.w3.org/2018/credentials#credentialStatus", |document| {
        rename(
            document,
            "credentialStatus",
            "https://www.w3.org/2018/credentials#credentialStatus",
        );
    });
}

#[test]
fn status_hidden_under_a_compact_iri() {
    refused("cred:credentialStatus", |document| {
        add_context(document, SYNONYMS);
        rename(document, "credentialStatus", "cred:credentialStatus");
    });
}

#[test]
fn expiry_hidden_under_a_synonym() {
    refused("until", |document| {
        add_context(document, SYNONYMS);
        rename(document, "validUntil", "until");
    });
}

#[test]
fn subject_hidden_under_a_keyword() {
    refused("@id", |document| {
        rename(&mut document["credentialSubject"], "id", "@id");
    });
}

#[test]
fn subject_hidden_under_an_alias() {
    refused("key", |document| {
        add_context(document, SYNONYMS);
        rename(&mut document["credentialSubject"], "id", "key");
    });
}

#[test]
fn type_hidden_under_an_alias() {
    refused("kind", |document| {
        add_context(document, SYNONYMS);
        rename(document, "type", "kind");
    });
    refused("@type", |document| rename(document, "type", "@type"));
}

#[test]
fn type_hidden_as_its_iri() {
    refused("type", |document| {
        document["type"][1] = json!("https://a.example/Licence");
    });
}

#[test]
fn type_hidden_under_a_synonym() {
    refused("type", |document| {
        add_context(document, TYPE_SYNONYM);
        document["type"][1] = json!("Permit");
    });
}

#[test]
fn value_hidden_as_its_iri() {
    refused("grade", |document| {
        document["credentialSubject"]["grade"] = json!("https://a.example/Learner");
    });
}

#[test]
fn claim_moved_into_an_included_block() {
    refused("@included", |document| {
        let grade = document["credentialSubject"].as_object_mut().unwrap().remove("grade");
        document["@included"] = json!([{"id": "did:key:z6MkHolder", "grade": grade}]);
    });
    refused("box", |document| {
        add_context(document, SYNONYMS);
        let grade = document["credentialSubject"].as_object_mut().unwrap().remove("grade");
        document["box"] = json!([{"id": "did:key:z6MkHolder", "grade": grade}]);
    });
}

#[test]
fn claim_moved_into_a_nest() {
    refused("more", |document| {
        add_context(document, SYNONYMS);
        let until = document.as_object_mut().unwrap().remove("validUntil");
        document["more"] = json!({"validUntil": until});
    });
}

#[test]
fn document_moved_into_a_graph() {
    refused("@graph", |document| {
        let context = document.as_object_mut().unwrap().remove("@context");
        *document = json!({"@context": context, "@graph": [document.clone()]});
    });
}

#[test]
fn claim_turned_around() {
    refused("@reverse", |document| {
        let subject = document["credentialSubject"].as_object_mut().unwrap();
        subject.remove("spouse");
        let subject = document["credentialSubject"].clone();
        document["credentialSubject"] = json!({
            "id": "did:key:z6MkHolder",
            "grade": subject["grade"],
            "note": subject["note"],
        });
        document["issuer"] = json!({
            "id": "did:web:agency.example",
        });
        document["credentialSubject"]["spouse"] = json!({
            "id": "did:key:z6MkOther",
            "@reverse": {"spouse": {"id": "did:key:z6MkHolder"}},
        });
    });
    refused("marriedTo", |document| {
        add_context(document, SYNONYMS);
        document["credentialSubject"]["spouse"] = json!({
            "id": "did:key:z6MkOther",
            "marriedTo": {"id": "did:key:z6MkHolder"},
        });
    });
}

#[test]
fn set_and_list_objects() {
    refused("@set", |document| {
        let subject = document["credentialSubject"].take();
        document["credentialSubject"] = json!({"@set": [subject]});
    });
}

#[test]
fn blank_node_labels() {
    let loader = loader();
    let mut document = genuine();
    document.as_object_mut().unwrap().remove("id");
    canonical(&document, &Options::compact(&loader)).unwrap();
    document["id"] = json!("_:c");
    canonical(&document, &Options::strict(&loader)).unwrap();
    assert_eq!(
        canonical(&document, &Options::compact(&loader)),
        Err(Error::NotCompact { term: "id".to_owned() })
    );
}

#[test]
fn synonyms_do_no_harm_where_they_are_not_used() {
    let loader = loader();
    let mut document = genuine();
    add_context(&mut document, SYNONYMS);
    add_context(&mut document, TYPE_SYNONYM);
    // `Licence` now has a synonym, so nobody can tell any more which one was signed.
    assert_eq!(
        canonical(&document, &Options::compact(&loader)),
        Err(Error::NotCompact {
            term: "type".to_owned()
        })
    );
    document["type"] = json!(["VerifiableCredential"]);
    document.as_object_mut().unwrap().remove("validUntil");
    canonical(&document, &Options::compact(&loader)).unwrap();
}
