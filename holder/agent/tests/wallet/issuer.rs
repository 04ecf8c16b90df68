//! An issuer, made from the issuer's half of `openid4vc`, that can be told to misbehave.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use axum::Json;
use axum::Router;
use axum::body::Bytes;
use axum::extract::Path;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use axum::response::Response;
use axum::routing::get;
use axum::routing::post;
use credential::ClaimPath;
use credential::data_integrity;
use credential::data_integrity::Cryptosuite;
use credential::data_integrity::ProofOptions;
use credential::sd_jwt::Decoys;
use credential::sd_jwt_vc::NewCredential;
use jsonld::ContextLoader;
use keys::Algorithm;
use keys::Jwk;
use keys::Signer as _;
use openid4vc::SecureUrl;
use openid4vc::oauth::AuthorizationServerMetadata;
use openid4vc::oauth::BearerToken;
use openid4vc::vci::AccessTokenRecord;
use openid4vc::vci::CredentialOffer;
use openid4vc::vci::CredentialRequest;
use openid4vc::vci::CredentialResponse;
use openid4vc::vci::HolderKey;
use openid4vc::vci::IssuerMetadata;
use openid4vc::vci::NonceKey;
use openid4vc::vci::PreAuthorizedGrant;
use openid4vc::vci::TokenRequest;
use openid4vc::vci::credential::CredentialError;
use openid4vc::vci::credential::IssuedCredential;
use openid4vc::vci::credential::authorize;
use openid4vc::vci::grant::OfferTerms;
use openid4vc::vci::grant::TokenPolicy;
use openid4vc::vci::notification::NotificationRequest;
use openid4vc::vci::offer::OfferUri;
use openid4vc::vci::offer::TransactionCode;
use openid4vc::vci::proof::UnverifiedProofs;
use serde_json::Value;
use serde_json::json;
use signer::SoftwareKey;

use crate::NOW;
use crate::platform::Platform;

const PATH: &str = "/issuers/population";
const DAY: i64 = 86_400;

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    /// The first nonces, so many, are not taken.
    Nonces(usize),
    /// A disclosure is changed on the way.
    Tampered,
    /// Bound to a key of somebody else.
    OtherHolder,
    /// Of another type than offered.
    OtherType,
    /// Comes later.
    Deferred,
    /// The context of its W3C credentials is gone.
    NoContext,
    /// Licences are denied.
    NoLicence,
    /// The answer is a web page.
    WebPage,
}

pub(crate) struct Issuer {
    pub(crate) identifier: SecureUrl,
    pub(crate) key: SoftwareKey,
    /// For Data Integrity proofs, with a DID of its own.
    pub(crate) ldp_key: SoftwareKey,
    pub(crate) did: String,
    pub(crate) key_id: String,
    pub(crate) metadata: Value,
    pub(crate) fault: Fault,
    pub(crate) requests: usize,
    pub(crate) notifications: Vec<String>,
    nonce_key: NonceKey,
    offers: BTreeMap<String, CredentialOffer>,
    grants: BTreeMap<String, PreAuthorizedGrant>,
    tokens: BTreeMap<String, AccessTokenRecord>,
    spent: BTreeSet<String>,
}

impl Issuer {
    pub(crate) fn new(origin: &str) -> Self {
        let rng = &mut signer::os_rng();
        let identifier = SecureUrl::parse(&format!("{origin}{PATH}")).unwrap();
        let key = SoftwareKey::generate(Algorithm::Es256, rng);
        Self {
            did: did::methods::key::did(key.public_key()),
            key_id: did::methods::key::method_id(key.public_key()),
            metadata: metadata(&identifier),
            fault: Fault::None,
            requests: 0,
            notifications: Vec::new(),
            nonce_key: NonceKey::generate(rng),
            offers: BTreeMap::new(),
            grants: BTreeMap::new(),
            tokens: BTreeMap::new(),
            spent: BTreeSet::new(),
            ldp_key: SoftwareKey::generate(Algorithm::EdDsa, rng),
            identifier,
            key,
        }
    }

