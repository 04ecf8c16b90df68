//! The agencies' own desks towards the hub: the platform holds their keys, so it signs for them.
//!
//! With the administrative token an officer of an agency has one of the hub's statements signed, gets a client
//! assertion for the hub's token endpoint, or enrols a person's key. Each statement is read as its own type
//! before it is signed, so this signs what an agency may say to a hub and nothing else. Sending it is left to
//! whoever asked: the hub has no other way in for the agencies of its own platform than for those elsewhere.

use std::sync::Arc;

use anyhow::Context as _;
use anyhow::Result;
use axum::Json;
use axum::Router;
use axum::extract::FromRef;
use axum::extract::Path;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use did::Did;
use did::DidUrl;
use hub::protocol::consent::ConsentRegistration;
use hub::protocol::consent::holder_key;
use hub::protocol::grant::Application;
use hub::protocol::grant::Decision;
use hub::protocol::grant::Revocation;
use hub::protocol::publication::PublicationTerms;
use hub::protocol::statement::MAX_LIFETIME_SECONDS;
use hub::protocol::statement::Signing;
use hub::protocol::statement::StatementKind;
use hub::protocol::statement::sign;
use issuer::agency::AgencyFile;
use issuer::register::MAX_SUBJECT_ID_BYTES;
use keys::Signer;
use keys::signing::fulfil;
use openid4vc::oauth::client_assertion;
use serde::Deserialize;
use serde::Serialize;
use serde_json::Value;
use serde_json::json;
use server::AdminToken;
use server::Clock;
use server::Problem;
use server::StrictJson;
use server::admin::Admin;

use crate::agencies::is_agency_id;
use crate::data::DataFolder;
use crate::hub::Persons;
use crate::sample::agency_signers;

/// What the handlers need.
#[derive(Clone)]
pub(crate) struct Desk {
    pub(crate) data: Arc<DataFolder>,
    /// The hub's issuer identifier.
    pub(crate) hub: String,
    pub(crate) persons: Persons,
    pub(crate) clock: Clock,
}

/// What an agency may have signed.
#[derive(Debug, Deserialize, Serialize)]
#[serde(tag = "type", content = "content", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum StatementRequest {
    Application(Application),
    ConsentRegistration(ConsentRegistration),
    Decision(Decision),
    Publication(Box<PublicationTerms>),
    Revocation(Revocation),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EnrolRequest {
    /// The id in the agency's register.
    subject: String,
    /// The DID URL of a `did:key` or `did:jwk`.
    key: String,
}

/// An agency of this platform and the key that it signs with.
struct Agency {
    did: Did,
    key_id: DidUrl,
    signer: Arc<dyn Signer>,
}

impl FromRef<Desk> for AdminToken {
    fn from_ref(desk: &Desk) -> Self {
        desk.data.admin().clone()
    }
}

impl Desk {
    /// Every endpoint.
    pub(crate) fn router(self) -> Router {
        Router::new()
            .route("/admin/agencies/{id}/statements", post(statement))
            .route("/admin/agencies/{id}/assertion", post(assertion))
            .route("/admin/agencies/{id}/persons", post(enrol))
            .with_state(self)
    }

    /// Whether this platform has the agency.
    pub(crate) fn has(&self, id: &str) -> bool {
        is_agency_id(id) && self.folder(id).join("agency.json").exists()
    }

    /// A statement of the agency to the hub, good for some minutes.
    pub(crate) fn sign(&self, id: &str, request: &StatementRequest) -> Result<String> {
        let agency = self.agency(id)?;
        let now = self.clock.now();
        let signing = Signing {
            key_id: &agency.key_id,
            algorithm: agency.signer.public_key().algorithm(),
            hub: &self.hub,
            now,
            expires_at: now.plus(MAX_LIFETIME_SECONDS),
        };
        let rng = &mut signer::os_rng();
        let request = match request {
            StatementRequest::Application(content) => sign(StatementKind::Application, content, signing, rng),
            StatementRequest::ConsentRegistration(content) => {
                sign(StatementKind::ConsentRegistration, content, signing, rng)
            }
            StatementRequest::Decision(content) => sign(StatementKind::Decision, content, signing, rng),
            StatementRequest::Publication(content) => sign(StatementKind::Publication, content, signing, rng),
            StatementRequest::Revocation(content) => sign(StatementKind::Revocation, content, signing, rng),
        };
        Ok(fulfil(&*agency.signer, request)?)
    }

