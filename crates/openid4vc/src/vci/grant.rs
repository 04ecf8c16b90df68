//! What an issuer keeps of an offer and of an access token, and how one becomes the other
//! ([OpenID4VCI 1.0, section 6](https://openid.net/specs/openid-4-verifiable-credential-issuance-1_0.html#token-endpoint),
//! [security considerations](https://openid.net/specs/openid-4-verifiable-credential-issuance-1_0.html#security-considerations-pre-authz-code)).
//!
//! Codes, transaction codes and tokens are kept only as hashes. Every record is saved with
//! compare-and-swap before the answer goes out: of two requests with one code, one succeeds.

use std::collections::BTreeSet;

use keys::Timestamp;
use rand_core::CryptoRng;
use serde::Deserialize;
use serde::Serialize;

use super::authorization_details::AuthorizationDetail;
use super::offer::CredentialOffer;
use super::offer::OfferError;
use super::offer::PreAuthorizedCodeGrant;
use super::offer::TransactionCode;
use super::token::TokenError;
use super::token::TokenRequest;
use super::token::TokenResponse;
use crate::secret::Secret;
use crate::secret::SecretDigest;
use crate::url::SecureUrl;

/// Wrong transaction codes that kill an offer. With six digits a guesser succeeds once in 200,000 offers.
pub const MAX_TX_CODE_TRIES: u8 = 5;
/// "This code MUST be short lived": time to walk to another device and to type a code.
pub const DEFAULT_CODE_LIFETIME_SECONDS: i64 = 10 * 60;
/// Time to fetch a nonce, ask the person and request every credential of an offer.
pub const DEFAULT_TOKEN_LIFETIME_SECONDS: i64 = 10 * 60;
/// Two full batches: one, and one more after an answer was lost on the way.
pub const DEFAULT_CREDENTIALS_PER_TOKEN: u32 = 128;

/// The record of one offer. Its key in a store is [`PreAuthorizedGrant::key`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum PreAuthorizedGrant {
    /// Waits for its code.
    Offered(OfferedGrant),
    /// The code was redeemed. A second attempt is a sign of theft: the token may then be withdrawn.
    Redeemed {
        /// When.
        redeemed_at: Timestamp,
        /// The token that came of it.
        access_token: SecretDigest,
    },
    /// Too many wrong transaction codes.
    Withdrawn {
        /// When.
        withdrawn_at: Timestamp,
    },
}

/// An offer that waits for its code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfferedGrant {
    code: SecretDigest,
    tx_code: Option<SecretDigest>,
    wrong_tx_codes: u8,
    credential_configuration_ids: Vec<String>,
    subject: String,
    expires_at: Timestamp,
}

/// What to offer.
#[derive(Clone, Debug)]
pub struct OfferTerms {
    /// The Credential Issuer Identifier.
    pub credential_issuer: SecureUrl,
    /// Keys of `credential_configurations_supported`.
    pub credential_configuration_ids: Vec<String>,
    /// Whose data the credentials will hold: the issuer's own reference, opaque here.
    pub subject: String,
    /// The transaction code that the person was given by another way.
    pub tx_code: Option<TransactionCode>,
    /// Where the person finds it, for the wallet to show.
    pub tx_code_description: Option<String>,
    /// Seconds.
    pub lifetime: i64,
}

/// How long and for how much a token is good.
#[derive(Clone, Copy, Debug)]
pub struct TokenPolicy {
    /// Seconds.
    pub lifetime: i64,
    /// Credentials, all requests together.
    pub max_credentials: u32,
}

impl Default for TokenPolicy {
    fn default() -> Self {
        Self {
            lifetime: DEFAULT_TOKEN_LIFETIME_SECONDS,
            max_credentials: DEFAULT_CREDENTIALS_PER_TOKEN,
        }
    }
}

/// A token, for the wallet and for the store.
#[derive(Clone, Debug)]
pub struct IssuedToken {
    /// What the wallet gets.
    pub response: TokenResponse,
    /// What the issuer keeps, under [`AccessTokenRecord::key`].
    pub record: AccessTokenRecord,
}

/// The record of an access token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessTokenRecord {
    token: SecretDigest,
    /// Whose data the credentials will hold.
    pub subject: String,
    /// The wallet's client identifier, if it gave one.
    pub client_id: Option<String>,
    /// What may be requested.
    pub credentials: Vec<AuthorizedCredential>,
    /// When it ends.
    pub expires_at: Timestamp,
    /// How many credentials may still be issued with it.
    pub remaining_credentials: u32,
}

/// One configuration that a token is good for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorizedCredential {
    /// The configuration.
    pub credential_configuration_id: String,
    /// How it must be requested; `None` if by its configuration id.
    pub credential_identifier: Option<String>,
}

