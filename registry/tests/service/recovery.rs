//! Keys that were committed to long before replace a quorum of officers who lost theirs, in public and after a delay.

use keys::Signer as _;
use serde_json::Value;
use serde_json::json;
use server::Clock;
use server::fetch::Fetched;
use trust::Anchor;
use trust::TrustedBundle;
use trust::entry::ApprovalSignature;
use trust::entry::Draft;
use trust::entry::Recovery;
use trust::merkle::Hash;

use crate::nation::*;

const DELAY: i64 = 7 * DAY;

/// What was committed to: 2 of keys 70, 71 and 72.
fn recovery() -> Recovery {
    let mut keys = [70, 71, 72].map(digest_of_key).to_vec();
    keys.sort();
    Recovery {
        threshold: 2,
        keys,
        delay: u64::try_from(DELAY).unwrap(),
    }
}

fn founding() -> Vec<u8> {
    genesis_with(|policy| policy.recovery = Some(recovery()))
}

async fn nation() -> Nation {
    let founded = Nation::founded(tempfile::tempdir().unwrap(), Clock::manual(GENESIS), founding());
    founded.await.unwrap()
}

fn digest_of_key(number: u8) -> Hash {
    Hash::digest(key(number).public_key().to_multikey().as_bytes())
}

/// The same officers with keys 80 to 82.
fn recover_json() -> Value {
    json!({"type": "policy", "action": "recover", "authorities": authorities([80, 81, 82])})
}

fn authorities(keys: [u8; 3]) -> Value {
    let officers = OFFICERS.iter().zip(keys);
    let officers: Vec<Value> = officers
        .map(|(id, number)| json!({"id": id, "key": key(number).public_key().to_multikey()}))
        .collect();
    json!([{"id": AUTHORITY, "threshold": 2, "officers": officers}])
}

/// The signature of a recovery key.
fn reveal(draft: &Draft, number: u8) -> ApprovalSignature {
    reveal_as(draft, &digest_of_key(number).to_string(), number)
}

fn reveal_as(draft: &Draft, name: &str, number: u8) -> ApprovalSignature {
    let key = key(number);
    key.fulfil(draft.sign_revealing(name, key.public_key())).unwrap()
}

impl Nation {
    /// The recovery, approved by two keys: in the log and pending.
    async fn announce_recovery(&self) {
        let (id, draft) = self.propose(recover_json()).await;
        assert_eq!(self.approve(&id, &reveal(&draft, 70)).await.status, 200);
        let last = self.approve(&id, &reveal(&draft, 72)).await;
        assert_eq!(json_of(&last)["state"], "appended", "{}", json_of(&last));
    }

    /// A change of the Policy, or a schema, that the officers with these keys approve.
    async fn approve_as_officers(&self, proposal: Value, keys: [u8; 2]) -> Fetched {
        let (id, draft) = self.propose(proposal).await;
        let [first, second] = [0, 1].map(|at: usize| sign_as(&draft, OFFICERS[at], keys[at]));
        let answer = self.approve(&id, &first).await;
        if answer.status != 200 {
            return answer;
        }
        self.approve(&id, &second).await
    }

    async fn pending_recovery(&self) -> Value {
        json_of(&self.get("/registry/proposals").await)["pending_recovery"].clone()
    }

    /// Time passes, and the log notices.
    async fn pass(&self, seconds: i64) {
        self.clock.advance(seconds);
        self.registry.refresh(0).await.unwrap();
    }

    fn policy_in_force(&self) -> Hash {
        self.registry.state().policy().unwrap().hash()
    }
}

