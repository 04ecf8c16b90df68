//! Each rule of the data model: the genuine document passes, and fails when this rule alone is broken.

use serde_json::json;

use super::*;
use crate::integrity;
use crate::integrity::IntegrityError;

const RESOURCE: &[u8] = b"a picture";

fn credential() -> Value {
    json!({
        "@context": [BASE_CONTEXT, "https://agency.example/contexts/licence/v1", {"ex": "https://a.example/"}],
        "id": "urn:uuid:0a2b7f5e-3d0c-4a7c-9d67-0d3a1c6a55ff",
        "type": ["VerifiableCredential", "Licence", "https://agency.example/Licence"],
        "name": "Licence",
        "description": [
            {"@value": "Licence", "@language": "en"},
            {"@value": "رخصة", "@language": "ar-Latn-x-private", "@direction": "rtl"},
        ],
        "issuer": {"id": "did:web:agency.example", "name": {"@value": "Agency"}},
        "validFrom": "2026-01-01T00:00:00Z",
        "validUntil": "2028-01-01T00:00:00+14:00",
        "credentialStatus": {
            "id": "https://agency.example/status/1#7",
            "type": "BitstringStatusListEntry",
            "statusPurpose": "revocation",
            "statusListIndex": "7",
            "statusListCredential": "https://agency.example/status/1",
        },
        "credentialSchema": [{"id": "https://agency.example/schema.json", "type": "JsonSchema"}],
        "evidence": {"type": "Evidence"},
        "refreshService": {"type": "Refresh", "id": "https://agency.example/refresh"},
        "termsOfUse": [{"type": "Terms"}],
        "confidenceMethod": {"type": "Method"},
        "renderMethod": {"type": "Method", "id": "https://agency.example/svg"},
        "relatedResource": [
            {"id": "https://agency.example/a.png", "mediaType": "image/png", "digestSRI": integrity::compute(RESOURCE)},
            {"id": "https://agency.example/b.png", "digestMultibase": digest_multibase(RESOURCE)},
        ],
        "credentialSubject": {
            "id": "did:key:z6MkHolder",
            "class": ["2B"],
            "confidenceMethod": [{"type": "Method"}],
        },
    })
}

fn presentation() -> Value {
    json!({
        "@context": [BASE_CONTEXT],
        "id": "urn:uuid:3978344f-8596-4c3a-a978-8fcaba3903c5",
        "type": ["VerifiablePresentation", "Visit"],
        "holder": {"id": "did:key:z6MkHolder"},
        "termsOfUse": {"type": "Terms"},
        "verifiableCredential": [credential(), envelope("EnvelopedVerifiableCredential")],
    })
}

fn envelope(type_: &str) -> Value {
    json!({"@context": BASE_CONTEXT, "type": type_, "id": "data:application/vc+jwt,eyJhbGciOiJFUzI1NiJ9.e30.AA"})
}

fn digest_multibase(resource: &[u8]) -> String {
    let multihash = [&[0x12, 32], keys::sha256(resource).as_slice()].concat();
    keys::multibase::encode_base58btc(&multihash)
}

fn read(document: &Value) -> Result<CredentialProperties, DataModelError> {
    CredentialProperties::read(document.as_object().unwrap())
}

fn read_presentation(document: &Value) -> Result<(), DataModelError> {
    PresentationProperties::read(document.as_object().unwrap()).map(drop)
}

/// The property that a refusal names.
fn blamed(refusal: &DataModelError) -> &'static str {
    match refusal {
        DataModelError::Property { property, .. } => property,
        DataModelError::Status(_) => "credentialStatus",
        DataModelError::Validity(_) => "validUntil",
    }
}

/// Sets, or with `null` removes, what a JSON pointer names.
fn set(document: &mut Value, pointer: &str, value: Value) {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    match document.pointer_mut(parent).unwrap() {
        Value::Object(object) if value.is_null() => drop(object.remove(name).unwrap()),
        Value::Object(object) => drop(object.insert(name.to_owned(), value)),
        Value::Array(items) => items[name.parse::<usize>().unwrap()] = value,
        other => panic!("{other}"),
    }
}

