//! A copy of the log, kept by somebody who is served lies in between.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::path::PathBuf;

use server::Fetcher;
use server::fetch::Reach;
use trust::audit::Violation;
use trust::checkpoint::Checkpoint;
use trust::merkle;
use trust::merkle::Hash;
use trust::merkle::leaf_hash;
use trust::tiles::encode_hashes;
use trust::tiles::parse_entries;
use trust::tiles::push_entry;
use url::Url;
use witness::FollowError;
use witness::MirrorError;
use witness::Source;

use crate::nation::*;

/// Every file of a copy, but the lock.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.file_name().unwrap() != ".lock" {
            found.insert(path.clone(), fs::read(&path).unwrap());
        }
    }
    found
}

/// The copy with one entry more, which every rule allows, under a checkpoint that the log never signed.
fn forge(from: &Path, to: &Path, size: u16, leaf: &[u8]) {
    let bundle = fs::read(from.join(format!("tile/entries/000.p/{size}"))).unwrap();
    let mut entries = parse_entries(&bundle, size).unwrap();
    entries.push(leaf);
    let hashes: Vec<Hash> = entries.iter().map(|entry| leaf_hash(entry)).collect();
    let mut bundle = Vec::new();
    for entry in &entries {
        push_entry(&mut bundle, entry).unwrap();
    }
    let signed = fs::read_to_string(from.join("checkpoint")).unwrap();
    let (_, signatures) = signed.split_once("\n\n").unwrap();
    let checkpoint = Checkpoint::new(LOG_NAME, u64::from(size) + 1, merkle::root(&hashes)).unwrap();
    for (path, bytes) in [
        (format!("tile/entries/000.p/{}", size + 1), bundle),
        (format!("tile/0/000.p/{}", size + 1), encode_hashes(&hashes)),
        (
            "checkpoint".to_owned(),
            format!("{checkpoint}\n{signatures}").into_bytes(),
        ),
    ] {
        let path = to.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

#[tokio::test]
async fn a_mirror_keeps_nothing_of_what_the_log_did_not_sign() {
    let nation = Nation::new().await;
    nation.admit(&Agency::new("population", 20)).await;
    let prefix = Url::parse(&format!("{}/registry", nation.url())).unwrap();
    let honest = Source::url(Fetcher::new(Reach::LoopbackToo).unwrap(), prefix);
    let folder = tempfile::tempdir().unwrap();
    let (copy, lies) = (folder.path().join("copy"), folder.path().join("lies"));
    let anchor = nation.registry.anchor();
    let run = async |source: &Source| witness::mirror(source, &copy, anchor.clone(), &mut |_, _| ()).await;
    run(&honest).await.unwrap();
    let before = files(&copy);

    let size = u16::try_from(nation.registry.state().size()).unwrap();
    forge(&copy, &lies, size, &nation.did_event(&Agency::new("forged", 21)));
    let refused = run(&Source::folder(&lies)).await.unwrap_err();
    let expected = matches!(
        refused,
        MirrorError::Follow(FollowError::Violation(Violation::Checkpoint { .. }))
    );
    assert!(expected, "{refused:?}");
    assert_eq!(files(&copy), before);

    // And a run beside another is none.
    let lock = fs::File::create(copy.join(".lock")).unwrap();
    lock.lock().unwrap();
    assert!(matches!(run(&honest).await, Err(MirrorError::Busy)));
    drop(lock);

    nation.admit(&Agency::new("transport", 22)).await;
    let audited = run(&honest).await.unwrap();
    assert_eq!(audited.state.digest(), nation.registry.state().digest());
    let from_copy = witness::audit(&Source::folder(&copy), anchor.clone(), None, &mut |_, _| ()).await;
    assert_eq!(from_copy.unwrap().0.state.size(), audited.state.size());
}
