//! Recognitions of foreign registries.

use keys::Timestamp;
use keys::cbor::Value;

use super::Head;
use super::Record;
use super::Refusal;
use super::State;
use crate::codec::DecodeError;
use crate::codec::Fields;
use crate::codec::MapBuilder;
use crate::entry::Entry;
use crate::entry::EntryType;
use crate::entry::Recognition;
use crate::entry::RecognitionBody;
use crate::note::SignatureType;
use crate::note::VerifierKey;

/// What the state keeps of a recognition.
///
/// ```cddl
/// recognition-record = { 1: tstr, 2: head, ? 3: terms }  ; foreign origin, head, absent where withdrawn
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecognitionRecord {
    origin: String,
    pub(super) head: Head,
    terms: Option<Recognition>,
}

impl RecognitionRecord {
    /// The foreign log's origin.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The terms; `None` where the recognition was withdrawn.
    #[must_use]
    pub const fn terms(&self) -> Option<&Recognition> {
        self.terms.as_ref()
    }
}

impl Record for RecognitionRecord {
    fn key(&self) -> String {
        self.origin.clone()
    }

    fn index(&self) -> u64 {
        self.head.index
    }

    fn to_value(&self) -> Value {
        MapBuilder::default()
            .put(1, Value::text(&self.origin))
            .put(2, self.head.to_value())
            .optional(3, self.terms.as_ref().map(Recognition::to_value))
            .build()
    }

    fn from_value(value: Value) -> Result<Self, DecodeError> {
        let mut fields = Fields::open("recognition record", value)?;
        let record = Self {
            origin: fields.text(1)?,
            head: Head::from_value(fields.value(2)?)?,
            terms: fields.optional(3).map(Recognition::from_value).transpose()?,
        };
        fields.end()?;
        Ok(record)
    }
}

impl State {
    /// The recognition of a foreign registry that counts at `at`.
    #[must_use]
    pub fn recognition(&self, origin: &str, at: Timestamp) -> Option<&Recognition> {
        if self.tombstone(EntryType::Recognition, origin).is_some() {
            return None;
        }
        self.recognitions
            .get(origin)?
            .terms()
            .filter(|terms| at < terms.valid_until)
    }

    /// All recognitions, by origin.
    pub fn recognitions(&self) -> impl Iterator<Item = &RecognitionRecord> {
        self.recognitions.iter()
    }

    pub(super) fn apply_recognition(&mut self, entry: &Entry, body: &RecognitionBody) -> Result<(), Refusal> {
        let governing = self.governing(entry)?;
        self.check_quorum(entry, governing)?;
        let terms = match body {
            RecognitionBody::Recognise(terms) => {
                self.check_recognition(entry, terms)?;
                Some(terms.clone())
            }
            RecognitionBody::Withdraw
                if self
                    .recognitions
                    .get(entry.subject())
                    .is_some_and(|record| record.terms.is_some()) =>
            {
                None
            }
            RecognitionBody::Withdraw => {
                return Err(Refusal::Standing {
                    expected: "a recognised registry",
                    found: "none",
                });
            }
        };
        let record = RecognitionRecord {
            origin: entry.subject().to_owned(),
            head: self.head_of(entry),
            terms,
        };
        self.recognitions.put(record);
        Ok(())
    }

    fn check_recognition(&self, entry: &Entry, terms: &Recognition) -> Result<(), Refusal> {
        if entry.subject() == self.anchor().origin() {
            return Err(Refusal::Identity {
                member: "subject",
                expected: "the origin of another log",
            });
        }
        let log = VerifierKey::parse(&terms.log).ok();
        let is_log =
            |key: &VerifierKey| key.signature_type() == SignatureType::Ed25519 && key.name() == entry.subject();
        if !log.as_ref().is_some_and(is_log) {
            return Err(Refusal::Content {
                expected: "the verifier key of the foreign log, named as its origin",
            });
        }
        if terms.valid_until <= self.time() {
            return Err(Refusal::Content {
                expected: "a time of validity that is not over",
            });
        }
        Ok(())
    }
}
