//! The verifier's half: whether the presentations that came satisfy the query
//! ([OpenID4VP 1.0, section 8.6](https://openid.net/specs/openid-4-verifiable-presentations-1_0.html#name-vp-token-validation)).
//!
//! Called after each presentation was authenticated, with the claims that are in it: the wallet is "not
//! controlled by the Verifier", so nothing that the query asked for is taken for granted.
//!
//! Not checked here: `trusted_authorities` (who is trusted is the verdict's business, not the query's).

use serde_json::Value;
use thiserror::Error;

use super::criteria;
use super::criteria::Positions;
use super::path::ClaimsPath;
use super::query::DcqlQuery;
use super::select;
use crate::format::CredentialFormat;

/// One authenticated presentation of a `vp_token`.
#[derive(Clone, Debug)]
pub struct Presented<'a> {
    /// The member of the `vp_token` that it came under.
    pub query_id: &'a str,
    /// The format that it was verified as.
    pub format: CredentialFormat,
    /// The types that its issuer asserted, as in [`super::HeldCredential::types`].
    pub types: Vec<String>,
    /// The claims disclosed, as in [`super::HeldCredential::claims`].
    pub claims: &'a Value,
    /// Whether proof of possession was verified for this request's nonce and client.
    pub holder_binding_proven: bool,
}

/// The wallet's fault: what came is not what was asked for.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum AnswerError {
    /// A claim asked for did not come, or has another value than asked for.
    #[error("expected the claim {path} in the answer to `{query_id}`")]
    Claim {
        /// The credential query.
        query_id: String,
        /// The first claim missing.
        path: ClaimsPath,
    },
    /// Another format than asked for.
    #[error("expected another format in the answer to `{query_id}`")]
    Format {
        /// The credential query.
        query_id: String,
    },
    /// No proof of possession where it was required.
    #[error("expected proof of possession in the answer to `{query_id}`")]
    HolderBinding {
        /// The credential query.
        query_id: String,
    },
    /// Several presentations where one was asked for.
    #[error("expected one presentation for `{query_id}`")]
    TooMany {
        /// The credential query.
        query_id: String,
    },
    /// Another type than asked for.
    #[error("expected another type in the answer to `{query_id}`")]
    Type {
        /// The credential query.
        query_id: String,
    },
    /// A presentation for something that was not asked for.
    #[error("expected only the credential queries of the request")]
    Unasked,
    /// The presentations together do not serve what the verifier requires.
    #[error("expected presentations that serve the request, missing of: {}", query_ids.join(", "))]
    Unsatisfied {
        /// The credential queries of the use case that is not served.
        query_ids: Vec<String>,
    },
}

