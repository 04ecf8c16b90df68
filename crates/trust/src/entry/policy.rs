//! Policy: who governs the registry, whose logs and witnesses count.

use keys::Algorithm;
use keys::PublicKey;
use keys::Timestamp;
use keys::cbor::Value;

use super::APPROVAL_ALGORITHMS;
use super::DecodeError;
use super::Publication;
use super::approval::algorithm_from_value;
use super::approval::algorithm_value;
use crate::codec;
use crate::codec::Fields;
use crate::codec::MapBuilder;
use crate::merkle::Hash;

/// Body of a Policy entry. Subject is the origin of the log, ns the first authority.
///
/// ```cddl
/// policy = {
///   1: 0 / 1,              ; regular, recovery
///   2: [+ authority],      ; the first one governs
///   3: tstr,               ; tlog-policy text: the log's keys, the witnesses, the quorum
///   4: tstr,               ; the witness or group of that text that re-executes the state machine
///   5: [+ tstr],           ; DID methods that may be accredited, ascending
///   6: [+ alg],            ; algorithms of approvals, in the order -9, -51, -19
///   ? 7: recovery,
///   ? 8: time,             ; in the genesis Policy only: the time before the first Snapshot
///   ? 9: publication       ; under whose name and where projections are published
/// }
/// authority = { 1: tstr, 2: uint, 3: [+ officer], ? 4: [+ tstr] }   ; id, threshold, officers, scope
/// officer = { 1: tstr, 2: tstr, ? 3: bstr .size 32 }   ; id, Multikey, SHA-256 of the next Multikey
/// recovery = { 1: uint, 2: [+ bstr .size 32], 3: uint } ; threshold, SHA-256 of Multikeys, delay in seconds
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyBody {
    /// Signed by officers, or by recovery keys.
    pub kind: PolicyKind,
    /// At least one; the first governs, the others act within their scope.
    pub authorities: Vec<Authority>,
    /// [tlog-policy](https://c2sp.org/tlog-policy) text.
    pub witness_policy: String,
    /// Name of the witness or group of state witnesses in that text.
    pub state_quorum: String,
    /// DID methods that may be accredited, such as `webvh`; ascending.
    pub methods: Vec<String>,
    /// Algorithms that approvals may be signed with; in the order of [`APPROVAL_ALGORITHMS`].
    pub algorithms: Vec<Algorithm>,
    /// How lost quorum keys are replaced.
    pub recovery: Option<Recovery>,
    /// Time of the genesis, which stands in for a Snapshot until there is one.
    pub genesis_time: Option<Timestamp>,
    /// Under whose name and where projections are published; without it there are none.
    pub publication: Option<Publication>,
}

/// How a Policy is approved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicyKind {
    /// By the quorum of the Policy before it.
    Regular,
    /// By the recovery keys of the Policy before it; takes effect after the delay.
    Recovery,
}

/// A party whose officers approve entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authority {
    /// Its name: the `ns` of its entries.
    pub id: String,
    /// How many officers must sign.
    pub threshold: u64,
    /// Ascending by id.
    pub officers: Vec<Officer>,
    /// The resources that it may accredit; `None` for all. Ascending.
    pub scope: Option<Vec<String>>,
}

/// An officer: a role, never a person's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Officer {
    /// Name of the role.
    pub id: String,
    /// The key that signs approvals.
    pub key: PublicKey,
    /// SHA-256 of the Multikey text of the next key; with it, a change of policy must be signed by that key.
    pub next: Option<Hash>,
}

/// Keys kept apart for the day when a quorum of officers is lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovery {
    /// How many recovery keys must sign.
    pub threshold: u64,
    /// SHA-256 of their Multikey texts, ascending.
    pub keys: Vec<Hash>,
    /// Seconds of Snapshot time between announcement and effect, in which the officers can object.
    pub delay: u64,
}

impl PolicyBody {
    /// The authority that governs: it approves policies, recognitions, schemas, incidents and tombstones.
    #[must_use]
    pub fn governing(&self) -> Option<&Authority> {
        self.authorities.first()
    }

    /// The authority of this id.
    #[must_use]
    pub fn authority(&self, id: &str) -> Option<&Authority> {
        self.authorities.iter().find(|authority| authority.id == id)
    }

    pub(super) fn to_value(&self) -> Value {
        let kind: u64 = match self.kind {
            PolicyKind::Regular => 0,
            PolicyKind::Recovery => 1,
        };
        MapBuilder::default()
            .put(1, kind)
            .put(
                2,
                Value::Array(self.authorities.iter().map(Authority::to_value).collect()),
            )
            .put(3, Value::text(&self.witness_policy))
            .put(4, Value::text(&self.state_quorum))
            .put(5, codec::texts_value(&self.methods))
            .put(
                6,
                Value::Array(self.algorithms.iter().copied().map(algorithm_value).collect()),
            )
            .optional(7, self.recovery.as_ref().map(Recovery::to_value))
            .optional(8, self.genesis_time.map(codec::time_value))
            .optional(9, self.publication.as_ref().map(Publication::to_value))
            .build()
    }

