//! One line of a log, taken apart
//! ([the DID log file](https://identity.foundation/didwebvh/v1.0/#the-did-log-file)), with its hash
//! and SCID. Which entry may follow which is decided in [`super::log`].

use std::fmt;

use keys::Timestamp;
use keys::data_integrity::ProofError;
use keys::jcs;
use keys::json;
use keys::multibase;
use serde_json::Map;
use serde_json::Value;
use thiserror::Error;

use super::SCID_PLACEHOLDER;
use super::hash;
use super::identifier::IdentifierError;
use super::parameters::ParameterChanges;
use super::parameters::ParameterError;
use crate::Document;
use crate::document::DocumentError;
use crate::document::MAX_DOCUMENT_BYTES;
use crate::methods::key::DidKeyError;

/// A line is one document and, far smaller, its parameters and proofs.
pub const MAX_LINE_BYTES: usize = 2 * MAX_DOCUMENT_BYTES;

/// The document lies one level deep and may have 16 levels itself.
const LIMITS: json::Limits = json::Limits {
    max_bytes: MAX_LINE_BYTES,
    max_depth: 20,
};

/// Several keys may sign an entry; nobody has shown more than two.
const MAX_PROOFS: usize = 8;

/// An entry is malformed or does not follow its predecessor: the controller's fault, or that of
/// whoever changed the log on its way.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum EntryError {
    /// An entry after the one that ended the DID.
    #[error("expected no entry after deactivation, found one")]
    AfterDeactivation,
    /// The document of the entry is not one.
    #[error("the state of the entry is not a DID document")]
    Document(#[from] DocumentError),
    /// The hash in `versionId` is not the hash of the entry: something was changed.
    #[error("the entry hash does not match the entry")]
    EntryHash,
    /// `versionTime` lies ahead of the given time.
    #[error("expected a versionTime up to {now}, found {found}")]
    Future {
        /// The time given, without the tolerance.
        now: Timestamp,
        /// The time of the entry.
        found: Timestamp,
    },
    /// A hash that is not a base58btc SHA-256 multihash.
    #[error("expected a SHA-256 multihash in `{member}`")]
    HashAlgorithm {
        /// Where it stands.
        member: &'static str,
    },
    /// The `id` of the document is not a `did:webvh`.
    #[error("the state of the entry is not the document of a did:webvh")]
    Identifier(#[from] IdentifierError),
    /// The line is not JSON within the limits.
    #[error("the entry is not readable JSON")]
    Json(#[from] json::JsonError),
    /// A member is missing, too many, or of another type.
    #[error("expected the entry member `{member}` to be {expected}")]
    Member {
        /// Its name.
        member: &'static str,
        /// What it has to be.
        expected: &'static str,
    },
    /// The DID moved and the document does not tell from where.
    #[error("expected the prior DID in `alsoKnownAs` of a moved DID")]
    MovedWithoutTrace,
    /// The time of the entry is not after the time of its predecessor.
    #[error("expected a versionTime after {previous}, found {found}")]
    NotLater {
        /// The time of the predecessor.
        previous: Timestamp,
        /// The time of the entry.
        found: Timestamp,
    },
    /// The DID moved although it is not portable.
    #[error("expected the same DID as before, for it is not portable")]
    NotPortable,
    /// A number that JCS cannot write.
    #[error("the entry has no canonical form")]
    NoCanonicalForm,
    /// The parameters break a rule.
    #[error("the parameters of the entry are not acceptable")]
    Parameters(#[from] ParameterError),
    /// The first entry still holds `{SCID}`.
    #[error("expected no placeholder in the first entry")]
    Placeholder,
    /// A proof does not verify.
    #[error("a proof of the entry does not verify")]
    Proof(#[from] ProofError),
    /// A proof that ended before the entry was made.
    #[error("expected proofs that were valid at the versionTime")]
    ProofExpired,
    /// A proof names a key in another way than as `did:key`.
    #[error("expected a did:key of an Ed25519 key as verificationMethod")]
    ProofKey(#[from] DidKeyError),
    /// The SCID is not the hash of the first entry: something was changed.
    #[error("the SCID does not match the first entry")]
    Scid,
    /// The SCID of the document is another one.
    #[error("expected the SCID {expected} in the DID of every entry, found {found}")]
    ScidChanged {
        /// The SCID of the first entry.
        expected: String,
        /// The SCID found.
        found: String,
    },
    /// A key signed that was not authorized to.
    #[error("expected a proof of an active update key, found another key")]
    UnauthorizedKey,
    /// `versionId` is not number, dash, hash.
    #[error("expected a versionId of number, dash and hash")]
    VersionId,
    /// A version is missing or comes twice.
    #[error("expected version {expected}, found version {found}")]
    VersionNumber {
        /// What follows the predecessor.
        expected: u64,
        /// The number found.
        found: u64,
    },
    /// `versionTime` is not an ISO 8601 time in UTC.
    #[error("expected a versionTime in UTC, such as 2026-11-23T03:00:00Z")]
    VersionTime,
}

/// A version's number and hash, such as `2-Qm...`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionId {
    number: u64,
    hash: String,
}

impl VersionId {
    pub(crate) const fn new(number: u64, hash: String) -> Self {
        Self { number, hash }
    }

    /// Parses number, one dash, hash. Leading zeros and signs would be other texts for one number.
    pub(crate) fn parse(text: &str) -> Result<Self, EntryError> {
        let (number, hash) = text.split_once('-').ok_or(EntryError::VersionId)?;
        let canonical = !number.starts_with('0') && number.bytes().all(|byte| byte.is_ascii_digit());
        let number = number.parse().ok().filter(|_| canonical).ok_or(EntryError::VersionId)?;
        if hash.contains('-') {
            return Err(EntryError::VersionId);
        }
        check_hash("versionId", hash)?;
        Ok(Self {
            number,
            hash: hash.to_owned(),
        })
    }

    /// From 1, without gaps.
    #[must_use]
    pub const fn number(&self) -> u64 {
        self.number
    }
}

impl fmt::Display for VersionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.number, self.hash)
    }
}

/// An entry with the right members, nothing verified.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) version_id: VersionId,
    pub(crate) version_time: Timestamp,
    pub(crate) changes: ParameterChanges,
    pub(crate) document: Document,
    /// Empty while the entry is being written.
    pub(crate) proofs: Vec<Value>,
    /// The entry without `proof`: what is hashed and signed.
    pub(crate) unsigned: Map<String, Value>,
}

