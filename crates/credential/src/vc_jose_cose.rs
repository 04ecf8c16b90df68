//! Credentials and presentations with a signature around them
//! ([VC-JOSE-COSE](https://www.w3.org/TR/vc-jose-cose/)): what its three mechanisms share.
//!
//! | Mechanism | Credential | Presentation | Module |
//! |---|---|---|---|
//! | JOSE | `vc+jwt` | `vp+jwt` | [`crate::vc_jwt`] |
//! | SD-JWT | `vc+sd-jwt` | `vp+sd-jwt` | [`crate::vc_sd_jwt`] |
//! | COSE | `vc+cose` | `vp+cose` | [`crate::vc_cose`] |
//!
//! The document is the payload. Beside it the signature has claims of its own: JWT claims, which stand in the document,
//! or [CWT claims in the header](https://www.rfc-editor.org/rfc/rfc9597) of COSE. There is no `vc` or `vp` claim.
//!
//! Who signed: `issuer` (or `holder`) is a DID and the key identifier the absolute DID URL of one of its keys, as the
//! Recommendation demands when `iss` is absent. Relative forms are read as for SD-JWT VCs.
//!
//! Holder binding: the DID in `credentialSubject.id` is the holder's. The presentation is signed by a key of that DID and
//! carries the verifier (`aud`) and the nonce (`nonce`) as claims. An SD-JWT may be bound to a key (`cnf`) instead.
//!
//! A presentation holds credentials of any of the three mechanisms, each in an envelope. Which mechanism one has is
//! what its sender says (`typ`, the media type), held against what the caller expects; it is never guessed.
//!
//! Not done here: JSON-LD processing, presentations inside of presentations, the JSON serialization of SD-JWT.

mod credential;
mod enveloped;
mod presentation;

pub use credential::CredentialError;
pub use credential::Parsed;
pub use credential::W3cCredential;
pub(crate) use credential::check_credential;
pub(crate) use credential::check_times;
pub use enveloped::EnvelopedCredential;
pub(crate) use enveloped::check_envelopes;
pub use presentation::Presentation;
pub use presentation::PresentationError;
pub use presentation::PresentedCredentials;
pub use presentation::SignedPresentation;
pub use presentation::UnverifiedPresentation;
pub(crate) use presentation::check_presentation;

use keys::Algorithm;
use keys::SigningRequest;
use keys::cose::CoseError;
use keys::json;
use keys::json::Json;
use keys::json::JsonError;
use keys::json::Limits;
use keys::jws;
use keys::jws::Header;
use keys::jws::JwsError;
use serde_json::Map;
use serde_json::Value;

use crate::CredentialFormat;
use crate::HolderKey;
use crate::registered_claims::ClaimError;
use crate::sd_jwt::SdJwtError;

/// Bytes of a credential; as large as an SD-JWT may be, for the same portrait.
pub const MAX_CREDENTIAL_BYTES: usize = crate::sd_jwt::MAX_BYTES;

/// Bytes of a presentation: two large credentials after another base64, or some hundred small ones. A `vp+sd-jwt` is an
/// SD-JWT and no larger than one ([`crate::sd_jwt::MAX_BYTES`]).
pub const MAX_PRESENTATION_BYTES: usize = 2 << 20;

/// Credentials in one presentation. A request asks for a handful; each costs a signature check.
pub const MAX_CREDENTIALS: usize = 64;

/// One of the three mechanisms. Sealed.
pub trait Mechanism: sealed::Message {}

/// What is secured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A credential.
    Credential,
    /// A presentation.
    Presentation,
}

pub(crate) mod sealed {
    use keys::PublicKey;

    use super::CredentialFormat;
    use super::Kind;
    use super::MessageError;
    use super::Read;

    /// A secured document as it came, whose signature nobody has checked.
    pub trait Message: Sized {
        /// The format of its credentials.
        const FORMAT: CredentialFormat;
        /// The media type of a credential in a `data:` URL.
        const ENVELOPE: &'static str;
        /// What of it is of use after the signature was checked.
        type Kept;

