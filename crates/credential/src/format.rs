//! The credential formats, and the identifiers that some of them have on the wire of OpenID4VCI and OpenID4VP
//! ([OpenID4VCI 1.0, credential format profiles](https://openid.net/specs/openid-4-verifiable-credential-issuance-1_0.html#name-credential-format-profiles)).

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;
use serde::Serialize;
use thiserror::Error;

/// A credential format. Deliberately closed: a new format must be thought of wherever formats differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum CredentialFormat {
    /// SD-JWT VC, [`crate::sd_jwt_vc`].
    #[serde(rename = "dc+sd-jwt")]
    DcSdJwt,
    /// W3C VC 2.0 secured as `vc+jwt`, [`crate::vc_jwt`].
    #[serde(rename = "jwt_vc_json")]
    JwtVcJson,
    /// W3C VC 2.0 with a Data Integrity proof.
    #[serde(rename = "ldp_vc")]
    LdpVc,
    /// ISO/IEC 18013-5, [`crate::mdoc`].
    #[serde(rename = "mso_mdoc")]
    MsoMdoc,
    /// W3C VC 2.0 secured as `vc+cose`, [`crate::vc_cose`].
    #[serde(rename = "vc+cose", skip_deserializing)]
    VcCose,
    /// W3C VC 2.0 secured as `vc+sd-jwt`, [`crate::vc_sd_jwt`].
    #[serde(rename = "vc+sd-jwt", skip_deserializing)]
    VcSdJwt,
}

/// The peer named a format that we do not implement.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("expected the format dc+sd-jwt, jwt_vc_json, ldp_vc or mso_mdoc, found another")]
pub struct UnknownFormat;

impl CredentialFormat {
    /// Every format that has an identifier in OpenID4VCI and OpenID4VP, in the order of preference that we advertise.
    pub const ALL: [Self; 4] = [Self::DcSdJwt, Self::JwtVcJson, Self::LdpVc, Self::MsoMdoc];

    /// The identifier of OpenID4VCI and OpenID4VP. The formats that have none there have their media type's name, which is
    /// not read back.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DcSdJwt => "dc+sd-jwt",
            Self::JwtVcJson => "jwt_vc_json",
            Self::LdpVc => "ldp_vc",
            Self::MsoMdoc => "mso_mdoc",
            Self::VcCose => "vc+cose",
            Self::VcSdJwt => "vc+sd-jwt",
        }
    }
}

impl FromStr for CredentialFormat {
    type Err = UnknownFormat;

    fn from_str(text: &str) -> Result<Self, UnknownFormat> {
        Self::ALL
            .into_iter()
            .find(|format| format.as_str() == text)
            .ok_or(UnknownFormat)
    }
}

impl fmt::Display for CredentialFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_read_as_written() {
        for format in CredentialFormat::ALL {
            assert_eq!(format.as_str().parse(), Ok(format));
            assert_eq!(serde_json::to_value(format).unwrap(), format.as_str());
        }
        for format in [CredentialFormat::VcCose, CredentialFormat::VcSdJwt] {
            assert_eq!(format.as_str().parse::<CredentialFormat>(), Err(UnknownFormat));
        }
    }
}
