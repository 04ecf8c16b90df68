//! What a credential says about where its status stands: `status.status_list` of a JWT
//! ([referenced token](https://datatracker.ietf.org/doc/html/draft-ietf-oauth-status-list#name-referenced-token-in-jose))
//! and a `BitstringStatusListEntry`
//! ([Bitstring Status List](https://www.w3.org/TR/vc-bitstring-status-list/#bitstringstatuslistentry)).

use keys::cbor;
use keys::json::Json;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;
use thiserror::Error;

/// Place of one credential in one status list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusReference {
    uri: String,
    index: usize,
    purpose: Option<StatusPurpose>,
}

/// `statusPurpose` of a Bitstring Status List.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StatusPurpose {
    /// A message about the credential; not a reason to refuse it.
    Message,
    /// A newer credential is available; not a reason to refuse this one.
    Refresh,
    /// Set means revoked for good.
    Revocation,
    /// Set means suspended.
    Suspension,
    /// A purpose that the standard does not define.
    Other(String),
}

/// The issuer's fault: the status entry is malformed.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("expected `{member}` of the status entry as {expected}, found something else")]
pub struct StatusReferenceError {
    /// The member's name.
    pub member: &'static str,
    /// What belongs there.
    pub expected: &'static str,
}

/// The `type` of a Bitstring Status List entry.
pub(crate) const BITSTRING_ENTRY: &str = "BitstringStatusListEntry";

impl StatusReference {
    /// Place `index` of the Token Status List at `uri`.
    #[must_use]
    pub const fn token_status_list(uri: String, index: usize) -> Self {
        Self {
            uri,
            index,
            purpose: None,
        }
    }

    /// Place `index` of the Bitstring Status List at `uri`.
    #[must_use]
    pub const fn bitstring(uri: String, index: usize, purpose: StatusPurpose) -> Self {
        Self {
            uri,
            index,
            purpose: Some(purpose),
        }
    }

    /// Where the list is published: its identifier.
    #[must_use]
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// The credential's place in it, from 0.
    #[must_use]
    pub const fn index(&self) -> usize {
        self.index
    }

    /// The purpose of a Bitstring Status List; `None` for a Token Status List.
    #[must_use]
    pub const fn purpose(&self) -> Option<&StatusPurpose> {
        self.purpose.as_ref()
    }

    /// The value of the `status` claim, or of one `credentialStatus` entry.
    #[must_use]
    pub fn to_value(&self) -> Value {
        match &self.purpose {
            None => json!({"status_list": {"idx": self.index, "uri": self.uri}}),
            Some(purpose) => json!({
                "type": BITSTRING_ENTRY,
                "statusPurpose": purpose.as_str(),
                "statusListIndex": self.index.to_string(),
                "statusListCredential": self.uri,
            }),
        }
    }

    /// Reads the `status` claim of a JWT: the reference, if the mechanism is `status_list`, and the names of
    /// mechanisms that we do not know.
    pub(crate) fn from_status_claim(status: Json<'_>) -> Result<(Option<Self>, Vec<String>), StatusReferenceError> {
        let member = |name: &'static str, expected| StatusReferenceError { member: name, expected };
        let malformed = || member("status", "an object of mechanisms");
        let mechanisms = status.members().ok_or_else(malformed)?;
        let (mut list, mut unknown) = (None, Vec::new());
        for (name, mechanism) in mechanisms {
            match name {
                "status_list" => list = Some(mechanism),
                name => unknown.push(name.to_owned()),
            }
        }
        let Some(list) = list else {
            return if unknown.is_empty() {
                Err(malformed())
            } else {
                Ok((None, unknown))
            };
        };
        let index = list
            .get("idx")
            .and_then(Json::as_u64)
            .and_then(|index| usize::try_from(index).ok());
        let index = index.ok_or_else(|| member("idx", "a non-negative integer"))?;
        let uri = list.get("uri").and_then(Json::as_str).filter(|uri| is_uri(uri));
        let uri = uri.ok_or_else(|| member("uri", "a URI"))?;
        Ok((Some(Self::token_status_list(uri.to_owned(), index)), unknown))
    }

