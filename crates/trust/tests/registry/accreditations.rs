//! Granting, narrowing, suspending and revoking.

use keys::Timestamp;
use trust::entry::AccreditationBody;
use trust::entry::Action;
use trust::entry::Backdating;
use trust::entry::Body;
use trust::entry::EntryType;
use trust::entry::Grant;
use trust::entry::OnStale;
use trust::entry::Reason;
use trust::entry::Resource;
use trust::entry::TombstoneBody;
use trust::merkle::Hash;
use trust::state::AccreditationStatus;
use trust::state::EMERGENCY_LAPSES_AFTER;
use trust::state::Refusal;

use crate::nation::*;

const REASON: Reason = Reason::NonCompliance;

fn body(body: AccreditationBody) -> Body {
    Body::Accreditation(body)
}

fn emergency() -> Body {
    body(AccreditationBody::Suspend {
        reason: REASON,
        emergency: true,
    })
}

pub(crate) fn suspend() -> Body {
    body(AccreditationBody::Suspend {
        reason: REASON,
        emergency: false,
    })
}

fn reinstate() -> Body {
    body(AccreditationBody::Reinstate {
        reason: Reason::Unspecified,
    })
}

fn status(nation: &Nation, agency: &Agency) -> AccreditationStatus {
    let now = nation.state.time();
    nation
        .state
        .accreditation(&agency.did, Action::Issue, IDENTITY, now)
        .unwrap()
        .status
}

/// One officer's emergency suspension of the issuer's accreditation.
fn declare_emergency(nation: &mut Nation, officer: u8) -> Result<(), Refusal> {
    let leaf = approved(&nation.draft("accreditation-1", emergency()), &[officer]);
    nation.append(&leaf)
}

#[test]
fn the_standing_follows_the_entries() {
    let (mut nation, agency) = Nation::with_issuer();
    assert_eq!(status(&nation, &agency), AccreditationStatus::Active);
    nation.govern("accreditation-1", suspend()).unwrap();
    let since = nation.state.time();
    assert_eq!(
        status(&nation, &agency),
        AccreditationStatus::Suspended { since, reason: REASON }
    );
    nation.govern("accreditation-1", reinstate()).unwrap();
    assert_eq!(status(&nation, &agency), AccreditationStatus::Active);
    nation
        .govern(
            "accreditation-1",
            body(AccreditationBody::Revoke {
                reason: REASON,
                since: Some(GENESIS),
            }),
        )
        .unwrap();
    assert_eq!(
        status(&nation, &agency),
        AccreditationStatus::Revoked {
            since: GENESIS,
            reason: REASON
        }
    );
}

#[test]
fn times_of_validity_are_compared_with_now() {
    let (nation, agency) = Nation::with_issuer();
    let at = |now: Timestamp| {
        nation
            .state
            .accreditation(&agency.did, Action::Issue, IDENTITY, now)
            .unwrap()
            .status
    };
    assert_eq!(at(GENESIS), AccreditationStatus::Active);
    assert_eq!(at(GENESIS.minus(1)), AccreditationStatus::NotYetValid);
    assert_eq!(at(GENESIS.plus(365 * DAY - 1)), AccreditationStatus::Active);
    assert_eq!(at(GENESIS.plus(365 * DAY)), AccreditationStatus::Expired);
}

#[test]
fn changes_that_do_not_fit_the_standing_are_refused() {
    let (mut nation, agency) = Nation::with_issuer();
    let standing = |result| matches!(result, Err(Refusal::Standing { .. }));
    assert!(standing(
        nation.grant("accreditation-1", grant(&agency.did, Action::Issue, &[IDENTITY]))
    ));
    assert!(standing(nation.govern("accreditation-9", suspend())));
    assert!(standing(nation.govern("accreditation-1", reinstate())));
    nation
        .govern(
            "accreditation-1",
            body(AccreditationBody::Revoke {
                reason: REASON,
                since: None,
            }),
        )
        .unwrap();
    assert!(standing(nation.govern("accreditation-1", suspend())));
    assert!(standing(nation.govern("accreditation-1", reinstate())));
    assert!(standing(nation.govern(
        "accreditation-1",
        body(AccreditationBody::Revoke {
            reason: REASON,
            since: None
        })
    )));
    let amended = body(AccreditationBody::Amend(grant(&agency.did, Action::Issue, &[IDENTITY])));
    assert!(standing(nation.govern("accreditation-1", amended)));
}

