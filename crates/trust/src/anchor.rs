//! The anchor: what a verifier pins, out of band or at its first fetch.
//!
//! Origin, the log's verifier key and the leaf hash of the genesis Policy. Everything else follows from
//! these three; a bundle of another anchor is refused, so that a self-made bundle verifies nothing.

use std::fmt;

use keys::json::DEFAULT_LIMITS;
use keys::json::JsonError;
use serde_json::Value;
use serde_json::json;
use thiserror::Error;

use crate::codec::DecodeError;
use crate::entry::Body;
use crate::entry::Entry;
use crate::merkle::Hash;
use crate::note::NoteError;
use crate::note::SignatureType;
use crate::note::VerifierKey;
use crate::tlog_policy::TlogPolicy;
use crate::tlog_policy::TlogPolicyError;

/// Which registry is believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anchor {
    log: VerifierKey,
    genesis: Hash,
}

/// Why something is no anchor: its author's fault.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum AnchorError {
    /// Not a genesis Policy entry.
    #[error("the genesis Policy cannot be read")]
    Entry(#[from] DecodeError),
    /// The entry is not the first Policy of a log with a log key.
    #[error("expected a genesis Policy with a log key, found another entry")]
    Genesis,
    /// Not JSON.
    #[error("the anchor is not readable JSON")]
    Json(#[from] JsonError),
    /// A member is missing or of another form.
    #[error("expected an anchor with {expected}")]
    Member {
        /// What was expected.
        expected: &'static str,
    },
    /// The log key is none.
    #[error("the log key of the anchor cannot be used")]
    VerifierKey(#[from] NoteError),
    /// The witness policy of the genesis Policy is broken.
    #[error("the tlog-policy of the genesis Policy cannot be used")]
    WitnessPolicy(#[from] TlogPolicyError),
}

impl Anchor {
    /// An anchor from its parts. The name of the log's key is the origin.
    ///
    /// # Errors
    /// [`AnchorError::Member`] for a key that does not sign checkpoints.
    pub fn new(log: VerifierKey, genesis: Hash) -> Result<Self, AnchorError> {
        if log.signature_type() != SignatureType::Ed25519 {
            return Err(AnchorError::Member {
                expected: "a log key of type 0x01",
            });
        }
        Ok(Self { log, genesis })
    }

    /// The anchor of the log that begins with this leaf. Whether the Policy in it is sound, the state
    /// machine decides.
    ///
    /// # Errors
    /// [`AnchorError`].
    pub fn of_genesis(leaf: &[u8]) -> Result<Self, AnchorError> {
        let entry = Entry::parse(leaf)?;
        let Body::Policy(policy) = entry.body() else {
            return Err(AnchorError::Genesis);
        };
        let witnesses = TlogPolicy::parse(&policy.witness_policy)?;
        let log = witnesses.logs().first().ok_or(AnchorError::Genesis)?;
        if entry.seq() != 0 || log.name() != entry.subject() {
            return Err(AnchorError::Genesis);
        }
        Self::new(log.clone(), entry.hash())
    }

    /// Parses the JSON form: `{"origin": "...", "log": "<verifier key>", "genesis": "<64 hex digits>"}`.
    ///
    /// # Errors
    /// [`AnchorError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, AnchorError> {
        let members = keys::json::parse_object(bytes, DEFAULT_LIMITS)?;
        let text = |name| members.get(name).and_then(Value::as_str);
        let log = text("log").ok_or(AnchorError::Member {
            expected: "a text `log`",
        })?;
        let anchor_of = |genesis| Self::new(VerifierKey::parse(log)?, genesis);
        let genesis = text("genesis").and_then(|text| Hash::parse_hex(text).ok());
        let anchor = anchor_of(genesis.ok_or(AnchorError::Member {
            expected: "a `genesis` of 64 hexadecimal digits",
        })?)?;
        // The origin is the name of the key; it stands there for people, and must not tell them another story.
        if text("origin") != Some(anchor.origin()) {
            return Err(AnchorError::Member {
                expected: "the `origin` that is the name of the log key",
            });
        }
        if members.len() != 3 {
            return Err(AnchorError::Member {
                expected: "the members origin, log and genesis only",
            });
        }
        Ok(anchor)
    }

    /// The unique name of the log.
    #[must_use]
    pub fn origin(&self) -> &str {
        self.log.name()
    }

    /// The log's verifier key at its genesis. Later ones are in the Policy entries.
    #[must_use]
    pub const fn log(&self) -> &VerifierKey {
        &self.log
    }

    /// Leaf hash of the genesis Policy.
    #[must_use]
    pub const fn genesis(&self) -> Hash {
        self.genesis
    }
}

impl fmt::Display for Anchor {
    /// The JSON form, for files and people.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let json = json!({ "origin": self.origin(), "log": self.log.to_string(), "genesis": self.genesis.to_string() });
        write!(f, "{json:#}")
    }
}
