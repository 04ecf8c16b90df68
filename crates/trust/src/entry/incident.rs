//! Incident: a key or DID that must not be believed.

use keys::Timestamp;
use keys::cbor::Value;

use super::Backdating;
use super::DecodeError;
use super::Reason;
use crate::codec;
use crate::codec::Fields;
use crate::codec::MapBuilder;

/// Body of an Incident entry. Subject is the DID URL of a verification method, or a DID for all its keys;
/// ns is the governing authority.
///
/// ```cddl
/// incident = {
///   1: 0 / 1,       ; declare (or declare anew, or confirm), withdraw
///   ? 2: time,      ; in declare: invalid-since
///   ? 3: 0 / 1,     ; in declare: backdating
///   ? 4: true,      ; in declare: emergency, by one officer, lapses after 72 hours
///   5: reason
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IncidentBody {
    /// What the key signed since then does not count.
    Declare {
        /// Since when.
        invalid_since: Timestamp,
        /// Whether what it signed before counts.
        backdating: Backdating,
        /// By one officer, for 72 hours at most unless a quorum confirms it.
        emergency: bool,
        /// Why.
        reason: Reason,
    },
    /// It was a false alarm.
    Withdraw {
        /// Why.
        reason: Reason,
    },
}

impl IncidentBody {
    pub(super) fn to_value(&self) -> Value {
        match self {
            Self::Declare {
                invalid_since,
                backdating,
                emergency,
                reason,
            } => MapBuilder::default()
                .put(1, 0_u64)
                .put(2, codec::time_value(*invalid_since))
                .put(3, *backdating as u64)
                .optional(4, emergency.then_some(Value::Bool(true)))
                .put(5, *reason as u64),
            Self::Withdraw { reason } => MapBuilder::default().put(1, 1_u64).put(5, *reason as u64),
        }
        .build()
    }

    pub(super) fn from_value(value: Value) -> Result<Self, DecodeError> {
        let mut fields = Fields::open("incident", value)?;
        let reason = fields.variant(5, "a reason", Reason::from_number)?;
        let body = match fields.unsigned(1)? {
            0 => Self::Declare {
                invalid_since: fields.time(2)?,
                backdating: fields.variant(3, "0 (refuse) or 1 (accept before)", Backdating::from_number)?,
                emergency: match fields.optional(4) {
                    None => false,
                    Some(Value::Bool(true)) => true,
                    Some(_) => return Err(fields.shape("emergency absent or true")),
                },
                reason,
            },
            1 => Self::Withdraw { reason },
            _ => return Err(fields.shape("0 (declare) or 1 (withdraw)")),
        };
        fields.end()?;
        Ok(body)
    }
}
