//! Header parameters ([RFC 9052 section 3](https://www.rfc-editor.org/rfc/rfc9052#section-3)).

use std::collections::BTreeSet;

use super::CoseError;
use super::MAX_DEPTH;
use crate::cbor;
use crate::cbor::Value;
use crate::json::Limits;

/// A protected header has a handful of short members; a certificate chain is the longest.
const MAX_PROTECTED_BYTES: usize = 32 * 1024;

/// A leaf, its intermediates and a root; nobody's chain is longer, and each certificate costs a signature check.
const MAX_CHAIN: usize = 8;

/// Labels of the [COSE header parameters](https://www.iana.org/assignments/cose/cose.xhtml#header-parameters) that
/// are understood.
const ALG: i64 = 1;
const CRIT: i64 = 2;
const CONTENT_TYPE: i64 = 3;
const KID: i64 = 4;
/// [RFC 9596](https://www.rfc-editor.org/rfc/rfc9596).
const TYP: i64 = 16;
/// [RFC 9360](https://www.rfc-editor.org/rfc/rfc9360).
const X5CHAIN: i64 = 33;

const UNDERSTOOD: [i64; 5] = [ALG, CONTENT_TYPE, KID, TYP, X5CHAIN];

/// One header map.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeaderMap(Vec<(Value, Value)>);

/// The two header maps of a message, without a label in both, and with `alg`, `crit`, `typ` and `content type` in the
/// protected one if at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Headers {
    protected: HeaderMap,
    unprotected: HeaderMap,
    x5chain: Vec<Vec<u8>>,
}

impl HeaderMap {
    /// Without parameters.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// With one more parameter, in place of an earlier one of this label.
    #[must_use]
    pub fn with(mut self, label: i64, value: Value) -> Self {
        let label = Value::from(label);
        self.0.retain(|(found, _)| *found != label);
        self.0.push((label, value));
        self
    }

    /// With `kid`.
    #[must_use]
    pub fn with_key_id(self, key_id: impl Into<Vec<u8>>) -> Self {
        self.with(KID, Value::bytes(key_id))
    }

    /// With `content type`: the media type of the payload.
    #[must_use]
    pub fn with_content_type(self, media_type: &str) -> Self {
        self.with(CONTENT_TYPE, Value::text(media_type))
    }

    /// With `typ`: the media type of the whole message.
    #[must_use]
    pub fn with_typ(self, media_type: &str) -> Self {
        self.with(TYP, Value::text(media_type))
    }

    /// With `x5chain`: DER certificates, the signer's first. One stands alone, more are an array.
    #[must_use]
    pub fn with_x5chain(self, certificates: &[Vec<u8>]) -> Self {
        let chain = match certificates {
            [certificate] => Value::bytes(certificate.as_slice()),
            several => Value::Array(several.iter().map(|one| Value::bytes(one.as_slice())).collect()),
        };
        self.with(X5CHAIN, chain)
    }

    /// The parameter of this label.
    #[must_use]
    pub fn get(&self, label: i64) -> Option<&Value> {
        let label = Value::from(label);
        self.0
            .iter()
            .find_map(|(found, value)| (*found == label).then_some(value))
    }

    pub(super) fn with_algorithm(self, id: i64) -> Self {
        self.with(ALG, Value::from(id))
    }

    pub(super) fn into_value(self) -> Value {
        Value::Map(self.0)
    }

    /// The bytes of the protected header: none for an empty map.
    pub(super) fn into_protected(self) -> Vec<u8> {
        if self.0.is_empty() {
            Vec::new()
        } else {
            self.into_value().to_vec()
        }
    }

    pub(super) fn read(value: Value, expected: &'static str) -> Result<Self, CoseError> {
        match value {
            Value::Map(entries) if entries.iter().all(|(label, _)| is_label(label)) => Ok(Self(entries)),
            _ => Err(CoseError::Form { expected }),
        }
    }
}

impl Headers {
    /// What the signature or the MAC vouches for.
    #[must_use]
    pub const fn protected(&self) -> &HeaderMap {
        &self.protected
    }

    /// What anybody may have written.
    #[must_use]
    pub const fn unprotected(&self) -> &HeaderMap {
        &self.unprotected
    }

    /// `kid` of either header: a hint.
    #[must_use]
    pub fn key_id(&self) -> Option<&[u8]> {
        self.either(KID).and_then(Value::as_bytes)
    }

    /// `content type`, if it is a media type.
    #[must_use]
    pub fn content_type(&self) -> Option<&str> {
        self.protected.get(CONTENT_TYPE).and_then(Value::as_text)
    }

    /// Whether there is a `content type`, of whatever form.
    #[must_use]
    pub fn has_content_type(&self) -> bool {
        self.protected.get(CONTENT_TYPE).is_some()
    }

    /// `typ`, if it is a media type.
    #[must_use]
    pub fn typ(&self) -> Option<&str> {
        self.protected.get(TYP).and_then(Value::as_text)
    }

    /// `x5chain` of either header: DER certificates, the signer's first. A hint, which a trust anchor has to confirm.
    #[must_use]
    pub fn x5chain(&self) -> &[Vec<u8>] {
        &self.x5chain
    }

