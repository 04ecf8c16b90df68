//! Holds the workspace to ARCHITECTURE.md: which crate may depend on which, who is pure, and who may say
//! the words that release claims.
#![cfg(test)]

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

/// Every allowed edge between our own crates, dev-dependencies not counted. A new edge is a decision: make
/// it here, in the same change.
const EDGES: [(&str, &[&str]); 20] = [
    ("keys", &[]),
    ("jsonld", &["keys"]),
    ("did", &["keys"]),
    ("credential", &["jsonld", "keys"]),
    ("openid4vc", &["keys"]),
    ("trust", &["did", "keys"]),
    (
        "verifier",
        &["credential", "did", "jsonld", "keys", "openid4vc", "trust"],
    ),
    ("holder", &["credential", "did", "jsonld", "keys", "openid4vc", "trust"]),
    ("json-schema", &["credential"]),
    ("signer", &["keys"]),
    ("store", &["keys"]),
    ("server", &["keys"]),
    (
        "issuer",
        &[
            "credential",
            "did",
            "jsonld",
            "keys",
            "openid4vc",
            "server",
            "signer",
            "store",
            "trust",
        ],
    ),
    (
        "holder-agent",
        &[
            "credential",
            "did",
            "holder",
            "keys",
            "openid4vc",
            "server",
            "signer",
            "trust",
            "verifier",
        ],
    ),
    (
        "verifier-service",
        &[
            "credential",
            "did",
            "json-schema",
            "keys",
            "openid4vc",
            "server",
            "signer",
            "store",
            "trust",
            "verifier",
        ],
    ),
    (
        "registry",
        &["credential", "did", "keys", "server", "signer", "store", "trust"],
    ),
    (
        "hub",
        &["did", "keys", "openid4vc", "server", "signer", "store", "trust"],
    ),
    (
        "vc-api",
        &[
            "credential",
            "did",
            "json-schema",
            "jsonld",
            "keys",
            "server",
            "signer",
            "store",
            "trust",
        ],
    ),
    ("witness", &["keys", "server", "store", "trust"]),
    (
        "attestry",
        &[
            "credential",
            "did",
            "holder",
            "holder-agent",
            "hub",
            "issuer",
            "json-schema",
            "keys",
            "openid4vc",
            "registry",
            "server",
            "signer",
            "store",
            "trust",
            "vc-api",
            "verifier",
            "verifier-service",
            "witness",
        ],
    ),
];

/// No I/O, no clock, no randomness of their own.
const PURE: [&str; 8] = [
    "credential",
    "did",
    "holder",
    "jsonld",
    "keys",
    "openid4vc",
    "trust",
    "verifier",
];

/// What a pure crate's normal dependencies may not be.
const EDGE_LIBRARIES: [&str; 12] = [
    "axum",
    "fjall",
    "getrandom",
    "hyper",
    "json-schema",
    "jsonschema",
    "rand",
    "reqwest",
    "signer",
    "store",
    "tokio",
    "tokio-postgres",
];

/// The longest chain of our own crates below the binary, counted in crates.
const LONGEST_CHAIN: usize = 5;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Crate name to the names of its normal dependencies.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let name = |value: &Value| value["name"].as_str().unwrap().to_owned();
    let of = |package: &Value| {
        package["dependencies"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|dependency| dependency["kind"].is_null())
            .map(name)
            .collect()
    };
    metadata["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|package| (name(package), of(package)))
        .collect()
}

#[test]
fn own_crates_depend_only_along_allowed_edges() {
    let found = dependencies();
    let known: BTreeMap<&str, &[&str]> = EDGES.into_iter().collect();
    for (name, dependencies) in &found {
        if matches!(name.as_str(), "e2e" | "xtask" | "benches") {
            continue;
        }
        let allowed = known
            .get(name.as_str())
            .unwrap_or_else(|| panic!("{name} is not in the list of allowed edges"));
        for own in dependencies.iter().filter(|dependency| found.contains_key(*dependency)) {
            assert!(allowed.contains(&own.as_str()), "{name} may not depend on {own}");
        }
    }
}

#[test]
fn the_chain_of_own_crates_stays_short() {
    let found = dependencies();
    for name in found
        .keys()
        .filter(|name| !matches!(name.as_str(), "attestry" | "e2e" | "xtask" | "benches"))
    {
        assert!(
            depth(name, &found) <= LONGEST_CHAIN,
            "{name} stands on a chain of {} crates",
            depth(name, &found)
        );
    }
}

