//! A registry watched from outside: its log audited over HTTP, copied, and the copy audited, with every file of it damaged
//! in turn.

use std::fs;
use std::path::Path;
use std::path::PathBuf;

use e2e::Place;

use crate::by_hand::Hands;
use crate::by_hand::text;
use crate::by_hand::with_wallet;

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}

#[test]
fn a_log_is_audited_and_copied_and_damage_to_the_copy_is_found() {
    with_wallet(is_audited_and_copied);
}

fn is_audited_and_copied(hands: &Hands<'_>) {
    let place = hands.place;
    let url = format!("{}/registry", hands.platform.url());
    let (copy, seen) = (place.path("copy"), place.path("seen"));
    let (to, seen) = (copy.to_str().unwrap(), seen.to_str().unwrap());

    let first = place.run(&["registry", "audit", &url, "--save", seen]);
    let first = first.expect(0);
    assert_eq!(first["holds"], true);
    assert_eq!(fs::read_to_string(seen).unwrap(), text(&first["checkpoint"]));
    let mirrored = place.run(&["registry", "mirror", &url, "--to", to]);
    assert_eq!(mirrored.expect(0)["origin"], first["origin"]);

    // The log grows, and both go on from what they saw.
    let _ = hands.accept(&hands.offer("population", "PersonIdentity", "X0000001A", &[]));
    let id = text(&hands.ok(&["credentials", "list", "--agency", "population"])["credentials"][0]["id"]);
    let _ = hands.ok(&["suspend", "--agency", "population", "--credential", &id]);
    let second = place.run(&["registry", "audit", &url, "--from", seen]);
    let second = second.expect(0);
    assert!(second["size"].as_u64() > first["size"].as_u64());
    let copied = place.run(&["registry", "mirror", &url, "--to", to]);
    let copied = copied.expect(0);
    assert!(copied["size"].as_u64() >= second["size"].as_u64());
    let of_copy = place.run(&["registry", "audit", to, "--from", seen]);
    assert_eq!(of_copy.expect(0)["root"], copied["root"]);

    damage_is_found(place, &copy, copied["size"].as_u64().unwrap());
}

/// Every file of the copy that an audit reads is changed, then taken away.
fn damage_is_found(place: &Place, copy: &Path, size: u64) {
    let audit = || place.run(&["registry", "audit", copy.to_str().unwrap()]);
    let mut damaged = 0;
    for file in files(copy).iter().filter(|file| is_read(file, size)) {
        let whole = fs::read(file).unwrap();
        let mut changed = whole.clone();
        let middle = changed.len() / 2;
        changed[middle] ^= 1;
        fs::write(file, &changed).unwrap();
        let found = audit();
        assert_ne!(found.code, 0, "{}: {}", file.display(), found.value);
        assert_ne!(found.value["holds"], true);
        fs::remove_file(file).unwrap();
        let gone = audit();
        assert_eq!(gone.code, 2, "{}: {}", file.display(), gone.value);
        fs::write(file, &whole).unwrap();
        damaged += 1;
    }
    assert!(damaged >= 4, "checkpoint, anchor, entries and hashes, found {damaged}");
    let _ = audit().expect(0);
}

/// Whether an audit reads the file: partial tiles of earlier copies are not part of the log any more.
fn is_read(file: &Path, size: u64) -> bool {
    let is_partial = file.parent().and_then(Path::extension).is_some();
    !is_partial || file.ends_with((size % 256).to_string())
}
