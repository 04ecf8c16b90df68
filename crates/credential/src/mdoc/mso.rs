//! The mobile security object: what the issuer signs (ISO/IEC 18013-5 clause 9.1.2.4).
//!
//! ```text
//! MobileSecurityObject = {
//!   "version": tstr, "digestAlgorithm": tstr,
//!   "valueDigests": { + NameSpace => { + DigestID => Digest } },
//!   "deviceKeyInfo": { "deviceKey": COSE_Key, ? "keyAuthorizations": .., ? "keyInfo": .. },
//!   "docType": tstr,
//!   "validityInfo": { "signed": tdate, "validFrom": tdate, "validUntil": tdate, ? "expectedUpdate": tdate },
//!   ? "status": { + tstr => any } ; Token Status List
//! }
//! ```

use keys::PublicKey;
use keys::Timestamp;
use keys::cbor;
use keys::cbor::Value;
use keys::cbor::Writer;

use super::LIMITS;
use super::MdocError;
use super::NewMdoc;
use super::value::read_tdate;
use super::value::tdate;
use crate::status_list::StatusReference;

/// Room for everything beside the digests, so that nothing is moved while it is written.
const TYPICAL_BYTES: usize = 512;

/// The only version there is.
const VERSION: &str = "1.0";

/// The hash of the digests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DigestAlgorithm {
    /// SHA-256, which we issue with.
    #[default]
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl DigestAlgorithm {
    /// The value of `digestAlgorithm`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sha256 => "SHA-256",
            Self::Sha384 => "SHA-384",
            Self::Sha512 => "SHA-512",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        [Self::Sha256, Self::Sha384, Self::Sha512]
            .into_iter()
            .find(|algorithm| algorithm.as_str() == name)
    }

    pub(super) fn digest(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha256 => keys::sha256(bytes).to_vec(),
            Self::Sha384 => keys::sha384(bytes).to_vec(),
            Self::Sha512 => keys::sha512(bytes).to_vec(),
        }
    }
}

/// The object, as far as it is read.
pub(super) struct MobileSecurityObject {
    pub(super) digest_algorithm: DigestAlgorithm,
    /// Namespaces with their digests, as they stand.
    pub(super) value_digests: Value,
    pub(super) device_key: PublicKey,
    pub(super) doc_type: String,
    pub(super) signed: Timestamp,
    pub(super) valid_from: Timestamp,
    pub(super) valid_until: Timestamp,
    pub(super) status: Option<StatusReference>,
    pub(super) unknown_status: Vec<String>,
}

impl MobileSecurityObject {
    /// Reads `MobileSecurityObjectBytes`, the payload of the issuer's signature.
    pub(super) fn parse(payload: &[u8]) -> Result<Self, MdocError> {
        let form = |member, expected| MdocError::Form { member, expected };
        let bytes = cbor::decode_foreign(payload, LIMITS)?;
        let bytes = bytes
            .as_encoded()
            .ok_or_else(|| form("MobileSecurityObjectBytes", "CBOR in a byte string with tag 24"))?;
        let object = cbor::decode_foreign(bytes, LIMITS)?;
        if object.get("version").and_then(Value::as_text) != Some(VERSION) {
            return Err(form("version", "1.0"));
        }
        let digest_algorithm = object
            .get("digestAlgorithm")
            .and_then(Value::as_text)
            .and_then(DigestAlgorithm::from_name)
            .ok_or_else(|| form("digestAlgorithm", "SHA-256, SHA-384 or SHA-512"))?;
        let device_key = object
            .get("deviceKeyInfo")
            .and_then(|info| info.get("deviceKey"))
            .ok_or_else(|| form("deviceKey", "a COSE_Key"))?;
        let doc_type = object
            .get("docType")
            .and_then(Value::as_text)
            .filter(|doc_type| !doc_type.is_empty())
            .ok_or_else(|| form("docType", "a name"))?;
        let validity = |member| {
            let time = object
                .get("validityInfo")
                .and_then(|info| info.get(member))
                .and_then(read_tdate);
            time.ok_or_else(|| form(member, "a tdate"))
        };
        let (signed, valid_from, valid_until) = (validity("signed")?, validity("validFrom")?, validity("validUntil")?);
        if valid_from < signed || valid_until <= valid_from {
            return Err(form("validityInfo", "signed, then valid from, then valid until"));
        }
        let (status, unknown_status) = match object.get("status") {
            None => (None, Vec::new()),
            Some(status) => StatusReference::from_status_map(status)?,
        };
        let value_digests = object
            .get("valueDigests")
            .filter(|digests| digests.as_map().is_some())
            .ok_or_else(|| form("valueDigests", "a map of namespaces"))?;
        Ok(Self {
            digest_algorithm,
            value_digests: value_digests.clone(),
            device_key: PublicKey::from_cose_key(device_key)?,
            doc_type: doc_type.to_owned(),
            signed,
            valid_from,
            valid_until,
            status,
            unknown_status,
        })
    }
}

/// `MobileSecurityObjectBytes` of an mdoc that is issued, with its encoded `valueDigests`.
pub(super) fn encode(new: &NewMdoc<'_>, value_digests: &[u8]) -> Vec<u8> {
    let mut out = Writer::with_capacity(TYPICAL_BYTES + value_digests.len());
    out.map(6 + usize::from(new.status.is_some()));
    if let Some(status) = new.status {
        out.text("status");
        out.value(&status.to_status_map());
    }
    out.text("docType");
    out.text(new.doc_type);
    out.text("version");
    out.text(VERSION);
    out.text("validityInfo");
    out.map(3);
    for (name, time) in [
        ("signed", new.signed),
        ("validFrom", new.valid_from),
        ("validUntil", new.valid_until),
    ] {
        out.text(name);
        out.value(&tdate(time));
    }
    out.text("valueDigests");
    out.encoded(value_digests);
    out.text("deviceKeyInfo");
    out.map(1);
    out.text("deviceKey");
    out.value(&new.device_key.to_cose_key());
    out.text("digestAlgorithm");
    out.text(new.digest_algorithm.as_str());
    cbor::tag_24(out.into_bytes()).to_vec()
}
