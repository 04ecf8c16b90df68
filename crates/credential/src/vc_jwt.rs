//! W3C credentials and presentations secured as JWTs, `vc+jwt` and `vp+jwt`
//! ([VC-JOSE-COSE](https://www.w3.org/TR/vc-jose-cose/#secure-with-jose)). The document is the payload; there is no
//! `vc` or `vp` claim around it. OpenID4VCI and OpenID4VP call the format `jwt_vc_json`.
//!
//! What it has in common with the other mechanisms, and who the issuer and the holder are: [`crate::vc_jose_cose`].

use keys::Algorithm;
use keys::PublicKey;
use keys::SigningRequest;
use keys::Timestamp;
use keys::json;
use keys::jws;
use keys::jws::UnverifiedJws;
use rand_core::CryptoRng;
use serde_json::Map;
use serde_json::Value;

use crate::Authentic;
use crate::CredentialFormat;
use crate::Unverified;
use crate::vc_jose_cose::Kind;
use crate::vc_jose_cose::Mechanism;
use crate::vc_jose_cose::MessageError;
use crate::vc_jose_cose::Read;
use crate::vc_jose_cose::W3cCredential;
use crate::vc_jose_cose::check_credential;
use crate::vc_jose_cose::check_presentation;
use crate::vc_jose_cose::check_times;
use crate::vc_jose_cose::sealed::Message;

pub use crate::vc_jose_cose::CredentialError as VcJwtError;
pub use crate::vc_jose_cose::MAX_CREDENTIAL_BYTES;
pub use crate::vc_jose_cose::MAX_CREDENTIALS;
pub use crate::vc_jose_cose::MAX_PRESENTATION_BYTES;
pub use crate::vc_jose_cose::Presentation;
pub use crate::vc_jose_cose::PresentationError as VpJwtError;
pub use crate::vc_jose_cose::PresentedCredentials;

/// The `typ` of a credential.
pub const CREDENTIAL_TYP: &str = "vc+jwt";

/// The `typ` of a presentation.
pub const PRESENTATION_TYP: &str = "vp+jwt";

/// A credential secured as `vc+jwt`.
pub type VcJwt = W3cCredential<JwtMessage>;

/// A `vp+jwt` whose signature nobody has checked.
pub type UnverifiedPresentation = crate::vc_jose_cose::UnverifiedPresentation<JwtMessage>;

/// A JWT as it came.
pub struct JwtMessage(UnverifiedJws);

/// The `vc+jwt` of a credential document, once signed by the key with the DID URL `key_id`.
///
/// `iat`, `exp` and other JWT claims may stand in the document.
///
/// # Errors
/// [`VcJwtError::DataModel`] and [`VcJwtError::Claim`], the caller's fault.
pub fn issue(
    document: &Map<String, Value>,
    key_id: &str,
    algorithm: Algorithm,
) -> Result<SigningRequest<String>, VcJwtError> {
    check_credential(document)?;
    Ok(sign(document, Kind::Credential, key_id, algorithm))
}

/// The `vp+jwt` of a presentation document, once signed by the key with the DID URL `key_id`: for documents that come
/// from elsewhere. The credentials in it are enveloped, and are not opened.
///
/// # Errors
/// [`VpJwtError::DataModel`], [`VpJwtError::Claim`] and [`VpJwtError::Envelope`], the caller's fault.
pub fn issue_presentation(
    document: &Map<String, Value>,
    key_id: &str,
    algorithm: Algorithm,
) -> Result<SigningRequest<String>, VpJwtError> {
    check_presentation(document)?;
    Ok(sign(document, Kind::Presentation, key_id, algorithm))
}

pub(crate) fn sign(
    document: &Map<String, Value>,
    kind: Kind,
    key_id: &str,
    algorithm: Algorithm,
) -> SigningRequest<String> {
    kind.sign_jwt(typ(kind), json::to_text(document).as_bytes(), key_id, algorithm)
}

const fn typ(kind: Kind) -> &'static str {
    match kind {
        Kind::Credential => CREDENTIAL_TYP,
        Kind::Presentation => PRESENTATION_TYP,
    }
}

impl Mechanism for JwtMessage {}

impl Message for JwtMessage {
    const FORMAT: CredentialFormat = CredentialFormat::JwtVcJson;
    const ENVELOPE: &'static str = "application/vc+jwt";
    type Kept = ();

    fn read(text: &str, kind: Kind) -> Result<Read<Self>, MessageError> {
        let jws = UnverifiedJws::parse(text, kind.limits().max_bytes)?;
        kind.check_header(jws.header(), typ(kind))?;
        Ok(Read {
            document: kind.document(jws.unverified_payload())?,
            message: Self(jws),
            text: text.to_owned(),
            claims: None,
            holder: None,
            is_key_bound: false,
        })
    }

    fn key_id(&self) -> Option<&str> {
        self.0.header().kid()
    }

    fn verify(self, key: &PublicKey) -> Result<(), MessageError> {
        // The document was read from these very bytes, so the verified copy is not needed.
        let _verified = self.0.verify(key)?;
        Ok(())
    }
}

impl Unverified<VcJwt> {
    /// [`Self::authenticate`] for many credentials of one issuer, with the same verdicts in the same order. Several
    /// hundred signed with Ed25519 take less time together ([`PublicKey::verify_all`]).
    ///
    /// `rng` must not be foreseeable for the issuer.
    pub fn authenticate_all(
        credentials: Vec<Self>,
        key: &PublicKey,
        issuer: &str,
        now: Timestamp,
        rng: &mut dyn CryptoRng,
    ) -> Vec<Result<Authentic<VcJwt>, VcJwtError>> {
        let split = credentials
            .into_iter()
            .map(|Self(parsed)| (parsed.message.0, parsed.contents));
        let (signed, contents): (Vec<_>, Vec<_>) = split.unzip();
        let verified = jws::verify_all(signed, key, rng).into_iter().zip(contents);
        verified
            .map(|(verified, contents)| {
                let key_id = verified?.header().kid().map(str::to_owned);
                check_times(contents.check_claims((), key, key_id, issuer)?, now)
            })
            .collect()
    }
}

#[cfg(test)]
mod tests;
