//! A witness as a process of its own, killed at any moment while a log shows it two histories at once: it never cosigns
//! both, and never forgets what it cosigned.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::convert::Infallible;
use std::io::BufRead as _;
use std::io::BufReader;
use std::net::SocketAddr;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::time::Duration;

use e2e::Place;
use e2e::Request;
use e2e::Response;
use keys::Algorithm;
use keys::Signer as _;
use rand_core::Rng as _;
use serde_json::Value;
use signer::SoftwareKey;
use trust::checkpoint::Checkpoint;
use trust::checkpoint::SignedCheckpoint;
use trust::cosignature;
use trust::merkle::Hash;
use trust::merkle::Nodes;
use trust::merkle::consistency_proof;
use trust::merkle::leaf_hash;
use trust::merkle::root;
use trust::note::SignatureType;
use trust::note::VerifierKey;
use trust::tlog_witness::AddCheckpoint;
use trust::tlog_witness::parse_answer;
use trust::tlog_witness::parse_size;

const ROUNDS: u8 = 50;

/// From one cosignature to some dozens.
const LOAD_MILLISECONDS: (u64, u64) = (5, 60);

/// A log that tells two histories from its first entry on.
struct Log {
    key: SoftwareKey,
    verifier: VerifierKey,
}

struct Leaves(Vec<Hash>);

impl Nodes for Leaves {
    type Error = Infallible;

    fn node(&self, level: u8, index: u64) -> Result<Hash, Self::Error> {
        let (from, width) = (usize::try_from(index << level).unwrap(), 1 << level);
        Ok(root(&self.0[from..from + width]))
    }
}

impl Log {
    fn new(number: u8) -> Self {
        let key = SoftwareKey::from_secret(Algorithm::EdDsa, &[number; 32]).unwrap();
        let name = format!("log.example/{number}");
        let verifier = VerifierKey::new(&name, SignatureType::Ed25519, key.public_key().clone()).unwrap();
        Self { key, verifier }
    }

    fn request(&self, history: u8, old: u64, size: u64) -> AddCheckpoint {
        let leaves = Leaves(
            (0..size)
                .map(|index| leaf_hash(&[&index.to_be_bytes()[..], &[history]].concat()))
                .collect(),
        );
        let checkpoint = Checkpoint::new(self.verifier.name(), size, root(&leaves.0)).unwrap();
        let signed = self
            .key
            .fulfil(SignedCheckpoint::sign(checkpoint, &self.verifier).unwrap());
        let proof = if old == 0 || old >= size {
            Vec::new()
        } else {
            consistency_proof(&leaves, old, size).unwrap()
        };
        AddCheckpoint::new(old, proof, signed.unwrap())
    }
}

/// A running witness.
struct Witness {
    process: Child,
    address: SocketAddr,
    key: VerifierKey,
}

impl Witness {
    fn start(place: &Place, logs: &[Log]) -> Self {
        let data = place.path("witness");
        let mut command = place.command(&["witness", "serve", "--json", "--listen", "127.0.0.1:0"]);
        command.args(["--name", "witness.example/w", "--data", data.to_str().unwrap()]);
        for log in logs {
            command.args(["--log", &log.verifier.to_string()]);
        }
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap();
        let address = ready["ready"].as_str().unwrap().rsplit('/').next().unwrap();
        Self {
            process,
            address: address.parse().unwrap(),
            key: VerifierKey::parse(ready["plain_key"].as_str().unwrap()).unwrap(),
        }
    }

    fn kill(&self) {
        let line = format!("kill -KILL {}", self.process.id());
        assert!(Command::new("sh").args(["-c", &line]).status().unwrap().success());
    }

    fn end(mut self) {
        self.process.wait().unwrap();
    }
}

fn post(address: SocketAddr, request: &AddCheckpoint) -> std::io::Result<Response> {
    Request::post("/add-checkpoint", "text/plain", request.to_string()).send(address)
}