#[test]
fn revocation_in_the_future_is_refused() {
    let (mut nation, _) = Nation::with_issuer();
    let since = Some(nation.state.time().plus(1));
    let result = nation.govern(
        "accreditation-1",
        body(AccreditationBody::Revoke { reason: REASON, since }),
    );
    assert!(matches!(result, Err(Refusal::Content { .. })));
}

#[test]
fn emergency_lapses_after_72_hours_of_snapshot_time() {
    let (mut nation, agency) = Nation::with_issuer();
    let since = nation.state.time();
    declare_emergency(&mut nation, 0).unwrap();
    nation.snapshot(since.plus(EMERGENCY_LAPSES_AFTER - 1));
    assert_eq!(
        status(&nation, &agency),
        AccreditationStatus::Suspended { since, reason: REASON }
    );
    // A verifier with this bundle stays on the safe side, however late it is.
    let late = nation
        .state
        .accreditation(&agency.did, Action::Issue, IDENTITY, since.plus(30 * DAY))
        .unwrap();
    assert_eq!(late.status, AccreditationStatus::Suspended { since, reason: REASON });
    nation.snapshot(since.plus(EMERGENCY_LAPSES_AFTER));
    assert_eq!(status(&nation, &agency), AccreditationStatus::Active);
}

#[test]
fn confirmed_emergency_does_not_lapse() {
    let (mut nation, agency) = Nation::with_issuer();
    let since = nation.state.time();
    declare_emergency(&mut nation, 0).unwrap();
    nation.snapshot(since.plus(HOUR));
    nation.govern("accreditation-1", suspend()).unwrap();
    nation.snapshot(since.plus(EMERGENCY_LAPSES_AFTER + DAY));
    assert_eq!(
        status(&nation, &agency),
        AccreditationStatus::Suspended { since, reason: REASON }
    );
}

#[test]
fn emergency_by_the_same_officer_again_is_refused() {
    let (mut nation, _) = Nation::with_issuer();
    let since = nation.state.time();
    declare_emergency(&mut nation, 0).unwrap();
    nation.snapshot(since.plus(EMERGENCY_LAPSES_AFTER));
    let repeated = Refusal::EmergencyRepeated {
        officer: OFFICERS[0].to_owned(),
    };
    assert_eq!(declare_emergency(&mut nation, 0), Err(repeated));
    declare_emergency(&mut nation, 1).unwrap();
}

#[test]
fn emergency_by_the_same_officer_after_reinstatement_is_refused() {
    let (mut nation, _) = Nation::with_issuer();
    declare_emergency(&mut nation, 0).unwrap();
    nation.govern("accreditation-1", reinstate()).unwrap();
    let repeated = Refusal::EmergencyRepeated {
        officer: OFFICERS[0].to_owned(),
    };
    assert_eq!(declare_emergency(&mut nation, 0), Err(repeated));
}

#[test]
fn emergency_on_a_suspended_accreditation_is_refused() {
    let (mut nation, _) = Nation::with_issuer();
    declare_emergency(&mut nation, 0).unwrap();
    assert!(matches!(
        declare_emergency(&mut nation, 1),
        Err(Refusal::Standing { .. })
    ));
}

#[test]
fn emergency_by_two_officers_or_none_is_refused() {
    let (mut nation, _) = Nation::with_issuer();
    let leaf = approved(&nation.draft("accreditation-1", emergency()), &[0, 1]);
    assert_eq!(nation.append(&leaf), Err(Refusal::Signatures { expected: 1, found: 2 }));
}

#[test]
fn suspension_without_emergency_takes_the_quorum() {
    let (mut nation, _) = Nation::with_issuer();
    let leaf = approved(&nation.draft("accreditation-1", suspend()), &[0]);
    assert_eq!(nation.append(&leaf), Err(Refusal::Signatures { expected: 2, found: 1 }));
}

#[test]
fn unknown_entities_methods_and_schemas_are_refused() {
    let (mut nation, agency) = Nation::with_issuer();
    let refused = |result: Result<(), Refusal>| result.unwrap_err();
    let unknown = "did:webvh:QmePZQxDW6wr4ohW61LLra4jm8SU3Go6EnCKcVbvzXkNtn:example.com";
    let found = || unknown.to_owned();
    assert_eq!(
        refused(nation.grant("a", grant(unknown, Action::Issue, &[IDENTITY]))),
        Refusal::UnknownDid { found: found() }
    );
    let ethr = "did:ethr:0x1";
    assert_eq!(
        refused(nation.grant("a", grant(ethr, Action::Issue, &[IDENTITY]))),
        Refusal::Method { found: ethr.to_owned() }
    );
    let none = grant(&agency.did, Action::Issue, &["Passport"]);
    assert_eq!(
        refused(nation.grant("a", none)),
        Refusal::UnknownSchema {
            found: "Passport".to_owned()
        }
    );
    // A key is its own document.
    let own = did::methods::key::did(&public(30));
    nation.grant("a", grant(&own, Action::Verify, &[IDENTITY])).unwrap();
}

