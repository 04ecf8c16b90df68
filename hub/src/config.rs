//! What an operator sets.

use std::time::Duration;

use openid4vc::SecureUrl;
use openid4vc::url::UrlError;
use server::fetch::Reach;
use thiserror::Error;
use trust::note::NoteError;

/// A source that has not answered by then is down, as far as its caller can tell.
const SOURCE_TIMEOUT: Duration = Duration::from_secs(10);

/// Bodies of calls, in either direction: the largest answer of a register is a person with a portrait, 50 kB;
/// lists stay below this.
const MAX_BODY_BYTES: usize = 1 << 20;

/// The settings of a hub.
#[derive(Clone, Debug)]
pub struct Config {
    issuer: SecureUrl,
    evidence_origin: String,
    /// Which addresses sources may have. Tests and the sample run theirs on this machine.
    pub reach: Reach,
    /// How long a source may take.
    pub source_timeout: Duration,
    /// The largest body of a call and of an answer.
    pub max_body_bytes: usize,
}

/// The settings cannot be used: the operator's fault.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The log's name is no key name of C2SP, or its key is not Ed25519.
    #[error("expected a name without spaces and plus signs, and an Ed25519 key, for the evidence log")]
    EvidenceLog(#[source] NoteError),
    /// The public URL is not one.
    #[error("expected the platform's public URL as https, or http on loopback, without query")]
    PublicUrl(#[source] UrlError),
}

impl Config {
    /// Settings with defaults.
    ///
    /// `public_url` is what clients call the platform, without `/hub`. `evidence_origin` is the name of the
    /// evidence log, a schema-less URL such as `hub.attestry.example/evidence`; it must never change.
    ///
    /// # Errors
    /// [`ConfigError::PublicUrl`].
    pub fn new(public_url: &str, evidence_origin: &str) -> Result<Self, ConfigError> {
        let issuer = format!("{}/hub", public_url.trim_end_matches('/'));
        Ok(Self {
            issuer: SecureUrl::parse_identifier(&issuer).map_err(ConfigError::PublicUrl)?,
            evidence_origin: evidence_origin.to_owned(),
            reach: Reach::PublicOnly,
            source_timeout: SOURCE_TIMEOUT,
            max_body_bytes: MAX_BODY_BYTES,
        })
    }

    /// The hub's issuer identifier, and the audience of statements: the public URL with `/hub`.
    #[must_use]
    pub const fn issuer(&self) -> &SecureUrl {
        &self.issuer
    }

    /// The name of the evidence log.
    #[must_use]
    pub fn evidence_origin(&self) -> &str {
        &self.evidence_origin
    }
}
