//! SD-JWT VC: one genuine presentation, and everything that a verifier must not accept.

use credential::ClaimPath;
use credential::SdJwtVc;
use credential::Unverified;
use credential::sd_jwt::Decoys;
use credential::sd_jwt::KeyBindingError;
use credential::sd_jwt::SdJwtError;
use credential::sd_jwt_vc::NewCredential;
use credential::sd_jwt_vc::SdJwtVcError;
use credential::status_list::Status;
use credential::status_list::StatusReference;
use keys::Algorithm;
use keys::Signer as _;
use keys::Timestamp;
use keys::jws;
use keys::jws::JwsError;
use openid4vc::dcql::AnswerError;
use openid4vc::dcql::DcqlQuery;
use openid4vc::vp::VpToken;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;
use signer::SoftwareKey;
use trust::TrustedBundle;
use trust::entry::AccreditationBody;
use trust::entry::Backdating;
use trust::entry::Body;
use trust::entry::IncidentBody;
use trust::entry::OnStale;
use trust::entry::Reason as EntryReason;
use trust::entry::SchemaBody;
use trust::state::AccreditationStatus;
use verifier::Policy;
use verifier::Question;
use verifier::Reason;
use verifier::Refused;
use verifier::RequestOrigin;
use verifier::Verdict;
use verifier::Verified;
use verifier::Warning;

use crate::answer::CLIENT_ID;
use crate::answer::MAX_AGE;
use crate::answer::NONCE;
use crate::answer::judge;
use crate::answer::judge_at;
use crate::answer::not_covered;
use crate::answer::query;
use crate::answer::query_with;
use crate::answer::question;
use crate::answer::reason;
use crate::answer::refused;
use crate::nation::Agency;
use crate::nation::CAPACITY;
use crate::nation::DAY;
use crate::nation::GENESIS;
use crate::nation::HOUR;
use crate::nation::IDENTITY;
use crate::nation::ISSUED;
use crate::nation::LICENCE;
use crate::nation::MINUTE;
use crate::nation::NOW;
use crate::nation::Nation;
use crate::nation::SNAPSHOT;
use crate::nation::grant;
use crate::nation::key;
use crate::nation::schema;
use crate::nation::type_iri;

const INDEX: usize = 7;

fn wallet() -> SoftwareKey {
    key(Algorithm::Es256, 50)
}

fn claims() -> Map<String, Value> {
    let claims = json!({
        "given_name": "Ada", "family_name": "Tan", "birthdate": "1990-02-28", "age_over_18": true,
        "issuing_authority": "Population Agency", "issuing_country": "XA",
    });
    claims.as_object().unwrap().clone()
}

/// The agency's credential for the wallet, at place [`INDEX`] of its list.
fn issue(agency: &Agency) -> String {
    issue_with(agency, agency.list_uri(), |_| {})
}

fn issue_with(agency: &Agency, list: String, change: impl for<'a> FnOnce(&mut NewCredential<'a>)) -> String {
    let (holder, key_id) = (wallet().public_key().to_jwk(), agency.method("es256"));
    let status = StatusReference::token_status_list(list, INDEX);
    let paths = ["given_name", "family_name", "birthdate", "age_over_18"].map(path);
    let vct = type_iri(IDENTITY);
    let mut credential = NewCredential {
        issuer: &agency.did,
        key_id: &key_id,
        vct: &vct,
        type_integrity: None,
        other_types: &[],
        holder: Some(&holder),
        issued_at: ISSUED,
        valid_from: None,
        valid_until: Some(ISSUED.plus(100 * DAY)),
        status: Some(&status),
        claims: claims(),
        disclosable: &paths,
        decoys: Decoys::None,
    };
    change(&mut credential);
    let request = credential.issue(Algorithm::Es256, &mut signer::os_rng()).unwrap();
    agency.es256.fulfil(request).unwrap()
}

fn path(name: &str) -> ClaimPath {
    ClaimPath::of_keys([name]).unwrap()
}

