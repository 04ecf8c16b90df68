//! What the terms of a W3C credential mean: the contexts of W3C, which are bundled, and those that the registry
//! has for a credential type. Nothing is fetched.
//!
//! A credential may refer to the base context and the contexts of its own types, and to nothing else. A signature
//! over RDF does not cover which contexts were added to the document later; with one more context, a term that a
//! reader looks for could be given another meaning, or a claim another name
//! ([Validating Contexts](https://www.w3.org/TR/vc-data-integrity/#validating-contexts)).
//!
//! A registered context stands alone: what it refers to would have to be registered for the same type.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

use credential::Facts;
use credential::vc::BASE_CONTEXT;
use credential::vc::CREDENTIAL_TYPE;
use jsonld::ContextLoader;
use jsonld::Object;
use jsonld::Options;
use jsonld::Resource;
use keys::json;
use serde_json::json;
use trust::TrustedBundle;
use trust::entry::DocumentRole;
use trust::entry::SchemaDocument;
use trust::merkle::Hash;
use trust::state::SchemaRecord;

use crate::Reason;

/// A context of a credential type has some hundred terms.
const LIMITS: json::Limits = json::Limits {
    max_bytes: 256 * 1024,
    max_depth: 16,
};
/// Sets of contexts whose meaning is kept. A verifier asks for a handful of types; when it is full, all of them
/// are worked out again, which only costs time.
const MAX_KEPT: usize = 64;

/// What sets of contexts come to. The key is their content, so that what is kept can never be another registry's
/// or another version's.
static KEPT: Mutex<BTreeMap<Key, Arc<ContextLoader>>> = Mutex::new(BTreeMap::new());

/// URLs and digests, ascending.
type Key = Vec<(String, Hash)>;

/// The registered contexts of one presentation.
#[derive(Default)]
pub(crate) struct Contexts<'b> {
    documents: BTreeMap<&'b str, (Hash, &'b [u8])>,
}

impl<'b> Contexts<'b> {
    /// Adds those of `urls` that are registered in `bundle`. What no bundle knows, the signature check refuses.
    pub(crate) fn add<'u>(
        &mut self,
        bundle: &'b TrustedBundle,
        urls: impl Iterator<Item = &'u str>,
    ) -> Result<(), Reason> {
        let urls: BTreeSet<&str> = urls.collect();
        let schemas = bundle.state().schemas().filter_map(SchemaRecord::schema);
        for document in schemas.flat_map(|schema| &schema.documents) {
            if document.role == DocumentRole::Context && urls.contains(document.uri.as_str()) {
                self.add_document(bundle, document)?;
            }
        }
        Ok(())
    }

    fn add_document(&mut self, bundle: &'b TrustedBundle, document: &'b SchemaDocument) -> Result<(), Reason> {
        let url = || document.uri.clone();
        let bytes = bundle
            .schema_document(document)
            .ok_or_else(|| Reason::ContextNotCovered { url: url() })?;
        match self.documents.insert(&document.uri, (document.digest, bytes)) {
            // Two types or two registries mean different things by one URL: nobody can tell which was signed.
            Some((digest, _)) if digest != document.digest => Err(Reason::ContextBroken { url: url() }),
            Some(_) | None => Ok(()),
        }
    }

    /// These contexts and the bundled ones.
    pub(crate) fn loader(&self) -> Result<Arc<ContextLoader>, Reason> {
        let key: Key = self
            .documents
            .iter()
            .map(|(url, (digest, _))| ((*url).to_owned(), *digest))
            .collect();
        let kept = || KEPT.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(loader) = kept().get(&key) {
            return Ok(Arc::clone(loader));
        }
        let mut loader = ContextLoader::bundled();
        for (url, (_, bytes)) in &self.documents {
            let broken = |_| Reason::ContextBroken { url: (*url).to_owned() };
            json::parse(bytes, LIMITS).map_err(broken)?;
            // As text, since a credential may tell the digest of its context.
            let text = str::from_utf8(bytes).unwrap_or_default();
            loader
                .register_text(url, text)
                .map_err(|_| Reason::ContextBroken { url: (*url).to_owned() })?;
        }
        let loader = Arc::new(loader);
        let mut all = kept();
        if all.len() >= MAX_KEPT {
            all.clear();
        }
        all.insert(key, Arc::clone(&loader));
        Ok(loader)
    }
}

/// The credential's types as IRIs, after checking that `contexts` are those of these types.
pub(crate) fn types<'c>(
    bundle: &TrustedBundle,
    facts: &Facts,
    contexts: impl Iterator<Item = &'c str>,
    loader: &ContextLoader,
) -> Result<Vec<String>, Reason> {
    let contexts: Vec<&str> = contexts.collect();
    let allowed = of_types(bundle, facts)?;
    if let Some(other) = contexts.iter().find(|url| !allowed.contains(*url)) {
        return Err(Reason::Context {
            url: (*other).to_owned(),
        });
    }
    let names: Vec<&str> = std::iter::once(CREDENTIAL_TYPE)
        .chain(
            facts
                .types()
                .iter()
                .map(String::as_str)
                .filter(|name| *name != CREDENTIAL_TYPE),
        )
        .collect();
    let meaning = jsonld::to_rdf(&json!({"@context": contexts, "type": names}), &Options::compact(loader))?;
    let iri = |object: &Object| match object {
        Object::Resource(Resource::Iri(iri)) => Some(iri.clone()),
        Object::Resource(Resource::Blank(_)) | Object::Literal(_) => None,
    };
    Ok(meaning.quads().iter().filter_map(|quad| iri(&quad.object)).collect())
}

/// The base context, and those of every type that the credential asserts.
fn of_types<'b>(bundle: &'b TrustedBundle, facts: &Facts) -> Result<BTreeSet<&'b str>, Reason> {
    let mut allowed = BTreeSet::from([BASE_CONTEXT]);
    for type_name in facts.types().iter().filter(|name| *name != CREDENTIAL_TYPE) {
        let (_, schema) = bundle
            .schema_of_w3c_type(type_name)
            .ok_or_else(|| Reason::TypeUnknown {
                type_name: type_name.clone(),
            })?;
        let contexts = schema
            .documents
            .iter()
            .filter(|document| document.role == DocumentRole::Context);
        allowed.extend(contexts.map(|document| document.uri.as_str()));
    }
    Ok(allowed)
}
