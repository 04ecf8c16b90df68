//! The endpoints, one file each. Handlers translate; the flows are beside.

mod anchor;
mod bundle;
mod dids;
mod entries;
mod extract;
mod federation;
mod identifiers;
mod pages;
mod projections;
mod proposals;
mod tiles;
mod trqp;
mod types;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::routing::get;
use axum::routing::post;
use server::Problem;
use server::problem::chain;
use trust::state::Refusal;

use crate::AppendError;
use crate::Registry;

/// Of answers in the forms of others, whose software asks once a day or so: what it gets may be a minute old.
const FOR_A_MINUTE: &str = "public, max-age=60";

/// Every endpoint of the registry, with full paths.
pub(crate) fn router(registry: Registry) -> Router {
    let entries = post(entries::post).layer(DefaultBodyLimit::max(entries::MAX_SUBMISSION_BYTES));
    Router::new()
        .route("/registry", get(pages::moved))
        .route("/registry/", get(pages::index))
        .route("/registry/pages/{*name}", get(pages::get))
        .route("/registry/anchor", get(anchor::get))
        .route("/registry/bundle", get(bundle::get))
        .route("/registry/bundle/delta", get(bundle::delta))
        .route("/registry/extract", get(extract::get))
        .route("/registry/checkpoint", get(tiles::checkpoint))
        .route("/registry/tile/{*path}", get(tiles::get))
        .route("/registry/entries", entries)
        .route("/registry/entries/{hash}", get(entries::get))
        .route("/registry/1.0/identifiers/{did}", get(identifiers::get))
        .route("/registry/dids/{scid}/did.jsonl", get(dids::log))
        .route("/registry/dids/{scid}/did-witness.json", get(dids::witnesses))
        .route("/registry/projections", get(projections::get))
        .route("/export/lote.json", get(projections::lote))
        .route("/export/vical.cbor", get(projections::vical))
        .route("/export/openid-federation.json", get(federation::content))
        .route("/.well-known/openid-federation", get(federation::configuration))
        .route("/federation/fetch", get(federation::fetch))
        .route("/federation/list", get(federation::list))
        .route("/federation/resolve", get(federation::resolve))
        .route("/registry/proposals", get(proposals::list).post(proposals::create))
        .route("/registry/proposals/{id}", get(proposals::get))
        .route("/registry/proposals/{id}/approvals", post(proposals::approve))
        .route("/types/{*path}", get(types::get))
        .route("/trqp/authorization", post(trqp::authorization))
        .route("/trqp/recognition", post(trqp::recognition))
        .route("/trqp/metadata", get(trqp::metadata))
        .with_state(registry)
}

/// What the sender of an entry is told.
fn append_problem(error: &AppendError) -> Problem {
    let bad = |kind, title| Problem::new(StatusCode::BAD_REQUEST, kind, title).detail(chain(error));
    match error {
        AppendError::Blob(_) => bad("contents", "The contents do not fit the entry."),
        AppendError::Decode(_) => bad("malformed", "The body is no entry of the registry."),
        AppendError::Snapshot => bad("snapshot", "Only the log itself makes Snapshots."),
        AppendError::TooLarge { .. } => {
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", "The entry is too large.").detail(error)
        }
        AppendError::Refused(refusal) => refused(refusal),
        AppendError::Unserviceable | AppendError::Untried => Problem::new(
            StatusCode::CONFLICT,
            "policy",
            "This service cannot keep a log under that policy.",
        )
        .detail(error),
        AppendError::Closed | AppendError::Failed(_) | AppendError::Pending { .. } | AppendError::Unwitnessed => {
            tracing::error!(cause = %chain(error), "an entry was not published");
            Problem::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "not-published",
                "The entry has no witnessed checkpoint yet. Send it again: it keeps its place if it has one.",
            )
        }
    }
}

/// What the author of an entry that the rules refuse is told.
fn refused(refusal: &Refusal) -> Problem {
    let title = "The registry's rules refuse the entry.";
    Problem::new(StatusCode::CONFLICT, "refused", title).detail(chain(refusal))
}