fn detail(answer: &Fetched) -> String {
    json_of(answer)["detail"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_recovery_takes_effect_after_its_delay_and_not_before() {
    let nation = nation().await;
    let before = nation.policy_in_force();
    assert_eq!(nation.pending_recovery().await, Value::Null);
    nation.announce_recovery().await;
    let pending = nation.pending_recovery().await;
    assert_eq!(pending["announced_at"], GENESIS.to_rfc3339());
    assert_eq!(pending["takes_effect_at"], GENESIS.plus(DELAY).to_rfc3339());
    assert!(
        pending["stopped_by"]
            .as_str()
            .unwrap()
            .contains("2 officers of governance"),
        "{pending}"
    );
    let moved = format!("to the key {}", key(80).public_key().to_multikey());
    assert!(pending["changes"].as_str().unwrap().contains(&moved), "{pending}");

    nation.pass(DELAY - 1).await;
    assert_eq!(nation.policy_in_force(), before);
    assert_eq!(nation.approve_as_officers(schema_json(), [80, 81]).await.status, 403);
    assert_ne!(nation.pending_recovery().await, Value::Null);

    nation.pass(1).await;
    assert_eq!(nation.policy_in_force().to_string(), pending["policy"]);
    assert_eq!(nation.pending_recovery().await, Value::Null);
    assert_eq!(nation.approve_as_officers(schema_json(), [1, 2]).await.status, 403);
    let approved = nation.approve_as_officers(schema_json(), [80, 81]).await;
    assert_eq!(json_of(&approved)["state"], "appended");
    // Whoever pinned the genesis follows it offline.
    let bytes = nation.get("/registry/bundle").await.body;
    let anchor = Anchor::of_genesis(&founding()).unwrap();
    let bundle = TrustedBundle::load(&bytes, &anchor, trust::bundle::Limits::default()).unwrap();
    assert_eq!(bundle.state().policy().unwrap().hash(), nation.policy_in_force());
}

#[tokio::test]
async fn a_recovery_by_too_few_keys_is_refused() {
    let nation = nation().await;
    let (id, draft) = nation.propose(recover_json()).await;
    let first = nation.approve(&id, &reveal(&draft, 71)).await;
    assert_eq!(
        json_of(&first),
        json!({"id": "1", "state": "open", "found": 1, "needed": 2})
    );
    let alone = draft.assemble(vec![reveal(&draft, 71)]).unwrap();
    let refused = nation.registry.append(alone, Vec::new()).await.unwrap_err();
    let cause = server::problem::chain(&refused);
    assert!(cause.contains("expected 2 signatures, found 1"), "{cause}");
    assert_eq!(nation.pending_recovery().await, Value::Null);
}

#[tokio::test]
async fn a_recovery_by_the_same_key_twice_is_refused() {
    let nation = nation().await;
    let (id, draft) = nation.propose(recover_json()).await;
    nation.approve(&id, &reveal(&draft, 70)).await;
    let again = nation.approve(&id, &reveal(&draft, 70)).await;
    assert_eq!((again.status, kind(&again).as_str()), (409, "repeated"));
    let other_name = digest_of_key(70).to_string().to_uppercase();
    let again = nation.approve(&id, &reveal_as(&draft, &other_name, 70)).await;
    assert_eq!((again.status, kind(&again).as_str()), (403, "signature"));
    assert_eq!(nation.pending_recovery().await, Value::Null);
    assert_eq!(
        json_of(&nation.approve(&id, &reveal(&draft, 71)).await)["state"],
        "appended"
    );
}

#[tokio::test]
async fn a_recovery_by_keys_that_nobody_committed_to_is_refused() {
    let nation = nation().await;
    let (id, draft) = nation.propose(recover_json()).await;
    let committed = digest_of_key(70).to_string();
    for (signature, reason) in [
        (reveal(&draft, 73), "expected a recovery key that the policy commits to"),
        (sign(&draft, 0), "expected a recovery key that the policy commits to"),
        (
            reveal_as(&draft, &committed, 73),
            "with the key that the policy commits to",
        ),
        (
            sign_as(&draft, &committed, 70),
            "with the key that the policy commits to",
        ),
    ] {
        let refused = nation.approve(&id, &signature).await;
        assert_eq!((refused.status, kind(&refused).as_str()), (403, "signature"));
        assert!(detail(&refused).contains(reason), "{}", detail(&refused));
    }
    // Nor do recovery keys approve anything else.
    let (id, draft) = nation.propose(schema_json()).await;
    assert_eq!(nation.approve(&id, &reveal(&draft, 70)).await.status, 403);
}

#[tokio::test]
async fn a_regular_policy_cancels_a_recovery() {
    let nation = nation().await;
    let before = nation.policy_in_force();
    nation.announce_recovery().await;
    nation.pass(DELAY - 1).await;
    let cancel = json!({"type": "policy", "action": "cancel_recovery"});
    let (id, draft) = nation.propose(cancel).await;
    let shown = json_of(&nation.get(&format!("/registry/proposals/{id}")).await);
    assert_eq!(
        shown["summary"],
        "Change the policy: everything stays as it is; this cancels the recovery that is pending"
    );
    for officer in [0, 1] {
        assert_eq!(nation.approve(&id, &sign(&draft, officer)).await.status, 200);
    }
    assert_eq!(nation.pending_recovery().await, Value::Null);
    nation.pass(2 * DELAY).await;
    assert_ne!(nation.policy_in_force(), before);
    assert_eq!(nation.approve_as_officers(schema_json(), [80, 81]).await.status, 403);
    let approved = nation.approve_as_officers(schema_json(), [1, 2]).await;
    assert_eq!(json_of(&approved)["state"], "appended");
    // What was cancelled can be tried again, in public again.
    nation.announce_recovery().await;
}

#[tokio::test]
async fn a_second_recovery_while_one_is_pending_is_refused() {
    let nation = nation().await;
    let (other, draft) = nation.propose(recover_json()).await;
    nation.announce_recovery().await;
    let second = nation.post_admin("/registry/proposals", &recover_json()).await;
    assert_eq!((second.status, kind(&second).as_str()), (409, "refused"));
    assert_eq!(detail(&second), "expected no recovery under way, found one");
    // One that was proposed before is late as well.
    nation.approve(&other, &reveal(&draft, 70)).await;
    let late = nation.approve(&other, &reveal(&draft, 71)).await;
    assert_eq!((late.status, kind(&late).as_str()), (409, "refused"));
    let first = nation.pending_recovery().await;
    assert_eq!(first["takes_effect_at"], GENESIS.plus(DELAY).to_rfc3339());
}

#[tokio::test]
async fn officers_commit_to_recovery_keys_and_take_that_back() {
    let nation = Nation::new().await;
    let refused = nation.post_admin("/registry/proposals", &recover_json()).await;
    assert_eq!((refused.status, kind(&refused).as_str()), (409, "refused"));
    assert!(
        detail(&refused).contains("recovery keys in the policy before"),
        "{}",
        detail(&refused)
    );
    let commit = |threshold: u64, delay: i64| {
        let keys: Vec<String> = [72, 70, 71].map(|number| digest_of_key(number).to_string()).to_vec();
        json!({
            "type": "policy", "action": "recovery_keys",
            "recovery": {"threshold": threshold, "keys": keys, "delay": delay},
        })
    };
    for (threshold, delay, expected) in [
        (1, DELAY, "a recovery threshold from 2 to the number of keys"),
        (4, DELAY, "a recovery threshold from 2 to the number of keys"),
        (2, 3 * DAY - 1, "a recovery delay of 3 days to a year"),
    ] {
        let refused = nation
            .post_admin("/registry/proposals", &commit(threshold, delay))
            .await;
        assert_eq!((refused.status, kind(&refused).as_str()), (409, "refused"));
        assert!(detail(&refused).contains(expected), "{}", detail(&refused));
    }
    let committed = nation.approve_as_officers(commit(2, DELAY), [1, 2]).await;
    assert_eq!(json_of(&committed)["state"], "appended");
    let state = nation.registry.state();
    assert_eq!(state.policy().unwrap().body().recovery, Some(recovery()));
    let (id, draft) = nation.propose(recover_json()).await;
    let none = json!({"type": "policy", "action": "recovery_keys", "recovery": null});
    nation.approve_as_officers(none, [1, 2]).await;
    assert_eq!(nation.registry.state().policy().unwrap().body().recovery, None);
    // What was proposed while there were some is told as it was, and takes no approvals.
    let late = nation.approve(&id, &reveal(&draft, 70)).await;
    assert_eq!((late.status, kind(&late).as_str()), (409, "ended"));
    let shown = json_of(&nation.get(&format!("/registry/proposals/{id}")).await);
    assert_eq!(shown["needed"], 2);
}

/// An officer who has committed to a next key cancels with that one, and so names it in office.
#[tokio::test]
async fn next_keys_cancel_a_recovery() {
    let founding = genesis_with(|policy| {
        policy.recovery = Some(recovery());
        policy.authorities[0].officers[0].next = Some(digest_of_key(11));
    });
    let nation = Nation::founded(tempfile::tempdir().unwrap(), Clock::manual(GENESIS), founding);
    let nation = nation.await.unwrap();
    nation.announce_recovery().await;
    let unchanged = json!({"type": "policy", "action": "cancel_recovery"});
    let (id, draft) = nation.propose(unchanged).await;
    let refused = nation.approve(&id, &reveal_as(&draft, OFFICERS[0], 11)).await;
    assert!(
        detail(&refused).contains("the committed next key of officer officer-1"),
        "{}",
        detail(&refused)
    );
    let moved = json!({"type": "policy", "action": "cancel_recovery", "authorities": authorities([11, 2, 3])});
    let (id, draft) = nation.propose(moved).await;
    nation.approve(&id, &reveal_as(&draft, OFFICERS[0], 11)).await;
    let done = nation.approve(&id, &sign(&draft, 1)).await;
    assert_eq!(json_of(&done)["state"], "appended");
    assert_eq!(nation.pending_recovery().await, Value::Null);
}
