//! Whose key it is, and whether its owner may issue this.

use super::*;
use crate::nation::FRAGMENTS;
use crate::nation::document;

#[test]
fn tampered_disclosure_is_refused() {
    let (nation, agency) = Nation::with_issuer();
    let presentation = present(&agency, &issue(&agency));
    let parts: Vec<&str> = presentation.as_str().unwrap().split('~').collect();
    let disclosure = keys::base64url::decode(parts[1]).unwrap();
    let changed = String::from_utf8(disclosure).unwrap().replace("true", "false");
    let changed = keys::base64url::encode(changed);
    let tampered = [parts[0], &changed, parts[2]].join("~");
    let reason = refused(judge(&nation.bundle(), &age(), Value::from(tampered)));
    assert!(
        matches!(
            reason,
            Reason::SdJwtVc(SdJwtVcError::SdJwt(SdJwtError::UnreferencedDisclosure))
        ),
        "{reason:?}"
    );
}

#[test]
fn signature_by_another_key_is_refused() {
    let (nation, agency) = Nation::with_issuer();
    let presentation = present(&agency, &issue(&agency));
    let (jwt, rest) = presentation.as_str().unwrap().split_once('~').unwrap();
    let (signed, _) = jwt.rsplit_once('.').unwrap();
    let signature = key(Algorithm::Es256, 99).sign(signed.as_bytes()).unwrap();
    let forged = format!("{signed}.{}~{rest}", keys::base64url::encode(signature.as_bytes()));
    assert!(matches!(
        refused(judge(&nation.bundle(), &age(), Value::from(forged))),
        Reason::SdJwtVc(SdJwtVcError::Jws(JwsError::Signature(_)))
    ));
}

#[test]
fn expired_credential_is_refused() {
    let result = with_credential(|agency| {
        issue_with(agency, agency.list_uri(), |credential| {
            credential.valid_until = Some(NOW);
        })
    });
    assert!(matches!(refused(result), Reason::SdJwtVc(SdJwtVcError::Validity(_))));
}

#[test]
fn credential_of_another_issuer_s_list_is_not_covered() {
    let (mut nation, agency) = Nation::before_snapshot(|_| {});
    let other = nation.admit("transport", 30);
    nation.grant("transport-issues-licences", grant(&other, LICENCE));
    nation.commit(&agency, &[]);
    nation.commit(&other, &[]);
    nation.snapshot(SNAPSHOT);
    let credential = issue_with(&agency, other.list_uri(), |_| {});
    let result = judge(&nation.bundle(), &age(), present(&agency, &credential));
    assert_eq!(not_covered(result), Reason::StatusNotCovered { uri: other.list_uri() });
}

#[test]
fn issuer_that_no_bundle_knows_is_refused() {
    let (nation, _) = Nation::with_issuer();
    let (mut elsewhere, _) = Nation::with_issuer();
    let stranger = elsewhere.admit("stranger", 60);
    let result = judge(&nation.bundle(), &age(), present(&stranger, &issue(&stranger)));
    assert_eq!(refused(result), Reason::IssuerUnknown { issuer: stranger.did });
}

/// The website of a did:web is asked by nobody: what the officers logged counts, until they log something else.
#[test]
fn credential_of_a_did_web_counts_while_the_logged_document_has_its_key() {
    let mut nation = Nation::before_snapshot(|_| {}).0;
    let agency = nation.admit_web("library", 30);
    nation.grant("library-issues-identity", grant(&agency, IDENTITY));
    nation.commit(&agency, &[]);
    nation.snapshot(SNAPSHOT);
    let verified = genuine(&nation, &agency).unwrap();
    let issuer = &verified.to_value()["issuer"];
    assert_eq!(issuer["id"], "did:web:library.attestry.example");
    assert_eq!(issuer["key"], "did:web:library.attestry.example#es256");

    nation.log_document(&agency.did, &document(&agency.did, 30, &["eddsa", "bbs", "login"]));
    nation.snapshot(SNAPSHOT.plus(MINUTE));
    let method = agency.method("es256");
    assert_eq!(refused(genuine(&nation, &agency)), Reason::KeyUnknown { method });
    // Another key under the name of the old one.
    nation.log_document(&agency.did, &document(&agency.did, 60, &FRAGMENTS));
    nation.snapshot(SNAPSHOT.plus(2 * MINUTE));
    let reason = refused(genuine(&nation, &agency));
    let signature = |reason: &_| matches!(reason, Reason::SdJwtVc(SdJwtVcError::Jws(JwsError::Signature(_))));
    assert!(signature(&reason), "{reason:?}");
    nation.log_document(&agency.did, &document(&agency.did, 30, &FRAGMENTS));
    nation.snapshot(SNAPSHOT.plus(3 * MINUTE));
    assert!(genuine(&nation, &agency).is_ok());
}

