//! Snapshots: digests, sizes and the clock.

use trust::entry::Body;
use trust::entry::Entry;
use trust::entry::EntryType;
use trust::entry::SnapshotBody;
use trust::merkle::Hash;
use trust::state::Refusal;

use crate::nation::*;

/// The nation's next Snapshot with one change.
fn changed(nation: &Nation, change: impl FnOnce(&mut SnapshotBody)) -> Vec<u8> {
    let entry = Entry::parse(&nation.snapshot_leaf(nation.state.time().plus(60))).unwrap();
    let Body::Snapshot(mut body) = entry.body().clone() else {
        panic!()
    };
    change(&mut body);
    let (seq, prev) = nation.state.next_in_chain(EntryType::Snapshot, ORIGIN);
    Entry::without_approval(ORIGIN, ORIGIN, seq, prev, &Body::Snapshot(body)).unwrap()
}

#[test]
fn snapshot_of_a_wrong_state_is_refused() {
    let (mut nation, _) = Nation::with_issuer();
    let expected = nation.state.digest();
    let found = Hash::digest(b"another state");
    let leaf = changed(&nation, |body| body.state = found);
    assert_eq!(nation.append(&leaf), Err(Refusal::StateDigest { expected, found }));
    let leaf = changed(&nation, |body| body.sections[2].root = found);
    assert_eq!(
        nation.append(&leaf),
        Err(Refusal::StateDigest {
            expected,
            found: expected
        })
    );
    let leaf = changed(&nation, |_| {});
    nation.append(&leaf).unwrap();
}

#[test]
fn snapshot_made_before_the_last_entry_is_refused() {
    let (mut nation, agency) = Nation::with_issuer();
    let early = nation.snapshot_leaf(nation.state.time().plus(60));
    nation.commit(&agency, 2, &[7]).unwrap();
    assert_eq!(
        nation.append(&early),
        Err(Refusal::Snapshot {
            expected: "all entries before it covered"
        })
    );
}

#[test]
fn clock_that_goes_back_is_refused() {
    let (mut nation, _) = Nation::with_issuer();
    let earliest = nation.state.time();
    let leaf = nation.snapshot_leaf(earliest.minus(1));
    assert_eq!(
        nation.append(&leaf),
        Err(Refusal::TimeGoesBack {
            earliest,
            found: earliest.minus(1)
        })
    );
    nation.snapshot(earliest);
}

#[test]
fn first_snapshot_before_the_genesis_is_refused() {
    let mut nation = Nation::new();
    let leaf = nation.snapshot_leaf(GENESIS.minus(1));
    assert_eq!(
        nation.append(&leaf),
        Err(Refusal::TimeGoesBack {
            earliest: GENESIS,
            found: GENESIS.minus(1)
        })
    );
}

#[test]
fn wrong_epoch_order_of_times_or_subject_is_refused() {
    let (mut nation, _) = Nation::with_issuer();
    let leaf = changed(&nation, |body| body.epoch += 1);
    assert!(matches!(nation.append(&leaf), Err(Refusal::Snapshot { .. })));
    let leaf = changed(&nation, |body| body.next_update = body.time);
    assert!(matches!(nation.append(&leaf), Err(Refusal::Snapshot { .. })));
    let leaf = changed(&nation, |body| body.hard_expiry = body.next_update.minus(1));
    assert!(matches!(nation.append(&leaf), Err(Refusal::Snapshot { .. })));
    let good = Entry::parse(&nation.snapshot_leaf(nation.state.time())).unwrap();
    let leaf = Entry::without_approval(ORIGIN, "other.example", 0, Hash::ZERO, good.body()).unwrap();
    assert!(matches!(nation.append(&leaf), Err(Refusal::Identity { .. })));
}

#[test]
fn snapshots_form_a_chain() {
    let (mut nation, _) = Nation::with_issuer();
    nation.snapshot(GENESIS.plus(2 * HOUR));
    let clock = *nation.state.clock().unwrap();
    assert_eq!(
        (clock.epoch, clock.index, clock.time),
        (1, nation.state.size() - 1, GENESIS.plus(2 * HOUR))
    );
    let entry = Entry::parse(nation.leaves.last().unwrap()).unwrap();
    assert_eq!(
        entry.prev(),
        trust::merkle::leaf_hash(&nation.leaves[nation.leaves.len() - 2])
    );
}
