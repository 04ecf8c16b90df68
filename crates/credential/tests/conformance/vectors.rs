//! Where the shared test vectors are.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

/// The folder of vectors, or `None` after saying that it is missing.
pub(crate) fn folder(name: &str) -> Option<PathBuf> {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/vectors");
    let root = std::env::var_os("ATTESTRY_VECTORS").map_or_else(|| PathBuf::from(default), PathBuf::from);
    let path = root.join(name);
    if path.is_dir() {
        return Some(path);
    }
    let required = std::env::var_os("ATTESTRY_REQUIRE_VECTORS").is_some_and(|value| value == "1");
    assert!(!required, "no vectors at {}", path.display());
    println!("skipped: no vectors at {}", path.display());
    None
}

/// A JSON file.
pub(crate) fn json(path: &PathBuf) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}
