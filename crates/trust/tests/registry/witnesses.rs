//! The state witness: cosigns what it computed itself, and nothing else.

use keys::Timestamp;
use trust::Anchor;
use trust::checkpoint::Checkpoint;
use trust::checkpoint::SignedCheckpoint;
use trust::cosignature;
use trust::merkle;
use trust::merkle::Hash;
use trust::state::Refusal;
use trust::witness::MAX_CLOCK_DIFFERENCE;
use trust::witness::StateWitness;
use trust::witness::WitnessRefusal;

use crate::nation::*;

fn advance(witness: &StateWitness, nation: &Nation, now: Timestamp) -> Result<StateWitness, WitnessRefusal> {
    advance_with(witness, nation, &nation.checkpoint(), now)
}

fn advance_with(
    witness: &StateWitness,
    nation: &Nation,
    checkpoint: &SignedCheckpoint,
    now: Timestamp,
) -> Result<StateWitness, WitnessRefusal> {
    let seen = usize::try_from(witness.tree().0).unwrap();
    let (next, request) = witness.advance(checkpoint, &nation.leaves[seen..], now, &witness_key(0))?;
    let mut cosigned = checkpoint.clone();
    cosigned.add(key(110).fulfil(request).unwrap());
    assert_eq!(cosignature::verify(&cosigned, &witness_key(0)), Ok(now));
    Ok(next)
}

fn new_witness(nation: &Nation) -> StateWitness {
    StateWitness::new(nation.state.anchor().clone())
}

#[test]
fn a_witness_follows_the_log_and_cosigns() {
    let (mut nation, agency) = Nation::with_issuer();
    let witness = advance(&new_witness(&nation), &nation, nation.state.time()).unwrap();
    nation.commit(&agency, 2, &[7]).unwrap();
    nation.snapshot(GENESIS.plus(2 * HOUR));
    let witness = advance(&witness, &nation, nation.state.time()).unwrap();
    assert_eq!(witness.state().digest(), nation.state.digest());
    // The same checkpoint again, as after a lost answer.
    advance(&witness, &nation, nation.state.time().plus(10)).unwrap();
}

#[test]
fn snapshot_time_too_far_from_the_clock_is_refused() {
    let (nation, _) = Nation::with_issuer();
    let (witness, found) = (new_witness(&nation), nation.state.time());
    for now in [found.minus(MAX_CLOCK_DIFFERENCE), found.plus(MAX_CLOCK_DIFFERENCE)] {
        advance(&witness, &nation, now).unwrap();
    }
    for now in [
        found.minus(MAX_CLOCK_DIFFERENCE + 1),
        found.plus(MAX_CLOCK_DIFFERENCE + 1),
    ] {
        assert_eq!(
            advance(&witness, &nation, now).unwrap_err(),
            WitnessRefusal::Clock { now, found }
        );
    }
}

#[test]
fn checkpoint_that_does_not_end_in_a_snapshot_is_refused() {
    let (mut nation, agency) = Nation::with_issuer();
    nation.commit(&agency, 2, &[7]).unwrap();
    let result = advance(&new_witness(&nation), &nation, nation.state.time());
    assert_eq!(result.unwrap_err(), WitnessRefusal::NoSnapshot);
}

#[test]
fn log_with_an_invalid_entry_is_refused() {
    let (mut nation, agency) = Nation::with_issuer();
    // The operator appends what its state machine refused: a grant of one officer.
    let body = trust::entry::AccreditationBody::Grant(grant(&agency.did, trust::entry::Action::Issue, &[LICENCE]));
    let leaf = approved(&nation.draft("forged", trust::entry::Body::Accreditation(body)), &[0]);
    nation.leaves.push(leaf);
    let index = nation.state.size();
    let checkpoint = signed(index + 1, merkle::root(&nation.hashes()));
    let result = advance_with(&new_witness(&nation), &nation, &checkpoint, nation.state.time());
    let refusal = Refusal::Signatures { expected: 2, found: 1 };
    assert_eq!(result.unwrap_err(), WitnessRefusal::Entry { index, refusal });
}

