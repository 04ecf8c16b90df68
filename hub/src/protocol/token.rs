//! Access tokens of the hub: what a consumer asks the token endpoint for, and what the token says.
//!
//! The grant is `client_credentials` ([RFC 6749, section 4.4](https://www.rfc-editor.org/rfc/rfc6749#section-4.4)),
//! the client authenticates with `private_key_jwt`, the token is a JWT
//! ([RFC 9068](https://www.rfc-editor.org/rfc/rfc9068)). What a token is bound to stands in its scope, so
//! that any OAuth library can ask for it:
//!
//! | scope | meaning |
//! |---|---|
//! | `grant:ID` | calls under this grant; the token's audience is the API of the grant |
//! | `consent:ID` | only with this consent; without it, each call names its consent |
//! | others | scopes of the API; all of them if none is asked for |
//! | `hub.read` | alone: reading one's own grants and evidence; the audience is the hub |

use std::collections::BTreeSet;

use did::Did;
use keys::Timestamp;
use keys::base64url;
use openid4vc::form::Form;
use openid4vc::form::FormError;
use openid4vc::oauth::TokenErrorCode;
use openid4vc::oauth::access_token;
use openid4vc::oauth::access_token::AccessTokenClaims;
use rand_core::CryptoRng;
use thiserror::Error;

use super::call::CallToken;
use super::consent::Consent;
use super::grant::Grant;
use super::grant::Standing;
use super::id::ConsentId;
use super::id::GrantId;
use super::publication::Publication;

/// A revocation reaches a token holder at the next call anyway; this limits what a stolen token is good for.
pub const TOKEN_LIFETIME_SECONDS: i64 = 300;

/// The scope for reading one's own records.
pub const READ_SCOPE: &str = "hub.read";

const GRANT_TYPE: &str = "client_credentials";

/// What a consumer asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenRequest {
    /// Calls under a grant.
    Call {
        /// The grant.
        grant: GrantId,
        /// The consent that the token shall be bound to.
        consent: Option<ConsentId>,
        /// Scopes of the API.
        scopes: BTreeSet<String>,
        /// The API's URL, if the client says it ([RFC 8707](https://www.rfc-editor.org/rfc/rfc8707)).
        resource: Option<String>,
    },
    /// Reading its own records.
    Read,
}

/// What the hub knows of what a token is asked for.
#[derive(Clone, Copy, Debug)]
pub struct TokenBasis<'a> {
    /// The grant.
    pub grant: &'a Grant,
    /// The API of the grant.
    pub publication: &'a Publication,
    /// The consent that was asked for.
    pub consent: Option<&'a Consent>,
}

/// The client's fault.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenError {
    /// The consent is unknown or somebody else's.
    #[error("expected a consent that was given to this client")]
    Consent,
    /// The form is not read.
    #[error("expected the form of a token request")]
    Form(#[from] FormError),
    /// The grant is unknown or somebody else's.
    #[error("expected a grant of this client")]
    Grant,
    /// The grant is not approved, or not any more.
    #[error("expected an approved grant")]
    GrantState {
        /// How it stands.
        standing: Standing,
    },
    /// Another grant type.
    #[error("expected the grant_type {GRANT_TYPE}")]
    GrantType,
    /// The resource is not the API of the grant.
    #[error("expected the resource to be the API of the grant")]
    Resource,
    /// The scope is not understood, or the API does not have it.
    #[error("expected a scope of hub.read alone, or grant:ID with scopes of its API")]
    Scope,
}

impl TokenRequest {
    /// Reads the form of a token request; the client authentication in it is not looked at.
    ///
    /// # Errors
    /// [`TokenError`], the client's fault.
    pub fn parse(form: &Form) -> Result<Self, TokenError> {
        if form.required("grant_type")? != GRANT_TYPE {
            return Err(TokenError::GrantType);
        }
        let mut scopes = access_token::scope(form.required("scope")?);
        if scopes.remove(READ_SCOPE) {
            return if scopes.is_empty() {
                Ok(Self::Read)
            } else {
                Err(TokenError::Scope)
            };
        }
        let (grant, consent) = take_hub_scopes(&mut scopes).ok_or(TokenError::Scope)?;
        Ok(Self::Call {
            grant: grant.ok_or(TokenError::Scope)?,
            consent,
            scopes,
            resource: form.optional("resource").map(str::to_owned),
        })
    }
}