    /// From now on its DID is one that the registry resolves.
    pub(crate) fn take_did(&mut self, did: &str) {
        self.did = did.to_owned();
        self.key_id = format!("{did}#key-1");
    }

    /// An offer of `types`, by value.
    pub(crate) fn offer(&mut self, types: &[&str], tx_code: Option<&str>) -> CredentialOffer {
        let terms = OfferTerms {
            credential_issuer: self.identifier.clone(),
            credential_configuration_ids: types.iter().map(|name| (*name).to_owned()).collect(),
            subject: "X0000001A".to_owned(),
            tx_code: tx_code.map(|code| TransactionCode::parse(code).unwrap()),
            tx_code_description: tx_code.map(|_| "In the letter".to_owned()),
            lifetime: 600,
        };
        let (grant, offer) = PreAuthorizedGrant::offer(terms, NOW, &mut signer::os_rng()).unwrap();
        let code = &offer.grants.pre_authorized_code.as_ref().unwrap().pre_authorized_code;
        self.grants.insert(PreAuthorizedGrant::key(code), grant);
        offer
    }

    /// The same by reference.
    pub(crate) fn offer_uri_by_reference(&mut self, types: &[&str], tx_code: Option<&str>) -> String {
        let id = format!("offer{}", self.offers.len());
        let offer = self.offer(types, tx_code);
        self.offers.insert(id.clone(), offer);
        OfferUri::reference(&SecureUrl::parse(&format!("{}/offers/{id}", self.identifier)).unwrap())
    }

    fn issue(&mut self, token: &str, body: &[u8]) -> Result<CredentialResponse, CredentialError> {
        self.requests += 1;
        let request = CredentialRequest::parse(body)?;
        let key = AccessTokenRecord::key(token);
        let record = self.tokens.get(&key).ok_or(CredentialError::TokenUnknown)?;
        let metadata = IssuerMetadata::parse(self.metadata.to_string().as_bytes(), &self.identifier).unwrap();
        let (after, authorized) = authorize(record, &request, &metadata, NOW)?;
        let rules = authorized.proof_rules(&self.identifier);
        let unverified = UnverifiedProofs::parse(&authorized.jwt_proofs, &rules)?;
        let mut used: BTreeSet<String> = unverified.nonce_ids(&self.nonce_key, &self.identifier, NOW);
        let refuses = matches!(self.fault, Fault::Nonces(count) if self.requests <= count);
        if !refuses {
            used.retain(|id| self.spent.contains(id));
        }
        let keys = unverified.did_urls().into_iter().map(|url| {
            let id = did::DidUrl::parse(url).unwrap();
            (url.to_owned(), did::methods::key::public_key_of_method(&id).unwrap())
        });
        let keys = keys.collect();
        let verified = unverified.verify(&rules, &keys, Some(&self.nonce_key), &used, NOW)?;
        self.spent
            .extend(verified.spent_nonces.iter().map(|nonce| nonce.id.clone()));
        let kind = authorized.credential_configuration_id.as_str();
        let is_licence = kind == "Licence";
        if self.fault == Fault::Deferred {
            return Ok(CredentialResponse::Deferred {
                transaction_id: "t1".to_owned(),
                interval: 60,
            });
        }
        if self.fault == Fault::NoLicence && is_licence {
            return Err(CredentialError::Denied);
        }
        let credential = |holder: &HolderKey| match kind {
            "IdentityLdp" => self.sign_ldp(holder.did().unwrap()),
            _ => self.sign(&holder.key().to_jwk(), is_licence).into(),
        };
        let credentials = verified.keys.iter().map(|holder| IssuedCredential {
            credential: credential(holder),
        });
        let credentials = credentials.collect();
        self.tokens.insert(key, after);
        Ok(CredentialResponse::Issued {
            credentials,
            notification_id: Some("n1".to_owned()),
        })
    }

