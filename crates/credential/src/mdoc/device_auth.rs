//! The device's signature or MAC over a presentation (ISO/IEC 18013-5 clause 9.1.3).
//!
//! ```text
//! DeviceAuthentication = [ "DeviceAuthentication", SessionTranscript, DocType, DeviceNameSpacesBytes ]
//! ```

use keys::PublicKey;
use keys::cbor;
use keys::cbor::Value;
use keys::cose::AgreementKey;
use keys::cose::UnverifiedMac0;
use keys::cose::UnverifiedSign1;

use super::MAX_BYTES;
use super::Mdoc;
use super::MdocError;
use super::SessionTranscript;
use super::device_response::DeviceAuth;
use super::device_response::DeviceSigned;
use crate::Authentic;
use crate::HolderBinding;
use crate::HolderKey;

/// Clause 9.1.3.5: what the MAC key is derived for.
const MAC_KEY_INFO: &[u8] = b"EMacKey";

impl Authentic<Mdoc> {
    /// Checks that the device, and no other, signed this document for this session.
    ///
    /// # Errors
    /// [`MdocError`], the presenter's fault; after it the presentation is refused. A MAC is [`MdocError::DeviceAuth`].
    pub fn verify_device_signature(&self, transcript: &SessionTranscript) -> Result<HolderBinding, MdocError> {
        let (device_signed, device_key) = self.presented()?;
        let DeviceAuth::Signature(signature) = &device_signed.auth else {
            let expected = "a device signature";
            return Err(MdocError::DeviceAuth { expected });
        };
        let payload = self.authenticated(transcript, device_signed)?;
        let _verified = UnverifiedSign1::parse(signature, MAX_BYTES)?.verify_detached(payload, device_key)?;
        Ok(self.bound())
    }

    /// Checks that the device, and no other, made a MAC over this document for this session, with the key that it shares
    /// with `reader`: whose public half is the `EReaderKey` of the session, a fresh one.
    ///
    /// # Errors
    /// As [`Authentic::verify_device_signature`].
    pub fn verify_device_mac(
        &self,
        transcript: &SessionTranscript,
        reader: &AgreementKey,
    ) -> Result<HolderBinding, MdocError> {
        let (device_signed, device_key) = self.presented()?;
        let DeviceAuth::Mac(mac) = &device_signed.auth else {
            let expected = "a device MAC";
            return Err(MdocError::DeviceAuth { expected });
        };
        let salt = keys::sha256(&transcript.to_encoded());
        let key = reader.agree(device_key, &salt, MAC_KEY_INFO)?;
        let payload = self.authenticated(transcript, device_signed)?;
        let _verified = UnverifiedMac0::parse(mac, MAX_BYTES)?.verify_detached(payload, &key)?;
        Ok(self.bound())
    }

    fn presented(&self) -> Result<(&DeviceSigned, &PublicKey), MdocError> {
        match (&self.contents.device_signed, self.facts.holder()) {
            (Some(device_signed), Some(HolderKey::Key(device_key))) => Ok((device_signed, device_key)),
            _ => Err(MdocError::Presented {
                expected: "an mdoc in a device response",
            }),
        }
    }

    fn authenticated(
        &self,
        transcript: &SessionTranscript,
        device_signed: &DeviceSigned,
    ) -> Result<Vec<u8>, MdocError> {
        let doc_type = self.facts.types().first().ok_or(MdocError::Form {
            member: "docType",
            expected: "a name",
        })?;
        Ok(device_authentication(transcript, doc_type, &device_signed.namespaces))
    }

    const fn bound(&self) -> HolderBinding {
        HolderBinding {
            fingerprint: self.facts.fingerprint,
            proven: true,
        }
    }
}

/// `DeviceAuthenticationBytes`: the detached payload. `namespaces` is `DeviceNameSpacesBytes`, as it stands.
pub(super) fn device_authentication(transcript: &SessionTranscript, doc_type: &str, namespaces: &[u8]) -> Vec<u8> {
    let authentication = cbor::array_of_encoded(&[
        &Value::text("DeviceAuthentication").to_vec(),
        transcript.as_bytes(),
        &Value::text(doc_type).to_vec(),
        namespaces,
    ]);
    cbor::tag_24(authentication).to_vec()
}
