//! The offline verification engine: one function, whose `Ok` is the evidence. Pure.
//!
//! [`verify`] takes what was presented, what was asked, the trust bundles and the time. It checks, in this
//! order, for every presented credential: form, the issuer's signature with a key of its logged DID document, the schemas
//! that it names, the issuer's authority for every asserted type, incidents, the status in the issuer's committed list, the
//! age of all of this against the type's logged policy, the holder's signature over this request (first of all
//! where it is around the credential); then that the answer is what was asked for. Only then are there claims, in [`Verified`].
//!
//! An issuer that is in no registry is judged only where the verifier chose a trust anchor for it ([`TrustAnchors`]): then
//! the choice says what it may issue.
//!
//! In scope: the verdict. Out of scope: HTTP and sessions (`verifier/service`), where bundles come from
//! (`attestry bundle`), what a relying party does with claims.

mod authority;
mod bundles;
mod contexts;
mod evidence;
mod request;
mod schemas;
mod status;
mod trust_anchors;
mod verdict;

use std::cmp::Reverse;

use credential::Facts;
use credential::Transaction;
use credential::vc::SchemaEvaluator;
use keys::Jwk;
use keys::Timestamp;
use openid4vc::CredentialFormat;
use openid4vc::dcql::DcqlQuery;
use openid4vc::dcql::Presented;
use openid4vc::vp::VpToken;
use serde_json::Map;
use serde_json::Value;
use trust::TrustedBundle;
use trust::bundle::Extract;

use crate::bundles::Bundles;

pub use request::RequestOrigin;
pub use request::accept_request;
pub use trust_anchors::NO_TRUST_ANCHORS;
pub use trust_anchors::TrustAnchorError;
pub use trust_anchors::TrustAnchors;
pub use verdict::Reason;
pub use verdict::Refused;
pub use verdict::Verdict;
pub use verdict::Warning;

/// Clocks of honest machines differ by less; a bundle from further in the future means that ours is wrong.
const MAX_CLOCK_SKEW: i64 = 5 * 60;

/// More extracts than a wallet has issuers for one answer are not looked at.
const MAX_EXTRACTS: usize = 8;

/// What the verifier asked: the audience and nonce that presentations must be bound to, and the query.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The verifier's full client identifier.
    pub client_id: &'a str,
    /// The request's nonce.
    pub nonce: &'a str,
    /// What was asked for.
    pub query: &'a DcqlQuery,
    /// Whether the verifier knows by itself that it asked this.
    pub origin: RequestOrigin,
    /// How the answer came.
    pub delivered: Delivered<'a>,
}

/// How an answer came. The device signature of an mdoc covers it.
#[derive(Clone, Copy, Debug)]
pub enum Delivered<'a> {
    /// In a presentation file.
    InFile,
    /// Posted to the verifier.
    Posted {
        /// The request's `response_uri`.
        response_uri: &'a str,
        /// The verifier's key that it was encrypted to.
        encryption_key: Option<&'a Jwk>,
    },
}

/// The verifier's own demands and choices; the demands of a credential type are in the bundle.
#[derive(Clone, Copy)]
pub struct Policy<'a> {
    max_age: i64,
    schemas: &'a dyn SchemaEvaluator,
    trust_anchors: &'a TrustAnchors,
    time_floor: Option<Timestamp>,
}

impl<'a> Policy<'a> {
    /// With holder's signatures of at most `max_age` seconds, schemas evaluated by `schemas`, and issuers of the registries
    /// alone.
    #[must_use]
    pub const fn new(max_age: i64, schemas: &'a dyn SchemaEvaluator) -> Self {
        Self {
            max_age,
            schemas,
            trust_anchors: &NO_TRUST_ANCHORS,
            time_floor: None,
        }
    }

    /// With issuers outside of the registries.
    #[must_use]
    pub const fn with_trust_anchors(self, trust_anchors: &'a TrustAnchors) -> Self {
        Self { trust_anchors, ..self }
    }

