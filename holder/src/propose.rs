//! From a request to a proposal that a person can judge, and from the proposal to the response.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use credential::ClaimPath;
use credential::sd_jwt::KeyBindingError;
use credential::sd_jwt_vc::PresentError;
use keys::SigningRequest;
use keys::Timestamp;
use openid4vc::dcql::HeldCredential as Candidate;
use openid4vc::dcql::Selection;
use openid4vc::dcql::path::Step;
use openid4vc::dcql::select::ChoiceError;
use openid4vc::dcql::select::Disclosure;
use openid4vc::dcql::select::PlannedPresentation;
use openid4vc::vp::ReceivedRequest;
use openid4vc::vp::VpToken;
use serde_json::Value;
use thiserror::Error;

use crate::CredentialRecord;
use crate::HeldCredential;
use crate::OpenError;

/// Who would get the claims.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verifier {
    /// Signed by this DID. Whether it is accredited, a trust bundle says.
    Did(String),
    /// Not signed: known only by where the answer goes.
    ResponseUri(String),
}

/// What would be presented, ready to be shown to the person and then to be answered.
#[derive(Debug)]
pub struct Proposal<'a> {
    request: &'a ReceivedRequest,
    credentials: Vec<ProposedCredential<'a>>,
}

/// One credential of a proposal.
#[derive(Debug)]
pub struct ProposedCredential<'a> {
    query_id: String,
    record: &'a CredentialRecord,
    held: &'a HeldCredential,
    paths: Vec<ClaimPath>,
    disclosed: Vec<DisclosedClaim>,
}

/// A claim that would leave the wallet.
#[derive(Clone, Debug, PartialEq)]
pub struct DisclosedClaim {
    /// Its name for people, where the issuer gave one; else its path.
    pub label: String,
    /// Its value.
    pub value: Value,
}

/// Nothing can be presented.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ProposalError {
    /// The wallet lacks what is asked for, or the choice does not fit.
    #[error("the wallet cannot answer the request")]
    Choice(#[from] ChoiceError),
    /// The holder's key is not the credential's.
    #[error("the presentation cannot be bound to its holder")]
    KeyBinding(#[from] KeyBindingError),
    /// A stored credential is damaged.
    #[error("the credential {id} cannot be read")]
    Open {
        /// Its id.
        id: String,
        /// Why.
        #[source]
        source: OpenError,
    },
    /// The disclosures do not fit the credential.
    #[error("the credential cannot be presented")]
    Present(#[from] PresentError),
}

/// The wallet's credentials, opened.
#[derive(Debug)]
pub struct Holdings<'a>(Vec<(&'a CredentialRecord, HeldCredential, Value)>);

impl<'a> Holdings<'a> {
    /// Opens every record; one that is damaged is an error, not silently left out.
    ///
    /// # Errors
    /// [`ProposalError::Open`].
    pub fn open(records: &'a [CredentialRecord]) -> Result<Self, ProposalError> {
        let open = |record: &'a CredentialRecord| {
            let held = record.open().map_err(|source| ProposalError::Open {
                id: record.id.clone(),
                source,
            })?;
            let claims = Value::Object(held.claims().clone());
            Ok((record, held, claims))
        };
        records.iter().map(open).collect::<Result<_, _>>().map(Self)
    }

    /// What answers `request`. `preferred` are ids of credentials that the person chose where several fit;
    /// an expired credential is never proposed.
    ///
    /// # Errors
    /// [`ProposalError::Choice`] when the wallet cannot answer.
    pub fn propose(
        &'a self,
        request: &'a ReceivedRequest,
        preferred: &[String],
        now: Timestamp,
    ) -> Result<Proposal<'a>, ProposalError> {
        let is_current = |held: &HeldCredential| held.facts().valid_until().is_none_or(|end| now < end);
        let candidates: Vec<Candidate<'_>> = self
            .0
            .iter()
            .filter(|(_, held, _)| is_current(held))
            .map(candidate)
            .collect();
        let selection = Selection::evaluate(&request.request().dcql_query, &candidates);
        let mut choice = selection.default_choice(false)?;
        let chosen: Vec<(String, Vec<String>)> = choice
            .iter()
            .map(|(query, ids)| (query.to_owned(), ids.to_vec()))
            .collect();
        for (query, ids) in chosen {
            let matching = selection.matches(&query).iter().map(|found| &found.credential_id);
            let wanted: Vec<&String> = matching
                .filter(|id| preferred.contains(id) && !ids.contains(id))
                .collect();
            if let Some(wanted) = wanted.first() {
                choice.remove(&query);
                choice.add(&query, wanted);
            }
        }
        let planned = selection.plan(&choice)?;
        let credentials = planned.into_iter().filter_map(|plan| self.proposed(plan)).collect();
        Ok(Proposal { request, credentials })
    }

    fn proposed(&'a self, plan: PlannedPresentation<'_>) -> Option<ProposedCredential<'a>> {
        let (record, held, claims) = self.0.iter().find(|(record, ..)| record.id == plan.credential_id)?;
        let paths = match plan.disclosure {
            Disclosure::Claims(places) => places.iter().filter_map(|place| claim_path(place)).collect(),
            Disclosure::Whole => Vec::new(),
        };
        let disclosed = disclosed(record, held, claims, &paths);
        Some(ProposedCredential {
            query_id: plan.query.id.clone(),
            record,
            held,
            paths,
            disclosed,
        })
    }
}

impl<'a> Proposal<'a> {
    /// Who would get it.
    #[must_use]
    pub fn verifier(&self) -> Verifier {
        let request = self.request.request();
        match request.client_id.did() {
            Some(did) => Verifier::Did(did.to_owned()),
            None => Verifier::ResponseUri(request.client_id.as_str().to_owned()),
        }
    }

