//! The log as files in a folder: complete under every checkpoint, and never of two logs.

use std::fs;
use std::path::Path;

use registry::LogFiles;
use registry::LogFilesError;
use trust::checkpoint::SignedCheckpoint;
use url::Url;
use witness::Source;

use crate::nation::*;

fn at(folder: &Path) -> LogFiles {
    LogFiles::at(&Url::from_file_path(folder).unwrap()).unwrap()
}

/// The size up to which the folder has a log that holds.
async fn audited(nation: &Nation, folder: &Path) -> u64 {
    let audited = witness::audit(&Source::folder(folder), nation.registry.anchor(), None, &mut |_, _| ()).await;
    audited.unwrap().0.state.size()
}

async fn published(nation: &Nation) -> u64 {
    nation.clock.advance(61);
    nation.registry.refresh(60).await.unwrap();
    let checkpoint = SignedCheckpoint::parse(nation.registry.checkpoint().as_bytes()).unwrap();
    checkpoint.unverified().size()
}

/// Names of partial bundles of entries.
fn partial(folder: &Path, bundle: &str) -> Vec<String> {
    let Ok(names) = fs::read_dir(folder.join(format!("tile/entries/{bundle}.p"))) else {
        return Vec::new();
    };
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

#[tokio::test]
async fn files_follow_the_log_and_hold() {
    let (nation, agency) = Nation::with_issuer().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let mut files = at(&path);
    let size = nation.registry.write_files(&mut files).await.unwrap();
    assert_eq!(size, audited(&nation, &path).await);

    // Over the end of a tile, in one process and in the next.
    for epoch in 1..=130 {
        let (leaf, compact) = nation.commitment(&agency, epoch, &[]);
        nation.registry.append(leaf, vec![compact]).await.unwrap();
        if epoch == 40 {
            assert_eq!(
                nation.registry.write_files(&mut files).await.unwrap(),
                audited(&nation, &path).await
            );
        }
        if epoch == 80 {
            files = at(&path);
        }
    }
    let size = published(&nation).await;
    assert!(size > 256, "{size}");
    assert_eq!(nation.registry.write_files(&mut files).await.unwrap(), size);
    assert_eq!(audited(&nation, &path).await, size);
    assert_eq!(
        SignedCheckpoint::parse(&fs::read(path.join("checkpoint")).unwrap())
            .unwrap()
            .to_string(),
        nation.registry.checkpoint()
    );
    // Nothing new is nothing to do.
    assert_eq!(nation.registry.write_files(&mut files).await.unwrap(), size);
    assert_eq!(nation.registry.write_files(&mut at(&path)).await.unwrap(), size);
}

#[tokio::test]
async fn partial_tiles_are_removed_when_nobody_needs_them_any_more() {
    let nation = Nation::new().await;
    let folder = tempfile::tempdir().unwrap();
    let mut files = at(folder.path());
    let mut sizes = Vec::new();
    for _ in 0..3 {
        sizes.push(nation.registry.write_files(&mut files).await.unwrap().to_string());
        let _ = published(&nation).await;
    }
    assert_eq!(partial(folder.path(), "000"), sizes);
    nation.clock.advance(601);
    let last = published(&nation).await;
    assert_eq!(nation.registry.write_files(&mut files).await.unwrap(), last);
    // The one before is younger than those who have its checkpoint may be.
    assert_eq!(partial(folder.path(), "000"), [sizes[2].clone(), last.to_string()]);
    assert_eq!(audited(&nation, folder.path()).await, last);
}

/// What a process did not live to remove, the next one does, also of a tile that is full by now.
#[tokio::test]
async fn partial_tiles_that_a_process_left_behind_are_removed_by_the_next() {
    let (nation, agency) = Nation::with_issuer().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let first = nation.registry.write_files(&mut at(path)).await.unwrap();
    for epoch in 1..=130 {
        let (leaf, compact) = nation.commitment(&agency, epoch, &[]);
        nation.registry.append(leaf, vec![compact]).await.unwrap();
    }
    // This one leaves the partial tiles of the first alone: whoever has its checkpoint needs them.
    let second = published(&nation).await;
    assert_eq!(nation.registry.write_files(&mut at(path)).await.unwrap(), second);
    assert!(second > 256, "{second}");
    let width = |size: u64| (size % 256).to_string();
    assert_eq!(partial(path, "000"), [width(first)]);
    assert_eq!(partial(path, "001"), [width(second)]);
    // Neither what is no tile nor what an operator who is ahead of us has written.
    fs::write(path.join("tile/entries/000.p/of-somebody"), "x").unwrap();
    fs::write(path.join("tile/entries/001.p/255"), "x").unwrap();

    let mut files = at(path);
    let third = published(&nation).await;
    assert_eq!(nation.registry.write_files(&mut files).await.unwrap(), third);
    assert_eq!(partial(path, "000"), [width(first), "of-somebody".to_owned()]);
    nation.clock.advance(601);
    let last = published(&nation).await;
    assert_eq!(nation.registry.write_files(&mut files).await.unwrap(), last);
    assert_eq!(partial(path, "000"), ["of-somebody"]);
    assert_eq!(partial(path, "001"), [width(third), width(last), "255".to_owned()]);
    assert!(!path.join(format!("tile/0/000.p/{first}")).exists());
    assert_eq!(audited(&nation, path).await, last);
}

#[tokio::test]
async fn files_of_another_log_are_left_alone() {
    let (nation, other) = (Nation::new().await, Nation::with_issuer().await.0);
    nation.admit(&Agency::new("transport", 22)).await;
    let folder = tempfile::tempdir().unwrap();
    let _ = nation.registry.write_files(&mut at(folder.path())).await.unwrap();
    let before = fs::read(folder.path().join("checkpoint")).unwrap();
    // Of the same name and keys, and the same genesis.
    let refused = other.registry.write_files(&mut at(folder.path())).await.unwrap_err();
    assert!(
        matches!(&refused, LogFilesError::OtherLog { path } if path == "checkpoint"),
        "{refused:?}"
    );
    assert_eq!(fs::read(folder.path().join("checkpoint")).unwrap(), before);

    fs::write(folder.path().join("anchor"), other_anchor(&nation)).unwrap();
    let refused = nation.registry.write_files(&mut at(folder.path())).await.unwrap_err();
    assert!(
        matches!(&refused, LogFilesError::OtherLog { path } if path == "anchor"),
        "{refused:?}"
    );
}

#[tokio::test]
async fn larger_tree_of_another_log_is_found_when_ours_has_grown_to_it() {
    let (nation, (other, agency)) = (Nation::new().await, Nation::with_issuer().await);
    for epoch in 1..=8 {
        let (leaf, compact) = other.commitment(&agency, epoch, &[]);
        other.registry.append(leaf, vec![compact]).await.unwrap();
    }
    nation.admit(&Agency::new("transport", 22)).await;
    let folder = tempfile::tempdir().unwrap();
    let theirs = other.registry.write_files(&mut at(folder.path())).await.unwrap();
    let mut files = at(folder.path());
    // It may be that of an operator who is ahead of us.
    assert_eq!(nation.registry.write_files(&mut files).await.unwrap(), theirs);
    while published(&nation).await < theirs {}
    let refused = nation.registry.write_files(&mut files).await.unwrap_err();
    assert!(
        matches!(&refused, LogFilesError::OtherLog { path } if path == "checkpoint"),
        "{refused:?}"
    );
}

fn other_anchor(nation: &Nation) -> String {
    let anchor = nation.registry.anchor();
    let genesis = trust::merkle::Hash::digest(b"another genesis");
    trust::Anchor::new(anchor.log().clone(), genesis).unwrap().to_string()
}

#[tokio::test]
async fn full_tile_with_another_content_is_not_passed_over() {
    let (nation, agency) = Nation::with_issuer().await;
    let folder = tempfile::tempdir().unwrap();
    for epoch in 1..=130 {
        let (leaf, compact) = nation.commitment(&agency, epoch, &[]);
        nation.registry.append(leaf, vec![compact]).await.unwrap();
    }
    let _ = published(&nation).await;
    let path = folder.path().join("tile/entries/000");
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, "of somebody else").unwrap();
    let refused = nation.registry.write_files(&mut at(folder.path())).await.unwrap_err();
    assert!(
        matches!(&refused, LogFilesError::OtherLog { path } if path == "tile/entries/000"),
        "{refused:?}"
    );
    assert!(!folder.path().join("checkpoint").exists());
}

#[test]
fn other_places_are_named() {
    for url in ["https://bucket.example/log", "s3:///log", "file://elsewhere/log"] {
        let refused = LogFiles::at(&Url::parse(url).unwrap());
        assert!(matches!(refused, Err(LogFilesError::Url { .. })), "{url}");
    }
}