    fn sign_ldp(&self, holder: &str) -> Value {
        let url = self.context_url();
        let mut loader = ContextLoader::bundled();
        loader.register(&url, context());
        let document = json!({
            "@context": ["https://www.w3.org/ns/credentials/v2", url],
            "type": ["VerifiableCredential", "Identity"],
            "issuer": did::methods::key::did(self.ldp_key.public_key()),
            "validFrom": NOW.to_rfc3339(),
            "credentialSubject": {"id": holder, "age_over_18": true},
        });
        let options = ProofOptions {
            cryptosuite: Cryptosuite::EddsaRdfc2022,
            algorithm: Algorithm::EdDsa,
            verification_method: &did::methods::key::method_id(self.ldp_key.public_key()),
            created: Some(NOW),
            expires: None,
        };
        let signing = data_integrity::issue(serde_json::from_value(document).unwrap(), &options, &loader);
        Value::Object(self.ldp_key.fulfil(signing.unwrap()).unwrap())
    }

    fn context_url(&self) -> String {
        format!("{}/context", self.identifier)
    }

    fn sign(&self, holder: &Jwk, is_licence: bool) -> String {
        let rng = &mut signer::os_rng();
        let other = SoftwareKey::generate(Algorithm::Es256, rng).public_key().to_jwk();
        let (vct, claims, paths) = if is_licence {
            (
                "urn:licence",
                json!({"licence_number": "L-1"}),
                json!([["licence_number"]]),
            )
        } else {
            (
                "urn:pid",
                json!({"family_name": "Nguyễn", "age_over_18": true, "issuing_country": "XA"}),
                json!([["family_name"], ["age_over_18"]]),
            )
        };
        let disclosable: Vec<ClaimPath> = serde_json::from_value(paths).unwrap();
        let credential = NewCredential {
            issuer: &self.did,
            key_id: &self.key_id,
            vct: if self.fault == Fault::OtherType {
                "urn:other"
            } else {
                vct
            },
            type_integrity: None,
            other_types: &[],
            holder: Some(if self.fault == Fault::OtherHolder {
                &other
            } else {
                holder
            }),
            issued_at: NOW,
            valid_from: None,
            valid_until: Some(NOW.plus(DAY)),
            status: None,
            claims: claims.as_object().unwrap(),
            disclosable: &disclosable,
            decoys: Decoys::None,
        };
        let signing = credential.issue(Algorithm::Es256, rng).unwrap();
        let text = self.key.fulfil(signing).unwrap();
        if self.fault == Fault::Tampered {
            text.replacen('~', "~x", 1)
        } else {
            text
        }
    }
}

fn metadata(identifier: &SecureUrl) -> Value {
    let configuration = |vct: &str, name: &str, claim: &str, label: &str| {
        json!({
            "format": "dc+sd-jwt", "vct": vct,
            "credential_signing_alg_values_supported": ["ES256"],
            "cryptographic_binding_methods_supported": ["jwk"],
            "proof_types_supported": {"jwt": {"proof_signing_alg_values_supported": ["ES256"]}},
            "credential_metadata": {
                "display": [{"name": name, "locale": "en"}],
                "claims": [{"path": [claim], "display": [{"name": label, "locale": "en"}]}],
            },
        })
    };
    json!({
        "credential_issuer": identifier,
        "credential_endpoint": format!("{identifier}/credential"),
        "nonce_endpoint": format!("{identifier}/nonce"),
        "notification_endpoint": format!("{identifier}/notification"),
        "display": [{"name": "Population Office", "locale": "en"}],
        "credential_configurations_supported": {
            "Identity": configuration("urn:pid", "Person identity", "age_over_18", "Adult"),
            "Licence": configuration("urn:licence", "Driving licence", "licence_number", "Number"),
            "IdentityLdp": {
                "format": "ldp_vc",
                "credential_definition": {
                    "@context": ["https://www.w3.org/ns/credentials/v2", format!("{identifier}/context")],
                    "type": ["VerifiableCredential", "Identity"],
                },
                "cryptographic_binding_methods_supported": ["did:key"],
                "proof_types_supported": {"jwt": {"proof_signing_alg_values_supported": ["ES256", "EdDSA"]}},
            },
            "Foreign": {"format": "jwt_vc_json-ld"},
        },
    })
}

