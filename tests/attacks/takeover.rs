//! Two operators on one PostgreSQL: one of them writes to the log at a time. The other takes over when it is killed or
//! stands still; nothing acknowledged is lost, there is no fork, and who stood still signs nothing when it wakes.
#![cfg(test)]

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::time::Duration;

use e2e::Client;
use e2e::Database;
use e2e::LogView;
use e2e::Place;
use e2e::Platform;
use e2e::Request;
use e2e::Response;
use e2e::eventually;
use e2e::now;
use keys::Algorithm;
use keys::Signer as _;
use keys::Timestamp;
use rand_core::Rng as _;
use serde_json::Value;
use signer::SoftwareKey;
use trust::entry::Body;
use trust::entry::DidEventBody;
use trust::entry::Entry;
use trust::merkle::Hash;
use trust::merkle::leaf_hash;

/// Each of both: a kill, and a pause.
const ROUNDS: usize = 4;

/// From the end of one operator to an entry that the other acknowledges.
const TAKEN_OVER: Duration = Duration::from_secs(10);

/// A process that has just started or woken sees who writes.
const SEEN: Duration = Duration::from_secs(10);

const SENDERS_PER_OPERATOR: usize = 2;
const LOAD_MILLISECONDS: (u64, u64) = (200, 900);

/// What an operator's log says of each signature of the log's key.
const SIGNS: &str = "the log signs";

struct Operator {
    place: Place,
    platform: Platform,
}

impl Operator {
    fn up(place: Place, database: &Database, arguments: &[&str]) -> Self {
        let arguments = [&["--store", database.url()], arguments].concat();
        let platform = place.up_with(&arguments, &[("ATTESTRY_LOG", "registry=debug")]);
        Self { place, platform }
    }

    fn client(&self) -> &Client {
        self.platform.client()
    }

    fn is_sequencer(&self) -> bool {
        self.client().get("/health").json()["sequencer"] == true
    }

    /// Kills the process, and starts it again later by the function that it gives.
    fn kill(self) -> (Place, SocketAddr) {
        let address = self.client().address();
        self.platform.kill();
        (self.place, address)
    }
}

/// The operator with the lease, then the other one.
fn in_turn(mut two: Vec<Operator>) -> (Operator, Operator) {
    let first = eventually("a sequencer", SEEN, || {
        let writes: Vec<bool> = two.iter().map(Operator::is_sequencer).collect();
        (writes.iter().filter(|writes| **writes).count() == 1).then(|| usize::from(writes[1]))
    });
    let leader = two.remove(first);
    (leader, two.remove(0))
}

/// The leaf that logs the DID of this number.
fn leaf(number: u64) -> Vec<u8> {
    let mut secret = [7; 32];
    secret[..8].copy_from_slice(&number.to_be_bytes());
    let key = SoftwareKey::from_secret(Algorithm::EdDsa, &secret).unwrap();
    let did = format!("did:webvh:{{SCID}}:{number}.agency.example");
    let mut parameters = did::webvh::ParameterChanges::default();
    parameters.update_keys = Some(vec![key.public_key().to_multikey()]);
    let new = did::webvh::NewLog {
        document: did::document::new_document(&did, &[]),
        parameters,
        time: Timestamp::from_unix(1_795_392_000),
        signer: key.public_key(),
    };
    let creation = did::webvh::create(new).unwrap();
    let did = creation.did.to_string();
    let line = key.fulfil(creation.line).unwrap().into_bytes();
    let body = Body::DidEvent(DidEventBody::Webvh {
        lines: vec![line],
        witness_proofs: None,
    });
    Entry::without_approval(&did, &did, 0, Hash::ZERO, &body).unwrap()
}

fn post(client: &Client, leaf: &[u8]) -> io::Result<Response> {
    Request::post("/registry/entries", "application/cbor", leaf)
        .bearer(client.token())
        .send(client.address())
}

/// What clients were told, and what the world saw.
struct Story {
    next: AtomicU64,
    acknowledged: Mutex<Vec<Hash>>,
    log: Mutex<LogView>,
}

