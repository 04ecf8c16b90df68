//! Each member changed once, and told.

use keys::PublicKey;
use keys::Signer as _;
use keys::Timestamp;

use super::*;

fn public(number: u8) -> PublicKey {
    let key = signer::SoftwareKey::from_secret(Algorithm::EdDsa, &[number; 32]).unwrap();
    key.public_key().clone()
}

fn digest(number: u8) -> Hash {
    Hash::digest(public(number).to_multikey().as_bytes())
}

fn officer(id: &str, number: u8, next: Option<u8>) -> Officer {
    Officer {
        id: id.to_owned(),
        key: public(number),
        next: next.map(digest),
    }
}

fn authority(id: &str, officers: Vec<Officer>, scope: Option<&[&str]>) -> Authority {
    Authority {
        id: id.to_owned(),
        threshold: 2,
        officers,
        scope: scope.map(|scope| scope.iter().map(|id| (*id).to_owned()).collect()),
    }
}

fn before() -> PolicyBody {
    let governing = vec![officer("a", 1, Some(11)), officer("b", 2, None), officer("c", 3, None)];
    let health = vec![officer("d", 4, None), officer("e", 5, None)];
    PolicyBody {
        kind: PolicyKind::Regular,
        authorities: vec![
            authority("governance", governing, None),
            authority("health", health, Some(&["Vaccination"])),
        ],
        witness_policy: "log L\nwitness w1 W\nquorum w1\n".to_owned(),
        state_quorum: "w1".to_owned(),
        methods: vec!["webvh".to_owned()],
        algorithms: vec![Algorithm::Es256, Algorithm::EdDsa],
        recovery: Some(Recovery {
            threshold: 2,
            keys: vec![Hash::ZERO; 3],
            delay: 7 * 86_400,
        }),
        genesis_time: Some(Timestamp::from_unix(0)),
        publication: None,
    }
}

fn told(change: impl FnOnce(&mut PolicyBody)) -> String {
    let mut new = PolicyBody {
        genesis_time: None,
        ..before()
    };
    change(&mut new);
    let told = changes(&new, Some(&before()));
    assert_eq!(is_change(&new, &before()), told != "everything stays as it is");
    told
}

#[test]
fn every_change_of_officers_is_told_with_whole_keys() {
    let key = |number| public(number).to_multikey();
    let officers = |change: fn(&mut Vec<Officer>)| told(|policy| change(&mut policy.authorities[0].officers));
    assert_eq!(
        officers(|officers| officers.push(officer("z", 9, Some(19)))),
        format!(
            "z with the key {} and the next key of digest {} joins governance",
            key(9),
            digest(19)
        )
    );
    assert_eq!(
        officers(|officers| {
            officers.remove(1);
        }),
        "b leaves governance"
    );
    assert_eq!(
        officers(|officers| officers[1].key = public(9)),
        format!("b of governance moves to the key {}, from {}", key(9), key(2))
    );
    // The key that was committed to is used up.
    assert_eq!(
        officers(|officers| officers[0] = officer("a", 11, None)),
        format!("a of governance moves to the next key, {}, from {}", key(11), key(1))
    );
    assert_eq!(
        officers(|officers| officers[2].next = Some(digest(13))),
        format!("c of governance commits to the next key of digest {}", digest(13))
    );
    assert_eq!(
        officers(|officers| officers[0].next = None),
        "a of governance commits to a next key no longer"
    );
    assert_eq!(
        told(|policy| policy.authorities[0].threshold = 3),
        "3 officers of governance must sign instead of 2"
    );
}

#[test]
fn every_change_of_authorities_is_told() {
    let added = told(|policy| {
        let officers = vec![officer("f", 6, None), officer("g", 7, None)];
        policy
            .authorities
            .push(authority("transport", officers, Some(&["Licence"])));
    });
    let (f, g) = (public(6).to_multikey(), public(7).to_multikey());
    assert_eq!(
        added,
        format!(
            "the authority transport is added: 2 of its 2 officers must sign, f with the key {f}, g with the key {g}; it may accredit Licence"
        )
    );
    assert_eq!(
        told(|policy| policy.authorities.truncate(1)),
        "the authority health is removed"
    );
    assert_eq!(
        told(|policy| policy.authorities[1].scope = Some(Vec::new())),
        "health may accredit nothing instead of Vaccination"
    );
    assert_eq!(
        told(|policy| policy.authorities.reverse()),
        "health governs instead of governance; the authorities come in another order"
    );
}

#[test]
fn every_change_of_what_counts_is_told() {
    assert_eq!(told(|policy| policy.recovery = None), "no recovery by keys any longer");
    let recovery = told(|policy| {
        policy.recovery = Some(Recovery {
            threshold: 2,
            keys: vec![digest(7), digest(8)],
            delay: 3 * 86_400 + 1,
        });
    });
    assert_eq!(
        recovery,
        format!(
            "recovery by 2 of 2 keys after 259201 seconds instead of 2 of 3 keys after 7 days, of digests {}, {}",
            digest(7),
            digest(8)
        )
    );
    assert_eq!(
        told(|policy| policy.methods.insert(0, "key".to_owned())),
        "DID methods that may be accredited: key, webvh instead of webvh"
    );
    assert_eq!(
        told(|policy| policy.algorithms.insert(1, Algorithm::Es384)),
        "algorithms of approvals: ESP256, ESP384, Ed25519 instead of ESP256, Ed25519"
    );
    assert_eq!(
        told(|policy| policy.witness_policy = "log L\nwitness w1 W\nwitness w2 V\nquorum w2\n".to_owned()),
        "the tlog-policy gets \"witness w2 V\", \"quorum w2\"; the tlog-policy loses \"quorum w1\""
    );
    assert_eq!(
        told(|policy| policy.witness_policy = "witness w1 W\nlog L\nquorum w1\n".to_owned()),
        "the lines of the tlog-policy come in another order"
    );
    assert_eq!(
        told(|policy| policy.state_quorum = "w2".to_owned()),
        "the state quorum is w2 instead of w1"
    );
    assert_eq!(told(|_| ()), "everything stays as it is");
}

#[test]
fn a_first_policy_is_new_as_a_whole() {
    let whole = changes(&before(), None);
    for part in [
        "the authority governance is added",
        "the authority health is added",
        "recovery by 2 of 3 keys after 7 days instead of not at all",
        "webvh instead of none",
        "\"quorum w1\"",
    ] {
        assert!(whole.contains(part), "{part}: {whole}");
    }
}

#[test]
fn delays_are_told_in_the_largest_unit_that_fits() {
    for (seconds, told) in [
        (604_800, "7 days"),
        (86_400, "1 day"),
        (90_000, "25 hours"),
        (3_600, "1 hour"),
        (86_401, "86401 seconds"),
        (1, "1 second"),
    ] {
        assert_eq!(duration(seconds), told);
    }
}
