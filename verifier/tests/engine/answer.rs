//! What every format's tests share: the question, its judgement, and what a refusal must look like.

use json_schema::Evaluator;
use openid4vc::dcql::DcqlQuery;
use openid4vc::vp::VpToken;
use serde_json::Value;
use serde_json::json;
use trust::TrustedBundle;
use verifier::Delivered;
use verifier::Policy;
use verifier::Question;
use verifier::Reason;
use verifier::Refused;
use verifier::RequestOrigin;
use verifier::Verdict;
use verifier::Verified;

use keys::Timestamp;

use crate::nation::MINUTE;
use crate::nation::NOW;

pub(crate) const CLIENT_ID: &str = "decentralized_identifier:did:example:verifier";
pub(crate) const RESPONSE_URI: &str = "https://verifier.example/responses/1";
pub(crate) const NONCE: &str = "nonce-of-this-transaction";
/// How old the holder's signature may be.
pub(crate) const MAX_AGE: i64 = 10 * MINUTE;

/// One credential query in this format, under the name `it`.
pub(crate) fn query(format: &str, meta: &Value, claims: &[&[&str]]) -> DcqlQuery {
    query_with(format, meta, claims, |_| {})
}

pub(crate) fn query_with(format: &str, meta: &Value, claims: &[&[&str]], change: impl FnOnce(&mut Value)) -> DcqlQuery {
    let claims: Vec<Value> = claims.iter().map(|path| json!({"path": path})).collect();
    let mut one = json!({"id": "it", "format": format, "meta": meta});
    if !claims.is_empty() {
        one["claims"] = Value::Array(claims);
    }
    change(&mut one);
    DcqlQuery::from_value(&json!({"credentials": [one]})).unwrap()
}

pub(crate) const fn question(query: &DcqlQuery) -> Question<'_> {
    Question {
        client_id: CLIENT_ID,
        nonce: NONCE,
        query,
        origin: RequestOrigin::Own,
        delivered: Delivered::Posted {
            response_uri: RESPONSE_URI,
            encryption_key: None,
        },
    }
}

/// The verdict on one presentation that answers `it`, at a time.
pub(crate) fn judge_at(
    bundles: &[&TrustedBundle],
    query: &DcqlQuery,
    presentation: Value,
    now: Timestamp,
) -> Result<Verified, Refused> {
    judge_by(bundles, query, presentation, &policy(), now)
}

/// What [`judge_at`] judges by.
pub(crate) fn policy() -> Policy<'static> {
    Policy::new(MAX_AGE, &Evaluator)
}

pub(crate) fn judge_by(
    bundles: &[&TrustedBundle],
    query: &DcqlQuery,
    presentation: Value,
    policy: &Policy<'_>,
    now: Timestamp,
) -> Result<Verified, Refused> {
    let mut token = VpToken::default();
    token.add("it", presentation);
    verifier::verify(&token, &question(query), bundles, policy, now)
}

pub(crate) fn judge(bundle: &TrustedBundle, query: &DcqlQuery, presentation: Value) -> Result<Verified, Refused> {
    judge_at(&[bundle], query, presentation, NOW)
}

/// The one reason of a refusal, after checking that its JSON gives nothing away.
pub(crate) fn reason(result: Result<Verified, Refused>) -> Reason {
    let refused = result.expect_err("a refusal");
    assert_eq!(refused.reasons().len(), 1, "{:?}", refused.reasons());
    let value = refused.to_value();
    assert_eq!(value["verdict"], refused.verdict().as_str());
    assert_ne!(refused.verdict(), Verdict::Valid);
    assert!(value.get("claims").is_none(), "{value}");
    assert!(!value["reasons"][0].as_str().unwrap().is_empty());
    refused.reasons()[0].clone()
}

/// The one reason, whose verdict is `not_covered`: a newer bundle may help.
pub(crate) fn not_covered(result: Result<Verified, Refused>) -> Reason {
    let reason = reason(result);
    assert_eq!(reason.verdict(), Verdict::NotCovered);
    reason
}

/// The one reason, whose verdict is `refused`: nothing helps.
pub(crate) fn refused(result: Result<Verified, Refused>) -> Reason {
    let reason = reason(result);
    assert_eq!(reason.verdict(), Verdict::Refused, "{reason:?}");
    reason
}
