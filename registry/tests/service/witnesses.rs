//! Witnesses that run elsewhere, on sockets of their own: a checkpoint is published when as many of them have cosigned as
//! the Policy demands, and not before.

use std::net::SocketAddr;
use std::sync::Arc;

use keys::Signer as _;
use server::Clock;
use server::Fetcher;
use server::fetch::Reach;
use store::Store;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use trust::Anchor;
use trust::checkpoint::SignedCheckpoint;
use trust::cosignature;
use trust::entry::Body;
use trust::merkle::leaf_hash;
use trust::note::SignatureType;
use trust::note::VerifierKey;
use trust::proof::TlogProof;
use url::Url;
use witness::Source;
use witness::Witness;

use crate::nation::*;

/// A witness that can be out of reach.
struct Elsewhere {
    store: Store,
    number: u8,
    address: SocketAddr,
    /// The registry that it re-executes, if it does more than plain statements.
    registry: Option<(Anchor, Source)>,
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
            registry: None,
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
            plain_key: Arc::new(key(self.number)),
            state_key: Arc::new(key(self.number + 50)),
            logs: vec![log],
            registries: self.registry.clone().into_iter().collect(),
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

    fn state_key(&self) -> VerifierKey {
        let name = format!("witness.example/{}/state", self.number);
        VerifierKey::new(
            &name,
            SignatureType::Cosignature,
            key(self.number + 50).public_key().clone(),
        )
        .unwrap()
    }

    fn cosigned(&self, checkpoint: &str) -> bool {
        is_cosigned(checkpoint, &self.key())
    }
}

fn is_cosigned(checkpoint: &str, key: &VerifierKey) -> bool {
    let checkpoint = SignedCheckpoint::parse(checkpoint.as_bytes()).unwrap();
    cosignature::verify(&checkpoint, key).is_ok()
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

/// The registry demands a state witness that runs elsewhere. It reads the entries that it judges from the registry
/// itself, before anybody sees a checkpoint of them.
#[tokio::test(flavor = "multi_thread")]
async fn a_state_witness_elsewhere_re_executes_every_entry() {
    let mut elsewhere = Elsewhere::new(121).await;
    let nation = Nation::new().await;
    elsewhere.stop().await;
    let prefix = Url::parse(&format!("{}/registry", nation.url())).unwrap();
    let source = Source::url(Fetcher::new(Reach::LoopbackToo).unwrap(), prefix);
    elsewhere.registry = Some((nation.registry.anchor(), source));
    elsewhere.start().await;

    let state = nation.registry.state();
    let mut policy = state.policy().unwrap().body().clone();
    policy.genesis_time = None;
    let (plain, stated, address) = (elsewhere.key(), elsewhere.state_key(), elsewhere.address);
    policy.witness_policy = policy.witness_policy.replace(
        "quorum state\n",
        &format!(
            "witness plain {plain} http://{address}\nwitness stated {stated} http://{address}\n\
             group all-three all state plain stated\nquorum all-three\n"
        ),
    );
    policy.state_quorum = "stated".to_owned();
    let draft = nation.registry.draft(AUTHORITY, LOG_NAME, Body::Policy(policy));
    let leaf = draft.assemble(vec![sign(&draft, 0), sign(&draft, 1)]).unwrap();
    nation.registry.append(leaf, Vec::new()).await.unwrap();
    let checkpoint = nation.registry.checkpoint();
    assert!(is_cosigned(&checkpoint, &plain) && is_cosigned(&checkpoint, &stated));

    // More than one bundle of entries, and a restart of the witness between them.
    for number in 0..2 {
        let mut entries = tokio::task::JoinSet::new();
        for agency in 0..150 {
            let agency = Agency::new(&format!("agency-{number}-{agency}"), agency);
            let (registry, leaf) = (nation.registry.clone(), nation.did_event(&agency));
            entries.spawn(async move { registry.append(leaf, Vec::new()).await.unwrap() });
        }
        assert_eq!(entries.join_all().await.len(), 150);
        assert!(is_cosigned(&nation.registry.checkpoint(), &stated));
        elsewhere.stop().await;
        elsewhere.start().await;
    }

    // Its clock is its own: a Snapshot that is not of about now gets the plain statement alone, which is not enough.
    nation.clock.advance(301);
    let before = nation.registry.checkpoint();
    assert!(nation.registry.refresh(1).await.is_err());
    assert_eq!(nation.registry.checkpoint(), before);
}

/// Under a Policy whose witnesses do not cosign nothing could be published, not even the Policy that mends it.
#[tokio::test]
async fn a_policy_whose_witnesses_do_not_cosign_is_refused() {
    let mut elsewhere = Elsewhere::new(121).await;
    let nation = Nation::new().await;
    let stranger = VerifierKey::new(
        "witness.example/9",
        SignatureType::Cosignature,
        key(9).public_key().clone(),
    )
    .unwrap();
    let (own, address) = (elsewhere.key(), elsewhere.address);
    let with = |key: &VerifierKey, url: &str| {
        let state = nation.registry.state();
        let mut policy = state.policy().unwrap().body().clone();
        policy.genesis_time = None;
        policy.witness_policy = policy.witness_policy.replace(
            "quorum state\n",
            &format!("witness other {key} {url}\ngroup both all state other\nquorum both\n"),
        );
        let draft = nation.registry.draft(AUTHORITY, LOG_NAME, Body::Policy(policy));
        draft.assemble(vec![sign(&draft, 0), sign(&draft, 1)]).unwrap()
    };
    let at = format!("http://{address}");
    let size = nation.registry.state().size();
    for leaf in [
        // A witness of another name, one that nobody may fetch, and one that is not there.
        with(&stranger, &at),
        with(&own, "http://witness.example"),
        with(&own, "http://127.0.0.1:1"),
    ] {
        let refused = nation.post_leaf_admin(leaf).await;
        assert_eq!((refused.status, kind(&refused).as_str()), (409, "policy"));
    }
    assert_eq!(nation.registry.state().size(), size);
    let leaf = with(&own, &at);
    assert_eq!(nation.post_leaf_admin(leaf.clone()).await.status, 200);
    assert!(elsewhere.cosigned(&nation.registry.checkpoint()));
    // What is in force is not tried again, also while its witness is away.
    elsewhere.stop().await;
    assert_eq!(nation.post_leaf_admin(leaf).await.status, 200);
}

/// While witnesses are away, entries follow what is in the log for good, not what the world has seen of it.
#[tokio::test]
async fn entries_of_one_chain_can_wait_together() {
    let mut witnesses = [Elsewhere::new(121).await];
    let nation = nation(&witnesses, 1).await;
    witnesses[0].stop().await;
    for version in ["urn:one", "urn:two"] {
        let mut schema = schema_json();
        schema["vct"] = version.into();
        let (id, draft) = nation.propose(schema).await;
        for officer in [0, 1] {
            nation.approve(&id, &sign(&draft, officer)).await;
        }
    }
    assert!(nation.registry.state().schema(SCHEMA).is_none());
    witnesses[0].start().await;
    nation.registry.tick().await.unwrap();
    assert_eq!(nation.registry.state().schema(SCHEMA).unwrap().vct, "urn:two");
    let proposals = nation.registry.proposals().await.unwrap();
    nation.registry.tick().await.unwrap();
    assert_eq!(proposals.len(), 2);
}
