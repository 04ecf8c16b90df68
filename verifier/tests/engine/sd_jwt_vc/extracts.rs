//! Extracts that come with an answer: they may say more than an old bundle, and can take nothing back.

use std::collections::BTreeSet;

use trust::bundle::Extract;
use trust::bundle::Subjects;
use trust::entry::Recognition;
use trust::entry::RecognitionBody;
use verifier::Answer;
use verifier::Authority;

use super::federation::ABROAD;
use super::federation::abroad;
use super::federation::home;
use super::*;

/// When the holder was online last: two days after the verifier.
const LATER: Timestamp = SNAPSHOT.plus(2 * DAY);
/// When the presentation is judged.
const THEN: Timestamp = LATER.plus(HOUR);

/// What a holder asks for who has a credential of this agency.
fn subjects(agency: &Agency) -> Subjects {
    Subjects {
        entities: BTreeSet::from([agency.did.clone()]),
        types: BTreeSet::from([type_iri(IDENTITY)]),
        chunks: BTreeSet::from([(agency.list_uri(), 0)]),
    }
}

fn extract(nation: &Nation, subjects: &Subjects) -> Extract {
    Extract::load(&nation.extract_bytes(subjects), nation.state.anchor()).unwrap()
}

/// A nation with these statuses at [`SNAPSHOT`].
fn nation(statuses: &[(usize, Status)]) -> (Nation, Agency) {
    let (mut nation, agency) = Nation::before_snapshot(|_| {});
    nation.commit_chunked(&agency, statuses);
    nation.snapshot(SNAPSHOT);
    (nation, agency)
}

/// The nation goes on, and commits to these statuses shortly before [`LATER`].
fn go_on(nation: &mut Nation, agency: &Agency, statuses: &[(usize, Status)]) {
    nation.snapshot(LATER.minus(MINUTE));
    nation.commit_chunked(agency, statuses);
    nation.snapshot(LATER);
}

fn judged(
    bundles: &[&TrustedBundle],
    extracts: &[Extract],
    agency: &Agency,
    now: Timestamp,
) -> Result<Verified, Refused> {
    let presentation = present_with(agency, &issue(agency), &wallet(), CLIENT_ID, NONCE, now.minus(MINUTE));
    let mut vp_token = VpToken::default();
    vp_token.add("it", presentation);
    let answer = Answer {
        vp_token: &vp_token,
        extracts,
    };
    verifier::verify(answer, &question(&age()), bundles, &policy(), now)
}

fn as_of(verified: &Verified) -> Timestamp {
    let Authority::Registry { as_of, .. } = verified.credentials()[0].authority() else {
        panic!("an authority of the registry");
    };
    *as_of
}

#[test]
fn newer_extract_helps_a_verifier_whose_bundle_is_stale() {
    let (mut nation, agency) = nation(&[]);
    let old = nation.bundle();
    go_on(&mut nation, &agency, &[]);
    let stale = reason(judged(&[&old], &[], &agency, THEN));
    assert!(matches!(stale, Reason::Stale { .. }), "{stale:?}");
    let extract = [extract(&nation, &subjects(&agency))];
    let verified = judged(&[&old], &extract, &agency, THEN).unwrap();
    assert_eq!(as_of(&verified), LATER);
    assert_eq!(verified.credentials()[0].status()[0].committed, LATER.minus(MINUTE));
    // The anchor alone will do.
    assert_eq!(as_of(&judged(&[], &extract, &agency, THEN).unwrap()), LATER);
}

#[test]
fn revocation_in_a_newer_extract_counts() {
    let (mut nation, agency) = nation(&[]);
    let bundle = nation.bundle();
    nation.commit_chunked(&agency, &[(INDEX, Status::Invalid)]);
    nation.snapshot(SNAPSHOT.plus(MINUTE));
    assert!(judged(&[&bundle], &[], &agency, NOW).is_ok());
    let extract = [extract(&nation, &subjects(&agency))];
    let result = judged(&[&bundle], &extract, &agency, NOW);
    assert_eq!(refused(result), Reason::Revoked { committed: SNAPSHOT });
}

#[test]
fn reinstatement_in_a_newer_extract_counts() {
    let (mut nation, agency) = nation(&[(INDEX, Status::Suspended)]);
    let bundle = nation.bundle();
    nation.commit_chunked(&agency, &[]);
    nation.snapshot(SNAPSHOT.plus(MINUTE));
    let suspended = refused(judged(&[&bundle], &[], &agency, NOW));
    assert!(matches!(suspended, Reason::Suspended { .. }));
    let extract = [extract(&nation, &subjects(&agency))];
    assert!(judged(&[&bundle], &extract, &agency, NOW).is_ok());
}