    /// The value of `status` in a mobile security object
    /// ([referenced token in mdoc](https://datatracker.ietf.org/doc/html/draft-ietf-oauth-status-list#name-iso-mdoc)).
    pub(crate) fn to_status_map(&self) -> cbor::Value {
        let map = |entries: Vec<(&str, cbor::Value)>| {
            let entries = entries.into_iter().map(|(key, value)| (cbor::Value::text(key), value));
            cbor::Value::Map(entries.collect())
        };
        let index = u64::try_from(self.index).unwrap_or(u64::MAX);
        let list = map(vec![
            ("idx", index.into()),
            ("uri", cbor::Value::text(self.uri.as_str())),
        ]);
        map(vec![("status_list", list)])
    }

    /// Reads `status` of a mobile security object, as [`StatusReference::from_status_claim`] does that of a JWT.
    pub(crate) fn from_status_map(status: &cbor::Value) -> Result<(Option<Self>, Vec<String>), StatusReferenceError> {
        let error = |member, expected| StatusReferenceError { member, expected };
        let mechanisms = status.as_map().filter(|map| !map.is_empty());
        let mechanisms = mechanisms.ok_or_else(|| error("status", "a map of mechanisms"))?;
        let names = mechanisms.iter().map(|(name, _)| name.as_text().map(str::to_owned));
        let mut names = names
            .collect::<Option<Vec<_>>>()
            .ok_or_else(|| error("status", "a map of names"))?;
        names.retain(|name| name != "status_list");
        let Some(list) = status.get("status_list") else {
            return Ok((None, names));
        };
        let index = list.get("idx").and_then(cbor::Value::as_unsigned);
        let index = index
            .and_then(|index| usize::try_from(index).ok())
            .ok_or_else(|| error("idx", "a non-negative integer"))?;
        let uri = list.get("uri").and_then(cbor::Value::as_text).filter(|uri| is_uri(uri));
        let uri = uri.ok_or_else(|| error("uri", "a URI"))?;
        Ok((Some(Self::token_status_list(uri.to_owned(), index)), names))
    }

    /// Reads one `credentialStatus` entry of type `BitstringStatusListEntry`.
    pub(crate) fn from_bitstring_entry(entry: &Map<String, Value>) -> Result<Self, StatusReferenceError> {
        let text = |member: &'static str| {
            let text = entry.get(member).and_then(Value::as_str);
            text.ok_or(StatusReferenceError {
                member,
                expected: "a string",
            })
        };
        let member = "statusListIndex";
        let expected = "a non-negative integer in decimal digits";
        let index = parse_index(text(member)?).ok_or(StatusReferenceError { member, expected })?;
        let uri = text("statusListCredential")?;
        if !is_uri(uri) {
            return Err(StatusReferenceError {
                member: "statusListCredential",
                expected: "a URL",
            });
        }
        // "It MUST NOT be the URL for the status list."
        if entry.get("id").is_some_and(|id| id.as_str() == Some(uri)) {
            return Err(StatusReferenceError {
                member: "id",
                expected: "another URL than the list's",
            });
        }
        // A larger entry is a message with a dictionary. Conforming processors may leave those out, and
        // reading it as one bit would be wrong.
        if entry.get("statusSize").is_some_and(|size| size.as_u64() != Some(1)) {
            return Err(StatusReferenceError {
                member: "statusSize",
                expected: "1",
            });
        }
        Ok(Self::bitstring(
            uri.to_owned(),
            index,
            StatusPurpose::from(text("statusPurpose")?),
        ))
    }
}

impl StatusPurpose {
    /// The value of `statusPurpose`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Message => "message",
            Self::Refresh => "refresh",
            Self::Revocation => "revocation",
            Self::Suspension => "suspension",
            Self::Other(purpose) => purpose,
        }
    }
}

impl From<&str> for StatusPurpose {
    fn from(text: &str) -> Self {
        match text {
            "message" => Self::Message,
            "refresh" => Self::Refresh,
            "revocation" => Self::Revocation,
            "suspension" => Self::Suspension,
            other => Self::Other(other.to_owned()),
        }
    }
}

