//! The log's second key, of ML-DSA-44: asked for, named by the officers, and demanded from then on.

use std::sync::Arc;

use keys::ml_dsa::Signer as _;
use registry::OpenError;
use registry::Registry;
use serde_json::json;
use server::Clock;
use signer::MlDsaKey;
use trust::checkpoint::SignedCheckpoint;
use trust::note::VerifierKey;

use crate::nation::*;

fn second_key(number: u8) -> Arc<MlDsaKey> {
    Arc::new(MlDsaKey::from_seed(&[number; 32]).unwrap())
}

fn verifier(number: u8) -> VerifierKey {
    VerifierKey::ml_dsa(LOG_NAME, second_key(number).public_key().clone()).unwrap()
}

/// The registry with the second key of this number.
async fn open(folder: tempfile::TempDir, clock: Clock, number: u8) -> Result<Nation, OpenError> {
    Nation::configured(folder, clock, |config| {
        config.second_log_key = Some(second_key(number));
    })
    .await
}

fn has_second_line(nation: &Nation) -> bool {
    let checkpoint = SignedCheckpoint::parse(nation.registry.checkpoint().as_bytes()).unwrap();
    verifier(120).find(checkpoint.note()).is_some()
}

async fn name_the_key(nation: &Nation) {
    let (id, draft) = nation.propose(json!({"type": "policy", "action": "ml-dsa"})).await;
    for officer in [0, 1] {
        assert_eq!(nation.approve(&id, &sign(&draft, officer)).await.status, 200);
    }
}

#[tokio::test]
async fn an_existing_registry_adds_the_second_key_by_a_proposal() {
    let nation = Nation::new().await;
    assert!(!has_second_line(&nation));
    let refused = nation
        .post_admin("/registry/proposals", &json!({"type": "policy", "action": "ml-dsa"}))
        .await;
    assert_eq!(refused.status, 400);
    let anchor = nation.registry.anchor();

    // With the key it signs twice, and nobody demands it.
    let (folder, clock) = nation.stop().await;
    clock.advance(DAY);
    let nation = open(folder, clock, 120).await.unwrap();
    assert!(has_second_line(&nation));
    assert!(!nation.bundle().await.witnessed().is_signed_with_ml_dsa());

    name_the_key(&nation).await;
    assert_eq!(nation.registry.anchor(), anchor);
    assert!(nation.bundle().await.witnessed().is_signed_with_ml_dsa());
    let (folder, clock) = nation.stop().await;
    let nation = open(folder, clock, 120).await.unwrap();
    nation.admit(&Agency::new("population", 20)).await;
    assert!(nation.bundle().await.witnessed().is_signed_with_ml_dsa());
}

/// It could publish nothing that counts.
#[tokio::test]
async fn a_registry_without_the_second_key_that_its_policy_names_does_not_start() {
    let nation = open(tempfile::tempdir().unwrap(), Clock::manual(GENESIS), 120)
        .await
        .unwrap();
    name_the_key(&nation).await;
    let (folder, clock) = nation.stop().await;
    let store = open_store(&folder).await;
    let start = |number: Option<u8>| {
        let mut config = config(&store, &clock, &Switches::new());
        config.second_log_key = number.map(|number| second_key(number) as Arc<dyn keys::ml_dsa::Signer>);
        Registry::open(config)
    };
    assert!(matches!(start(None).await.err(), Some(OpenError::Keys)));
    assert!(matches!(start(Some(121)).await.err(), Some(OpenError::Keys)));
    start(Some(120)).await.unwrap();
}

/// Of a key that it does not have.
#[tokio::test]
async fn a_policy_with_another_second_key_is_refused() {
    let nation = open(tempfile::tempdir().unwrap(), Clock::manual(GENESIS), 120)
        .await
        .unwrap();
    let policy = nation.registry.state().policy().unwrap().body().clone();
    let proposal = |key: VerifierKey| {
        json!({
            "type": "policy", "action": "witnesses", "state_quorum": policy.state_quorum,
            "witness_policy": format!("{}log {key}\n", policy.witness_policy),
        })
    };
    let (id, draft) = nation.propose(proposal(verifier(121))).await;
    nation.approve(&id, &sign(&draft, 0)).await;
    assert_ne!(nation.approve(&id, &sign(&draft, 1)).await.status, 200);
    let (id, draft) = nation.propose(proposal(verifier(120))).await;
    nation.approve(&id, &sign(&draft, 0)).await;
    assert_eq!(nation.approve(&id, &sign(&draft, 1)).await.status, 200);
}
