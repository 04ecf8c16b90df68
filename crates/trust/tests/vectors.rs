//! Vectors of other implementations: Merkle proofs of transparency-dev, tiles of Tessera and Sunlight, the
//! cosignature of a Sunlight witness.

#![cfg(test)]

use std::fs;
use std::path::Path;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use keys::Timestamp;
use serde_json::Value;
use trust::checkpoint::SignedCheckpoint;
use trust::cosignature;
use trust::merkle;
use trust::merkle::Hash;
use trust::note::VerifierKey;
use trust::tiles;
use trust::tiles::Tile;
use trust::tiles::TileKind;
use trust::tiles::TileNodes;
use trust::tiles::TreeEdge;

#[test]
fn inclusion_proofs() {
    let Some(folder) = vectors("merkle-rfc6962") else {
        return;
    };
    let (mut good, mut bad) = (0, 0);
    for (path, case) in cases(&folder.join("inclusion")) {
        let verdict = (|| {
            let (leaf, root) = (hash(&case["leafHash"])?, hash(&case["root"])?);
            let (index, size) = (case["leafIdx"].as_u64()?, case["treeSize"].as_u64()?);
            merkle::verify_inclusion(leaf, index, size, &proof(&case)?, root).ok()
        })();
        count(&path, &case, verdict.is_some(), &mut good, &mut bad);
    }
    assert_eq!((good, bad), (6, 92));
}

/// A subtree is a tree of its own whose first leaf is `start`.
#[test]
fn subtree_inclusion_proofs() {
    let Some(folder) = vectors("merkle-rfc6962") else {
        return;
    };
    let (mut good, mut bad) = (0, 0);
    for (path, case) in cases(&folder.join("subtreeinclusion")) {
        let verdict = (|| {
            let (leaf, root) = (hash(&case["leafHash"])?, hash(&case["root"])?);
            let (start, end) = (case["start"].as_u64()?, case["end"].as_u64()?);
            let index = case["leafIdx"].as_u64()?.checked_sub(start)?;
            merkle::verify_inclusion(leaf, index, end.checked_sub(start)?, &proof(&case)?, root).ok()
        })();
        count(&path, &case, verdict.is_some(), &mut good, &mut bad);
    }
    assert_eq!((good, bad), (12, 192));
}

#[test]
fn consistency_proofs() {
    let Some(folder) = vectors("merkle-rfc6962") else {
        return;
    };
    let (mut good, mut bad) = (0, 0);
    for (path, case) in cases(&folder.join("consistency")) {
        let verdict = (|| {
            let (old_root, new_root) = (any_hash(&case["root1"])?, any_hash(&case["root2"])?);
            let (old, new) = (case["size1"].as_u64()?, case["size2"].as_u64()?);
            merkle::verify_consistency(old, new, old_root, new_root, &proof(&case)?).ok()
        })();
        count(&path, &case, verdict.is_some(), &mut good, &mut bad);
    }
    assert_eq!((good, bad), (6, 92));
}

/// Every published size of Tessera's log: tiles, entries, roots, and the proofs between the sizes.
#[test]
fn tessera_log() {
    let Some(folder) = vectors("tlog-tiles/log") else {
        return;
    };
    let mut edge = TreeEdge::default();
    let mut roots = Vec::new();
    for size in 1..=15_u16 {
        let tile = |kind| Tile::in_tree(kind, 0, u64::from(size)).unwrap();
        let (entries, hashes) = (tile(TileKind::Entries), tile(TileKind::Hashes(0)));
        let bundle = read(&folder, &entries);
        let entries = tiles::parse_entries(&bundle, size).unwrap();
        let hashes = tiles::parse_hashes(&read(&folder, &hashes), size).unwrap();
        assert_eq!(
            entries.iter().map(|entry| merkle::leaf_hash(entry)).collect::<Vec<_>>(),
            hashes
        );
        edge.append(*hashes.last().unwrap(), |_, _| panic!("no tile is full yet"));
        let checkpoint =
            SignedCheckpoint::parse(&fs::read(folder.join(format!("checkpoint.{size}"))).unwrap()).unwrap();
        assert_eq!(checkpoint.unverified().size(), u64::from(size));
        assert_eq!(checkpoint.unverified().root(), edge.root());
        roots.push(edge.root());
    }
    let nodes = nodes(&folder, 15);
    for (old, root) in (1..).zip(&roots) {
        let proof = merkle::consistency_proof(&nodes, old, 15).unwrap();
        merkle::verify_consistency(old, 15, *root, roots[14], &proof).unwrap();
    }
}

