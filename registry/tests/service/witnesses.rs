//! Witnesses that run elsewhere, on sockets of their own: a checkpoint is published when as many of them have cosigned as
//! the Policy demands, and not before.

use std::net::SocketAddr;
use std::sync::Arc;

use keys::Signer as _;
use server::Clock;
use store::Store;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use trust::checkpoint::SignedCheckpoint;
use trust::cosignature;
use trust::merkle::leaf_hash;
use trust::note::SignatureType;
use trust::note::VerifierKey;
use trust::proof::TlogProof;
use witness::Witness;

use crate::nation::*;

/// A plain witness that can be out of reach.
struct Elsewhere {
    store: Store,
    number: u8,
    address: SocketAddr,
    serving: Option<JoinHandle<()>>,
    _folder: TempDir,
}

impl Elsewhere {
    async fn new(number: u8) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let mut elsewhere = Self {
            store: open_store(&folder).await,
            number,
            address,
            serving: None,
            _folder: folder,
        };
        elsewhere.start().await;
        elsewhere
    }

    async fn start(&mut self) {
        let log = VerifierKey::new(LOG_NAME, SignatureType::Ed25519, key(100).public_key().clone()).unwrap();
        let witness = Witness::new(witness::Config {
            name: format!("witness.example/{}", self.number),
            key: Arc::new(key(self.number)),
            logs: vec![log],
            store: self.store.clone(),
            clock: Clock::manual(GENESIS),
        });
        let router = witness.unwrap().router();
        let listener = TcpListener::bind(self.address).await.unwrap();
        self.serving = Some(tokio::spawn(
            async move { axum::serve(listener, router).await.unwrap() },
        ));
    }

    async fn stop(&mut self) {
        let serving = self.serving.take().unwrap();
        serving.abort();
        assert!(serving.await.unwrap_err().is_cancelled());
    }

    fn key(&self) -> VerifierKey {
        let name = format!("witness.example/{}", self.number);
        VerifierKey::new(&name, SignatureType::Cosignature, key(self.number).public_key().clone()).unwrap()
    }

    fn cosigned(&self, checkpoint: &str) -> bool {
        let checkpoint = SignedCheckpoint::parse(checkpoint.as_bytes()).unwrap();
        cosignature::verify(&checkpoint, &self.key()).is_ok()
    }
}

/// The registry's own state witness and `needed` of these have to cosign.
async fn nation(witnesses: &[Elsewhere], needed: usize) -> Nation {
    let genesis = genesis_with(|policy| {
        let lines = witnesses.iter().map(|witness| {
            let (number, key, address) = (witness.number, witness.key(), witness.address);
            format!("witness w{number} {key} http://{address}\n")
        });
        let names: Vec<String> = witnesses.iter().map(|witness| format!("w{}", witness.number)).collect();
        let text = policy.witness_policy.replace("quorum state\n", "");
        policy.witness_policy = format!(
            "{text}{}group some {needed} {}\ngroup both all state some\nquorum both\n",
            lines.collect::<String>(),
            names.join(" ")
        );
    });
    let folder = tempfile::tempdir().unwrap();
    Nation::founded(folder, Clock::manual(GENESIS), genesis).await.unwrap()
}

#[tokio::test]
async fn a_quorum_of_witnesses_cosigns_and_one_may_be_out_of_reach() {
    let mut witnesses = [
        Elsewhere::new(121).await,
        Elsewhere::new(122).await,
        Elsewhere::new(123).await,
    ];
    let nation = nation(&witnesses, 2).await;
    let cosigned = |witnesses: &[Elsewhere]| {
        let checkpoint = nation.registry.checkpoint();
        witnesses.iter().filter(|witness| witness.cosigned(&checkpoint)).count()
    };
    assert!(cosigned(&witnesses) >= 2);
    witnesses[0].stop().await;
    let agency = Agency::new("population", 20);
    let leaf = nation.did_event(&agency);
    let answer = nation.post_leaf_admin(leaf.clone()).await;
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
    let proof = TlogProof::parse(std::str::from_utf8(&answer.body).unwrap()).unwrap();
    let state = nation.registry.state();
    proof.verify(&leaf, state.policy().unwrap().witnesses()).unwrap();
    assert_eq!(cosigned(&witnesses), 2);
    // Back again, it is told what it missed: the log learns its size and proves the way from there.
    witnesses[0].start().await;
    witnesses[1].stop().await;
    nation.clock.advance(301);
    nation.registry.refresh(1).await.unwrap();
    assert!(witnesses[0].cosigned(&nation.registry.checkpoint()));
}

#[tokio::test]
async fn an_entry_waits_for_witnesses_and_gets_its_proof_later() {
    let mut witnesses = [Elsewhere::new(121).await, Elsewhere::new(122).await];
    let nation = nation(&witnesses, 2).await;
    let before = nation.registry.checkpoint();
    witnesses[1].stop().await;
    let leaf = nation.did_event(&Agency::new("population", 20));
    let waits = nation.post_leaf_admin(leaf.clone()).await;
    assert_eq!(waits.status, 202, "{}", String::from_utf8_lossy(&waits.body));
    let place = format!("/registry/entries/{}", leaf_hash(&leaf));
    assert_eq!(waits.headers["location"], place);
    assert!(waits.headers.contains_key("retry-after"));
    assert_eq!(nation.get(&place).await.status, 202);
    assert_eq!(
        nation.registry.checkpoint(),
        before,
        "nothing is published without the quorum"
    );
    // Sent again it keeps its place.
    assert_eq!(nation.post_leaf_admin(leaf.clone()).await.status, 202);

    witnesses[1].start().await;
    nation.registry.tick().await.unwrap();
    let answer = nation.get(&place).await;
    assert_eq!(answer.status, 200);
    let proof = TlogProof::parse(std::str::from_utf8(&answer.body).unwrap()).unwrap();
    let state = nation.registry.state();
    proof.verify(&leaf, state.policy().unwrap().witnesses()).unwrap();
    assert!(
        witnesses
            .iter()
            .all(|witness| witness.cosigned(&nation.registry.checkpoint()))
    );
    let unknown = format!("/registry/entries/{}", leaf_hash(b"another"));
    assert_eq!(nation.get(&unknown).await.status, 404);
    assert_eq!(nation.get("/registry/entries/xyz").await.status, 404);
}

#[tokio::test]
async fn a_registry_begins_with_what_the_world_saw_when_witnesses_are_out_of_reach() {
    let mut witnesses = [Elsewhere::new(121).await];
    let nation = nation(&witnesses, 1).await;
    let before = nation.registry.checkpoint();
    let stored = nation.store.snapshot().await.unwrap();
    let genesis = stored.get(b"entry/\0\0\0\0\0\0\0\0").await.unwrap().unwrap();
    drop(stored);
    nation.clock.advance(3_600);
    let (folder, clock) = nation.stop().await;
    witnesses[0].stop().await;
    let nation = Nation::founded(folder, clock, genesis).await.unwrap();
    assert_eq!(nation.registry.checkpoint(), before);
    witnesses[0].start().await;
    nation.registry.tick().await.unwrap();
    assert_ne!(nation.registry.checkpoint(), before);
}
