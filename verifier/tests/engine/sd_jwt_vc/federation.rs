//! Credentials of another nation: what a recognition opens, and everything that it does not.

use trust::bundle::BundleError;
use trust::bundle::Limits;
use trust::bundle::RecognitionError;
use trust::entry::Action;
use trust::entry::Recognition;
use trust::entry::RecognitionBody;
use trust::entry::ResourceMapping;
use verifier::Authority;

use super::*;
use crate::nation::LogKeys;
use crate::request::request;

pub(super) const ABROAD: LogKeys = LogKeys {
    origin: "registry.abroad.example",
    number: 120,
};
const THIRD: LogKeys = LogKeys {
    origin: "registry.third.example",
    number: 130,
};

/// Another nation, in which an agency may issue identities.
pub(super) fn abroad(keys: LogKeys) -> (Nation, Agency) {
    let mut nation = Nation::founded(keys);
    let agency = nation.admit("residents", keys.number / 2);
    nation.grant("residents-issue-identity", grant(&agency, IDENTITY));
    nation.commit(&agency, &[]);
    nation.snapshot(SNAPSHOT);
    (nation, agency)
}

pub(super) fn terms(other: &Nation) -> Recognition {
    let checkpoint = other.checkpoint();
    Recognition {
        log: other.log_verifier().to_string(),
        genesis: other.state.anchor().genesis(),
        size: checkpoint.size(),
        root: checkpoint.root(),
        actions: vec![Action::Issue],
        mapping: Vec::new(),
        max_staleness: u64::try_from(DAY).unwrap(),
        valid_until: GENESIS.plus(100 * DAY),
    }
}

pub(super) fn recognise(nation: &mut Nation, other: &Nation, terms: Recognition) {
    let body = Body::Recognition(RecognitionBody::Recognise(terms));
    nation.govern(other.state.anchor().origin(), body);
}

/// A home that recognises another nation under these terms.
pub(super) fn home(other: &Nation, change: impl FnOnce(&mut Recognition)) -> Nation {
    let (mut home, _) = Nation::before_snapshot(|_| {});
    let mut terms = terms(other);
    change(&mut terms);
    recognise(&mut home, other, terms);
    home.snapshot(SNAPSHOT);
    home
}

fn load(other: &Nation, by: &[&TrustedBundle]) -> Result<TrustedBundle, BundleError> {
    TrustedBundle::load_recognised(&other.bundle_bytes(|_| false), by, Limits::default())
}

fn of_identity() -> DcqlQuery {
    query(
        "dc+sd-jwt",
        &json!({"vct_values": [type_iri(IDENTITY)]}),
        &[&["age_over_18"]],
    )
}

fn judged(bundles: &[&TrustedBundle], agency: &Agency, now: Timestamp) -> Result<Verified, Refused> {
    let presentation = present_with(agency, &issue(agency), &wallet(), CLIENT_ID, NONCE, now.minus(MINUTE));
    judge_at(bundles, &of_identity(), presentation, now)
}

#[test]
fn credential_of_a_recognised_nation_is_verified_with_both_bundles() {
    let (other, agency) = abroad(ABROAD);
    let home = home(&other, |_| {}).bundle();
    let foreign = load(&other, &[&home]).unwrap();
    for bundles in [[&home, &foreign], [&foreign, &home]] {
        let verified = judged(&bundles, &agency, NOW).unwrap();
        let Authority::Registry { recognised_by, .. } = verified.credentials()[0].authority() else {
            panic!("an authority of the registry");
        };
        assert_eq!(recognised_by.as_deref(), Some(home.anchor().origin()));
        let value = verified.to_value();
        assert_eq!(value["issuer"]["recognised_by"], home.anchor().origin());
        assert_eq!(value["claims"]["age_over_18"], true);
    }
    // The one says that the other counts, and the other that the issuer does.
    assert!(matches!(
        refused(judged(&[&home], &agency, NOW)),
        Reason::IssuerUnknown { .. }
    ));
    let none = refused(judged(&[&foreign], &agency, NOW));
    assert!(
        matches!(none, Reason::Recognition(RecognitionError::None { .. })),
        "{none:?}"
    );
}

#[test]
fn revocation_abroad_counts_here() {
    let (mut other, agency) = abroad(ABROAD);
    let home = home(&other, |_| {}).bundle();
    other.commit(&agency, &[(INDEX, Status::Invalid)]);
    other.snapshot(SNAPSHOT.plus(MINUTE));
    let foreign = load(&other, &[&home]).unwrap();
    assert!(matches!(
        refused(judged(&[&home, &foreign], &agency, NOW)),
        Reason::Revoked { .. }
    ));
}

