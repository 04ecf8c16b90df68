//! The inputs of the W3C test suite for the VC Data Model 2.0: the file names say what must be accepted. Each is checked
//! as plain JSON, then issued and authenticated with a proof, which needs its JSON-LD meaning too. (Why JSON-LD refuses
//! what only JSON-LD can refuse, `jsonld`'s tests say.)

use std::fs;
use std::path::Path;
use std::path::PathBuf;

use credential::LdpVc;
use credential::Unverified;
use credential::data_integrity;
use credential::data_integrity::Cryptosuite;
use credential::data_integrity::LdpVcError;
use credential::data_integrity::LdpVpError;
use credential::data_integrity::ProofOptions;
use credential::data_integrity::UnverifiedPresentation;
use credential::vc::CredentialProperties;
use credential::vc::DataModelError;
use credential::vc::PresentationProperties;
use jsonld::ContextLoader;
use keys::Signer as _;
use keys::Timestamp;
use keys::signing::fulfil;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;
use signer::SoftwareKey;

use crate::vectors;

const ISSUER: &str = "did:example:issuer";
const NOW: Timestamp = Timestamp::from_unix(1_800_000_000);

/// What only JSON-LD processing can find: terms that are redefined, or types that map to no URL.
const NEEDS_JSON_LD: [&str; 4] = [
    "credential-redef-type-fail",
    "credential-redef-type2-fail",
    "credential-type-mapped-nonurl-fail",
    "credential-type-unmapped-fail",
];

/// Has a proof of an invented type already.
const SECURED: &str = "credential-proof-ok";

/// Neither `-ok` nor `-fail`, and no test of the suite reads them: presentations of credentials that only the
/// presentation's proof would secure. Their form is right; we authenticate credentials by their own issuer's proof.
const SELF_ASSERTED: [&str; 3] = [
    "presentation-self-asserted-vc-holder-mismatch",
    "presentation-self-asserted-vc-issuer-mismatch",
    "presentation-self-asserted-vc-no-holder",
];

fn files(root: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.extend(
        fs::read_dir(root.join("names-and-descriptions"))
            .unwrap()
            .map(|entry| entry.unwrap().path()),
    );
    found.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    found.sort();
    found
}

/// The suite's inputs leave the issuer to the implementation, and write some dates as words.
fn complete(document: &mut Map<String, Value>, name: &str) {
    let issuer = || Value::from(ISSUER);
    match document.get_mut("issuer") {
        None if name != "credential-no-issuer-fail" => drop(document.insert("issuer".to_owned(), issuer())),
        Some(Value::Object(object)) if !object.contains_key("id") => drop(object.insert("id".to_owned(), issuer())),
        _ => (),
    }
    for value in document.values_mut() {
        match value.as_str() {
            Some("PAST DATE") => *value = Value::from("2020-01-01T00:00:00Z"),
            Some("FUTURE DATE") => *value = Value::from("2040-01-01T00:00:00Z"),
            _ => (),
        }
    }
}

fn check(name: &str, document: &Map<String, Value>) -> Result<(), DataModelError> {
    if name.starts_with("presentation") {
        PresentationProperties::read(document).map(drop)
    } else {
        CredentialProperties::read(document).map(drop)
    }
}

fn contexts() -> Option<ContextLoader> {
    let folder = vectors::folder("contexts")?.join("npm");
    let mut contexts = ContextLoader::bundled();
    contexts.register(
        "https://www.w3.org/ns/credentials/examples/v2",
        vectors::json(&folder.join("www.w3.org_ns_credentials_examples_v2.json")),
    );
    Some(contexts)
}

/// Contexts written into a document are refused by `ldp_vc` in both directions, because no list of known contexts can
/// name them; so they are published, as they would be outside of a test.
fn publish(document: &mut Map<String, Value>, contexts: &mut ContextLoader) {
    let Some(Value::Array(listed)) = document.get_mut("@context") else {
        return;
    };
    for (position, context) in listed.iter_mut().enumerate().filter(|(_, context)| context.is_object()) {
        let url = format!("https://context.example/{position}");
        contexts.register(&url, json!({"@context": context}));
        *context = Value::from(url);
    }
}

/// Issues and authenticates with a proof, at a time when the document is valid.
fn secure(document: &Map<String, Value>, suite: Cryptosuite, contexts: &ContextLoader) -> Result<(), LdpVcError> {
    let key = SoftwareKey::generate(suite.algorithms()[0], &mut signer::os_rng());
    let properties = CredentialProperties::read(document)?;
    let last = properties.valid_until.map(|until| until.minus(1));
    let now = properties.valid_from.or(last).unwrap_or(NOW);
    let options = ProofOptions {
        cryptosuite: suite,
        algorithm: suite.algorithms()[0],
        verification_method: &format!("{}#key-1", properties.issuer),
        created: Some(now),
        expires: None,
    };
    let request = data_integrity::issue(document.clone(), &options, contexts)?;
    let credential = fulfil(&key, request).unwrap();
    Unverified::<LdpVc>::from_object(&credential)?
        .authenticate(key.public_key(), &properties.issuer, contexts, now)
        .map(drop)
}

