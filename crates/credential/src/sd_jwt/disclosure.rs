//! One disclosure ([RFC 9901, disclosures](https://www.rfc-editor.org/rfc/rfc9901#name-disclosures)).

use keys::base64url;
use keys::json;
use rand_core::CryptoRng;
use serde_json::Value;

use super::SdJwtError;

/// What a disclosure discloses. The salt has done its work in the digest and is not kept.
#[derive(Clone, PartialEq)]
pub(crate) struct Disclosure {
    /// The claim's name; `None` for an array element.
    pub(crate) name: Option<String>,
    /// The value, which may hold digests of further disclosures.
    pub(crate) value: Value,
}

/// 128 bits, as RFC 9901 recommends ("Entropy of the salt").
const SALT_BYTES: usize = 16;

impl Disclosure {
    /// Reads the base64url text of `[salt, name, value]` or `[salt, value]`.
    pub(crate) fn parse(encoded: &str) -> Result<Self, SdJwtError> {
        let malformed = SdJwtError::MalformedDisclosure;
        let Ok(bytes) = base64url::decode(encoded) else {
            return Err(malformed);
        };
        let Ok(Value::Array(items)) = json::parse(&bytes, json::DEFAULT_LIMITS) else {
            return Err(malformed);
        };
        let mut items = items.into_iter();
        match (items.next(), items.next(), items.next(), items.next()) {
            (Some(Value::String(_)), Some(Value::String(name)), Some(value), None) => Ok(Self {
                name: Some(name),
                value,
            }),
            (Some(Value::String(_)), Some(value), None, None) => Ok(Self { name: None, value }),
            _ => Err(malformed),
        }
    }

    /// Makes the text of a new disclosure with a salt of its own.
    pub(crate) fn encode(name: Option<&str>, value: &Value, rng: &mut dyn CryptoRng) -> String {
        let mut salt = [0; SALT_BYTES];
        rng.fill_bytes(&mut salt);
        // Written piece by piece, so that a large value is not copied into an array first.
        let mut text = format!("[\"{}\",", base64url::encode(salt));
        if let Some(name) = name {
            text.push_str(&Value::from(name).to_string());
            text.push(',');
        }
        text.push_str(&value.to_string());
        text.push(']');
        base64url::encode(text)
    }
}

impl std::fmt::Debug for Disclosure {
    /// Without name and value: both are personal data.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Disclosure").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parse(value: &str) -> Result<Disclosure, SdJwtError> {
        Disclosure::parse(&base64url::encode(value))
    }

    /// RFC 9901 lists four texts of the same disclosure; white space and escapes are the issuer's choice.
    #[test]
    fn variations_of_one_disclosure_are_read() {
        for encoded in [
            "WyJfMjZiYzRMVC1hYzZxMktJNmNCVzVlcyIsICJmYW1pbHlfbmFtZSIsICJNw7ZiaXVzIl0",
            "WyJfMjZiYzRMVC1hYzZxMktJNmNCVzVlcyIsICJmYW1pbHlfbmFtZSIsICJNXHUwMGY2Yml1cyJd",
            "WyJfMjZiYzRMVC1hYzZxMktJNmNCVzVlcyIsImZhbWlseV9uYW1lIiwiTcO2Yml1cyJd",
            "WwoiXzI2YmM0TFQtYWM2cTJLSTZjQlc1ZXMiLAoiZmFtaWx5X25hbWUiLAoiTcO2Yml1cyIKXQ",
        ] {
            let expected = Disclosure {
                name: Some("family_name".to_owned()),
                value: json!("Möbius"),
            };
            assert_eq!(Disclosure::parse(encoded).unwrap(), expected);
        }
        let element = Disclosure::parse("WyJsa2x4RjVqTVlsR1RQVW92TU5JdkNBIiwgIkZSIl0").unwrap();
        assert_eq!(
            element,
            Disclosure {
                name: None,
                value: json!("FR")
            }
        );
    }

    #[test]
    fn what_is_encoded_is_read_back() {
        let rng = &mut signer::os_rng();
        for (name, value) in [(Some("a\"\\\u{7}ü"), json!({"b": [1, null]})), (None, json!("é"))] {
            let encoded = Disclosure::encode(name, &value, rng);
            let expected = Disclosure {
                name: name.map(str::to_owned),
                value: value.clone(),
            };
            assert_eq!(Disclosure::parse(&encoded).unwrap(), expected);
            assert_ne!(Disclosure::encode(name, &value, rng), encoded, "salts are fresh");
        }
    }

    #[test]
    fn other_forms_are_refused() {
        for bad in [
            "[]",
            r#"["s"]"#,
            r#"["s","n",1,2]"#,
            r#"[1,"n",1]"#,
            r#"["s",1,1]"#,
            r#"{"a":1}"#,
            "1",
            "[",
        ] {
            assert_eq!(parse(bad), Err(SdJwtError::MalformedDisclosure), "{bad}");
        }
        assert_eq!(
            parse(r#"["s",{"a":1,"a":2}]"#),
            Err(SdJwtError::MalformedDisclosure),
            "duplicate member"
        );
        assert_eq!(Disclosure::parse("WyJz*"), Err(SdJwtError::MalformedDisclosure));
        assert!(parse(r#"["s",[]]"#).is_ok());
    }
}
