//! Talking to issuers, verifiers and resolvers.

use openid4vc::oauth::error::ErrorResponse;
use server::Fetcher;
use server::fetch::FetchError;
use server::fetch::Outgoing;
use thiserror::Error;

/// A form as OAuth has it.
pub(crate) const FORM: &str = "application/x-www-form-urlencoded";

/// A peer gave no answer that can be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PeerError {
    /// It cannot be reached, or must not be.
    #[error("the {what} does not answer")]
    Fetch {
        /// What was asked.
        what: &'static str,
        /// Why.
        #[source]
        source: FetchError,
    },
    /// It answered that it does not do what was asked.
    #[error("the {what} refused with HTTP status {status}{}", said(error.as_ref()))]
    Refused {
        /// What was asked.
        what: &'static str,
        /// HTTP status code.
        status: u16,
        /// What it said, if that is understood.
        error: Option<ErrorResponse>,
    },
}

impl PeerError {
    /// The peer's error code.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Refused { error, .. } => error.as_ref().map(|error| error.error.as_str()),
            Self::Fetch { .. } => None,
        }
    }
}

/// Makes a request and returns the body of the answer; any status but 2xx is an error. `what` names the endpoint for people.
pub(crate) async fn send(
    fetcher: &Fetcher,
    request: Result<Outgoing, FetchError>,
    what: &'static str,
) -> Result<Vec<u8>, PeerError> {
    let failed = |source| PeerError::Fetch { what, source };
    let answer = fetcher.send(request.map_err(failed)?).await.map_err(failed)?;
    if answer.is_success() {
        return Ok(answer.body);
    }
    Err(PeerError::Refused {
        what,
        status: answer.status,
        error: ErrorResponse::parse(&answer.body).ok(),
    })
}

/// The text of a stranger: its `Display` escapes what a screen would obey.
fn said(error: Option<&ErrorResponse>) -> String {
    error.map(|error| format!(": {error}")).unwrap_or_default()
}