#[test]
fn schema_digest_of_another_version_is_refused() {
    let (mut nation, agency) = Nation::with_issuer();
    let pinned = |digest| Grant {
        resources: vec![Resource {
            id: IDENTITY.to_owned(),
            schemas: vec![digest],
        }],
        ..grant(&agency.did, Action::Verify, &[IDENTITY])
    };
    nation.grant("good", pinned(schema(IDENTITY).digest())).unwrap();
    let result = nation.grant("bad", pinned(Hash::digest(b"another version")));
    assert_eq!(
        result,
        Err(Refusal::UnknownSchema {
            found: IDENTITY.to_owned()
        })
    );
}

#[test]
fn validity_that_is_over_is_refused() {
    let (mut nation, agency) = Nation::with_issuer();
    let over = Grant {
        valid_until: nation.state.time(),
        ..grant(&agency.did, Action::Verify, &[IDENTITY])
    };
    assert!(matches!(nation.grant("a", over), Err(Refusal::Content { .. })));
}

#[test]
fn amendment_changes_terms_but_not_who_or_what() {
    let (mut nation, agency) = Nation::with_issuer();
    let wider = grant(&agency.did, Action::Issue, &[LICENCE, IDENTITY]);
    nation
        .govern("accreditation-1", body(AccreditationBody::Amend(wider)))
        .unwrap();
    let now = nation.state.time();
    assert!(
        nation
            .state
            .accreditation(&agency.did, Action::Issue, LICENCE, now)
            .is_some()
    );
    let other = body(AccreditationBody::Amend(grant(
        &agency.did,
        Action::Verify,
        &[IDENTITY],
    )));
    assert!(matches!(
        nation.govern("accreditation-1", other),
        Err(Refusal::Content { .. })
    ));
}

/// A ministry that may pass on two levels of issuing identities in SG, and a branch with a DID.
pub(crate) fn with_ministry() -> (Nation, Agency, Agency, Grant) {
    let mut nation = Nation::new();
    nation.publish(IDENTITY);
    nation.publish(LICENCE);
    let ministry = nation.admit("ministry", 40);
    let branch = nation.admit("branch", 41);
    let above = Grant {
        territories: vec!["SG".to_owned()],
        level_of_assurance: Some("high".to_owned()),
        delegation_depth: 2,
        on_stale: OnStale::Warn,
        backdating: Backdating::AcceptBefore,
        resources: vec![
            Resource {
                id: LICENCE.to_owned(),
                schemas: Vec::new(),
            },
            Resource {
                id: IDENTITY.to_owned(),
                schemas: vec![schema(IDENTITY).digest()],
            },
        ],
        ..grant(&ministry.did, Action::Issue, &[])
    };
    nation.grant("ministry", above.clone()).unwrap();
    let below = Grant {
        entity: branch.did.clone(),
        delegation_depth: 1,
        parent: Some("ministry".to_owned()),
        listing: None,
        ..above
    };
    (nation, ministry, branch, below)
}

pub(crate) fn delegate(nation: &mut Nation, by: &Agency, id: &str, below: Grant) -> Result<(), Refusal> {
    let leaf = by.approved(&nation.draft_by(&by.did, id, body(AccreditationBody::Grant(below))));
    nation.append(&leaf)
}

#[test]
fn an_accredited_entity_passes_on_what_it_has() {
    let (mut nation, ministry, branch, below) = with_ministry();
    delegate(&mut nation, &ministry, "branch", below).unwrap();
    assert_eq!(status(&nation, &branch), AccreditationStatus::Active);
    // What stops the ministry stops the branch.
    nation.govern("ministry", suspend()).unwrap();
    assert!(matches!(
        status(&nation, &branch),
        AccreditationStatus::Suspended { .. }
    ));
}