    /// With a time that is known to have passed, such as that of the newest bundle that was ever used here: a clock that
    /// stands before it was moved back, or never set.
    #[must_use]
    pub const fn with_time_floor(self, time_floor: Timestamp) -> Self {
        Self {
            time_floor: Some(time_floor),
            ..self
        }
    }
}

/// An answer that was verified whole.
#[derive(Debug)]
#[must_use]
pub struct Verified {
    credentials: Vec<VerifiedCredential>,
    warnings: Vec<Warning>,
    origin: RequestOrigin,
}

/// One verified credential, with its claims.
#[derive(Debug)]
pub struct VerifiedCredential {
    query_id: String,
    format: CredentialFormat,
    /// As the query names them: `vct` values, or the IRIs of W3C types.
    types: Vec<String>,
    facts: Facts,
    claims: Map<String, Value>,
    authority: Authority,
    status: Vec<StatusReport>,
    holder_binding_proven: bool,
}

/// Where the right of an issuer to issue comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Authority {
    /// The registry accredited the issuer.
    Registry {
        /// Id of the accreditation.
        accreditation: String,
        /// Where that registry is not pinned: the origin of the pinned one that recognises it.
        recognised_by: Option<String>,
        /// When the bundle's knowledge was true.
        as_of: Timestamp,
    },
    /// The verifier chose to trust it.
    TrustAnchor {
        /// The issuer, or the `ni:` name of the certificate authority that vouches for it.
        name: String,
    },
}

/// A status as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusReport {
    /// The list.
    pub uri: String,
    /// The place in it.
    pub index: usize,
    /// When the issuer committed to it.
    pub committed: Timestamp,
}

/// What came in answer to a question.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    /// The presentations.
    pub vp_token: &'a VpToken,
    /// Extracts of registers, of which a holder who was online later than the verifier gets newer ones. For issuers that an
    /// extract is about, it counts instead of an older bundle; it cannot take anything back that a bundle says.
    pub extracts: &'a [Extract],
}

impl<'a> From<&'a VpToken> for Answer<'a> {
    /// Presentations and nothing else.
    fn from(vp_token: &'a VpToken) -> Self {
        Self {
            vp_token,
            extracts: &[],
        }
    }
}

/// Verifies an answer against what was asked.
///
/// `bundles` are tried in their order for the issuer of each credential, those of pinned registries before those of
/// registries that a pinned one among them recognises. `now` is the verifier's clock. Without a bundle
/// the policy's trust anchors have to do.
///
/// # Errors
/// [`Refused`], with every reason that was found and the verdict `refused`, `stale` or `not_covered`. No claim
/// is in it.
pub fn verify<'a>(
    answer: impl Into<Answer<'a>>,
    question: &Question<'_>,
    bundles: &[&TrustedBundle],
    policy: &Policy<'_>,
    now: Timestamp,
) -> Result<Verified, Refused> {
    let Answer { vp_token, extracts } = answer.into();
    let mut extracts: Vec<&Extract> = extracts.iter().take(MAX_EXTRACTS).collect();
    extracts.sort_by_key(|extract| Reverse(extract.bundle().checkpoint().size()));
    check_clock(bundles, &extracts, policy, now)?;
    let transaction = Transaction {
        audience: question.client_id,
        nonce: question.nonce,
        now,
        max_age: policy.max_age,
    };
    let judge = |bundles| evidence::Judge {
        bundles,
        trust_anchors: policy.trust_anchors,
        schemas: policy.schemas,
        transaction,
        delivered: question.delivered,
        now,
    };
    let with_extracts = extracts.iter();
    let with_extracts = with_extracts.filter_map(|extract| Bundles::with_extract(bundles, extract, now));
    let with_extracts: Vec<_> = with_extracts.map(judge).collect();
    let by_bundles = judge(Bundles::sort(bundles, now));
    let (mut credentials, mut warnings, mut reasons) = (Vec::new(), Vec::new(), Vec::new());
    for (query_id, presentation) in vp_token.iter() {
        let Some(asked) = question.query.credential(query_id) else {
            reasons.push(Reason::NotAsked {
                query_id: query_id.to_owned(),
            });
            continue;
        };
        // What an extract does not cover, the next one or the bundles may.
        let mut by_extracts = with_extracts.iter().map(|judge| judge.judge(asked, presentation));
        let by_extract = by_extracts.find(|judged| !judged.as_ref().is_err_and(Reason::may_be_left_out));
        match by_extract.unwrap_or_else(|| by_bundles.judge(asked, presentation)) {
            Ok(judged) => {
                for (credential, warned) in judged {
                    credentials.push(credential);
                    warnings.extend(warned);
                }
            }
            Err(reason) => reasons.push(reason),
        }
    }
    if !reasons.is_empty() {
        return Err(Refused::new(reasons));
    }
    check_answer(question.query, &credentials)?;
    if matches!(question.origin, RequestOrigin::File { .. }) {
        warnings.push(Warning::RequestFromFile);
    }
    Ok(Verified {
        credentials,
        warnings,
        origin: question.origin,
    })
}