impl PreAuthorizedGrant {
    /// Makes an offer, and the record of it.
    ///
    /// # Errors
    /// [`OfferError`], the caller's fault.
    pub fn offer(
        terms: OfferTerms,
        now: Timestamp,
        rng: &mut dyn CryptoRng,
    ) -> Result<(Self, CredentialOffer), OfferError> {
        Self::with_code(terms, Secret::generate(rng).reveal(), now)
    }

    /// Makes an offer with a code that the caller made from 256 random bits.
    pub(super) fn with_code(
        terms: OfferTerms,
        code: &str,
        now: Timestamp,
    ) -> Result<(Self, CredentialOffer), OfferError> {
        let tx_code = terms.tx_code.as_ref();
        let grant = PreAuthorizedCodeGrant {
            pre_authorized_code: code.to_owned(),
            tx_code: tx_code.map(|tx_code| tx_code.describe(terms.tx_code_description)),
            authorization_server: None,
        };
        let ids = terms.credential_configuration_ids;
        let offer = CredentialOffer::pre_authorized(&terms.credential_issuer, ids.clone(), grant)?;
        let offered = OfferedGrant {
            code: SecretDigest::of(code),
            tx_code: tx_code.map(|tx_code| SecretDigest::of_pair(code, tx_code.reveal())),
            wrong_tx_codes: 0,
            credential_configuration_ids: ids,
            subject: terms.subject,
            expires_at: now.plus(terms.lifetime),
        };
        Ok((Self::Offered(offered), offer))
    }

    /// The key of the record for a code, whether the code is real or not.
    #[must_use]
    pub fn key(code: &str) -> String {
        SecretDigest::of(code).to_text()
    }

    /// Redeems the code of a request. The new state must be saved in either case: a wrong transaction
    /// code counts.
    pub fn redeem(
        self,
        request: &TokenRequest,
        policy: TokenPolicy,
        now: Timestamp,
        rng: &mut dyn CryptoRng,
    ) -> (Self, Result<IssuedToken, TokenError>) {
        let mut offered = match self {
            Self::Offered(offered) => offered,
            Self::Redeemed { .. } => return (self, Err(TokenError::CodeUsed)),
            Self::Withdrawn { .. } => return (self, Err(TokenError::TooManyTries)),
        };
        match offered.check(request, now) {
            Ok(credentials) => {
                let issued = issue(offered.subject, credentials, request, policy, now, rng);
                (
                    Self::Redeemed {
                        redeemed_at: now,
                        access_token: issued.record.token,
                    },
                    Ok(issued),
                )
            }
            Err(TokenError::TxCodeWrong) => {
                offered.wrong_tx_codes = offered.wrong_tx_codes.saturating_add(1);
                let dead = offered.wrong_tx_codes >= MAX_TX_CODE_TRIES;
                let state = if dead {
                    Self::Withdrawn { withdrawn_at: now }
                } else {
                    Self::Offered(offered)
                };
                (state, Err(TokenError::TxCodeWrong))
            }
            Err(error) => (Self::Offered(offered), Err(error)),
        }
    }

    /// When the record may be forgotten: an expired code and an unknown one get the same answer.
    #[must_use]
    pub fn forget_after(&self) -> Timestamp {
        match self {
            Self::Offered(offered) => offered.expires_at,
            Self::Redeemed { redeemed_at: at, .. } | Self::Withdrawn { withdrawn_at: at } => {
                at.plus(DEFAULT_CODE_LIFETIME_SECONDS)
            }
        }
    }
}

impl OfferedGrant {
    /// Everything but the state change: which credentials the token will be good for.
    fn check(&self, request: &TokenRequest, now: Timestamp) -> Result<Vec<AuthorizedCredential>, TokenError> {
        if self.code != SecretDigest::of(&request.pre_authorized_code) {
            return Err(TokenError::CodeUnknown);
        }
        if now >= self.expires_at {
            return Err(TokenError::CodeExpired);
        }
        let presented = request.tx_code.as_ref();
        match (
            &self.tx_code,
            presented.map(|code| SecretDigest::of_pair(&request.pre_authorized_code, code)),
        ) {
            (None, None) => {}
            (Some(expected), Some(presented)) if *expected == presented => {}
            (Some(_), Some(_)) => return Err(TokenError::TxCodeWrong),
            (Some(_), None) => return Err(TokenError::TxCodeMissing),
            (None, Some(_)) => return Err(TokenError::TxCodeUnexpected),
        }
        self.authorize(&request.authorization_details)
    }

