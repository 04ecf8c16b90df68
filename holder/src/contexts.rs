//! The JSON-LD contexts of the wallet's W3C credentials, kept with each of them: without them nobody can check
//! the proof again, nor say which of a verifier's types the credential has, and the network may be gone by then.

use std::collections::BTreeMap;

use credential::Facts;
use credential::LdpVc;
use credential::Unverified;
use credential::vc::CREDENTIAL_TYPE;
use credential::vc_jwt::MAX_CREDENTIAL_BYTES;
use credential::vc_jwt::VcJwtError;
use jsonld::ContextLoader;
use jsonld::Object;
use jsonld::Options;
use jsonld::Resource;
use keys::json;
use keys::jws::UnverifiedJws;
use openid4vc::vci::CredentialConfiguration;
use openid4vc::vci::configuration::FormatProfile;
use serde::Deserialize;
use serde::Serialize;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::ReceiveError;

/// Context documents by URL, besides the bundled ones of W3C.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Contexts(BTreeMap<String, Value>);

impl Contexts {
    /// The URLs of the contexts that a delivered credential needs and that are not bundled; the caller gets
    /// their documents.
    ///
    /// # Errors
    /// [`ReceiveError`].
    pub fn needed(credential: &Value, configuration: &CredentialConfiguration) -> Result<Vec<String>, ReceiveError> {
        let urls: Vec<String> = match &configuration.profile {
            FormatProfile::LdpVc { .. } => {
                let object = credential.as_object().ok_or(ReceiveError::Format)?;
                let unverified = Unverified::<LdpVc>::from_object(object)?;
                unverified.contexts().map(str::to_owned).collect()
            }
            // What a JWT says is plain JSON; only what its types are called elsewhere is in the contexts.
            FormatProfile::JwtVcJson { .. } => in_payload(credential)?,
            _ => Vec::new(),
        };
        let bundled = ContextLoader::bundled();
        Ok(urls.into_iter().filter(|url| !bundled.contains(url)).collect())
    }

    /// Adds the document of a context.
    pub fn add(&mut self, url: String, document: Value) {
        self.0.insert(url, document);
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn loader(&self) -> ContextLoader {
        let mut loader = ContextLoader::bundled();
        for (url, document) in &self.0 {
            loader.register(url, document.clone());
        }
        loader
    }
}

/// The contexts of a `vc+jwt`, before its signature is checked.
fn in_payload(credential: &Value) -> Result<Vec<String>, ReceiveError> {
    let text = credential.as_str().ok_or(ReceiveError::Format)?;
    let jws = UnverifiedJws::parse(text, MAX_CREDENTIAL_BYTES).map_err(VcJwtError::from)?;
    let payload = json::parse_object(jws.unverified_payload(), json::DEFAULT_LIMITS).map_err(VcJwtError::Payload)?;
    let contexts = payload.get("@context").and_then(Value::as_array).into_iter().flatten();
    Ok(contexts.filter_map(Value::as_str).map(str::to_owned).collect())
}

/// The types of a W3C credential as IRIs, which is how queries name them; none where a context is missing, so that
/// nothing can be asked for by a name that the wallet cannot check.
pub(crate) fn expanded_types(document: &Map<String, Value>, facts: &Facts, loader: &ContextLoader) -> Vec<String> {
    let others = facts.types().iter().map(String::as_str);
    let names: Vec<&str> = std::iter::once(CREDENTIAL_TYPE)
        .chain(others.filter(|name| *name != CREDENTIAL_TYPE))
        .collect();
    let typed = json!({"@context": document.get("@context"), "type": names});
    let Ok(meaning) = jsonld::to_rdf(&typed, &Options::compact(loader)) else {
        return Vec::new();
    };
    let iri = |object: &Object| match object {
        Object::Resource(Resource::Iri(iri)) => Some(iri.clone()),
        Object::Resource(Resource::Blank(_)) | Object::Literal(_) => None,
    };
    meaning.quads().iter().filter_map(|quad| iri(&quad.object)).collect()
}
