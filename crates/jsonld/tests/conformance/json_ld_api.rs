//! The expand and toRdf tests of the [JSON-LD API](https://www.w3.org/TR/json-ld11-api/), with what is left
//! out listed by name.

use std::path::Path;

use jsonld::ContextLoader;
use jsonld::Dataset;
use jsonld::Error;
use jsonld::HashAlgorithm;
use jsonld::LiteralKind;
use jsonld::MAX_CANONICALIZATION_WORK;
use jsonld::Object;
use jsonld::Options;
use jsonld::Quad;
use jsonld::RdfDirection;
use serde_json::Value;

use crate::n_quads;
use crate::vectors;

const BASE: &str = "https://w3c.github.io/json-ld-api/tests/";

const ONLY_1_0: &str = "the json-ld-1.0 processing mode is not implemented";
const COMPOUND_LITERAL: &str = "not normative, and no securing mechanism uses it";

/// What is left out of the expand tests, and why.
const EXPAND_LEFT_OUT: [(&str, &str); 18] = [
    ("#t0026", ONLY_1_0),
    ("#t0038", ONLY_1_0),
    ("#t0071", ONLY_1_0),
    ("#t0075", ONLY_1_0),
    ("#t0115", ONLY_1_0),
    ("#t0116", ONLY_1_0),
    ("#tc029", ONLY_1_0),
    ("#tep02", ONLY_1_0),
    ("#ter02", ONLY_1_0),
    ("#ter03", ONLY_1_0),
    ("#ter21", ONLY_1_0),
    ("#ter24", ONLY_1_0),
    ("#ter32", ONLY_1_0),
    ("#ter42", ONLY_1_0),
    ("#tes01", ONLY_1_0),
    ("#tpi01", ONLY_1_0),
    ("#tso01", ONLY_1_0),
    ("#ttn01", ONLY_1_0),
];

/// What is left out of the toRdf tests, and why. (The two about generalized RDF are 1.0 tests as well.)
const TO_RDF_LEFT_OUT: [(&str, &str); 21] = [
    ("#t0118", ONLY_1_0),
    ("#tc029", ONLY_1_0),
    ("#tdi11", COMPOUND_LITERAL),
    ("#tdi12", COMPOUND_LITERAL),
    ("#te014", ONLY_1_0),
    ("#te026", ONLY_1_0),
    ("#te038", ONLY_1_0),
    ("#te071", ONLY_1_0),
    ("#te075", ONLY_1_0),
    ("#te115", ONLY_1_0),
    ("#te116", ONLY_1_0),
    ("#tep02", ONLY_1_0),
    ("#ter02", ONLY_1_0),
    ("#ter03", ONLY_1_0),
    ("#ter21", ONLY_1_0),
    ("#ter24", ONLY_1_0),
    ("#ter32", ONLY_1_0),
    ("#ter42", ONLY_1_0),
    ("#tpi01", ONLY_1_0),
    ("#tso01", ONLY_1_0),
    ("#ttn01", ONLY_1_0),
];

#[derive(Debug, Default, PartialEq, Eq)]
struct Counts {
    positive: usize,
    /// Positive as well, but only that there is a result counts.
    syntax: usize,
    negative: usize,
    left_out: usize,
}

#[test]
fn expand() {
    let counts = run_manifest("expand", &EXPAND_LEFT_OUT, |document, options, expected| {
        let found = Value::Array(jsonld::expand(document, options)?);
        Ok(expected.is_none_or(|file| same(&found, &vectors::json(file), false)))
    });
    let expected = Counts {
        positive: 272,
        syntax: 0,
        negative: 95,
        left_out: 18,
    };
    assert!(counts.is_none_or(|counts| counts == expected));
}

#[test]
fn to_rdf() {
    let counts = run_manifest("toRdf", &TO_RDF_LEFT_OUT, |document, options, expected| {
        let found = jsonld::to_rdf(document, options)?;
        Ok(expected.is_none_or(|file| {
            let text = std::fs::read_to_string(file).unwrap();
            let (expected, _) = n_quads::parse(&text);
            canonical(&found) == canonical(&with_lower_case_tags(&expected))
        }))
    });
    let expected = Counts {
        positive: 337,
        syntax: 16,
        negative: 93,
        left_out: 21,
    };
    assert!(counts.is_none_or(|counts| counts == expected));
}