impl Verified {
    /// The credentials, in the order of the `vp_token`; at least one.
    #[must_use]
    pub fn credentials(&self) -> &[VerifiedCredential] {
        &self.credentials
    }

    /// What a relying party should know besides.
    #[must_use]
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// Where the request came from that the holder's signature answers.
    #[must_use]
    pub const fn origin(&self) -> RequestOrigin {
        self.origin
    }
}

impl VerifiedCredential {
    /// The credential query that it answers.
    #[must_use]
    pub fn query_id(&self) -> &str {
        &self.query_id
    }

    /// Issuer, types, validity and keys.
    #[must_use]
    pub const fn facts(&self) -> &Facts {
        &self.facts
    }

    /// The claims that were disclosed; of a W3C credential the whole document.
    #[must_use]
    pub const fn claims(&self) -> &Map<String, Value> {
        &self.claims
    }

    /// Where the issuer's authority for every type comes from.
    #[must_use]
    pub const fn authority(&self) -> &Authority {
        &self.authority
    }

    /// Every status entry of the credential; all of them say valid.
    #[must_use]
    pub fn status(&self) -> &[StatusReport] {
        &self.status
    }

    /// Whether the holder's signature over this request was checked.
    #[must_use]
    pub const fn holder_binding_proven(&self) -> bool {
        self.holder_binding_proven
    }
}

/// A bundle from the future shows that this machine's clock is behind: every expiry would be judged wrongly.
fn check_clock(
    bundles: &[&TrustedBundle],
    extracts: &[&Extract],
    policy: &Policy<'_>,
    now: Timestamp,
) -> Result<(), Refused> {
    if bundles.is_empty() && extracts.is_empty() && policy.trust_anchors.is_empty() {
        return Err(Refused::new(vec![Reason::NoBundle]));
    }
    let of_extracts = extracts.iter().map(|extract| extract.bundle().as_of());
    let all = bundles.iter().map(|bundle| bundle.as_of()).chain(of_extracts);
    let newest = all.chain(policy.time_floor).max();
    match newest.filter(|newest| newest.seconds_since(now) > MAX_CLOCK_SKEW) {
        Some(bundle) => Err(Refused::new(vec![Reason::ClockBehind { now, bundle }])),
        None => Ok(()),
    }
}

fn check_answer(query: &DcqlQuery, credentials: &[VerifiedCredential]) -> Result<(), Refused> {
    let claims: Vec<Value> = credentials
        .iter()
        .map(|one| Value::Object(one.claims.clone()))
        .collect();
    let presented: Vec<Presented<'_>> = credentials
        .iter()
        .zip(&claims)
        .map(|(one, claims)| Presented {
            query_id: &one.query_id,
            format: one.format.clone(),
            types: one.types.clone(),
            claims,
            holder_binding_proven: one.holder_binding_proven,
        })
        .collect();
    openid4vc::dcql::answer::check(query, &presented).map_err(|error| Refused::new(vec![Reason::Answer(error)]))
}