/// Asks for cosignatures of one history, each as soon as the last one came, until the witness is gone.
fn insist(witness: &Witness, log: &Log, history: u8, is_over: &AtomicBool, cosigned: &Mutex<BTreeSet<(u64, u8)>>) {
    let mut old = 0;
    while !is_over.load(Ordering::Relaxed) {
        let request = log.request(history, old, old + 1);
        let Ok(answer) = post(witness.address, &request) else {
            return;
        };
        match answer.status {
            200 => {
                let mut checkpoint = request.checkpoint().clone();
                for line in parse_answer(&answer.body).unwrap() {
                    checkpoint.add(line);
                }
                cosignature::verify(&checkpoint, &witness.key).unwrap();
                cosigned.lock().unwrap().insert((old + 1, history));
                old += 1;
            }
            409 => old = parse_size(&answer.body).unwrap(),
            // The other history is what the witness knows.
            422 => std::thread::yield_now(),
            status => panic!("{status}: {}", String::from_utf8_lossy(&answer.body)),
        }
    }
}

#[test]
fn a_witness_that_is_killed_again_and_again_never_cosigns_a_fork() {
    let place = Place::new();
    let logs: Vec<Log> = (0..ROUNDS).map(Log::new).collect();
    let mut known = BTreeMap::new();
    let mut rng = signer::os_rng();
    for (round, log) in logs.iter().enumerate() {
        let witness = Witness::start(&place, &logs);
        // What it cosigned before the last kill, it knows, and no answer that arrived is lost.
        if let Some((of, size)) = round
            .checked_sub(1)
            .and_then(|before| Some((before, *known.get(&before)?)))
        {
            let answer = post(witness.address, &logs[of].request(0, 0, 1)).unwrap();
            let remembered = parse_size(&answer.body).unwrap();
            assert!(answer.status == 409 && remembered >= size, "{remembered} after {size}");
        }
        let (is_over, cosigned) = (AtomicBool::new(false), Mutex::default());
        let (least, most) = LOAD_MILLISECONDS;
        let load = Duration::from_millis(least + rng.next_u64() % (most - least));
        std::thread::scope(|scope| {
            for history in [0, 1, 0, 1] {
                let (witness, is_over, cosigned) = (&witness, &is_over, &cosigned);
                scope.spawn(move || insist(witness, log, history, is_over, cosigned));
            }
            std::thread::sleep(load);
            // Under load: the requests in flight get no answer, or one that was durable before.
            witness.kill();
            is_over.store(true, Ordering::Relaxed);
        });
        witness.end();
        let cosigned: BTreeSet<(u64, u8)> = cosigned.into_inner().unwrap();
        let histories: BTreeSet<u8> = cosigned.iter().map(|(_, history)| *history).collect();
        assert!(histories.len() <= 1, "a fork was cosigned: {cosigned:?}");
        known.extend(cosigned.iter().map(|(size, _)| (round, *size)).max());
    }
    assert!(
        known.len() > usize::from(ROUNDS) / 2,
        "the load met the witness in {} rounds",
        known.len()
    );
}

/// A key in another store has forgotten what it cosigned.
#[test]
fn a_witness_without_its_memory_does_not_start() {
    let place = Place::new();
    let logs = [Log::new(0)];
    let witness = Witness::start(&place, &logs);
    assert_eq!(post(witness.address, &logs[0].request(0, 0, 3)).unwrap().status, 200);
    witness.kill();
    witness.end();
    std::fs::remove_dir_all(place.path("witness").join("store")).unwrap();
    let data = place.path("witness");
    let key = logs[0].verifier.to_string();
    let refused = place.run(&[
        "witness",
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--name",
        "witness.example/w",
        "--data",
        data.to_str().unwrap(),
        "--log",
        &key,
    ]);
    assert_eq!(refused.code, 2, "{}", refused.value);
    assert!(refused.stderr.contains("would cosign a fork"), "{}", refused.stderr);
}
