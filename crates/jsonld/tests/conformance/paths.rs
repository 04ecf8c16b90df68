//! Every JSON-LD document of the vectors, valid or not, on the direct path and on the general one.

use std::path::Path;
use std::path::PathBuf;

use jsonld::ContextLoader;
use serde_json::Value;
use serde_json::json;

use crate::comparison::compare;
use crate::vectors;

/// Where a context of a document is put.
const LIFTED: &str = "https://lifted.example/context";

#[test]
fn documents_of_the_vectors_come_to_the_same() {
    let Some(contexts) = vectors::folder("contexts") else {
        return;
    };
    let mut loader = ContextLoader::bundled();
    for (url, file) in [
        (
            "https://www.w3.org/ns/credentials/examples/v2",
            "www.w3.org_ns_credentials_examples_v2.json",
        ),
        ("https://w3id.org/citizenship/v4rc1", "w3id.org_citizenship_v4rc1.json"),
    ] {
        loader.register(url, vectors::json(&contexts.join("npm").join(file)));
    }
    for (name, at_least) in [
        ("json-ld-api", 80),
        ("vc-data-model-2.0-inputs", 60),
        ("vc-di-eddsa", 10),
    ] {
        let Some(folder) = vectors::folder(name) else { return };
        let (mut direct, mut all) = (0, 0);
        for file in files(&folder) {
            let text = std::fs::read_to_string(&file).unwrap();
            let Ok(Value::Object(mut document)) = serde_json::from_str(&text) else {
                continue;
            };
            all += 1;
            direct += usize::from(compare(&document, &loader));
            // The tests of JSON-LD write their contexts into the document. By URL they reach the direct path.
            if let Some(context) = document.get_mut("@context").filter(|context| !context.is_string()) {
                loader.register(LIFTED, json!({"@context": context.take()}));
                *context = Value::from(LIFTED);
                direct += usize::from(compare(&document, &loader));
            }
        }
        println!("{name}: {direct} of {all} documents took the direct path");
        assert!(direct >= at_least, "{name}: {direct} of {all}");
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let (mut files, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "json" || end == "jsonld") {
                files.push(path);
            }
        }
    }
    files
}
