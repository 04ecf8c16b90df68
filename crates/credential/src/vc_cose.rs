//! W3C credentials and presentations secured with COSE, `vc+cose` and `vp+cose`
//! ([VC-JOSE-COSE](https://www.w3.org/TR/vc-jose-cose/#secure-with-cose)). The document in JSON is the payload of a `COSE_Sign1`.
//!
//! What it has in common with the other mechanisms, and who the issuer and the holder are: [`crate::vc_jose_cose`].
//!
//! The claims of the signature are [CWT claims in its protected header](https://www.rfc-editor.org/rfc/rfc9597): `iss`,
//! `aud`, `exp`, `nbf`, `iat`, and `nonce` of [RFC 9711](https://www.rfc-editor.org/rfc/rfc9711#section-4.1). In the
//! unprotected header they are refused. Members of such names in the document are no claims.
//!
//! The bytes are the tagged message. As text, which is what a `data:` URL holds and a wallet keeps, they are in base64
//! with padding ([RFC 2397](https://www.rfc-editor.org/rfc/rfc2397)).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use keys::Algorithm;
use keys::PublicKey;
use keys::SigningRequest;
use keys::cbor;
use keys::cose;
use keys::cose::HeaderMap;
use keys::cose::Headers;
use keys::cose::UnverifiedSign1;
use keys::json;
use serde_json::Map;
use serde_json::Value;

use crate::CredentialFormat;
use crate::Unverified;
use crate::registered_claims::ClaimError;
use crate::vc::CredentialProperties;
use crate::vc::PresentationProperties;
use crate::vc_jose_cose::CredentialError;
use crate::vc_jose_cose::Kind;
use crate::vc_jose_cose::Mechanism;
use crate::vc_jose_cose::MessageError;
use crate::vc_jose_cose::PresentationError;
use crate::vc_jose_cose::Read;
use crate::vc_jose_cose::W3cCredential;
use crate::vc_jose_cose::check_envelopes;
use crate::vc_jose_cose::sealed::Message;

/// The `typ` of a credential.
pub const CREDENTIAL_TYP: &str = "application/vc+cose";

/// The `typ` of a presentation.
pub const PRESENTATION_TYP: &str = "application/vp+cose";

/// Label of the header parameter [CWT Claims](https://www.rfc-editor.org/rfc/rfc9597).
const CWT_CLAIMS: i64 = 15;

/// Keys of the [CWT claims](https://www.iana.org/assignments/cwt/cwt.xhtml) that are understood, with their names as JWT
/// claims.
const CLAIMS: [(i64, &str); 6] = [
    (1, "iss"),
    (3, "aud"),
    (4, "exp"),
    (5, "nbf"),
    (6, "iat"),
    (NONCE, "nonce"),
];

/// The one whose value is bytes.
const NONCE: i64 = 10;

/// A credential secured as `vc+cose`.
pub type VcCose = W3cCredential<CoseMessage>;

/// A `vp+cose` whose signature nobody has checked.
pub type UnverifiedPresentation = crate::vc_jose_cose::UnverifiedPresentation<CoseMessage>;

/// A `COSE_Sign1` as it came.
pub struct CoseMessage {
    sign1: UnverifiedSign1,
    key_id: Option<String>,
}

/// The `vc+cose` of a credential document, once signed by the key with the DID URL `key_id`.
///
/// # Errors
/// [`CredentialError::DataModel`], the caller's fault.
pub fn issue(
    document: &Map<String, Value>,
    key_id: &str,
    algorithm: Algorithm,
) -> Result<SigningRequest<Vec<u8>>, CredentialError> {
    CredentialProperties::read(document)?;
    Ok(sign(document, &Map::new(), Kind::Credential, key_id, algorithm))
}

/// The `vp+cose` of a presentation document, once signed by the key with the DID URL `key_id`: for documents that come
/// from elsewhere. The credentials in it are enveloped, and are not opened.
///
/// # Errors
/// [`PresentationError::DataModel`] and [`PresentationError::Envelope`], the caller's fault.
pub fn issue_presentation(
    document: &Map<String, Value>,
    key_id: &str,
    algorithm: Algorithm,
) -> Result<SigningRequest<Vec<u8>>, PresentationError> {
    check_envelopes(&PresentationProperties::read(document)?.credentials)?;
    Ok(sign(document, &Map::new(), Kind::Presentation, key_id, algorithm))
}

/// The message as text: what [`Unverified::parse`] and `UnverifiedPresentation::parse` read.
#[must_use]
pub fn to_text(message: &[u8]) -> String {
    STANDARD.encode(message)
}

/// A tagged message; `claims` are JWT claims by their names, each of them one of those understood here.
pub(crate) fn sign(
    document: &Map<String, Value>,
    claims: &Map<String, Value>,
    kind: Kind,
    key_id: &str,
    algorithm: Algorithm,
) -> SigningRequest<Vec<u8>> {
    let mut header = HeaderMap::new()
        .with_content_type(&format!("application/{}", kind.content()))
        .with_key_id(key_id.as_bytes())
        .with_typ(typ(kind));
    let known = CLAIMS.into_iter();
    let claims: Vec<_> = known
        .filter_map(|(key, name)| Some((cbor::Value::from(key), write_claim(key, claims.get(name)?)?)))
        .collect();
    if !claims.is_empty() {
        header = header.with(CWT_CLAIMS, cbor::Value::Map(claims));
    }
    let payload = json::to_text(document).into_bytes();
    cose::sign(header, HeaderMap::new(), payload, algorithm).map(|message| cose::tagged(&message))
}

