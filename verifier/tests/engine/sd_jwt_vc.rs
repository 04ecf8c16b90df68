//! SD-JWT VC: one genuine presentation, and everything that a verifier must not accept.

mod age;
mod extracts;
mod federation;
mod holder;
mod issuer;
mod status;

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
use json_schema::Evaluator;
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
use crate::answer::judge_by;
use crate::answer::not_covered;
use crate::answer::policy;
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
        claims: &claims(),
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
    let policy = Policy::new(MAX_AGE, &Evaluator);
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
    let query = query("ac_vp", &json!({}), &[]);
    let result = judge(&nation.bundle(), &query, present(&agency, &issue(&agency)));
    assert!(matches!(refused(result), Reason::Format { .. }));
}

#[test]
fn presentation_for_nothing_asked_is_refused() {
    let (nation, agency) = Nation::with_issuer();
    let mut token = VpToken::default();
    token.add("other", present(&agency, &issue(&agency)));
    let (query, policy) = (age(), Policy::new(MAX_AGE, &Evaluator));
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
    let (query, policy) = (age(), Policy::new(MAX_AGE, &Evaluator));
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
    let (query, policy) = (age(), Policy::new(MAX_AGE, &Evaluator));
    let result = verifier::verify(&token, &question(&query), &[&nation.bundle()], &policy, NOW);
    assert!(matches!(refused(result), Reason::Answer(AnswerError::TooMany { .. })));
}
