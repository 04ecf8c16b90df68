//! `credentialSchema`: the registry's schema is satisfied, or the credential is not valid.

use credential::integrity;
use credential::integrity::IntegrityError;
use credential::vc::DIALECT;
use credential::vc::SchemaError;
use trust::entry::DocumentRole;
use trust::entry::SchemaDocument;
use trust::merkle::Hash;

use super::*;
use crate::nation::schema;

const URL: &str = "https://population.example/schemas/identity";
const JSON: &str = "application/schema+json";
const SCHEMA_OF_SCHEMAS: &str = "https://www.w3.org/ns/credentials/json-schema/v2.json";

/// Whoever has no name of 3 letters at least is none of ours.
fn identity() -> Value {
    json!({
        "$id": URL, "$schema": DIALECT,
        "properties": {"credentialSubject": {
            "properties": {"family_name": {"type": "string", "minLength": 3}}, "required": ["family_name"],
        }},
    })
}

/// The usual nation, with this document registered under [`URL`].
fn with_schema(media_type: &str, make: impl FnOnce(&Agency) -> Vec<u8>) -> (Nation, Agency) {
    let (mut nation, agency) = Nation::with_issuer();
    let bytes = make(&agency);
    let mut changed = schema(IDENTITY);
    let document = SchemaDocument {
        role: DocumentRole::JsonSchema,
        uri: URL.to_owned(),
        media_type: media_type.to_owned(),
        digest: Hash::digest(&bytes),
        length: u64::try_from(bytes.len()).unwrap(),
    };
    changed.documents.insert(0, document);
    nation.add_blob(bytes);
    nation.publish(IDENTITY, changed);
    nation.snapshot(SNAPSHOT.plus(MINUTE));
    (nation, agency)
}

fn registered(schema: &Value) -> (Nation, Agency) {
    with_schema(JSON, |_| schema.to_string().into_bytes())
}

fn present(kind: Kind, agency: &Agency, reference: &Value) -> Value {
    let mut document = kind.document(agency);
    document["credentialSchema"] = reference.clone();
    kind.present(agency, &[kind.issue(agency, document)])
}

fn verdict(kind: Kind, (nation, agency): &(Nation, Agency), reference: &Value) -> Result<Verified, Refused> {
    judge(&nation.bundle(), &kind.query(), present(kind, agency, reference))
}

fn plain() -> Value {
    json!({"id": URL, "type": "JsonSchema"})
}

fn url() -> String {
    URL.to_owned()
}

#[test]
fn credential_that_satisfies_its_schema_is_valid() {
    let satisfied = registered(&identity());
    let mut stricter = identity();
    stricter["properties"]["credentialSubject"]["properties"]["family_name"]["minLength"] = json!(4);
    let stricter = registered(&stricter);
    for kind in ALL {
        assert!(verdict(kind, &satisfied, &plain()).is_ok(), "{kind:?}");
        let digest = integrity::compute(identity().to_string().as_bytes());
        let with_digest = json!({"id": URL, "type": "JsonSchema", "digestSRI": digest});
        assert!(verdict(kind, &satisfied, &with_digest).is_ok(), "{kind:?}");
        assert_eq!(
            refused(verdict(kind, &stricter, &plain())),
            Reason::SchemaFailure { url: url() }
        );
    }
}

#[test]
fn the_proof_is_not_evaluated() {
    let mut closed = identity();
    closed["properties"]["proof"] = json!(false);
    assert!(verdict(RDFC, &registered(&closed), &plain()).is_ok());
}

#[test]
fn every_schema_counts() {
    let nation = registered(&identity());
    let both = json!([plain(), {"id": "https://population.example/schemas/other", "type": "JsonSchema"}]);
    assert!(matches!(
        not_covered(verdict(JWT, &nation, &both)),
        Reason::SchemaNotCovered { .. }
    ));
}

#[test]
fn schema_that_the_bundle_does_not_have_is_not_covered() {
    assert_eq!(
        not_covered(verdict(JWT, &Nation::with_issuer(), &plain())),
        Reason::SchemaNotCovered { url: url() }
    );
    let (nation, agency) = registered(&identity());
    let schema = identity().to_string().into_bytes();
    let bundle = nation.bundle_without(|blob| blob == schema);
    let result = judge(&bundle, &JWT.query(), present(JWT, &agency, &plain()));
    assert_eq!(not_covered(result), Reason::SchemaNotCovered { url: url() });
}