    /// Checks `typ` case-insensitively, with or without `application/`, so that a message of one kind never passes for
    /// another.
    ///
    /// # Errors
    /// [`CoseError::WrongType`].
    pub fn expect_typ(&self, expected: &'static str) -> Result<(), CoseError> {
        let bare = |typ: &'_ str| match typ.split_at_checked("application/".len()) {
            Some((prefix, rest)) if prefix.eq_ignore_ascii_case("application/") => rest.to_ascii_lowercase(),
            _ => typ.to_ascii_lowercase(),
        };
        if self.typ().is_some_and(|typ| bare(typ) == bare(expected)) {
            Ok(())
        } else {
            Err(CoseError::WrongType {
                expected,
                found: self.protected.get(TYP).cloned(),
            })
        }
    }

    pub(super) fn algorithm(&self) -> Option<&Value> {
        self.protected.get(ALG)
    }

    pub(super) fn parse(protected: &[u8], unprotected: Value) -> Result<Self, CoseError> {
        let protected = read_protected(protected)?;
        let unprotected = HeaderMap::read(unprotected, "a map of labels as unprotected header")?;
        let labels: BTreeSet<&Value> = protected.0.iter().map(|(label, _)| label).collect();
        if let Some((label, _)) = unprotected.0.iter().find(|(label, _)| labels.contains(label)) {
            return Err(CoseError::DuplicateLabel { label: label.clone() });
        }
        for (label, parameter) in [
            (ALG, "alg"),
            (CRIT, "crit"),
            (CONTENT_TYPE, "content type"),
            (TYP, "typ"),
        ] {
            if unprotected.get(label).is_some() {
                return Err(CoseError::Unprotected { parameter });
            }
        }
        check_critical(&protected, &labels)?;
        let mut headers = Self {
            protected,
            unprotected,
            x5chain: Vec::new(),
        };
        headers.check_types()?;
        headers.x5chain = headers.either(X5CHAIN).map_or(Ok(Vec::new()), read_chain)?;
        Ok(headers)
    }

    fn either(&self, label: i64) -> Option<&Value> {
        self.protected.get(label).or_else(|| self.unprotected.get(label))
    }

    fn check_types(&self) -> Result<(), CoseError> {
        let is_type = |value: &Value| matches!(value, Value::Text(_) | Value::Unsigned(_));
        let expected = "a media type or a CoAP content format";
        for (label, parameter) in [(CONTENT_TYPE, "content type"), (TYP, "typ")] {
            if self.protected.get(label).is_some_and(|value| !is_type(value)) {
                return Err(CoseError::Parameter { parameter, expected });
            }
        }
        if self.either(KID).is_some_and(|value| value.as_bytes().is_none()) {
            return Err(CoseError::Parameter {
                parameter: "kid",
                expected: "a byte string",
            });
        }
        Ok(())
    }
}

/// `int / tstr`.
const fn is_label(value: &Value) -> bool {
    matches!(value, Value::Unsigned(_) | Value::Negative(_) | Value::Text(_))
}

/// A zero-length string stands for the empty map.
fn read_protected(bytes: &[u8]) -> Result<HeaderMap, CoseError> {
    if bytes.is_empty() {
        return Ok(HeaderMap::new());
    }
    let limits = Limits {
        max_bytes: MAX_PROTECTED_BYTES,
        max_depth: MAX_DEPTH,
    };
    HeaderMap::read(
        cbor::decode_foreign(bytes, limits)?,
        "a map of labels as protected header",
    )
}

/// `crit` lists parameters of the protected header, each of which must be understood
/// ([RFC 9052 section 3.1](https://www.rfc-editor.org/rfc/rfc9052#section-3.1)).
fn check_critical(protected: &HeaderMap, labels: &BTreeSet<&Value>) -> Result<(), CoseError> {
    let Some(critical) = protected.get(CRIT) else {
        return Ok(());
    };
    let critical = critical.as_array().filter(|critical| !critical.is_empty());
    let critical = critical.ok_or(CoseError::Parameter {
        parameter: "crit",
        expected: "a non-empty array of labels",
    })?;
    let understood = UNDERSTOOD.map(Value::from);
    match critical
        .iter()
        .find(|label| !understood.contains(label) || !labels.contains(label))
    {
        Some(label) => Err(CoseError::Critical { label: label.clone() }),
        None => Ok(()),
    }
}

/// `COSE_X509`: one certificate, or an array of them. The standard has arrays of two or more; an array of one says
/// nothing else.
fn read_chain(value: &Value) -> Result<Vec<Vec<u8>>, CoseError> {
    let error = || CoseError::Parameter {
        parameter: "x5chain",
        expected: "one to eight certificates",
    };
    let certificates = match value {
        Value::Bytes(certificate) => vec![certificate.clone()],
        Value::Array(certificates) => certificates
            .iter()
            .map(|one| one.as_bytes().map(<[u8]>::to_vec).ok_or_else(error))
            .collect::<Result<_, _>>()?,
        _ => return Err(error()),
    };
    match certificates.len() {
        1..=MAX_CHAIN => Ok(certificates),
        _ => Err(error()),
    }
}
