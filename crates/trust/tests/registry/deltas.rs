//! Deltas between bundles of random lives, and deltas that somebody changed, held back or shows to the wrong bundle.

use keys::cbor::Value;
use proptest::prelude::*;
use trust::TrustedBundle;
use trust::bundle::BundleError;
use trust::bundle::DeltaError;
use trust::bundle::DeltaStart;
use trust::bundle::Limits;
use trust::bundle::ListBefore;
use trust::bundle::RollbackError;
use trust::bundle::export_delta;
use trust::entry::StatusEncoding;
use trust::merkle;
use trust::state::StatusRecord;
use trust::status_bits::StatusBits;

use crate::bundles::decode;
use crate::bundles::members;
use crate::nation::*;
use crate::replay::Step;
use crate::replay::agencies;
use crate::replay::nation_after;
use crate::replay::step;

fn load(nation: &Nation) -> TrustedBundle {
    TrustedBundle::load(&nation.bundle(), nation.state.anchor(), Limits::default()).unwrap()
}

/// The delta that a registry makes which knows both.
fn delta(old: &Nation, new: &Nation) -> Vec<u8> {
    let (now, size) = (new.state.time(), old.state.size());
    let proof = new.proof(new.state.size() - 1, new.witnessed(&[(0, now), (1, now)]));
    let start = DeltaStart {
        size,
        state: old.state.digest(),
        consistency: merkle::consistency_proof(&Leaves(new.hashes()), size, new.state.size()).unwrap(),
    };
    let before = |record: &StatusRecord| {
        let Some(before) = old.state.status_list(record.issuer(), &record.list().uri) else {
            return ListBefore::Unknown;
        };
        let (list, now) = (before.list(), record.list());
        if (list.compact, list.encoding) == (now.compact, now.encoding) {
            return ListBefore::Same;
        }
        let bytes = old.blob(list.compact).unwrap();
        StatusBits::from_compact(list, &bytes).map_or(ListBefore::Unknown, ListBefore::Other)
    };
    let snapshot = new.leaves.last().unwrap();
    export_delta(&new.state, snapshot, &proof, &start, before, |digest| new.blob(digest)).unwrap()
}

fn apply(old: &Nation, delta: &[u8]) -> Result<Vec<u8>, DeltaError> {
    load(old).apply(delta, Limits::default()).map(|(_, bytes)| bytes)
}

/// A nation, and the same one after more has happened.
fn two(first: &[Step], more: &[Step]) -> (Nation, Nation) {
    let agencies = agencies();
    let admitted: Vec<Step> = (0..4).map(Step::Admit).collect();
    let first = [&admitted, first].concat();
    let old = nation_after(&first, &agencies);
    let new = nation_after(&[&first, &[Step::Snapshot(60)][..], more].concat(), &agencies);
    assert_eq!(new.leaves[..old.leaves.len()], old.leaves[..]);
    (old, new)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn a_delta_makes_the_bundle_that_comes_whole(
        first in prop::collection::vec(step(), 0..40),
        more in prop::collection::vec(step(), 0..40),
    ) {
        let (old, new) = two(&first, &more);
        let delta = delta(&old, &new);
        let (bundle, bytes) = load(&old).apply(&delta, Limits::default()).unwrap();
        prop_assert_eq!(&bytes, &new.bundle());
        prop_assert_eq!(bundle.state().digest(), new.state.digest());
        // And from there nothing but onwards.
        let again = bundle.apply(&delta, Limits::default());
        // Where nothing but the time has changed, the state is the same.
        let is_refused = matches!(again, Err(DeltaError::Base { .. } | DeltaError::Consistency(_)));
        prop_assert!(is_refused, "{:?}", again.err());
    }

    #[test]
    fn no_changed_byte_of_a_delta_makes_another_bundle(
        more in prop::collection::vec(step(), 0..20),
        place in any::<prop::sample::Index>(),
        bit in 0..8_u8,
    ) {
        let (old, new) = two(&[], &more);
        let mut changed = delta(&old, &new);
        let place = place.index(changed.len());
        changed[place] ^= 1 << bit;
        // What may change without a consequence is a cosignature more than the quorum needs.
        if let Ok(bytes) = apply(&old, &changed) {
            let load = |bytes: &[u8]| TrustedBundle::load(bytes, new.state.anchor(), Limits::default()).unwrap();
            prop_assert_eq!(load(&bytes).state().digest(), new.state.digest());
        }
    }
}