    fn assert(&self, id: &str) -> Result<Value> {
        let agency = self.agency(id)?;
        let (kid, algorithm) = (agency.key_id.to_string(), agency.signer.public_key().algorithm());
        let rng = &mut signer::os_rng();
        let client = agency.did.as_str();
        let request = client_assertion::sign(client, &self.hub, Some(&kid), algorithm, self.clock.now(), rng);
        Ok(json!({"client_id": client, "assertion": fulfil(&*agency.signer, request)?}))
    }

    fn agency(&self, id: &str) -> Result<Agency> {
        let file = AgencyFile::read(&self.folder(id))?;
        Ok(Agency {
            did: Did::parse(&file.did).context("the agency's DID is none")?,
            key_id: DidUrl::parse(&file.verification_method).context("the agency's key id is no DID URL")?,
            signer: agency_signers(&self.data, id)?.jose,
        })
    }

    fn folder(&self, id: &str) -> std::path::PathBuf {
        self.data.path().join("agencies").join(id)
    }
}

/// `POST /admin/agencies/{id}/statements`
async fn statement(
    _: Admin,
    State(desk): State<Desk>,
    Path(id): Path<String>,
    StrictJson(request): StrictJson<StatementRequest>,
) -> Result<Json<Value>, Problem> {
    expect_agency(&desk, &id)?;
    let statement = desk.sign(&id, &request).map_err(|error| not_signed(&error))?;
    Ok(Json(json!({"statement": statement})))
}

/// `POST /admin/agencies/{id}/assertion`
async fn assertion(_: Admin, State(desk): State<Desk>, Path(id): Path<String>) -> Result<Json<Value>, Problem> {
    expect_agency(&desk, &id)?;
    desk.assert(&id).map(Json).map_err(|error| not_signed(&error))
}

/// `POST /admin/agencies/{id}/persons`: the agency has seen the person and knows the key as theirs.
async fn enrol(
    _: Admin,
    State(desk): State<Desk>,
    Path(id): Path<String>,
    StrictJson(request): StrictJson<EnrolRequest>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    expect_agency(&desk, &id)?;
    let bad = |title| Problem::new(StatusCode::BAD_REQUEST, "enrolment", title);
    if request.subject.is_empty() || request.subject.len() > MAX_SUBJECT_ID_BYTES {
        return Err(bad("The subject must be an id of the agency's register."));
    }
    let key_id = DidUrl::parse(&request.key).ok();
    let key = key_id.and_then(|key_id| holder_key(&key_id).ok());
    let key = key.ok_or_else(|| bad("The key must be the DID URL of a did:key or did:jwk."))?;
    let agency = desk.agency(&id).map_err(|error| not_signed(&error))?;
    let enrolled = desk
        .persons
        .enrol(&agency.did, &request.subject, &key, desk.clock.now())
        .await
        .map_err(|error| Problem::internal(&error))?;
    if !enrolled {
        return Err(Problem::new(
            StatusCode::CONFLICT,
            "key-taken",
            "The agency knows this key as another person's.",
        ));
    }
    let shown = json!({"agency": agency.did, "subject": request.subject, "key": request.key});
    Ok((StatusCode::CREATED, Json(shown)))
}

fn expect_agency(desk: &Desk, id: &str) -> Result<(), Problem> {
    if desk.has(id) {
        Ok(())
    } else {
        Err(Problem::not_found("an agency of this platform"))
    }
}

fn not_signed(error: &anyhow::Error) -> Problem {
    Problem::internal(error.as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_statements_of_agencies_to_a_hub_are_signed() {
        let read = |text: &str| serde_json::from_str::<StatementRequest>(text);
        let grant = "AAAAAAAAAAAAAAAAAAAAAA";
        let revocation = |kind: &str| format!(r#"{{"type":"{kind}","content":{{"grant":"{grant}","reason":"over"}}}}"#);
        assert!(matches!(
            read(&revocation("revocation")),
            Ok(StatementRequest::Revocation(_))
        ));
        // A person's statements are signed by the person, and the content must be that of its type.
        for other in ["consent", "consent-withdrawal", "decision", "anything"] {
            assert!(read(&revocation(other)).is_err(), "{other}");
        }
        let extended = revocation("revocation").replace("\"reason\"", "\"more\":1,\"reason\"");
        assert!(read(&extended).is_err());
    }
}
