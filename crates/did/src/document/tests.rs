//! One genuine document, broken in one place at a time.

use serde_json::json;

use super::*;

const ED25519: &str = "z6MkjchhfUsD6mmvni8mCdXHw216Xrm9bQe2mBH1P5RDjVJG";
const P256: &str = "zDnaerx9CtbPJ1q36T5Ln5wYt3MQYeGRG5ehnPAmxcf5mDZpv";

fn genuine() -> Value {
    json!({
        "@context": ["https://www.w3.org/ns/did/v1"],
        "id": "did:a:b",
        "alsoKnownAs": ["did:x:y"],
        "verificationMethod": [
            {"id": "did:a:b#one", "type": "Multikey", "controller": "did:a:b", "publicKeyMultibase": ED25519},
            {"id": "#two", "type": "Multikey", "controller": "did:a:b", "publicKeyMultibase": P256},
            {"id": "#jwk", "type": "JsonWebKey2020", "controller": "did:a:b", "publicKeyJwk":
                {"kty": "EC", "crv": "P-256", "x": "igrFmi0whuihKnj9R3Om1SoMph72wUGeFaBbzG2vzns", "y": "efsX5b10x8yjyrj4ny3pGfLcY7Xby1KzgqOdqnsrJIM"}},
            {"id": "#old", "type": "Ed25519VerificationKey2020", "controller": "did:a:b", "publicKeyMultibase": ED25519},
        ],
        "assertionMethod": ["did:a:b#one", "#two", "#jwk", "#old", "did:other:c#d"],
        "authentication": [
            {"id": "#own", "type": "Multikey", "controller": "did:a:b", "publicKeyMultibase": ED25519},
        ],
        "service": [{"id": "#files", "type": "relativeRef", "serviceEndpoint": "https://example.com"}],
    })
}

fn key_of(document: &Value, id: &str, purpose: Purpose) -> Result<PublicKey, KeyForError> {
    Document::from_value(document.clone())
        .unwrap()
        .key_for(&DidUrl::parse(id).unwrap(), purpose)
}

fn assertion_key_after(change: impl FnOnce(&mut Value)) -> Result<PublicKey, KeyForError> {
    let mut document = genuine();
    change(&mut document);
    key_of(&document, "did:a:b#one", Purpose::AssertionMethod)
}

fn refusal_after(change: impl FnOnce(&mut Value)) -> DocumentError {
    let mut document = genuine();
    change(&mut document);
    Document::from_value(document).unwrap_err()
}

#[test]
fn keys_come_out_for_their_purpose() {
    let document = genuine();
    for (id, multikey) in [
        ("did:a:b#one", ED25519),
        ("did:a:b#two", P256),
        ("did:a:b#jwk", P256),
        ("did:a:b#old", ED25519),
    ] {
        let key = key_of(&document, id, Purpose::AssertionMethod).unwrap();
        assert_eq!(key.to_multikey(), multikey, "{id}");
    }
    assert_eq!(
        key_of(&document, "did:a:b#own", Purpose::Authentication)
            .unwrap()
            .to_multikey(),
        ED25519
    );
}

#[test]
fn keys_do_not_come_out_for_another_purpose() {
    let document = genuine();
    for (id, purpose) in [
        ("did:a:b#one", Purpose::Authentication),
        ("did:a:b#own", Purpose::AssertionMethod),
        ("did:a:b#own", Purpose::KeyAgreement),
    ] {
        assert!(
            matches!(
                key_of(&document, id, purpose),
                Err(KeyForError::NotForThisPurpose { .. })
            ),
            "{id}"
        );
    }
}

#[test]
fn embedded_method_is_not_reachable_by_reference() {
    let mut document = genuine();
    document["assertionMethod"] = json!(["#own"]);
    let found = key_of(&document, "did:a:b#own", Purpose::AssertionMethod);
    assert!(matches!(found, Err(KeyForError::NotFound { .. })));
}

#[test]
fn unknown_and_foreign_methods_give_no_key() {
    let document = genuine();
    let found = |id| key_of(&document, id, Purpose::AssertionMethod).unwrap_err();
    assert!(matches!(found("did:a:b#none"), KeyForError::NotFound { .. }));
    for foreign in ["did:other:c#d", "did:a:b", "did:a:b/p#one", "did:a:b?versionId=1#one"] {
        assert!(matches!(found(foreign), KeyForError::OtherDocument { .. }), "{foreign}");
    }
}

#[test]
fn unusable_key_material_is_named() {
    assert!(assertion_key_after(|_| ()).is_ok());
    let set = |member: &'static str, value: Value| {
        assertion_key_after(move |document| document["verificationMethod"][0][member] = value)
    };
    assert!(matches!(
        set("publicKeyMultibase", json!("z6Mk")),
        Err(KeyForError::Material { .. })
    ));
    assert!(matches!(
        set("publicKeyMultibase", json!(7)),
        Err(KeyForError::Material { .. })
    ));
    assert!(matches!(
        set("controller", json!("nobody")),
        Err(KeyForError::Material { .. })
    ));
    assert!(matches!(
        set("controller", Value::Null),
        Err(KeyForError::Material { .. })
    ));
    assert!(matches!(
        set("type", json!("X25519KeyAgreementKey2020")),
        Err(KeyForError::Unsupported { .. })
    ));
    assert!(matches!(
        set("type", json!("JsonWebKey")),
        Err(KeyForError::Material { .. })
    ));
    assert!(matches!(
        set("revoked", json!("2020-01-01T00:00:00Z")),
        Err(KeyForError::Withdrawn { member: "revoked", .. })
    ));
    assert!(matches!(
        set("expires", json!("2099-01-01T00:00:00Z")),
        Err(KeyForError::Withdrawn { member: "expires", .. })
    ));
}