impl Entry {
    pub(crate) fn parse(line: &[u8]) -> Result<Self, EntryError> {
        let mut members = json::parse_object(line, LIMITS)?;
        let proof = members.remove("proof").ok_or(EntryError::Member {
            member: "proof",
            expected: "there",
        })?;
        let proofs = match proof {
            Value::Array(proofs) if (1..=MAX_PROOFS).contains(&proofs.len()) => proofs,
            // The JSON schema of the specification allows a proof by itself.
            proof @ Value::Object(_) => vec![proof],
            _ => {
                return Err(EntryError::Member {
                    member: "proof",
                    expected: "an array of 1 to 8 proofs",
                });
            }
        };
        Ok(Self {
            proofs,
            ..Self::unsigned(members)?
        })
    }

    /// An entry that lacks only its proofs.
    pub(crate) fn unsigned(members: Map<String, Value>) -> Result<Self, EntryError> {
        let text = |member| {
            members.get(member).and_then(Value::as_str).ok_or(EntryError::Member {
                member,
                expected: "a string",
            })
        };
        let value = |member| {
            members.get(member).ok_or(EntryError::Member {
                member,
                expected: "there",
            })
        };
        let version_id = VersionId::parse(text("versionId")?)?;
        let version_time = parse_utc(text("versionTime")?)?;
        let changes = ParameterChanges::parse(value("parameters")?)?;
        let document = Document::from_value(value("state")?.clone())?;
        if members.len() != 4 {
            return Err(EntryError::Member {
                member: "entry",
                expected: "an object of five members",
            });
        }
        Ok(Self {
            version_id,
            version_time,
            changes,
            document,
            proofs: Vec::new(),
            unsigned: members,
        })
    }

