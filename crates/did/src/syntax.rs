//! The syntax of DIDs and DID URLs
//! ([DID Core section 3](https://www.w3.org/TR/did-core/#identifier)), strictly by its grammar.
//!
//! Comparison is by bytes: DID Core has no normalization. What a method adds to the grammar is
//! checked by the method.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::Deserialize;
use serde::Deserializer;
use serde::Serialize;
use serde::Serializer;
use thiserror::Error;

/// The longest honest DID is a `did:key` of a 4096-bit RSA key, about 750 characters.
pub const MAX_DID_BYTES: usize = 2048;

/// A DID and a path, query or fragment that may name a file or a version.
pub const MAX_DID_URL_BYTES: usize = 4096;

/// The text is not a DID or DID URL: the fault of whoever wrote it.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum SyntaxError {
    /// A character that the grammar does not have there, or `%` without two hexadecimal digits.
    #[error("expected only the characters of the DID grammar in the {component}, found another one")]
    Character {
        /// Which component.
        component: &'static str,
    },
    /// A component that must not be empty is.
    #[error("expected a {component}, found none")]
    Empty {
        /// Which component.
        component: &'static str,
    },
    /// The text does not begin with `did:`.
    #[error("expected a DID that begins with `did:` and a method name")]
    Scheme,
    /// The text is longer than any honest one.
    #[error("expected at most {limit} characters, found {found}")]
    TooLong {
        /// The limit.
        limit: usize,
        /// The length found.
        found: usize,
    },
    /// A DID URL with path, query or fragment stands where only a DID may.
    #[error("expected a DID without path, query and fragment")]
    Url,
}

/// A decentralized identifier without path, query and fragment.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Did {
    text: String,
    /// Where the method name ends, which is where the second colon stands.
    method_end: usize,
}

impl Did {
    /// Parses a bare DID.
    ///
    /// # Errors
    /// [`SyntaxError`], also for a DID URL that is more than a DID.
    pub fn parse(text: &str) -> Result<Self, SyntaxError> {
        if text.contains(['/', '?', '#']) {
            return Err(SyntaxError::Url);
        }
        Self::parse_bare(text)
    }

    /// The whole identifier.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The method name, such as `webvh`.
    #[must_use]
    pub fn method(&self) -> &str {
        self.text.get(SCHEME.len()..self.method_end).unwrap_or_default()
    }

    /// What follows the method name and its colon.
    #[must_use]
    pub fn method_specific_id(&self) -> &str {
        self.text.get(self.method_end + 1..).unwrap_or_default()
    }

    /// This DID with a fragment, as verification methods are named.
    ///
    /// # Errors
    /// [`SyntaxError`] when the fragment has characters that must be percent-encoded, or is too long.
    pub fn with_fragment(&self, fragment: &str) -> Result<DidUrl, SyntaxError> {
        DidUrl::parse(&format!("{}#{fragment}", self.text))
    }

    fn parse_bare(text: &str) -> Result<Self, SyntaxError> {
        if text.len() > MAX_DID_BYTES {
            return Err(SyntaxError::TooLong {
                limit: MAX_DID_BYTES,
                found: text.len(),
            });
        }
        let rest = text.strip_prefix(SCHEME).ok_or(SyntaxError::Scheme)?;
        let (method, specific) = rest.split_once(':').ok_or(SyntaxError::Scheme)?;
        if method.is_empty() {
            return Err(SyntaxError::Empty {
                component: "method name",
            });
        }
        if !method
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        {
            return Err(SyntaxError::Character {
                component: "method name",
            });
        }
        // `*( *idchar ":" ) 1*idchar`: inner parts may be empty, the last may not.
        if specific.is_empty() || specific.ends_with(':') {
            return Err(SyntaxError::Empty {
                component: "method-specific identifier",
            });
        }
        check_characters(specific, "method-specific identifier", |byte| {
            is_idchar(byte) || byte == b':'
        })?;
        Ok(Self {
            method_end: SCHEME.len() + method.len(),
            text: text.to_owned(),
        })
    }
}

impl fmt::Display for Did {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Did {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Did {
    type Err = SyntaxError;

