//! Mobile documents, `mso_mdoc`: the credential format of mobile driving licences, ISO/IEC 18013-5.
//!
//! An issuer signs a [mobile security object](mso) with one digest for each data element; the elements stand beside it,
//! each in its own bytes with a random salt, and a holder leaves out what it does not want to show. The device signs
//! each presentation together with the [session](SessionTranscript) that it belongs to.
//!
//! Who the issuer is, in two ways that never mix:
//! * [`Unverified::authenticate`]: our own agencies. `kid` in the header of the issuer's signature is a DID URL, as in
//!   the sibling formats; whoever resolves the DID gets the key, and [`Facts::issuer`] is the DID. The certificates are
//!   for foreign verifiers and say nothing here.
//! * [`Unverified::authenticate_path`]: everybody else's. The document signer's certificate leads to an issuing
//!   authority (IACA) that the verifier chose as anchor, and [`Facts::issuer`] is the [name](anchor_name) of that
//!   anchor, a hash. What a certificate says of DIDs is not read: one authority could name another's.
//!
//! Not done here: device-signed data elements (refused), reader authentication, the encrypted session of a proximity
//! presentation.

mod device_auth;
mod device_response;
mod issue;
mod issuer_signed;
pub mod mso;
mod present;
mod session_transcript;
mod value;

pub use device_response::device_response;
pub use device_response::parse_device_response;
pub use issue::Namespace;
pub use issue::NewMdoc;
pub use present::Presentation;
pub use session_transcript::SessionTranscript;
pub use value::full_date;
pub use value::tdate;

use keys::KeyError;
use keys::PublicKey;
use keys::Timestamp;
use keys::base64url;
use keys::cbor::CborError;
use keys::cose::CoseError;
use keys::cose::CoseKeyError;
use keys::cose::UnverifiedSign1;
use keys::json::Limits;
use keys::x509::Certificate;
use keys::x509::CertificatePath;
use keys::x509::Purpose;
use keys::x509::X509Error;
use serde_json::Map;
use serde_json::Value;
use thiserror::Error;

use self::device_response::DeviceSigned;
use self::issuer_signed::IssuerSigned;
use self::mso::MobileSecurityObject;
use crate::Authentic;
use crate::CredentialFormat;
use crate::Facts;
use crate::Held;
use crate::HolderKey;
use crate::Unverified;
use crate::evidence::Credential;
use crate::evidence::Fingerprint;
use crate::evidence::sealed::Contents;
use crate::key_id::absolute_key_id;
use crate::registered_claims::MAX_CLOCK_SKEW;
use crate::registered_claims::ValidityError;
use crate::registered_claims::check_validity;
use crate::status_list::StatusReferenceError;

/// As for an SD-JWT: a portrait of 100 kB and everything else several times over.
pub const MAX_BYTES: usize = 1 << 20;

/// A device response nests eight levels above a data element, which in the standards nests three; depth is counted anew
/// inside each byte string.
const MAX_DEPTH: usize = 16;

const LIMITS: Limits = Limits {
    max_bytes: MAX_BYTES,
    max_depth: MAX_DEPTH,
};

/// The namespace of the mobile driving licence, which names the country that must be the signer's.
const MDL_NAMESPACE: &str = "org.iso.18013.5.1";

/// An mdoc, with its device authentication if it was presented.
pub struct Mdoc {
    /// What the wallet keeps; empty for what was presented, since that is not kept.
    text: String,
    issuer_signed: IssuerSigned,
    device_signed: Option<DeviceSigned>,
    claims: Map<String, Value>,
}

/// An mdoc before its signature is checked.
pub struct Parsed {
    text: String,
    /// `docType` of the document around it, if it was presented.
    doc_type: Option<String>,
    issuer_signed: IssuerSigned,
    issuer_auth: UnverifiedSign1,
    device_signed: Option<DeviceSigned>,
}

