//! Redeeming a pre-authorized code: load, redeem, save with compare-and-swap, reply.

use openid4vc::vci::grant::AccessTokenRecord;
use openid4vc::vci::grant::PreAuthorizedGrant;
use openid4vc::vci::grant::TokenPolicy;
use openid4vc::vci::token::TokenError;
use openid4vc::vci::token::TokenRequest;
use openid4vc::vci::token::TokenResponse;

use crate::Issuer;
use crate::store::Load as _;
use crate::store::RecordError;
use crate::store::expire;
use crate::store::save;

/// Gives a token for a code, once. A wrong transaction code is counted even though the answer is an error.
pub(crate) async fn redeem(
    issuer: &Issuer,
    request: &TokenRequest,
) -> Result<Result<TokenResponse, TokenError>, RecordError> {
    let now = issuer.0.clock.now();
    let grant_key = format!("grant/{}", PreAuthorizedGrant::key(&request.pre_authorized_code));
    let grant_key = &grant_key;
    issuer
        .0
        .records
        .store()
        .transact(|tx| async move {
            let Some(grant) = tx.load::<PreAuthorizedGrant>(grant_key).await? else {
                return Ok(Err(TokenError::CodeUnknown));
            };
            let (grant, result) = grant.redeem(request, TokenPolicy::default(), now, &mut signer::os_rng());
            save(&tx, grant_key, &grant)?;
            expire(&tx, grant_key, grant.forget_after())?;
            let issued = match result {
                Ok(issued) => issued,
                Err(error) => return Ok(Err(error)),
            };
            let token_key = format!("token/{}", AccessTokenRecord::key(&issued.response.access_token));
            save(&tx, &token_key, &issued.record)?;
            expire(&tx, &token_key, issued.record.expires_at)?;
            Ok(Ok(issued.response))
        })
        .await
}
