//! The URLs of the protocols: `https`, or plain `http` to this machine only.
//!
//! Both standards demand TLS. One exception lets a whole platform run on one machine: a loopback host,
//! which no other machine can answer for ([RFC 8252, section 7.3](https://www.rfc-editor.org/rfc/rfc8252#section-7.3)).

use std::fmt;

use serde::Deserialize;
use serde::Deserializer;
use serde::Serialize;
use thiserror::Error;
use url::Host;
use url::Url;

/// Browsers and servers cut URLs near 8,000 bytes; identifiers and endpoints are far shorter.
pub const MAX_URL_BYTES: usize = 2_048;

/// An absolute `https` URL (or `http` on loopback) without user information and fragment.
///
/// The text is kept as it was written: the standards compare identifiers "using a simple string
/// comparison with no normalization".
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct SecureUrl(String);

/// The sender of the URL is at fault, or whoever configured it.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum UrlError {
    /// User information in a URL is shown to nobody and sent to everybody.
    #[error("expected a URL without user information")]
    Credentials,
    /// A fragment never reaches the server.
    #[error("expected a URL without a fragment")]
    Fragment,
    /// Not an absolute URL with a host.
    #[error("expected an absolute URL with a host")]
    Malformed,
    /// Plain HTTP beyond this machine, or another scheme.
    #[error("expected an https URL, or http to a loopback address")]
    NotSecure,
    /// A query where an identifier must not have one.
    #[error("expected an identifier without a query")]
    Query,
    /// Longer than [`MAX_URL_BYTES`].
    #[error("expected a URL of at most {MAX_URL_BYTES} bytes")]
    TooLong,
}

impl SecureUrl {
    /// Checks one URL.
    ///
    /// # Errors
    /// [`UrlError`] says which rule it breaks.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        parse(text)?;
        Ok(Self(text.to_owned()))
    }

    /// Checks an identifier (of a Credential Issuer or an Authorization Server): a URL with no query either.
    ///
    /// # Errors
    /// [`UrlError`] says which rule it breaks.
    pub fn parse_identifier(text: &str) -> Result<Self, UrlError> {
        if parse(text)?.query().is_some() {
            return Err(UrlError::Query);
        }
        Ok(Self(text.to_owned()))
    }

    /// The text as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Where the document of an identifier lies: `/.well-known/{name}` put between host and path
    /// ([OpenID4VCI](https://openid.net/specs/openid-4-verifiable-credential-issuance-1_0.html#credential-issuer-wellknown),
    /// [RFC 8414, section 3](https://www.rfc-editor.org/rfc/rfc8414#section-3)).
    #[must_use]
    pub fn well_known(&self, name: &str) -> Self {
        let authority_start = self.0.find("://").map_or(0, |at| at + 3);
        let path_start = self
            .0
            .get(authority_start..)
            .and_then(|rest| rest.find('/'))
            .map_or(self.0.len(), |at| authority_start + at);
        let (origin, path) = self.0.split_at(path_start);
        // "any terminating '/' MUST be removed" before the string is put in (RFC 8414).
        Self(format!(
            "{origin}/.well-known/{name}{}",
            path.strip_suffix('/').unwrap_or(path)
        ))
    }
}

impl fmt::Display for SecureUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for SecureUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

fn parse(text: &str) -> Result<Url, UrlError> {
    if text.len() > MAX_URL_BYTES {
        return Err(UrlError::TooLong);
    }
    // The parser strips white space and control characters; then the text kept would not be the URL used.
    if !text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\') {
        return Err(UrlError::Malformed);
    }
    let url = Url::parse(text).map_err(|_| UrlError::Malformed)?;
    let loopback = match url.host().ok_or(UrlError::Malformed)? {
        Host::Domain(domain) => domain == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    };
    let scheme_fits = text.starts_with("https://") || (text.starts_with("http://") && loopback);
    if !scheme_fits {
        return Err(UrlError::NotSecure);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(UrlError::Credentials);
    }
    if url.fragment().is_some() {
        return Err(UrlError::Fragment);
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn https_and_loopback_are_taken() {
        for good in [
            "https://issuer.example.com",
            "https://issuer.example.com:8443/tenant?x=1",
            "http://127.0.0.1:8080/issuers/a",
            "http://localhost:1/",
            "http://[::1]:8080/",
        ] {
            assert_eq!(
                SecureUrl::parse(good).map(|url| url.as_str().to_owned()),
                Ok(good.to_owned())
            );
        }
    }

    #[test]
    fn each_rule_refuses() {
        assert_eq!(SecureUrl::parse("http://issuer.example.com"), Err(UrlError::NotSecure));
        assert_eq!(
            SecureUrl::parse("http://127.0.0.1.example.com"),
            Err(UrlError::NotSecure)
        );
        assert_eq!(SecureUrl::parse("ftp://127.0.0.1"), Err(UrlError::NotSecure));
        assert_eq!(
            SecureUrl::parse("https://user@issuer.example.com"),
            Err(UrlError::Credentials)
        );
        assert_eq!(
            SecureUrl::parse("https://issuer.example.com/#a"),
            Err(UrlError::Fragment)
        );
        assert_eq!(SecureUrl::parse("issuer.example.com"), Err(UrlError::Malformed));
        assert_eq!(
            SecureUrl::parse(" https://issuer.example.com"),
            Err(UrlError::Malformed)
        );
        assert_eq!(
            SecureUrl::parse("https:\\\\issuer.example.com"),
            Err(UrlError::Malformed)
        );
        assert_eq!(
            SecureUrl::parse_identifier("https://issuer.example.com/?a"),
            Err(UrlError::Query)
        );
        let long = format!("https://issuer.example.com/{}", "a".repeat(MAX_URL_BYTES));
        assert_eq!(SecureUrl::parse(&long), Err(UrlError::TooLong));
    }

    #[test]
    fn well_known_is_put_between_host_and_path() {
        let at = |identifier: &str| {
            SecureUrl::parse_identifier(identifier)
                .unwrap()
                .well_known("openid-credential-issuer")
                .to_string()
        };
        assert_eq!(
            at("https://issuer.example.com/tenant"),
            "https://issuer.example.com/.well-known/openid-credential-issuer/tenant"
        );
        assert_eq!(
            at("https://tenant.issuer.example.com"),
            "https://tenant.issuer.example.com/.well-known/openid-credential-issuer"
        );
        assert_eq!(
            at("http://127.0.0.1:8080/issuers/a/"),
            "http://127.0.0.1:8080/.well-known/openid-credential-issuer/issuers/a"
        );
    }
}
