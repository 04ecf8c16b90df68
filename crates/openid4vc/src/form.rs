//! `application/x-www-form-urlencoded` bodies and queries, read strictly.
//!
//! OAuth forbids a parameter twice ([RFC 6749, section 3.2](https://www.rfc-editor.org/rfc/rfc6749#section-3.2));
//! bytes that are not UTF-8 are refused, since replacing them could make two values equal.

use std::collections::BTreeMap;

use thiserror::Error;

/// What a form is sent as ([RFC 6749, appendix B](https://www.rfc-editor.org/rfc/rfc6749#appendix-B)).
pub const MEDIA_TYPE: &str = "application/x-www-form-urlencoded";
/// OAuth messages have about ten parameters; 64 leaves room for extensions that we ignore.
pub const MAX_PARAMETERS: usize = 64;

/// The sender's fault.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum FormError {
    /// A percent sign without two hex digits, or bytes that are not UTF-8.
    #[error("expected percent-encoded UTF-8")]
    Encoding,
    /// A required parameter is absent or empty.
    #[error("expected the parameter `{name}`")]
    Missing {
        /// Its name.
        name: &'static str,
    },
    /// A parameter that stands twice.
    #[error("expected each parameter once, found one repeated")]
    Repeated,
    /// Larger than the limit of its place, or more than [`MAX_PARAMETERS`].
    #[error("expected at most {limit} bytes and {MAX_PARAMETERS} parameters")]
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
}

/// The parameters of a form or query, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Form(BTreeMap<String, String>);

impl Form {
    /// Parses a body or the part of a URL after `?`.
    ///
    /// # Errors
    /// [`FormError`], the sender's fault.
    pub fn parse(text: &[u8], max_bytes: usize) -> Result<Self, FormError> {
        if text.len() > max_bytes {
            return Err(FormError::TooLarge { limit: max_bytes });
        }
        let mut parameters = BTreeMap::new();
        for pair in text.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
            let mut halves = pair.splitn(2, |byte| *byte == b'=');
            let name = decode(halves.next().unwrap_or_default())?;
            let value = decode(halves.next().unwrap_or_default())?;
            if parameters.len() == MAX_PARAMETERS {
                return Err(FormError::TooLarge { limit: max_bytes });
            }
            if parameters.insert(name, value).is_some() {
                return Err(FormError::Repeated);
            }
        }
        Ok(Self(parameters))
    }

    /// The value of a parameter; "parameters sent without a value MUST be treated as if they were omitted".
    #[must_use]
    pub fn optional(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The value of a parameter that must be there.
    ///
    /// # Errors
    /// [`FormError::Missing`], the sender's fault.
    pub fn required(&self, name: &'static str) -> Result<&str, FormError> {
        self.optional(name).ok_or(FormError::Missing { name })
    }

    /// All parameters with a value.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .filter(|(_, value)| !value.is_empty())
    }
}

/// Writes parameters as a form body or query.
#[must_use]
pub fn encode<'a>(parameters: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    ::url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(parameters)
        .finish()
}

fn decode(text: &[u8]) -> Result<String, FormError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.iter();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => hex(rest.next())? * 16 + hex(rest.next())?,
            other => *other,
        });
    }
    String::from_utf8(bytes).map_err(|_| FormError::Encoding)
}

fn hex(digit: Option<&u8>) -> Result<u8, FormError> {
    let digit = char::from(*digit.ok_or(FormError::Encoding)?)
        .to_digit(16)
        .ok_or(FormError::Encoding)?;
    u8::try_from(digit).map_err(|_| FormError::Encoding)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes() {
        let text = encode([("a", "1 + 1 = 2 & more"), ("é", "日本")]);
        let form = Form::parse(text.as_bytes(), 1_000).unwrap();
        assert_eq!(form.optional("a"), Some("1 + 1 = 2 & more"));
        assert_eq!(form.optional("é"), Some("日本"));
    }

    #[test]
    fn an_empty_parameter_is_an_omitted_one() {
        let form = Form::parse(b"a=&b", 1_000).unwrap();
        assert_eq!(form.optional("a"), None);
        assert_eq!(form.required("b"), Err(FormError::Missing { name: "b" }));
        assert_eq!(form.iter().count(), 0);
    }

    #[test]
    fn each_rule_refuses() {
        assert_eq!(Form::parse(b"a=1&%61=2", 1_000), Err(FormError::Repeated));
        assert_eq!(Form::parse(b"a=%f", 1_000), Err(FormError::Encoding));
        assert_eq!(Form::parse(b"a=%zz", 1_000), Err(FormError::Encoding));
        assert_eq!(Form::parse(b"a=%ff", 1_000), Err(FormError::Encoding));
        assert_eq!(Form::parse(b"a=12345", 6), Err(FormError::TooLarge { limit: 6 }));
        let many = (0..=MAX_PARAMETERS)
            .map(|n| format!("p{n}=1"))
            .collect::<Vec<_>>()
            .join("&");
        assert_eq!(
            Form::parse(many.as_bytes(), 10_000),
            Err(FormError::TooLarge { limit: 10_000 })
        );
    }
}