#[test]
fn fork_is_refused() {
    let (mut nation, agency) = Nation::with_issuer();
    let mut fork = Nation {
        state: nation.state.clone(),
        leaves: nation.leaves.clone(),
        blobs: Vec::new(),
    };
    nation.commit(&agency, 2, &[7]).unwrap();
    nation.snapshot(GENESIS.plus(2 * HOUR));
    let witness = advance(&new_witness(&nation), &nation, nation.state.time()).unwrap();
    // The same size without the revocation.
    fork.commit(&agency, 2, &[]).unwrap();
    fork.snapshot(GENESIS.plus(2 * HOUR));
    let (expected, found) = (merkle::root(&nation.hashes()), merkle::root(&fork.hashes()));
    assert_eq!(
        advance(&witness, &fork, fork.state.time()).unwrap_err(),
        WitnessRefusal::Fork { expected, found }
    );
    // And longer.
    fork.snapshot(GENESIS.plus(2 * HOUR));
    assert!(advance(&witness, &fork, fork.state.time()).is_err());
}

#[test]
fn rollback_and_missing_entries_are_refused() {
    let (mut nation, _) = Nation::with_issuer();
    let old = nation.checkpoint();
    let small = nation.leaves.len();
    nation.snapshot(GENESIS.plus(HOUR + 60));
    let witness = advance(&new_witness(&nation), &nation, nation.state.time()).unwrap();
    let size = nation.state.size();
    let rollback = witness
        .advance(&old, &[], nation.state.time(), &witness_key(0))
        .map(|_| ())
        .unwrap_err();
    assert_eq!(
        rollback,
        WitnessRefusal::Size {
            size,
            expected: 0,
            found: 0
        }
    );
    let new = new_witness(&nation);
    let withheld = new.advance(
        &nation.checkpoint(),
        &nation.leaves[..small],
        nation.state.time(),
        &witness_key(0),
    );
    let found = size - 1;
    assert_eq!(
        withheld.map(|_| ()).unwrap_err(),
        WitnessRefusal::Size {
            size: 0,
            expected: size,
            found
        }
    );
}

#[test]
fn checkpoint_of_another_key_or_root_is_refused() {
    let (nation, _) = Nation::with_issuer();
    let witness = new_witness(&nation);
    let checkpoint = signed(nation.state.size(), Hash::digest(b"another tree"));
    let result = advance_with(&witness, &nation, &checkpoint, nation.state.time());
    assert!(matches!(result.unwrap_err(), WitnessRefusal::Fork { .. }));
    let other = Anchor::new(
        trust::note::VerifierKey::new(ORIGIN, trust::note::SignatureType::Ed25519, public(99)).unwrap(),
        nation.state.anchor().genesis(),
    );
    let result = advance(&StateWitness::new(other.unwrap()), &nation, nation.state.time());
    assert_eq!(
        result.unwrap_err(),
        WitnessRefusal::Entry {
            index: 0,
            refusal: Refusal::Genesis
        }
    );
    // A stranger's signature over the right tree.
    let body = Checkpoint::new(ORIGIN, nation.state.size(), merkle::root(&nation.hashes())).unwrap();
    let stranger = trust::note::VerifierKey::new(ORIGIN, trust::note::SignatureType::Ed25519, public(99)).unwrap();
    let forged = key(99)
        .fulfil(SignedCheckpoint::sign(body, &stranger).unwrap())
        .unwrap();
    let result = advance_with(&witness, &nation, &forged, nation.state.time());
    assert!(matches!(result.unwrap_err(), WitnessRefusal::Checkpoint(_)));
}

#[test]
fn log_key_as_a_witness_key_is_refused() {
    let (nation, _) = Nation::with_issuer();
    let result = new_witness(&nation).advance(&nation.checkpoint(), &nation.leaves, nation.state.time(), &log_key());
    assert!(matches!(result.map(|_| ()).unwrap_err(), WitnessRefusal::Key(_)));
}

fn signed(size: u64, root: Hash) -> SignedCheckpoint {
    let checkpoint = Checkpoint::new(ORIGIN, size, root).unwrap();
    key(100)
        .fulfil(SignedCheckpoint::sign(checkpoint, &log_key()).unwrap())
        .unwrap()
}
