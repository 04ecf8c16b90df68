//! What a verifier keeps of the newest bundle that it used, so that none before it is used again, and no clock that
//! stands before it is believed.

use std::fmt;

use keys::Timestamp;
use keys::json::DEFAULT_LIMITS;
use keys::json::JsonError;
use serde_json::Value;
use serde_json::json;
use thiserror::Error;

use super::RollbackError;
use super::TrustedBundle;
use crate::anchor::Anchor;
use crate::anchor::AnchorError;
use crate::merkle::Hash;

/// The newest bundle of one registry that somebody has used.
///
/// Its text is JSON: `{"anchor": {...}, "size": 28, "root": "<64 hex digits>", "time": 1795392000, "as_of": 1795392005,
/// "policy": "<64 hex digits>"}` with times in seconds since 1970; texts from before it was kept have no `policy`. It holds
/// nothing secret; whoever can change it can make a verifier forget.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    anchor: Anchor,
    size: u64,
    root: Hash,
    time: Timestamp,
    as_of: Timestamp,
    /// Leaf hash of the newest Policy.
    policy: Option<Hash>,
}

/// A text is not the memory of a bundle: whoever wrote the file is at fault.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum SeenError {
    /// The anchor in it is none.
    #[error("the anchor of the memory cannot be used")]
    Anchor(#[from] AnchorError),
    /// Not JSON.
    #[error("the memory is not readable JSON")]
    Json(#[from] JsonError),
    /// A member is missing or of another form.
    #[error("expected the memory of a bundle with {expected}")]
    Member {
        /// What was expected.
        expected: &'static str,
    },
}

impl Seen {
    /// Parses the JSON form.
    ///
    /// # Errors
    /// [`SeenError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, SeenError> {
        let members = keys::json::parse_object(bytes, DEFAULT_LIMITS)?;
        let wrong = |expected| SeenError::Member { expected };
        let number = |name| members.get(name).and_then(Value::as_u64);
        let time = |name| {
            let seconds = number(name).and_then(|seconds| i64::try_from(seconds).ok());
            seconds.map(Timestamp::from_unix)
        };
        let anchor = members.get("anchor").ok_or_else(|| wrong("an `anchor`"))?;
        let root = members.get("root").and_then(Value::as_str);
        let policy = members.get("policy").map(|policy| {
            let policy = policy.as_str().and_then(|text| Hash::parse_hex(text).ok());
            policy.ok_or_else(|| wrong("a `policy` of 64 hexadecimal digits"))
        });
        let seen = Self {
            policy: policy.transpose()?,
            anchor: Anchor::parse(anchor.to_string().as_bytes())?,
            size: number("size").ok_or_else(|| wrong("a number `size`"))?,
            root: root
                .and_then(|text| Hash::parse_hex(text).ok())
                .ok_or_else(|| wrong("a `root` of 64 hexadecimal digits"))?,
            time: time("time").ok_or_else(|| wrong("a number `time`"))?,
            as_of: time("as_of").ok_or_else(|| wrong("a number `as_of`"))?,
        };
        if members.len() == 5 + usize::from(seen.policy.is_some()) {
            Ok(seen)
        } else {
            Err(wrong("the members anchor, size, root, time, as_of and policy only"))
        }
    }

    /// Which registry it is about.
    #[must_use]
    pub const fn anchor(&self) -> &Anchor {
        &self.anchor
    }

    /// No true clock is before this time: a quorum of witnesses had seen the bundle then.
    #[must_use]
    pub const fn floor(&self) -> Timestamp {
        self.as_of
    }

    /// The memory after `bundle` was used as well.
    ///
    /// # Errors
    /// [`RollbackError`] for a bundle that may not follow.
    pub fn then(&self, bundle: &TrustedBundle) -> Result<Self, RollbackError> {
        self.may_be_followed_by(bundle)?;
        let newer = bundle.seen();
        // The same tree may come with older cosignatures; the clock does not go back for it.
        Ok(Self {
            as_of: newer.as_of.max(self.as_of),
            ..newer
        })
    }

    fn may_be_followed_by(&self, bundle: &TrustedBundle) -> Result<(), RollbackError> {
        let new = bundle.checkpoint();
        if *bundle.anchor() != self.anchor {
            return Err(RollbackError::Anchor {
                found: bundle.anchor().origin().to_owned(),
            });
        }
        if new.size() < self.size {
            return Err(RollbackError::Older {
                expected: self.size,
                found: new.size(),
            });
        }
        if new.size() == self.size && new.root() != self.root {
            return Err(RollbackError::Fork { size: self.size });
        }
        if bundle.snapshot().time < self.time {
            return Err(RollbackError::TimeGoesBack {
                expected: self.time,
                found: bundle.snapshot().time,
            });
        }
        match self.policy.filter(|policy| !bundle.state().has_policy(*policy)) {
            Some(expected) => Err(RollbackError::Policy { expected }),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Seen {
    /// The JSON form, for a file.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let anchor: Value = serde_json::from_str(&self.anchor.to_string()).unwrap_or_default();
        let mut json = json!({
            "anchor": anchor,
            "size": self.size,
            "root": self.root.to_string(),
            "time": self.time.unix(),
            "as_of": self.as_of.unix(),
        });
        if let (Some(policy), Some(members)) = (self.policy, json.as_object_mut()) {
            members.insert("policy".to_owned(), policy.to_string().into());
        }
        write!(f, "{json:#}")
    }
}

impl TrustedBundle {
    /// What to keep of this bundle, so that none before it is used again.
    #[must_use]
    pub fn seen(&self) -> Seen {
        Seen {
            anchor: self.anchor().clone(),
            size: self.checkpoint().size(),
            root: self.checkpoint().root(),
            time: self.snapshot().time,
            as_of: self.as_of(),
            policy: self.state().newest_policy(),
        }
    }

    /// Whether this bundle may replace `previous`: the same registry, and not an older view of it.
    ///
    /// That a longer tree continues the shorter one, the witnesses vouch for; a delta proves it.
    ///
    /// # Errors
    /// [`RollbackError`].
    pub fn newer_than(&self, previous: &Self) -> Result<(), RollbackError> {
        previous.seen().may_be_followed_by(self)
    }
}
