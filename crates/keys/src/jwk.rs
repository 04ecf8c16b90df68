//! Public JSON Web Keys ([RFC 7517](https://www.rfc-editor.org/rfc/rfc7517),
//! [RFC 8037](https://www.rfc-editor.org/rfc/rfc8037)) and their thumbprints
//! ([RFC 7638](https://www.rfc-editor.org/rfc/rfc7638)).

use serde::Deserialize;
use serde::Deserializer;
use serde::Serialize;
use serde_json::Value;
use thiserror::Error;

use crate::base64url;
use crate::json::Json;

/// A public key as JSON. Private members are refused when it is read, so one cannot slip through a
/// header or a metadata document into a log.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub struct Jwk {
    /// Key type: `OKP` or `EC`.
    pub kty: String,
    /// Curve: `Ed25519`, `P-256`, `X25519`.
    pub crv: String,
    /// First coordinate, base64url.
    pub x: String,
    /// Second coordinate of an `EC` key, base64url.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub y: Option<String>,
    /// Key identifier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kid: Option<String>,
    /// The algorithm the key is meant for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alg: Option<String>,
    /// `sig` or `enc`.
    #[serde(rename = "use", skip_serializing_if = "Option::is_none")]
    pub use_: Option<String>,
}

/// The peer sent something that is not a public JWK.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum JwkError {
    /// A member is missing or not a string.
    #[error("expected the JWK member `{member}` as a string")]
    Member {
        /// Its name.
        member: &'static str,
    },
    /// Not a JSON object.
    #[error("expected a JWK object")]
    NotAnObject,
    /// A private or symmetric key where a public one belongs.
    #[error("expected a public JWK, found the private member `{member}`")]
    Private {
        /// Which private member.
        member: &'static str,
    },
}

/// What RFC 7518 and RFC 8037 register as private or secret.
const PRIVATE_MEMBERS: [&str; 8] = ["d", "k", "p", "q", "dp", "dq", "qi", "oth"];

impl Jwk {
    /// A key of a named curve from its coordinates' bytes.
    #[must_use]
    pub fn from_coordinates(kty: &str, crv: &str, x: &[u8], y: Option<&[u8]>) -> Self {
        Self {
            kty: kty.to_owned(),
            crv: crv.to_owned(),
            x: base64url::encode(x),
            y: y.map(base64url::encode),
            kid: None,
            alg: None,
            use_: None,
        }
    }

    /// Reads a public JWK; unknown members are ignored, as RFC 7517 demands.
    ///
    /// # Errors
    /// [`JwkError`], the sender's fault.
    pub fn from_value(value: &Value) -> Result<Self, JwkError> {
        let map = value.as_object().ok_or(JwkError::NotAnObject)?;
        Self::read(|name| map.get(name).map(Value::as_str))
    }

    /// As [`Self::from_value`].
    ///
    /// # Errors
    /// [`JwkError`], the sender's fault.
    pub fn from_json(value: Json<'_>) -> Result<Self, JwkError> {
        if !value.is_object() {
            return Err(JwkError::NotAnObject);
        }
        Self::read(|name| value.get(name).map(Json::as_str))
    }

    /// `member` gives `None` for a member that is not there, and `Some(None)` for one that is no string.
    fn read<'a>(member: impl Fn(&'static str) -> Option<Option<&'a str>>) -> Result<Self, JwkError> {
        if let Some(private) = PRIVATE_MEMBERS.into_iter().find(|name| member(name).is_some()) {
            return Err(JwkError::Private { member: private });
        }
        let optional = |name| match member(name) {
            None => Ok(None),
            Some(None) => Err(JwkError::Member { member: name }),
            Some(Some(text)) => Ok(Some(text.to_owned())),
        };
        let required = |name| optional(name)?.ok_or(JwkError::Member { member: name });
        Ok(Self {
            kty: required("kty")?,
            crv: required("crv")?,
            x: required("x")?,
            y: optional("y")?,
            kid: optional("kid")?,
            alg: optional("alg")?,
            use_: optional("use")?,
        })
    }

    /// Whether the key is not declared for another use than signatures (RFC 7517, section 4.2).
    #[must_use]
    pub fn is_for_signatures(&self) -> bool {
        self.use_.as_deref().is_none_or(|use_| use_ == "sig")
    }

    /// The key as a JSON object.
    #[must_use]
    pub fn to_value(&self) -> Value {
        serde_json::to_value(self).unwrap_or(Value::Null)
    }

    /// The key as the text of a JSON object.
    #[must_use]
    pub fn to_text(&self) -> String {
        // Strings are always JSON: nothing can fail.
        serde_json::to_string(self).unwrap_or_else(|_| self.to_value().to_string())
    }

    /// The RFC 7638 thumbprint with SHA-256, base64url: equal for equal keys, whatever `kid` they carry.
    #[must_use]
    pub fn thumbprint(&self) -> String {
        base64url::encode(self.thumbprint_bytes())
    }

    /// The RFC 7638 thumbprint with SHA-256, before base64url.
    #[must_use]
    pub fn thumbprint_bytes(&self) -> [u8; 32] {
        crate::sha256(self.required_members().as_bytes())
    }

    /// The JSON of the members that [RFC 7638 section 3.2](https://www.rfc-editor.org/rfc/rfc7638#section-3.2) requires,
    /// in lexicographic order without white space: one text for one key.
    #[must_use]
    pub fn required_members(&self) -> String {
        // Written out here so that no cargo feature of the JSON library can change the order.
        let required = [
            ("crv", Some(&self.crv)),
            ("kty", Some(&self.kty)),
            ("x", Some(&self.x)),
            ("y", self.y.as_ref()),
        ];
        let members: Vec<String> = required
            .into_iter()
            .filter_map(|(name, value)| value.map(|value| format!("\"{name}\":{}", Value::from(value.as_str()))))
            .collect();
        format!("{{{}}}", members.join(","))
    }
}

impl<'de> Deserialize<'de> for Jwk {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Self::from_value(&value).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// RFC 8037, appendix A.3.
    #[test]
    fn thumbprint_of_rfc_8037() {
        let jwk = Jwk::from_value(
            &json!({"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"ignored"}),
        )
        .unwrap();
        assert_eq!(jwk.thumbprint(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
        assert_eq!(serde_json::from_str::<Value>(&jwk.to_text()).unwrap(), jwk.to_value());
    }

    #[test]
    fn private_members_are_refused() {
        let public = json!({"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
        assert!(Jwk::from_value(&public).is_ok());
        let mut private = public;
        private["d"] = json!("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A");
        assert_eq!(Jwk::from_value(&private), Err(JwkError::Private { member: "d" }));
    }
}