/// The claims of a token for calls. `hub` is the hub's issuer identifier.
///
/// # Errors
/// [`TokenError`], the client's fault.
pub fn for_calls(
    request: (&BTreeSet<String>, Option<&str>),
    basis: Option<TokenBasis<'_>>,
    client: &Did,
    hub: &str,
    now: Timestamp,
    rng: &mut dyn CryptoRng,
) -> Result<AccessTokenClaims, TokenError> {
    let (scopes, resource) = request;
    let TokenBasis {
        grant,
        publication,
        consent,
    } = basis
        .filter(|basis| basis.grant.consumer == *client)
        .ok_or(TokenError::Grant)?;
    let approval = grant
        .approval(now)
        .map_err(|standing| TokenError::GrantState { standing })?;
    if consent.is_some_and(|consent| consent.terms.consumer != *client) {
        return Err(TokenError::Consent);
    }
    if !scopes.is_subset(&publication.scopes) {
        return Err(TokenError::Scope);
    }
    let audience = api_url(hub, publication);
    if resource.is_some_and(|resource| resource.trim_end_matches('/') != audience) {
        return Err(TokenError::Resource);
    }
    let mut scope = if scopes.is_empty() {
        publication.scopes.clone()
    } else {
        scopes.clone()
    };
    scope.insert(format!("grant:{}", grant.id));
    scope.extend(consent.map(|consent| format!("consent:{}", consent.id)));
    let end = now.plus(TOKEN_LIFETIME_SECONDS).min(approval.valid_until);
    Ok(claims(client, hub, audience, scope, (now, end), rng))
}

/// The claims of a token for reading one's own records.
#[must_use]
pub fn for_reading(client: &Did, hub: &str, now: Timestamp, rng: &mut dyn CryptoRng) -> AccessTokenClaims {
    let scope = BTreeSet::from([READ_SCOPE.to_owned()]);
    let times = (now, now.plus(TOKEN_LIFETIME_SECONDS));
    claims(client, hub, hub.to_owned(), scope, times, rng)
}

/// What a verified token for calls is bound to; `None` for a token that this hub does not issue for calls.
#[must_use]
pub fn call_token(claims: &AccessTokenClaims) -> Option<CallToken> {
    let mut scopes = claims.scope.clone();
    let (grant, consent) = take_hub_scopes(&mut scopes)?;
    Some(CallToken {
        client: Did::parse(&claims.client_id).ok()?,
        grant: grant?,
        consent,
        scopes,
    })
}

/// The URL of a published API on the hub: the audience of its tokens.
#[must_use]
pub fn api_url(hub: &str, publication: &Publication) -> String {
    format!("{hub}/api/{}/{}", publication.api, publication.version)
}

/// Takes `grant:` and `consent:` out; `None` if one is malformed or there twice.
fn take_hub_scopes(scopes: &mut BTreeSet<String>) -> Option<(Option<GrantId>, Option<ConsentId>)> {
    let (mut grant, mut consent) = (None, None);
    for scope in std::mem::take(scopes) {
        if let Some(id) = scope.strip_prefix("grant:") {
            if grant.replace(GrantId::parse(id).ok()?).is_some() {
                return None;
            }
        } else if let Some(id) = scope.strip_prefix("consent:") {
            if consent.replace(ConsentId::parse(id).ok()?).is_some() {
                return None;
            }
        } else {
            scopes.insert(scope);
        }
    }
    Some((grant, consent))
}

fn claims(
    client: &Did,
    hub: &str,
    audience: String,
    scope: BTreeSet<String>,
    (issued_at, expires_at): (Timestamp, Timestamp),
    rng: &mut dyn CryptoRng,
) -> AccessTokenClaims {
    let mut token_id = [0; 16];
    rng.fill_bytes(&mut token_id);
    AccessTokenClaims {
        issuer: hub.to_owned(),
        audience,
        // "In case of access tokens obtained through grants where no resource owner is involved, [...] the
        // value of sub SHOULD correspond to an identifier the authorization server uses to indicate the
        // client application."
        subject: client.as_str().to_owned(),
        client_id: client.as_str().to_owned(),
        token_id: base64url::encode(token_id),
        issued_at,
        expires_at,
        scope,
    }
}

