//! The tests of [RDF Dataset Canonicalization](https://www.w3.org/TR/rdf-canon/), all of them.

use std::collections::BTreeMap;
use std::path::Path;

use jsonld::CanonicalizationError;
use jsonld::HashAlgorithm;
use jsonld::MAX_CANONICALIZATION_WORK;
use serde_json::Value;

use crate::n_quads;
use crate::vectors;

#[derive(Debug, Default, PartialEq, Eq)]
struct Counts {
    eval: usize,
    map: usize,
    negative: usize,
}

#[test]
fn rdf_canon() {
    let Some(folder) = vectors::folder("rdf-canon") else {
        return;
    };
    let manifest = vectors::json(&folder.join("manifest.jsonld"));
    let mut counts = Counts::default();
    let mut hardest = 0;
    for entry in manifest["entries"].as_array().unwrap() {
        let id = entry["id"].as_str().unwrap();
        let (dataset, labels) = n_quads::parse(&read(&folder, &entry["action"]));
        let algorithm = match entry["hashAlgorithm"].as_str() {
            None => HashAlgorithm::Sha256,
            Some("SHA384") => HashAlgorithm::Sha384,
            Some(other) => panic!("{id}: {other}"),
        };
        let result = jsonld::canonicalize(&dataset, algorithm, MAX_CANONICALIZATION_WORK);
        if let Ok(canonical) = &result {
            hardest = hardest.max(canonical.work);
        }
        match entry["type"].as_str().unwrap() {
            "rdfc:RDFC10EvalTest" => {
                assert_eq!(result.unwrap().n_quads, read(&folder, &entry["result"]), "{id}");
                counts.eval += 1;
            }
            "rdfc:RDFC10MapTest" => {
                let numbers = result.unwrap().labels;
                let found: BTreeMap<String, String> = labels
                    .into_iter()
                    .map(|(label, node)| (label, format!("c14n{}", numbers[&node])))
                    .collect();
                let expected: BTreeMap<String, String> =
                    serde_json::from_str(&read(&folder, &entry["result"])).unwrap();
                assert_eq!(found, expected, "{id}");
                counts.map += 1;
            }
            "rdfc:RDFC10NegativeEvalTest" => {
                let expected = CanonicalizationError::TooMuchWork {
                    limit: MAX_CANONICALIZATION_WORK,
                };
                assert_eq!(result, Err(expected), "{id}");
                counts.negative += 1;
            }
            other => panic!("{id}: {other}"),
        }
    }
    println!("rdf-canon: {counts:?}, the hardest took {hardest} steps");
    let expected = Counts {
        eval: 64,
        map: 21,
        negative: 1,
    };
    assert_eq!(counts, expected);
    // Room for solvable datasets of real life; the doc of the constant names this number.
    assert!(hardest * 3 <= MAX_CANONICALIZATION_WORK, "{hardest}");
}

fn read(folder: &Path, file: &Value) -> String {
    std::fs::read_to_string(folder.join(file.as_str().unwrap())).unwrap()
}
