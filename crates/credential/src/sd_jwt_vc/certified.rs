//! Issuers whose key comes with certificates, `x5c`
//! ([issuer verification keys](https://datatracker.ietf.org/doc/html/draft-ietf-oauth-sd-jwt-vc#name-issuer-verification-key-dis)).
//!
//! The draft says that the issuer is the subject of the signer's certificate, and that profiles keep `iss`, if it is
//! there, tied to the key. In ours the certificate says `iss` as a URI in `subjectAltName`, letter by letter; without
//! `iss` the issuer is named by the anchor that the path ends in, as for an mdoc. A DID is never read from a certificate:
//! the authority that wrote it would speak for everybody.

use keys::Timestamp;
use keys::json::Json;
use keys::x509::CertificatePath;
use keys::x509::Purpose;

use super::SdJwtVc;
use super::SdJwtVcError;
use super::check_time;
use super::optional_string;
use crate::Authentic;
use crate::Unverified;
use crate::mdoc::anchor_name;

/// What every DID and every `kid` of one begins with. URI schemes are compared without regard to case.
const DID_SCHEME: &str = "did:";

impl Unverified<SdJwtVc> {
    /// Checks the issuer's signature with the key of a signer whose path was verified, every registered claim, and the
    /// time. [`Facts::issuer`](crate::Facts::issuer) is `iss`, for which the signer's certificate must vouch, or else the
    /// [name](anchor_name) of the path's anchor; [`Facts::key_id`](crate::Facts::key_id) is none.
    ///
    /// # Errors
    /// [`SdJwtVcError`].
    pub fn authenticate_path(self, path: &CertificatePath, now: Timestamp) -> Result<Authentic<SdJwtVc>, SdJwtVcError> {
        let chain = self.certificates()?.unwrap_or_default();
        let is_signer = chain
            .first()
            .is_some_and(|first| first.as_slice() == path.signer().der());
        if !is_signer || path.purpose() != Purpose::SdJwtVcIssuer {
            return Err(SdJwtVcError::WrongPath);
        }
        if self.key_id().is_some_and(is_did) {
            return Err(SdJwtVcError::KeyIdBesideCertificates);
        }
        path.check_validity(now)?;
        let mut authentic = self.check_signature_of(path.key(), |claims| issuer(claims, path))?;
        // What it names is known to nobody but the issuer.
        authentic.facts.key_id = None;
        check_time(authentic, now)
    }
}

fn issuer(claims: Json<'_>, path: &CertificatePath) -> Result<String, SdJwtVcError> {
    match optional_string(claims, "iss")? {
        None => Ok(anchor_name(path.anchor())),
        Some(iss) if !is_did(iss) && path.signer().uris().iter().any(|uri| uri == iss) => Ok(iss.to_owned()),
        Some(found) => Err(SdJwtVcError::UncertifiedIssuer {
            found: found.to_owned(),
        }),
    }
}

fn is_did(text: &str) -> bool {
    text.get(..DID_SCHEME.len())
        .is_some_and(|scheme| scheme.eq_ignore_ascii_case(DID_SCHEME))
}