impl TokenError {
    /// The code for the client.
    #[must_use]
    pub const fn code(&self) -> TokenErrorCode {
        match self {
            Self::Consent | Self::Grant | Self::Scope => TokenErrorCode::InvalidScope,
            Self::Form(_) | Self::Resource => TokenErrorCode::InvalidRequest,
            Self::GrantState { .. } => TokenErrorCode::UnauthorizedClient,
            Self::GrantType => TokenErrorCode::UnsupportedGrantType,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::consent::tests::consent;
    use super::super::grant::tests::approved;
    use super::super::publication::tests::NOW;
    use super::super::publication::tests::publication;
    use super::*;

    const HUB: &str = "https://attestry.example/hub";

    fn client() -> Did {
        Did::parse("did:web:consumer.example").unwrap()
    }

    fn parse(scope: &str) -> Result<TokenRequest, TokenError> {
        let form = openid4vc::form::encode([("grant_type", "client_credentials"), ("scope", scope)]);
        TokenRequest::parse(&Form::parse(form.as_bytes(), 4_096).unwrap())
    }

    fn issue(
        scopes: &[&str],
        resource: Option<&str>,
        client: &Did,
        now: Timestamp,
    ) -> Result<AccessTokenClaims, TokenError> {
        let (grant, publication, consent) = (approved(), publication(), consent());
        let basis = TokenBasis {
            grant: &grant,
            publication: &publication,
            consent: Some(&consent),
        };
        let scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        for_calls(
            (&scopes, resource),
            Some(basis),
            client,
            HUB,
            now,
            &mut signer::os_rng(),
        )
    }

    #[test]
    fn scopes_say_what_is_asked_for() {
        let (grant, consent) = (approved().id, consent().id);
        let read = parse(&format!("population.read grant:{grant} consent:{consent}")).unwrap();
        let scopes = ["population.read".to_owned()].into();
        assert_eq!(
            read,
            TokenRequest::Call {
                grant,
                consent: Some(consent),
                scopes,
                resource: None
            }
        );
        assert_eq!(parse("hub.read"), Ok(TokenRequest::Read));
    }

    #[test]
    fn other_requests_are_refused() {
        let grant = approved().id;
        for scope in [
            "population.read",
            "grant:x",
            "hub.read grant:x",
            &format!("grant:{grant} grant:{}", approved().id),
        ] {
            assert_eq!(parse(scope), Err(TokenError::Scope), "{scope}");
        }
        assert!(matches!(parse(""), Err(TokenError::Form(_))));
        let form = Form::parse(b"grant_type=password&scope=hub.read", 4_096).unwrap();
        assert_eq!(TokenRequest::parse(&form), Err(TokenError::GrantType));
    }

    #[test]
    fn a_token_is_bound_to_grant_consent_and_api() {
        let claims = issue(
            &[],
            Some("https://attestry.example/hub/api/population/v1/"),
            &client(),
            NOW,
        )
        .unwrap();
        assert_eq!(claims.audience, "https://attestry.example/hub/api/population/v1");
        assert_eq!(claims.expires_at, NOW.plus(TOKEN_LIFETIME_SECONDS));
        let token = call_token(&claims).unwrap();
        assert_eq!(token.client, client());
        assert!(token.consent.is_some());
        assert_eq!(token.scopes, ["population.read".to_owned()].into());
    }

    #[test]
    fn a_token_ends_with_its_grant() {
        let claims = issue(&[], None, &client(), NOW.plus(86_390)).unwrap();
        assert_eq!(claims.expires_at, NOW.plus(86_400));
        let late = issue(&[], None, &client(), NOW.plus(86_400));
        assert_eq!(
            late,
            Err(TokenError::GrantState {
                standing: Standing::Expired
            })
        );
    }

    #[test]
    fn each_rule_refuses() {
        assert_eq!(issue(&["admin"], None, &client(), NOW), Err(TokenError::Scope));
        assert_eq!(
            issue(&[], Some("https://other.example"), &client(), NOW),
            Err(TokenError::Resource)
        );
        let other = Did::parse("did:web:other.example").unwrap();
        assert_eq!(issue(&[], None, &other, NOW), Err(TokenError::Grant));
        let (grant, publication, mut consent) = (approved(), publication(), consent());
        consent.terms.consumer = other;
        let basis = TokenBasis {
            grant: &grant,
            publication: &publication,
            consent: Some(&consent),
        };
        let refused = for_calls(
            (&BTreeSet::new(), None),
            Some(basis),
            &client(),
            HUB,
            NOW,
            &mut signer::os_rng(),
        );
        assert_eq!(refused, Err(TokenError::Consent));
    }

    #[test]
    fn a_token_for_reading_makes_no_calls() {
        let claims = for_reading(&client(), HUB, NOW, &mut signer::os_rng());
        assert_eq!(claims.audience, HUB);
        assert_eq!(call_token(&claims), None);
    }
}
