//! The log as a C2SP client sees it, with nothing but the anchor and HTTP.

use std::collections::BTreeMap;

use trust::checkpoint::SignedCheckpoint;
use trust::merkle;
use trust::merkle::Hash;
use trust::merkle::leaf_hash;
use trust::tiles::Tile;
use trust::tiles::TileKind;
use trust::tiles::TileNodes;
use trust::tiles::parse_entries;
use trust::tiles::parse_hashes;

use crate::nation::*;

/// All tiles of the tree of this size, and all its entries.
async fn download(nation: &Nation, size: u64) -> (BTreeMap<Tile, Vec<Hash>>, Vec<Vec<u8>>) {
    let (mut tiles, mut entries) = (BTreeMap::new(), Vec::new());
    for level in 0..3 {
        for index in 0.. {
            let Some(tile) = Tile::in_tree(TileKind::Hashes(level), index, size) else {
                break;
            };
            let answer = nation.get(&format!("/registry/{tile}")).await;
            assert_eq!(answer.status, 200, "{tile}");
            tiles.insert(tile, parse_hashes(&answer.body, tile.width()).unwrap());
        }
    }
    for index in 0.. {
        let Some(tile) = Tile::in_tree(TileKind::Entries, index, size) else {
            break;
        };
        let answer = nation.get(&format!("/registry/{tile}")).await;
        entries.extend(
            parse_entries(&answer.body, tile.width())
                .unwrap()
                .into_iter()
                .map(<[u8]>::to_vec),
        );
    }
    (tiles, entries)
}

async fn checkpoint(nation: &Nation) -> SignedCheckpoint {
    let answer = nation.get("/registry/checkpoint").await;
    assert_eq!(answer.content_type(), Some("text/plain; charset=utf-8"));
    let checkpoint = SignedCheckpoint::parse(&answer.body).unwrap();
    let anchor = nation.registry.anchor();
    checkpoint.verify_log(std::slice::from_ref(anchor.log())).unwrap();
    nation
        .registry
        .state()
        .policy()
        .unwrap()
        .witnesses()
        .verify(&checkpoint)
        .unwrap();
    checkpoint
}

#[tokio::test]
async fn tiles_and_entries_give_the_root_and_proofs_across_a_full_tile() {
    let nation = Nation::new().await;
    let early = checkpoint(&nation).await;
    let agencies: Vec<Agency> = (0..260).map(|n| Agency::new(&format!("agency-{n}"), 20)).collect();
    let mut tasks = tokio::task::JoinSet::new();
    for agency in &agencies {
        let (registry, leaf) = (nation.registry.clone(), nation.did_event(agency));
        tasks.spawn(async move { registry.append(leaf, Vec::new()).await.unwrap().index });
    }
    tasks.join_all().await;
    let checkpoint = checkpoint(&nation).await;
    let (size, root) = (checkpoint.unverified().size(), checkpoint.unverified().root());
    assert!(size > 262);
    let (tiles, entries) = download(&nation, size).await;
    assert_eq!(entries.len(), usize::try_from(size).unwrap());
    let leaves: Vec<Hash> = entries.iter().map(|entry| leaf_hash(entry)).collect();
    assert_eq!(merkle::root(&leaves), root);
    let nodes = TileNodes::new(size, |tile: Tile| tiles.get(&tile).cloned().ok_or(tile));
    assert_eq!(merkle::tree_root(&nodes, size), Ok(root));
    for index in [0, 255, 256, size - 1] {
        let proof = merkle::inclusion_proof(&nodes, index, size).unwrap();
        merkle::verify_inclusion(leaves[usize::try_from(index).unwrap()], index, size, &proof, root).unwrap();
    }
    let early = early.unverified();
    let consistency = merkle::consistency_proof(&nodes, early.size(), size).unwrap();
    merkle::verify_consistency(early.size(), size, early.root(), root, &consistency).unwrap();
    // A full tile is also there in the widths that it once had, and a submitter's proof reads it.
    let narrow = nation.get("/registry/tile/0/000.p/3").await;
    assert_eq!(parse_hashes(&narrow.body, 3).unwrap(), leaves[..3]);
    let appended = nation.registry.append(entries[0].clone(), Vec::new()).await.unwrap();
    assert_eq!(appended.index, 0);
    let proof = trust::proof::TlogProof::parse(&appended.proof).unwrap();
    proof
        .verify(&entries[0], nation.registry.state().policy().unwrap().witnesses())
        .unwrap();
}

#[tokio::test]
async fn tiles_that_the_tree_has_not_are_not_found() {
    let nation = Nation::new().await;
    // Two leaves: the genesis Policy and a Snapshot.
    for path in ["tile/0/000.p/1", "tile/0/000.p/2", "tile/entries/000.p/2"] {
        assert_eq!(nation.get(&format!("/registry/{path}")).await.status, 200, "{path}");
    }
    for path in [
        "tile/0/000",
        "tile/0/000.p/3",
        "tile/1/000.p/1",
        "tile/0/001.p/1",
        "tile/entries/000.p/3",
        "tile/00/000",
        "tile/0/x",
        "tile/",
    ] {
        assert_eq!(nation.get(&format!("/registry/{path}")).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn snapshots_come_with_time_and_with_the_bundle() {
    let nation = Nation::new().await;
    let first = nation.bundle().await;
    nation.clock.advance(59);
    assert_eq!(nation.bundle().await.checkpoint().size(), first.checkpoint().size());
    nation.clock.advance(1);
    let second = nation.bundle().await;
    assert_eq!(second.as_of(), first.as_of().plus(60));
    second.newer_than(&first).unwrap();
    nation.clock.advance(299);
    nation.registry.tick().await.unwrap();
    assert_eq!(nation.registry.state().time(), second.as_of());
    nation.clock.advance(1);
    nation.registry.tick().await.unwrap();
    assert_eq!(nation.registry.state().time(), second.as_of().plus(300));
}

/// Not a test of speed: prints what this machine does.
#[tokio::test(flavor = "multi_thread")]
async fn appends_per_second() {
    let nation = Nation::new().await;
    let leaves: Vec<Vec<u8>> = (0..400)
        .map(|n| nation.did_event(&Agency::new(&format!("agency-{n}"), 20)))
        .collect();
    #[expect(clippy::disallowed_methods, reason = "a measurement, not a rule")]
    let start = std::time::Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for leaf in leaves {
        let registry = nation.registry.clone();
        tasks.spawn(async move { registry.append(leaf, Vec::new()).await.unwrap() });
    }
    let done = tasks.join_all().await.len();
    println!("{done} appends at once in {:?}", start.elapsed());
    for number in 0..10 {
        nation.admit(&Agency::new(&format!("later-{number}"), 20)).await;
    }
    println!("and 10 more, one after the other, in {:?}", start.elapsed());
    assert_eq!(nation.registry.state().dids().count(), done + 10);
}
