//! The properties of a presentation
//! ([verifiable presentations](https://www.w3.org/TR/vc-data-model-2.0/#verifiable-presentations)).

use serde_json::Map;
use serde_json::Value;

use super::CREDENTIAL_TYPE;
use super::DataModelError;
use super::PRESENTATION_TYPE;
use super::check_context;
use super::identified;
use super::malformed;
use super::one_or_many;
use super::optional_id;
use super::read_type_strings;
use super::read_types;

/// The type of an object that carries a credential secured outside of its document
/// ([enveloped verifiable credentials](https://www.w3.org/TR/vc-data-model-2.0/#enveloped-verifiable-credentials)).
pub const ENVELOPED_CREDENTIAL: &str = "EnvelopedVerifiableCredential";

/// What a presentation document says.
#[derive(Clone, PartialEq)]
pub struct PresentationProperties<'a> {
    /// `holder`, or its `id`.
    pub holder: Option<&'a str>,
    /// `verifiableCredential`: credentials with an embedded proof, and envelopes.
    pub credentials: Vec<&'a Map<String, Value>>,
}

impl<'a> PresentationProperties<'a> {
    /// Checks the shape of a presentation document; of the credentials in it only the outside.
    ///
    /// # Errors
    /// [`DataModelError`], the author's fault.
    pub fn read(document: &'a Map<String, Value>) -> Result<Self, DataModelError> {
        check_context(document)?;
        optional_id(document, "id")?;
        read_types(document, PRESENTATION_TYPE)?;
        let holder = document
            .get("holder")
            .map(|holder| identified(holder, "holder"))
            .transpose()?;
        let credentials = match document.get("verifiableCredential") {
            None => Vec::new(),
            Some(value) => one_or_many(value).map(read_outside).collect::<Result<_, _>>()?,
        };
        Ok(Self { holder, credentials })
    }
}

/// An object with a context, a type and, for an envelope, a `data:` URL.
fn read_outside(value: &Value) -> Result<&Map<String, Value>, DataModelError> {
    let expected = "objects that are credentials or envelopes with a data: URL";
    let malformed = || malformed("verifiableCredential", expected);
    let object = value
        .as_object()
        .filter(|object| object.contains_key("@context"))
        .ok_or_else(malformed)?;
    let types = read_type_strings(object).ok_or_else(malformed)?;
    if types.contains(&ENVELOPED_CREDENTIAL) {
        let is_data = |id: &str| id.starts_with("data:");
        return if optional_id(object, "verifiableCredential")?.is_some_and(is_data) {
            Ok(object)
        } else {
            Err(malformed())
        };
    }
    if types.contains(&CREDENTIAL_TYPE) {
        Ok(object)
    } else {
        Err(malformed())
    }
}

impl std::fmt::Debug for PresentationProperties<'_> {
    /// Without the credentials.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PresentationProperties")
            .field("holder", &self.holder)
            .finish_non_exhaustive()
    }
}