#[test]
fn delegation_by_another_entity_is_refused() {
    let (mut nation, _, branch, below) = with_ministry();
    let result = delegate(&mut nation, &branch, "branch", below);
    assert_eq!(
        result,
        Err(Refusal::Parent {
            found: "ministry".to_owned()
        })
    );
}

#[test]
fn delegation_by_a_key_that_the_document_lacks_is_refused() {
    let (mut nation, ministry, branch, below) = with_ministry();
    let draft = nation.draft_by(&ministry.did, "branch", body(AccreditationBody::Grant(below)));
    let request = draft.sign(&branch.method(), keys::Algorithm::EdDsa);
    let leaf = draft.assemble(vec![branch.key.fulfil(request).unwrap()]).unwrap();
    assert_eq!(nation.append(&leaf), Err(Refusal::Signer { found: branch.method() }));
    let request = draft.sign(&ministry.method(), keys::Algorithm::EdDsa);
    let leaf = draft.assemble(vec![branch.key.fulfil(request).unwrap()]).unwrap();
    assert_eq!(
        nation.append(&leaf),
        Err(Refusal::Signature {
            signer: ministry.method()
        })
    );
}

#[test]
fn delegation_while_suspended_is_refused() {
    let (mut nation, ministry, _, below) = with_ministry();
    nation.govern("ministry", suspend()).unwrap();
    assert_eq!(
        delegate(&mut nation, &ministry, "branch", below),
        Err(Refusal::Parent {
            found: "ministry".to_owned()
        })
    );
}

#[test]
fn delegation_beyond_the_depth_is_refused() {
    let (mut nation, ministry, branch, below) = with_ministry();
    let last = Grant {
        delegation_depth: 0,
        ..below
    };
    delegate(&mut nation, &ministry, "branch", last.clone()).unwrap();
    let desk = nation.admit("desk", 42);
    let further = Grant {
        entity: desk.did,
        parent: Some("branch".to_owned()),
        ..last
    };
    assert_eq!(
        delegate(&mut nation, &branch, "desk", further),
        Err(Refusal::Parent {
            found: "branch".to_owned()
        })
    );
}

#[test]
fn widened_scope_is_refused_member_by_member() {
    let (mut nation, ministry, _, below) = with_ministry();
    nation.publish("Passport");
    let changes: [Change<Grant>; 12] = [
        Change("delegation depth", |grant| grant.delegation_depth = 2),
        Change("action", |grant| grant.action = Action::Verify),
        Change("resources", |grant| {
            grant.resources.push(Resource {
                id: "Z".to_owned(),
                schemas: Vec::new(),
            });
        }),
        Change("schema digests", |grant| grant.resources[1].schemas.clear()),
        Change("schema digests", |grant| {
            grant.resources[1].schemas.push(Hash::from_bytes([0xff; 32]));
        }),
        Change("territories", |grant| grant.territories.clear()),
        Change("territories", |grant| grant.territories.push("XX".to_owned())),
        Change("level of assurance", |grant| {
            grant.level_of_assurance = Some("very high".to_owned());
        }),
        Change("validity", |grant| grant.valid_until = grant.valid_until.plus(1)),
        Change("max-staleness", |grant| grant.max_staleness += 1),
        Change("on-stale", |grant| grant.on_stale = OnStale::AcceptWithRisk),
        Change("validity", |grant| grant.valid_from = grant.valid_from.minus(1)),
    ];
    for Change(member, change) in changes {
        let mut wider = below.clone();
        change(&mut wider);
        assert_eq!(
            delegate(&mut nation, &ministry, "branch", wider),
            Err(Refusal::Widened { member }),
            "{member}"
        );
    }
    delegate(&mut nation, &ministry, "branch", below).unwrap();
}

#[test]
fn looser_backdating_than_the_parent_s_is_refused() {
    let (mut nation, ministry, _, mut below) = with_ministry();
    let mut stricter = nation.state.accreditation_record("ministry").unwrap().grant().clone();
    stricter.backdating = Backdating::Refuse;
    nation
        .govern("ministry", body(AccreditationBody::Amend(stricter)))
        .unwrap();
    assert_eq!(
        delegate(&mut nation, &ministry, "branch", below.clone()),
        Err(Refusal::Widened { member: "backdating" })
    );
    below.backdating = Backdating::Refuse;
    delegate(&mut nation, &ministry, "branch", below).unwrap();
}