/// A presentation of `age_over_18` and nothing else, made a minute before [`NOW`].
fn present(agency: &Agency, credential: &str) -> Value {
    present_with(agency, credential, &wallet(), CLIENT_ID, NONCE, NOW.minus(MINUTE))
}

fn present_with(
    agency: &Agency,
    credential: &str,
    wallet: &SoftwareKey,
    audience: &str,
    nonce: &str,
    at: Timestamp,
) -> Value {
    let unverified = Unverified::<SdJwtVc>::parse(credential).unwrap();
    let held = unverified.restore(agency.es256.public_key(), &agency.did).unwrap();
    let chosen = held.present(&[path("age_over_18")]).unwrap();
    let request = chosen.bind(audience, nonce, at).unwrap();
    Value::from(wallet.fulfil(request).unwrap())
}

fn age() -> DcqlQuery {
    query(
        "dc+sd-jwt",
        &json!({"vct_values": [type_iri(IDENTITY)]}),
        &[&["age_over_18"]],
    )
}

/// The verdict on the genuine credential and presentation, with the bundle of this nation.
fn genuine(nation: &Nation, agency: &Agency) -> Result<Verified, Refused> {
    judge(&nation.bundle(), &age(), present(agency, &issue(agency)))
}

/// The verdict on a credential of the usual nation.
fn with_credential(make: impl FnOnce(&Agency) -> String) -> Result<Verified, Refused> {
    let (nation, agency) = Nation::with_issuer();
    let credential = make(&agency);
    judge(&nation.bundle(), &age(), present(&agency, &credential))
}

#[test]
fn genuine_presentation_is_valid_and_shows_what_was_disclosed() {
    let (nation, agency) = Nation::with_issuer();
    let verified = genuine(&nation, &agency).unwrap();
    assert_eq!(verified.credentials().len(), 1);
    assert_eq!(verified.warnings(), []);
    let value = verified.to_value();
    let expected = json!({
        "verdict": "valid",
        "reasons": [],
        "query": "it",
        "issuer": {
            "id": agency.did,
            "accreditation": "population-issues-identity",
            "types": [type_iri(IDENTITY)],
            "key": agency.method("es256"),
        },
        "as_of": SNAPSHOT.to_rfc3339(),
        "status": {"value": "valid", "uri": agency.list_uri(), "index": INDEX, "committed": GENESIS.to_rfc3339()},
        "holder_binding": "request",
        "warnings": [],
        "claims": {"age_over_18": true, "issuing_authority": "Population Agency", "issuing_country": "XA"},
    });
    assert_eq!(value, expected);
}

#[test]
fn refusal_as_json_says_why_and_shows_no_claim() {
    let (nation, agency) = Nation::with_issuer();
    let presentation = present_with(&agency, &issue(&agency), &wallet(), CLIENT_ID, "another", NOW);
    let refused = judge(&nation.bundle(), &age(), presentation).unwrap_err();
    let expected = json!({
        "verdict": "refused",
        "reasons": ["the holder binding does not hold: expected the nonce of this transaction, found another"],
        "issuer": null, "as_of": null, "status": null, "holder_binding": "none", "warnings": [],
    });
    assert_eq!(refused.to_value(), expected);
}

#[test]
fn request_from_a_file_is_told() {
    let (nation, agency) = Nation::with_issuer();
    let mut token = VpToken::default();
    token.add("it", present(&agency, &issue(&agency)));
    let query = age();
    let question = Question {
        origin: RequestOrigin::File { issued_at: NOW },
        ..question(&query)
    };
    let policy = Policy { max_age: MAX_AGE };
    let verified = verifier::verify(&token, &question, &[&nation.bundle()], &policy, NOW).unwrap();
    assert_eq!(verified.warnings(), [Warning::RequestFromFile]);
    assert_eq!(verified.to_value()["holder_binding"], "request_from_file");
}

// The presentation's own form.

