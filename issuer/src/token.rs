//! Redeeming a pre-authorized code: load, redeem, save with compare-and-swap, reply.

use openid4vc::vci::grant::PreAuthorizedGrant;
use openid4vc::vci::grant::TokenPolicy;
use openid4vc::vci::token::TokenError;
use openid4vc::vci::token::TokenRequest;
use openid4vc::vci::token::TokenResponse;

use crate::Issuer;
use crate::store::Load as _;
use crate::store::RecordError;
use crate::store::expire;
use crate::store::grant_key;
use crate::store::save;
use crate::store::token_key;

/// Gives a token for a code of this agency, once. A wrong transaction code is counted even though the answer is
/// an error.
pub(crate) async fn redeem(
    issuer: &Issuer,
    agency: &str,
    request: &TokenRequest,
) -> Result<Result<TokenResponse, TokenError>, RecordError> {
    let now = issuer.0.clock.now();
    let record_key = grant_key(agency, &request.pre_authorized_code);
    let record_key = &record_key;
    issuer
        .0
        .records
        .store()
        .transact(|tx| async move {
            let Some(grant) = tx.load::<PreAuthorizedGrant>(record_key).await? else {
                return Ok(Err(TokenError::CodeUnknown));
            };
            let (grant, redeemed) = grant.redeem(request, TokenPolicy::default(), now, &mut signer::os_rng());
            save(&tx, record_key, &grant)?;
            expire(&tx, record_key, grant.forget_after())?;
            let token = match redeemed {
                Ok(token) => token,
                Err(error) => return Ok(Err(error)),
            };
            let token_key = token_key(agency, &token.response.access_token);
            save(&tx, &token_key, &token.record)?;
            expire(&tx, &token_key, token.record.expires_at)?;
            Ok(Ok(token.response))
        })
        .await
}
