//! The Notification Endpoint
//! ([OpenID4VCI 1.0, section 11](https://openid.net/specs/openid-4-verifiable-credential-issuance-1_0.html#notification-endpoint)):
//! the wallet tells how it went.

use keys::Timestamp;
use keys::json;
use rand_core::CryptoRng;
use serde::Deserialize;
use serde::Serialize;
use thiserror::Error;

use super::grant::AccessTokenRecord;
use crate::oauth::error::ErrorResponse;
use crate::secret::Secret;
use crate::secret::SecretDigest;

/// Three short strings.
const REQUEST_LIMITS: json::Limits = json::Limits {
    max_bytes: 8 * 1_024,
    max_depth: 4,
};
/// A sentence for a developer.
const MAX_DESCRIPTION_BYTES: usize = 1_024;

/// How it went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotificationEvent {
    /// All credentials are in the wallet.
    CredentialAccepted,
    /// Something failed, of all or of a part.
    CredentialFailure,
    /// The person did not want them.
    CredentialDeleted,
}

/// What a wallet sends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotificationRequest {
    /// From the credential response.
    pub notification_id: String,
    /// How it went.
    pub event: NotificationEvent,
    /// For the issuer's developer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_description: Option<String>,
}

/// What the issuer keeps of a `notification_id`. Its key in a store is [`NotificationRecord::key`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotificationRecord {
    access_token: SecretDigest,
    /// The issuer's own names of the credentials of that response.
    pub credential_ids: Vec<String>,
    /// The last event and when it came; `None` until then.
    pub last: Option<(NotificationEvent, Timestamp)>,
}

/// The wallet's fault.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotificationError {
    /// The id is not known, or of another access token.
    #[error("the notification_id is not one of this access token")]
    Id,
    /// Not the JSON of a notification, or characters that it may not have.
    #[error("expected a notification request as JSON with an event description in printable ASCII")]
    Request,
}

impl NotificationRequest {
    /// Reads the body of a request.
    ///
    /// # Errors
    /// [`NotificationError::Request`], the wallet's fault.
    pub fn parse(body: &[u8]) -> Result<Self, NotificationError> {
        let request: Self = json::parse_as(body, REQUEST_LIMITS).map_err(|_| NotificationError::Request)?;
        // %x20-21 / %x23-5B / %x5D-7E
        let allowed = |byte: u8| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\';
        let description = request.event_description.as_deref().unwrap_or_default();
        if description.len() > MAX_DESCRIPTION_BYTES || !description.bytes().all(allowed) {
            return Err(NotificationError::Request);
        }
        Ok(request)
    }
}

impl NotificationRecord {
    /// A new `notification_id` for a credential response, and the record of it.
    #[must_use]
    pub fn new(token: &AccessTokenRecord, credential_ids: Vec<String>, rng: &mut dyn CryptoRng) -> (String, Self) {
        let id = Secret::generate(rng);
        (
            id.reveal().to_owned(),
            Self {
                access_token: token.digest(),
                credential_ids,
                last: None,
            },
        )
    }

    /// The key of the record for an id, whether the id is real or not.
    #[must_use]
    pub fn key(notification_id: &str) -> String {
        SecretDigest::of(notification_id).to_text()
    }

    /// Takes a notification. "The notification from the Wallet is idempotent": the same one again changes
    /// nothing, not even the time.
    ///
    /// # Errors
    /// [`NotificationError::Id`] with the token of another issuance.
    pub fn notify(
        self,
        token: &AccessTokenRecord,
        event: NotificationEvent,
        now: Timestamp,
    ) -> Result<Self, NotificationError> {
        if self.access_token != token.digest() {
            return Err(NotificationError::Id);
        }
        match self.last {
            Some((last, _)) if last == event => Ok(self),
            Some(_) | None => Ok(Self {
                last: Some((event, now)),
                ..self
            }),
        }
    }
}

impl NotificationError {
    /// The code for the wallet.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Id => "invalid_notification_id",
            Self::Request => "invalid_notification_request",
        }
    }

    /// The body for the wallet.
    #[must_use]
    pub fn to_response(&self) -> ErrorResponse {
        ErrorResponse::new(self.code(), self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token() -> AccessTokenRecord {
        let token = Secret::generate(&mut signer::os_rng());
        serde_json::from_value(serde_json::json!({
            "token": token.digest(), "subject": "a", "client_id": null, "credentials": [],
            "expires_at": 0, "remaining_credentials": 0
        }))
        .unwrap()
    }

    /// The examples of section 11.1.
    #[test]
    fn the_examples_of_the_text_are_read() {
        let accepted = br#"{"notification_id": "3fwe98js", "event": "credential_accepted"}"#;
        assert_eq!(
            NotificationRequest::parse(accepted).unwrap().event,
            NotificationEvent::CredentialAccepted
        );
        let failed = br#"{"notification_id": "3fwe98js", "event": "credential_failure",
            "event_description": "Could not store the Credential. Out of storage."}"#;
        assert_eq!(
            NotificationRequest::parse(failed).unwrap().event,
            NotificationEvent::CredentialFailure
        );
    }

    #[test]
    fn malformed_requests_are_refused() {
        for bad in [
            r#"{"event": "credential_accepted"}"#,
            r#"{"notification_id": "a", "event": "credential_lost"}"#,
            r#"{"notification_id": "a", "event": "Credential_accepted"}"#,
            r#"{"notification_id": "a", "event": "credential_accepted", "event": "credential_failure"}"#,
            r#"{"notification_id": "a", "event": "credential_failure", "event_description": "a\\b"}"#,
            r#"{"notification_id": "a", "event": "credential_failure", "event_description": "\u00e9"}"#,
        ] {
            assert_eq!(
                NotificationRequest::parse(bad.as_bytes()),
                Err(NotificationError::Request),
                "{bad}"
            );
        }
    }

    #[test]
    fn the_same_notification_again_changes_nothing() {
        let (token, now) = (token(), Timestamp::from_unix(5));
        let (id, record) = NotificationRecord::new(&token, vec!["c1".to_owned()], &mut signer::os_rng());
        assert!(!serde_json::to_string(&record).unwrap().contains(&id));
        let first = record
            .notify(&token, NotificationEvent::CredentialAccepted, now)
            .unwrap();
        assert_eq!(first.last, Some((NotificationEvent::CredentialAccepted, now)));
        let second = first
            .clone()
            .notify(&token, NotificationEvent::CredentialAccepted, now.plus(9))
            .unwrap();
        assert_eq!(second, first);
        let deleted = second
            .notify(&token, NotificationEvent::CredentialDeleted, now.plus(9))
            .unwrap();
        assert_eq!(deleted.last, Some((NotificationEvent::CredentialDeleted, now.plus(9))));
    }

    #[test]
    fn another_token_is_refused() {
        let (_, record) = NotificationRecord::new(&token(), vec![], &mut signer::os_rng());
        let refused = record.notify(&token(), NotificationEvent::CredentialAccepted, Timestamp::from_unix(5));
        assert_eq!(refused, Err(NotificationError::Id));
    }
}