fn all_refused(
    genuine: &Value,
    cases: &[(&str, &'static str, Value)],
    refusal: impl Fn(&Value) -> Option<DataModelError>,
) {
    assert_eq!(refusal(genuine), None);
    for (pointer, property, value) in cases {
        let mut document = genuine.clone();
        set(&mut document, pointer, value.clone());
        let refusal = refusal(&document);
        assert_eq!(refusal.as_ref().map(blamed), Some(*property), "{pointer} {value}");
    }
}

#[test]
fn rules_of_credentials() {
    let url = "https://agency.example/1";
    let cases = [
        // Contexts.
        ("/@context", "@context", json!(null)),
        ("/@context", "@context", json!([])),
        ("/@context", "@context", json!(BASE_CONTEXT)),
        ("/@context", "@context", json!([url, BASE_CONTEXT])),
        ("/@context", "@context", json!([BASE_CONTEXT, url, url])),
        ("/@context", "@context", json!([BASE_CONTEXT, "not a url"])),
        ("/@context", "@context", json!([BASE_CONTEXT, null])),
        ("/@context", "@context", json!([BASE_CONTEXT, [url]])),
        ("/@context", "@context", json!([BASE_CONTEXT, UNDEFINED_TERMS, url])),
        // Identifiers.
        ("/id", "id", json!([url])),
        ("/id", "id", json!("not-a-url")),
        ("/id", "id", json!(7)),
        // Types.
        ("/type", "type", json!(null)),
        ("/type", "type", json!([])),
        ("/type", "type", json!(["Licence"])),
        ("/type", "type", json!(["VerifiableCredential", 7])),
        ("/type", "type", json!(["VerifiableCredential", "two words"])),
        ("/type", "type", json!(["VerifiableCredential", ""])),
        ("/type", "type", json!(["VerifiableCredential", "@json"])),
        ("/type", "type", json!(["VerifiableCredential", "https:"])),
        // Names and descriptions.
        ("/name", "name", json!(7)),
        ("/name", "name", json!([])),
        ("/name", "name", json!(["a", "b"])),
        ("/name", "name", json!({"@language": "en"})),
        ("/name", "name", json!({"@value": 7})),
        ("/name", "name", json!({"@value": "a", "@type": "@id"})),
        ("/name", "name", json!({"@value": "a", "@language": "en_US"})),
        ("/name", "name", json!({"@value": "a", "@language": ""})),
        ("/name", "name", json!({"@value": "a", "@language": "7"})),
        ("/name", "name", json!({"@value": "a", "@direction": "up"})),
        ("/description", "description", json!([{"@value": "a"}, "b"])),
        ("/issuer/name", "name", json!({"en": "Agency"})),
        // Issuer.
        ("/issuer", "issuer", json!(null)),
        ("/issuer", "issuer", json!(["did:web:agency.example"])),
        ("/issuer", "issuer", json!("agency")),
        ("/issuer/id", "issuer", json!(null)),
        ("/issuer/id", "issuer", json!(["did:web:agency.example"])),
        // Credential subject.
        ("/credentialSubject", "credentialSubject", json!(null)),
        ("/credentialSubject", "credentialSubject", json!([])),
        ("/credentialSubject", "credentialSubject", json!({})),
        ("/credentialSubject", "credentialSubject", json!("did:key:z6MkHolder")),
        ("/credentialSubject", "credentialSubject", json!([{"id": url}, {}])),
        ("/credentialSubject/id", "credentialSubject", json!([url])),
        ("/credentialSubject/confidenceMethod", "confidenceMethod", json!([{}])),
        // Validity period.
        ("/validFrom", "validFrom", json!("2026-01-01T00:00:00")),
        ("/validFrom", "validFrom", json!("2026-01-01")),
        ("/validFrom", "validFrom", json!(["2026-01-01T00:00:00Z"])),
        ("/validFrom", "validFrom", json!(1_767_225_600)),
        ("/validUntil", "validUntil", json!("2025-12-31T23:59:59Z")),
        ("/validUntil", "validUntil", json!("2026-01-01T00:00:00+00:01")),
    ];
    all_refused(&credential(), &cases, |document| read(document).err());
}

#[test]
fn rules_of_what_may_be_added_to_credentials() {
    let url = "https://agency.example/1";
    let cases = [
        // Status.
        ("/credentialStatus", "credentialStatus", json!([])),
        ("/credentialStatus/type", "credentialStatus", json!(null)),
        ("/credentialStatus/id", "credentialStatus", json!("not a url")),
        ("/credentialStatus/statusListIndex", "credentialStatus", json!("-1")),
        // Data schemas.
        ("/credentialSchema", "credentialSchema", json!([])),
        ("/credentialSchema", "credentialSchema", json!(url)),
        ("/credentialSchema/0/id", "credentialSchema", json!(null)),
        ("/credentialSchema/0/id", "credentialSchema", json!("not a url")),
        ("/credentialSchema/0/type", "credentialSchema", json!(null)),
        // Evidence, refreshing, terms of use, reserved extension points.
        ("/evidence", "evidence", json!([])),
        ("/evidence/type", "evidence", json!(null)),
        ("/evidence/id", "evidence", json!([url])),
        (
            "/refreshService",
            "refreshService",
            json!("https://agency.example/refresh"),
        ),
        ("/refreshService/type", "refreshService", json!(null)),
        ("/termsOfUse/0/type", "termsOfUse", json!(null)),
        ("/termsOfUse/0/id", "termsOfUse", json!("not a url")),
        ("/confidenceMethod/type", "confidenceMethod", json!(null)),
        ("/renderMethod/type", "renderMethod", json!(null)),
        // Integrity of related resources.
        ("/relatedResource", "relatedResource", json!([])),
        ("/relatedResource", "relatedResource", json!([url])),
        ("/relatedResource/0/id", "relatedResource", json!(null)),
        (
            "/relatedResource/0/id",
            "relatedResource",
            json!("https://agency.example/b.png"),
        ),
        ("/relatedResource/0/digestSRI", "relatedResource", json!(null)),
        ("/relatedResource/0/digestSRI", "digestSRI", json!("")),
        ("/relatedResource/0/digestSRI", "digestSRI", json!([])),
        (
            "/relatedResource/0/digestSRI",
            "digestSRI",
            json!("md5-XrY7u+Ae7tCTyyK7j1rNww=="),
        ),
        ("/relatedResource/0/digestSRI", "digestSRI", json!("sha256-AAAA")),
        ("/relatedResource/1/digestMultibase", "digestMultibase", json!("z")),
        (
            "/relatedResource/1/digestMultibase",
            "digestMultibase",
            json!({"sha256": "z"}),
        ),
        ("/relatedResource/0/mediaType", "mediaType", json!("image")),
        ("/relatedResource/0/mediaType", "mediaType", json!("image/")),
        ("/relatedResource/0/mediaType", "mediaType", json!(["image/png"])),
    ];
    all_refused(&credential(), &cases, |document| read(document).err());
}

#[test]
fn rules_of_presentations() {
    let vc = "verifiableCredential";
    let url = "https://agency.example/1";
    let cases = [
        ("/@context", "@context", json!(null)),
        ("/@context", "@context", json!(BASE_CONTEXT)),
        ("/@context", "@context", json!([BASE_CONTEXT, BASE_CONTEXT])),
        ("/id", "id", json!([url])),
        ("/type", "type", json!(null)),
        ("/type", "type", json!(["VerifiableCredential"])),
        ("/holder", "holder", json!("Alice")),
        ("/holder", "holder", json!([url])),
        ("/holder/id", "holder", json!(null)),
        ("/termsOfUse/type", "termsOfUse", json!(null)),
        ("/verifiableCredential", vc, json!([])),
        ("/verifiableCredential", vc, json!(url)),
        ("/verifiableCredential/0", vc, json!("eyJhbGciOiJFUzI1NiJ9.e30.AA")),
        ("/verifiableCredential/0/type", vc, json!(["Licence"])),
        ("/verifiableCredential/0/@context", vc, json!(null)),
        ("/verifiableCredential/1/@context", "@context", json!(null)),
        ("/verifiableCredential/1/@context", "@context", json!([])),
        (
            "/verifiableCredential/1/@context",
            "@context",
            json!("https://www.w3.org/ns/credentials/examples/v2"),
        ),
        (
            "/verifiableCredential/1/type",
            "type",
            json!(["EnvelopedVerifiableCredential", "VerifiableCredential"]),
        ),
        ("/verifiableCredential/1/id", "id", json!(null)),
        ("/verifiableCredential/1/id", "id", json!("eyJhbGciOiJFUzI1NiJ9.e30.AA")),
        ("/verifiableCredential/1/id", "id", json!("https://agency.example/1,2")),
        ("/verifiableCredential/1/id", "id", json!("data:application/vc+jwt")),
        ("/verifiableCredential/1/id", "id", json!("data:application/vc+jwt,")),
        ("/verifiableCredential/1/id", "id", json!("data:,text")),
    ];
    all_refused(&presentation(), &cases, |document| read_presentation(document).err());
}

#[test]
fn envelopes_of_presentations() {
    let type_ = "EnvelopedVerifiablePresentation";
    let read =
        |envelope: &Value| -> Option<DataModelError> { Envelope::of_presentation(envelope.as_object().unwrap()).err() };
    let genuine = envelope(type_);
    let opened = Envelope::of_presentation(genuine.as_object().unwrap()).unwrap();
    assert_eq!(
        (opened.media_type(), opened.data()),
        ("application/vc+jwt", "eyJhbGciOiJFUzI1NiJ9.e30.AA")
    );
    let cases = [
        ("/@context", "@context", json!([])),
        ("/type", "type", json!(["VerifiablePresentation"])),
        ("/type", "type", json!("EnvelopedVerifiableCredential")),
        ("/id", "id", json!("application/vp+jwt,e30")),
    ];
    all_refused(&genuine, &cases, read);
}

/// What the Recommendation allows and somebody might think it does not.
#[test]
fn what_the_rules_allow() {
    for (pointer, value) in [
        ("/@context", json!([BASE_CONTEXT])),
        (
            "/@context",
            json!([BASE_CONTEXT, "https://agency.example/1", UNDEFINED_TERMS]),
        ),
        ("/type", json!("VerifiableCredential")),
        (
            "/type",
            json!(["https://agency.example/Licence", "VerifiableCredential"]),
        ),
        ("/validUntil", json!("2026-01-01T00:00:00Z")),
        ("/validUntil", json!("9999-12-31T23:59:59Z")),
        ("/validUntil", json!("2027-12-31T24:00:00Z")),
        ("/name", json!("")),
        ("/credentialStatus", json!({"type": "OtherStatus2026"})),
        (
            "/relatedResource/1/digestMultibase",
            json!(["uJKGMkOmFbVJhEfKTduMC2XCyvRAYLjOVmZWwIH1wQ7k", digest_multibase(b"")]),
        ),
    ] {
        let mut document = credential();
        set(&mut document, pointer, value.clone());
        assert_eq!(read(&document).err(), None, "{pointer} {value}");
    }
}

#[test]
fn related_resources_are_verified_over_their_bytes() {
    let read_one = |members: Value| -> RelatedResource {
        let mut document = credential();
        let mut resource = members;
        resource["id"] = json!("https://agency.example/a.png");
        document["relatedResource"] = resource;
        read(&document).unwrap().related_resources.remove(0)
    };
    let (right, wrong) = (integrity::compute(RESOURCE), integrity::compute(b"other"));
    let (right_multibase, wrong_multibase) = (digest_multibase(RESOURCE), digest_multibase(b"other"));
    for (members, expected) in [
        (json!({"digestSRI": right}), Ok(())),
        (json!({"digestSRI": wrong}), Err(IntegrityError::Mismatch)),
        (json!({"digestSRI": format!("{wrong} {right}")}), Ok(())),
        (json!({"digestSRI": [wrong, right]}), Ok(())),
        (json!({"digestMultibase": right_multibase}), Ok(())),
        (
            json!({"digestMultibase": wrong_multibase}),
            Err(IntegrityError::Mismatch),
        ),
        (json!({"digestMultibase": [wrong_multibase, right_multibase]}), Ok(())),
        (json!({"digestSRI": right, "digestMultibase": right_multibase}), Ok(())),
        (
            json!({"digestSRI": right, "digestMultibase": wrong_multibase}),
            Err(IntegrityError::Mismatch),
        ),
        (
            json!({"digestSRI": wrong, "digestMultibase": right_multibase}),
            Err(IntegrityError::Mismatch),
        ),
    ] {
        assert_eq!(read_one(members.clone()).verify(RESOURCE), expected, "{members}");
    }
}

#[test]
fn problem_types_are_urls_of_the_standards() {
    for type_ in ProblemType::ALL {
        let (base, name) = type_.as_str().split_once('#').unwrap();
        assert!(["https://www.w3.org/TR/vc-data-model", "https://w3id.org/security"].contains(&base));
        let expected = format!("{type_:?}").to_uppercase();
        assert_eq!(name.replace('_', ""), expected);
        assert!(!type_.title().is_empty());
    }
}

#[test]
fn a_malformed_value_is_reported_as_one() {
    let refused = read(&json!({"@context": []})).unwrap_err();
    assert_eq!(refused.problem_type(), ProblemType::MalformedValueError);
}

fn old_credential() -> Value {
    json!({
        "@context": [BASE_CONTEXT_1_1, "https://w3id.org/security/data-integrity/v2"],
        "id": "http://university.example/credentials/3732",
        "type": ["VerifiableCredential", "Licence"],
        "issuer": "did:web:agency.example",
        "issuanceDate": "2026-01-01T00:00:00Z",
        "expirationDate": "2028-01-01T00:00:00Z",
        "credentialSubject": {"id": "did:key:z6MkHolder", "class": ["2B"]},
        "credentialStatus": {"id": "https://agency.example/status/1#7", "type": "StatusList2021Entry"},
        "credentialSchema": {"id": "https://agency.example/schema.json", "type": "JsonSchemaValidator2018"},
        "refreshService": {"id": "https://agency.example/refresh", "type": "Refresh"},
        "termsOfUse": {"type": "Terms"},
        "evidence": [{"type": "Evidence"}],
    })
}

fn read_received(document: &Value) -> Result<CredentialProperties, DataModelError> {
    CredentialProperties::read_received(document.as_object().unwrap())
}

#[test]
fn rules_of_credentials_of_version_1_1() {
    let url = "https://agency.example/1";
    let cases = [
        ("/@context", "@context", json!([url, BASE_CONTEXT_1_1])),
        ("/@context", "@context", json!(BASE_CONTEXT_1_1)),
        ("/@context", "@context", json!([BASE_CONTEXT_1_1, BASE_CONTEXT_1_1])),
        ("/@context", "@context", json!([BASE_CONTEXT_1_1, BASE_CONTEXT])),
        ("/id", "id", json!([url])),
        ("/type", "type", json!(["Licence"])),
        ("/issuer", "issuer", json!(null)),
        ("/issuer", "issuer", json!({"name": "Agency"})),
        ("/issuanceDate", "issuanceDate", json!(null)),
        ("/issuanceDate", "issuanceDate", json!("2026-01-01")),
        ("/issuanceDate", "issuanceDate", json!(1_767_225_600)),
        ("/expirationDate", "expirationDate", json!("Sat, 1 Jan 2028")),
        ("/expirationDate", "expirationDate", json!("2025-12-31T23:59:59Z")),
        ("/credentialSubject", "credentialSubject", json!(null)),
        ("/credentialSubject", "credentialSubject", json!({})),
        ("/credentialStatus/id", "credentialStatus", json!(null)),
        ("/credentialStatus/type", "credentialStatus", json!(null)),
        ("/credentialSchema/id", "credentialSchema", json!(null)),
        ("/credentialSchema/type", "credentialSchema", json!(null)),
        ("/refreshService/id", "refreshService", json!(null)),
        ("/refreshService/type", "refreshService", json!(null)),
        ("/termsOfUse/type", "termsOfUse", json!(null)),
        ("/evidence/0/type", "evidence", json!(null)),
    ];
    all_refused(&old_credential(), &cases, |document| read_received(document).err());
}

/// The first context says which version it is, and nothing else does.
#[test]
fn versions_are_declared() {
    let (old, new) = (old_credential(), credential());
    assert_eq!(read_received(&old).unwrap().version, DataModelVersion::V1_1);
    assert_eq!(read_received(&new).unwrap().version, DataModelVersion::V2_0);
    // What is issued is 2.0.
    assert_eq!(read(&old).err().as_ref().map(blamed), Some("@context"));
    // The properties of one version do not count in the other.
    let mut new_with_old = new;
    new_with_old["expirationDate"] = json!("nonsense");
    assert!(read_received(&new_with_old).is_ok());
    let mut old_as_new = old;
    old_as_new["@context"][0] = json!(BASE_CONTEXT);
    assert_eq!(read_received(&old_as_new).unwrap().valid_until, None);
}

/// Such a time means nothing by itself; the Recommendations say that it is UTC.
#[test]
fn a_time_of_version_1_1_without_offset_is_utc() {
    let mut document = old_credential();
    document["expirationDate"] = json!("2028-01-01T00:00:00");
    let expected = Timestamp::parse_date_time_stamp("2028-01-01T00:00:00Z").unwrap();
    assert_eq!(read_received(&document).unwrap().valid_until, Some(expected));
}

/// The context of 1.1 defines the properties of 2.0 too: whoever wrote them meant them.
#[test]
fn both_periods_of_a_credential_of_version_1_1_count() {
    let mut document = old_credential();
    document["validFrom"] = json!("2027-01-01T00:00:00Z");
    document["validUntil"] = json!("2027-06-01T00:00:00Z");
    let read = read_received(&document).unwrap();
    let at = |text| Some(Timestamp::parse_date_time_stamp(text).unwrap());
    assert_eq!(
        (read.valid_from, read.valid_until),
        (at("2027-01-01T00:00:00Z"), at("2027-06-01T00:00:00Z"))
    );
}