#[test]
fn key_that_the_issuer_has_for_other_purposes_is_refused() {
    let method = |agency: &Agency, fragment: &str| Reason::KeyUnknown {
        method: agency.method(fragment),
    };
    let (_, agency) = Nation::with_issuer();
    for fragment in ["login", "gone"] {
        let result = with_credential(|agency| {
            let key_id: &'static str = Box::leak(agency.method(fragment).into_boxed_str());
            issue_with(agency, agency.list_uri(), |credential| credential.key_id = key_id)
        });
        assert_eq!(refused(result), method(&agency, fragment));
    }
}

#[test]
fn agency_without_accreditation_for_the_type_is_refused() {
    let (mut nation, agency) = Nation::before_snapshot(|_| {});
    let other = nation.admit("transport", 30);
    nation.grant("transport-issues-licences", grant(&other, LICENCE));
    nation.commit(&agency, &[]);
    nation.commit(&other, &[]);
    nation.snapshot(SNAPSHOT);
    assert!(genuine(&nation, &agency).is_ok());
    assert_eq!(
        refused(genuine(&nation, &other)),
        Reason::NotAccredited {
            issuer: other.did.clone(),
            schema: IDENTITY.to_owned()
        }
    );
}

#[test]
fn every_further_type_needs_an_accreditation_as_well() {
    let further = vec![type_iri(LICENCE)];
    let further: &'static [String] = Box::leak(further.into_boxed_slice());
    let result =
        with_credential(|agency| issue_with(agency, agency.list_uri(), |credential| credential.other_types = further));
    assert!(matches!(refused(result), Reason::NotAccredited { schema, .. } if schema == LICENCE));
}

#[test]
fn type_that_the_registry_does_not_know_is_refused() {
    let unknown = "https://attestry.example/types/Unknown";
    let result = with_credential(|agency| issue_with(agency, agency.list_uri(), |credential| credential.vct = unknown));
    assert_eq!(
        refused(result),
        Reason::TypeUnknown {
            type_name: unknown.to_owned()
        }
    );
}

#[test]
fn type_that_was_withdrawn_is_refused() {
    let (mut nation, agency) = Nation::with_issuer();
    nation.govern(IDENTITY, Body::Schema(SchemaBody::Withdraw));
    nation.snapshot(SNAPSHOT.plus(MINUTE));
    assert!(matches!(refused(genuine(&nation, &agency)), Reason::TypeUnknown { .. }));
}

/// Something is said about the accreditation, then a Snapshot follows.
fn after_entry(change: impl FnOnce(&mut trust::entry::Grant), body: AccreditationBody) -> (Nation, Agency) {
    let (mut nation, agency) = Nation::with_grant(change);
    assert!(genuine(&nation, &agency).is_ok());
    nation.accreditation(body);
    nation.snapshot(SNAPSHOT.plus(MINUTE));
    (nation, agency)
}

#[test]
fn suspended_accreditation_is_refused_until_it_is_reinstated() {
    let reason = EntryReason::NonCompliance;
    let suspend = AccreditationBody::Suspend {
        reason,
        emergency: false,
    };
    let (mut nation, agency) = after_entry(|_| {}, suspend);
    let status = AccreditationStatus::Suspended {
        since: SNAPSHOT,
        reason,
    };
    assert_eq!(
        refused(genuine(&nation, &agency)),
        Reason::AccreditationNotActive {
            issuer: agency.did.clone(),
            status
        }
    );
    nation.accreditation(AccreditationBody::Reinstate { reason });
    nation.snapshot(SNAPSHOT.plus(2 * MINUTE));
    assert!(genuine(&nation, &agency).is_ok());
}