    /// Whether `versionId` has the hash of this entry after `previous`, which is the `versionId` of
    /// the predecessor, or the SCID.
    pub(crate) fn check_hash(&self, previous: &str) -> Result<(), EntryError> {
        if entry_hash(&self.unsigned, previous)? == self.version_id.hash {
            Ok(())
        } else {
            Err(EntryError::EntryHash)
        }
    }

    /// Whether `scid` is the hash of this first entry.
    pub(crate) fn check_scid(&self, scid: &str) -> Result<(), EntryError> {
        check_hash("scid", scid)?;
        let mut preliminary = Value::Object(self.unsigned.clone());
        if contains(&preliminary, SCID_PLACEHOLDER) {
            return Err(EntryError::Placeholder);
        }
        if let Some(version_id) = preliminary.get_mut("versionId") {
            *version_id = SCID_PLACEHOLDER.into();
        }
        let preliminary = replace(&preliminary, scid, SCID_PLACEHOLDER);
        if hash(&canonical(&preliminary)?) == scid {
            Ok(())
        } else {
            Err(EntryError::Scid)
        }
    }
}

/// The hash of an entry without proof whose predecessor is `previous`.
pub(crate) fn entry_hash(unsigned: &Map<String, Value>, previous: &str) -> Result<String, EntryError> {
    let mut chained = unsigned.clone();
    chained.insert("versionId".to_owned(), previous.into());
    Ok(hash(&canonical(&Value::Object(chained))?))
}

pub(crate) fn canonical(value: &Value) -> Result<String, EntryError> {
    jcs::canonicalize(value).map_err(|_| EntryError::NoCanonicalForm)
}