    /// What would leave the wallet.
    #[must_use]
    pub fn credentials(&self) -> &[ProposedCredential<'a>] {
        &self.credentials
    }

    /// The presentations, each waiting for the signature of the key that its credential is bound to. Call it
    /// after the person has agreed.
    ///
    /// # Errors
    /// [`ProposalError`].
    pub fn present(&self, now: Timestamp) -> Result<Vec<UnsignedPresentation>, ProposalError> {
        let request = self.request.request();
        let present = |proposed: &ProposedCredential<'_>| {
            let signing = match proposed.held {
                HeldCredential::SdJwtVc(held) => held
                    .present(&proposed.paths)?
                    .bind(request.client_id.as_str(), &request.nonce, now)?
                    .map(Value::from),
            };
            let (query_id, holder_key) = (proposed.query_id.clone(), proposed.record.holder_key.clone());
            Ok(UnsignedPresentation {
                query_id,
                holder_key,
                signing,
            })
        };
        self.credentials.iter().map(present).collect()
    }
}

/// A presentation that lacks only the holder's signature.
#[derive(Debug)]
pub struct UnsignedPresentation {
    /// The credential query that it answers.
    pub query_id: String,
    /// Where the wallet keeps the key to sign with.
    pub holder_key: String,
    /// The signature to make.
    pub signing: SigningRequest<Value>,
}

impl UnsignedPresentation {
    /// Puts signed presentations into a `vp_token`.
    #[must_use]
    pub fn collect(signed: Vec<(String, Value)>) -> VpToken {
        let mut vp_token = VpToken::default();
        for (query_id, presentation) in signed {
            vp_token.add(&query_id, presentation);
        }
        vp_token
    }
}

impl ProposedCredential<'_> {
    /// The credential.
    #[must_use]
    pub const fn record(&self) -> &CredentialRecord {
        self.record
    }

    /// Every claim that would leave, those that cannot be withheld included.
    #[must_use]
    pub fn disclosed(&self) -> &[DisclosedClaim] {
        &self.disclosed
    }
}

fn candidate<'a>((record, held, claims): &'a (&CredentialRecord, HeldCredential, Value)) -> Candidate<'a> {
    Candidate {
        id: &record.id,
        format: record.format.clone(),
        types: held.facts().types().to_vec(),
        claims,
        can_prove_holder_binding: held.facts().holder().is_some(),
        authorities: Vec::new(),
    }
}

fn claim_path(place: &[Step]) -> Option<ClaimPath> {
    use credential::claim_path::PathComponent;
    let component = |step: &Step| match step {
        Step::Key(name) => PathComponent::Key(name.clone()),
        Step::Index(index) => PathComponent::Index(*index),
    };
    ClaimPath::try_from(place.iter().map(component).collect::<Vec<_>>()).ok()
}

/// The chosen claims, and those that stand in the signed part and so always show. The envelope (issuer, type,
/// dates, key, status) shows as well; a person is told that once, not in each list.
fn disclosed(
    record: &CredentialRecord,
    held: &HeldCredential,
    claims: &Value,
    chosen: &[ClaimPath],
) -> Vec<DisclosedClaim> {
    let HeldCredential::SdJwtVc(sd_jwt) = held;
    let disclosable: BTreeSet<ClaimPath> = sd_jwt.disclosable_paths().unwrap_or_default().into_iter().collect();
    let labels = labels(record);
    let label = |path: &ClaimPath| labels.get(path).cloned().unwrap_or_else(|| path_text(path));
    let mut shown = Vec::new();
    for (name, value) in claims.as_object().into_iter().flatten() {
        let Ok(path) = ClaimPath::of_keys([name.as_str()]) else {
            continue;
        };
        let is_envelope = ENVELOPE.contains(&name.as_str());
        if !is_envelope && !disclosable.contains(&path) && value.as_object().is_none_or(|object| !object.is_empty()) {
            let withheld_inside = disclosable
                .iter()
                .any(|inner| inner.components().starts_with(path.components()));
            if !withheld_inside {
                shown.push(DisclosedClaim {
                    label: label(&path),
                    value: value.clone(),
                });
            }
        }
    }
    for path in chosen {
        for value in path.select(claims).unwrap_or_default() {
            let already = shown
                .iter()
                .any(|claim| claim.label == label(path) && claim.value == *value);
            if !already {
                shown.push(DisclosedClaim {
                    label: label(path),
                    value: value.clone(),
                });
            }
        }
    }
    shown
}

/// Registered claims of the credential itself.
const ENVELOPE: [&str; 10] = [
    "iss",
    "vct",
    "vct#integrity",
    "aka_vcts",
    "cnf",
    "iat",
    "nbf",
    "exp",
    "status",
    "sub",
];

fn labels(record: &CredentialRecord) -> BTreeMap<ClaimPath, String> {
    let label = |claim: &openid4vc::vci::configuration::ClaimDescription| {
        let value = serde_json::to_value(&claim.path).ok()?;
        let path: ClaimPath = serde_json::from_value(value).ok()?;
        let english = claim
            .display
            .iter()
            .find(|one| one.locale.as_deref().is_none_or(|locale| locale.starts_with("en")));
        let name = english.or(claim.display.first())?.name.clone()?;
        Some((path, name))
    };
    record.metadata.claims.iter().filter_map(label).collect()
}

fn path_text(path: &ClaimPath) -> String {
    use credential::claim_path::PathComponent;
    let component = |component: &PathComponent| match component {
        PathComponent::Key(name) => name.clone(),
        PathComponent::Index(index) => index.to_string(),
        PathComponent::All => "*".to_owned(),
    };
    path.components().iter().map(component).collect::<Vec<_>>().join(".")
}
