//! Recognition: a foreign registry whose accreditations count here.

use keys::Timestamp;
use keys::cbor::Value;

use super::Action;
use super::DecodeError;
use crate::codec;
use crate::codec::Fields;
use crate::codec::MapBuilder;
use crate::merkle::Hash;

/// Body of a Recognition entry. Subject is the origin of the foreign log, ns the governing authority.
/// Recognition is not transitive: it opens the foreign registry's accreditations, not its recognitions.
///
/// ```cddl
/// recognition = { 1: 0 / 1, ? 2: terms }  ; recognise (or recognise anew), withdraw
/// terms = {
///   1: tstr,               ; verifier key of the foreign log at its genesis
///   2: bstr .size 32,      ; leaf hash of its genesis Policy
///   3: uint,               ; size of a checkpoint seen
///   4: bstr .size 32,      ; its root
///   5: [+ 0 / 1 / 2],      ; actions, ascending
///   6: [* mapping],        ; ascending by foreign id; none for every resource under its own id
///   7: uint,               ; max-staleness of the foreign bundle, in seconds
///   8: time                ; valid until
/// }
/// mapping = { 1: tstr, 2: tstr }  ; foreign id, id here
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecognitionBody {
    /// It counts, under these terms.
    Recognise(Recognition),
    /// It no longer counts.
    Withdraw,
}

/// The terms of a recognition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recognition {
    /// Verifier key of the foreign log at its genesis.
    pub log: String,
    /// Leaf hash of its genesis Policy.
    pub genesis: Hash,
    /// Size of a checkpoint that was seen: older ones are refused.
    pub size: u64,
    /// Root of that checkpoint.
    pub root: Hash,
    /// Which of its accreditations count; ascending, at least one.
    pub actions: Vec<Action>,
    /// Foreign ids and ids here; ascending by foreign id. Empty: every resource under its own id.
    pub mapping: Vec<ResourceMapping>,
    /// How old the foreign bundle may be, in seconds.
    pub max_staleness: u64,
    /// Not at or after.
    pub valid_until: Timestamp,
}

/// What a foreign resource is called here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceMapping {
    /// Id in the foreign registry.
    pub foreign: String,
    /// Id here.
    pub local: String,
}

impl RecognitionBody {
    pub(super) fn to_value(&self) -> Value {
        match self {
            Self::Recognise(terms) => MapBuilder::default().put(1, 0_u64).put(2, terms.to_value()),
            Self::Withdraw => MapBuilder::default().put(1, 1_u64),
        }
        .build()
    }

    pub(super) fn from_value(value: Value) -> Result<Self, DecodeError> {
        let mut fields = Fields::open("recognition", value)?;
        let body = match fields.unsigned(1)? {
            0 => Self::Recognise(Recognition::from_value(fields.value(2)?)?),
            1 => Self::Withdraw,
            _ => return Err(fields.shape("0 (recognise) or 1 (withdraw)")),
        };
        fields.end()?;
        Ok(body)
    }
}

impl Recognition {
    pub(crate) fn to_value(&self) -> Value {
        let actions = self
            .actions
            .iter()
            .map(|action| Value::Unsigned(*action as u64))
            .collect();
        MapBuilder::default()
            .put(1, Value::text(&self.log))
            .put(2, codec::hash_value(self.genesis))
            .put(3, self.size)
            .put(4, codec::hash_value(self.root))
            .put(5, Value::Array(actions))
            .put(
                6,
                Value::Array(self.mapping.iter().map(ResourceMapping::to_value).collect()),
            )
            .put(7, self.max_staleness)
            .put(8, codec::time_value(self.valid_until))
            .build()
    }

    pub(crate) fn from_value(value: Value) -> Result<Self, DecodeError> {
        let mut fields = Fields::open("recognition terms", value)?;
        let expected = DecodeError::Shape {
            what: "recognition terms",
            expected: "actions from 0 to 2",
        };
        let action = |value: Value| {
            value
                .as_unsigned()
                .and_then(Action::from_number)
                .ok_or_else(|| expected.clone())
        };
        let terms = Self {
            log: fields.text(1)?,
            genesis: fields.hash(2)?,
            size: fields.unsigned(3)?,
            root: fields.hash(4)?,
            actions: fields.array(5, action)?,
            mapping: fields.array(6, ResourceMapping::from_value)?,
            max_staleness: fields.unsigned(7)?,
            valid_until: fields.time(8)?,
        };
        if terms.actions.is_empty() || !codec::is_sorted_set(&terms.actions) {
            return Err(fields.shape("at least one action, ascending"));
        }
        if !terms.mapping.is_sorted_by(|left, right| left.foreign < right.foreign) {
            return Err(fields.shape("mappings ascending by foreign id"));
        }
        fields.end()?;
        Ok(terms)
    }
}

impl ResourceMapping {
    fn to_value(&self) -> Value {
        MapBuilder::default()
            .put(1, Value::text(&self.foreign))
            .put(2, Value::text(&self.local))
            .build()
    }

    fn from_value(value: Value) -> Result<Self, DecodeError> {
        let mut fields = Fields::open("mapping", value)?;
        let mapping = Self {
            foreign: fields.text(1)?,
            local: fields.text(2)?,
        };
        fields.end()?;
        Ok(mapping)
    }
}
