//! Extracts: what a holder takes along for verifiers that were online before.

use axum::body::Bytes;
use axum::extract::RawQuery;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header;
use axum::response::IntoResponse as _;
use axum::response::Response;
use server::Problem;
use trust::bundle::Subjects;
use trust::entry::Action;
use url::form_urlencoded;

use crate::Registry;

/// Issuers, types and chunks of one extract: a wallet asks for one credential at a time, or for those of one answer.
const MAX_SUBJECTS: usize = 16;

/// `GET /registry/extract`, with `issuer=DID`, `type=ID` and `chunk=NUMBER,URI`, each as often as need be: what the register
/// says of these issuers and types, and these chunks of their status lists. Whoever asks for a chunk tells which 131,072
/// credentials of an issuer one of them is, and no more.
pub(super) async fn get(State(registry): State<Registry>, query: RawQuery) -> Result<Response, Problem> {
    let subjects = read(query)?;
    let extract = registry.extract(&subjects).await;
    let (state, bytes) = extract.map_err(|error| Problem::internal(&error))?;
    let is_known =
        |did: &String| state.did(did).is_some() || state.accreditations_of(did, Action::Issue).next().is_some();
    if !subjects.entities.iter().all(is_known) {
        return Err(Problem::not_found("an issuer of this DID"));
    }
    let headers = [
        (header::CONTENT_TYPE, "application/cbor"),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    Ok((headers, Bytes::from(bytes)).into_response())
}

fn read(RawQuery(query): RawQuery) -> Result<Subjects, Problem> {
    let mut subjects = Subjects::default();
    for (count, (name, value)) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()).enumerate() {
        let value = value.into_owned();
        let is_new = match &*name {
            "issuer" => subjects.entities.insert(value),
            "type" => subjects.types.insert(value),
            "chunk" => {
                let (number, uri) = value.split_once(',').ok_or_else(malformed)?;
                let number = number.parse().map_err(|_| malformed())?;
                subjects.chunks.insert((uri.to_owned(), number))
            }
            _ => false,
        };
        if !is_new || count >= MAX_SUBJECTS {
            return Err(malformed());
        }
    }
    if subjects.entities.is_empty() {
        return Err(malformed());
    }
    Ok(subjects)
}

fn malformed() -> Problem {
    let title =
        "The query must have issuer, and may have type and chunk=NUMBER,URI; each value once, at most 16 in all.";
    Problem::new(StatusCode::BAD_REQUEST, "malformed", title)
}
