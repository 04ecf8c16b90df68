//! What a person is asked to agree to, and the response once they have.
//!
//! The list of claims is not computed from the request: the presentation is made, and read as its verifier will
//! read it. So the list is what leaves, also where an issuer signed claims that cannot be withheld.

use credential::ClaimPath;
use credential::SdJwtVc;
use credential::Unverified;
use credential::claim_path::ClaimPathError;
use credential::claim_path::PathComponent;
use credential::sd_jwt::KeyBindingError;
use credential::sd_jwt_vc::PresentError;
use credential::sd_jwt_vc::SdJwtVcError;
use keys::SigningRequest;
use keys::Timestamp;
use openid4vc::SecureUrl;
use openid4vc::dcql::path::Step;
use openid4vc::dcql::select::ChoiceError;
use openid4vc::dcql::select::Disclosure;
use openid4vc::dcql::select::PlannedPresentation;
use openid4vc::vp::ReceivedRequest;
use openid4vc::vp::VpToken;
use serde::Serialize;
use serde_json::Map;
use serde_json::Value;
use thiserror::Error;

use crate::CredentialRecord;
use crate::HeldCredential;
use crate::OpenError;
use crate::ShownClaim;
use crate::claims::flatten;
use crate::holdings::Holding;

/// Who would get the claims.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verifier {
    /// Signed by this DID. Whether it is accredited, a trust bundle says.
    Did(String),
    /// Not signed: known only by where the answer goes.
    ResponseUri(SecureUrl),
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
    holding: &'a Holding,
    paths: Vec<ClaimPath>,
    disclosed: Vec<DisclosedClaim>,
}

/// A claim that would leave the wallet.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DisclosedClaim {
    /// The claim.
    #[serde(flatten)]
    pub claim: ShownClaim,
    /// Whether the request asks for it; if not, the issuer made it so that it cannot be withheld.
    pub requested: bool,
}

/// Nothing can be presented.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ProposalError {
    /// The choice does not fit the query.
    #[error("the wallet cannot answer the request")]
    Choice(#[from] ChoiceError),
    /// The holder's key is not the credential's.
    #[error("the presentation cannot be bound to its holder")]
    KeyBinding(#[from] KeyBindingError),
    /// Nothing that the wallet has serves what is required.
    #[error(
        "expected credentials that serve the request's {}, found none with the type and claims asked for",
        query_ids.join(", ")
    )]
    Lacking {
        /// Ids of the credential queries, as the verifier chose them.
        query_ids: Vec<String>,
    },
    /// A chosen credential is not part of an answer: the person's slip.
    #[error("expected a choice of credentials that the request asks for, found {id}, which it does not")]
    NotAsked {
        /// Its id.
        id: String,
    },
    /// What would serve is expired or not valid yet.
    #[error("expected a credential that is valid now, found {}, which would serve but is not; ask its issuer for a new one", ids.join(", "))]
    NotValidNow {
        /// Their ids.
        ids: Vec<String>,
    },
    /// A stored credential is damaged.
    #[error("the credential {id} cannot be read; restore it from a backup or remove it")]
    Open {
        /// Its id.
        id: String,
        /// Why.
        #[source]
        source: OpenError,
    },
    /// A place in a credential that no path leads to.
    #[error("the request asks for a claim too deep in the credential")]
    Path(#[from] ClaimPathError),
    /// The disclosures do not fit the credential.
    #[error("the credential cannot be presented")]
    Present(#[from] PresentError),
    /// The wallet's own presentation is not read: a fault of this program.
    #[error("the presentation does not read as a verifier must read it")]
    Presentation(#[source] SdJwtVcError),
    /// A chosen credential is not in the wallet: the person's slip.
    #[error("expected the id of a credential in this wallet, found {id:?}")]
    Unknown {
        /// The id.
        id: String,
    },
}

impl<'a> Proposal<'a> {
    pub(crate) const fn new(request: &'a ReceivedRequest, credentials: Vec<ProposedCredential<'a>>) -> Self {
        Self { request, credentials }
    }

    /// Who would get it.
    #[must_use]
    pub fn verifier(&self) -> Verifier {
        Verifier::of(self.request)
    }

    /// The request that it answers.
    #[must_use]
    pub const fn request(&self) -> &ReceivedRequest {
        self.request
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
        let (audience, nonce) = (request.client_id.as_str(), request.nonce.as_str());
        let present = |proposed: &ProposedCredential<'_>| {
            let signing = match &proposed.holding.held {
                HeldCredential::SdJwtVc(held) => held
                    .present(&proposed.paths)?
                    .bind(audience, nonce, now)?
                    .map(Value::from),
            };
            Ok(UnsignedPresentation {
                query_id: proposed.query_id.clone(),
                holder_key: proposed.holding.record.holder_key.clone(),
                signing,
            })
        };
        self.credentials.iter().map(present).collect()
    }
}

impl Verifier {
    /// Who made a request.
    #[must_use]
    pub fn of(request: &ReceivedRequest) -> Self {
        let client_id = &request.request().client_id;
        match (client_id.did(), client_id.response_uri()) {
            (None, Some(url)) => Self::ResponseUri(url.clone()),
            // A client identifier is one or the other.
            (did, _) => Self::Did(did.unwrap_or_default().to_owned()),
        }
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

impl<'a> ProposedCredential<'a> {
    pub(crate) fn new(holding: &'a Holding, plan: &PlannedPresentation<'_>) -> Result<Self, ProposalError> {
        let paths: Vec<ClaimPath> = match &plan.disclosure {
            Disclosure::Claims(places) => places.iter().map(|place| claim_path(place)).collect::<Result<_, _>>()?,
            Disclosure::Whole => Vec::new(),
        };
        let seen = seen_by_verifier(&holding.held, &paths)?;
        let is_whole = plan.disclosure == Disclosure::Whole;
        let disclosed = flatten(&seen, &holding.record)
            .into_iter()
            .map(|claim| DisclosedClaim {
                requested: is_whole || paths.iter().any(|path| overlap(path.components(), &claim.components)),
                claim,
            })
            .collect();
        Ok(Self {
            query_id: plan.query.id.clone(),
            holding,
            paths,
            disclosed,
        })
    }

    /// The credential.
    #[must_use]
    pub const fn record(&self) -> &CredentialRecord {
        &self.holding.record
    }

    /// Every claim that would leave, those that cannot be withheld included, apart from
    /// [`crate::ENVELOPE`].
    #[must_use]
    pub fn disclosed(&self) -> &[DisclosedClaim] {
        &self.disclosed
    }
}

/// The claims that a verifier finds in the presentation of `paths`.
fn seen_by_verifier(held: &HeldCredential, paths: &[ClaimPath]) -> Result<Map<String, Value>, ProposalError> {
    match held {
        HeldCredential::SdJwtVc(held) => {
            let (text, facts) = (held.present(paths)?.into_unbound(), held.facts());
            let seen = Unverified::<SdJwtVc>::parse(&text).and_then(|read| read.restore(facts.key(), facts.issuer()));
            Ok(seen.map_err(ProposalError::Presentation)?.claims().clone())
        }
    }
}

/// Whether one lies within the other.
fn overlap(a: &[PathComponent], b: &[PathComponent]) -> bool {
    a.starts_with(b) || b.starts_with(a)
}

fn claim_path(place: &[Step]) -> Result<ClaimPath, ClaimPathError> {
    let component = |step: &Step| match step {
        Step::Key(name) => PathComponent::Key(name.clone()),
        Step::Index(index) => PathComponent::Index(*index),
    };
    ClaimPath::try_from(place.iter().map(component).collect::<Vec<_>>())
}
