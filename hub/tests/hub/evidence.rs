//! The evidence log: proofs hold without the hub, tampering shows, and it goes on after a stop.

use std::collections::BTreeSet;
use std::time::Duration;

use hub::EvidenceError;
use hub::protocol::record::Event;
use hub::protocol::record::Outcome;
use hub::protocol::record::Record;
use hub::verify_chain;
use serde_json::Value;
use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use trust::checkpoint::SignedCheckpoint;
use trust::merkle;
use trust::note::VerifierKey;
use trust::tiles::parse_hashes;

use crate::world::ADMIN;
use crate::world::SUBJECT;
use crate::world::World;
use crate::world::ready;
use crate::world::send;

const TARGET: &str = "/persons/X0000001A?fields=given_name";

async fn key(world: &World) -> VerifierKey {
    let text = world.send("GET", "/hub/evidence/key", &[], b"").await.body;
    VerifierKey::parse(std::str::from_utf8(&text).unwrap().trim()).unwrap()
}

#[tokio::test]
async fn both_parties_hold_a_proof_of_the_call() {
    let (world, token) = ready().await;
    let reply = world.call("GET", TARGET, &token, &[]).await;
    let key = key(&world).await;
    assert_eq!(key, *world.hub.evidence_key());
    for party in [&world.bank, &world.population] {
        let evidence = world.evidence(party, &reply).await;
        let verified = evidence.verify(&key).unwrap();
        let Event::Call(call) = &verified.record().event else {
            panic!("{verified:?}")
        };
        assert_eq!(call.consumer, Some(world.bank.did()));
        assert_eq!(call.source, Some(world.population.did()));
        assert_eq!(call.path.as_ref().unwrap().as_str(), "/persons/{id}");
        assert_eq!(
            (call.status, &call.outcome),
            (Some(200), &Outcome::Answered { begun: None })
        );
        let hash = keys::base64url::encode(keys::sha256(&reply.body));
        assert_eq!(call.response_sha256.as_deref(), Some(hash.as_str()));
        assert_ne!(call.source_response_sha256, call.response_sha256);
        // No personal data in clear; who has the salt can show whom it was about.
        assert!(!evidence.record.contains(SUBJECT) && !evidence.record.contains("Maya"));
        let salt = evidence.salt.clone().unwrap();
        assert!(call.is_about(SUBJECT, &salt));
        assert!(!call.is_about("X0000002B", &salt));
    }
    let id = &reply.headers["hub-evidence"];
    assert_eq!(
        world.read(&world.shop, &format!("/hub/evidence/{id}")).await.status,
        404
    );
}

#[tokio::test]
async fn a_tampered_record_is_detected() {
    let (world, token) = ready().await;
    let reply = world.call("GET", TARGET, &token, &[]).await;
    let evidence = world.evidence(&world.bank, &reply).await;
    assert!(evidence.verify(&key(&world).await).is_ok());
    let mut tampered = evidence.clone();
    tampered.record = evidence.record.replacen("\"status\":200", "\"status\":403", 1);
    assert_ne!(tampered.record, evidence.record);
    assert!(matches!(
        tampered.verify(&key(&world).await),
        Err(EvidenceError::Inclusion(_))
    ));
}

