//! The audit: the first thing that is wrong with a log, and nothing where nothing is.

use trust::audit::Audit;
use trust::audit::Audited;
use trust::audit::Violation;
use trust::checkpoint::SignedCheckpoint;
use trust::entry::AccreditationBody;
use trust::entry::Action;
use trust::entry::Body;
use trust::merkle;
use trust::state::Refusal;
use trust::tlog_policy::WitnessError;

use crate::nation::*;

fn cosigned(nation: &Nation) -> SignedCheckpoint {
    let time = nation.state.time();
    nation.witnessed(&[(0, time), (1, time)])
}

fn audit(nation: &Nation, earlier: Option<SignedCheckpoint>, last: &SignedCheckpoint) -> Result<Audited, Violation> {
    let mut audit = Audit::new(nation.state.anchor().clone());
    if let Some(earlier) = earlier {
        audit = audit.since(earlier)?;
    }
    for leaf in &nation.leaves {
        audit.leaf(leaf, |_, _| {})?;
    }
    audit.finish(last)
}

/// A nation, and the same nation on another way from there on.
fn forked() -> (Nation, Nation) {
    let (nation, agency) = Nation::with_issuer();
    let mut ways = [(); 2].map(|()| Nation {
        state: nation.state.clone(),
        leaves: nation.leaves.clone(),
        blobs: Vec::new(),
    });
    for (way, revoked) in ways.iter_mut().zip([&[7][..], &[]]) {
        way.commit(&agency, 2, revoked).unwrap();
        way.snapshot(GENESIS.plus(2 * HOUR));
    }
    let [one, other] = ways;
    (one, other)
}

#[test]
fn a_good_log_is_found_good() {
    let (mut nation, agency) = Nation::with_issuer();
    let earlier = cosigned(&nation);
    nation.commit(&agency, 2, &[7]).unwrap();
    nation.snapshot(GENESIS.plus(2 * HOUR));
    let last = cosigned(&nation);
    for earlier in [None, Some(earlier), Some(last.clone())] {
        let audited = audit(&nation, earlier, &last).unwrap();
        assert_eq!(audited.state.digest(), nation.state.digest());
        assert_eq!(audited.edge.root(), last.unverified().root());
        assert_eq!(audited.checkpoint.as_of(), nation.state.time());
    }
}

#[test]
fn an_entry_that_breaks_a_rule_is_the_violation() {
    let (mut nation, agency) = Nation::with_issuer();
    let body = AccreditationBody::Grant(grant(&agency.did, Action::Issue, &[LICENCE]));
    let leaf = approved(&nation.draft("forged", Body::Accreditation(body)), &[0]);
    let index = nation.state.size();
    nation.leaves.push(leaf);
    let refusal = Refusal::Signatures { expected: 2, found: 1 };
    let last = cosigned(&nation);
    assert_eq!(
        audit(&nation, None, &last).unwrap_err(),
        Violation::Entry { index, refusal }
    );
}

#[test]
fn a_history_that_was_rewritten_is_the_violation() {
    let (nation, other) = forked();
    let size = nation.state.size();
    let (expected, found) = (merkle::root(&nation.hashes()), merkle::root(&other.hashes()));
    let fork = Violation::Fork { size, expected, found };
    // The log's own checkpoint, and one that it gave somebody before.
    assert_eq!(audit(&nation, None, &cosigned(&other)).unwrap_err(), fork);
    assert_eq!(
        audit(&nation, Some(cosigned(&other)), &cosigned(&nation)).unwrap_err(),
        fork
    );
}

#[test]
fn a_log_that_became_shorter_is_the_violation() {
    let (nation, _) = Nation::with_issuer();
    let (longer, _) = forked();
    let rollback = Violation::Rollback {
        expected: longer.state.size(),
        found: nation.state.size(),
    };
    assert_eq!(
        audit(&nation, Some(cosigned(&longer)), &cosigned(&nation)).unwrap_err(),
        rollback
    );
}

#[test]
fn too_few_cosignatures_are_the_violation() {
    let (nation, _) = Nation::with_issuer();
    let (size, time) = (nation.state.size(), nation.state.time());
    for witnesses in [vec![], vec![(0, time)], vec![(1, time)]] {
        let refused = audit(&nation, None, &nation.witnessed(&witnesses)).unwrap_err();
        let expected = matches!(
            &refused,
            Violation::Checkpoint { size: found, source: WitnessError::Quorum { .. } } if *found == size
        );
        assert!(expected, "{refused:?}");
    }
}

#[test]
fn a_log_without_a_snapshot_at_its_end_is_the_violation() {
    let (mut nation, agency) = Nation::with_issuer();
    nation.commit(&agency, 2, &[7]).unwrap();
    let size = nation.state.size();
    let refused = audit(&nation, None, &cosigned(&nation)).unwrap_err();
    assert_eq!(refused, Violation::NoSnapshot { size });
    let nothing = Audit::new(nation.state.anchor().clone()).finish(&cosigned(&nation));
    assert_eq!(nothing.unwrap_err(), Violation::NoSnapshot { size: 0 });
}

#[test]
fn a_checkpoint_of_nobody_is_no_earlier_one() {
    let (nation, _) = Nation::with_issuer();
    let text = cosigned(&nation).to_string();
    // The tree is right and the signature is not.
    let unsigned = text.replacen("\u{2014} registry", "\u{2014} another", 1);
    let unsigned = SignedCheckpoint::parse(unsigned.as_bytes()).unwrap();
    assert_eq!(
        audit(&nation, Some(unsigned), &cosigned(&nation)).unwrap_err(),
        Violation::Earlier
    );
    let of_another_log = text.replacen("registry", "another", 2);
    let of_another_log = SignedCheckpoint::parse(of_another_log.as_bytes()).unwrap();
    assert_eq!(
        audit(&nation, Some(of_another_log.clone()), &cosigned(&nation)).unwrap_err(),
        Violation::Earlier
    );
    assert!(matches!(
        audit(&nation, None, &of_another_log).unwrap_err(),
        Violation::Origin { .. }
    ));
}