#[test]
fn presentation_that_is_no_string_is_refused() {
    let (nation, agency) = Nation::with_issuer();
    let presentation = json!({"sd-jwt": present(&agency, &issue(&agency))});
    assert!(matches!(
        refused(judge(&nation.bundle(), &age(), presentation)),
        Reason::Form { .. }
    ));
}

#[test]
fn format_that_is_not_read_is_refused() {
    let (nation, agency) = Nation::with_issuer();
    let query = query("mso_mdoc", &json!({"doctype_value": "org.iso.18013.5.1.mDL"}), &[]);
    let result = judge(&nation.bundle(), &query, present(&agency, &issue(&agency)));
    assert!(matches!(refused(result), Reason::Format { .. }));
}

#[test]
fn presentation_for_nothing_asked_is_refused() {
    let (nation, agency) = Nation::with_issuer();
    let mut token = VpToken::default();
    token.add("other", present(&agency, &issue(&agency)));
    let (query, policy) = (age(), Policy { max_age: MAX_AGE });
    let result = verifier::verify(&token, &question(&query), &[&nation.bundle()], &policy, NOW);
    assert_eq!(
        refused(result),
        Reason::NotAsked {
            query_id: "other".to_owned()
        }
    );
}

#[test]
fn empty_answer_is_refused() {
    let (nation, _) = Nation::with_issuer();
    let (query, policy) = (age(), Policy { max_age: MAX_AGE });
    let result = verifier::verify(
        &VpToken::default(),
        &question(&query),
        &[&nation.bundle()],
        &policy,
        NOW,
    );
    assert!(matches!(
        refused(result),
        Reason::Answer(AnswerError::Unsatisfied { .. })
    ));
}

#[test]
fn claim_asked_for_and_not_disclosed_is_refused() {
    let (nation, agency) = Nation::with_issuer();
    let query = query(
        "dc+sd-jwt",
        &json!({"vct_values": [type_iri(IDENTITY)]}),
        &[&["family_name"]],
    );
    let result = judge(&nation.bundle(), &query, present(&agency, &issue(&agency)));
    assert!(matches!(refused(result), Reason::Answer(AnswerError::Claim { .. })));
}

#[test]
fn credential_of_another_type_than_asked_is_refused() {
    let (nation, agency) = Nation::with_issuer();
    let query = query("dc+sd-jwt", &json!({"vct_values": [type_iri(LICENCE)]}), &[]);
    let result = judge(&nation.bundle(), &query, present(&agency, &issue(&agency)));
    assert!(matches!(refused(result), Reason::Answer(AnswerError::Type { .. })));
}

#[test]
fn several_presentations_where_one_was_asked_are_refused() {
    let (nation, agency) = Nation::with_issuer();
    let mut token = VpToken::default();
    for _ in 0..2 {
        token.add("it", present(&agency, &issue(&agency)));
    }
    let (query, policy) = (age(), Policy { max_age: MAX_AGE });
    let result = verifier::verify(&token, &question(&query), &[&nation.bundle()], &policy, NOW);
    assert!(matches!(refused(result), Reason::Answer(AnswerError::TooMany { .. })));
}

// The issuer and its signature.

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
            credential.valid_until = Some(NOW)
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

// Status.

#[test]
fn revoked_credential_is_refused_and_its_neighbours_are_not() {
    for (index, is_revoked) in [(INDEX - 1, false), (INDEX, true), (INDEX + 1, false)] {
        let (mut nation, agency) = Nation::before_snapshot(|_| {});
        nation.commit(&agency, &[(index, Status::Invalid)]);
        nation.snapshot(SNAPSHOT);
        let result = genuine(&nation, &agency);
        if is_revoked {
            assert_eq!(refused(result), Reason::Revoked { committed: GENESIS });
        } else {
            assert!(result.is_ok());
        }
    }
}

