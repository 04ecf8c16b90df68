//! What a person is asked to agree to, and the response once they have.
//!
//! The list of claims is not computed from the request: the presentation is made, and read as its verifier will
//! read it. So the list is what leaves, also where an issuer signed claims that cannot be withheld.

use credential::ClaimPath;
use credential::Mdoc;
use credential::SdJwtVc;
use credential::Unverified;
use credential::claim_path::ClaimPathError;
use credential::claim_path::PathComponent;
use credential::data_integrity::LdpVpError;
use credential::data_integrity::SelectiveError;
use credential::mdoc::MdocError;
use credential::mdoc::SessionTranscript;
use credential::mdoc::device_response;
use credential::sd_jwt::KeyBindingError;
use credential::sd_jwt_vc::PresentError;
use credential::sd_jwt_vc::SdJwtVcError;
use keys::SigningRequest;
use keys::Timestamp;
use openid4vc::SecureUrl;
use openid4vc::dcql::CredentialQuery;
use openid4vc::dcql::path::Step;
use openid4vc::dcql::query::ClaimsQuery;
use openid4vc::dcql::select::ChoiceError;
use openid4vc::dcql::select::Disclosure;
use openid4vc::dcql::select::PlannedPresentation;
use openid4vc::vp::AuthorizationRequest;
use openid4vc::vp::Delivery;
use openid4vc::vp::ReceivedRequest;
use openid4vc::vp::VpToken;
use rand_core::CryptoRng;
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
use crate::w3c;

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
    /// Whether the verifier wants to see that the holder presents it.
    bound: bool,
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
    /// Whether the verifier says that it will keep it (`intent_to_retain`, for mdocs alone). That it says nothing
    /// proves nothing.
    pub retained: bool,
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
    /// The credential's holder has a DID that this wallet does not sign for.
    #[error("expected a credential whose subject is a did:key or did:jwk, found another")]
    HolderDid,
    /// The presentation cannot be made.
    #[error("the credential cannot be presented with a proof")]
    LdpVp(#[source] Box<LdpVpError>),
    /// Nothing that the wallet has serves what is required.
    #[error(
        "expected credentials that serve the request's {}, found none with the type and claims asked for",
        query_ids.join(", ")
    )]
    Lacking {
        /// Ids of the credential queries, as the verifier chose them.
        query_ids: Vec<String>,
    },
    /// The mdoc cannot be presented.
    #[error("the mdoc cannot be presented")]
    Mdoc(#[from] MdocError),
    /// An mdoc was to be presented where no standard says what the device signs.
    #[error(
        "expected an answer that is posted, found one for a file: no standard says what a device signs for a file, so an mdoc cannot go into one"
    )]
    NoSession,
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
    /// A place in a credential that no pointer leads to.
    #[error("the request asks for a claim that cannot be selected")]
    Selection(#[source] SelectiveError),
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
    pub fn present(&self, now: Timestamp, rng: &mut dyn CryptoRng) -> Result<Vec<UnsignedPresentation>, ProposalError> {
        let request = self.request.request();
        let transcript = session_transcript(request);
        let transaction = Transaction {
            audience: request.client_id.as_str(),
            nonce: &request.nonce,
            now,
            transcript: transcript.as_ref(),
        };
        let mut present = |proposed: &ProposedCredential<'_>| {
            Ok(UnsignedPresentation {
                query_id: proposed.query_id.clone(),
                step: proposed.step(&transaction, rng)?,
            })
        };
        self.credentials.iter().map(&mut present).collect()
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

/// What a presentation is made for.
#[derive(Clone, Copy)]
pub(crate) struct Transaction<'a> {
    pub(crate) audience: &'a str,
    pub(crate) nonce: &'a str,
    pub(crate) now: Timestamp,
    pub(crate) transcript: Option<&'a SessionTranscript>,
}

/// A presentation that lacks at most the holder's signature.
#[derive(Debug)]
pub struct UnsignedPresentation {
    /// The credential query that it answers.
    pub query_id: String,
    /// What is left to do.
    pub step: PresentationStep,
}

/// What is left to do for a presentation.
pub enum PresentationStep {
    /// Nothing: the verifier asks for the bare credential.
    Ready(Value),
    /// The holder signs.
    Sign {
        /// Where the wallet keeps the key to sign with.
        holder_key: String,
        /// The signature to make.
        signing: SigningRequest<Value>,
    },
}