/// The issuer's fault, or that of whoever changed or presented the mdoc.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum MdocError {
    /// The text is not base64url.
    #[error("expected an mdoc in base64url")]
    Base64,
    /// CBOR that is not read.
    #[error("the CBOR of the mdoc is not read")]
    Cbor(#[from] CborError),
    /// The document signer's certificate or its path.
    #[error("the document signer's certificate is refused")]
    Certificate(#[from] X509Error),
    /// The signature of the issuer or the device, or the device's MAC.
    #[error("the COSE message is refused")]
    Cose(#[from] CoseError),
    /// A device's MAC where a signature is expected, or the other way round.
    #[error("expected {expected}, found another device authentication")]
    DeviceAuth {
        /// What belongs there.
        expected: &'static str,
    },
    /// The device's public key.
    #[error("the device key is not read")]
    DeviceKey(#[from] CoseKeyError),
    /// The device signed data elements of its own: nobody vouches for those.
    #[error("expected no device-signed data elements, found some")]
    DeviceSignedElements,
    /// A data element whose digest is not in the mobile security object.
    #[error(
        "expected the digest of data element {digest_id} of {namespace} in the mobile security object, found another or none"
    )]
    Digest {
        /// The namespace.
        namespace: String,
        /// `digestID`.
        digest_id: u64,
    },
    /// `docType` differs inside and outside of what the issuer signed.
    #[error("expected the docType {expected:?}, found {found:?}")]
    DocType {
        /// What the issuer signed.
        expected: String,
        /// What stands around it.
        found: String,
    },
    /// A member is missing or of another type.
    #[error("expected `{member}` as {expected}, found something else")]
    Form {
        /// Its name.
        member: &'static str,
        /// What belongs there.
        expected: &'static str,
    },
    /// The issuing country of the licence is not that of its signer.
    #[error("expected the issuing country {expected:?}, found another")]
    IssuingCountry {
        /// The signer's.
        expected: Option<String>,
    },
    /// Signed at a time when the signer's certificate was not valid.
    #[error("expected a signature made while the certificate was valid, found one of {found}")]
    OutsideCertificate {
        /// `signed`.
        found: Timestamp,
    },
    /// A key for agreement.
    #[error("the reader's key does not fit the device key")]
    Agreement(#[from] KeyError),
    /// A presentation where an issued mdoc is expected, or the other way round.
    #[error("expected {expected}, found the other")]
    Presented {
        /// What belongs there.
        expected: &'static str,
    },
    /// Signed in the future.
    #[error("expected an mdoc signed before {now}, found {found}")]
    SignedInTheFuture {
        /// The time of checking.
        now: Timestamp,
        /// `signed`.
        found: Timestamp,
    },
    /// `status` is malformed.
    #[error("the status of the mobile security object is not read")]
    Status(#[from] StatusReferenceError),
    /// `kid` names another DID's key, or none.
    #[error("expected a kid of the issuer, found another or none")]
    KeyId,
    /// The holder chose something that is not there.
    #[error("expected namespace and identifier of a data element, found another path")]
    Selection,
    /// Longer than an mdoc is.
    #[error("expected an mdoc of at most {MAX_BYTES} bytes, found {found}")]
    TooLarge {
        /// Its length.
        found: usize,
    },
    /// Expired or not valid yet.
    #[error("the mdoc is not valid now")]
    Validity(#[from] ValidityError),
    /// The certificate path is not of this mdoc's signer.
    #[error("expected the path of this mdoc's document signer, found another")]
    WrongPath,
}

impl Credential for Mdoc {
    type Parsed = Parsed;
    const FORMAT: CredentialFormat = CredentialFormat::MsoMdoc;
}

impl Contents for Mdoc {
    fn claims(&self) -> &Map<String, Value> {
        &self.claims
    }

    fn into_claims(self) -> Map<String, Value> {
        self.claims
    }

    fn text(&self) -> &str {
        &self.text
    }
}

impl Unverified<Mdoc> {
    /// Reads the form of an issued mdoc: `IssuerSigned` in base64url, as OpenID4VCI delivers it. No signature is checked
    /// and no digest compared. What is presented comes by [`parse_device_response`].
    ///
    /// # Errors
    /// [`MdocError`], the sender's fault.
    pub fn parse(text: &str) -> Result<Self, MdocError> {
        let bytes = decode_text(text)?;
        let (issuer_signed, issuer_auth) = IssuerSigned::parse(&bytes)?;
        Ok(Self(Parsed {
            text: text.to_owned(),
            doc_type: None,
            issuer_signed,
            issuer_auth,
            device_signed: None,
        }))
    }

    /// `docType`: a hint, for choosing what to do with what was received.
    ///
    /// # Errors
    /// [`MdocError`] when the mobile security object is not read.
    pub fn type_hint(&self) -> Result<String, MdocError> {
        match &self.0.doc_type {
            Some(doc_type) => Ok(doc_type.clone()),
            None => Ok(self.unverified_mso()?.doc_type),
        }
    }

    /// The DID in `kid`: a hint for finding the key.
    ///
    /// # Errors
    /// [`MdocError::KeyId`] when there is none.
    pub fn issuer(&self) -> Result<&str, MdocError> {
        let key_id = self.key_id().ok_or(MdocError::KeyId)?;
        let (did, _) = key_id.split_once('#').ok_or(MdocError::KeyId)?;
        Ok(did)
    }

    /// `kid` as written, if it is text.
    pub fn key_id(&self) -> Option<&str> {
        let key_id = self.0.issuer_auth.headers().key_id()?;
        std::str::from_utf8(key_id).ok()
    }

    /// The absolute DID URL of the key that the issuer says it signed with.
    ///
    /// # Errors
    /// [`MdocError::KeyId`] when `kid` is missing or no DID URL.
    pub fn verification_method(&self) -> Result<String, MdocError> {
        let key_id = self.key_id().ok_or(MdocError::KeyId)?;
        absolute_key_id(self.issuer()?, key_id).ok_or(MdocError::KeyId)
    }

    /// `x5chain`: the document signer's certificate first, for [`keys::x509::verify_path`].
    pub fn certificates(&self) -> &[Vec<u8>] {
        self.0.issuer_auth.headers().x5chain()
    }

    /// Checks the issuer's signature with `key`, which the caller resolved as `issuer`'s, every digest, and the time.
    ///
    /// # Errors
    /// [`MdocError`].
    pub fn authenticate(self, key: &PublicKey, issuer: &str, now: Timestamp) -> Result<Authentic<Mdoc>, MdocError> {
        let authentic = self.check_did_signature(key, issuer)?;
        check_time(&authentic.facts, now)?;
        Ok(authentic)
    }

    /// Checks the issuer's signature with the key of a document signer whose path was verified, every digest, and the
    /// time. [`Facts::issuer`] is the [name](anchor_name) of the path's anchor.
    ///
    /// # Errors
    /// [`MdocError`].
    pub fn authenticate_path(self, path: &CertificatePath, now: Timestamp) -> Result<Authentic<Mdoc>, MdocError> {
        let signer = path.signer();
        let is_signer = self
            .certificates()
            .first()
            .is_some_and(|first| first.as_slice() == signer.der());
        if !is_signer || path.purpose() != Purpose::MdocDocumentSigner {
            return Err(MdocError::WrongPath);
        }
        path.check_validity(now)?;
        let authentic = self.check_signature(path.key(), anchor_name(path.anchor()), None)?;
        let facts = &authentic.facts;
        check_time(facts, now)?;
        if let Some(found) = facts
            .issued_at
            .filter(|signed| *signed < signer.valid_from() || *signed > signer.valid_until())
        {
            return Err(MdocError::OutsideCertificate { found });
        }
        let country = authentic
            .contents
            .claims
            .get(MDL_NAMESPACE)
            .and_then(|elements| elements.get("issuing_country"));
        let expected = signer.country();
        if country.is_some_and(|country| country.as_str() != expected.as_deref()) {
            return Err(MdocError::IssuingCountry { expected });
        }
        Ok(authentic)
    }

    /// For a wallet that reads back what it accepted earlier: checks everything but the time, since a person may look at
    /// an expired mdoc.
    ///
    /// # Errors
    /// [`MdocError`].
    pub fn restore(self, key: &PublicKey, issuer: &str) -> Result<Held<Mdoc>, MdocError> {
        self.check_did_signature(key, issuer)?.hold_issued()
    }

    fn check_did_signature(self, key: &PublicKey, issuer: &str) -> Result<Authentic<Mdoc>, MdocError> {
        let key_id = self.verification_method()?;
        if self.issuer()? != issuer {
            return Err(MdocError::KeyId);
        }
        self.check_signature(key, issuer.to_owned(), Some(key_id))
    }

    fn check_signature(
        self,
        key: &PublicKey,
        issuer: String,
        key_id: Option<String>,
    ) -> Result<Authentic<Mdoc>, MdocError> {
        let Parsed {
            text,
            doc_type,
            issuer_signed,
            issuer_auth,
            device_signed,
        } = self.0;
        let verified = issuer_auth.verify(key)?;
        let mso = MobileSecurityObject::parse(verified.payload())?;
        if let Some(found) = doc_type.filter(|doc_type| *doc_type != mso.doc_type) {
            return Err(MdocError::DocType {
                expected: mso.doc_type,
                found,
            });
        }
        let claims = issuer_signed.claims(&mso)?;
        let facts = Facts {
            fingerprint: Fingerprint(issuer_signed.fingerprint()),
            format: CredentialFormat::MsoMdoc,
            holder: Some(HolderKey::Key(mso.device_key)),
            issued_at: Some(mso.signed),
            issuer,
            key: key.clone(),
            key_id,
            status: mso.status.into_iter().collect(),
            types: vec![mso.doc_type],
            type_integrity: None,
            unknown_status: mso.unknown_status,
            valid_from: Some(mso.valid_from),
            valid_until: Some(mso.valid_until),
        };
        let contents = Mdoc {
            text,
            issuer_signed,
            device_signed,
            claims,
        };
        Ok(Authentic { facts, contents })
    }

    /// The mobile security object, before the signature is checked.
    fn unverified_mso(&self) -> Result<MobileSecurityObject, MdocError> {
        let payload = self.0.issuer_auth.unverified_payload().ok_or(MdocError::Form {
            member: "issuerAuth",
            expected: "a signature with its payload",
        })?;
        MobileSecurityObject::parse(payload)
    }
}

impl Authentic<Mdoc> {
    /// Keeps an mdoc as issued.
    ///
    /// # Errors
    /// [`MdocError::Presented`].
    pub fn hold_issued(self) -> Result<Held<Mdoc>, MdocError> {
        if self.contents.device_signed.is_some() {
            let expected = "an mdoc as issued";
            return Err(MdocError::Presented { expected });
        }
        Ok(self.hold())
    }
}

/// The name of an issuing authority by its certificate: the `ni` URI of
/// [RFC 6920](https://www.rfc-editor.org/rfc/rfc6920) over its DER encoding.
#[must_use]
pub fn anchor_name(anchor: &Certificate) -> String {
    format!("ni:///sha-256;{}", base64url::encode(anchor.fingerprint()))
}

fn check_time(facts: &Facts, now: Timestamp) -> Result<(), MdocError> {
    check_validity(facts.valid_from, facts.valid_until, now)?;
    match facts.issued_at.filter(|signed| *signed > now.plus(MAX_CLOCK_SKEW)) {
        Some(found) => Err(MdocError::SignedInTheFuture { now, found }),
        None => Ok(()),
    }
}

fn decode_text(text: &str) -> Result<Vec<u8>, MdocError> {
    // Four characters for three bytes.
    if text.len() > MAX_BYTES / 3 * 4 {
        return Err(MdocError::TooLarge { found: text.len() });
    }
    base64url::decode(text).map_err(|_| MdocError::Base64)
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod vectors;