/// What the terms of `IdentityLdp` mean.
fn context() -> Value {
    json!({"@context": {
        "Identity": "https://types.example/vocab#Identity",
        "age_over_18": "https://types.example/vocab#age_over_18",
    }})
}

pub(crate) fn router() -> Router<Platform> {
    Router::new()
        .route(
            &format!("/.well-known/openid-credential-issuer{PATH}"),
            get(issuer_metadata),
        )
        .route(
            &format!("/.well-known/oauth-authorization-server{PATH}"),
            get(server_metadata),
        )
        .route(&format!("{PATH}/offers/{{id}}"), get(offer))
        .route(&format!("{PATH}/context"), get(serve_context))
        .route(&format!("{PATH}/token"), post(token))
        .route(&format!("{PATH}/nonce"), post(nonce))
        .route(&format!("{PATH}/credential"), post(issue))
        .route(&format!("{PATH}/notification"), post(notification))
}

async fn issuer_metadata(State(platform): State<Platform>) -> Json<Value> {
    Json(platform.issuer(|issuer| issuer.metadata.clone()))
}

async fn server_metadata(State(platform): State<Platform>) -> Json<AuthorizationServerMetadata> {
    let at = platform.url(&format!("{PATH}/token"));
    Json(platform.issuer(|issuer| AuthorizationServerMetadata::pre_authorized(issuer.identifier.clone(), at)))
}

async fn offer(State(platform): State<Platform>, Path(id): Path<String>) -> Response {
    let offer = platform.issuer(|issuer| issuer.offers.get(&id).cloned());
    match offer {
        Some(offer) => Json(offer).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn serve_context(State(platform): State<Platform>) -> Response {
    if platform.issuer(|issuer| issuer.fault == Fault::NoContext) {
        return StatusCode::NOT_FOUND.into_response();
    }
    Json(context()).into_response()
}

async fn token(State(platform): State<Platform>, body: Bytes) -> Response {
    let request = TokenRequest::parse(&body).unwrap();
    platform.issuer(|issuer| {
        let key = PreAuthorizedGrant::key(&request.pre_authorized_code);
        let grant = issuer.grants.get(&key).cloned().unwrap();
        let (grant, redeemed) = grant.redeem(&request, TokenPolicy::default(), NOW, &mut signer::os_rng());
        issuer.grants.insert(key, grant);
        match redeemed {
            Ok(redeemed) => {
                let key = AccessTokenRecord::key(&redeemed.response.access_token);
                issuer.tokens.insert(key, redeemed.record);
                Json(redeemed.response).into_response()
            }
            Err(error) => (StatusCode::BAD_REQUEST, Json(error.to_response())).into_response(),
        }
    })
}

async fn nonce(State(platform): State<Platform>) -> Response {
    let nonce = platform.issuer(|issuer| {
        issuer
            .nonce_key
            .issue(&issuer.identifier, 300, NOW, &mut signer::os_rng())
    });
    Json(nonce).into_response()
}

async fn issue(State(platform): State<Platform>, headers: HeaderMap, body: Bytes) -> Response {
    let header = headers.get("authorization").and_then(|value| value.to_str().ok());
    let token = BearerToken::from_header(header).unwrap();
    platform.issuer(|issuer| {
        if issuer.fault == Fault::WebPage {
            return (StatusCode::OK, "<html>").into_response();
        }
        match issuer.issue(token.reveal(), &body) {
            Ok(response @ CredentialResponse::Deferred { .. }) => {
                (StatusCode::ACCEPTED, Json(response)).into_response()
            }
            Ok(response) => Json(response).into_response(),
            Err(error) => (StatusCode::BAD_REQUEST, Json(error.to_response())).into_response(),
        }
    })
}

async fn notification(State(platform): State<Platform>, body: Bytes) -> StatusCode {
    let request = NotificationRequest::parse(&body).unwrap();
    let event = serde_json::to_value(request.event).unwrap();
    platform.issuer(|issuer| issuer.notifications.push(event.as_str().unwrap().to_owned()));
    StatusCode::NO_CONTENT
}
