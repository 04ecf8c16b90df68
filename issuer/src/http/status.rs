//! [Token Status List](https://datatracker.ietf.org/doc/draft-ietf-oauth-status-list/) and
//! [Bitstring Status List](https://www.w3.org/TR/vc-bitstring-status-list/): the lists, as they were committed to the
//! registry.

use ::credential::status_list::BitstringPurpose;
use ::credential::status_list::STATUS_LIST_CWT_TYPE;
use ::credential::status_list::StatusProblem;
use ::credential::status_list::StatusPurpose;
use axum::Json;
use axum::extract::Path;
use axum::extract::Query;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::StatusCode;
use axum::http::header;
use axum::response::IntoResponse as _;
use axum::response::Response;
use serde::Deserialize;
use server::Problem;

use super::desk;
use super::negotiation::choose;
use crate::Issuer;
use crate::status;
use crate::status::Form;
use crate::status::Securing;

/// The forms of a Token Status List.
const TOKENS: [(&str, Form); 2] = [
    ("application/statuslist+jwt", Form::TokenJwt),
    (STATUS_LIST_CWT_TYPE, Form::TokenCwt),
];

/// The list of the past that somebody asks for, in the two standards' parameters.
#[derive(Deserialize)]
pub(super) struct Historical {
    time: Option<String>,
    timestamp: Option<String>,
}

/// `GET /issuers/{agency}/status`
pub(super) async fn aggregation(State(issuer): State<Issuer>, Path(agency): Path<String>) -> Result<Response, Problem> {
    desk(&issuer, &agency)?;
    let aggregation = status::aggregation(&issuer, &agency).await;
    let aggregation = aggregation.map_err(|error| Problem::internal(&error))?;
    let headers = [
        (header::CACHE_CONTROL, "public, max-age=60"),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
    ];
    Ok((headers, Json(aggregation.to_value())).into_response())
}

/// `GET /issuers/{agency}/status/{list}`
pub(super) async fn token(
    State(issuer): State<Issuer>,
    Path((agency, list)): Path<(String, String)>,
    Query(historical): Query<Historical>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if historical.time.is_some() {
        // Whoever follows a credential's status through the past learns more about a person than is anybody's business.
        return Err(Problem::new(
            StatusCode::NOT_IMPLEMENTED,
            "historical",
            "Status lists of the past are not published.",
        ));
    }
    answer(&issuer, (&agency, &list), &TOKENS, &headers).await
}

/// `GET /issuers/{agency}/status/{list}/{purpose}`
pub(super) async fn bitstring(
    State(issuer): State<Issuer>,
    Path((agency, list, purpose)): Path<(String, String, String)>,
    Query(historical): Query<Historical>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if historical.timestamp.is_some() {
        return Err(Problem::new(
            StatusCode::NOT_IMPLEMENTED,
            StatusProblem::Retrieval.url(),
            "Status lists of the past are not published.",
        ));
    }
    let purpose = BitstringPurpose::ALL
        .into_iter()
        .find(|known| StatusPurpose::from(*known).as_str() == purpose);
    let purpose = purpose.ok_or_else(|| Problem::not_found("a status list of this purpose"))?;
    let forms = [
        ("application/vc+jwt", Form::Bitstring(purpose, Securing::Jose)),
        ("application/vc", Form::Bitstring(purpose, Securing::DataIntegrity)),
        // What some clients ask for to get the same.
        ("application/ld+json", Form::Bitstring(purpose, Securing::DataIntegrity)),
        ("application/json", Form::Bitstring(purpose, Securing::DataIntegrity)),
    ];
    answer(&issuer, (&agency, &list), &forms, &headers).await
}

async fn answer(
    issuer: &Issuer,
    (agency, list): (&str, &str),
    forms: &[(&'static str, Form)],
    asked: &HeaderMap,
) -> Result<Response, Problem> {
    desk(issuer, agency)?;
    let (media_type, form) = choose(asked, forms).ok_or_else(|| {
        let types: Vec<&str> = forms.iter().map(|(media_type, _)| *media_type).collect();
        let title = "The list is not published in a form that Accept allows.";
        Problem::new(StatusCode::NOT_ACCEPTABLE, "not-acceptable", title)
            .detail(format!("expected one of {}", types.join(", ")))
    })?;
    let published = status::published(issuer, agency, list, form).await;
    let published = published.map_err(|error| Problem::internal(&error))?;
    let published = published.ok_or_else(|| Problem::not_found("a status list of this id"))?;
    let tag = format!("\"{}\"", keys::base64url::encode(keys::sha256(&published.bytes)));
    let headers = [
        (header::CACHE_CONTROL, format!("public, max-age={}", published.max_age)),
        (header::ETAG, tag.clone()),
        (header::VARY, header::ACCEPT.to_string()),
        // Nothing in it is secret, and wallets in a browser read it as well.
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*".to_owned()),
    ];
    let known = asked.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    if known.is_some_and(|known| known.split(',').any(|one| one.trim() == tag)) {
        return Ok((StatusCode::NOT_MODIFIED, headers).into_response());
    }
    Ok((headers, [(header::CONTENT_TYPE, media_type)], published.bytes).into_response())
}