/// Decimal digits only: `usize::from_str` would take a plus sign.
fn parse_index(text: &str) -> Option<usize> {
    text.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| text.parse().ok())?
}

/// Has a scheme (RFC 3986) and something behind it, without white space or control characters.
pub(crate) fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else {
        return false;
    };
    let mut letters = scheme.bytes();
    letters.next().is_some_and(|first| first.is_ascii_alphabetic())
        && letters.all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
        && !rest.is_empty()
        && rest
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !is_excluded_from_uris(byte))
}

/// The graphic characters that [RFC 3986](https://www.rfc-editor.org/rfc/rfc3986#appendix-A) has no place for. A match
/// and no search: this is asked for every byte of every URI of a credential.
const fn is_excluded_from_uris(byte: u8) -> bool {
    matches!(byte, b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(status: &Value) -> Result<(Option<StatusReference>, Vec<String>), StatusReferenceError> {
        let status = keys::json::Tree::parse(status.to_string().as_bytes(), keys::json::DEFAULT_LIMITS).unwrap();
        StatusReference::from_status_claim(status.root())
    }

    #[test]
    fn references_are_read_as_written() {
        let reference = StatusReference::token_status_list("https://example.com/statuslists/1".to_owned(), 0);
        assert_eq!(read(&reference.to_value()), Ok((Some(reference), vec![])));
        for purpose in ["revocation", "suspension", "refresh", "message", "own"] {
            let reference = StatusReference::bitstring("https://example.com/s/3".to_owned(), 94_567, purpose.into());
            let Value::Object(entry) = reference.to_value() else {
                panic!("an object")
            };
            assert_eq!(StatusReference::from_bitstring_entry(&entry), Ok(reference));
        }
    }

    #[test]
    fn unknown_mechanisms_are_named() {
        let status = json!({"other": {}, "status_list": {"idx": 1, "uri": "https://a.example"}});
        let (reference, unknown) = read(&status).unwrap();
        assert_eq!(
            (reference.map(|reference| reference.index()), unknown),
            (Some(1), vec!["other".to_owned()])
        );
        assert_eq!(read(&json!({"x": 1})), Ok((None, vec!["x".to_owned()])));
    }

    #[test]
    fn malformed_status_claims_are_refused() {
        for (status, member) in [
            (json!("x"), "status"),
            (json!({}), "status"),
            (json!({"status_list": []}), "idx"),
            (json!({"status_list": {"uri": "https://a.example"}}), "idx"),
            (json!({"status_list": {"idx": -1, "uri": "https://a.example"}}), "idx"),
            (json!({"status_list": {"idx": "1", "uri": "https://a.example"}}), "idx"),
            (json!({"status_list": {"idx": 1.5, "uri": "https://a.example"}}), "idx"),
            (json!({"status_list": {"idx": 1}}), "uri"),
            (json!({"status_list": {"idx": 1, "uri": "no uri"}}), "uri"),
            (json!({"status_list": {"idx": 1, "uri": "https://a b"}}), "uri"),
        ] {
            let refused = read(&status).unwrap_err();
            assert_eq!(refused.member, member, "{status}");
        }
    }

    #[test]
    fn malformed_bitstring_entries_are_refused() {
        let good = json!({"type": BITSTRING_ENTRY, "statusPurpose": "revocation", "statusListIndex": "1", "statusListCredential": "https://a.example/1"});
        assert!(StatusReference::from_bitstring_entry(good.as_object().unwrap()).is_ok());
        for (member, value) in [
            ("statusListIndex", json!(1)),
            ("statusListIndex", json!("+1")),
            ("statusListIndex", json!("-1")),
            ("statusListIndex", json!("")),
            ("statusListIndex", json!("99999999999999999999999")),
            ("statusListCredential", json!("no url")),
            ("statusPurpose", json!(null)),
            ("statusSize", json!(2)),
            ("id", json!("https://a.example/1")),
        ] {
            let mut entry = good.clone();
            entry[member] = value;
            let refused = StatusReference::from_bitstring_entry(entry.as_object().unwrap()).unwrap_err();
            assert_eq!(refused.member, member);
        }
    }
}
