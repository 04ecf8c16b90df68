//! Data elements as JSON, since a verdict and a wallet's page show every format's claims alike.

use keys::Timestamp;
use keys::base64url;
use keys::cbor;
use serde_json::Map;
use serde_json::Value;

use super::MdocError;

/// `tdate` ([RFC 8949 section 3.4.1](https://www.rfc-editor.org/rfc/rfc8949.html#section-3.4.1)).
const TAG_TDATE: u64 = 0;
/// `full-date` ([RFC 8943](https://www.rfc-editor.org/rfc/rfc8943)).
const TAG_FULL_DATE: u64 = 1004;

/// A date, such as `2026-11-28`, as the standards encode it.
#[must_use]
pub fn full_date(date: &str) -> cbor::Value {
    cbor::Value::Tag(TAG_FULL_DATE, Box::new(cbor::Value::text(date)))
}

/// A time in whole seconds of UTC.
#[must_use]
pub fn tdate(time: Timestamp) -> cbor::Value {
    cbor::Value::Tag(TAG_TDATE, Box::new(cbor::Value::text(time.to_rfc3339())))
}

pub(super) fn read_tdate(value: &cbor::Value) -> Option<Timestamp> {
    Timestamp::parse_rfc3339(value.as_tagged(TAG_TDATE)?.as_text()?).ok()
}

/// The JSON of a data element, by [RFC 8949 section 6.1](https://www.rfc-editor.org/rfc/rfc8949.html#section-6.1): byte
/// strings in base64url, dates as their text.
pub(super) fn to_json(value: cbor::Value) -> Result<Value, MdocError> {
    const FORM: MdocError = MdocError::Form {
        member: "elementValue",
        expected: "a value with a JSON form",
    };
    match value {
        cbor::Value::Unsigned(number) => Ok(number.into()),
        // -1 - n is the complement of n; beyond 63 bits JSON readers would each read another number.
        cbor::Value::Negative(number) => i64::try_from(number).map(|number| (!number).into()).map_err(|_| FORM),
        cbor::Value::Bytes(bytes) => Ok(base64url::encode(bytes).into()),
        cbor::Value::Text(text) => Ok(text.into()),
        cbor::Value::Array(items) => items.into_iter().map(to_json).collect(),
        cbor::Value::Map(entries) => {
            let entries = entries.into_iter().map(|(key, value)| match key {
                cbor::Value::Text(key) => Ok((key, to_json(value)?)),
                _ => Err(FORM),
            });
            entries.collect::<Result<Map<_, _>, _>>().map(Value::Object)
        }
        cbor::Value::Tag(TAG_TDATE | TAG_FULL_DATE, date) if date.as_text().is_some() => to_json(*date),
        cbor::Value::Tag(..) => Err(FORM),
        cbor::Value::Bool(truth) => Ok(truth.into()),
        cbor::Value::Null => Ok(Value::Null),
    }
}
