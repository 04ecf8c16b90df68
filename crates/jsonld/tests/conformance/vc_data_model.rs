//! The inputs of the W3C test suite for the VC Data Model 2.0, as far as JSON-LD is concerned: what must be
//! accepted is compacted JSON-LD without losses, and the four that only JSON-LD can refuse are refused. (The
//! others that must be refused are `credential::vc`'s.)

use std::path::Path;

use jsonld::ContextLoader;
use jsonld::DataLoss;
use jsonld::Dataset;
use jsonld::Error;
use jsonld::ErrorCode;
use jsonld::Options;
use serde_json::Value;

use crate::vectors;

/// Its proof is of a type that no context defines, so its other members mean nothing.
const UNDEFINED_PROOF: &str = "credential-proof-ok";

#[test]
fn inputs_of_the_test_suite() {
    let (Some(folder), Some(contexts)) = (vectors::folder("vc-data-model-2.0-inputs"), vectors::folder("contexts"))
    else {
        return;
    };
    let mut loader = ContextLoader::bundled();
    loader.register(
        "https://www.w3.org/ns/credentials/examples/v2",
        vectors::json(&contexts.join("npm/www.w3.org_ns_credentials_examples_v2.json")),
    );
    let process =
        |path: &Path| -> Result<Dataset, Error> { jsonld::to_rdf(&vectors::json(path), &Options::compact(&loader)) };
    let mut accepted = 0;
    for sub in ["input", "input/names-and-descriptions"] {
        for entry in std::fs::read_dir(folder.join(sub)).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap();
            if !name.ends_with("-ok") || name == UNDEFINED_PROOF {
                continue;
            }
            let dataset = process(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert!(!dataset.quads().is_empty(), "{name}");
            accepted += 1;
        }
    }
    assert_eq!(accepted, 64);

    let refused = |name: &str| process(&folder.join(format!("input/{name}.json"))).unwrap_err();
    let lost = |term: &str, loss| Error::DataLoss {
        term: term.to_owned(),
        loss,
    };
    assert_eq!(refused(UNDEFINED_PROOF), lost("created", DataLoss::UndefinedTerm));
    assert_eq!(
        refused("credential-type-unmapped-fail"),
        lost("type", DataLoss::RelativeOrMalformedIri)
    );
    for (name, code) in [
        ("credential-redef-type-fail", ErrorCode::ProtectedTermRedefinition),
        ("credential-redef-type2-fail", ErrorCode::ProtectedTermRedefinition),
        ("credential-type-mapped-nonurl-fail", ErrorCode::InvalidIriMapping),
    ] {
        assert_eq!(refused(name).code(), Some(code), "{name}");
    }
}

/// A `@vocab` gives every name a meaning, so it must not slip in with a context.
#[test]
fn no_bundled_context_has_a_default_vocabulary() {
    let loader = ContextLoader::bundled();
    for url in loader.urls() {
        let document: Value = serde_json::json!({"@context": url, "neverDefined": "x", "@id": "urn:x:1"});
        assert_eq!(
            jsonld::to_rdf(&document, &Options::strict(&loader)),
            Err(Error::DataLoss {
                term: "neverDefined".to_owned(),
                loss: DataLoss::UndefinedTerm
            }),
            "{url}"
        );
    }
}