#[test]
fn credential_that_was_revoked_after_the_bundle_is_refused_with_the_next_bundle() {
    let (mut nation, agency) = Nation::with_issuer();
    let before = nation.bundle();
    nation.commit(&agency, &[(INDEX, Status::Invalid)]);
    nation.snapshot(SNAPSHOT.plus(MINUTE));
    let presentation = present(&agency, &issue(&agency));
    assert!(judge(&before, &age(), presentation.clone()).is_ok());
    assert_eq!(
        refused(judge(&nation.bundle(), &age(), presentation)),
        Reason::Revoked { committed: SNAPSHOT }
    );
}

#[test]
fn suspended_credential_is_refused() {
    let (mut nation, agency) = Nation::before_snapshot(|_| {});
    nation.commit(&agency, &[(INDEX, Status::Suspended)]);
    nation.snapshot(SNAPSHOT);
    assert_eq!(
        refused(genuine(&nation, &agency)),
        Reason::Suspended { committed: GENESIS }
    );
}

#[test]
fn status_without_a_meaning_is_refused() {
    let (mut nation, agency) = Nation::before_snapshot(|_| {});
    nation.commit(&agency, &[(INDEX, Status::Other(3))]);
    nation.snapshot(SNAPSHOT);
    assert_eq!(
        refused(genuine(&nation, &agency)),
        Reason::Revoked { committed: GENESIS }
    );
}

#[test]
fn status_list_that_nobody_committed_is_not_covered() {
    let uri = "https://platform.example/issuers/population/status/2";
    let result = with_credential(|agency| issue_with(agency, uri.to_owned(), |_| {}));
    assert_eq!(not_covered(result), Reason::StatusNotCovered { uri: uri.to_owned() });
}

#[test]
fn status_list_that_the_bundle_was_made_without_is_not_covered() {
    let (nation, agency) = Nation::with_issuer();
    let bundle = nation.bundle_without(|blob| !blob.starts_with(b"{"));
    let result = judge(&bundle, &age(), present(&agency, &issue(&agency)));
    assert_eq!(not_covered(result), Reason::StatusNotCovered { uri: agency.list_uri() });
}

#[test]
fn place_beyond_the_end_of_the_list_is_not_covered() {
    let (nation, agency) = Nation::with_issuer();
    let status = StatusReference::token_status_list(agency.list_uri(), CAPACITY);
    let status: &'static StatusReference = Box::leak(Box::new(status));
    let credential = issue_with(&agency, agency.list_uri(), |credential| {
        credential.status = Some(status)
    });
    let result = judge(&nation.bundle(), &age(), present(&agency, &credential));
    assert_eq!(not_covered(result), Reason::StatusNotCovered { uri: agency.list_uri() });
}

#[test]
fn status_list_that_is_not_what_its_commitment_says_is_refused() {
    let (mut nation, agency) = Nation::before_snapshot(|_| {});
    nation.commit_compact(&agency, b"no zlib".to_vec(), |_| {});
    nation.snapshot(SNAPSHOT);
    assert_eq!(
        refused(genuine(&nation, &agency)),
        Reason::StatusBroken { uri: agency.list_uri() }
    );
}

#[test]
fn credential_without_status_is_refused_where_its_type_demands_one() {
    let without = |agency: &Agency| issue_with(agency, agency.list_uri(), |credential| credential.status = None);
    assert_eq!(refused(with_credential(without)), Reason::StatusMissing);

    let (mut nation, agency) = Nation::with_issuer();
    let mut relaxed = schema(IDENTITY);
    relaxed.status_required = false;
    nation.publish(IDENTITY, relaxed);
    nation.snapshot(SNAPSHOT.plus(MINUTE));
    let verified = judge(&nation.bundle(), &age(), present(&agency, &without(&agency))).unwrap();
    assert_eq!(verified.to_value()["status"], json!({"value": "unlisted"}));
}

