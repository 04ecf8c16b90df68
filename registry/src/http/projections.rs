//! The registry in the forms of others, signed, and the proof that the log has committed to them.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header;
use axum::response::IntoResponse as _;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use serde_json::json;
use server::Problem;
use server::problem::chain;
use store::records::RecordError;
use trust::projection::Projections;

use super::FOR_A_MINUTE;
use crate::ProjectionError;
use crate::Registry;
use crate::published::Tiles;

/// `GET /export/lote.json`: a JWS in compact form, as clause 6.8 of ETSI TS 119 602 has lists signed.
pub(super) async fn lote(State(registry): State<Registry>) -> Result<Response, Problem> {
    signed("application/jose", registry.lote().await)
}

/// `GET /export/vical.cbor`: an untagged `COSE_Sign1`.
pub(super) async fn vical(State(registry): State<Registry>) -> Result<Response, Problem> {
    signed("application/cose; cose-type=\"cose-sign1\"", registry.vical().await)
}

fn signed(media_type: &'static str, signed: Result<Arc<[u8]>, ProjectionError>) -> Result<Response, Problem> {
    let signed = signed.map_err(|error| problem(&error))?;
    let headers = [
        (header::CONTENT_TYPE, media_type),
        (header::CACHE_CONTROL, FOR_A_MINUTE),
    ];
    Ok((headers, Bytes::from_owner(signed)).into_response())
}

/// `GET /registry/projections`: digests of what is signed, and the Snapshot that has them with its proof.
pub(super) async fn get(State(registry): State<Registry>) -> Result<Json<Value>, Problem> {
    registry.refresh_kindly().await;
    let proof = proof(&registry).await.map_err(|error| Problem::internal(&error))?;
    proof.map(Json).ok_or_else(|| problem(&ProjectionError::NoPublication))
}

async fn proof(registry: &Registry) -> Result<Option<Value>, RecordError> {
    let head = registry.published();
    let Some(projections) = head.state.projections() else {
        return Ok(None);
    };
    let store = registry.0.store.snapshot().await?;
    let last = head.size().saturating_sub(1);
    let proof = head.proof(&store, last, &mut Tiles::default()).await?;
    let digests = projections.digests();
    let listed = digests.digests.iter().map(|(name, digest)| {
        json!({
            "name": name,
            "sha256": digest.to_string(),
            "url": place(name).map(|path| format!("{}{path}", registry.public_url())),
        })
    });
    Ok(Some(json!({
        "made": digests.made.to_rfc3339(),
        "projections": listed.collect::<Vec<Value>>(),
        "snapshot": STANDARD.encode(&head.snapshot),
        "proof": proof.to_string(),
    })))
}

fn place(name: &str) -> Option<&'static str> {
    match name {
        Projections::FEDERATION => Some("/export/openid-federation.json"),
        Projections::LOTE => Some("/export/lote.json"),
        Projections::VICAL => Some("/export/vical.cbor"),
        _ => None,
    }
}

fn problem(error: &ProjectionError) -> Problem {
    match error {
        ProjectionError::NoPublication => Problem::not_found("a projection: the policy has no publication"),
        ProjectionError::Key | ProjectionError::Signer(_) => {
            tracing::error!(cause = %chain(error), "a projection is not signed");
            Problem::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "not-signed",
                "The projection cannot be signed here now.",
            )
        }
    }
}
