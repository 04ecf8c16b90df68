//! [Nonce Endpoint](https://openid.net/specs/openid-4-verifiable-credential-issuance-1_0.html#nonce-endpoint).

use axum::extract::Path;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use openid4vc::vci::nonce::DEFAULT_NONCE_LIFETIME_SECONDS;
use server::Problem;

use super::desk;
use super::private_json;
use crate::Issuer;

/// `POST /issuers/{agency}/nonce`
pub(super) async fn post(State(issuer): State<Issuer>, Path(agency): Path<String>) -> Result<Response, Problem> {
    let desk = desk(&issuer, &agency)?;
    let now = issuer.0.clock.now();
    let nonce = issuer.0.nonce_key.issue(
        &desk.identifier,
        DEFAULT_NONCE_LIFETIME_SECONDS,
        now,
        &mut signer::os_rng(),
    );
    Ok(private_json(StatusCode::OK, &nonce))
}
