//! Credential Format Identifiers, the same in both protocols
//! ([OpenID4VCI](https://openid.net/specs/openid-4-verifiable-credential-issuance-1_0.html#format-profiles),
//! [OpenID4VP](https://openid.net/specs/openid-4-verifiable-presentations-1_0.html#format_specific_parameters)).

use std::fmt;

use serde::Deserialize;
use serde::Deserializer;
use serde::Serialize;
use serde::Serializer;

/// How a credential is encoded and secured. Identifiers that we do not know are kept, and match nothing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CredentialFormat {
    /// `dc+sd-jwt`: SD-JWT VC.
    SdJwtVc,
    /// `jwt_vc_json`: a W3C credential secured as a JWT.
    JwtVcJson,
    /// `ldp_vc`: a W3C credential secured with Data Integrity.
    LdpVc,
    /// `mso_mdoc`: ISO/IEC 18013-5.
    MsoMdoc,
    /// Any other identifier.
    Other(String),
}

impl CredentialFormat {
    /// The identifier on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::SdJwtVc => "dc+sd-jwt",
            Self::JwtVcJson => "jwt_vc_json",
            Self::LdpVc => "ldp_vc",
            Self::MsoMdoc => "mso_mdoc",
            Self::Other(identifier) => identifier,
        }
    }
}

impl From<&str> for CredentialFormat {
    fn from(identifier: &str) -> Self {
        match identifier {
            "dc+sd-jwt" => Self::SdJwtVc,
            "jwt_vc_json" => Self::JwtVcJson,
            "ldp_vc" => Self::LdpVc,
            "mso_mdoc" => Self::MsoMdoc,
            other => Self::Other(other.to_owned()),
        }
    }
}

impl fmt::Display for CredentialFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for CredentialFormat {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for CredentialFormat {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::from(String::deserialize(deserializer)?.as_str()))
    }
}