    fn authorize(&self, details: &[AuthorizationDetail]) -> Result<Vec<AuthorizedCredential>, TokenError> {
        if details.is_empty() {
            let by_configuration = |id: &String| AuthorizedCredential {
                credential_configuration_id: id.clone(),
                credential_identifier: None,
            };
            return Ok(self.credential_configuration_ids.iter().map(by_configuration).collect());
        }
        let wanted: BTreeSet<_> = details
            .iter()
            .map(|detail| &detail.credential_configuration_id)
            .collect();
        if !wanted.iter().all(|id| self.credential_configuration_ids.contains(id)) {
            return Err(TokenError::DetailsNotOffered);
        }
        // One dataset for each configuration: the subject's own.
        let by_identifier = |id: &String| AuthorizedCredential {
            credential_configuration_id: id.clone(),
            credential_identifier: Some(format!("{id}/1")),
        };
        Ok(wanted.into_iter().map(by_identifier).collect())
    }
}

impl AccessTokenRecord {
    /// The key of the record for a token, whether the token is real or not.
    #[must_use]
    pub fn key(token: &str) -> String {
        SecretDigest::of(token).to_text()
    }

    /// The record's own key.
    #[must_use]
    pub const fn digest(&self) -> SecretDigest {
        self.token
    }

    /// The record after `count` more credentials; `None` if they are too many.
    pub(super) fn after_issuing(&self, count: usize) -> Option<Self> {
        let remaining_credentials = self.remaining_credentials.checked_sub(u32::try_from(count).ok()?)?;
        Some(Self {
            remaining_credentials,
            ..self.clone()
        })
    }
}

