//! What a credential says about where its status stands: `status.status_list` of a JWT or in CBOR
//! ([referenced token](https://datatracker.ietf.org/doc/html/draft-ietf-oauth-status-list#name-referenced-token))
//! and a `BitstringStatusListEntry`
//! ([Bitstring Status List](https://www.w3.org/TR/vc-bitstring-status-list/#bitstringstatuslistentry)).

use keys::cbor;
use keys::json::Json;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;
use thiserror::Error;

use super::StatusMessages;
use super::StatusProblem;
use super::StatusSize;

/// Place of one credential in one status list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusReference {
    uri: String,
    index: usize,
    purpose: Option<StatusPurpose>,
    /// Most entries have one bit and explain nothing.
    more: Option<Box<More>>,
}

/// What an entry of a Bitstring Status List says of its values.
#[derive(Clone, Debug, PartialEq, Eq)]
struct More {
    size: StatusSize,
    messages: Option<StatusMessages>,
    references: Vec<String>,
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

impl StatusReferenceError {
    /// What the standard calls it.
    #[must_use]
    pub const fn problem(&self) -> StatusProblem {
        StatusProblem::MalformedValue
    }
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
            more: None,
        }
    }

    /// Place `index` of the Bitstring Status List at `uri`.
    #[must_use]
    pub const fn bitstring(uri: String, index: usize, purpose: StatusPurpose) -> Self {
        Self {
            uri,
            index,
            purpose: Some(purpose),
            more: None,
        }
    }

    /// With a message for each value, and as many bits as they take.
    #[must_use]
    pub fn with_messages(mut self, messages: StatusMessages) -> Self {
        let references = self.more.map(|more| more.references).unwrap_or_default();
        self.more = Some(Box::new(More {
            size: messages.size(),
            messages: Some(messages),
            references,
        }));
        self
    }

    /// With URLs of material about the status.
    #[must_use]
    pub fn with_references(mut self, references: Vec<String>) -> Self {
        if references.is_empty() && self.more.is_none() {
            return self;
        }
        let more = self.more.get_or_insert_with(|| {
            Box::new(More {
                size: StatusSize::ONE,
                messages: None,
                references: Vec::new(),
            })
        });
        more.references = references;
        self
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

    /// Bits of the entry in a Bitstring Status List. A Token Status List tells it itself.
    #[must_use]
    pub fn size(&self) -> StatusSize {
        self.more.as_ref().map_or(StatusSize::ONE, |more| more.size)
    }

    /// `statusMessage`: what the values mean.
    #[must_use]
    pub fn messages(&self) -> Option<&StatusMessages> {
        self.more.as_ref()?.messages.as_ref()
    }

    /// `statusReference`: URLs of material about the status.
    #[must_use]
    pub fn references(&self) -> &[String] {
        self.more.as_ref().map_or(&[], |more| &more.references)
    }

    /// The value of the `status` claim, or of one `credentialStatus` entry.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let Some(purpose) = &self.purpose else {
            return json!({"status_list": {"idx": self.index, "uri": self.uri}});
        };
        let mut entry = Map::from_iter([
            ("type".to_owned(), json!(BITSTRING_ENTRY)),
            ("statusPurpose".to_owned(), json!(purpose.as_str())),
            ("statusListIndex".to_owned(), json!(self.index.to_string())),
            ("statusListCredential".to_owned(), json!(self.uri)),
        ]);
        if let Some(messages) = self.messages() {
            entry.insert("statusSize".to_owned(), json!(messages.size().bits()));
            entry.insert("statusMessage".to_owned(), messages.to_value());
        }
        match self.references() {
            [] => {}
            [one] => drop(entry.insert("statusReference".to_owned(), json!(one))),
            several => drop(entry.insert("statusReference".to_owned(), json!(several))),
        }
        Value::Object(entry)
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

    /// The `Status` structure of a CWT or an mdoc. A Bitstring Status List has no such form; its entry is given as the
    /// place in a Token Status List.
    #[must_use]
    pub fn to_status_map(&self) -> cbor::Value {
        // An index of memory is never beyond 64 bits.
        let index = u64::try_from(self.index).unwrap_or(u64::MAX);
        let list = cbor::Value::Map(vec![
            (cbor::Value::text("idx"), cbor::Value::from(index)),
            (cbor::Value::text("uri"), cbor::Value::text(self.uri.as_str())),
        ]);
        cbor::Value::Map(vec![(cbor::Value::text("status_list"), list)])
    }

    /// Reads the `Status` structure of a CWT or an mdoc: the reference, if the mechanism is `status_list`, and the names
    /// of mechanisms that we do not know
    /// ([referenced token in COSE](https://datatracker.ietf.org/doc/html/draft-ietf-oauth-status-list#name-referenced-token-in-cose)).
    ///
    /// # Errors
    /// [`StatusReferenceError`], the issuer's fault.
    pub fn from_status_map(status: &cbor::Value) -> Result<(Option<Self>, Vec<String>), StatusReferenceError> {
        let malformed = |member, expected| StatusReferenceError { member, expected };
        let mechanisms = status.as_map().filter(|map| !map.is_empty());
        let mechanisms = mechanisms.ok_or_else(|| malformed("status", "a map of mechanisms"))?;
        let mut unknown = Vec::new();
        for (name, _) in mechanisms {
            match name.as_text() {
                Some("status_list") => {}
                Some(other) => unknown.push(other.to_owned()),
                None => return Err(malformed("status", "a map of mechanisms by their names")),
            }
        }
        let Some(list) = status.get("status_list") else {
            return Ok((None, unknown));
        };
        let index = list.get("idx").and_then(cbor::Value::as_unsigned);
        let index = index.and_then(|index| usize::try_from(index).ok());
        let index = index.ok_or_else(|| malformed("idx", "a non-negative integer"))?;
        let uri = list.get("uri").and_then(cbor::Value::as_text).filter(|uri| is_uri(uri));
        let uri = uri.ok_or_else(|| malformed("uri", "a URI"))?;
        Ok((Some(Self::token_status_list(uri.to_owned(), index)), unknown))
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
        let malformed = |member, expected| StatusReferenceError { member, expected };
        let index = parse_index(text("statusListIndex")?);
        let index = index.ok_or_else(|| malformed("statusListIndex", "a non-negative integer in decimal digits"))?;
        let uri = text("statusListCredential")?;
        if !is_uri(uri) {
            return Err(malformed("statusListCredential", "a URL"));
        }
        // "It MUST NOT be the URL for the status list."
        if entry.get("id").is_some_and(|id| id.as_str() == Some(uri)) {
            return Err(malformed("id", "another URL than the list's"));
        }
        let purpose = StatusPurpose::from(text("statusPurpose")?);
        let mut reference = Self::bitstring(uri.to_owned(), index, purpose);
        if let Some(references) = entry.get("statusReference") {
            let references = read_references(references);
            reference =
                reference.with_references(references.ok_or_else(|| malformed("statusReference", "a URL or several"))?);
        }
        match read_messages(entry)? {
            Some(messages) => Ok(reference.with_messages(messages)),
            None => Ok(reference),
        }
    }
}