    fn from_str(text: &str) -> Result<Self, SyntaxError> {
        Self::parse(text)
    }
}

impl Serialize for Did {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Did {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// A DID with an optional path, query and fragment
/// ([DID Core section 3.2](https://www.w3.org/TR/did-core/#did-url-syntax)).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DidUrl {
    did: Did,
    path: String,
    query: Option<String>,
    fragment: Option<String>,
}

impl DidUrl {
    /// Parses an absolute DID URL; a bare DID is one too.
    ///
    /// # Errors
    /// [`SyntaxError`].
    pub fn parse(text: &str) -> Result<Self, SyntaxError> {
        if text.len() > MAX_DID_URL_BYTES {
            return Err(SyntaxError::TooLong {
                limit: MAX_DID_URL_BYTES,
                found: text.len(),
            });
        }
        let (text, fragment) = split_off(text, '#');
        let (text, query) = split_off(text, '?');
        let (did, path) = text.split_at(text.find('/').unwrap_or(text.len()));
        check_characters(path, "path", |byte| is_pchar(byte) || byte == b'/')?;
        for (component, text) in [("query", query), ("fragment", fragment)] {
            let text = text.unwrap_or_default();
            check_characters(text, component, |byte| is_pchar(byte) || byte == b'/' || byte == b'?')?;
        }
        Ok(Self {
            did: Did::parse_bare(did)?,
            path: path.to_owned(),
            query: query.map(str::to_owned),
            fragment: fragment.map(str::to_owned),
        })
    }

    /// Parses a reference within the document of `base`: absolute, or beginning with `/`, `?` or `#`
    /// ([DID Core section 3.2.2](https://www.w3.org/TR/did-core/#relative-did-urls)).
    ///
    /// # Errors
    /// [`SyntaxError`].
    pub fn parse_in(base: &Did, text: &str) -> Result<Self, SyntaxError> {
        if text.starts_with(['/', '?', '#']) {
            Self::parse(&format!("{base}{text}"))
        } else {
            Self::parse(text)
        }
    }

    /// The DID before path, query and fragment.
    #[must_use]
    pub const fn did(&self) -> &Did {
        &self.did
    }

    /// The path with its leading `/`, or the empty string.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The query without `?`, as written.
    #[must_use]
    pub fn query(&self) -> Option<&str> {
        self.query.as_deref()
    }

    /// The fragment without `#`, as written.
    #[must_use]
    pub fn fragment(&self) -> Option<&str> {
        self.fragment.as_deref()
    }

    /// The percent-decoded value of a query parameter; the first one if it comes twice.
    #[must_use]
    pub fn query_parameter(&self, name: &str) -> Option<String> {
        let query = self.query.as_deref()?;
        query.split('&').find_map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (percent_decode(key)? == name)
                .then(|| percent_decode(value))
                .flatten()
                .map(Cow::into_owned)
        })
    }
}

impl From<Did> for DidUrl {
    fn from(did: Did) -> Self {
        Self {
            did,
            path: String::new(),
            query: None,
            fragment: None,
        }
    }
}

impl fmt::Display for DidUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.did, self.path)?;
        if let Some(query) = &self.query {
            write!(f, "?{query}")?;
        }
        if let Some(fragment) = &self.fragment {
            write!(f, "#{fragment}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for DidUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for DidUrl {
    type Err = SyntaxError;

    fn from_str(text: &str) -> Result<Self, SyntaxError> {
        Self::parse(text)
    }
}

impl Serialize for DidUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for DidUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// Decodes `%XX` once; `None` for a `%` without two digits and for bytes that are not UTF-8.
pub(crate) fn percent_decode(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('%') {
        return Some(Cow::Borrowed(text));
    }
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first == b'%' {
            let (digits, after) = rest.split_at_checked(2)?;
            rest = after;
            if !digits.iter().all(u8::is_ascii_hexdigit) {
                return None;
            }
            decoded.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
        } else {
            decoded.push(*first);
        }
    }
    String::from_utf8(decoded).ok().map(Cow::Owned)
}

const SCHEME: &str = "did:";

fn split_off(text: &str, separator: char) -> (&str, Option<&str>) {
    match text.split_once(separator) {
        Some((before, after)) => (before, Some(after)),
        None => (text, None),
    }
}

fn is_idchar(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_')
}

/// `pchar` of [RFC 3986 appendix A](https://www.rfc-editor.org/rfc/rfc3986#appendix-A) without `pct-encoded`.
fn is_pchar(byte: u8) -> bool {
    is_idchar(byte)
        || matches!(
            byte,
            b'~' | b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b';' | b'=' | b':' | b'@'
        )
}

