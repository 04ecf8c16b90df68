//! The sample nation: its registers, mappings and credential types fit together.
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "test code: a panic is how it fails"
)]

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::path::PathBuf;

use issuer::mapping::MappedClaims;
use issuer::mapping::Mapping;
use issuer::mapping::RowError;
use issuer::register;
use keys::Timestamp;
use serde_json::Value;
use serde_json::json;

/// 2026-11-23T03:00:00Z, the day on which the sample was made.
const NOW: Timestamp = Timestamp::from_unix(1_795_402_800);

/// Credential type, CSV file and how many of its subjects get the credential on that day.
const TYPES: [(&str, &str, usize); 4] = [
    ("CompanyRegistration", "companies.csv", 180),
    ("DrivingLicence", "driving_licences.csv", 460),
    ("PersonIdentity", "persons.csv", 981),
    ("VaccinationCertificate", "vaccinations.csv", 753),
];

fn schemas() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../schemas")
}

fn mapping(name: &str) -> Mapping {
    Mapping::parse(&fs::read(schemas().join("sample/mappings").join(format!("{name}.json"))).unwrap()).unwrap()
}

fn type_file(name: &str, file: &str) -> Value {
    serde_json::from_slice(&fs::read(schemas().join("types").join(name).join(file)).unwrap()).unwrap()
}

/// The ids of a register, without the one that is there twice.
fn ids(file: &str) -> BTreeSet<String> {
    let mut reader = csv::Reader::from_path(schemas().join("sample").join(file)).unwrap();
    reader.records().map(|record| record.unwrap()[0].to_owned()).collect()
}

async fn map(name: &str, ids: impl IntoIterator<Item = String>) -> BTreeMap<String, Result<MappedClaims, RowError>> {
    let mapping = mapping(name);
    let register = register::open(&mapping, &schemas().join("sample/mappings"))
        .await
        .unwrap();
    let mut results = BTreeMap::new();
    for id in ids {
        let row = register.subject(&id).await.unwrap().unwrap();
        results.insert(id, mapping.apply(&row, NOW));
    }
    results
}

async fn person(number: &str) -> Result<Value, RowError> {
    let id = ids("persons.csv")
        .into_iter()
        .find(|id| id.starts_with(&format!("X{number:0>7}")))
        .unwrap();
    let mut results = map("PersonIdentity", [id.clone()]).await;
    results.remove(&id).unwrap().map(|mapped| Value::Object(mapped.claims))
}

#[tokio::test]
async fn every_row_gives_a_credential_or_a_reason() {
    for (name, file, expected) in TYPES {
        let results = map(name, ids(file)).await;
        let mut issued = 0;
        for (id, result) in &results {
            match result {
                Ok(mapped) => {
                    assert!(mapped.expires_at > NOW, "{id}");
                    issued += 1;
                }
                // A sample row that does not fit its own mapping is a mistake of ours.
                Err(RowError::NotEligible { .. } | RowError::Ended { .. }) => {}
                Err(error) => panic!("{name} {id}: {error}"),
            }
        }
        assert_eq!((name, issued), (name, expected), "of {}", results.len());
    }
}

#[tokio::test]
async fn claims_follow_the_type_s_schema_and_context() {
    for (name, file, _) in TYPES {
        let schema = type_file(name, "schema.json");
        let context = type_file(name, "context.jsonld");
        let results = map(name, ids(file)).await;
        for (id, mapped) in results
            .iter()
            .filter_map(|(id, result)| Some((id, result.as_ref().ok()?)))
        {
            let claims = Value::Object(mapped.claims.clone());
            check_schema(&claims, &schema, &format!("{name} {id}"));
            check_terms(
                &claims,
                &context["@context"],
                &context["@context"],
                &format!("{name} {id}"),
            );
        }
    }
}

/// As much of JSON Schema as our schemas use; the interop tests run a whole implementation.
fn check_schema(value: &Value, schema: &Value, place: &str) {
    match value {
        Value::Object(object) => {
            assert_eq!(schema["type"], "object", "{place}");
            for (name, value) in object {
                let inner = &schema["properties"][name];
                assert!(inner.is_object(), "{place}: no property {name}");
                check_schema(value, inner, &format!("{place}.{name}"));
            }
            for name in schema["required"].as_array().into_iter().flatten() {
                assert!(
                    object.contains_key(name.as_str().unwrap()),
                    "{place}: {name} is required"
                );
            }
        }
        Value::Array(items) => {
            assert_eq!(schema["type"], "array", "{place}");
            for item in items {
                check_schema(item, &schema["items"], place);
            }
        }
        Value::String(_) => assert_eq!(schema["type"], "string", "{place}"),
        Value::Bool(_) => assert_eq!(schema["type"], "boolean", "{place}"),
        Value::Number(_) => assert_eq!(schema["type"], "integer", "{place}"),
        Value::Null => panic!("{place}: null"),
    }
    if let Some(choices) = schema["enum"].as_array() {
        assert!(choices.contains(value), "{place}: {value}");
    }
}