/// `statusSize` and `statusMessage`, which an entry of several bits must have.
fn read_messages(entry: &Map<String, Value>) -> Result<Option<StatusMessages>, StatusReferenceError> {
    let malformed = |member, expected| StatusReferenceError { member, expected };
    let size = match entry.get("statusSize") {
        None => StatusSize::ONE,
        Some(size) => StatusSize::read(size).ok_or_else(|| malformed("statusSize", "an integer from 1 to 16"))?,
    };
    let expected = "one message for each value of the entry's bits";
    match entry.get("statusMessage") {
        None if size == StatusSize::ONE => Ok(None),
        None => Err(malformed("statusMessage", expected)),
        Some(messages) => {
            let messages = StatusMessages::read(messages, size);
            messages.map(Some).ok_or_else(|| malformed("statusMessage", expected))
        }
    }
}

/// One URL, or an array of them.
fn read_references(references: &Value) -> Option<Vec<String>> {
    let url = |value: &Value| value.as_str().filter(|url| is_uri(url)).map(str::to_owned);
    match references {
        Value::Array(several) => several.iter().map(url).collect(),
        one => Some(vec![url(one)?]),
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

/// Decimal digits only: `usize::from_str` would take a plus sign. The standard has integers of any size; those that do
/// not fit are kept as the largest one, which is beyond the end of every list as they are.
fn parse_index(text: &str) -> Option<usize> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().unwrap_or(usize::MAX))
}