fn input(root: &Path, path: &Path) -> (String, Map<String, Value>) {
    let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
    assert!(path.starts_with(root));
    let Value::Object(mut document) = vectors::json(&path.to_path_buf()) else {
        panic!("{name} is no object")
    };
    if name.starts_with("credential") || name.starts_with("issuer") {
        complete(&mut document, &name);
    }
    (name, document)
}

#[test]
fn inputs_of_the_test_suite() {
    let Some(root) = vectors::folder("vc-data-model-2.0-inputs/input") else {
        return;
    };
    let (mut accepted, mut refused) = (0, 0);
    for path in files(&root) {
        let (name, document) = input(&root, &path);
        let result = check(&name, &document);
        if name.ends_with("-ok") {
            assert_eq!(result, Ok(()), "{name}");
            accepted += 1;
        } else if NEEDS_JSON_LD.contains(&name.as_str()) {
            assert_eq!(result, Ok(()), "{name} is now found: take it from the list");
        } else if name.contains("-fail") {
            assert!(result.is_err(), "{name}");
            refused += 1;
        } else {
            assert!(SELF_ASSERTED.contains(&name.as_str()), "{name}");
            assert_eq!(result, Ok(()), "{name}");
            let opened = UnverifiedPresentation::from_object(&document);
            assert!(matches!(opened, Err(LdpVpError::Proof(_))), "{name}");
        }
    }
    assert_eq!((accepted, refused), (65, 48));
}

#[test]
fn inputs_of_the_test_suite_with_a_proof() {
    let (Some(root), Some(mut contexts)) = (vectors::folder("vc-data-model-2.0-inputs/input"), contexts()) else {
        return;
    };
    for suite in Cryptosuite::ALL.into_iter().filter(|suite| !suite.is_selective()) {
        let (mut accepted, mut refused) = (0, 0);
        for path in files(&root) {
            let (name, mut document) = input(&root, &path);
            if !name.starts_with("credential") && !name.starts_with("issuer") {
                continue;
            }
            publish(&mut document, &mut contexts);
            let result = secure(&document, suite, &contexts);
            if name == SECURED {
                assert_eq!(result, Err(LdpVcError::Secured));
            } else if name.ends_with("-ok") {
                assert_eq!(result, Ok(()), "{name}");
                accepted += 1;
            } else {
                assert!(result.is_err(), "{name}");
                refused += 1;
            }
        }
        assert_eq!((accepted, refused), (53, 41), "{suite:?}");
    }
}

/// The suite's own values for `relatedResource` of the base context, which issuing makes use of. They are of the bytes
/// that were published before the Recommendation.
#[test]
fn related_resources_of_the_test_suite() {
    let Some(folder) = vectors::folder("contexts") else {
        return;
    };
    let url = "https://www.w3.org/ns/credentials/v2";
    let mut contexts = ContextLoader::bundled();
    let text = fs::read_to_string(folder.join("credentials-v2.REC.jsonld")).unwrap();
    contexts.register_text(url, &text).unwrap();
    for (member, digest, holds) in [
        (
            "digestSRI",
            "sha384-NSOcNpmdIVUxIJGvGUoe22FjTWrXiaXlsZ8q6912LdnR3KraQO2n75Ica4wK4Qeg",
            true,
        ),
        ("digestMultibase", "uJKGMkOmFbVJhEfKTduMC2XCyvRAYLjOVmZWwIH1wQ7k", true),
        (
            "digestSRI",
            "sha384-_rCVIV7fSXXTNIvpiq26jRDyj8JG8TDjij-tD0ewLk4JpnXEz6a5AeeY_1qQ0d0P",
            false,
        ),
        ("digestMultibase", "uM4RgWQc3RUDtjJCSgTJtTfvpZ7SPEg_LNO0ESlovQC0", false),
    ] {
        let Value::Object(document) = json!({
            "@context": [url],
            "type": ["VerifiableCredential"],
            "issuer": ISSUER,
            "credentialSubject": {"name": "Alice"},
            "relatedResource": [{"id": url, member: digest}],
        }) else {
            panic!("an object")
        };
        for suite in Cryptosuite::ALL.into_iter().filter(|suite| !suite.is_selective()) {
            assert_eq!(secure(&document, suite, &contexts).is_ok(), holds, "{member} {digest}");
        }
    }
}
