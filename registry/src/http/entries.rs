//! Submission of entries. An entry's own signatures say who may append it, so no token is asked for, with
//! one exception: the first line of a new DID is signed by nobody whom the registry knows.
//!
//! The body is the leaf as `application/cbor`, or `application/json` with the leaf and the contents that it
//! names: `{"entry": base64url, "blobs": [base64url]}`. The answer is a
//! [tlog-proof](https://c2sp.org/tlog-proof) under a witnessed checkpoint. While too few witnesses have cosigned it is 202
//! with the place where the proof will be: the entry is in the log for good.

use axum::body::Bytes;
use axum::extract::Path;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::HeaderMap;
use axum::http::StatusCode;
use axum::http::header;
use axum::response::IntoResponse as _;
use axum::response::Response;
use keys::base64url;
use keys::json;
use serde::Deserialize;
use server::Problem;
use server::admin::Admin;
use trust::entry::Entry;
use trust::entry::EntryType;
use trust::merkle::Hash;

use super::append_problem;
use crate::AppendError;
use crate::Place;
use crate::Registry;

/// A leaf and contents of 3 MiB in base64: 90 full status lists of 131,072 two-bit statuses.
pub(super) const MAX_SUBMISSION_BYTES: usize = 4 << 20;

/// The log asks its witnesses again every minute, and with every further entry.
const RETRY_SECONDS: u32 = 30;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WithBlobs {
    entry: String,
    blobs: Vec<String>,
}

/// `POST /registry/entries`
pub(super) async fn post(
    State(registry): State<Registry>,
    admin: Result<Admin, Problem>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let body = body.map_err(|_| too_large())?;
    let (leaf, blobs) = read(&headers, &body)?;
    if is_new_did(&leaf) {
        admin?;
    }
    match registry.append(leaf, blobs).await {
        Ok(appended) => Ok(proof(appended.proof)),
        Err(AppendError::Pending { index, hash }) => Ok(waiting(index, hash)),
        Err(error) => Err(append_problem(&error)),
    }
}

/// `GET /registry/entries/{leaf hash}`: the proof, or 202 while the entry waits for witnesses.
pub(super) async fn get(State(registry): State<Registry>, Path(hash): Path<String>) -> Result<Response, Problem> {
    let missing = || Problem::not_found("an entry of this log");
    let hash = Hash::parse_hex(&hash).map_err(|_| missing())?;
    let place = registry.place(hash).await.map_err(|error| Problem::internal(&error))?;
    match place {
        None => Err(missing()),
        Some(Place::Published(appended)) => Ok(proof(appended.proof)),
        Some(Place::Waiting { index }) => Ok(waiting(index, hash)),
    }
}

fn proof(text: String) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response()
}

fn waiting(index: u64, hash: Hash) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8".to_owned()),
        (header::LOCATION, format!("/registry/entries/{hash}")),
        (header::RETRY_AFTER, RETRY_SECONDS.to_string()),
    ];
    let text = format!("The entry has the index {index} and waits for witnesses.\n");
    (StatusCode::ACCEPTED, headers, text).into_response()
}

/// The leaf and its contents, by the declared type of the body.
fn read(headers: &HeaderMap, body: &[u8]) -> Result<(Vec<u8>, Vec<Vec<u8>>), Problem> {
    let declared = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let declared = declared.split(';').next().unwrap_or_default().trim();
    if declared.eq_ignore_ascii_case("application/cbor") {
        return Ok((body.to_vec(), Vec::new()));
    }
    if !declared.eq_ignore_ascii_case("application/json") {
        let title = "The body must be application/cbor or application/json.";
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "media-type", title));
    }
    let malformed = || {
        Problem::new(
            StatusCode::BAD_REQUEST,
            "malformed",
            "The body must be {\"entry\", \"blobs\"} in base64url.",
        )
    };
    let limits = json::Limits {
        max_bytes: MAX_SUBMISSION_BYTES,
        ..json::DEFAULT_LIMITS
    };
    let parsed: WithBlobs = json::parse_as(body, limits).map_err(|error| malformed().detail(error))?;
    let decode = |text: &String| base64url::decode(text).map_err(|_| malformed());
    Ok((
        decode(&parsed.entry)?,
        parsed.blobs.iter().map(decode).collect::<Result<_, _>>()?,
    ))
}

fn too_large() -> Problem {
    let title = "The body is too large or did not arrive whole.";
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", title)
}

/// Everything else is signed by somebody whom the state knows.
fn is_new_did(leaf: &[u8]) -> bool {
    let is_first = |entry: &Entry| entry.entry_type() == EntryType::DidEvent && entry.seq() == 0;
    Entry::parse(leaf).is_ok_and(|entry| is_first(&entry) && entry.approval().is_none())
}