#[test]
fn nation_that_is_not_recognised_is_not_loaded() {
    let (other, _) = abroad(ABROAD);
    let (third, _) = abroad(THIRD);
    let home = home(&other, |_| {}).bundle();
    let not = |found: &str| BundleError::NotRecognised {
        found: found.to_owned(),
    };
    assert_eq!(load(&third, &[&home]).unwrap_err(), not(THIRD.origin));
    assert_eq!(load(&other, &[]).unwrap_err(), not(ABROAD.origin));
}

/// A recognises B, B recognises C: for A, C is nobody, whoever loaded its bundle on whose word.
#[test]
fn recognition_is_not_transitive() {
    let (third, agency) = abroad(THIRD);
    let (mut other, _) = abroad(ABROAD);
    recognise(&mut other, &third, terms(&third));
    other.snapshot(SNAPSHOT.plus(MINUTE));
    let home = home(&other, |_| {}).bundle();
    let foreign = load(&other, &[&home]).unwrap();
    let refusal = load(&third, &[&home, &foreign]).unwrap_err();
    assert!(matches!(refusal, BundleError::NotRecognised { .. }), "{refusal:?}");

    let by_other = load(&third, &[&other.bundle()]).unwrap();
    let reason = refused(judged(&[&home, &foreign, &by_other], &agency, NOW));
    assert!(
        matches!(reason, Reason::Recognition(RecognitionError::None { .. })),
        "{reason:?}"
    );
}

/// The bundles of abroad are as before; the newer one from home decides.
#[test]
fn recognition_that_was_withdrawn_no_longer_counts() {
    let (other, agency) = abroad(ABROAD);
    let mut home = home(&other, |_| {});
    let before = home.bundle();
    let foreign = load(&other, &[&before]).unwrap();
    home.govern(ABROAD.origin, Body::Recognition(RecognitionBody::Withdraw));
    home.snapshot(SNAPSHOT.plus(MINUTE));
    let after = home.bundle();
    assert!(judged(&[&before, &foreign], &agency, NOW).is_ok());
    for bundles in [&[&after, &foreign][..], &[&before, &after, &foreign]] {
        let reason = refused(judged(bundles, &agency, NOW));
        assert!(
            matches!(reason, Reason::Recognition(RecognitionError::None { .. })),
            "{reason:?}"
        );
    }
    assert!(load(&other, &[&after]).is_err());
}

#[test]
fn recognition_ends_at_its_time() {
    let (other, agency) = abroad(ABROAD);
    let end = NOW.plus(HOUR);
    let home = home(&other, |terms| terms.valid_until = end).bundle();
    let foreign = load(&other, &[&home]).unwrap();
    assert!(judged(&[&home, &foreign], &agency, end.minus(1)).is_ok());
    let reason = refused(judged(&[&home, &foreign], &agency, end));
    assert!(matches!(reason, Reason::Recognition(RecognitionError::None { .. })));
}

#[test]
fn another_registry_of_the_recognised_name_is_refused() {
    let (other, agency) = abroad(ABROAD);
    let before = home(&other, |_| {}).bundle();
    let foreign = load(&other, &[&before]).unwrap();
    let impostor = LogKeys { number: 140, ..ABROAD };
    let (impostor, _) = abroad(impostor);
    let after = home(&impostor, |_| {}).bundle();
    let reason = refused(judged(&[&after, &foreign], &agency, NOW));
    assert!(
        matches!(reason, Reason::Recognition(RecognitionError::Anchor { .. })),
        "{reason:?}"
    );
    assert!(load(&other, &[&after]).is_err());
}

/// What was seen when it was recognised is the least that a bundle must have.
#[test]
fn bundle_before_or_beside_the_recognised_checkpoint_is_refused() {
    let (other, agency) = abroad(ABROAD);
    let size = other.checkpoint().size();
    let fine = home(&other, |_| {}).bundle();
    let foreign = load(&other, &[&fine]).unwrap();
    let older = home(&other, |terms| terms.size += 1).bundle();
    let beside = home(&other, |terms| terms.root = terms.genesis).bundle();
    for (home, expected) in [
        (
            older,
            RecognitionError::Older {
                expected: size + 1,
                found: size,
            },
        ),
        (beside, RecognitionError::Fork { size }),
    ] {
        assert_eq!(
            load(&other, &[&home]).unwrap_err(),
            BundleError::Recognition(expected.clone())
        );
        let reason = refused(judged(&[&home, &foreign], &agency, NOW));
        assert_eq!(reason, Reason::Recognition(expected));
    }
}