/// A holder keeps the extract of the day before the revocation.
#[test]
fn older_extract_does_not_hide_what_the_bundle_says() {
    let (mut nation, agency) = nation(&[]);
    let kept = [extract(&nation, &subjects(&agency))];
    nation.commit_chunked(&agency, &[(INDEX, Status::Invalid)]);
    nation.snapshot(SNAPSHOT.plus(MINUTE));
    let result = judged(&[&nation.bundle()], &kept, &agency, NOW);
    assert_eq!(refused(result), Reason::Revoked { committed: SNAPSHOT });
}

#[test]
fn extract_of_a_forked_tree_does_not_count() {
    let (mut nation, agency) = nation(&[(INDEX, Status::Invalid)]);
    let (fork, _) = self::nation(&[]);
    assert_eq!(fork.state.size(), nation.state.size());
    assert_ne!(fork.checkpoint().root(), nation.checkpoint().root());
    let other = [extract(&fork, &subjects(&agency))];
    let result = judged(&[&nation.bundle()], &other, &agency, NOW);
    assert!(matches!(refused(result), Reason::Revoked { .. }));
    // Nor one of the bundle's own tree that says what the bundle says.
    nation.snapshot(SNAPSHOT.plus(MINUTE));
    let same = [extract(&nation, &subjects(&agency))];
    let result = judged(&[&nation.bundle()], &same, &agency, NOW);
    assert!(matches!(refused(result), Reason::Revoked { .. }));
}

#[test]
fn extract_without_the_issuer_or_the_chunk_leaves_the_verdict_to_the_bundle() {
    let (mut nation, agency) = nation(&[]);
    let bundle = nation.bundle();
    let other = nation.admit("traffic", 40);
    nation.grant("traffic-issues-licence", grant(&other, LICENCE));
    nation.commit_chunked(&agency, &[(INDEX, Status::Invalid)]);
    nation.snapshot(SNAPSHOT.plus(MINUTE));
    let of_other = subjects(&other);
    let without_status = Subjects {
        chunks: BTreeSet::new(),
        ..subjects(&agency)
    };
    let of_another_type = Subjects {
        types: BTreeSet::from([LICENCE.to_owned()]),
        ..subjects(&agency)
    };
    for subjects in [&of_other, &without_status, &of_another_type] {
        let extract = [extract(&nation, subjects)];
        let verified = judged(&[&bundle], &extract, &agency, NOW).unwrap();
        assert_eq!(as_of(&verified), SNAPSHOT);
        assert!(judged(&[], &extract, &agency, NOW).is_err());
    }
    // The one that covers it is found among the others.
    let all = [of_other, without_status, subjects(&agency)].map(|subjects| extract(&nation, &subjects));
    assert!(matches!(
        refused(judged(&[&bundle], &all, &agency, NOW)),
        Reason::Revoked { .. }
    ));
}

#[test]
fn extract_from_the_future_shows_that_the_clock_is_behind() {
    let (mut nation, agency) = nation(&[]);
    let bundle = nation.bundle();
    go_on(&mut nation, &agency, &[]);
    let extract = [extract(&nation, &subjects(&agency))];
    let behind = refused(judged(&[&bundle], &extract, &agency, NOW));
    assert!(matches!(behind, Reason::ClockBehind { .. }), "{behind:?}");
}

#[test]
fn expired_extract_is_not_used() {
    let (nation, agency) = nation(&[]);
    let extract = [extract(&nation, &subjects(&agency))];
    let result = reason(judged(&[], &extract, &agency, SNAPSHOT.plus(30 * DAY)));
    assert!(matches!(result, Reason::BundleExpired { .. }), "{result:?}");
}

#[test]
fn extract_of_a_recognised_nation_counts_by_the_word_of_the_home_bundle() {
    let (mut other, agency) = abroad(ABROAD);
    other.commit_chunked(&agency, &[]);
    other.snapshot(SNAPSHOT.plus(MINUTE));
    let bytes = other.extract_bytes(&subjects(&agency));
    let mut nation = home(&other, |_: &mut Recognition| {});
    let bundle = nation.bundle();
    let extract = [Extract::load_recognised(&bytes, &[&bundle]).unwrap()];
    let verified = judged(&[&bundle], &extract, &agency, NOW).unwrap();
    let Authority::Registry { recognised_by, .. } = verified.credentials()[0].authority() else {
        panic!("an authority of the registry");
    };
    assert_eq!(recognised_by.as_deref(), Some(bundle.anchor().origin()));

    // Nobody else's word, and not after the home nation took it back.
    assert!(Extract::load_recognised(&bytes, &[]).is_err());
    assert!(judged(&[], &extract, &agency, NOW).is_err());
    let origin = other.state.anchor().origin().to_owned();
    nation.govern(&origin, Body::Recognition(RecognitionBody::Withdraw));
    nation.snapshot(SNAPSHOT.plus(2 * MINUTE));
    assert!(Extract::load_recognised(&bytes, &[&nation.bundle()]).is_err());
    let withdrawn = refused(judged(&[&nation.bundle()], &extract, &agency, NOW));
    assert!(matches!(withdrawn, Reason::IssuerUnknown { .. }), "{withdrawn:?}");
}