#[tokio::test]
async fn every_statement_and_call_is_a_record_and_they_form_a_chain() {
    let (world, token) = ready().await;
    world.call("GET", TARGET, &token, &[]).await;
    world
        .send("GET", "/hub/api/population/v1/persons/X0000001A", &[], b"")
        .await;
    let shown = world.read_with(ADMIN, "/hub/evidence").await.json();
    let kinds: Vec<&Value> = shown["records"]
        .as_array()
        .unwrap()
        .iter()
        .map(|record| &record["event"])
        .collect();
    let kinds: Vec<&str> = kinds
        .iter()
        .map(|event| {
            event["kind"]
                .as_str()
                .or_else(|| event["outcome"]["is"].as_str())
                .unwrap()
        })
        .collect();
    assert_eq!(
        kinds,
        [
            "publication",
            "application",
            "decision",
            "consent-registration",
            "answered",
            "refused"
        ]
    );
    let mut texts = Vec::new();
    for record in shown["records"].as_array().unwrap() {
        let path = format!("/hub/evidence/{}", record["id"].as_str().unwrap());
        let evidence = world.read_with(ADMIN, &path).await.json();
        texts.push(evidence["record"].as_str().unwrap().to_owned());
    }
    let bytes: Vec<&[u8]> = texts.iter().map(String::as_bytes).collect();
    assert_eq!(verify_chain(&bytes), Ok(()));
    assert_eq!(
        Record::parse(bytes[0]).unwrap().previous,
        merkle::Hash::ZERO.to_base64()
    );
    // The consumer sees what concerns it, which is all but the publication and the anonymous call.
    let own = world.read(&world.bank, "/hub/evidence").await.json();
    assert_eq!(own["records"].as_array().unwrap().len(), 4);
    let rest = world
        .read(&world.bank, &format!("/hub/evidence?from={}", own["next"]))
        .await
        .json();
    assert_eq!(rest["records"], json!([]));
}

#[tokio::test]
async fn a_call_that_changes_something_is_written_down_before_it_is_forwarded() {
    let (world, token) = ready().await;
    let reply = world.call("POST", "/persons/X0000001A/notes", &token, &[]).await;
    assert_eq!(reply.status, 200);
    let shown = world.read_with(ADMIN, "/hub/evidence").await.json();
    let [.., begun, answered] = shown["records"].as_array().unwrap().as_slice() else {
        panic!("{shown}")
    };
    assert_eq!(begun["event"]["outcome"], json!({"is": "begun"}));
    assert_eq!(
        answered["event"]["outcome"],
        json!({"is": "answered", "begun": begun["id"]})
    );
}

#[tokio::test]
async fn many_calls_at_once_each_get_a_place_and_share_commits() {
    let (world, token) = ready().await;
    let calls = (0..100).map(|_| world.call("GET", TARGET, &token, &[]));
    let replies = join_all(calls).await;
    let ids: BTreeSet<&String> = replies.iter().map(|reply| &reply.headers["hub-evidence"]).collect();
    assert_eq!(ids.len(), 100);
    let key = key(&world).await;
    let reading = world.token(&world.bank, "hub.read").await;
    let mut sequences = BTreeSet::new();
    for id in ids {
        let shown = world.read_with(&reading, &format!("/hub/evidence/{id}")).await.json();
        let evidence: hub::Evidence = serde_json::from_value(shown).unwrap();
        sequences.insert(evidence.verify(&key).unwrap().record().sequence);
    }
    // After the four statements, without a gap.
    assert_eq!(sequences, (4..104).collect());
}

