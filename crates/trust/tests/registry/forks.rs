//! A log that shows different histories to different witnesses: neither history gets a quorum, and no witness changes
//! sides.

use trust::checkpoint::Checkpoint;
use trust::checkpoint::SignedCheckpoint;
use trust::merkle;
use trust::tlog_policy::TlogPolicy;
use trust::tlog_policy::WitnessError;
use trust::tlog_witness::AddCheckpoint;

use crate::nation::*;

/// One way of the log from a common beginning on, and what witnesses have cosigned of it.
struct Way {
    nation: Nation,
    checkpoint: SignedCheckpoint,
}

fn ways() -> (SignedCheckpoint, [Way; 2]) {
    let (nation, agency) = Nation::with_issuer();
    let common = nation.checkpoint();
    let ways = [&[7][..], &[8]].map(|revoked| {
        let mut way = Nation {
            state: nation.state.clone(),
            leaves: nation.leaves.clone(),
            blobs: Vec::new(),
        };
        way.commit(&agency, 2, revoked).unwrap();
        way.snapshot(GENESIS.plus(2 * HOUR));
        let checkpoint = way.checkpoint();
        Way {
            nation: way,
            checkpoint,
        }
    });
    (common, ways)
}

/// A plain witness that cosigned `latest` is shown this way.
fn show(way: &mut Way, latest: &Checkpoint, witness: u8) -> bool {
    let (old, size) = (latest.size(), way.nation.state.size());
    let proof = if old < size {
        merkle::consistency_proof(&Leaves(way.nation.hashes()), old, size).unwrap()
    } else {
        Vec::new()
    };
    let request = AddCheckpoint::new(old, proof, way.checkpoint.clone());
    let time = way.nation.state.time();
    let Ok(asked) = request.judge(&[log_key()], Some(latest), time, &witness_key(witness)) else {
        return false;
    };
    way.checkpoint.add(key(110 + witness).fulfil(asked).unwrap());
    true
}

#[test]
fn a_fork_shown_to_two_witnesses_gets_no_quorum_on_either_side() {
    let (common, [mut one, mut other]) = ways();
    assert!(show(&mut one, common.unverified(), 0));
    assert!(show(&mut other, common.unverified(), 1));
    let policy = TlogPolicy::parse(&witness_policy()).unwrap();
    for way in [&one, &other] {
        let refused = policy.verify(&way.checkpoint).unwrap_err();
        assert!(matches!(refused, WitnessError::Quorum { found: 1, .. }), "{refused:?}");
    }
    // Each knows its side, at the same size and beyond it.
    let [of_one, of_other] = [&one, &other].map(|way| way.checkpoint.unverified().clone());
    assert!(!show(&mut other, &of_one, 0));
    assert!(!show(&mut one, &of_other, 1));
    other.nation.snapshot(GENESIS.plus(3 * HOUR));
    other.checkpoint = other.nation.checkpoint();
    assert!(!show(&mut other, &of_one, 0));
    assert!(show(&mut other, &of_other, 1));
}

#[test]
fn a_log_that_takes_entries_back_gets_no_cosignature() {
    let (common, [mut one, _]) = ways();
    assert!(show(&mut one, common.unverified(), 0));
    let longer = one.checkpoint.unverified().clone();
    let (mut back, _) = Nation::with_issuer();
    back.snapshot(GENESIS.plus(2 * HOUR));
    let mut back = Way {
        checkpoint: back.checkpoint(),
        nation: back,
    };
    assert!(back.nation.state.size() < longer.size());
    assert!(!show(&mut back, &longer, 0));
    // As if the witness had never seen more.
    let request = AddCheckpoint::new(0, Vec::new(), back.checkpoint.clone());
    assert!(request.check_consistency(Some(&longer)).is_err());
}