impl Story {
    /// Sends new entries until it is over. Whoever is not answered, or told to come again, goes on.
    fn send(&self, client: &Client, is_over: &AtomicBool) {
        while !is_over.load(Ordering::SeqCst) {
            let leaf = leaf(self.next.fetch_add(1, Ordering::SeqCst));
            match post(client, &leaf) {
                Ok(answer) if answer.status == 200 => {
                    self.acknowledged.lock().unwrap().push(leaf_hash(&leaf));
                }
                Ok(answer) => assert!(
                    [202, 503].contains(&answer.status),
                    "{} {}",
                    answer.status,
                    answer.text()
                ),
                Err(_) => std::thread::sleep(Duration::from_millis(20)),
            }
            if let Ok(seen) = Request::get("/registry/checkpoint").send(client.address()) {
                self.log.lock().unwrap().saw(&seen.body);
            }
        }
    }

    /// How long it takes until an operator acknowledges a new entry.
    fn acknowledged_after(&self, client: &Client) -> Duration {
        let begin = now();
        let leaf = leaf(self.next.fetch_add(1, Ordering::SeqCst));
        eventually("an entry to be acknowledged", 2 * TAKEN_OVER, || {
            (post(client, &leaf).unwrap().status == 200).then_some(())
        });
        self.acknowledged.lock().unwrap().push(leaf_hash(&leaf));
        begin.elapsed()
    }

    /// Load at both, until `strike` hits the one that writes.
    fn under_load(&self, two: [&Client; 2], strike: impl FnOnce()) {
        let (least, most) = LOAD_MILLISECONDS;
        let milliseconds = least + signer::os_rng().next_u64() % (most - least);
        let is_over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for client in two {
                for _ in 0..SENDERS_PER_OPERATOR {
                    scope.spawn(|| self.send(client, &is_over));
                }
            }
            std::thread::sleep(Duration::from_millis(milliseconds));
            strike();
            is_over.store(true, Ordering::SeqCst);
        });
    }

    /// Every acknowledged entry is there, and the log as it is now continues all that was seen.
    fn check(&self, client: &Client) {
        let acknowledged = self.acknowledged.lock().unwrap();
        for hash in acknowledged.iter() {
            let found = client.get(&format!("/registry/entries/{hash}"));
            assert_eq!(found.status, 200, "{hash}: {}", found.text());
        }
        self.log.lock().unwrap().follow(client);
    }
}

/// Every size that was ever signed, by whichever operator, has one root.
fn assert_one_tree(stderrs: &[String]) -> usize {
    let mut roots = BTreeMap::new();
    for line in stderrs.iter().flat_map(|stderr| stderr.lines()) {
        let Ok(Value::Object(line)) = serde_json::from_str(line) else {
            continue;
        };
        let fields = &line["fields"];
        if fields["message"] == SIGNS {
            let (size, root) = (fields["size"].as_u64().unwrap(), fields["root"].as_str().unwrap());
            assert_eq!(roots.entry(size).or_insert_with(|| root.to_owned()), root);
        }
    }
    roots.len()
}

/// By the shell's own command: a machine may have no other.
fn signal(name: &str, process: u32) {
    let line = format!("kill -{name} {process}");
    assert!(Command::new("sh").args(["-c", &line]).status().unwrap().success());
}

fn copy_data(from: &Place) -> Place {
    let to = Place::new();
    let copied = Command::new("cp").arg("-r").arg(from.data()).arg(to.data()).status();
    assert!(copied.unwrap().success());
    to
}

fn two_operators(database: &Database) -> (Story, Operator, Operator) {
    let one = Operator::up(Place::new(), database, &["--sample"]);
    let story = Story {
        next: AtomicU64::new(1),
        acknowledged: Mutex::default(),
        log: Mutex::new(LogView::pin(one.client())),
    };
    let other = Operator::up(copy_data(&one.place), database, &[]);
    assert!(one.is_sequencer() && !other.is_sequencer());
    story.acknowledged_after(one.client());
    story.acknowledged_after(other.client());
    (story, one, other)
}