/// Has a scheme (RFC 3986) and something behind it, without white space or control characters.
pub(crate) fn is_uri(text: &str) -> bool {
    let mut bytes = text.bytes();
    let is_of_scheme = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
    bytes.next().is_some_and(|first| first.is_ascii_alphabetic())
        && bytes.find(|byte| !is_of_scheme(*byte)) == Some(b':')
        && bytes.len() > 0
        && bytes.all(|byte| byte.is_ascii_graphic() && !is_excluded_from_uris(byte))
}

/// The graphic characters that [RFC 3986](https://www.rfc-editor.org/rfc/rfc3986#appendix-A) has no place for. A match
/// and no search: this is asked for every byte of every URI of a credential.
const fn is_excluded_from_uris(byte: u8) -> bool {
    matches!(byte, b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_claim(status: &Value) -> Result<(Option<StatusReference>, Vec<String>), StatusReferenceError> {
        let status = keys::json::Tree::parse(status.to_string().as_bytes(), keys::json::DEFAULT_LIMITS).unwrap();
        StatusReference::from_status_claim(status.root())
    }

    #[test]
    fn references_are_read_as_written() {
        let reference = StatusReference::token_status_list("https://example.com/statuslists/1".to_owned(), 0);
        assert_eq!(read_claim(&reference.to_value()), Ok((Some(reference), vec![])));
        for purpose in ["revocation", "suspension", "refresh", "message", "own"] {
            let reference = StatusReference::bitstring("https://example.com/s/3".to_owned(), 94_567, purpose.into());
            assert_eq!(read(&reference.to_value()), Ok(reference.clone()));
            let none = reference.clone().with_references(vec![]);
            assert_eq!(none, reference);
            let one = reference.with_references(vec!["https://a.example/codes".to_owned()]);
            assert_eq!(one.to_value()["statusReference"], "https://a.example/codes");
            assert_eq!(read(&one.to_value()), Ok(one.clone()));
            let several = one.with_references(vec!["https://a.example/1".to_owned(), "https://a.example/2".to_owned()]);
            let messages = StatusMessages::new(vec!["message".to_owned(); 4]).unwrap();
            let all = several.with_messages(messages);
            assert_eq!(read(&all.to_value()), Ok(all.clone()));
            assert_eq!((all.size().bits(), all.references().len()), (2, 2));
        }
    }

    fn read(entry: &Value) -> Result<StatusReference, StatusReferenceError> {
        StatusReference::from_bitstring_entry(entry.as_object().unwrap())
    }

    /// As in the examples of the standard, with the message that they leave out.
    #[test]
    fn entry_of_messages_is_read() {
        let mut entry = json!({
            "id": "https://example.com/credentials/status/8#492847", "type": BITSTRING_ENTRY, "statusPurpose": "message",
            "statusListIndex": "492847", "statusSize": 2,
            "statusListCredential": "https://example.com/credentials/status/8",
            "statusMessage": [
                {"status": "0x0", "message": "pending_review"}, {"status": "0x1", "message": "accepted"},
                {"status": "0x2", "message": "rejected"}, {"status": "0x3", "message": "undefined"},
            ],
            "statusReference": "https://example.org/status-dictionary/"
        });
        let reference = read(&entry).unwrap();
        assert_eq!(reference.size().bits(), 2);
        assert_eq!(reference.messages().unwrap().get(2), Some("rejected"));
        assert_eq!(reference.references(), ["https://example.org/status-dictionary/"]);
        // Size and messages belong together.
        for size in [json!(1), json!(3), Value::Null] {
            entry["statusSize"] = size;
            let entry = match &entry["statusSize"] {
                Value::Null => {
                    let mut entry = entry.clone();
                    entry.as_object_mut().unwrap().remove("statusSize");
                    entry
                }
                _ => entry.clone(),
            };
            assert_eq!(read(&entry).unwrap_err().member, "statusMessage");
        }
        entry["statusSize"] = json!(2);
        assert!(read(&entry).is_ok());
        entry["statusReference"] = json!([]);
        assert!(read(&entry).unwrap().references().is_empty());
        entry.as_object_mut().unwrap().remove("statusMessage");
        let refused = read(&entry).unwrap_err();
        assert_eq!(
            (refused.member, refused.problem()),
            ("statusMessage", StatusProblem::MalformedValue)
        );
    }

    #[test]
    fn an_index_of_any_size_is_read() {
        let index = |text: &str| {
            let entry = json!({"type": BITSTRING_ENTRY, "statusPurpose": "revocation", "statusListIndex": text, "statusListCredential": "https://a.example/1"});
            read(&entry).unwrap().index()
        };
        assert_eq!(index("94567"), 94_567);
        assert_eq!(index("99999999999999999999999"), usize::MAX);
    }

    #[test]
    fn unknown_mechanisms_are_named() {
        let status = json!({"other": {}, "status_list": {"idx": 1, "uri": "https://a.example"}});
        let (reference, unknown) = read_claim(&status).unwrap();
        assert_eq!(
            (reference.map(|reference| reference.index()), unknown),
            (Some(1), vec!["other".to_owned()])
        );
        assert_eq!(read_claim(&json!({"x": 1})), Ok((None, vec!["x".to_owned()])));
    }

    #[test]
    fn references_in_cbor_are_read_as_written_and_malformed_ones_are_refused() {
        let text = |text: &str| cbor::Value::text(text);
        let map = |entries: Vec<(&str, cbor::Value)>| {
            cbor::Value::Map(entries.into_iter().map(|(name, value)| (text(name), value)).collect())
        };
        let reference = StatusReference::token_status_list("https://example.com/statuslists/1".to_owned(), 7);
        let mut status = reference.to_status_map();
        assert_eq!(
            StatusReference::from_status_map(&status),
            Ok((Some(reference.clone()), vec![]))
        );
        if let cbor::Value::Map(mechanisms) = &mut status {
            mechanisms.push((text("identifier_list"), map(vec![])));
        }
        assert_eq!(
            StatusReference::from_status_map(&status),
            Ok((Some(reference), vec!["identifier_list".to_owned()]))
        );
        let list = |entries| map(vec![("status_list", map(entries))]);
        let index = || ("idx", cbor::Value::from(1_u64));
        for (status, member) in [
            (text("x"), "status"),
            (map(vec![]), "status"),
            (
                cbor::Value::Map(vec![(cbor::Value::from(1_u64), map(vec![]))]),
                "status",
            ),
            (list(vec![("uri", text("https://a.example"))]), "idx"),
            (
                list(vec![
                    ("idx", cbor::Value::from(-1_i64)),
                    ("uri", text("https://a.example")),
                ]),
                "idx",
            ),
            (list(vec![index()]), "uri"),
            (list(vec![index(), ("uri", text("no uri"))]), "uri"),
        ] {
            let refused = StatusReference::from_status_map(&status).unwrap_err();
            assert_eq!(refused.member, member, "{status:?}");
        }
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
            let refused = read_claim(&status).unwrap_err();
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
            ("statusListCredential", json!("no url")),
            ("statusPurpose", json!(null)),
            ("statusSize", json!(0)),
            ("statusSize", json!(1.5)),
            ("statusSize", json!("1")),
            ("statusSize", json!(17)),
            // Two bits have four messages.
            ("statusMessage", json!([])),
            ("statusMessage", json!([{"status": "0x0", "message": "a"}])),
            ("statusReference", json!("no url")),
            ("statusReference", json!(["https://a.example/2", 1])),
            ("id", json!("https://a.example/1")),
        ] {
            let mut entry = good.clone();
            entry[member] = value;
            let refused = StatusReference::from_bitstring_entry(entry.as_object().unwrap()).unwrap_err();
            assert_eq!(refused.member, member);
        }
    }
}