/// A nation with one list, in which two more credentials are revoked.
fn with_revocations(encoding: StatusEncoding) -> (Nation, Nation, Agency) {
    let live = |revoked: &[&[usize]]| {
        let (mut nation, agency) = Nation::with_issuer();
        for (revoked, epoch) in revoked.iter().zip(2..) {
            let (list, compact) = coded_list(&agency, epoch, revoked, encoding);
            nation.blobs.push(compact);
            let body = trust::entry::StatusCommitBody {
                lists: vec![list],
                ended: Vec::new(),
            };
            nation.commit_lists(&agency, body).unwrap();
            nation.snapshot(nation.state.time().plus(60));
        }
        (nation, agency)
    };
    let (old, agency) = live(&[&[3]]);
    (old, live(&[&[3], &[3, 7, 1_000]]).0, agency)
}

fn coded_list(
    agency: &Agency,
    epoch: u64,
    revoked: &[usize],
    encoding: StatusEncoding,
) -> (trust::entry::StatusList, Vec<u8>) {
    let mut bytes = vec![0_u8; 128];
    for index in revoked {
        bytes[index / 8] |= 1 << (index % 8);
    }
    let bits = StatusBits::new(1, 1_024, bytes).unwrap();
    committed(&list_uri(agency), &bits, encoding, epoch, GENESIS.plus(30 * DAY))
}

/// Whether the statuses come as patches or whole.
#[test]
fn a_revocation_left_out_makes_no_bundle() {
    for (encoding, member) in [(StatusEncoding::GolombRice, 10), (StatusEncoding::Zlib, 9)] {
        let (old, new, agency) = with_revocations(encoding);
        let delta = delta(&old, &new);
        let bundle = load(&old).apply(&delta, Limits::default()).unwrap().0;
        let list = bundle.status_list(&agency.did, &list_uri(&agency)).unwrap();
        assert_eq!((list.bits.get(7), list.bits.get(1_000)), (Some(1), Some(1)));
        // Patched lists are not given whole, and the other way round.
        let whole = members(&delta)
            .iter()
            .find(|(key, _)| *key == Value::Unsigned(9))
            .unwrap()
            .1
            .clone();
        assert_eq!(whole == Value::Array(Vec::new()), member == 10);

        let empty = match member {
            10 => patches(1, 0, 0, Vec::new()),
            _ => Value::Array(Vec::new()),
        };
        let held_back = apply(&old, &with(&delta, member, empty));
        match (member, held_back) {
            (10, Err(DeltaError::Export(_) | DeltaError::Bundle(_))) => {}
            // Without the bytes the list is not in the bundle, and a credential that names it has no known status.
            (_, Ok(bytes)) => {
                let bundle = TrustedBundle::load(&bytes, new.state.anchor(), Limits::default()).unwrap();
                assert!(bundle.status_list(&agency.did, &list_uri(&agency)).is_err());
            }
            (_, other) => panic!("{member} {other:?}"),
        }
        // Without the record of the commitment the state is another one.
        let no_records = apply(&old, &with(&delta, 7, Value::Array(Vec::new())));
        let is_refused = matches!(no_records, Err(DeltaError::Export(_) | DeltaError::Lists));
        assert!(is_refused, "{no_records:?}");
    }
}

#[test]
fn patches_that_fit_no_list_are_refused() {
    let (old, new, _) = with_revocations(StatusEncoding::GolombRice);
    let delta = delta(&old, &new);
    for (patches, is_lists) in [
        (patches(0, 0, 0, Vec::new()), true),
        (patches(2, 0, 0, Vec::new()), true),
        (patches(1, 200, 0, Vec::new()), false),
        (patches(1, 0, 5_000, vec![0; 700]), false),
        (patches(1, 0, 2, vec![0xff; 300]), false),
        (patches(1, 0, u64::MAX, Vec::new()), false),
        (patches(1, 0, 1, vec![0, 0]), false),
    ] {
        let refused = apply(&old, &with(&delta, 10, patches)).unwrap_err();
        match refused {
            DeltaError::Lists => assert!(is_lists),
            DeltaError::Patch(_) | DeltaError::Decode(_) => assert!(!is_lists, "{refused:?}"),
            other => panic!("{other:?}"),
        }
    }
}