/// Checks the presentations of one answer against the query.
///
/// # Errors
/// [`AnswerError`], the wallet's fault; then the whole answer is refused.
pub fn check(query: &DcqlQuery, presented: &[Presented<'_>]) -> Result<(), AnswerError> {
    for presentation in presented {
        check_one(query, presentation)?;
    }
    for wanted in query.credentials.iter().filter(|wanted| !wanted.multiple) {
        if presented
            .iter()
            .filter(|presentation| presentation.query_id == wanted.id)
            .count()
            > 1
        {
            return Err(AnswerError::TooMany {
                query_id: wanted.id.clone(),
            });
        }
    }
    match select::unsatisfied(query, |id| {
        presented.iter().any(|presentation| presentation.query_id == id)
    }) {
        None => Ok(()),
        Some(query_ids) => Err(AnswerError::Unsatisfied { query_ids }),
    }
}

fn check_one(query: &DcqlQuery, presentation: &Presented<'_>) -> Result<(), AnswerError> {
    let wanted = query.credential(presentation.query_id).ok_or(AnswerError::Unasked)?;
    let query_id = wanted.id.clone();
    if presentation.format != wanted.format {
        return Err(AnswerError::Format { query_id });
    }
    if !criteria::type_fits(&wanted.meta, &presentation.types) {
        return Err(AnswerError::Type { query_id });
    }
    if wanted.require_cryptographic_holder_binding && !presentation.holder_binding_proven {
        return Err(AnswerError::HolderBinding { query_id });
    }
    let positions = match presentation.format {
        // Undisclosed array elements are taken out of the payload (RFC 9901, section 7.1), and of what is derived from a
        // base proof; what a proof over RDF covers has no order of elements either.
        CredentialFormat::SdJwtVc | CredentialFormat::LdpVc => Positions::Lost,
        CredentialFormat::JwtVcJson | CredentialFormat::MsoMdoc | CredentialFormat::Other(_) => Positions::Kept,
    };
    match criteria::select_claims(wanted, presentation.claims, positions) {
        Ok(_) => Ok(()),
        Err(path) => Err(AnswerError::Claim { query_id, path }),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn query() -> DcqlQuery {
        DcqlQuery::from_value(&json!({
            "credentials": [
                {"id": "pid", "format": "dc+sd-jwt", "meta": {"vct_values": ["pid"]},
                 "claims": [{"path": ["family_name"]}, {"path": ["nationalities", 1]}]},
                {"id": "card", "format": "dc+sd-jwt", "meta": {"vct_values": ["card"]}, "multiple": true,
                 "require_cryptographic_holder_binding": false}
            ],
            "credential_sets": [{"options": [["pid"]]}, {"options": [["card"]], "required": false}]
        }))
        .unwrap()
    }

    fn claims() -> Value {
        // The holder kept nationalities[0] back, so the payload has one element left.
        json!({"family_name": "Doe", "nationalities": ["FR"]})
    }

    fn pid(claims: &Value) -> Presented<'_> {
        Presented {
            query_id: "pid",
            format: CredentialFormat::SdJwtVc,
            types: vec!["pid".to_owned()],
            claims,
            holder_binding_proven: true,
        }
    }

    #[test]
    fn a_fitting_answer_is_taken() {
        assert_eq!(check(&query(), &[pid(&claims())]), Ok(()));
    }

    #[test]
    fn each_criterion_refuses() {
        let claims = claims();
        let refused = |change: fn(&mut Presented<'_>)| {
            let mut presentation = pid(&claims);
            change(&mut presentation);
            check(&query(), &[presentation]).unwrap_err()
        };
        let query_id = "pid".to_owned();
        assert_eq!(refused(|p| p.query_id = "other"), AnswerError::Unasked);
        assert_eq!(
            refused(|p| p.format = CredentialFormat::LdpVc),
            AnswerError::Format {
                query_id: query_id.clone()
            }
        );
        assert_eq!(
            refused(|p| p.types = vec!["card".to_owned()]),
            AnswerError::Type {
                query_id: query_id.clone()
            }
        );
        assert_eq!(
            refused(|p| p.holder_binding_proven = false),
            AnswerError::HolderBinding { query_id }
        );
    }

    #[test]
    fn a_missing_claim_refuses() {
        let path = |value: Value| ClaimsPath::from_value(&value).unwrap();
        for (missing, path) in [
            (json!({"nationalities": ["FR"]}), path(json!(["family_name"]))),
            (
                json!({"family_name": "Doe", "nationalities": []}),
                path(json!(["nationalities", 1])),
            ),
        ] {
            let error = AnswerError::Claim {
                query_id: "pid".to_owned(),
                path,
            };
            assert_eq!(check(&query(), &[pid(&missing)]), Err(error));
        }
    }

    #[test]
    fn one_presentation_unless_multiple() {
        let claims = claims();
        let mut card = pid(&claims);
        card.query_id = "card";
        card.types = vec!["card".to_owned()];
        card.holder_binding_proven = false;
        assert_eq!(check(&query(), &[pid(&claims), card.clone(), card]), Ok(()));
        let twice = check(&query(), &[pid(&claims), pid(&claims)]);
        assert_eq!(
            twice,
            Err(AnswerError::TooMany {
                query_id: "pid".to_owned()
            })
        );
    }

    #[test]
    fn a_required_set_must_be_served() {
        let claims = claims();
        let mut card = pid(&claims);
        card.query_id = "card";
        card.types = vec!["card".to_owned()];
        assert_eq!(
            check(&query(), &[card]),
            Err(AnswerError::Unsatisfied {
                query_ids: vec!["pid".to_owned()]
            })
        );
        assert_eq!(
            check(&query(), &[]),
            Err(AnswerError::Unsatisfied {
                query_ids: vec!["pid".to_owned()]
            })
        );
    }
}
