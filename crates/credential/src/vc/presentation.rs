//! The properties of a presentation
//! ([verifiable presentations](https://www.w3.org/TR/vc-data-model-2.0/#verifiable-presentations)).

use serde_json::Map;
use serde_json::Value;

use super::BASE_CONTEXT;
use super::CREDENTIAL_TYPE;
use super::DataModelError;
use super::ENVELOPED_CREDENTIAL;
use super::Envelope;
use super::PRESENTATION_TYPE;
use super::check_context;
use super::identified;
use super::malformed;
use super::optional_id;
use super::read_objects;
use super::read_type_strings;
use super::read_types;
use super::typed_objects;

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
        check_context(document, BASE_CONTEXT)?;
        optional_id(document, "id")?;
        read_types(document, PRESENTATION_TYPE)?;
        let holder = document
            .get("holder")
            .map(|holder| identified(holder, "holder"))
            .transpose()?;
        typed_objects(document, "termsOfUse")?;
        let credentials = read_objects(document, "verifiableCredential")?;
        for credential in &credentials {
            read_outside(credential)?;
        }
        Ok(Self { holder, credentials })
    }
}

/// An object with a context and a type that is a credential, or an envelope of one.
fn read_outside(object: &Map<String, Value>) -> Result<(), DataModelError> {
    let malformed = || {
        malformed(
            "verifiableCredential",
            "objects that are credentials or envelopes of them",
        )
    };
    let types = read_type_strings(object).ok_or_else(malformed)?;
    if types.contains(&ENVELOPED_CREDENTIAL) {
        return Envelope::of_credential(object).map(drop);
    }
    if types.contains(&CREDENTIAL_TYPE) && object.contains_key("@context") {
        Ok(())
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
