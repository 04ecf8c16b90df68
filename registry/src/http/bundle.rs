//! The trust bundle: everything a verifier needs, in one file.

use axum::body::Bytes;
use axum::extract::RawQuery;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header;
use axum::response::IntoResponse as _;
use axum::response::Response;
use server::Problem;
use trust::bundle::Profile;
use url::form_urlencoded;

use crate::DeltaError;
use crate::Registry;

/// Issuers, types and territories of one profile: what a verifier at a counter needs.
const MAX_PROFILE: usize = 100;

/// `GET /registry/bundle`, with `issuer=DID`, `type=ID` and `territory=CODE`, each as often as need be, for whom only these
/// matter: the status lists and documents of others are left out.
pub(super) async fn get(State(registry): State<Registry>, query: RawQuery) -> Result<Response, Problem> {
    let (profile, from) = read(query)?;
    if from.is_some() {
        return Err(malformed());
    }
    let bundle = registry.bundle_for(&profile).await;
    let bundle = bundle.map_err(|error| Problem::internal(&error))?;
    let headers = [
        (header::CONTENT_TYPE, "application/cbor"),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    Ok((headers, Bytes::from_owner(bundle)).into_response())
}

/// The profile, and where a delta begins.
fn read(RawQuery(query): RawQuery) -> Result<(Profile, Option<u64>), Problem> {
    let (mut profile, mut from) = (Profile::default(), None);
    for (count, (name, value)) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()).enumerate() {
        let value = value.into_owned();
        let is_new = match &*name {
            "issuer" => profile.issuers.insert(value),
            "type" => profile.types.insert(value),
            "territory" => profile.territories.insert(value),
            "from" => from.replace(value.parse().map_err(|_| malformed())?).is_none(),
            _ => false,
        };
        if !is_new || count >= MAX_PROFILE {
            return Err(malformed());
        }
    }
    Ok((profile, from))
}

fn malformed() -> Problem {
    let title = "The query must have issuer, type and territory, and for a delta from=SIZE, the size of the tree that the bundle at hand stands on; each value once.";
    Problem::new(StatusCode::BAD_REQUEST, "malformed", title)
}

/// `GET /registry/bundle/delta?from=SIZE`: what leads from the bundle of that size to the one of now, both of the profile
/// that the rest of the query gives; 204 where that is the same one, and 410 where the bundle is older than what is kept.
pub(super) async fn delta(State(registry): State<Registry>, query: RawQuery) -> Result<Response, Problem> {
    let (profile, from) = read(query)?;
    match registry.delta(from.ok_or_else(malformed)?, &profile).await {
        Ok(Some(delta)) => {
            let headers = [
                (header::CONTENT_TYPE, "application/cbor"),
                (header::CACHE_CONTROL, "no-cache"),
            ];
            Ok((headers, Bytes::from_owner(delta)).into_response())
        }
        Ok(None) => Ok(StatusCode::NO_CONTENT.into_response()),
        Err(DeltaError::NoBundle { .. }) => Err(Problem::not_found("a bundle of that size")),
        Err(error @ DeltaError::TooOld) => {
            let title = "The bundle is older than what is kept for deltas. Fetch the whole one.";
            Err(Problem::new(StatusCode::GONE, "too-old", title).detail(error))
        }
        Err(error @ (DeltaError::Export(_) | DeltaError::Moving | DeltaError::Store(_))) => {
            Err(Problem::internal(&error))
        }
    }
}