#[test]
fn what_the_parent_loses_the_child_loses() {
    let (mut nation, ministry, branch, below) = with_ministry();
    delegate(&mut nation, &ministry, "branch", below).unwrap();
    let mut narrower = nation.state.accreditation_record("ministry").unwrap().grant().clone();
    narrower.resources.retain(|resource| resource.id == LICENCE);
    nation
        .govern("ministry", body(AccreditationBody::Amend(narrower)))
        .unwrap();
    assert!(matches!(status(&nation, &branch), AccreditationStatus::Revoked { .. }));
    let now = nation.state.time();
    let licence = nation
        .state
        .accreditation(&branch.did, Action::Issue, LICENCE, now)
        .unwrap();
    assert_eq!(licence.status, AccreditationStatus::Active);
}

#[test]
fn entity_lifts_its_own_suspension_but_not_that_of_the_authority() {
    let (mut nation, ministry, branch, below) = with_ministry();
    delegate(&mut nation, &ministry, "branch", below).unwrap();
    let by_ministry = |nation: &mut Nation, body| {
        let leaf = ministry.approved(&nation.draft_by(&ministry.did, "branch", body));
        nation.append(&leaf)
    };
    by_ministry(&mut nation, suspend()).unwrap();
    by_ministry(&mut nation, reinstate()).unwrap();
    assert_eq!(status(&nation, &branch), AccreditationStatus::Active);
    nation.govern("branch", suspend()).unwrap();
    assert_eq!(
        by_ministry(&mut nation, reinstate()),
        Err(Refusal::Authority {
            found: ministry.did.clone()
        })
    );
    nation.govern("branch", reinstate()).unwrap();
}

#[test]
fn authority_with_a_scope_stays_within_it() {
    let mut policy = policy();
    let mut transport = policy.authorities[0].clone();
    transport.id = "transport".to_owned();
    transport.scope = Some(vec![LICENCE.to_owned()]);
    transport.officers = vec![
        trust::entry::Officer {
            id: "transport-1".to_owned(),
            key: public(50),
            next: None,
        },
        trust::entry::Officer {
            id: "transport-2".to_owned(),
            key: public(51),
            next: None,
        },
    ];
    policy.authorities.push(transport);
    let mut nation = Nation::with_policy(policy).unwrap();
    nation.publish(IDENTITY);
    nation.publish(LICENCE);
    let agency = nation.admit("transport", 20);
    let by_transport = |nation: &mut Nation, id: &str, resource: &str| {
        let terms = body(AccreditationBody::Grant(grant(&agency.did, Action::Issue, &[resource])));
        let draft = nation.draft_by("transport", id, terms);
        let signatures = [("transport-1", 50), ("transport-2", 51)]
            .map(|(officer, number)| key(number).fulfil(draft.sign(officer, keys::Algorithm::EdDsa)).unwrap());
        let leaf = draft.assemble(signatures.to_vec()).unwrap();
        nation.append(&leaf)
    };
    let outside = Refusal::Scope {
        authority: "transport".to_owned(),
        found: IDENTITY.to_owned(),
    };
    assert_eq!(by_transport(&mut nation, "a", IDENTITY), Err(outside));
    by_transport(&mut nation, "b", LICENCE).unwrap();
}

#[test]
fn tombstone_ends_an_accreditation_for_good() {
    let (mut nation, agency) = Nation::with_issuer();
    let end = || {
        Body::Tombstone(TombstoneBody {
            target: EntryType::Accreditation,
            reason: Reason::CeasedOperation,
        })
    };
    assert_eq!(
        nation.govern("accreditation-9", end()),
        Err(Refusal::NothingToEnd {
            target: EntryType::Accreditation
        })
    );
    nation.govern("accreditation-1", end()).unwrap();
    assert!(matches!(status(&nation, &agency), AccreditationStatus::Revoked { .. }));
    assert_eq!(nation.govern("accreditation-1", suspend()), Err(Refusal::Tombstoned));
    assert_eq!(nation.govern("accreditation-1", end()), Err(Refusal::Tombstoned));
}

#[test]
fn tombstone_of_a_did_ends_everything_of_it() {
    let (mut nation, agency) = Nation::with_issuer();
    let end = Body::Tombstone(TombstoneBody {
        target: EntryType::DidEvent,
        reason: Reason::CeasedOperation,
    });
    nation.govern(&agency.did, end).unwrap();
    assert!(nation.state.document(&agency.did).is_none());
    assert!(matches!(status(&nation, &agency), AccreditationStatus::Revoked { .. }));
    assert_eq!(nation.commit(&agency, 2, &[]), Err(Refusal::Tombstoned));
}
