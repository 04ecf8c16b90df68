//! Taking an answer: once, in time, and then the verdict.

use std::sync::Arc;

use json_schema::Evaluator;
use openid4vc::vp::Session;
use openid4vc::vp::response::ResponseError;
use openid4vc::vp::session::Answer;
use openid4vc::vp::session::Outcome;
use store::records::Load as _;
use store::records::RecordError;
use store::records::save;
use thiserror::Error;
use trust::TrustedBundle;
use verifier::Delivered;
use verifier::Policy;
use verifier::Question;
use verifier::Refused;
use verifier::RequestOrigin;
use verifier::Verified;

use crate::BundlesError;
use crate::VerifierService;
use crate::request::session_key;

/// As long as a session lives: the holder signs when it agrees.
const MAX_HOLDER_SIGNATURE_AGE: i64 = 10 * 60;
/// A bundle of this age is good enough to accept one more answer with.
const BUNDLE_SECONDS: i64 = 5;

/// The answer was not taken.
#[derive(Debug, Error)]
pub(crate) enum AnswerError {
    /// No bundle to judge with; the session is used up all the same, since its nonce was seen.
    #[error("the answer cannot be judged now")]
    Bundles(#[from] BundlesError),
    /// The wallet's fault.
    #[error("the response is refused")]
    Refused(#[from] ResponseError),
    /// The store failed.
    #[error("the response was not recorded")]
    Store(#[from] RecordError),
    /// No such session.
    #[error("there is no request of this id")]
    Unknown,
}

/// Takes the wallet's form for a session. Of two answers one is taken, also when they come together.
pub(crate) async fn answer(service: &VerifierService, id: &str, body: &[u8]) -> Result<(), AnswerError> {
    let config = &service.0.config;
    let now = config.clock.now();
    let key = session_key(id);
    let key = &key;
    let outcome = config
        .store
        .transact(|tx| async move {
            let Some(session) = tx.load::<Session>(key).await? else {
                return Ok(Err(AnswerError::Unknown));
            };
            match session.answer(body, now) {
                Ok((session, outcome)) => {
                    save(&tx, key, &session)?;
                    Ok(Ok(outcome))
                }
                Err(error) => Ok::<_, RecordError>(Err(AnswerError::Refused(error))),
            }
        })
        .await??;
    let verdict = match outcome {
        Outcome::Presented(answer) => judge(service, &answer).await?,
        Outcome::Refused(refused) => {
            serde_json::json!({"verdict": "refused", "reasons": [format!("the wallet refused: {}", refused.error)]})
        }
    };
    service.0.results.put(id, verdict, now);
    Ok(())
}

async fn judge(service: &VerifierService, answer: &Answer) -> Result<serde_json::Value, BundlesError> {
    let mut verdict = judge_with(service, answer, BUNDLE_SECONDS).await?;
    if verdict.is_err() {
        // The credential, or its issuer's accreditation, may be newer than the bundle at hand.
        verdict = judge_with(service, answer, 0).await?;
    }
    Ok(match verdict {
        Ok(verified) => verified.to_value(),
        Err(refused) => {
            tracing::info!(cause = %refused, "presentation refused");
            refused.to_value()
        }
    })
}

async fn judge_with(
    service: &VerifierService,
    answer: &Answer,
    age: i64,
) -> Result<Result<Verified, Refused>, BundlesError> {
    let config = &service.0.config;
    let bundles = config.bundles.bundles(age).await?;
    let bundles: Vec<&TrustedBundle> = bundles.iter().map(Arc::as_ref).collect();
    let question = Question {
        client_id: answer.client_id.as_str(),
        nonce: &answer.nonce,
        query: &answer.dcql_query,
        origin: RequestOrigin::Own,
        delivered: Delivered::Posted {
            response_uri: answer.response_uri.as_str(),
            encryption_key: answer.encryption_key.as_ref(),
        },
    };
    let policy = Policy::new(MAX_HOLDER_SIGNATURE_AGE, &Evaluator).with_trust_anchors(&config.trust_anchors);
    Ok(verifier::verify(
        &answer.vp_token,
        &question,
        &bundles,
        &policy,
        config.clock.now(),
    ))
}