/// Another registry's delta, one from another state, one of a log that does not continue this one, and one that leads back.
#[test]
fn a_delta_for_another_bundle_is_refused() {
    let (old, new, _) = with_revocations(StatusEncoding::GolombRice);
    let forwards = delta(&old, &new);
    let base = |found: Result<Vec<u8>, DeltaError>| matches!(found, Err(DeltaError::Base { .. }));
    assert!(base(apply(&new, &forwards)));
    let (other, _) = Nation::with_issuer();
    assert!(base(apply(&other, &forwards)));

    let no_proof = apply(&old, &with(&forwards, 6, Value::Array(Vec::new())));
    assert!(matches!(no_proof, Err(DeltaError::Consistency(_))), "{no_proof:?}");

    // What a state leads to in a second history of the same registry.
    let (mut fork, agency) = Nation::with_issuer();
    fork.commit(&agency, 2, &[9]).unwrap();
    fork.snapshot(fork.state.time().plus(60));
    fork.snapshot(fork.state.time().plus(60));
    let (trunk, _) = Nation::with_issuer();
    assert!(apply(&trunk, &delta(&trunk, &fork)).is_ok());
    let mut start = members(&delta(&trunk, &fork));
    let digest = Value::Bytes(old.state.digest().as_bytes().to_vec());
    start.iter_mut().find(|(key, _)| *key == Value::Unsigned(3)).unwrap().1 = digest;
    let forked = apply(&old, &Value::Map(start).to_vec());
    assert!(matches!(forked, Err(DeltaError::Consistency(_))), "{forked:?}");

    // Of the same size and state nothing is later.
    let nowhere = delta(&new, &new);
    let same = load(&new).apply(&nowhere, Limits::default());
    assert!(
        matches!(
            same,
            Ok(_) | Err(DeltaError::Rollback(RollbackError::Older { .. }) | DeltaError::Consistency(_))
        ),
        "{:?}",
        same.err()
    );
}

/// A bundle that lacks the list cannot be patched; the whole one helps.
#[test]
fn a_bundle_without_the_list_is_not_patched() {
    let (old, new, _) = with_revocations(StatusEncoding::GolombRice);
    let now = old.state.time();
    let proof = old.proof(old.state.size() - 1, old.witnessed(&[(0, now), (1, now)]));
    let poor = trust::bundle::export(&old.state, old.leaves.last().unwrap(), &proof, |_| None).unwrap();
    let poor = TrustedBundle::load(&poor, old.state.anchor(), Limits::default()).unwrap();
    let refused = poor.apply(&delta(&old, &new), Limits::default()).map(|_| ());
    assert_eq!(refused, Err(DeltaError::Lists));
}

#[test]
fn limits_hold_for_deltas() {
    let (old, new, _) = with_revocations(StatusEncoding::GolombRice);
    let delta = delta(&old, &new);
    for limits in [
        Limits {
            max_bytes: delta.len() - 1,
            ..Limits::default()
        },
        Limits {
            max_plain_bytes: 10,
            ..Limits::default()
        },
    ] {
        let refused = load(&old).apply(&delta, limits).map(|_| ());
        assert!(
            matches!(refused, Err(DeltaError::Bundle(BundleError::TooLarge { .. }))),
            "{refused:?}"
        );
    }
}

fn patches(lists: u64, parameter: u64, count: u64, bits: Vec<u8>) -> Value {
    Value::Map(vec![
        (Value::Unsigned(1), Value::Unsigned(lists)),
        (Value::Unsigned(2), Value::Unsigned(parameter)),
        (Value::Unsigned(3), Value::Unsigned(count)),
        (Value::Unsigned(4), Value::Bytes(bits)),
    ])
}

fn with(delta: &[u8], member: u64, value: Value) -> Vec<u8> {
    let Value::Map(mut members) = decode(delta) else {
        panic!("a map");
    };
    let found = members.iter_mut().find(|(key, _)| *key == Value::Unsigned(member));
    found.unwrap().1 = value;
    Value::Map(members).to_vec()
}
