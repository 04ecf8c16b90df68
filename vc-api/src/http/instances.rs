//! Which instances there are, as a test suite's configuration names them, and the documents of those with a did:web.

use axum::Json;
use axum::extract::Path;
use axum::extract::Request;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse as _;
use axum::response::Response;
use serde_json::Value;
use serde_json::json;
use server::Problem;

use super::instance;
use super::issuer;
use crate::Instance;
use crate::VcApi;
use crate::access;
use crate::instance::VERIFIER;
use crate::resolve;

/// `GET /vc-api/instances`
pub(super) async fn get(State(api): State<VcApi>, request: Request) -> Result<Json<Value>, Problem> {
    let (mut parts, _) = request.into_parts();
    access::check(&api, None, &mut parts).await?;
    let rows: Vec<Value> = api.instances().iter().map(|instance| row(&api, instance)).collect();
    Ok(Json(json!({
        "instances": rows,
        "verifier": {
            "credentials": at(&api, VERIFIER, "credentials/verify"),
            "presentations": at(&api, VERIFIER, "presentations/verify"),
        },
    })))
}

/// `GET /vc-api/{instance}/did.json`: where [did:web](https://w3c-ccg.github.io/did-method-web/) looks.
pub(super) async fn document(State(api): State<VcApi>, Path(name): Path<String>) -> Result<Response, Problem> {
    let instance = issuer(instance(&api, &name)?)?;
    let document = resolve::document_of(&instance);
    let document = document.ok_or_else(|| Problem::not_found("a did:web of this instance"))?;
    let media_type = [(header::CONTENT_TYPE, did::resolve::CONTENT_TYPE)];
    Ok((media_type, document.into_value().to_string()).into_response())
}

fn row(api: &VcApi, instance: &Instance) -> Value {
    let record = instance.record();
    json!({
        "name": record.name,
        "id": record.did,
        "suite": record.mechanism,
        "curve": record.curve,
        "sample": record.sample,
        "issue": at(api, &record.name, "credentials/issue"),
        "verify": at(api, &record.name, "credentials/verify"),
    })
}

fn at(api: &VcApi, instance: &str, path: &str) -> String {
    format!("{}/vc-api/{instance}/{path}", api.0.public_url)
}
