//! How far a bundle knows, and for how long.

use super::*;

#[test]
fn credential_newer_than_the_bundle_is_not_covered() {
    let issued = |at: Timestamp| {
        with_credential(|agency| issue_with(agency, agency.list_uri(), |credential| credential.issued_at = at))
    };
    assert!(issued(SNAPSHOT).is_ok());
    assert_eq!(
        not_covered(issued(SNAPSHOT.plus(1))),
        Reason::NewerThanBundle { bundle: SNAPSHOT }
    );
}

/// The genuine credential, presented and judged when its status, the oldest that is known, has this age.
fn at_age(change: impl FnOnce(&mut trust::entry::Grant), age_seconds: i64) -> Result<Verified, Refused> {
    let (nation, agency) = Nation::with_grant(change);
    let now = GENESIS.plus(age_seconds);
    let presentation = present_with(&agency, &issue(&agency), &wallet(), CLIENT_ID, NONCE, now);
    judge_at(&[&nation.bundle()], &age(), presentation, now)
}

#[test]
fn knowledge_older_than_the_type_allows_is_stale() {
    assert!(at_age(|_| {}, DAY).is_ok());
    let found = reason(at_age(|_| {}, DAY + 1));
    assert_eq!(
        found,
        Reason::Stale {
            age: DAY + 1,
            limit: DAY,
            as_of: GENESIS
        }
    );
    assert_eq!(found.verdict(), Verdict::Stale);
}

#[test]
fn knowledge_older_than_the_type_likes_is_told() {
    let verified = at_age(|grant| grant.on_stale = OnStale::Warn, DAY + 1).unwrap();
    assert_eq!(
        verified.warnings(),
        [Warning::Stale {
            age: DAY + 1,
            limit: DAY
        }]
    );
    assert_eq!(
        verified.to_value()["warnings"],
        json!([{"kind": "stale", "age_seconds": DAY + 1, "limit_seconds": DAY}])
    );
}

#[test]
fn risk_of_older_knowledge_is_told() {
    let risky = |grant: &mut trust::entry::Grant| {
        grant.on_stale = OnStale::AcceptWithRisk;
        grant.hazard = Some(36_525);
    };
    // A hundredth of a year: 36,525 per million and year are 365.25 per million in that time.
    let age = 315_576;
    let verified = at_age(risky, age).unwrap();
    assert_eq!(
        verified.warnings(),
        [Warning::Risk {
            age,
            revocations_per_million: Some(365)
        }]
    );
}

#[test]
fn bundle_beyond_its_hard_expiry_is_stale_whatever_the_type_allows() {
    let any_age = |grant: &mut trust::entry::Grant| grant.on_stale = OnStale::Warn;
    let expiry = HOUR + 30 * DAY;
    assert!(at_age(any_age, expiry - 1).is_ok());
    let found = reason(at_age(any_age, expiry));
    assert_eq!(
        found,
        Reason::BundleExpired {
            expired: SNAPSHOT.plus(30 * DAY)
        }
    );
    assert_eq!(found.verdict(), Verdict::Stale);
}

#[test]
fn clock_that_is_behind_is_refused() {
    let at = |behind: i64| {
        let (nation, agency) = Nation::with_issuer();
        let now = SNAPSHOT.minus(behind);
        let presentation = present_with(&agency, &issue(&agency), &wallet(), CLIENT_ID, NONCE, now);
        judge_at(&[&nation.bundle()], &age(), presentation, now)
    };
    assert!(at(5 * MINUTE).is_ok());
    assert_eq!(
        refused(at(5 * MINUTE + 1)),
        Reason::ClockBehind {
            now: SNAPSHOT.minus(5 * MINUTE + 1),
            bundle: SNAPSHOT
        }
    );
}

/// The bundle at hand is older than one that was used before, and so is the clock.
#[test]
fn clock_before_the_newest_bundle_ever_used_is_refused() {
    let (nation, agency) = Nation::with_issuer();
    let presentation = present(&agency, &issue(&agency));
    let floor = NOW.plus(5 * MINUTE);
    let at = |floor| {
        let policy = policy().with_time_floor(floor);
        judge_by(&[&nation.bundle()], &age(), presentation.clone(), &policy, NOW)
    };
    assert!(at(floor).is_ok());
    let bundle = floor.plus(1);
    assert_eq!(refused(at(bundle)), Reason::ClockBehind { now: NOW, bundle });
}

#[test]
fn without_a_bundle_nothing_is_accepted() {
    let (_, agency) = Nation::with_issuer();
    let result = judge_at(&[], &age(), present(&agency, &issue(&agency)), NOW);
    assert_eq!(refused(result), Reason::NoBundle);
}

#[test]
fn bundles_are_tried_for_the_issuer() {
    let (nation, agency) = Nation::with_issuer();
    let (mut elsewhere, _) = Nation::before_snapshot(|_| {});
    elsewhere.snapshot(SNAPSHOT);
    let bundles: [TrustedBundle; 2] = [elsewhere.bundle(), nation.bundle()];
    let presentation = present(&agency, &issue(&agency));
    // Both know the agency; only the second one knows its list. The order is the verifier's.
    let result = judge_at(&[&bundles[1], &bundles[0]], &age(), presentation.clone(), NOW);
    assert!(result.is_ok());
    let result = judge_at(&[&bundles[0], &bundles[1]], &age(), presentation, NOW);
    assert!(matches!(not_covered(result), Reason::StatusNotCovered { .. }));
}
