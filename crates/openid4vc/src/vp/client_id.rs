//! Client Identifier Prefixes
//! ([OpenID4VP 1.0, section 5.9](https://openid.net/specs/openid-4-verifiable-presentations-1_0.html#client_metadata_management)).
//!
//! Two are implemented: `decentralized_identifier`, whose requests must be signed, and `redirect_uri`,
//! whose requests cannot be. The full identifier, prefix and all, is the verifier's name everywhere:
//! "Wallets MUST always use the full Client Identifier".

use std::fmt;

use serde::Deserialize;
use serde::Deserializer;
use serde::Serialize;
use thiserror::Error;

use crate::url::SecureUrl;
use crate::url::UrlError;

/// A did:webvh has a hash, a host and a path; a did:jwk a key.
pub const MAX_CLIENT_ID_BYTES: usize = 2_048;

const DECENTRALIZED_IDENTIFIER: &str = "decentralized_identifier";
const REDIRECT_URI: &str = "redirect_uri";

/// A Client Identifier with a prefix that we implement.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct ClientId {
    full: String,
    #[serde(skip)]
    kind: ClientKind,
}

/// What the part after the prefix is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum ClientKind {
    Did(String),
    ResponseUri(SecureUrl),
}

/// The verifier's fault, or a wallet that knows too little.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientIdError {
    /// The part after `decentralized_identifier:` is no DID.
    #[error("expected a DID after decentralized_identifier:")]
    Did,
    /// No prefix: a client that should be registered with the wallet, and none is.
    #[error("expected a client_id with a prefix: this wallet knows no registered clients")]
    PreRegistered,
    /// The part after `redirect_uri:` is no URL that may be used.
    #[error("expected a URL after redirect_uri:")]
    ResponseUri(#[source] UrlError),
    /// Longer than [`MAX_CLIENT_ID_BYTES`], or with characters that identifiers do not have.
    #[error("expected a client_id of at most {MAX_CLIENT_ID_BYTES} printable ASCII characters")]
    Text,
    /// A prefix that we do not implement, or `origin`, which "the Wallet MUST NOT accept".
    #[error("expected the client identifier prefix {DECENTRALIZED_IDENTIFIER} or {REDIRECT_URI}")]
    UnsupportedPrefix,
}

impl ClientId {
    /// Reads a full Client Identifier.
    ///
    /// # Errors
    /// [`ClientIdError`].
    pub fn parse(full: &str) -> Result<Self, ClientIdError> {
        if full.len() > MAX_CLIENT_ID_BYTES || !full.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(ClientIdError::Text);
        }
        let (prefix, rest) = full.split_once(':').ok_or(ClientIdError::PreRegistered)?;
        let kind = match prefix {
            DECENTRALIZED_IDENTIFIER => ClientKind::Did(check_did(rest)?.to_owned()),
            REDIRECT_URI => ClientKind::ResponseUri(SecureUrl::parse(rest).map_err(ClientIdError::ResponseUri)?),
            _ => return Err(ClientIdError::UnsupportedPrefix),
        };
        Ok(Self {
            full: full.to_owned(),
            kind,
        })
    }

    /// The identifier of a verifier with a DID.
    ///
    /// # Errors
    /// [`ClientIdError`] for what is no DID.
    pub fn for_did(did: &str) -> Result<Self, ClientIdError> {
        Self::parse(&format!("{DECENTRALIZED_IDENTIFIER}:{did}"))
    }

    /// The identifier of a verifier that is known only by where it takes answers.
    ///
    /// # Errors
    /// [`ClientIdError`] for a URL that is too long.
    pub fn for_response_uri(response_uri: &SecureUrl) -> Result<Self, ClientIdError> {
        Self::parse(&format!("{REDIRECT_URI}:{response_uri}"))
    }

    /// The full identifier: the audience of every presentation.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.full
    }

    /// The DID, if the prefix is `decentralized_identifier`.
    #[must_use]
    pub fn did(&self) -> Option<&str> {
        match &self.kind {
            ClientKind::Did(did) => Some(did),
            ClientKind::ResponseUri(_) => None,
        }
    }

    /// The URL, if the prefix is `redirect_uri`.
    #[must_use]
    pub fn response_uri(&self) -> Option<&SecureUrl> {
        match &self.kind {
            ClientKind::ResponseUri(url) => Some(url),
            ClientKind::Did(_) => None,
        }
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.full)
    }
}

impl<'de> Deserialize<'de> for ClientId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// `did:method:id` without path, query and fragment. Whether the method allows it, its resolver says.
fn check_did(text: &str) -> Result<&str, ClientIdError> {
    let mut parts = text.splitn(3, ':');
    let (scheme, method, id) = (parts.next(), parts.next(), parts.next());
    let named = |part: Option<&str>| part.is_some_and(|part| !part.is_empty());
    if scheme != Some("did") || !named(method) || !named(id) || text.contains(['/', '?', '#']) {
        return Err(ClientIdError::Did);
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_the_text() {
        let did = ClientId::parse("decentralized_identifier:did:example:123").unwrap();
        assert_eq!((did.did(), did.response_uri()), (Some("did:example:123"), None));
        assert_eq!(ClientId::for_did("did:example:123"), Ok(did));
        let url = ClientId::parse("redirect_uri:https://client.example.org/cb").unwrap();
        assert_eq!(url.response_uri().unwrap().as_str(), "https://client.example.org/cb");
        assert_eq!(url.as_str(), "redirect_uri:https://client.example.org/cb");
    }

    #[test]
    fn other_prefixes_are_refused() {
        for prefix in [
            "x509_san_dns",
            "x509_hash",
            "verifier_attestation",
            "openid_federation",
            "origin",
            "did",
            "https",
        ] {
            let refused = ClientId::parse(&format!("{prefix}:client.example"));
            assert_eq!(refused, Err(ClientIdError::UnsupportedPrefix), "{prefix}");
        }
        assert_eq!(ClientId::parse("example-client"), Err(ClientIdError::PreRegistered));
    }

    #[test]
    fn what_follows_the_prefix_is_checked() {
        for bad in [
            "",
            "did",
            "did:",
            "did:web",
            "did:web:",
            "https://a",
            "did:web:a#key",
            "did:web:a/b",
            "did:web:a?x",
        ] {
            assert_eq!(ClientId::for_did(bad), Err(ClientIdError::Did), "{bad}");
        }
        let plain = ClientId::parse("redirect_uri:http://client.example.org/cb");
        assert_eq!(plain, Err(ClientIdError::ResponseUri(UrlError::NotSecure)));
        assert_eq!(ClientId::for_did("did:web:\u{0430}"), Err(ClientIdError::Text));
        assert_eq!(
            ClientId::for_did(&format!("did:web:{}", "a".repeat(2_048))),
            Err(ClientIdError::Text)
        );
    }
}
