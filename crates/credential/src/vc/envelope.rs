//! Objects that carry a document secured outside of it
//! ([enveloped verifiable credentials](https://www.w3.org/TR/vc-data-model-2.0/#enveloped-verifiable-credentials),
//! [enveloped verifiable presentations](https://www.w3.org/TR/vc-data-model-2.0/#enveloped-verifiable-presentations)).

use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use super::BASE_CONTEXT;
use super::DataModelError;
use super::malformed;
use super::one_or_many;
use super::optional_id;
use super::read_type_strings;

/// The type of an envelope of a credential.
pub const ENVELOPED_CREDENTIAL: &str = "EnvelopedVerifiableCredential";

/// The type of an envelope of a presentation.
pub const ENVELOPED_PRESENTATION: &str = "EnvelopedVerifiablePresentation";

/// What the `data:` URL ([RFC 2397](https://www.rfc-editor.org/rfc/rfc2397)) of an envelope says and has.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Envelope<'a> {
    media_type: &'a str,
    data: &'a str,
}

impl<'a> Envelope<'a> {
    /// Reads an `EnvelopedVerifiableCredential`; nothing in it is checked.
    ///
    /// # Errors
    /// [`DataModelError`], the author's fault.
    pub fn of_credential(object: &'a Map<String, Value>) -> Result<Self, DataModelError> {
        Self::read(object, ENVELOPED_CREDENTIAL)
    }

    /// Reads an `EnvelopedVerifiablePresentation`; nothing in it is checked.
    ///
    /// # Errors
    /// [`DataModelError`], the author's fault.
    pub fn of_presentation(object: &'a Map<String, Value>) -> Result<Self, DataModelError> {
        Self::read(object, ENVELOPED_PRESENTATION)
    }

    /// The media type with its parameters, as written.
    #[must_use]
    pub const fn media_type(&self) -> &'a str {
        self.media_type
    }

    /// What comes after the comma, as written: nothing is decoded.
    #[must_use]
    pub const fn data(&self) -> &'a str {
        self.data
    }

    fn read(object: &'a Map<String, Value>, type_: &str) -> Result<Self, DataModelError> {
        let context = object.get("@context").map(one_or_many);
        if !context.is_some_and(|mut context| context.any(|context| context == BASE_CONTEXT)) {
            return Err(malformed("@context", "the VC 2.0 context, in an envelope too"));
        }
        if read_type_strings(object).as_deref() != Some(&[type_]) {
            return Err(malformed("type", "the type of an envelope alone"));
        }
        let parts = optional_id(object, "id")?
            .and_then(|id| id.strip_prefix("data:"))
            .and_then(|rest| rest.split_once(','));
        let (media_type, data) = parts
            .filter(|(media_type, data)| media_type.contains('/') && !data.is_empty())
            .ok_or_else(|| malformed("id", "a data: URL with a media type and a secured document"))?;
        Ok(Self { media_type, data })
    }
}

/// An `EnvelopedVerifiableCredential` of a secured credential, which `data` is as it stands in a `data:` URL of
/// `media_type`.
#[must_use]
pub fn envelope_of_credential(media_type: &str, data: &str) -> Value {
    json!({
        "@context": BASE_CONTEXT,
        "type": ENVELOPED_CREDENTIAL,
        "id": format!("data:{media_type},{data}"),
    })
}

impl std::fmt::Debug for Envelope<'_> {
    /// Without what is in it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Envelope")
            .field("media_type", &self.media_type)
            .finish_non_exhaustive()
    }
}