/// Every name is a term where it stands: the context of its object or one around it.
fn check_terms(value: &Value, context: &Value, outer: &Value, place: &str) {
    match value {
        Value::Object(object) => {
            for (name, value) in object {
                let term = [context, outer]
                    .into_iter()
                    .map(|context| &context[name])
                    .find(|term| !term.is_null());
                let term = term.unwrap_or_else(|| panic!("{place}: {name} is no term"));
                check_terms(value, &term["@context"], context, place);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| check_terms(item, context, outer, place)),
        _ => {}
    }
}

#[test]
fn type_metadata_says_what_the_mapping_does() {
    for (name, _, _) in TYPES {
        let metadata = type_file(name, "type.json");
        assert_eq!(metadata["vct"], format!("https://attestry.example/types/{name}"));
        let described: BTreeMap<String, &Value> = metadata["claims"]
            .as_array()
            .unwrap()
            .iter()
            .map(|claim| (claim["path"].to_string(), claim))
            .collect();
        let mapping = mapping(name);
        let disclosable: BTreeSet<String> = mapping.disclosable().iter().map(ToString::to_string).collect();
        let always: BTreeSet<String> = described
            .iter()
            .filter(|(_, claim)| claim["sd"] == "always")
            .map(|(path, _)| path.clone())
            .collect();
        assert_eq!(disclosable, always, "{name}");
        // A described claim is in the schema, with the same names for people.
        let schema = type_file(name, "schema.json");
        for claim in described.values() {
            let place = schema_at(&schema, &claim["path"]);
            assert!(place.is_object(), "{name} {}", claim["path"]);
            if claim["mandatory"] == true {
                assert!(
                    schema["required"].as_array().unwrap().contains(&claim["path"][0]),
                    "{name} {}",
                    claim["path"]
                );
            }
            for display in claim["display"].as_array().into_iter().flatten() {
                assert!(matches!(display["locale"].as_str(), Some("en" | "zh")));
                assert!(display["label"].is_string());
            }
        }
    }
}

fn schema_at<'a>(schema: &'a Value, path: &Value) -> &'a Value {
    path.as_array().unwrap().iter().fold(schema, |schema, step| match step {
        Value::String(name) => &schema["properties"][name],
        _ => &schema["items"],
    })
}

#[test]
fn contexts_define_each_term_alone_and_protected() {
    for (name, _, _) in TYPES {
        let context = &type_file(name, "context.jsonld")["@context"];
        assert_eq!(context[name], format!("https://attestry.example/types/{name}"));
        check_context(context, name);
    }
}

fn check_context(context: &Value, place: &str) {
    assert_eq!(context["@protected"], true, "{place}");
    for (term, definition) in context
        .as_object()
        .unwrap()
        .iter()
        .filter(|(term, _)| *term != "@protected")
    {
        assert!(!term.starts_with('@'), "{place}: {term}");
        let iri = definition.as_str().or_else(|| definition["@id"].as_str()).unwrap();
        let is_ours = iri == format!("https://attestry.example/vocab#{term}") || place == term;
        assert!(
            is_ours || iri == format!("https://attestry.example/types/{term}"),
            "{place}: {iri}"
        );
        if definition["@context"].is_object() {
            check_context(&definition["@context"], term);
        }
    }
}

#[test]
fn display_data_is_that_of_the_type_metadata() {
    for (name, _, _) in TYPES {
        let metadata = type_file(name, "type.json");
        let from_metadata: Vec<Value> = metadata["display"]
            .as_array()
            .unwrap()
            .iter()
            .map(|display| {
                let simple = &display["rendering"]["simple"];
                json!({
                    "name": display["name"],
                    "locale": display["locale"],
                    "description": display["description"],
                    "background_color": simple["background_color"],
                    "text_color": simple["text_color"],
                })
            })
            .collect();
        assert_eq!(type_file(name, "display.json"), json!(from_metadata));
    }
}

#[tokio::test]
async fn the_awkward_people_come_out_right() {
    let ordinary = person("1").await.unwrap();
    assert_eq!(ordinary["given_name"], "Maya");
    assert_eq!(ordinary["age_over_18"], true);
    assert_eq!(ordinary["personal_administrative_number"], "X0000001A");
    // Minors, and who becomes 18 a week later.
    assert_eq!(person("3").await.unwrap()["age_over_18"], false);
    assert_eq!(person("4").await.unwrap()["age_over_18"], false);
    // Born on 29 February 2008.
    assert_eq!(person("6").await.unwrap()["age_over_18"], true);
    assert_eq!(person("8").await.unwrap()["birthdate"], "1899-12-31");
    // A newborn without a name and a person with one name.
    for number in ["5", "13"] {
        assert_eq!(person(number).await.unwrap().get("given_name"), None);
    }
    // Composed and with combining marks: nothing is normalized.
    assert_ne!(
        person("18").await.unwrap()["given_name"],
        person("19").await.unwrap()["given_name"]
    );
    assert!(
        person("21").await.unwrap()["given_name"]
            .as_str()
            .unwrap()
            .chars()
            .count()
            > 200
    );
    assert_eq!(person("24").await.unwrap()["family_name"], "𠮷野浜");
    let undated = person("25").await.unwrap();
    assert_eq!((undated.get("birthdate"), undated.get("age_over_18")), (None, None));
    let bare = person("26").await.unwrap();
    assert_eq!(bare.get("address"), None);
    assert_eq!(
        person("27").await,
        Err(RowError::NotEligible {
            column: "date_of_death".to_owned()
        })
    );
    // A row that is there twice is one person.
    assert!(person("28").await.is_ok());
    assert!(person("29").await.unwrap()["picture"].as_str().unwrap().len() > 40_000);
    assert!(
        person("30").await.unwrap()["address"]["street_address"]
            .as_str()
            .unwrap()
            .contains("\"The Anchorage\"\n")
    );
    assert_eq!(person("31").await.unwrap()["nationalities"], json!(["QS"]));
    assert_eq!(person("32").await.unwrap()["given_name"], "Anand");
    assert_eq!(person("33").await.unwrap()["family_name"], "Null");
    assert_eq!(person("35").await.unwrap()["nationalities"], json!(["XA", "XB", "XC"]));
    assert_eq!(
        person("36").await,
        Err(RowError::Ended {
            column: "date_of_expiry".to_owned()
        })
    );
}
