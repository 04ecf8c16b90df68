//! Credentials in envelopes
//! ([enveloped verifiable credentials](https://www.w3.org/TR/vc-data-model-2.0/#enveloped-verifiable-credentials)).

use serde_json::Map;
use serde_json::Value;

use super::CredentialError;
use super::Mechanism;
use super::PresentationError;
use super::W3cCredential;
use super::sealed::Message;
use crate::Held;
use crate::Unverified;
use crate::VcCose;
use crate::VcJwt;
use crate::VcSdJwt;
use crate::evidence::Fingerprint;
use crate::vc::Envelope;
use crate::vc::envelope_of_credential;
use crate::vc_cose::CoseMessage;
use crate::vc_jwt::JwtMessage;
use crate::vc_sd_jwt::SdJwtMessage;

/// A credential that came in an envelope, by the media type written there.
#[derive(Debug)]
pub enum EnvelopedCredential {
    /// `data:application/vc+cose;base64,`
    Cose(Unverified<VcCose>),
    /// `data:application/vc+jwt,`
    Jwt(Unverified<VcJwt>),
    /// `data:application/vc+sd-jwt,`
    SdJwt(Unverified<VcSdJwt>),
}

impl EnvelopedCredential {
    /// Opens an envelope: the form of the credential in it is read, no signature checked. `None` for other media types.
    ///
    /// # Errors
    /// [`CredentialError`], the sender's fault.
    pub fn open(envelope: Envelope<'_>) -> Result<Option<Self>, CredentialError> {
        let data = envelope.data();
        Ok(Some(match envelope.media_type() {
            CoseMessage::ENVELOPE => Self::Cose(Unverified::<VcCose>::parse(data)?),
            JwtMessage::ENVELOPE => Self::Jwt(Unverified::<VcJwt>::parse(data)?),
            SdJwtMessage::ENVELOPE => Self::SdJwt(Unverified::<VcSdJwt>::parse(data)?),
            _ => return Ok(None),
        }))
    }

    /// The `vc+jwt`, for places that take no other.
    #[must_use]
    pub fn into_jwt(self) -> Option<Unverified<VcJwt>> {
        match self {
            Self::Jwt(credential) => Some(credential),
            Self::Cose(_) | Self::SdJwt(_) => None,
        }
    }

    pub(super) fn fingerprint(&self) -> Fingerprint {
        match self {
            Self::Cose(credential) => credential.fingerprint(),
            Self::Jwt(credential) => credential.fingerprint(),
            Self::SdJwt(credential) => credential.fingerprint(),
        }
    }

    /// Notes that it came in a presentation, so that no wallet keeps it.
    pub(super) fn presented(self) -> Self {
        match self {
            Self::Cose(credential) => Self::Cose(credential.presented()),
            Self::Jwt(credential) => Self::Jwt(credential.presented()),
            Self::SdJwt(credential) => Self::SdJwt(credential.presented()),
        }
    }
}

impl<M: Mechanism> Held<W3cCredential<M>> {
    /// The credential as received, in an envelope: to be presented as a whole.
    #[must_use]
    pub fn envelope(&self) -> Value {
        envelope_of_credential(M::ENVELOPE, self.as_str())
    }
}

/// "Credentials in verifiable presentations MUST be secured", and here they are in envelopes of the three media types;
/// nothing is opened.
pub(crate) fn check_envelopes(credentials: &[&Map<String, Value>]) -> Result<(), PresentationError> {
    let known = [CoseMessage::ENVELOPE, JwtMessage::ENVELOPE, SdJwtMessage::ENVELOPE];
    let all_known = credentials.iter().all(|object| {
        let envelope = Envelope::of_credential(object);
        envelope.is_ok_and(|envelope| known.contains(&envelope.media_type()))
    });
    if all_known {
        Ok(())
    } else {
        Err(PresentationError::Envelope)
    }
}