#[test]
fn status_of_an_unknown_mechanism_is_refused() {
    let (nation, agency) = Nation::with_issuer();
    let mut payload = claims();
    payload.insert("iss".to_owned(), json!(agency.did));
    payload.insert("vct".to_owned(), json!(type_iri(IDENTITY)));
    payload.insert("iat".to_owned(), json!(ISSUED.unix()));
    payload.insert(
        "cnf".to_owned(),
        json!({"jwk": wallet().public_key().to_jwk().to_value()}),
    );
    let status = json!({"status_list": {"idx": INDEX, "uri": agency.list_uri()}, "crl": {"uri": "https://a.example"}});
    payload.insert("status".to_owned(), status);
    let header = json!({"kid": agency.method("es256"), "typ": "dc+sd-jwt"});
    let payload = Value::Object(payload).to_string();
    let request = jws::sign(
        header.as_object().unwrap().clone(),
        payload.as_bytes(),
        Algorithm::Es256,
    );
    let credential = format!("{}~", agency.es256.fulfil(request).unwrap());
    let unverified = Unverified::<SdJwtVc>::parse(&credential).unwrap();
    let held = unverified.restore(agency.es256.public_key(), &agency.did).unwrap();
    let request = held.present(&[]).unwrap().bind(CLIENT_ID, NONCE, NOW).unwrap();
    let presentation = Value::from(wallet().fulfil(request).unwrap());
    assert_eq!(
        refused(judge(&nation.bundle(), &age(), presentation)),
        Reason::StatusUnknownMechanism { name: "crl".to_owned() }
    );
}

// Age.

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

// Holder binding.

fn bound(wallet: &SoftwareKey, audience: &str, nonce: &str, at: Timestamp) -> Result<Verified, Refused> {
    let (nation, agency) = Nation::with_issuer();
    let presentation = present_with(&agency, &issue(&agency), wallet, audience, nonce, at);
    judge(&nation.bundle(), &age(), presentation)
}

fn key_binding(result: Result<Verified, Refused>) -> KeyBindingError {
    match refused(result) {
        Reason::KeyBinding(error) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn presentation_without_key_binding_is_refused_unless_waived() {
    let (nation, agency) = Nation::with_issuer();
    let presentation = present(&agency, &issue(&agency));
    let (unbound, _) = presentation.as_str().unwrap().rsplit_once('~').unwrap();
    let unbound = Value::from(format!("{unbound}~"));
    let result = judge(&nation.bundle(), &age(), unbound.clone());
    assert_eq!(key_binding(result), KeyBindingError::Missing);

    let waived = query_with(
        "dc+sd-jwt",
        &json!({"vct_values": [type_iri(IDENTITY)]}),
        &[&["age_over_18"]],
        |one| one["require_cryptographic_holder_binding"] = json!(false),
    );
    let verified = judge(&nation.bundle(), &waived, unbound).unwrap();
    assert_eq!(verified.to_value()["holder_binding"], "none");
}

#[test]
fn key_binding_by_another_key_is_refused() {
    let thief = key(Algorithm::Es256, 51);
    assert!(bound(&wallet(), CLIENT_ID, NONCE, NOW).is_ok());
    assert!(matches!(
        key_binding(bound(&thief, CLIENT_ID, NONCE, NOW)),
        KeyBindingError::Jws(_)
    ));
}

#[test]
fn key_binding_for_another_verifier_is_refused() {
    let result = bound(&wallet(), "decentralized_identifier:did:example:other", NONCE, NOW);
    assert!(matches!(key_binding(result), KeyBindingError::WrongAudience { .. }));
}

#[test]
fn key_binding_for_another_transaction_is_refused() {
    assert_eq!(
        key_binding(bound(&wallet(), CLIENT_ID, "another", NOW)),
        KeyBindingError::WrongNonce
    );
}

#[test]
fn key_binding_outside_its_time_is_refused() {
    assert!(bound(&wallet(), CLIENT_ID, NONCE, NOW.minus(MAX_AGE)).is_ok());
    for at in [NOW.minus(MAX_AGE + 1), NOW.plus(DAY)] {
        assert!(matches!(
            key_binding(bound(&wallet(), CLIENT_ID, NONCE, at)),
            KeyBindingError::OutsideWindow { .. }
        ));
    }
}