/// Crates of ours below and including this one, on the longest way down.
fn depth(name: &str, found: &BTreeMap<String, BTreeSet<String>>) -> usize {
    1 + found[name]
        .iter()
        .filter(|own| found.contains_key(*own))
        .map(|own| depth(own, found))
        .max()
        .unwrap_or(0)
}

#[test]
fn pure_crates_use_no_library_of_the_edge() {
    let found = dependencies();
    for name in PURE {
        for library in EDGE_LIBRARIES {
            assert!(
                !found[name].contains(library),
                "{name} is pure and may not use {library}"
            );
        }
    }
}

/// Every `.rs` file outside tests, with its path from the root.
fn sources(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if !matches!(
                name.as_str(),
                "target" | "tests" | "fuzz" | "benches" | "node_modules" | ".git" | "xtask"
            ) {
                sources(&path, found);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]\nmod tests").next().unwrap().to_owned();
            found.push((path.strip_prefix(root()).unwrap().to_string_lossy().into_owned(), code));
        }
    }
}

/// Files whose code (comments apart) has `word`.
fn files_that_name(word: &str) -> BTreeSet<String> {
    let mut all = Vec::new();
    sources(&root(), &mut all);
    let names = |code: &str| {
        code.lines()
            .filter(|line| !line.trim_start().starts_with("//"))
            .any(|line| line.contains(word))
    };
    all.into_iter()
        .filter(|(_, code)| names(code))
        .map(|(path, _)| path)
        .collect()
}

#[test]
fn only_the_verifier_releases_claims() {
    for path in files_that_name("ReleaseEvidence") {
        assert!(
            path.starts_with("crates/credential/src/evidence") || path.starts_with("verifier/src/"),
            "{path} may not name ReleaseEvidence"
        );
    }
}

/// An evaluator sees the claims before anybody has released them.
#[test]
fn one_crate_evaluates_schemas() {
    assert_eq!(
        files_that_name("SchemaEvaluator for"),
        BTreeSet::from(["crates/json-schema/src/lib.rs".to_owned()])
    );
}

#[test]
fn only_a_wallet_holds() {
    for path in files_that_name("hold_issued").union(&files_that_name("Held<")) {
        // A holder's service for other software: it derives from what the caller sent, and keeps nothing.
        let derives = "vc-api/src/derive.rs";
        let allowed = ["crates/credential/src/", "holder/", derives]
            .iter()
            .any(|folder| path.starts_with(folder));
        assert!(allowed, "{path} may not read credentials as their holder");
    }
}

#[test]
fn one_place_reads_the_clock_and_one_the_randomness() {
    assert_eq!(
        files_that_name("SystemTime::now"),
        BTreeSet::from(["crates/server/src/clock.rs".to_owned()])
    );
    assert_eq!(
        files_that_name("getrandom::"),
        BTreeSet::from(["crates/signer/src/lib.rs".to_owned()])
    );
}

#[test]
fn one_place_makes_an_http_client() {
    assert_eq!(
        files_that_name("reqwest::"),
        BTreeSet::from(["crates/server/src/fetch.rs".to_owned()])
    );
}

/// ARCHITECTURE.md answers with paths, and sometimes a function: `path/to/file.rs` (`function`).
#[test]
fn the_paths_of_the_map_are_right() {
    let map = std::fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let quoted: Vec<(&str, &str)> = map
        .split('`')
        .collect::<Vec<_>>()
        .windows(2)
        .enumerate()
        .filter(|(position, _)| position % 2 == 1)
        .map(|(_, pair)| (pair[0], pair[1]))
        .collect();
    let mut seen = 0;
    for (position, (path, after)) in quoted.iter().enumerate() {
        let is_path = path.contains('/') && !path.contains(' ') && (path.contains(".rs") || path.contains(".md"));
        if !is_path {
            continue;
        }
        let text = std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
        seen += 1;
        if *after == " (" {
            let function = quoted[position + 1].0;
            assert!(
                text.contains(&format!("fn {function}")),
                "{path} has no function {function}"
            );
        }
    }
    assert!(seen > 20, "the map has only {seen} paths");
}