#[test]
fn an_operator_that_is_killed_is_followed_within_ten_seconds() {
    let Some(database) = Database::create("killed") else {
        return;
    };
    let (story, mut one, mut other) = two_operators(&database);
    let mut took = Vec::new();
    for _ in 0..ROUNDS {
        let killed = one.platform.id();
        story.under_load([one.client(), other.client()], || {
            signal("KILL", killed);
            let after = story.acknowledged_after(other.client());
            assert!(after < TAKEN_OVER, "{after:?}");
            took.push(after);
        });
        let (place, address) = one.kill();
        story.check(other.client());
        let again = Operator::up(place, &database, &["--listen", &address.to_string()]);
        (one, other) = in_turn(vec![again, other]);
        story.check(other.client());
    }
    let signed = assert_one_tree(&[one.platform.stderr(), other.platform.stderr()]);
    let acknowledged = story.acknowledged.lock().unwrap().len();
    println!("{acknowledged} entries acknowledged, {signed} trees signed; taken over after {took:?}");
    assert!(acknowledged > 20 * ROUNDS && signed > 10 * ROUNDS);
    let url = format!("{}/registry", one.platform.url());
    let audit = one.place.run(&["registry", "audit", &url]);
    assert_eq!(audit.expect(0)["holds"], true);
    other.platform.stop();
    one.platform.stop();
}

#[test]
fn an_operator_that_stood_still_signs_nothing_when_it_wakes() {
    let Some(database) = Database::create("stopped") else {
        return;
    };
    let (story, mut one, mut other) = two_operators(&database);
    let mut took = Vec::new();
    for _ in 0..ROUNDS {
        let paused = one.platform.id();
        let mut said = 0;
        story.under_load([one.client(), other.client()], || {
            signal("STOP", paused);
            let after = story.acknowledged_after(other.client());
            assert!(after < TAKEN_OVER, "{after:?}");
            took.push(after);
            assert!(other.is_sequencer());
            said = one.platform.stderr().len();
            signal("CONT", paused);
        });
        // It is of use again, and knows that it does not write.
        story.acknowledged_after(one.client());
        assert!(other.is_sequencer() && !one.is_sequencer());
        let since = one.platform.stderr().split_off(said);
        assert!(!since.contains(SIGNS), "{since}");
        story.check(one.client());
        story.check(other.client());
        (one, other) = in_turn(vec![one, other]);
    }
    let signed = assert_one_tree(&[one.platform.stderr(), other.platform.stderr()]);
    println!("{signed} trees signed; taken over after {took:?}");
    assert!(signed > 10 * ROUNDS);
    other.platform.stop();
    one.platform.stop();
}

/// The commit of the entries takes longer than the lease lasts: it is done, and nothing is signed.
#[test]
fn a_commit_that_outlasts_the_lease_is_not_signed() {
    let Some(database) = Database::create("outlasts") else {
        return;
    };
    let one = Operator::up(Place::new(), &database, &["--sample"]);
    let late = leaf(1);
    std::thread::scope(|scope| {
        let lock = scope.spawn(|| {
            database.run("BEGIN; LOCK TABLE attestry_store IN EXCLUSIVE MODE; SELECT pg_sleep(7); COMMIT");
        });
        std::thread::sleep(Duration::from_millis(500));
        let said = one.platform.stderr().len();
        let answer = post(one.client(), &late).unwrap();
        lock.join().unwrap();
        assert_eq!(answer.status, 503, "{}", answer.text());
        let since = one.platform.stderr().split_off(said);
        assert!(since.contains("found that another process may be"), "{since}");
        let before = since.split("found that another process may be").next().unwrap();
        assert!(!before.contains(SIGNS), "{since}");
    });
    // It had the lease all the time, as it sees afterwards, and the entry keeps its place.
    let answer = eventually("the entry", TAKEN_OVER, || {
        let answer = post(one.client(), &late).unwrap();
        (answer.status == 200).then_some(answer)
    });
    assert!(answer.text().contains("index"), "{}", answer.text());
    one.platform.stop();
}