    pub(super) fn from_value(value: Value) -> Result<Self, DecodeError> {
        let mut fields = Fields::open("policy", value)?;
        let kind = fields.variant(1, "0 (regular) or 1 (recovery)", |number| match number {
            0 => Some(PolicyKind::Regular),
            1 => Some(PolicyKind::Recovery),
            _ => None,
        })?;
        let body = Self {
            kind,
            authorities: fields.array(2, Authority::from_value)?,
            witness_policy: fields.lines(3)?,
            state_quorum: fields.text(4)?,
            methods: fields.texts(5)?,
            algorithms: fields.array(6, |value| algorithm_from_value(&value))?,
            recovery: fields.optional(7).map(Recovery::from_value).transpose()?,
            genesis_time: fields.optional_time(8)?,
            publication: fields.optional(9).map(Publication::from_value).transpose()?,
        };
        if !codec::is_sorted_set(&body.methods) || body.methods.is_empty() {
            return Err(fields.shape("at least one method, ascending"));
        }
        let place = |algorithm| APPROVAL_ALGORITHMS.iter().position(|known| known == algorithm);
        let in_order = body.algorithms.is_sorted_by(|left, right| place(left) < place(right));
        if !in_order || body.algorithms.is_empty() {
            return Err(fields.shape("at least one algorithm, in the order ESP256, ESP384, Ed25519"));
        }
        fields.end()?;
        Ok(body)
    }
}

impl Authority {
    /// The officer of this id.
    #[must_use]
    pub fn officer(&self, id: &str) -> Option<&Officer> {
        self.officers.iter().find(|officer| officer.id == id)
    }

    fn to_value(&self) -> Value {
        MapBuilder::default()
            .put(1, Value::text(&self.id))
            .put(2, self.threshold)
            .put(3, Value::Array(self.officers.iter().map(Officer::to_value).collect()))
            .optional(4, self.scope.as_deref().map(codec::texts_value))
            .build()
    }

    fn from_value(value: Value) -> Result<Self, DecodeError> {
        let mut fields = Fields::open("authority", value)?;
        let authority = Self {
            id: fields.text(1)?,
            threshold: fields.unsigned(2)?,
            officers: fields.array(3, Officer::from_value)?,
            scope: if let Some(scope) = fields.optional(4) {
                Some(scope_from_value(scope)?)
            } else {
                None
            },
        };
        let sorted = authority.officers.is_sorted_by(|left, right| left.id < right.id);
        if !sorted {
            return Err(fields.shape("officers ascending by id"));
        }
        fields.end()?;
        Ok(authority)
    }
}

impl Officer {
    fn to_value(&self) -> Value {
        MapBuilder::default()
            .put(1, Value::text(&self.id))
            .put(2, Value::text(self.key.to_multikey()))
            .optional(3, self.next.map(codec::hash_value))
            .build()
    }

    fn from_value(value: Value) -> Result<Self, DecodeError> {
        let mut fields = Fields::open("officer", value)?;
        let id = fields.text(1)?;
        let multikey = fields.text(2)?;
        let key =
            PublicKey::from_multikey(&multikey).map_err(|_| fields.shape("an Ed25519, P-256 or P-384 Multikey"))?;
        // Text that reads as the same key but is written otherwise would be signed and then re-encoded.
        if key.to_multikey() != multikey {
            return Err(fields.shape("the base58btc form of a Multikey"));
        }
        let next = fields.optional_hash(3)?;
        fields.end()?;
        Ok(Self { id, key, next })
    }
}

impl Recovery {
    fn to_value(&self) -> Value {
        MapBuilder::default()
            .put(1, self.threshold)
            .put(2, codec::hashes_value(&self.keys))
            .put(3, self.delay)
            .build()
    }

    fn from_value(value: Value) -> Result<Self, DecodeError> {
        let mut fields = Fields::open("recovery", value)?;
        let recovery = Self {
            threshold: fields.unsigned(1)?,
            keys: fields.hashes(2)?,
            delay: fields.unsigned(3)?,
        };
        if !codec::is_sorted_set(&recovery.keys) {
            return Err(fields.shape("digests of keys, ascending"));
        }
        fields.end()?;
        Ok(recovery)
    }
}

fn scope_from_value(value: Value) -> Result<Vec<String>, DecodeError> {
    let expected = DecodeError::Shape {
        what: "scope",
        expected: "resources, ascending",
    };
    let Value::Array(items) = value else {
        return Err(expected);
    };
    let scope: Vec<String> = items
        .into_iter()
        .map(|item| codec::text("scope", item))
        .collect::<Result<_, _>>()?;
    if codec::is_sorted_set(&scope) {
        Ok(scope)
    } else {
        Err(expected)
    }
}