#[test]
fn emergency_suspension_by_one_officer_is_refused() {
    let suspend = AccreditationBody::Suspend {
        reason: EntryReason::KeyCompromise,
        emergency: true,
    };
    let (nation, agency) = after_entry(|_| {}, suspend);
    assert!(matches!(
        refused(genuine(&nation, &agency)),
        Reason::AccreditationNotActive { .. }
    ));
}

fn revoke(since: Option<Timestamp>) -> AccreditationBody {
    AccreditationBody::Revoke {
        reason: EntryReason::Withdrawn,
        since,
    }
}

#[test]
fn revoked_accreditation_is_refused_though_the_credential_says_that_it_is_older() {
    let (nation, agency) = after_entry(|_| {}, revoke(None));
    assert!(matches!(
        refused(genuine(&nation, &agency)),
        Reason::AccreditationNotActive {
            status: AccreditationStatus::Revoked { .. },
            ..
        }
    ));
}

#[test]
fn revoked_accreditation_whose_terms_let_older_credentials_count_is_told() {
    let accept_before = |grant: &mut trust::entry::Grant| grant.backdating = Backdating::AcceptBefore;
    let (nation, agency) = after_entry(accept_before, revoke(None));
    let verified = genuine(&nation, &agency).unwrap();
    assert_eq!(
        verified.warnings(),
        [Warning::IssuedBeforeRevocation { since: SNAPSHOT }]
    );
    assert_eq!(
        verified.to_value()["warnings"],
        json!([{"kind": "issued_before_revocation", "since": SNAPSHOT.to_rfc3339()}])
    );
    // Issued at the very time of revocation is not before it.
    let (nation, agency) = after_entry(accept_before, revoke(Some(ISSUED)));
    assert!(matches!(
        refused(genuine(&nation, &agency)),
        Reason::AccreditationNotActive { .. }
    ));
}

#[test]
fn accreditation_outside_its_time_is_refused() {
    let (nation, agency) = Nation::with_grant(|grant| grant.valid_until = NOW);
    assert!(matches!(
        refused(genuine(&nation, &agency)),
        Reason::AccreditationNotActive {
            status: AccreditationStatus::Expired,
            ..
        }
    ));
    let (nation, agency) = Nation::with_grant(|grant| grant.valid_from = NOW.plus(1));
    assert!(matches!(
        refused(genuine(&nation, &agency)),
        Reason::AccreditationNotActive {
            status: AccreditationStatus::NotYetValid,
            ..
        }
    ));
}

fn with_incident(invalid_since: Timestamp, backdating: Backdating, on_did: bool) -> Result<Verified, Refused> {
    let (mut nation, agency) = Nation::with_issuer();
    let subject = if on_did {
        agency.did.clone()
    } else {
        agency.method("es256")
    };
    let body = IncidentBody::Declare {
        invalid_since,
        backdating,
        emergency: false,
        reason: EntryReason::KeyCompromise,
    };
    nation.govern(&subject, Body::Incident(body));
    nation.snapshot(SNAPSHOT.plus(MINUTE));
    genuine(&nation, &agency)
}

#[test]
fn key_that_was_reported_lost_is_refused() {
    let (_, agency) = Nation::with_issuer();
    for on_did in [false, true] {
        assert_eq!(
            refused(with_incident(SNAPSHOT, Backdating::Refuse, on_did)),
            Reason::KeyCompromised {
                method: agency.method("es256"),
                since: SNAPSHOT
            }
        );
    }
}

#[test]
fn key_whose_report_lets_older_signatures_count_is_told() {
    let verified = with_incident(ISSUED.plus(1), Backdating::AcceptBefore, false).unwrap();
    assert_eq!(
        verified.warnings(),
        [Warning::IssuedBeforeRevocation { since: ISSUED.plus(1) }]
    );
    assert!(matches!(
        refused(with_incident(ISSUED, Backdating::AcceptBefore, false)),
        Reason::KeyCompromised { .. }
    ));
}