/// Every byte is allowed, or begins a `pct-encoded`.
fn check_characters(text: &str, component: &'static str, allowed: impl Fn(u8) -> bool) -> Result<(), SyntaxError> {
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let fits = match byte {
            b'%' => (0..2).all(|_| bytes.next().is_some_and(|digit| digit.is_ascii_hexdigit())),
            other => allowed(other),
        };
        if !fits {
            return Err(SyntaxError::Character { component });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dids_have_a_method_and_an_identifier() {
        let did = Did::parse("did:web:example.com%3A3000:user:alice").unwrap();
        assert_eq!(did.method(), "web");
        assert_eq!(did.method_specific_id(), "example.com%3A3000:user:alice");
        assert_eq!(did.to_string(), "did:web:example.com%3A3000:user:alice");
        for good in ["did:a:b", "did:a1:::b", "did:ex:A.b-c_d%20e"] {
            assert!(Did::parse(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn what_the_grammar_lacks_is_refused() {
        for (bad, why) in [
            ("", SyntaxError::Scheme),
            ("did", SyntaxError::Scheme),
            ("DID:web:a", SyntaxError::Scheme),
            ("did:web", SyntaxError::Scheme),
            ("urn:did:web:a", SyntaxError::Scheme),
            (
                "did::a",
                SyntaxError::Empty {
                    component: "method name",
                },
            ),
            (
                "did:Web:a",
                SyntaxError::Character {
                    component: "method name",
                },
            ),
            (
                "did:web:",
                SyntaxError::Empty {
                    component: "method-specific identifier",
                },
            ),
            (
                "did:web:a:",
                SyntaxError::Empty {
                    component: "method-specific identifier",
                },
            ),
            (
                "did:web:a b",
                SyntaxError::Character {
                    component: "method-specific identifier",
                },
            ),
            (
                "did:web:a%2",
                SyntaxError::Character {
                    component: "method-specific identifier",
                },
            ),
            (
                "did:web:a%zz",
                SyntaxError::Character {
                    component: "method-specific identifier",
                },
            ),
            (
                "did:web:\u{e9}",
                SyntaxError::Character {
                    component: "method-specific identifier",
                },
            ),
            (
                "did:web:a@b",
                SyntaxError::Character {
                    component: "method-specific identifier",
                },
            ),
            (
                "did:web:a\n",
                SyntaxError::Character {
                    component: "method-specific identifier",
                },
            ),
            ("did:web:a#b", SyntaxError::Url),
            ("did:web:a/b", SyntaxError::Url),
            ("did:web:a?b", SyntaxError::Url),
        ] {
            assert_eq!(Did::parse(bad).unwrap_err(), why, "{bad:?}");
        }
    }

    #[test]
    fn lengths_are_limited() {
        let did = |length: usize| format!("did:a:{}", "b".repeat(length - 6));
        assert!(Did::parse(&did(MAX_DID_BYTES)).is_ok());
        assert!(matches!(
            Did::parse(&did(MAX_DID_BYTES + 1)),
            Err(SyntaxError::TooLong { .. })
        ));
        let url = |length: usize| format!("did:a:b#{}", "c".repeat(length - 8));
        assert!(DidUrl::parse(&url(MAX_DID_URL_BYTES)).is_ok());
        assert!(matches!(
            DidUrl::parse(&url(MAX_DID_URL_BYTES + 1)),
            Err(SyntaxError::TooLong { .. })
        ));
    }

    #[test]
    fn did_urls_come_apart_and_together() {
        let text = "did:example:123/path/a?versionId=1-Qm%2B&service=files#key:1/?";
        let url = DidUrl::parse(text).unwrap();
        assert_eq!(url.did().as_str(), "did:example:123");
        assert_eq!(url.path(), "/path/a");
        assert_eq!(url.query_parameter("versionId").as_deref(), Some("1-Qm+"));
        assert_eq!(url.query_parameter("service").as_deref(), Some("files"));
        assert_eq!(url.query_parameter("other"), None);
        assert_eq!(url.fragment(), Some("key:1/?"));
        assert_eq!(url.to_string(), text);
        assert_eq!(DidUrl::parse("did:a:b#").unwrap().fragment(), Some(""));
        assert_eq!(
            DidUrl::parse("did:a:b").unwrap(),
            DidUrl::from(Did::parse("did:a:b").unwrap())
        );
    }

    #[test]
    fn did_urls_refuse_what_needs_encoding() {
        for bad in [
            "did:a:b#c#d",
            "did:a:b#c d",
            "did:a:b?c[]",
            "did:a:b/\\c",
            "did:a:b#%4",
            "#c",
            "",
            "did:a:#c",
        ] {
            assert!(DidUrl::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn relative_references_take_the_base() {
        let base = Did::parse("did:a:b").unwrap();
        assert_eq!(DidUrl::parse_in(&base, "#c").unwrap().to_string(), "did:a:b#c");
        assert_eq!(DidUrl::parse_in(&base, "/c?d#e").unwrap().to_string(), "did:a:b/c?d#e");
        assert_eq!(DidUrl::parse_in(&base, "did:x:y#c").unwrap().to_string(), "did:x:y#c");
        assert!(DidUrl::parse_in(&base, "c").is_err());
    }

    #[test]
    fn serde_goes_through_the_parser() {
        assert_eq!(serde_json::from_str::<Did>("\"did:a:b\"").unwrap().as_str(), "did:a:b");
        assert!(serde_json::from_str::<Did>("\"did:a\"").is_err());
        assert_eq!(
            serde_json::to_string(&DidUrl::parse("did:a:b#c").unwrap()).unwrap(),
            "\"did:a:b#c\""
        );
    }
}
