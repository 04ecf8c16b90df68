//! The vectors of the did:webvh test suite, made by five implementations, and those of didwebvh-rs.

#![cfg(test)]

use std::fs;
use std::path::Path;
use std::path::PathBuf;

use did::Did;
use did::webvh::EntryError;
use did::webvh::IdentifierError;
use did::webvh::LogState;
use did::webvh::Resolution;
use did::webvh::ResolveLogError;
use did::webvh::VersionQuery;
use did::webvh::resolve_log;
use did::webvh::witness::WitnessError;
use serde_json::Value;

/// Logs of the suite whose witnesses are bare keys, where the specification demands `did:key` DIDs.
const WITNESSES_WITHOUT_DID: [&str; 2] = ["witness-threshold/rust", "witness-update/rust"];

#[test]
fn test_suite_logs_resolve_as_expected() {
    let Some(root) = vectors("did-webvh/vectors") else {
        return;
    };
    let mut resolved = 0;
    for scenario in folders(&root) {
        for implementation in folders(&scenario) {
            let name = format!("{}/{}", file_name(&scenario), file_name(&implementation));
            if WITNESSES_WITHOUT_DID.contains(&name.as_str()) {
                let found = resolve(&implementation, None, &VersionQuery::Latest);
                assert!(
                    matches!(
                        found,
                        Err(ResolveLogError::Entry {
                            source: EntryError::Parameters(_),
                            ..
                        })
                    ),
                    "{name}"
                );
                continue;
            }
            // An entry that replaces two witnesses by one was approved by the new one alone. Both old
            // ones had to, as the suite's makers found too (didwebvh-ts, issue 117).
            if file_name(&scenario) == "witness-update" {
                let found = resolve(&implementation, None, &VersionQuery::Latest);
                let too_few = WitnessError::TooFew {
                    version: 2,
                    expected: 2,
                    found: 1,
                };
                assert_eq!(found.unwrap_err(), ResolveLogError::Witness(too_few), "{name}");
                continue;
            }
            for (expected, query) in expectations(&implementation) {
                if shows_another_version(&expected, &query) {
                    assert_eq!(
                        name, "multi-update/python",
                        "the one implementation that ignores versionNumber"
                    );
                    continue;
                }
                check(&name, &implementation, &expected, &query);
                resolved += 1;
            }
        }
    }
    assert!(
        resolved > 60,
        "the suite has more than 60 expectations, found {resolved}"
    );
}

#[test]
fn changed_test_suite_logs_are_refused() {
    let Some(root) = vectors("did-webvh/vectors") else {
        return;
    };
    let log = fs::read_to_string(root.join("basic-update/python/did.jsonl")).unwrap();
    let lines: Vec<&str> = log.lines().collect();
    let resolved = |lines: &[&str]| resolve_log(None, lines.join("\n").as_bytes(), None, &VersionQuery::Latest, None);
    assert!(resolved(&lines).is_ok());
    let fault = |lines: &[&str]| match resolved(lines) {
        Err(ResolveLogError::Entry { source, .. }) => source,
        other => panic!("expected a faulty entry, found {other:?}"),
    };
    assert!(
        matches!(fault(&[lines[1]]), EntryError::Parameters(_)),
        "the first line is missing"
    );
    assert!(
        matches!(fault(&[lines[0], lines[0]]), EntryError::Parameters(_)),
        "the first line comes twice"
    );
    assert!(matches!(
        fault(&[lines[0], lines[1], lines[1]]),
        EntryError::VersionNumber { expected: 3, found: 2 }
    ));
    assert_eq!(
        fault(&[
            lines[0],
            &lines[1].replace("did:web:example.com", "did:web:example.net")
        ]),
        EntryError::EntryHash
    );
}

#[test]
fn long_witnessed_log_verifies_and_needs_its_witnesses() {
    let Some(root) = vectors("did-webvh/test_vectors") else {
        return;
    };
    let log = fs::read(root.join("did-generate_history.jsonl")).unwrap();
    let witnesses = fs::read(root.join("did-witness-generate_history.json")).unwrap();
    let resolution = resolve_log(None, &log, Some(&witnesses), &VersionQuery::Latest, None).unwrap();
    assert_eq!(resolution.versions().len(), 120);
    let without = resolve_log(None, &log, None, &VersionQuery::Latest, None);
    assert_eq!(without.unwrap_err(), ResolveLogError::WitnessFileMissing);
    let none_approved = resolve_log(None, &log, Some(b"[]"), &VersionQuery::Latest, None);
    assert!(matches!(none_approved, Err(ResolveLogError::Witness(_))));
}

/// These are of `localhost`, which the final grammar (two labels at least) does not allow, so the
/// genuine one is refused too, for that reason only: after its hash and SCID were found right.
#[test]
fn tampered_first_entry_is_refused_for_its_hash() {
    let Some(root) = vectors("did-webvh/test_vectors") else {
        return;
    };
    let genesis = |file: &str| {
        let line = fs::read(root.join(file)).unwrap();
        LogState::genesis(line.trim_ascii_end(), None).unwrap_err()
    };
    for genuine in ["first_log_entry_good.jsonl", "first_log_entry_verify_full.jsonl"] {
        assert!(
            matches!(genesis(genuine), EntryError::Identifier(IdentifierError::Location(_))),
            "{genuine}"
        );
    }
    assert_eq!(genesis("first_log_entry_verify_tampered.jsonl"), EntryError::EntryHash);
}

