//! The agencies' own [did:webvh](https://identity.foundation/didwebvh/v1.0/) files, as they were logged.

use axum::extract::Path;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse as _;
use axum::response::Response;
use server::Problem;

use crate::Registry;
use crate::resolve::log_of_scid;

/// `GET /registry/dids/{scid}/did.jsonl`
pub(super) async fn log(State(registry): State<Registry>, Path(scid): Path<String>) -> Result<Response, Problem> {
    let state = registry.state();
    let (_, log) = log_of_scid(&state, &scid).ok_or_else(|| Problem::not_found("a DID of this SCID"))?;
    Ok((
        [
            (header::CONTENT_TYPE, "text/jsonl"),
            (header::CACHE_CONTROL, "no-cache"),
        ],
        log.bytes().to_vec(),
    )
        .into_response())
}

/// `GET /registry/dids/{scid}/did-witness.json`
pub(super) async fn witnesses(State(registry): State<Registry>, Path(scid): Path<String>) -> Result<Response, Problem> {
    let state = registry.state();
    let proofs = log_of_scid(&state, &scid).and_then(|(_, log)| log.witness_proofs());
    let proofs = proofs.ok_or_else(|| Problem::not_found("witness proofs of this SCID"))?;
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    Ok((headers, proofs.to_vec()).into_response())
}
