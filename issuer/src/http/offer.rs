//! A [Credential Offer by reference](https://openid.net/specs/openid-4-verifiable-credential-issuance-1_0.html#credential-offer-by-reference).

use axum::extract::Path;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use openid4vc::vci::offer_reference::OfferRecord;
use server::Problem;

use super::desk;
use super::private_json;
use crate::Issuer;
use crate::store::Load as _;

/// `GET /issuers/{agency}/offers/{reference}`
pub(super) async fn get(
    State(issuer): State<Issuer>,
    Path((agency, reference)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let desk = desk(&issuer, &agency)?;
    let snapshot = issuer
        .0
        .records
        .snapshot()
        .await
        .map_err(|error| Problem::internal(&error))?;
    let key = format!("offer/{}", OfferRecord::key(&reference));
    let record = snapshot
        .load::<OfferRecord>(&key)
        .await
        .map_err(|error| Problem::internal(&error))?;
    let offer = record.and_then(|record| record.fetch(&reference, issuer.0.clock.now()));
    // A reference to another agency's offer is not answered here.
    let offer = offer.filter(|offer| offer.credential_issuer == desk.identifier);
    let offer = offer.ok_or_else(|| Problem::not_found("an offer under this link that has not expired"))?;
    Ok(private_json(StatusCode::OK, &offer))
}