/// Runs one manifest; `check` says whether the result of a document is that of the file.
fn run_manifest(
    name: &str,
    left_out: &[(&str, &str)],
    check: impl Fn(&Value, &Options<'_>, Option<&Path>) -> Result<bool, Error>,
) -> Option<Counts> {
    let folder = vectors::folder("json-ld-api")?;
    let loader = loader(&folder, name);
    let manifest = vectors::json(&folder.join(format!("{name}-manifest.jsonld")));
    let mut counts = Counts::default();
    let mut failures = Vec::new();
    for test in manifest["sequence"].as_array().unwrap() {
        let id = test["@id"].as_str().unwrap();
        let option = &test["option"];
        if let Some((_, reason)) = left_out.iter().find(|(name, _)| *name == id) {
            let is_1_0 = option["specVersion"] == "json-ld-1.0" || option["processingMode"] == "json-ld-1.0";
            assert_eq!(is_1_0, *reason == ONLY_1_0, "{id}");
            counts.left_out += 1;
            continue;
        }
        let input = test["input"].as_str().unwrap();
        let base = format!("{BASE}{input}");
        let expand_context = option["expandContext"]
            .as_str()
            .map(|file| vectors::json(&folder.join(file)));
        let mut options = Options::lenient(&loader).with_base(option["base"].as_str().unwrap_or(&base));
        if let Some(context) = &expand_context {
            options = options.with_expand_context(context);
        }
        if option["rdfDirection"] == "i18n-datatype" {
            options = options.with_rdf_direction(RdfDirection::I18nDatatype);
        }
        let document = vectors::json(&folder.join(input));
        let expected = test["expect"].as_str().map(|file| folder.join(file));
        let result = check(&document, &options, expected.as_deref());
        let passed = match test["@type"][0].as_str().unwrap() {
            "jld:PositiveEvaluationTest" => {
                counts.positive += 1;
                expected.is_some() && result == Ok(true)
            }
            "jld:PositiveSyntaxTest" => {
                counts.syntax += 1;
                result.is_ok()
            }
            "jld:NegativeEvaluationTest" => {
                counts.negative += 1;
                let code = result
                    .as_ref()
                    .err()
                    .and_then(Error::code)
                    .map(jsonld::ErrorCode::as_str);
                code.is_some() && code == test["expectErrorCode"].as_str()
            }
            other => panic!("{id}: {other}"),
        };
        if !passed {
            failures.push(format!("{id} {}: {result:?}", test["name"]));
        }
    }
    println!("json-ld-api {name}: {counts:?}");
    assert!(
        failures.is_empty(),
        "{} failed:\n{}",
        failures.len(),
        failures.join("\n")
    );
    Some(counts)
}

/// A loader that knows the files of the tests under the URLs they would have.
fn loader(folder: &Path, name: &str) -> ContextLoader {
    let mut loader = ContextLoader::empty();
    let mut folders = vec![folder.join(name)];
    while let Some(current) = folders.pop() {
        for entry in std::fs::read_dir(current).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "jsonld") {
                let relative = path.strip_prefix(folder).unwrap().to_str().unwrap().replace('\\', "/");
                loader.register(&format!("{BASE}{relative}"), vectors::json(&path));
            }
        }
    }
    loader
}

/// Whether two expanded documents are the same; the order counts in lists only.
fn same(left: &Value, right: &Value, ordered: bool) -> bool {
    match (left, right) {
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left.iter().all(|(key, value)| {
                    right
                        .get(key)
                        .is_some_and(|other| same(value, other, matches!(key.as_str(), "@list" | "@value")))
                })
        }
        (Value::Array(left), Value::Array(right)) if ordered => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| same(left, right, false))
        }
        (Value::Array(left), Value::Array(right)) => {
            let mut rest: Vec<&Value> = right.iter().collect();
            left.len() == right.len()
                && left.iter().all(|item| {
                    let found = rest.iter().position(|other| same(item, other, false));
                    found.is_some_and(|position| {
                        rest.remove(position);
                        true
                    })
                })
        }
        _ => left == right,
    }
}

fn canonical(dataset: &Dataset) -> String {
    jsonld::canonicalize(dataset, HashAlgorithm::Sha256, MAX_CANONICALIZATION_WORK)
        .unwrap()
        .n_quads
}

fn with_lower_case_tags(dataset: &Dataset) -> Dataset {
    let lower = |quad: &Quad| {
        let mut quad = quad.clone();
        if let Object::Literal(literal) = &mut quad.object
            && let LiteralKind::Language(tag) = &mut literal.kind
        {
            *tag = tag.to_lowercase();
        }
        quad
    };
    Dataset::new(dataset.quads().iter().map(lower).collect())
}