fn issue(
    subject: String,
    credentials: Vec<AuthorizedCredential>,
    request: &TokenRequest,
    policy: TokenPolicy,
    now: Timestamp,
    rng: &mut dyn CryptoRng,
) -> IssuedToken {
    let token = Secret::generate(rng);
    let detail = |credential: &AuthorizedCredential| {
        let mut detail = AuthorizationDetail::request(&credential.credential_configuration_id);
        detail.credential_identifiers = credential
            .credential_identifier
            .clone()
            .map(|identifier| vec![identifier]);
        detail
    };
    // "REQUIRED when the authorization_details parameter [...] is used".
    let details = (!request.authorization_details.is_empty()).then(|| credentials.iter().map(detail).collect());
    let response = TokenResponse {
        access_token: token.reveal().to_owned(),
        token_type: "Bearer".to_owned(),
        expires_in: Some(policy.lifetime),
        authorization_details: details,
    };
    let record = AccessTokenRecord {
        token: token.digest(),
        subject,
        client_id: request.client_id.clone(),
        credentials,
        expires_at: now.plus(policy.lifetime),
        remaining_credentials: policy.max_credentials,
    };
    IssuedToken { response, record }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::error::TokenErrorCode;

    fn now() -> Timestamp {
        Timestamp::from_unix(1_795_402_800)
    }

    fn offer(tx_code: Option<&str>) -> (PreAuthorizedGrant, TokenRequest) {
        let terms = OfferTerms {
            credential_issuer: SecureUrl::parse_identifier("https://issuer.example/a").unwrap(),
            credential_configuration_ids: vec!["PersonIdentity".to_owned(), "DrivingLicence".to_owned()],
            subject: "person-1".to_owned(),
            tx_code: tx_code.map(|code| TransactionCode::parse(code).unwrap()),
            tx_code_description: None,
            lifetime: DEFAULT_CODE_LIFETIME_SECONDS,
        };
        let (grant, offer) = PreAuthorizedGrant::offer(terms, now(), &mut signer::os_rng()).unwrap();
        (grant, TokenRequest::for_offer(&offer, tx_code).unwrap())
    }

    fn redeem(
        grant: &PreAuthorizedGrant,
        request: &TokenRequest,
        at: Timestamp,
    ) -> (PreAuthorizedGrant, Result<IssuedToken, TokenError>) {
        // Through the store: the record alone must be enough.
        let stored = serde_json::to_vec(grant).unwrap();
        let grant: PreAuthorizedGrant = serde_json::from_slice(&stored).unwrap();
        grant.redeem(request, TokenPolicy::default(), at, &mut signer::os_rng())
    }

    #[test]
    fn a_code_becomes_a_token() {
        let (grant, request) = offer(Some("493536"));
        let (state, issued) = redeem(&grant, &request, now());
        let IssuedToken { response, record } = issued.unwrap();
        assert_eq!(record.subject, "person-1");
        assert_eq!(record.credentials.len(), 2);
        assert_eq!(
            AccessTokenRecord::key(&response.access_token),
            record.digest().to_text()
        );
        assert_eq!(response.authorization_details, None);
        assert_eq!(
            state,
            PreAuthorizedGrant::Redeemed {
                redeemed_at: now(),
                access_token: record.digest()
            }
        );
    }

    #[test]
    fn a_record_holds_no_code() {
        let (grant, request) = offer(Some("493536"));
        let stored = serde_json::to_string(&grant).unwrap();
        assert!(!stored.contains(&request.pre_authorized_code) && !stored.contains("493536"));
        let (_, issued) = redeem(&grant, &request, now());
        let issued = issued.unwrap();
        assert!(
            !serde_json::to_string(&issued.record)
                .unwrap()
                .contains(&issued.response.access_token)
        );
    }

    #[test]
    fn an_expired_code_is_refused() {
        let (grant, request) = offer(None);
        let last = now().plus(DEFAULT_CODE_LIFETIME_SECONDS - 1);
        assert!(redeem(&grant, &request, last).1.is_ok());
        let (state, refused) = redeem(&grant, &request, last.plus(1));
        assert_eq!(refused.unwrap_err(), TokenError::CodeExpired);
        assert_eq!(state, grant);
    }

    #[test]
    fn a_reused_code_is_refused() {
        let (grant, request) = offer(None);
        let (redeemed, first) = redeem(&grant, &request, now());
        assert!(first.is_ok());
        let (state, second) = redeem(&redeemed, &request, now());
        assert_eq!(second.unwrap_err(), TokenError::CodeUsed);
        assert_eq!(state, redeemed);
    }

    #[test]
    fn the_code_of_another_offer_is_refused() {
        let (grant, _) = offer(None);
        let (_, other) = offer(None);
        assert_eq!(redeem(&grant, &other, now()).1.unwrap_err(), TokenError::CodeUnknown);
    }

    #[test]
    fn a_wrong_transaction_code_is_refused_and_counted() {
        let (mut grant, request) = offer(Some("493536"));
        let wrong = TokenRequest {
            tx_code: Some("493537".to_owned()),
            ..request.clone()
        };
        for _ in 0..MAX_TX_CODE_TRIES - 1 {
            let (state, refused) = redeem(&grant, &wrong, now());
            let error = refused.unwrap_err();
            assert_eq!(
                (&error, error.code()),
                (&TokenError::TxCodeWrong, TokenErrorCode::InvalidGrant)
            );
            grant = state;
        }
        // The right code still works on the last try.
        assert!(redeem(&grant, &request, now()).1.is_ok());
    }

    #[test]
    fn too_many_wrong_transaction_codes_withdraw_the_offer() {
        let (mut grant, request) = offer(Some("493536"));
        let wrong = TokenRequest {
            tx_code: Some("000000".to_owned()),
            ..request.clone()
        };
        for _ in 0..MAX_TX_CODE_TRIES {
            grant = redeem(&grant, &wrong, now()).0;
        }
        assert_eq!(grant, PreAuthorizedGrant::Withdrawn { withdrawn_at: now() });
        assert_eq!(redeem(&grant, &request, now()).1.unwrap_err(), TokenError::TooManyTries);
    }

    #[test]
    fn a_missing_or_unexpected_transaction_code_costs_no_try() {
        let (grant, request) = offer(Some("493536"));
        let (state, refused) = redeem(
            &grant,
            &TokenRequest {
                tx_code: None,
                ..request
            },
            now(),
        );
        let error = refused.unwrap_err();
        assert_eq!(
            (&error, error.code()),
            (&TokenError::TxCodeMissing, TokenErrorCode::InvalidRequest)
        );
        assert_eq!(state, grant);
        let (grant, request) = offer(None);
        let unexpected = TokenRequest {
            tx_code: Some("493536".to_owned()),
            ..request
        };
        assert_eq!(
            redeem(&grant, &unexpected, now()).1.unwrap_err(),
            TokenError::TxCodeUnexpected
        );
    }

    #[test]
    fn details_narrow_the_token_to_a_part_of_the_offer() {
        let (grant, request) = offer(None);
        let asking = |id: &str| TokenRequest {
            authorization_details: vec![AuthorizationDetail::request(id)],
            ..request.clone()
        };
        let issued = redeem(&grant, &asking("DrivingLicence"), now()).1.unwrap();
        let identifiers = issued
            .response
            .authorization_details
            .unwrap()
            .remove(0)
            .credential_identifiers
            .unwrap();
        assert_eq!(
            Some(&identifiers[0]),
            issued.record.credentials[0].credential_identifier.as_ref()
        );
        assert_eq!(issued.record.credentials.len(), 1);
        let (state, refused) = redeem(&grant, &asking("CompanyRegistration"), now());
        assert_eq!(refused.unwrap_err(), TokenError::DetailsNotOffered);
        assert_eq!(state, grant);
    }
}
