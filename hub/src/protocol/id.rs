//! Names and identifiers: what an API is called, and what the hub calls its own records.
//!
//! Each is short and of few characters, since it stands in URLs, in keys of the store and in evidence.

use std::fmt;

use keys::base64url;
use rand_core::CryptoRng;
use serde::Deserialize;
use serde::Serialize;
use thiserror::Error;

/// Longest name of an API; it is typed by people.
const MAX_API_BYTES: usize = 64;

/// Longest version, such as `v1` or `2026-11.1`.
const MAX_VERSION_BYTES: usize = 32;

/// Random bytes of an identifier: nobody guesses one of 2^128.
const ID_BYTES: usize = 16;

/// The text is not an identifier of this kind: the fault of whoever wrote it.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("expected {expected}")]
pub struct IdError {
    expected: &'static str,
}

/// The name of an API in the catalogue: the first part of its path on the hub.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ApiId(String);

impl ApiId {
    /// Reads a name: lower-case letters, digits and hyphens.
    ///
    /// # Errors
    /// [`IdError`].
    pub fn parse(text: &str) -> Result<Self, IdError> {
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if text.is_empty() || text.len() > MAX_API_BYTES || !text.bytes().all(allowed) {
            return Err(IdError {
                expected: "an API name of 1 to 64 lower-case letters, digits and hyphens",
            });
        }
        Ok(Self(text.to_owned()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A published version of an API. What is published under it never changes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ApiVersion(String);

impl ApiVersion {
    /// Reads a version: lower-case letters, digits, hyphens and dots, a letter or digit first.
    ///
    /// # Errors
    /// [`IdError`].
    pub fn parse(text: &str) -> Result<Self, IdError> {
        let alphanumeric = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let allowed = |byte: u8| alphanumeric(byte) || byte == b'-' || byte == b'.';
        let begins_well = text.bytes().next().is_some_and(alphanumeric);
        if !begins_well || text.len() > MAX_VERSION_BYTES || !text.bytes().all(allowed) {
            return Err(IdError {
                expected: "a version of 1 to 32 lower-case letters, digits, hyphens and dots",
            });
        }
        Ok(Self(text.to_owned()))
    }

    /// The version.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

macro_rules! random_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// A new one.
            #[must_use]
            pub fn generate(rng: &mut dyn CryptoRng) -> Self {
                let mut bytes = [0; ID_BYTES];
                rng.fill_bytes(&mut bytes);
                Self(base64url::encode(bytes))
            }

            /// Reads one.
            ///
            /// # Errors
            /// [`IdError`].
            pub fn parse(text: &str) -> Result<Self, IdError> {
                let is_id = base64url::decode(text).is_ok_and(|bytes| bytes.len() == ID_BYTES);
                if is_id { Ok(Self(text.to_owned())) } else { Err(IdError { expected: "16 bytes in base64url" }) }
            }

            /// The identifier: 22 characters of base64url.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        text_conversions!($name);
    };
}

macro_rules! text_conversions {
    ($name:ident) => {
        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(text: String) -> Result<Self, IdError> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_conversions!(ApiId);
text_conversions!(ApiVersion);

random_id!(
    /// An application for access and the grant that comes of it.
    GrantId
);
random_id!(
    /// A person's consent.
    ConsentId
);
random_id!(
    /// One record of evidence.
    EvidenceId
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_need_no_escaping_are_read() {
        assert_eq!(
            ApiId::parse("population-register").map(String::from),
            Ok("population-register".to_owned())
        );
        assert_eq!(ApiVersion::parse("v1.2").map(String::from), Ok("v1.2".to_owned()));
        for bad in ["", "A", "a/b", "a_b", "..", "é", &"a".repeat(65)] {
            assert!(ApiId::parse(bad).is_err(), "{bad:?}");
            assert!(ApiVersion::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn identifiers_are_22_characters_and_differ() {
        let (first, second) = (
            GrantId::generate(&mut signer::os_rng()),
            GrantId::generate(&mut signer::os_rng()),
        );
        assert_ne!(first, second);
        assert_eq!(first.as_str().len(), 22);
        assert_eq!(GrantId::parse(first.as_str()), Ok(first));
        for bad in ["", "AAAA", "AAAAAAAAAAAAAAAAAAAAAB", "AAAAAAAAAAAAAAAAAAAAA/"] {
            assert!(GrantId::parse(bad).is_err(), "{bad:?}");
        }
    }
}
