//! What an agency's officer does with the administrative token: offer, list, suspend, reinstate, revoke.

use ::credential::CredentialFormat;
use axum::Json;
use axum::extract::Path;
use axum::extract::Query;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::Value;
use serde_json::json;
use server::Problem;
use server::StrictJson;
use server::admin::Admin;

use super::desk;
use super::private_json;
use crate::Issuer;
use crate::offer;
use crate::offer::OfferError;
use crate::records::IssuedCredential;
use crate::records::StatusChange;
use crate::status;
use crate::status::StatusError;
use crate::store::Load as _;
use crate::store::RecordError;
use crate::store::subject_key;

/// Credentials of one answer; a longer list is for the agency's own reports.
const MAX_LISTED: usize = 1_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OfferRequest {
    #[serde(rename = "type")]
    credential_type: String,
    subject: String,
    #[serde(default = "default_format")]
    format: String,
    suite: Option<String>,
    tx_code: Option<String>,
    #[serde(default)]
    by_reference: bool,
}

fn default_format() -> String {
    CredentialFormat::DcSdJwt.as_str().to_owned()
}

#[derive(Deserialize)]
pub(super) struct ListQuery {
    subject: Option<String>,
}

/// `POST /issuers/{agency}/admin/offers`
pub(super) async fn create_offer(
    _: Admin,
    State(issuer): State<Issuer>,
    Path(agency): Path<String>,
    StrictJson(request): StrictJson<OfferRequest>,
) -> Result<Response, Problem> {
    let desk = desk(&issuer, &agency)?;
    let format = CredentialFormat::ALL
        .into_iter()
        .find(|format| format.as_str() == request.format);
    let format = format.ok_or_else(|| {
        Problem::new(
            StatusCode::BAD_REQUEST,
            "format",
            "The credential format must be dc+sd-jwt, jwt_vc_json or ldp_vc.",
        )
    })?;
    let terms = offer::Terms {
        credential_type: request.credential_type,
        subject: request.subject,
        format,
        suite: request.suite,
        tx_code: request.tx_code,
        by_reference: request.by_reference,
    };
    let offered = offer::create(&issuer, &desk, terms)
        .await
        .map_err(|error| offer_problem(&error))?;
    let body = json!({"id": offered.id, "offer": offered.uri, "expires_at": offered.expires_at.to_rfc3339()});
    Ok(private_json(StatusCode::CREATED, &body))
}

/// `GET /issuers/{agency}/admin/credentials`
pub(super) async fn list_credentials(
    _: Admin,
    State(issuer): State<Issuer>,
    Path(agency): Path<String>,
    Query(query): Query<ListQuery>,
) -> Result<Json<Value>, Problem> {
    desk(&issuer, &agency)?;
    let credentials = credentials(&issuer, &agency, query.subject.as_deref())
        .await
        .map_err(|error| Problem::internal(&error))?;
    let rows: Vec<Value> = credentials.iter().map(row).collect();
    Ok(Json(json!({"credentials": rows})))
}

/// `POST /issuers/{agency}/admin/credentials/{id}/reinstate`
pub(super) async fn reinstate(
    _: Admin,
    State(issuer): State<Issuer>,
    Path((agency, id)): Path<(String, String)>,
) -> Result<Json<Value>, Problem> {
    change(&issuer, &agency, &id, StatusChange::Reinstate).await
}

/// `POST /issuers/{agency}/admin/credentials/{id}/revoke`
pub(super) async fn revoke(
    _: Admin,
    State(issuer): State<Issuer>,
    Path((agency, id)): Path<(String, String)>,
) -> Result<Json<Value>, Problem> {
    change(&issuer, &agency, &id, StatusChange::Revoke).await
}

/// `POST /issuers/{agency}/admin/credentials/{id}/suspend`
pub(super) async fn suspend(
    _: Admin,
    State(issuer): State<Issuer>,
    Path((agency, id)): Path<(String, String)>,
) -> Result<Json<Value>, Problem> {
    change(&issuer, &agency, &id, StatusChange::Suspend).await
}

async fn change(issuer: &Issuer, agency: &str, id: &str, change: StatusChange) -> Result<Json<Value>, Problem> {
    let desk = desk(issuer, agency)?;
    let changed = status::change(issuer, &desk, id, change).await;
    let (credential, committed) = changed.map_err(|error| match error {
        StatusError::Unknown { .. } => Problem::not_found("a credential of this id"),
        StatusError::Unlisted { .. } => Problem::new(
            StatusCode::CONFLICT,
            "unlisted",
            "This credential's status cannot change: its type has no status list.",
        ),
        StatusError::Revoked { .. } => Problem::new(
            StatusCode::CONFLICT,
            "revoked",
            "This credential was revoked, and a revocation is for good.",
        ),
        other => Problem::internal(&other),
    })?;
    let status = credential.status.name();
    tracing::info!(agency, credential = id, ?change, status, committed, "status changed");
    Ok(Json(
        json!({"id": credential.id, "status": status, "committed": committed}),
    ))
}

async fn credentials(
    issuer: &Issuer,
    agency: &str,
    subject: Option<&str>,
) -> Result<Vec<IssuedCredential>, RecordError> {
    let snapshot = issuer.0.records.snapshot().await?;
    let forward = ::store::Direction::Forward;
    let Some(subject) = subject else {
        let entries = snapshot
            .prefix(format!("credential/{agency}/"), MAX_LISTED, forward)
            .await?;
        let parse = |entry: ::store::Entry| {
            let damaged = || RecordError::Damaged {
                key: String::from_utf8_lossy(&entry.key).into_owned(),
            };
            serde_json::from_slice(&entry.value).map_err(|_| damaged())
        };
        return entries.into_iter().map(parse).collect();
    };
    let prefix = format!("subject/{agency}/{}/", subject_key(subject));
    let mut found = Vec::new();
    for entry in snapshot.prefix(&prefix, MAX_LISTED, forward).await? {
        let id = String::from_utf8_lossy(entry.key.strip_prefix(prefix.as_bytes()).unwrap_or_default()).into_owned();
        found.extend(
            snapshot
                .load::<IssuedCredential>(&format!("credential/{agency}/{id}"))
                .await?,
        );
    }
    Ok(found)
}

fn row(credential: &IssuedCredential) -> Value {
    json!({
        "id": credential.id,
        "type": credential.credential_type,
        "subject": credential.subject,
        "format": credential.format,
        "issued_at": credential.issued_at.to_rfc3339(),
        "valid_until": credential.valid_until.to_rfc3339(),
        "status": credential.status.name(),
    })
}

fn offer_problem(error: &OfferError) -> Problem {
    match error {
        OfferError::Configuration { .. } => Problem::new(
            StatusCode::BAD_REQUEST,
            "configuration",
            "The agency does not issue this.",
        )
        .detail(error),
        OfferError::UnknownSubject { .. } => {
            Problem::new(StatusCode::NOT_FOUND, "subject", "The register has no such person.").detail(error)
        }
        OfferError::Row(cause) => Problem::new(
            StatusCode::CONFLICT,
            "register-row",
            "The register's row gives no credential.",
        )
        .detail(cause),
        OfferError::Offer(cause) => {
            Problem::new(StatusCode::BAD_REQUEST, "offer", "The offer cannot be made.").detail(cause)
        }
        OfferError::Register(_) | OfferError::Store(_) => Problem::internal(error),
    }
}