const fn typ(kind: Kind) -> &'static str {
    match kind {
        Kind::Credential => CREDENTIAL_TYP,
        Kind::Presentation => PRESENTATION_TYP,
    }
}

impl Unverified<VcCose> {
    /// As [`Self::parse`], of the bytes.
    ///
    /// # Errors
    /// [`CredentialError`], the sender's fault.
    pub fn from_bytes(message: &[u8]) -> Result<Self, CredentialError> {
        Self::parse(&to_text(message))
    }
}

impl Mechanism for CoseMessage {}

impl Message for CoseMessage {
    const FORMAT: CredentialFormat = CredentialFormat::VcCose;
    const ENVELOPE: &'static str = "application/vc+cose;base64";
    type Kept = ();

    fn read(text: &str, kind: Kind) -> Result<Read<Self>, MessageError> {
        // Checked before anything is decoded: three bytes of the message are four of the text.
        let max_bytes = kind.limits().max_bytes;
        if text.len() > max_bytes.div_ceil(3) * 4 {
            return Err(MessageError::Encoding);
        }
        let bytes = STANDARD.decode(text).map_err(|_| MessageError::Encoding)?;
        let sign1 = UnverifiedSign1::parse(&bytes, max_bytes)?;
        let headers = sign1.headers();
        headers.expect_typ(typ(kind))?;
        check_content_type(headers, kind)?;
        let claims = read_claims(headers)?;
        let key_id = headers.key_id().map(|key_id| String::from_utf8(key_id.to_vec()));
        let key_id = key_id.transpose().map_err(|_| parameter("kid", "a URL in UTF-8"))?;
        let expected = "a payload in the message";
        let payload = sign1
            .unverified_payload()
            .ok_or(cose::CoseError::Payload { expected })?;
        Ok(Read {
            document: kind.document(payload)?,
            text: text.to_owned(),
            claims: Some(claims),
            holder: None,
            is_key_bound: false,
            message: Self { sign1, key_id },
        })
    }

    fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }

    fn verify(self, key: &PublicKey) -> Result<(), MessageError> {
        // The document was read from these very bytes, so the verified copy is not needed.
        let _verified = self.sign1.verify(key)?;
        Ok(())
    }
}

const fn parameter(parameter: &'static str, expected: &'static str) -> MessageError {
    MessageError::Cose(cose::CoseError::Parameter { parameter, expected })
}

/// A CoAP content format is no media type of ours.
fn check_content_type(headers: &Headers, kind: Kind) -> Result<(), MessageError> {
    if headers.has_content_type() && headers.content_type().is_none() {
        let expected = kind.content();
        return Err(MessageError::ContentType { expected });
    }
    kind.check_content_type(headers.content_type())
}

/// The CWT claims of the protected header by their names as JWT claims.
fn read_claims(headers: &Headers) -> Result<Map<String, Value>, MessageError> {
    if headers.unprotected().get(CWT_CLAIMS).is_some() {
        let parameter = "CWT Claims";
        return Err(cose::CoseError::Unprotected { parameter }.into());
    }
    let Some(found) = headers.protected().get(CWT_CLAIMS) else {
        return Ok(Map::new());
    };
    let found = found.as_map().ok_or_else(|| parameter("CWT Claims", "a map"))?;
    let mut claims = Map::new();
    for (key, name) in CLAIMS {
        let label = cbor::Value::from(key);
        if let Some((_, value)) = found.iter().find(|(found, _)| *found == label) {
            let value = read_claim(key, value).ok_or_else(|| ClaimError::malformed(name, "a CWT claim of its type"))?;
            claims.insert(name.to_owned(), value);
        }
    }
    Ok(claims)
}

fn read_claim(key: i64, value: &cbor::Value) -> Option<Value> {
    match value {
        cbor::Value::Bytes(nonce) if key == NONCE => std::str::from_utf8(nonce).ok().map(Value::from),
        cbor::Value::Text(text) if key != NONCE => Some(Value::from(text.as_str())),
        cbor::Value::Unsigned(number) => i64::try_from(*number).ok().map(Value::from),
        cbor::Value::Negative(number) => i64::try_from(*number).ok().map(|number| Value::from(-1 - number)),
        _ => None,
    }
}

fn write_claim(key: i64, value: &Value) -> Option<cbor::Value> {
    match value {
        Value::String(nonce) if key == NONCE => Some(cbor::Value::bytes(nonce.as_bytes())),
        Value::String(text) => Some(cbor::Value::text(text)),
        number => number.as_i64().map(cbor::Value::from),
    }
}

#[cfg(test)]
mod tests;