/// Its three entries have one `versionTime`; the final text demands that each is later.
#[test]
fn equal_version_times_are_refused() {
    let Some(root) = vectors("did-webvh/test_vectors") else {
        return;
    };
    let log = fs::read(root.join("plain_rotation_no_prerotation.jsonl")).unwrap();
    let found = resolve_log(None, &log, None, &VersionQuery::Latest, None);
    assert!(
        matches!(
            found,
            Err(ResolveLogError::Entry {
                number: 2,
                source: EntryError::NotLater { .. }
            })
        ),
        "{found:?}"
    );
}

/// Early writers set `null` where they meant the default.
#[test]
fn null_parameters_of_early_writers_are_read_as_defaults() {
    let Some(root) = vectors("did-webvh/test_vectors") else {
        return;
    };
    let log = fs::read(root.join("pre-1_0-spec.jsonl")).unwrap();
    let resolution = resolve_log(None, &log, None, &VersionQuery::Latest, None).unwrap();
    let [_, second, third] = resolution.versions() else {
        panic!("expected three versions")
    };
    assert!(second.parameters().watchers.is_empty());
    assert_eq!((second.parameters().ttl, third.parameters().ttl), (300, 3600));
}

fn shows_another_version(expected: &Value, query: &VersionQuery) -> bool {
    let shown = expected["didDocumentMetadata"]["versionId"].as_str().unwrap();
    matches!(query, VersionQuery::Number(number) if !shown.starts_with(&format!("{number}-")))
}

fn resolve(folder: &Path, did: Option<&Did>, query: &VersionQuery) -> Result<Resolution, ResolveLogError> {
    let log = fs::read(folder.join("did.jsonl")).unwrap();
    let witnesses = fs::read(folder.join("did-witness.json")).ok();
    resolve_log(did, &log, witnesses.as_deref(), query, None)
}

fn check(name: &str, folder: &Path, expected: &Value, query: &VersionQuery) {
    let did = Did::parse(expected["didDocument"]["id"].as_str().unwrap()).unwrap();
    let resolution = resolve(folder, Some(&did), query).unwrap_or_else(|error| panic!("{name} {query:?}: {error:?}"));
    let metadata = resolution.metadata();
    // For an older version the implementations disagree whose time and identifier the metadata show.
    let members: &[&str] = if *query == VersionQuery::Latest {
        &["versionId", "versionTime", "created", "updated"]
    } else {
        &["created"]
    };
    for member in members.iter().copied() {
        if expected["didDocumentMetadata"].get(member).is_some() {
            assert_eq!(
                metadata.get(member),
                expected["didDocumentMetadata"].get(member),
                "{name} {query:?}: {member}"
            );
        }
    }
    let deactivated = expected["didDocumentMetadata"]["deactivated"] == true;
    assert_eq!(metadata["deactivated"], deactivated, "{name}");
    match resolution.document() {
        // The suite shows the document of a deactivated DID; the specification forbids it.
        None => assert!(deactivated, "{name}"),
        Some(document) => assert_eq!(
            comparable(document.into_value()),
            comparable(expected["didDocument"].clone()),
            "{name} {query:?}"
        ),
    }
}

/// Implementations write the implicit services with a relative or absolute `id` and with or without
/// a slash at the end.
fn comparable(mut document: Value) -> Value {
    let did = document["id"].as_str().unwrap().to_owned();
    for service in document["service"].as_array_mut().into_iter().flatten() {
        let id = service["id"].as_str().unwrap().trim_start_matches(&did).to_owned();
        service["id"] = id.into();
        if let Some(endpoint) = service["serviceEndpoint"].as_str() {
            service["serviceEndpoint"] = endpoint.trim_end_matches('/').into();
        }
    }
    if let Some(services) = document["service"].as_array_mut() {
        services.sort_by_key(|service| service["id"].to_string());
    }
    document
}

/// `resolutionResult.json` is of the newest version, `resolutionResult.2.json` of version 2.
fn expectations(folder: &Path) -> Vec<(Value, VersionQuery)> {
    let read = |file: String| {
        fs::read(folder.join(file))
            .ok()
            .map(|bytes| serde_json::from_slice(&bytes).unwrap())
    };
    let latest = read("resolutionResult.json".into()).map(|expected| (expected, VersionQuery::Latest));
    let numbered = (1..4).filter_map(|number| {
        Some((
            read(format!("resolutionResult.{number}.json"))?,
            VersionQuery::Number(number),
        ))
    });
    latest.into_iter().chain(numbered).collect()
}

fn folders(root: &Path) -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = fs::read_dir(root)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    folders
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

/// The folder of vectors; `None`, said aloud, where there are no vectors and none are demanded.
fn vectors(folder: &str) -> Option<PathBuf> {
    let root = std::env::var_os("ATTESTRY_VECTORS").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/vectors")),
        PathBuf::from,
    );
    let path = root.join(folder);
    if path.is_dir() {
        return Some(path);
    }
    assert!(
        std::env::var_os("ATTESTRY_REQUIRE_VECTORS").is_none_or(|required| required != "1"),
        "no vectors at {}",
        path.display()
    );
    println!("skipped: no vectors at {}", path.display());
    None
}
