//! A newcomer's own agency, by the README's steps: from a CSV, and from a table of a PostgreSQL database.

use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use e2e::Database;
use e2e::Place;
use e2e::Platform;
use serde_json::Value;
use serde_json::json;

use crate::by_hand::Hands;
use crate::by_hand::verify;

/// The README's example.
fn library() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../schemas/library")
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}

/// Two of the library's claims are shown and verified from files.
fn card_is_shown(place: &Place, platform: &Platform, name: &str) {
    let hands = Hands { place, platform };
    let _ = hands.ok(&["wallet", "init"]);
    let _ = hands.accept(&hands.offer("library", "LibraryCard", "R-17", &[]));
    let query = json!({"credentials": [{
        "id": "card", "format": "dc+sd-jwt",
        "meta": {"vct_values": ["https://library.example/types/LibraryCard"]},
        "claims": [{"path": ["name"]}, {"path": ["branches", 1]}]
    }]});
    fs::write(place.path("query.json"), query.to_string()).unwrap();
    let request = hands.request_file("query.json", "request.json");
    let presentation = hands.present_file(&request, "presentation.json");
    let bundle = hands.bundle("trust.bundle");
    let valid = verify(place, &bundle, Some(&request), &presentation);
    assert_eq!(valid.expect(0)["claims"]["name"], name, "{}", valid.value);
    assert_eq!(
        valid.value["claims"]["reader_number"], "R-17",
        "the type says that it is always shown"
    );
    assert!(valid.value["claims"].get("member_since").is_none(), "{}", valid.value);
}

#[test]
fn an_own_csv_is_issued_from() {
    let place = Place::new();
    let platform = place.up(&["--sample"]);
    let folder = place.path("library");
    copy(&library(), &folder);
    fs::write(
        folder.join("readers.csv"),
        "reader,name,joined,branches\nR-17,Åsa Ô Brien,2020-02-29,Hill;Quay\n",
    )
    .unwrap();
    place.admit(&platform, "library", &folder);
    card_is_shown(&place, &platform, "Åsa Ô Brien");
    // What its listing says is in the next list.
    e2e::eventually("the agency listed", Duration::from_secs(20), || {
        let list = platform.client().get("/export/lote.json").text();
        let payload = list
            .split('.')
            .nth(1)
            .and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
        let payload = String::from_utf8(payload.unwrap_or_default()).unwrap();
        payload.contains("\"City Library\"").then_some(())
    });
    // And after a restart it is still an agency.
    platform.stop();
    let platform = place.up(&[]);
    let offer = platform.offer("library", "LibraryCard", "R-17");
    assert_eq!(offer.configuration(), "LibraryCard.dc+sd-jwt");
    platform.stop();
}

/// Whoever mends the file can type the same command again.
#[test]
fn a_listing_that_is_no_json_stops_before_the_agency_is_admitted() {
    let place = Place::new();
    let platform = place.up(&["--sample"]);
    let folder = place.path("library");
    copy(&library(), &folder);
    let listing = folder.join("listing.json");
    let right = fs::read(&listing).unwrap();
    fs::write(&listing, &right[..right.len() / 2]).unwrap();
    let arguments = ["agency", "add", "--id", "library", "--name", "x", "--folder"];
    let refused = platform.run(&place, &[&arguments[..], &[folder.to_str().unwrap()]].concat());
    assert_eq!(refused.code, 2);
    assert!(refused.stderr.contains("listing.json"), "{}", refused.stderr);
    assert!(!place.data().join("agencies/library").exists());
    fs::write(&listing, right).unwrap();
    place.admit(&platform, "library", &folder);
    platform.stop();
}

/// What the agency issues before its officers' approval is not believed.
#[test]
fn an_agency_without_accreditation_is_not_believed() {
    let place = Place::new();
    let platform = place.up(&["--sample"]);
    let hands = Hands {
        place: &place,
        platform: &platform,
    };
    let folder = library();
    let added = hands.ok(&[
        "agency",
        "add",
        "--id",
        "library",
        "--name",
        "x",
        "--folder",
        folder.to_str().unwrap(),
    ]);
    let offer = hands.run(&[
        "offer",
        "create",
        "--agency",
        "library",
        "--type",
        "LibraryCard",
        "--subject",
        "R-17",
    ]);
    let offer = offer.expect(0)["offer"].as_str().unwrap().to_owned();
    let _ = hands.ok(&["wallet", "init"]);
    // No status list can be committed by an issuer whom nobody accredited, so nothing is issued.
    assert_ne!(hands.run(&["wallet", "accept", &offer]).code, 0);
    assert_eq!(platform.client().credentials("library", None).len(), 0);
    // One officer is not enough, and the same one twice is not two.
    let proposal = added["proposals"][0].as_str().unwrap();
    assert_eq!(place.approve_as(&platform, proposal, 1).expect(0)["state"], "open");
    assert_ne!(place.approve_as(&platform, proposal, 1).code, 0);
    assert_eq!(place.approve_as(&platform, proposal, 3).expect(0)["state"], "appended");
    platform.stop();
}

#[test]
fn an_own_table_is_issued_from() {
    let Some(database) = Database::create("register") else {
        return;
    };
    database.run(
        "CREATE TABLE readers (reader text PRIMARY KEY, name text NOT NULL, joined date, branches text);
         INSERT INTO readers VALUES ('R-17', 'Noor of the table', '2019-04-02', 'Harbour;Old Town');",
    );
    let place = Place::new();
    let environment = [("LIBRARY_DATABASE", database.url())];
    let platform = place.up_with(&["--sample"], &environment);
    let folder = place.path("library");
    copy(&library(), &folder);
    fs::remove_file(folder.join("readers.csv")).unwrap();
    let path = folder.join("mappings/LibraryCard.json");
    let mut mapping: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    mapping["register"] = json!({"postgres": {"table": "readers", "url_env": "LIBRARY_DATABASE"}});
    fs::write(&path, mapping.to_string()).unwrap();
    place.admit(&platform, "library", &folder);
    card_is_shown(&place, &platform, "Noor of the table");
    // The register is read when the credential is issued, not when the offer is made.
    let offer = platform.offer("library", "LibraryCard", "R-17");
    database.run("DELETE FROM readers");
    let wallet = e2e::Wallet::new();
    let token = offer.token(platform.client());
    let nonce = e2e::Wallet::nonce(platform.client(), "library").unwrap();
    let proof = wallet.proof(offer.issuer(), Some(&nonce));
    let refused = platform
        .client()
        .send(&e2e::credential_request(&offer, &token, vec![proof]));
    assert_eq!(refused.oauth_error(), (400, "credential_request_denied".to_owned()));
    platform.stop();
    drop(database);
}