/// `value` with `from` replaced by `to` in every string and member name, as a replacement in its text
/// would do; neither can reach beyond a string.
pub(crate) fn replace(value: &Value, from: &str, to: &str) -> Value {
    match value {
        Value::String(text) => Value::String(text.replace(from, to)),
        Value::Array(items) => Value::Array(items.iter().map(|item| replace(item, from, to)).collect()),
        Value::Object(map) => Value::Object(
            map.iter()
                .map(|(name, value)| (name.replace(from, to), replace(value, from, to)))
                .collect(),
        ),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

fn contains(value: &Value, text: &str) -> bool {
    match value {
        Value::String(found) => found.contains(text),
        Value::Array(items) => items.iter().any(|item| contains(item, text)),
        Value::Object(map) => map
            .iter()
            .any(|(name, value)| name.contains(text) || contains(value, text)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Version 1.0 permits SHA-256 alone: multihash code 0x12, length 0x20.
fn check_hash(member: &'static str, text: &str) -> Result<(), EntryError> {
    let decoded = multibase::base58btc_decode(text).unwrap_or_default();
    match decoded.split_first_chunk() {
        Some(([0x12, 0x20], digest)) if digest.len() == 32 => Ok(()),
        _ => Err(EntryError::HashAlgorithm { member }),
    }
}

/// "a valid UTC ISO8601 string with explicit `Z` (or `+00:00`)"
fn parse_utc(text: &str) -> Result<Timestamp, EntryError> {
    if !text.ends_with('Z') && !text.ends_with("+00:00") {
        return Err(EntryError::VersionTime);
    }
    Timestamp::parse_rfc3339(text).map_err(|_| EntryError::VersionTime)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const HASH: &str = "QmTYXE8TR3uLUWWrefCtFCLhdFWDBk7Eyq5DQRmiHFVAEL";

    #[test]
    fn version_ids_have_one_text() {
        let id = VersionId::parse(&format!("12-{HASH}")).unwrap();
        assert_eq!((id.number(), id.to_string()), (12, format!("12-{HASH}")));
        for bad in [
            "",
            "1",
            "-",
            "1-",
            &format!("-{HASH}"),
            &format!("+1-{HASH}"),
            &format!("01-{HASH}"),
            &format!("0-{HASH}"),
            &format!("1--{HASH}"),
            &format!("1-{HASH}-"),
            &format!("1-{HASH}-{HASH}"),
            &format!("99999999999999999999-{HASH}"),
            &format!("1 -{HASH}"),
        ] {
            assert!(VersionId::parse(bad).is_err(), "{bad}");
        }
        // SHA-512, and a SHA-256 digest without its multihash header.
        let sha512 = multibase::base58btc_encode(&[[0x13, 0x40].as_slice(), &[7; 64]].concat());
        let bare = multibase::base58btc_encode(&[7; 32]);
        for bad in [sha512, bare, "0".into()] {
            assert_eq!(
                VersionId::parse(&format!("1-{bad}")),
                Err(EntryError::HashAlgorithm { member: "versionId" }),
                "{bad}"
            );
        }
    }

    #[test]
    fn version_times_are_utc() {
        for good in [
            "2026-11-23T03:00:00Z",
            "2026-11-23T03:00:00+00:00",
            "2026-11-23T03:00:00.9Z",
        ] {
            assert_eq!(parse_utc(good).unwrap().to_rfc3339(), "2026-11-23T03:00:00Z");
        }
        for bad in [
            "2026-11-23T03:00:00",
            "2026-11-23T11:00:00+08:00",
            "2026-11-23T03:00:00-00:00",
            "2026-11-23T03:00:00z",
            "2026-11-23",
            "",
        ] {
            assert_eq!(parse_utc(bad), Err(EntryError::VersionTime), "{bad}");
        }
    }

    #[test]
    fn entries_have_five_members() {
        let genuine = json!({
            "versionId": format!("1-{HASH}"), "versionTime": "2026-11-23T03:00:00Z", "parameters": {}, "state": {"id": "did:a:b"}, "proof": [{}],
        });
        assert!(Entry::parse(genuine.to_string().as_bytes()).is_ok());
        for member in ["versionId", "versionTime", "parameters", "state", "proof"] {
            let mut entry = genuine.clone();
            entry.as_object_mut().unwrap().remove(member);
            assert!(Entry::parse(entry.to_string().as_bytes()).is_err(), "{member}");
        }
        for (member, bad) in [
            ("other", json!(1)),
            ("proof", json!([])),
            ("proof", json!(vec![json!({}); 9])),
            ("proof", json!("x")),
        ] {
            let mut entry = genuine.clone();
            entry[member] = bad;
            assert!(
                matches!(
                    Entry::parse(entry.to_string().as_bytes()),
                    Err(EntryError::Member { .. })
                ),
                "{member}"
            );
        }
        assert!(matches!(
            Entry::parse(br#"{"versionId":"a","versionId":"b"}"#),
            Err(EntryError::Json(_))
        ));
    }

    #[test]
    fn replacement_reaches_names_and_values() {
        let value = json!({"a{SCID}": ["{SCID}", {"b": "did:webvh:{SCID}:x"}], "n": 1});
        let replaced = replace(&value, SCID_PLACEHOLDER, "Qm");
        assert_eq!(replaced, json!({"aQm": ["Qm", {"b": "did:webvh:Qm:x"}], "n": 1}));
        assert!(contains(&value, SCID_PLACEHOLDER) && !contains(&replaced, SCID_PLACEHOLDER));
        assert!(contains(&json!({"{SCID}": 1}), SCID_PLACEHOLDER));
    }
}