/// All of them at once.
async fn join_all<T>(futures: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut waiting: Vec<_> = futures.map(|future| (Box::pin(future), None)).collect();
    std::future::poll_fn(|context| {
        let mut all_done = true;
        for (future, done) in &mut waiting {
            if done.is_none() {
                match future.as_mut().poll(context) {
                    std::task::Poll::Ready(value) => *done = Some(value),
                    std::task::Poll::Pending => all_done = false,
                }
            }
        }
        if all_done {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
    waiting.into_iter().filter_map(|(_, done)| done).collect()
}

#[tokio::test]
async fn two_processes_write_one_log() {
    let (world, token) = ready().await;
    let other = world.address_of_another().await;
    let authorization = format!("Bearer {token}");
    let path = format!("/hub/api/population/v1{TARGET}");
    let headers = [("authorization", authorization.as_str())];
    let addresses = [world.address, other].into_iter().cycle().take(60);
    let replies = join_all(addresses.map(|address| send(address, "GET", &path, &headers, b""))).await;
    let key = key(&world).await;
    let reading = world.token(&world.bank, "hub.read").await;
    let mut sequences = BTreeSet::new();
    for reply in replies {
        assert_eq!(reply.status, 200);
        let id = &reply.headers["hub-evidence"];
        let shown = world.read_with(&reading, &format!("/hub/evidence/{id}")).await.json();
        let evidence: hub::Evidence = serde_json::from_value(shown).unwrap();
        sequences.insert(evidence.verify(&key).unwrap().record().sequence);
    }
    assert_eq!(sequences, (4..64).collect());
}

#[tokio::test]
async fn a_consumer_that_hangs_up_leaves_its_evidence() {
    let (world, token) = ready().await;
    let request = format!(
        "GET /hub/api/population/v1{TARGET}&lang=slow HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\r\n"
    );
    let mut stream = TcpStream::connect(world.address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    while world.source.calls() == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    drop(stream);
    let mut outcome = Value::Null;
    for _ in 0..200 {
        outcome = world.newest_record().await["event"]["outcome"]["is"].clone();
        if outcome == "answered" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(outcome, "answered");
}

#[tokio::test]
async fn the_log_goes_on_after_a_stop_and_only_grows() {
    let (mut world, token) = ready().await;
    let first = world.call("GET", TARGET, &token, &[]).await;
    let old = SignedCheckpoint::parse(&world.send("GET", "/hub/evidence/checkpoint", &[], b"").await.body).unwrap();
    world.restart().await;
    // Past a full tile, so that its hashes come from the store.
    for _ in 0..3 {
        join_all((0..100).map(|_| world.call("GET", TARGET, &token, &[]))).await;
    }
    world.restart().await;
    let last = world.call("GET", TARGET, &token, &[]).await;
    let key = key(&world).await;
    for reply in [&first, &last] {
        assert!(world.evidence(&world.bank, reply).await.verify(&key).is_ok());
    }
    let new = SignedCheckpoint::parse(&world.send("GET", "/hub/evidence/checkpoint", &[], b"").await.body).unwrap();
    let keys = [key];
    let (old, new) = (old.verify_log(&keys).unwrap(), new.verify_log(&keys).unwrap());
    assert_eq!((old.size(), new.size()), (5, 306));
    // Anybody can check that, from the hash tiles.
    let full = world.send("GET", "/hub/evidence/tile/0/000", &[], b"").await.body;
    let partial = world.send("GET", "/hub/evidence/tile/0/001.p/50", &[], b"").await.body;
    let mut leaves = parse_hashes(&full, 256).unwrap();
    leaves.extend(parse_hashes(&partial, 50).unwrap());
    assert_eq!(merkle::root(&leaves), new.root());
    assert_eq!(merkle::root(&leaves[..5]), old.root());
    let above = world.send("GET", "/hub/evidence/tile/1/000.p/1", &[], b"").await.body;
    assert_eq!(parse_hashes(&above, 1).unwrap(), [merkle::root(&leaves[..256])]);
}

#[tokio::test]
async fn there_are_no_tiles_of_entries_and_none_beyond_the_tree() {
    let (world, _) = ready().await;
    assert_eq!(
        world.send("GET", "/hub/evidence/tile/0/000.p/4", &[], b"").await.status,
        200
    );
    for path in [
        "entries/000.p/4",
        "0/000.p/5",
        "0/000",
        "0/001.p/1",
        "1/000.p/1",
        "nonsense",
    ] {
        let reply = world.send("GET", &format!("/hub/evidence/tile/{path}"), &[], b"").await;
        assert_eq!(reply.status, 404, "{path}");
    }
}

#[tokio::test]
async fn a_log_whose_records_were_changed_is_not_opened() {
    let (world, token) = ready().await;
    world.call("GET", TARGET, &token, &[]).await;
    let room = world.store.room(&store::Keyspace::new("hub/").unwrap());
    let record = [b"evidence/record/".as_slice(), &4_u64.to_be_bytes()].concat();
    let transaction = room.begin().await.unwrap();
    let bytes = transaction.get(&record).await.unwrap().unwrap();
    let changed = String::from_utf8(bytes)
        .unwrap()
        .replacen("\"status\":200", "\"status\":201", 1);
    transaction.put(&record, changed).unwrap();
    transaction.commit().await.unwrap();
    let error = world.try_start_again().await.unwrap_err();
    let text = server::problem::chain(&error);
    assert!(text.contains("found another root"), "{text}");
}