#[test]
fn two_contents_of_one_url_are_none() {
    let (mut nation, agency) = registered(&identity());
    let mut other = schema(LICENCE);
    let bytes = json!({"$id": URL, "$schema": DIALECT}).to_string().into_bytes();
    let document = SchemaDocument {
        role: DocumentRole::JsonSchema,
        uri: url(),
        media_type: JSON.to_owned(),
        digest: Hash::digest(&bytes),
        length: u64::try_from(bytes.len()).unwrap(),
    };
    other.documents.insert(0, document);
    nation.add_blob(bytes);
    nation.publish(LICENCE, other);
    nation.snapshot(SNAPSHOT.plus(2 * MINUTE));
    let result = verdict(JWT, &(nation, agency), &plain());
    assert_eq!(not_covered(result), Reason::SchemaNotCovered { url: url() });
}

#[test]
fn schema_of_another_digest_than_the_credential_says_is_refused() {
    let digest = integrity::compute(b"another schema");
    let reference = json!({"id": URL, "type": "JsonSchema", "digestSRI": digest});
    assert_eq!(
        refused(verdict(JWT, &registered(&identity()), &reference)),
        Reason::Schema {
            url: url(),
            source: SchemaError::Integrity(IntegrityError::Mismatch)
        }
    );
}

#[test]
fn schema_that_nobody_can_evaluate_refuses() {
    let with = |member: &str, value: Value| {
        let mut schema = identity();
        schema[member] = value;
        refused(verdict(JWT, &registered(&schema), &plain()))
    };
    for (member, value) in [
        ("$schema", json!("http://json-schema.org/draft-07/schema#")),
        ("$ref", json!("https://population.example/schemas/remote")),
        ("required", json!(7)),
        ("$ref", json!("#")),
    ] {
        assert_eq!(
            with(member, value),
            Reason::SchemaIndeterminate { url: url() },
            "{member}"
        );
    }
    let unknown = json!({"id": URL, "type": "ShapeValidator"});
    // Its type is defined nowhere, so only a JWT can say it.
    assert_eq!(
        refused(verdict(JWT, &registered(&identity()), &unknown)),
        Reason::SchemaIndeterminate { url: url() }
    );
    let mut nameless = identity();
    nameless.as_object_mut().unwrap().remove("$id");
    assert!(matches!(
        refused(verdict(JWT, &registered(&nameless), &plain())),
        Reason::Schema {
            source: SchemaError::Member { member: "$id", .. },
            ..
        }
    ));
}

/// A credential of the agency with the schema in it.
fn packaged(kind: Kind, agency: &Agency) -> Vec<u8> {
    let document = json!({
        "@context": [BASE], "id": URL, "type": ["VerifiableCredential", "JsonSchemaCredential"],
        "issuer": agency.did, "validFrom": ISSUED.to_rfc3339(),
        "credentialSchema": {"id": SCHEMA_OF_SCHEMAS, "type": "JsonSchema"},
        "credentialSubject": {"type": "JsonSchema", "jsonSchema": identity()},
    });
    kind.issue(agency, document).into_bytes()
}

#[test]
fn schema_in_a_credential_is_read_from_it() {
    let reference = json!({"id": URL, "type": "JsonSchemaCredential"});
    for (kind, media_type) in [(JWT, "application/vc+jwt"), (RDFC, "application/vc")] {
        let genuine = with_schema(media_type, |agency| packaged(kind, agency));
        assert!(verdict(JWT, &genuine, &reference).is_ok(), "{kind:?}");
        // Packaged in another way than the credential or the registry says.
        assert!(verdict(JWT, &genuine, &plain()).is_err());
        let other = with_schema(JSON, |agency| packaged(kind, agency));
        assert!(matches!(
            refused(verdict(JWT, &other, &reference)),
            Reason::Schema {
                source: SchemaError::Package,
                ..
            }
        ));
        let forged = with_schema(media_type, |agency| {
            let genuine = String::from_utf8(packaged(kind, agency)).unwrap();
            let cut = genuine.len() - 12;
            let forged = match kind {
                Kind::Jwt => format!("{}AAAAAAAAAAAA", &genuine[..cut]),
                Kind::Ldp(_) => genuine.replace("\"minLength\":3", "\"minLength\":1"),
            };
            assert_ne!(forged, genuine);
            forged.into_bytes()
        });
        assert!(matches!(
            refused(verdict(JWT, &forged, &reference)),
            Reason::SchemaCredential { .. }
        ));
    }
}
