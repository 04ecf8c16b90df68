//! Records of evidence: what happened at the hub, one record after the other.
//!
//! A record is a JSON text. Its bytes are a leaf of the evidence log and are kept and handed out as they are,
//! never written anew. No personal data is in it: subject and target are commitments, whose salt is kept
//! beside the log. Each record has the hash of the one before, so a run of records shows by itself that none
//! is missing; the log's signed checkpoint shows the same of all of them.
//!
//! See `spec/evidence.md` for the members.

use did::Did;
use keys::Timestamp;
use keys::json;
use serde::Deserialize;
use serde::Serialize;
use thiserror::Error;
use trust::merkle::Hash;
use trust::merkle::leaf_hash;

use super::commitment::Commitment;
use super::commitment::Label;
use super::commitment::Salt;
use super::field::FieldSet;
use super::id::ApiId;
use super::id::ApiVersion;
use super::id::ConsentId;
use super::id::EvidenceId;
use super::id::GrantId;
use super::openapi::Method;
use super::openapi::Template;
use super::statement::StatementDigest;
use super::statement::StatementKind;

/// The longest honest record has 128 fields of 128 bytes and three DIDs of 2 kB: 24 kB.
pub const MAX_RECORD_BYTES: usize = 32 * 1024;

const LIMITS: json::Limits = json::Limits {
    max_bytes: MAX_RECORD_BYTES,
    max_depth: 6,
};

/// The form of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Format {
    /// The first.
    #[serde(rename = "attestry-hub-evidence/1")]
    First,
}

/// A record at its place in the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// The form.
    pub format: Format,
    /// Its place, from 0: the index of its leaf.
    pub sequence: u64,
    /// The leaf hash of the record before, in base64; zero bytes for the first.
    pub previous: String,
    /// Its identifier.
    pub id: EvidenceId,
    /// When it happened, RFC 3339.
    pub time: String,
    /// What happened.
    pub event: Event,
}

/// A record that has no place yet.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Its identifier.
    pub id: EvidenceId,
    /// When it happened.
    pub time: Timestamp,
    /// What happened.
    pub event: Event,
    /// The salt of its commitments, kept beside the log.
    pub salt: Option<Salt>,
}

/// A record's bytes and what follows from them.
#[derive(Clone, Debug)]
pub struct Sealed {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// The hash of its leaf.
    pub leaf: Hash,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Event {
    /// Somebody called an API.
    Call(Box<CallEvent>),
    /// A statement changed the hub's state.
    Statement(Box<StatementEvent>),
}

/// A call, refused ones too. Members that were not known when it was refused are absent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallEvent {
    /// Who called, once a token proved it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consumer: Option<Did>,
    /// Whose API it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<Did>,
    /// The API.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api: Option<ApiId>,
    /// Its version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<ApiVersion>,
    /// The method.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<Method>,
    /// The path's template; never the path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<Template>,
    /// The grant that the token is bound to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grant: Option<GrantId>,
    /// The consent that the call names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consent: Option<ConsentId>,
    /// The fields that the consumer might see.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fields: Option<FieldSet>,
    /// Commitment to the subject.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<Commitment>,
    /// Commitment to path and query as forwarded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<Commitment>,
    /// SHA-256 of the consumer's request body, base64url.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_sha256: Option<String>,
    /// SHA-256 of the body that the source answered with, base64url.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_response_sha256: Option<String>,
    /// SHA-256 of the body that the consumer got from the source through the hub, base64url.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_sha256: Option<String>,
    /// The HTTP status that the consumer got.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// How it ended.
    pub outcome: Outcome,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
}

/// How a call ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Outcome {
    /// The source answered and the consumer got what it may see.
    Answered {
        /// The record that was written before the call was forwarded, for a method that changes something.
        #[serde(skip_serializing_if = "Option::is_none")]
        begun: Option<EvidenceId>,
    },
    /// The call is about to be forwarded. Written for methods that change something, so that the log knows
    /// of it even if the hub fails before the source has answered.
    Begun,
    /// The consumer got a problem instead.
    Refused {
        /// Why.
        reason: String,
        /// As with `answered`.
        #[serde(skip_serializing_if = "Option::is_none")]
        begun: Option<EvidenceId>,
    },
}

/// A change of state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatementEvent {
    /// What kind of statement.
    pub kind: StatementKind,
    /// SHA-256 of its text, base64url. The text is kept beside the log.
    pub statement: StatementDigest,
    /// The agency that signed it; absent where a person did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agency: Option<Did>,
    /// The consumer that it concerns.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consumer: Option<Did>,
    /// The source that it concerns.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<Did>,
    /// The API that it concerns.
    pub api: ApiId,
    /// The version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<ApiVersion>,
    /// The grant that it made or changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grant: Option<GrantId>,
    /// The consent that it made or changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consent: Option<ConsentId>,
}

/// The bytes are no record.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("expected a record of hub evidence")]
pub struct RecordError(#[from] json::JsonError);

impl Draft {
    /// The record at its place.
    ///
    /// # Errors
    /// The JSON library's, which our own types do not cause.
    pub fn seal(&self, sequence: u64, previous: Hash) -> Result<Sealed, serde_json::Error> {
        let record = Record {
            format: Format::First,
            sequence,
            previous: previous.to_base64(),
            id: self.id.clone(),
            time: self.time.to_rfc3339(),
            event: self.event.clone(),
        };
        let bytes = serde_json::to_vec(&record)?;
        Ok(Sealed {
            leaf: leaf_hash(&bytes),
            bytes,
        })
    }
}

impl Record {
    /// Reads a record. That it is in the log is another question: see [`crate::verify_evidence`].
    ///
    /// # Errors
    /// [`RecordError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, RecordError> {
        Ok(json::parse_as(bytes, LIMITS)?)
    }
}

impl Event {
    /// The agencies that may read it.
    #[must_use]
    pub fn parties(&self) -> Vec<&Did> {
        let mut parties: Vec<&Did> = match self {
            Self::Call(call) => [&call.consumer, &call.source].into_iter().flatten().collect(),
            Self::Statement(statement) => [&statement.agency, &statement.consumer, &statement.source]
                .into_iter()
                .flatten()
                .collect(),
        };
        parties.sort_unstable_by_key(|did| did.as_str());
        parties.dedup();
        parties
    }
}

impl CallEvent {
    /// Whether it was about this subject, for who has the salt.
    #[must_use]
    pub fn is_about(&self, subject: &str, salt: &Salt) -> bool {
        self.subject.as_ref() == Some(&salt.commit(Label::Subject, subject))
    }
}

impl Default for CallEvent {
    /// A call of which nothing is known yet.
    fn default() -> Self {
        Self {
            consumer: None,
            source: None,
            api: None,
            version: None,
            method: None,
            path: None,
            grant: None,
            consent: None,
            fields: None,
            subject: None,
            target: None,
            request_sha256: None,
            source_response_sha256: None,
            response_sha256: None,
            status: None,
            outcome: Outcome::Begun,
            duration_ms: 0,
        }
    }
}
