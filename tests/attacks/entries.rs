//! Entries that are larger, deeper or more than the log takes, and questions about subjects whose names are not names.

use std::time::Duration;

use e2e::LogView;
use e2e::Place;
use e2e::Request;
use e2e::Response;
use e2e::now;
use serde_json::Value;
use serde_json::json;

/// A leaf's limit, which tlog-tiles sets with the two bytes of its length.
const MAX_LEAF: usize = 65_535;

/// What an answer to nonsense may take on a busy machine.
const SOON: Duration = Duration::from_secs(10);

#[test]
fn oversized_entries_are_refused_before_anything_is_made_of_them() {
    let place = Place::new();
    let platform = place.up(&["--sample"]);
    let client = platform.client();
    let mut log = LogView::pin(client);
    log.follow(client);
    let size = log.size();
    let post = |media_type: &str, body: Vec<u8>| -> Response {
        let begin = now();
        let request = Request::post("/registry/entries", media_type, body).bearer(client.token());
        let answer = client.send(&request);
        assert!(begin.elapsed() < SOON, "{:?}", begin.elapsed());
        answer
    };
    let cbor = |body: Vec<u8>| post("application/cbor", body);
    let wrapped = |entry: &[u8], blobs: &[Vec<u8>]| {
        let blobs: Vec<String> = blobs.iter().map(keys::base64url::encode).collect();
        let body = json!({"entry": keys::base64url::encode(entry), "blobs": blobs});
        post("application/json", body.to_string().into_bytes())
    };
    // A map, arrays in arrays, a byte string that says it has 2^60 bytes, and a list of 2^32 items.
    let deep = vec![0x81; MAX_LEAF];
    let endless = [&[0x5b, 0x10, 0, 0, 0, 0, 0, 0, 0][..], &[0; 50]].concat();
    let many = [&[0x9b, 0, 0, 0, 1, 0, 0, 0, 0][..], &[0xf6; 50]].concat();
    for (body, status, kind) in [
        (vec![0xa0; MAX_LEAF + 1], 413, "too-large"),
        (vec![0xa0; 5 << 20], 413, "too-large"),
        (vec![0xa0; MAX_LEAF], 400, "malformed"),
        (deep, 400, "malformed"),
        (endless, 400, "malformed"),
        (many, 400, "malformed"),
        (Vec::new(), 400, "malformed"),
    ] {
        let answer = cbor(body.clone());
        assert_eq!(
            answer.problem(),
            (status, kind.to_owned()),
            "{} bytes: {}",
            body.len(),
            answer.text()
        );
    }
    let large = vec![vec![0; 3 << 20]; 2];
    assert_eq!(wrapped(&[0xa0], &large).problem().0, 413);
    assert_eq!(
        wrapped(&vec![0xa0; MAX_LEAF + 1], &[]).problem(),
        (413, "too-large".to_owned())
    );
    assert_eq!(wrapped(&[0xa0], &vec![vec![1]; 50_000]).problem().0, 400);
    log.follow(client);
    assert_eq!(log.size(), size, "nothing of it is in the log");
    platform.stop();
}

#[test]
fn trqp_ids_with_odd_characters_are_ids_and_nothing_more() {
    let place = Place::new();
    let platform = place.up(&["--sample"]);
    let client = platform.client();
    let metadata = client.get("/trqp/metadata").json();
    let authority = format!("https://{}", "registry.attestry.example#authority.attestry.example");
    let ask = |entity: &str, resource: &str| {
        let question = json!({"entity_id": entity, "authority_id": authority, "action": "issue", "resource": resource});
        client.send(&Request::post_json("/trqp/authorization", &question))
    };
    assert!(metadata.is_object());
    let odd = [
        "did:webvh:QmX\n:agency.example",
        "did:web:example.com\u{0}",
        "../../etc/passwd",
        "' OR 1=1 --",
        "<script>alert(1)</script>",
        "did:webvh:\u{202e}elpmaxe",
        "%00%2e%2e%2f",
        "🂡",
        "",
    ];
    for entity in odd {
        for resource in ["PersonIdentity", entity] {
            let answer = ask(entity, resource);
            assert!(
                [200, 400, 404, 422].contains(&answer.status),
                "{entity:?}: {}",
                answer.text()
            );
            let told: Value = answer.json();
            assert_ne!(told["authorized"], true, "{entity:?} {told}");
            assert!(
                !answer.text().contains("<script>")
                    || answer.header("content-type").is_some_and(|kind| kind.contains("json"))
            );
        }
    }
    let huge = "a".repeat(1 << 20);
    assert!([400, 413].contains(&ask(&huge, "PersonIdentity").status));
    assert_eq!(client.get("/health").json()["status"], "ok");
    platform.stop();
}
