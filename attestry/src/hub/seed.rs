//! The sample's exchange: an API in the catalogue, and one agency that may read it.
//!
//! All of it is said to the hub by the agencies' signed statements, as anybody says it.

use std::collections::BTreeSet;

use anyhow::Context as _;
use anyhow::Result;
use axum::Router;
use axum::body::Body;
use axum::body::to_bytes;
use axum::http::Request;
use axum::http::StatusCode;
use axum::http::header;
use axum::http::request;
use hub::protocol::field::FieldSet;
use hub::protocol::grant::Application;
use hub::protocol::grant::Decision;
use hub::protocol::grant::LegalBasis;
use hub::protocol::grant::Verdict;
use hub::protocol::id::ApiId;
use hub::protocol::id::ApiVersion;
use hub::protocol::id::GrantId;
use hub::protocol::publication::ConsentRule;
use hub::protocol::publication::Place;
use hub::protocol::publication::PublicationTerms;
use hub::protocol::publication::SubjectParameter;
use openid4vc::SecureUrl;
use serde_json::Value;
use tower::ServiceExt as _;

use crate::hub::Desk;
use crate::hub::StatementRequest;
use crate::register_api;
use crate::sample::API;
use crate::sample::CONSUMER;
use crate::sample::SOURCE;
use crate::sample::source_folder;

const API_VERSION: &str = "v1";
const PURPOSE: &str = "To check who applies for a driving licence";
const FIELDS: &str = "given_name,family_name,birthdate,portrait";
const ONE_YEAR: i64 = 365 * 86_400;
/// An entry of the catalogue.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// Publishes the sample's API on the hub, and approves one agency's access to it, so that a person's consent is
/// all that a call still needs. Does nothing where the API is published, or is not the sample's.
pub(crate) async fn open_exchange(desk: &Desk, hub: &Router, public_url: &SecureUrl) -> Result<()> {
    let path = source_folder(&desk.data).join(register_api::DESCRIPTION);
    let published = Request::get(format!("/hub/catalogue/{API}/{API_VERSION}"));
    if !path.exists() || !desk.has(CONSUMER) || ask(hub, published, "").await?.0.is_success() {
        return Ok(());
    }
    let description: Value = serde_json::from_slice(&std::fs::read(&path)?)?;
    let request = StatementRequest::Publication(Box::new(publication(description, public_url)?));
    state(desk, hub, SOURCE, &request, "/hub/catalogue").await?;

    let valid_until = desk.clock.now().plus(ONE_YEAR);
    let fields = FieldSet::parse_list(FIELDS)?;
    let request = StatementRequest::Application(Application {
        api: ApiId::parse(API)?,
        version: ApiVersion::parse(API_VERSION)?,
        purpose: PURPOSE.to_owned(),
        legal_basis: LegalBasis::Consent,
        fields: fields.clone(),
        valid_until,
    });
    let applied = state(desk, hub, CONSUMER, &request, "/hub/applications").await?;
    let id = applied
        .get("id")
        .and_then(Value::as_str)
        .context("the application has no id")?;
    let request = StatementRequest::Decision(Decision {
        grant: GrantId::parse(id)?,
        verdict: Verdict::Approve { fields, valid_until },
    });
    state(desk, hub, SOURCE, &request, &format!("/hub/applications/{id}/decision")).await?;
    Ok(())
}

fn publication(description: Value, public_url: &SecureUrl) -> Result<PublicationTerms> {
    let base = public_url.as_str().trim_end_matches('/');
    Ok(PublicationTerms {
        api: ApiId::parse(API)?,
        version: ApiVersion::parse(API_VERSION)?,
        upstream: SecureUrl::parse(&format!("{base}{}", register_api::PATH))?,
        scopes: BTreeSet::from(["population.read".to_owned()]),
        fields: register_api::fields(&description).context("the description lists no fields")?,
        consent: ConsentRule::Required,
        subject: Some(SubjectParameter {
            place: Place::Path,
            name: "id".to_owned(),
        }),
        fields_parameter: Some("fields".to_owned()),
        decided_by: None,
        openapi: description,
    })
}

/// Has an agency say something to the hub, by the same way in as everybody's.
async fn state(desk: &Desk, hub: &Router, agency: &str, request: &StatementRequest, path: &str) -> Result<Value> {
    let statement = desk.sign(agency, request)?;
    let post = Request::post(path).header(header::CONTENT_TYPE, "application/jwt");
    let (status, answer) = ask(hub, post, &statement).await?;
    anyhow::ensure!(
        status.is_success(),
        "the hub refused what {agency} said ({status}): {answer}"
    );
    Ok(answer)
}

async fn ask(hub: &Router, request: request::Builder, body: &str) -> Result<(StatusCode, Value)> {
    let response = hub.clone().oneshot(request.body(Body::from(body.to_owned()))?).await?;
    let status = response.status();
    let body = to_bytes(response.into_body(), MAX_ANSWER_BYTES).await?;
    Ok((status, serde_json::from_slice(&body)?))
}
