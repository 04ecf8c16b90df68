//! Where the shared test vectors are.

use std::path::PathBuf;

use serde_json::Value;

/// The folder of one set of vectors, or none (with a word about it) when the machine has no vectors.
/// `ATTESTRY_REQUIRE_VECTORS=1` turns their absence into a failure.
pub(crate) fn folder(name: &str) -> Option<PathBuf> {
    let root = std::env::var_os("ATTESTRY_VECTORS").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/vectors")),
        PathBuf::from,
    );
    let folder = root.join(name);
    if folder.is_dir() {
        return Some(folder);
    }
    assert_ne!(
        std::env::var("ATTESTRY_REQUIRE_VECTORS").as_deref(),
        Ok("1"),
        "no vectors at {}",
        folder.display()
    );
    println!("skipped: no vectors at {}", folder.display());
    None
}

/// Reads a JSON file of the vectors.
pub(crate) fn json(path: &std::path::Path) -> Value {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