/// A mirror's copy of a log of 300 leaves: two levels of tiles.
#[test]
fn sunlight_mirror() {
    let Some(folder) = vectors("tlog-tiles/witness/mirror") else {
        return;
    };
    let folder = folder.join("000de184301123b9278c086a7d9f68c9577e83872224c197058fd90784ea9706");
    let checkpoint = SignedCheckpoint::parse(&fs::read(folder.join("checkpoint")).unwrap()).unwrap();
    let root = checkpoint.unverified().root();
    let nodes = nodes(&folder, 300);
    assert_eq!(merkle::tree_root(&nodes, 300), Ok(root));
    let mut edge = TreeEdge::default();
    let mut full = Vec::new();
    for tile in [
        Tile::in_tree(TileKind::Hashes(0), 0, 300),
        Tile::in_tree(TileKind::Hashes(0), 1, 300),
    ] {
        let tile = tile.unwrap();
        for hash in tiles::parse_hashes(&read(&folder, &tile), tile.width()).unwrap() {
            edge.append(hash, |tile, hashes| full.push((tile, hashes)));
        }
    }
    assert_eq!(edge.root(), root);
    for (tile, hashes) in full
        .iter()
        .map(|(tile, hashes)| (*tile, hashes.as_slice()))
        .chain(edge.partial_tiles())
    {
        assert_eq!(tiles::encode_hashes(hashes), read(&folder, &tile), "{tile}");
    }
    for index in [0, 255, 256, 299] {
        let leaf = merkle::Nodes::node(&nodes, 0, index).unwrap();
        let proof = merkle::inclusion_proof(&nodes, index, 300).unwrap();
        merkle::verify_inclusion(leaf, index, 300, &proof, root).unwrap();
    }
}

#[test]
fn sunlight_witnesses_cosignatures() {
    let Some(folder) = vectors("tlog-tiles") else { return };
    let mut seen = 0;
    for witness in ["witness", "witness2"] {
        let settings: Value =
            serde_json::from_slice(&fs::read(folder.join(witness).join("witness.v0.json")).unwrap()).unwrap();
        let key = VerifierKey::parse(settings["verifier_keys"][0].as_str().unwrap()).unwrap();
        for entry in fs::read_dir(folder.join(witness))
            .unwrap()
            .map(|entry| entry.unwrap().path())
        {
            let Ok(bytes) = fs::read(entry.join("checkpoint")) else {
                continue;
            };
            let Ok(checkpoint) = SignedCheckpoint::parse(&bytes) else {
                continue;
            };
            // The mirror's checkpoint is signed by a key that is not published there.
            if key.find(checkpoint.note()).is_none() {
                continue;
            }
            assert_eq!(
                cosignature::verify(&checkpoint, &key),
                Ok(Timestamp::from_unix(0x6954_6780))
            );
            let changed = String::from_utf8(bytes).unwrap().replace("\n300\n", "\n301\n");
            let changed = SignedCheckpoint::parse(changed.as_bytes()).unwrap();
            assert!(cosignature::verify(&changed, &key).is_err());
            seen += 1;
        }
    }
    assert_eq!(seen, 2);
}

fn nodes(folder: &Path, size: u64) -> impl merkle::Nodes<Error: std::fmt::Debug + PartialEq> {
    let folder = folder.to_owned();
    TileNodes::new(size, move |tile: Tile| {
        tiles::parse_hashes(&read(&folder, &tile), tile.width())
    })
}

fn read(folder: &Path, tile: &Tile) -> Vec<u8> {
    let path = folder.join(tile.to_string());
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn count(path: &Path, case: &Value, verified: bool, good: &mut usize, bad: &mut usize) {
    let expected = !case["wantErr"].as_bool().unwrap();
    assert_eq!(verified, expected, "{}", path.display());
    *if verified { good } else { bad } += 1;
}

fn hash(value: &Value) -> Option<Hash> {
    let bytes = STANDARD.decode(value.as_str()?).ok()?;
    bytes.try_into().ok().map(Hash::from_bytes)
}

/// Where roots do not matter but must differ, or be the same, the vectors have short texts.
fn any_hash(value: &Value) -> Option<Hash> {
    hash(value).or_else(|| Some(Hash::digest(value.as_str()?.as_bytes())))
}

fn proof(case: &Value) -> Option<Vec<Hash>> {
    case["proof"]
        .as_array()
        .map_or(Some(Vec::new()), |hashes| hashes.iter().map(hash).collect())
}

/// All JSON files below a folder.
fn cases(folder: &Path) -> Vec<(PathBuf, Value)> {
    let mut cases = Vec::new();
    for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            cases.extend(self::cases(&path));
        } else if path.extension().is_some_and(|extension| extension == "json") {
            let case = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
            cases.push((path, case));
        }
    }
    cases
}

/// The folder of these vectors; `None` where they are not at hand and nobody insists.
fn vectors(name: &str) -> Option<PathBuf> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/vectors");
    let root = std::env::var_os("ATTESTRY_VECTORS").map_or_else(|| PathBuf::from(beside), PathBuf::from);
    let folder = root.join(name);
    if folder.is_dir() {
        return Some(folder);
    }
    assert!(
        std::env::var_os("ATTESTRY_REQUIRE_VECTORS").is_none_or(|value| value != "1"),
        "no vectors at {}",
        folder.display()
    );
    println!("skipped: no vectors at {}", folder.display());
    None
}
