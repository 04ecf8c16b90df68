//! Commitments: a value's salted hash stands in a record, the salt is kept apart.
//!
//! The identifiers of a register are few and short, so a plain hash of one is as good as the identifier.
//! With 32 random bytes of salt in front it says nothing; who has the salt can show what was meant; and
//! once the salt is deleted, a record that can never be changed says nothing any more.

use std::fmt;

use keys::base64url;
use rand_core::CryptoRng;
use serde::Deserialize;
use serde::Serialize;
use subtle::ConstantTimeEq as _;
use thiserror::Error;

const SALT_BYTES: usize = 32;

/// What the value is. Part of the hash, so that a commitment to one thing never passes for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Label {
    /// The identifier of a person or thing at the source.
    Subject,
    /// Path and query of a call.
    Target,
}

/// 32 random bytes.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Salt([u8; SALT_BYTES]);

/// SHA-256 of label, a zero byte, salt and value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Commitment([u8; 32]);

/// The text is not 32 bytes in base64url: the fault of whoever wrote it.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("expected 32 bytes in base64url")]
pub struct CommitmentError;

/// A commitment together with its salt: for those who may know the value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenCommitment {
    /// The salt.
    pub salt: Salt,
    /// The hash.
    pub hash: Commitment,
}

impl Salt {
    /// A new one.
    #[must_use]
    pub fn generate(rng: &mut dyn CryptoRng) -> Self {
        let mut bytes = [0; SALT_BYTES];
        rng.fill_bytes(&mut bytes);
        Self(bytes)
    }

    /// The commitment to `value`.
    #[must_use]
    pub fn commit(&self, label: Label, value: &str) -> Commitment {
        let mut message = label.as_str().as_bytes().to_vec();
        message.push(0);
        message.extend_from_slice(&self.0);
        message.extend_from_slice(value.as_bytes());
        Commitment(keys::sha256(&message))
    }
}

impl Label {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Subject => "subject",
            Self::Target => "target",
        }
    }
}

impl OpenCommitment {
    /// A commitment to a subject with a new salt.
    #[must_use]
    pub fn to_subject(subject: &str, rng: &mut dyn CryptoRng) -> Self {
        let salt = Salt::generate(rng);
        Self {
            hash: salt.commit(Label::Subject, subject),
            salt,
        }
    }

    /// Whether this subject is meant.
    #[must_use]
    pub fn is_subject(&self, subject: &str) -> bool {
        self.salt.commit(Label::Subject, subject).0.ct_eq(&self.hash.0).into()
    }
}

impl fmt::Debug for Salt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Salt(..)")
    }
}

fn decode(text: &str) -> Result<[u8; 32], CommitmentError> {
    let bytes = base64url::decode(text).map_err(|_| CommitmentError)?;
    bytes.try_into().map_err(|_| CommitmentError)
}

impl TryFrom<String> for Salt {
    type Error = CommitmentError;

    fn try_from(text: String) -> Result<Self, CommitmentError> {
        decode(&text).map(Self)
    }
}

impl From<Salt> for String {
    fn from(salt: Salt) -> Self {
        base64url::encode(salt.0)
    }
}

impl TryFrom<String> for Commitment {
    type Error = CommitmentError;

    fn try_from(text: String) -> Result<Self, CommitmentError> {
        decode(&text).map(Self)
    }
}

impl From<Commitment> for String {
    fn from(commitment: Commitment) -> Self {
        base64url::encode(commitment.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn label_salt_and_value_all_count() {
        let salt = Salt([1; 32]);
        let commitment = salt.commit(Label::Subject, "X0000001A");
        assert_eq!(commitment, salt.commit(Label::Subject, "X0000001A"));
        assert_ne!(commitment, salt.commit(Label::Target, "X0000001A"));
        assert_ne!(commitment, salt.commit(Label::Subject, "X0000002A"));
        assert_ne!(commitment, Salt([2; 32]).commit(Label::Subject, "X0000001A"));
    }

    #[test]
    fn the_form_of_the_specification() {
        let message = [b"subject\0".as_slice(), &[1; 32], b"X0000001A"].concat();
        let expected = Commitment(keys::sha256(&message));
        assert_eq!(Salt([1; 32]).commit(Label::Subject, "X0000001A"), expected);
    }

    #[test]
    fn debug_shows_no_salt() {
        assert_eq!(format!("{:?}", Salt([1; 32])), "Salt(..)");
    }
}
