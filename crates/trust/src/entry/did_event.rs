//! `DidEvent`: lines of a DID's own log, as they are.

use keys::cbor::Value;

use super::DecodeError;
use crate::codec::Fields;
use crate::codec::MapBuilder;

/// Body of a `DidEvent` entry. Subject and ns are the DID under which its first line was logged. There is no
/// approval: every line of a [did:webvh](https://identity.foundation/didwebvh/v1.0/) log is signed by the
/// DID's update keys and, where it has them, its witnesses.
///
/// ```cddl
/// did-event = {
///   1: 0,           ; method: 0 did:webvh; 1 is kept for did:web
///   2: [+ bstr],    ; new lines of did.jsonl, verbatim, without the newline
///   ? 3: bstr       ; did-witness.json as it now is, verbatim
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DidEventBody {
    /// The new lines, without their newlines.
    pub lines: Vec<Vec<u8>>,
    /// The whole `did-witness.json` that goes with all lines so far.
    pub witness_proofs: Option<Vec<u8>>,
}

/// The number of did:webvh.
const WEBVH: u64 = 0;

impl DidEventBody {
    pub(super) fn to_value(&self) -> Value {
        MapBuilder::default()
            .put(1, WEBVH)
            .put(
                2,
                Value::Array(self.lines.iter().map(|line| Value::bytes(line.as_slice())).collect()),
            )
            .optional(3, self.witness_proofs.as_deref().map(Value::bytes))
            .build()
    }

    pub(super) fn from_value(value: Value) -> Result<Self, DecodeError> {
        let mut fields = Fields::open("did event", value)?;
        fields.variant(1, "method 0 (did:webvh)", |number| (number == WEBVH).then_some(()))?;
        let line = |value| match value {
            Value::Bytes(line) if !line.is_empty() && !line.contains(&b'\n') => Ok(line),
            _ => Err(DecodeError::Shape {
                what: "did event",
                expected: "lines of bytes without a newline",
            }),
        };
        let lines = fields.array(2, line)?;
        if lines.is_empty() {
            return Err(fields.shape("at least one line"));
        }
        let witness_proofs = match fields.optional(3) {
            Some(Value::Bytes(proofs)) => Some(proofs),
            Some(_) => return Err(fields.shape("witness proofs as bytes")),
            None => None,
        };
        fields.end()?;
        Ok(Self { lines, witness_proofs })
    }
}
