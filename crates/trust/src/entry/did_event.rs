//! `DidEvent`: what a DID says of itself, as it is.

use keys::cbor::Value;

use super::DecodeError;
use crate::codec::Fields;
use crate::codec::MapBuilder;

/// An entry of 65,535 bytes has room for it beside the signatures of 64 officers. A document of fifty keys is
/// smaller.
pub const MAX_WEB_DOCUMENT_BYTES: usize = 32 << 10;

/// Body of a `DidEvent` entry. The subject is the DID.
///
/// ```cddl
/// did-event = {
///   1: 0,           ; did:webvh
///   2: [+ bstr],    ; new lines of did.jsonl, verbatim, without the newline
///   ? 3: bstr       ; did-witness.json as it now is, verbatim
/// } / {
///   1: 1,           ; did:web
///   2: bstr         ; did.json as it was served, verbatim, 1 byte to 32 KiB
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DidEventBody {
    /// More lines of a [did:webvh](https://identity.foundation/didwebvh/v1.0/) log. The ns is the DID under
    /// which its first line was logged. There is no approval: every line is signed by the DID's update keys and,
    /// where it has them, its witnesses.
    Webvh {
        /// The new lines, without their newlines.
        lines: Vec<Vec<u8>>,
        /// The whole `did-witness.json` that goes with all lines so far.
        witness_proofs: Option<Vec<u8>>,
    },
    /// A snapshot of the document of a [did:web](https://w3c-ccg.github.io/did-method-web/). The ns is the first
    /// authority, whose quorum approves: nothing in the document shows who put it there.
    Web {
        /// The bytes of `did.json`.
        document: Vec<u8>,
    },
}

/// The number of did:webvh.
const WEBVH: u64 = 0;

/// The number of did:web.
const WEB: u64 = 1;

/// The methods, while their members are read.
#[derive(Clone, Copy)]
enum Kind {
    Webvh,
    Web,
}

impl DidEventBody {
    /// Whether officers approve it.
    pub(super) const fn is_approved(&self) -> bool {
        matches!(self, Self::Web { .. })
    }

    pub(super) fn to_value(&self) -> Value {
        match self {
            Self::Webvh { lines, witness_proofs } => MapBuilder::default()
                .put(1, WEBVH)
                .put(
                    2,
                    Value::Array(lines.iter().map(|line| Value::bytes(line.as_slice())).collect()),
                )
                .optional(3, witness_proofs.as_deref().map(Value::bytes))
                .build(),
            Self::Web { document } => MapBuilder::default()
                .put(1, WEB)
                .put(2, Value::bytes(document.as_slice()))
                .build(),
        }
    }

    pub(super) fn from_value(value: Value) -> Result<Self, DecodeError> {
        let mut fields = Fields::open("did event", value)?;
        let body = match fields.variant(1, "method 0 (did:webvh) or 1 (did:web)", Kind::from_number)? {
            Kind::Webvh => webvh_from_fields(&mut fields)?,
            Kind::Web => web_from_fields(&mut fields)?,
        };
        fields.end()?;
        Ok(body)
    }
}

impl Kind {
    const fn from_number(number: u64) -> Option<Self> {
        match number {
            WEBVH => Some(Self::Webvh),
            WEB => Some(Self::Web),
            _ => None,
        }
    }
}

fn webvh_from_fields(fields: &mut Fields) -> Result<DidEventBody, DecodeError> {
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
    let witness_proofs = fields.optional_bytes(3, "witness proofs as bytes")?;
    Ok(DidEventBody::Webvh { lines, witness_proofs })
}

fn web_from_fields(fields: &mut Fields) -> Result<DidEventBody, DecodeError> {
    let document = fields.bytes(2)?;
    if document.is_empty() || document.len() > MAX_WEB_DOCUMENT_BYTES {
        return Err(fields.shape("a document of 1 byte to 32 KiB"));
    }
    Ok(DidEventBody::Web { document })
}