#[test]
fn type_and_key_must_agree() {
    let found = assertion_key_after(|document| {
        document["verificationMethod"][0]["type"] = json!("Ed25519VerificationKey2020");
        document["verificationMethod"][0]["publicKeyMultibase"] = json!(P256);
    });
    assert!(matches!(found, Err(KeyForError::Material { .. })));
}

#[test]
fn private_and_foreign_jwks_are_refused() {
    let with = |change: fn(&mut Value)| {
        let mut document = genuine();
        change(&mut document["verificationMethod"][2]["publicKeyJwk"]);
        key_of(&document, "did:a:b#jwk", Purpose::AssertionMethod)
    };
    assert!(with(|_| ()).is_ok());
    assert!(matches!(
        with(|jwk| jwk["d"] = json!("AA")),
        Err(KeyForError::Material { .. })
    ));
    assert!(matches!(
        with(|jwk| jwk["crv"] = json!("secp256k1")),
        Err(KeyForError::Unsupported { .. })
    ));
}

#[test]
fn skeleton_is_checked() {
    assert!(matches!(
        Document::from_value(json!([])),
        Err(DocumentError::Member { member: "document", .. })
    ));
    assert!(matches!(
        refusal_after(|document| document["id"] = json!(7)),
        DocumentError::Member { member: "id", .. }
    ));
    assert!(matches!(
        refusal_after(|document| document["id"] = json!("did:a:b#c")),
        DocumentError::Identifier { member: "id", .. }
    ));
    for member in ["verificationMethod", "assertionMethod", "service", "alsoKnownAs"] {
        for value in [json!({}), json!([7])] {
            let found = refusal_after(|document| document[member] = value.clone());
            assert!(matches!(found, DocumentError::Member { .. }), "{member}: {found}");
        }
    }
    let found = refusal_after(|document| document["verificationMethod"][0]["id"] = json!("one"));
    assert!(matches!(
        found,
        DocumentError::Identifier {
            member: "verificationMethod",
            ..
        }
    ));
}

#[test]
fn two_methods_of_one_name_are_refused() {
    let found = refusal_after(|document| document["verificationMethod"][1]["id"] = json!("#one"));
    assert_eq!(
        found,
        DocumentError::DuplicateMethod {
            id: "did:a:b#one".into()
        }
    );
    let found = refusal_after(|document| document["authentication"][0]["id"] = json!("did:a:b#two"));
    assert_eq!(
        found,
        DocumentError::DuplicateMethod {
            id: "did:a:b#two".into()
        }
    );
}

#[test]
fn size_and_duplicates_are_checked_while_parsing() {
    assert!(Document::parse(genuine().to_string().as_bytes()).is_ok());
    assert!(matches!(
        Document::parse(br#"{"id":"did:a:b","id":"did:a:c"}"#),
        Err(DocumentError::Json(_))
    ));
    let large = json!({"id": "did:a:b", "x": "y".repeat(MAX_DOCUMENT_BYTES)}).to_string();
    assert!(matches!(Document::parse(large.as_bytes()), Err(DocumentError::Json(_))));
}

#[test]
fn new_documents_give_their_keys() {
    let (one, two) = (
        PublicKey::from_multikey(ED25519).unwrap(),
        PublicKey::from_multikey(P256).unwrap(),
    );
    let document = new_document(
        "did:a:b",
        &[
            NewMethod {
                fragment: "one",
                key: &one,
                purposes: &[Purpose::AssertionMethod, Purpose::Authentication],
            },
            NewMethod {
                fragment: "two",
                key: &two,
                purposes: &[Purpose::AssertionMethod],
            },
        ],
    );
    for (id, key) in [("did:a:b#one", one), ("did:a:b#two", two)] {
        assert_eq!(key_of(&document, id, Purpose::AssertionMethod).unwrap(), key);
    }
    assert!(key_of(&document, "did:a:b#one", Purpose::Authentication).is_ok());
    assert!(key_of(&document, "did:a:b#two", Purpose::Authentication).is_err());
    assert!(document.get("keyAgreement").is_none());
}

#[test]
fn other_members_are_readable() {
    let document = Document::from_value(genuine()).unwrap();
    assert_eq!(document.also_known_as().collect::<Vec<_>>(), ["did:x:y"]);
    assert_eq!(document.service("files").unwrap()["type"], "relativeRef");
    assert!(document.service("whois").is_none());
    assert_eq!(
        document.method_ids(Purpose::Authentication),
        [DidUrl::parse("did:a:b#own").unwrap()]
    );
    assert!(document.expect_id(&Did::parse("did:a:b").unwrap()).is_ok());
    assert!(matches!(
        document.expect_id(&Did::parse("did:a:c").unwrap()),
        Err(DocumentError::Id { .. })
    ));
    assert_eq!(document.into_value(), genuine());
}