        /// Reads form, type and document.
        fn read(text: &str, kind: Kind) -> Result<Read<Self>, MessageError>;
        /// `kid` as written.
        fn key_id(&self) -> Option<&str>;
        /// Checks the signature.
        fn verify(self, key: &PublicKey) -> Result<Self::Kept, MessageError>;
    }
}

/// What a message says, before its signature is checked.
pub struct Read<M> {
    pub(crate) message: M,
    /// What a holder keeps, and what is fingerprinted.
    pub(crate) text: String,
    pub(crate) document: Map<String, Value>,
    /// The claims of the signature; `None` where they stand in the document.
    pub(crate) claims: Option<Map<String, Value>>,
    /// The key that the document is bound to by `cnf`.
    pub(crate) holder: Option<HolderKey>,
    /// Whether it came with a holder's signature.
    pub(crate) is_key_bound: bool,
}

/// What is wrong with a message apart from what the document says: the variants that [`CredentialError`] and
/// [`PresentationError`] share, where they are told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MessageError {
    /// A claim of the signature.
    Claim(ClaimError),
    /// Another content.
    ContentType {
        /// What belongs there.
        expected: &'static str,
    },
    /// The COSE message.
    Cose(CoseError),
    /// The base64 around a COSE message.
    Encoding,
    /// The JWT.
    Jws(JwsError),
    /// The payload is not strict JSON.
    Payload(JsonError),
    /// Disclosures and digests.
    SdJwt(SdJwtError),
}

impl Kind {
    /// The bare media type of the payload.
    pub(crate) const fn content(self) -> &'static str {
        match self {
            Self::Credential => "vc",
            Self::Presentation => "vp",
        }
    }

    /// The limits of the secured form and of the document in it.
    pub(crate) const fn limits(self) -> Limits {
        let max_bytes = match self {
            Self::Credential => MAX_CREDENTIAL_BYTES,
            Self::Presentation => MAX_PRESENTATION_BYTES,
        };
        Limits {
            max_bytes,
            ..json::DEFAULT_LIMITS
        }
    }

    /// Reads the payload.
    pub(crate) fn document(self, payload: &[u8]) -> Result<Map<String, Value>, MessageError> {
        json::parse_object(payload, self.limits()).map_err(MessageError::Payload)
    }

    /// A JWT over `payload`, with the header of what we sign.
    pub(crate) fn sign_jwt(
        self,
        typ: &str,
        payload: &[u8],
        key_id: &str,
        algorithm: Algorithm,
    ) -> SigningRequest<String> {
        let members = [("cty", self.content()), ("kid", key_id), ("typ", typ)];
        let header = members.map(|(name, value)| (name.to_owned(), Value::from(value)));
        jws::sign(header.into_iter().collect(), payload, algorithm)
    }

    /// Checks the types in a JOSE header.
    pub(crate) fn check_header(self, header: &Header, typ: &'static str) -> Result<(), MessageError> {
        header.expect_typ(typ)?;
        let found = header.member("cty");
        self.check_content_type(found.and_then(Json::as_str))
    }

    /// "When present", the content type is that of the document.
    pub(crate) fn check_content_type(self, found: Option<&str>) -> Result<(), MessageError> {
        let expected = self.content();
        let bare = found.map(|found| found.strip_prefix("application/").unwrap_or(found));
        match bare {
            Some(bare) if bare != expected => Err(MessageError::ContentType { expected }),
            _ => Ok(()),
        }
    }
}

impl From<ClaimError> for MessageError {
    fn from(error: ClaimError) -> Self {
        Self::Claim(error)
    }
}

impl From<CoseError> for MessageError {
    fn from(error: CoseError) -> Self {
        Self::Cose(error)
    }
}

impl From<JwsError> for MessageError {
    fn from(error: JwsError) -> Self {
        Self::Jws(error)
    }
}

impl From<SdJwtError> for MessageError {
    fn from(error: SdJwtError) -> Self {
        Self::SdJwt(error)
    }
}

/// "The JWT Claim Names `vc` and `vp` MUST NOT be present."
fn check_claims(claims: &Map<String, Value>) -> Result<(), ClaimError> {
    match ["vc", "vp"].into_iter().find(|name| claims.contains_key(*name)) {
        Some(name) => Err(ClaimError::malformed(name, "absent")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
