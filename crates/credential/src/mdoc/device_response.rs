//! `DeviceResponse`: what a device presents (ISO/IEC 18013-5 clause 8.3.2.1.2.2).
//!
//! ```text
//! DeviceResponse = { "version": tstr, ? "documents": [ + Document ], ? "documentErrors": .., "status": uint }
//! Document = { "docType": DocType, "issuerSigned": IssuerSigned, "deviceSigned": DeviceSigned, ? "errors": .. }
//! DeviceSigned = { "nameSpaces": #6.24(bstr .cbor DeviceNameSpaces), "deviceAuth": DeviceAuth }
//! DeviceAuth = { "deviceSignature": COSE_Sign1 // "deviceMac": COSE_Mac0 }
//! ```

use keys::base64url;
use keys::cbor;
use keys::cbor::Value;

use super::LIMITS;
use super::Mdoc;
use super::MdocError;
use super::Parsed;
use super::decode_text;
use super::issuer_signed::IssuerSigned;
use super::issuer_signed::member;
use crate::Unverified;

/// `status` of a response without errors.
const OK: u64 = 0;

/// Each document costs two signature checks.
const MAX_DOCUMENTS: usize = 64;

/// `DeviceSigned`.
pub(super) struct DeviceSigned {
    /// `DeviceNameSpacesBytes` as received.
    pub(super) namespaces: Vec<u8>,
    pub(super) auth: DeviceAuth,
}

/// `DeviceAuth`: a COSE message as received.
pub(super) enum DeviceAuth {
    Signature(Vec<u8>),
    Mac(Vec<u8>),
}

/// Reads the documents of a device response in base64url, as OpenID4VP carries it. Nothing is checked but the form.
///
/// # Errors
/// [`MdocError`], the presenter's fault: an error status, no document, or one without `deviceSigned`.
pub fn parse_device_response(text: &str) -> Result<Vec<Unverified<Mdoc>>, MdocError> {
    let bytes = decode_text(text)?;
    let form = |member, expected| MdocError::Form { member, expected };
    let members = cbor::entries(&bytes, LIMITS)?;
    let scalar = |name| {
        member(&members, name)
            .map(|value| cbor::decode_foreign(value, LIMITS))
            .transpose()
    };
    // Minor versions add members.
    let version = scalar("version")?;
    if !version
        .as_ref()
        .and_then(Value::as_text)
        .is_some_and(|version| version.starts_with("1."))
    {
        return Err(form("version", "1.0"));
    }
    if scalar("status")?.as_ref().and_then(Value::as_unsigned) != Some(OK) {
        return Err(form("status", "0"));
    }
    let documents = member(&members, "documents").ok_or_else(|| form("documents", "an array"))?;
    let documents = cbor::items(documents, LIMITS)?;
    if documents.is_empty() || documents.len() > MAX_DOCUMENTS {
        return Err(form("documents", "one to 64 documents"));
    }
    documents.into_iter().map(parse_document).collect()
}

/// The device response of `documents`, as [`super::Presentation::sign`] gave them, in base64url.
#[must_use]
pub fn device_response(documents: &[Vec<u8>]) -> String {
    let documents: Vec<&[u8]> = documents.iter().map(Vec::as_slice).collect();
    base64url::encode(cbor::map_of_encoded(&[
        ("version", &Value::text("1.0").to_vec()),
        ("documents", &cbor::array_of_encoded(&documents)),
        ("status", &Value::from(OK).to_vec()),
    ]))
}

fn parse_document(bytes: &[u8]) -> Result<Unverified<Mdoc>, MdocError> {
    let members = cbor::entries(bytes, LIMITS)?;
    let required = |name, expected| member(&members, name).ok_or(MdocError::Form { member: name, expected });
    let Value::Text(doc_type) = cbor::decode_foreign(required("docType", "a name")?, LIMITS)? else {
        return Err(MdocError::Form {
            member: "docType",
            expected: "a name",
        });
    };
    let device_signed = DeviceSigned::parse(required("deviceSigned", "the device's signature or MAC")?)?;
    let (issuer_signed, issuer_auth) = IssuerSigned::parse(required("issuerSigned", "a map")?)?;
    Ok(Unverified(Parsed {
        text: String::new(),
        doc_type: Some(doc_type),
        issuer_signed,
        issuer_auth,
        device_signed: Some(device_signed),
    }))
}

impl DeviceSigned {
    fn parse(bytes: &[u8]) -> Result<Self, MdocError> {
        let form = |member, expected| MdocError::Form { member, expected };
        let members = cbor::entries(bytes, LIMITS)?;
        let namespaces = member(&members, "nameSpaces").ok_or_else(|| form("nameSpaces", "a byte string"))?;
        let inside = cbor::decode_foreign(namespaces, LIMITS)?;
        let inside = inside
            .as_encoded()
            .ok_or_else(|| form("nameSpaces", "CBOR in a byte string with tag 24"))?;
        if !cbor::entries(inside, LIMITS)?.is_empty() {
            return Err(MdocError::DeviceSignedElements);
        }
        let auth = member(&members, "deviceAuth").ok_or_else(|| form("deviceAuth", "a map"))?;
        let auth = cbor::entries(auth, LIMITS)?;
        let auth = match (member(&auth, "deviceSignature"), member(&auth, "deviceMac")) {
            (Some(signature), None) => DeviceAuth::Signature(signature.to_vec()),
            (None, Some(mac)) => DeviceAuth::Mac(mac.to_vec()),
            _ => return Err(form("deviceAuth", "a signature or a MAC")),
        };
        Ok(Self {
            namespaces: namespaces.to_vec(),
            auth,
        })
    }
}