impl std::fmt::Debug for PresentationStep {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Ready(_) => "Ready(..)",
            Self::Sign { .. } => "Sign { .. }",
        })
    }
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
    pub(crate) fn new(
        holding: &'a Holding,
        plan: &PlannedPresentation<'_>,
        rng: &mut dyn CryptoRng,
    ) -> Result<Self, ProposalError> {
        let paths: Vec<ClaimPath> = match &plan.disclosure {
            Disclosure::Claims(places) => places.iter().map(|place| claim_path(place)).collect::<Result<_, _>>()?,
            Disclosure::Whole => asked_paths(plan.query, &holding.claims)?,
        };
        let seen = seen_by_verifier(holding, &paths, rng)?;
        let retained = retained_paths(plan.query, &holding.claims)?;
        let is_within = |paths: &[ClaimPath], claim: &ShownClaim| {
            paths.iter().any(|path| overlap(path.components(), &claim.components))
        };
        let disclosed = flatten(&seen, &holding.record)
            .into_iter()
            .map(|claim| DisclosedClaim {
                requested: is_within(&paths, &claim),
                retained: is_within(&retained, &claim),
                claim,
            })
            .collect();
        Ok(Self {
            query_id: plan.query.id.clone(),
            holding,
            bound: plan.query.require_cryptographic_holder_binding,
            paths,
            disclosed,
        })
    }

    fn step(&self, transaction: &Transaction<'_>, rng: &mut dyn CryptoRng) -> Result<PresentationStep, ProposalError> {
        let Transaction {
            audience, nonce, now, ..
        } = *transaction;
        let record = &self.holding.record;
        let signing = match &self.holding.held {
            // A holder's signature does no harm where none is asked for, and shows who it was meant for.
            HeldCredential::SdJwtVc(held) => held.present(&self.paths)?.bind(audience, nonce, now)?.map(Value::from),
            HeldCredential::Mdoc(held) => {
                let transcript = transaction.transcript.ok_or(ProposalError::NoSession)?;
                let request = held.present(&self.paths)?.sign(transcript);
                request.map(|document| Value::from(device_response(&[document])))
            }
            HeldCredential::VcJwt(w3c) if self.bound => w3c::present_jwt(&w3c.held, transaction)?,
            HeldCredential::LdpVc(w3c) if self.bound => {
                w3c::with_shown(&w3c.held, &self.paths, nonce, &record.contexts, rng, |shown| {
                    w3c::present_ldp(shown, &record.contexts, transaction)
                })?
            }
            HeldCredential::VcJwt(w3c) => return Ok(PresentationStep::Ready(w3c.held.as_str().into())),
            HeldCredential::LdpVc(w3c) => {
                let document = w3c::with_shown(&w3c.held, &self.paths, nonce, &record.contexts, rng, w3c::document)?;
                return Ok(PresentationStep::Ready(document.into()));
            }
        };
        Ok(PresentationStep::Sign {
            holder_key: record.holder_key.clone(),
            signing,
        })
    }

    /// The credential.
    #[must_use]
    pub const fn record(&self) -> &CredentialRecord {
        &self.holding.record
    }

    /// Its name, see [`HeldCredential::name`].
    #[must_use]
    pub fn name(&self, locales: &[&str]) -> String {
        self.holding.held.name(&self.holding.record, locales)
    }

    /// Every claim that would leave, those that cannot be withheld included, apart from the
    /// [`crate::envelope`].
    #[must_use]
    pub fn disclosed(&self) -> &[DisclosedClaim] {
        &self.disclosed
    }
}

/// What a device signs with an mdoc that answers this request; `None` where the answer goes into a file.
pub(crate) fn session_transcript(request: &AuthorizationRequest) -> Option<SessionTranscript> {
    let (response_uri, encryption) = match &request.delivery {
        Delivery::DirectPost(url) => (url, None),
        Delivery::DirectPostJwt(url) => (url, Some(request.response_encryption()?.key)),
        Delivery::File => return None,
    };
    let thumbprint = encryption.map(|key| key.thumbprint_bytes());
    let client_id = request.client_id.as_str();
    Some(SessionTranscript::openid4vp(
        client_id,
        &request.nonce,
        thumbprint.as_ref(),
        response_uri.as_str(),
    ))
}

/// The claims that a verifier finds in the presentation of `paths`.
fn seen_by_verifier(
    holding: &Holding,
    paths: &[ClaimPath],
    rng: &mut dyn CryptoRng,
) -> Result<Map<String, Value>, ProposalError> {
    match &holding.held {
        HeldCredential::SdJwtVc(held) => {
            let (text, facts) = (held.present(paths)?.into_unbound(), held.facts());
            let seen = Unverified::<SdJwtVc>::parse(&text).and_then(|read| read.restore(facts.key(), facts.issuer()));
            Ok(seen.map_err(ProposalError::Presentation)?.claims().clone())
        }
        HeldCredential::LdpVc(w3c) => w3c::with_shown(&w3c.held, paths, "", &holding.record.contexts, rng, |shown| {
            Ok(shown.claims().clone())
        }),
        HeldCredential::Mdoc(held) => {
            let (text, facts) = (held.present(paths)?.issuer_signed(), held.facts());
            let seen = Unverified::<Mdoc>::parse(&text)?.restore(facts.key(), facts.issuer())?;
            Ok(seen.claims().clone())
        }
        // Nothing of it can be left out.
        HeldCredential::VcJwt(w3c) => Ok(w3c.held.claims().clone()),
    }
}

/// The paths of the claims that a query asks for by name, as places in the credential.
fn asked_paths(query: &CredentialQuery, claims: &Value) -> Result<Vec<ClaimPath>, ClaimPathError> {
    places(query.claims.iter(), claims)
}

/// The same of those that the verifier says it will keep.
fn retained_paths(query: &CredentialQuery, claims: &Value) -> Result<Vec<ClaimPath>, ClaimPathError> {
    places(
        query.claims.iter().filter(|claim| claim.intent_to_retain == Some(true)),
        claims,
    )
}

fn places<'q>(
    queries: impl Iterator<Item = &'q ClaimsQuery>,
    claims: &Value,
) -> Result<Vec<ClaimPath>, ClaimPathError> {
    let places = queries.filter_map(|claim| claim.path.select(claims).ok());
    places.flatten().map(|selected| claim_path(&selected.place)).collect()
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