/// Both what says that the other one counts, and what the other one says.
#[test]
fn either_bundle_may_be_too_old() {
    let (other, agency) = abroad(ABROAD);
    let mut home = home(&other, |terms| terms.max_staleness = 3_600);
    let old = home.bundle();
    home.snapshot(SNAPSHOT.plus(2 * HOUR));
    let fresh = home.bundle();
    let mut newer = other;
    let foreign = load(&newer, &[&old]).unwrap();
    newer.snapshot(SNAPSHOT.plus(2 * HOUR));
    let fresh_foreign = load(&newer, &[&old]).unwrap();
    let now = SNAPSHOT.plus(2 * HOUR + 5 * MINUTE);
    assert!(judged(&[&fresh, &fresh_foreign], &agency, now).is_ok());
    for bundles in [[&old, &fresh_foreign], [&fresh, &foreign]] {
        let reason = reason(judged(&bundles, &agency, now));
        assert!(
            matches!(reason, Reason::Stale { limit: 3_600, as_of, .. } if as_of == SNAPSHOT),
            "{reason:?}"
        );
    }
}

#[test]
fn bundle_that_recognises_and_has_expired_recognises_nothing() {
    let (other, agency) = abroad(ABROAD);
    let home = home(&other, |terms| terms.max_staleness = u64::try_from(90 * DAY).unwrap()).bundle();
    let mut newer = other;
    newer.snapshot(SNAPSHOT.plus(30 * DAY - HOUR));
    newer.commit(&agency, &[]);
    newer.snapshot(SNAPSHOT.plus(30 * DAY - HOUR));
    let foreign = load(&newer, &[&home]).unwrap();
    let now = SNAPSHOT.plus(30 * DAY);
    assert!(judged(&[&home, &foreign], &agency, now.minus(5 * MINUTE)).is_ok());
    let reason = reason(judged(&[&home, &foreign], &agency, now));
    assert!(matches!(reason, Reason::BundleExpired { .. }), "{reason:?}");
}

#[test]
fn what_it_is_not_recognised_for_is_refused() {
    let (other, agency) = abroad(ABROAD);
    let map = |foreign: &str, local: &str| ResourceMapping {
        foreign: foreign.to_owned(),
        local: local.to_owned(),
    };
    let verifying = home(&other, |terms| terms.actions = vec![Action::Verify]).bundle();
    let licences = home(&other, |terms| terms.mapping = vec![map(LICENCE, LICENCE)]).bundle();
    for (home, expected) in [(verifying, "issuing"), (licences, IDENTITY)] {
        let foreign = load(&other, &[&home]).unwrap();
        let reason = refused(judged(&[&home, &foreign], &agency, NOW));
        assert_eq!(
            reason,
            Reason::NotRecognisedFor {
                origin: ABROAD.origin.to_owned(),
                what: expected.to_owned()
            }
        );
    }
    let identities = home(&other, |terms| terms.mapping = vec![map(IDENTITY, "ForeignIdentity")]).bundle();
    let foreign = load(&other, &[&identities]).unwrap();
    assert!(judged(&[&identities, &foreign], &agency, NOW).is_ok());
}

/// The type abroad needs no status; the one that it stands for here does.
#[test]
fn type_at_home_may_demand_a_status_of_one_abroad() {
    let (mut other, agency) = abroad(ABROAD);
    let mut without = schema(IDENTITY);
    without.status_required = false;
    other.publish(IDENTITY, without.clone());
    other.snapshot(SNAPSHOT.plus(MINUTE));
    let listless = issue_with(&agency, agency.list_uri(), |credential| credential.status = None);
    let verdict = |home: &Nation| {
        let home = home.bundle();
        let foreign = load(&other, &[&home]).unwrap();
        let presentation = present(&agency, &listless);
        judge_at(&[&home, &foreign], &of_identity(), presentation, NOW)
    };
    let strict = home(&other, |_| {});
    assert_eq!(refused(verdict(&strict)), Reason::StatusMissing);
    let mut lenient = home(&other, |_| {});
    lenient.publish(IDENTITY, without);
    lenient.snapshot(SNAPSHOT.plus(MINUTE));
    assert!(verdict(&lenient).is_ok());
}

/// Keys of a registry that does not count sign no request either.
#[test]
fn requests_of_verifiers_abroad_count_while_the_recognition_does() {
    let (other, agency) = abroad(ABROAD);
    let home = home(&other, |terms| terms.valid_until = NOW.plus(HOUR)).bundle();
    let foreign = load(&other, &[&home]).unwrap();
    let accepted = |now: Timestamp| {
        let jwt = request(&agency.did, &agency.method("es256"), &agency.es256, now);
        verifier::accept_request(&jwt, &[&home, &foreign], MAX_AGE, now)
    };
    assert!(accepted(NOW).is_ok());
    let refusal = accepted(NOW.plus(HOUR)).unwrap_err();
    assert!(matches!(
        refusal.reasons(),
        [Reason::Recognition(RecognitionError::None { .. })]
    ));
}
