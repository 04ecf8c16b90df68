//! The token endpoint: a client assertion becomes an access token.

use did::Did;
use did::DidUrl;
use did::Purpose;
use keys::SignerError;
use keys::signing::fulfil;
use openid4vc::form::Form;
use openid4vc::form::FormError;
use openid4vc::oauth::TokenErrorCode;
use openid4vc::oauth::access_token;
use openid4vc::oauth::client_assertion::AssertionError;
use openid4vc::oauth::client_assertion::UnverifiedAssertion;
use thiserror::Error;

use crate::Hub;
use crate::error::FlowError;
use crate::protocol::token;
use crate::protocol::token::TOKEN_LIFETIME_SECONDS;
use crate::protocol::token::TokenBasis;
use crate::protocol::token::TokenError;
use crate::protocol::token::TokenRequest;

/// An assertion, a scope and a few words.
pub(crate) const MAX_FORM_BYTES: usize = 16 * 1024;

/// A token for the client.
#[derive(Debug)]
pub(crate) struct Redeemed {
    pub(crate) access_token: String,
    pub(crate) expires_in: i64,
    pub(crate) scope: String,
}

/// No token.
#[derive(Debug, Error)]
#[non_exhaustive]
pub(crate) enum RedeemError {
    /// The client's authentication: the client's fault.
    #[error(transparent)]
    Assertion(#[from] AssertionError),
    /// There is no client assertion.
    #[error("expected a client assertion, signed with a key of the agency's DID")]
    AssertionMissing,
    /// The agency or its key is not known, or it may not call.
    #[error("expected an agency that may call, and a `kid` that its DID document names for authentication")]
    Client,
    /// Our or our environment's fault.
    #[error(transparent)]
    Hub(#[from] FlowError),
    /// The key of the hub.
    #[error("the hub's key cannot sign")]
    Sign(#[from] SignerError),
    /// The request: the client's fault.
    #[error(transparent)]
    Token(#[from] TokenError),
}

/// Authenticates the client and issues what it asks for.
pub(crate) async fn redeem(hub: &Hub, body: &[u8]) -> Result<Redeemed, RedeemError> {
    let form = Form::parse(body, MAX_FORM_BYTES).map_err(TokenError::Form)?;
    let client = authenticate(hub, &form).await?;
    let request = TokenRequest::parse(&form)?;
    let now = hub.clock.now();
    let rng = &mut signer::os_rng();

    let claims = match &request {
        TokenRequest::Read => token::for_reading(&client, hub.issuer(), now, rng),
        TokenRequest::Call {
            grant,
            consent,
            scopes,
            resource,
        } => {
            if !hub.directory.may_consume(&client).await.map_err(FlowError::from)? {
                return Err(RedeemError::Client);
            }
            let grant = hub.store.grant(grant).await.map_err(FlowError::from)?;
            let publication = match &grant {
                None => None,
                Some(grant) => {
                    let application = &grant.value.application;
                    let found = hub.store.publication(&application.api, &application.version);
                    found.await.map_err(FlowError::from)?
                }
            };
            let known = match consent {
                None => None,
                Some(id) => {
                    let found = hub.store.consent(id).await.map_err(FlowError::from)?;
                    Some(found.ok_or(TokenError::Consent)?)
                }
            };
            let basis = match (&grant, &publication) {
                (Some(grant), Some(publication)) => Some(TokenBasis {
                    grant: &grant.value,
                    publication,
                    consent: known.as_ref().map(|known| &known.value),
                }),
                (None, _) | (_, None) => None,
            };
            let asked = (scopes, resource.as_deref());
            token::for_calls(asked, basis, &client, hub.issuer(), now, rng)?
        }
    };

    let algorithm = hub.token_key.public_key().algorithm();
    let request = access_token::sign(&claims, &hub.token_kid(), algorithm);
    let scope: Vec<&str> = claims.scope.iter().map(String::as_str).collect();
    Ok(Redeemed {
        access_token: fulfil(&*hub.token_key, request)?,
        expires_in: claims.expires_at.seconds_since(now).min(TOKEN_LIFETIME_SECONDS),
        scope: scope.join(" "),
    })
}

/// Who asks. The assertion is used up by this, whatever comes of the request.
async fn authenticate(hub: &Hub, form: &Form) -> Result<Did, RedeemError> {
    let assertion = UnverifiedAssertion::from_form(form)?.ok_or(RedeemError::AssertionMissing)?;
    let client = Did::parse(assertion.client_id()).map_err(|_| RedeemError::Client)?;
    let key_id = assertion.kid().and_then(|kid| DidUrl::parse(kid).ok());
    let key_id = key_id.filter(|id| *id.did() == client).ok_or(RedeemError::Client)?;
    let key = hub.directory.key(&key_id, Purpose::Authentication).await;
    let key = key.map_err(FlowError::from)?.ok_or(RedeemError::Client)?;
    let authenticated = assertion.verify(&key, hub.issuer(), hub.clock.now())?;
    let used = authenticated.used_assertion();
    let digest = format!("assertion-{}", used.id);
    let first = hub
        .store
        .use_once(&digest, used.expires_at)
        .await
        .map_err(FlowError::from)?;
    if first {
        Ok(client)
    } else {
        Err(AssertionError::Used.into())
    }
}

impl RedeemError {
    /// The code for the client; `None` where it is not the client's fault.
    pub(crate) const fn code(&self) -> Option<TokenErrorCode> {
        match self {
            Self::Assertion(error) => Some(error.code()),
            Self::AssertionMissing | Self::Client => Some(TokenErrorCode::InvalidClient),
            Self::Token(error) => Some(error.code()),
            Self::Hub(_) | Self::Sign(_) => None,
        }
    }
}

impl From<FormError> for RedeemError {
    fn from(error: FormError) -> Self {
        Self::Token(error.into())
    }
}
