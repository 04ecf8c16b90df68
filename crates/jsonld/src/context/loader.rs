//! The contexts that may be used, and what was already worked out of them.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

use serde_json::Value;

use super::ActiveContext;
use super::Scope;
use super::Tables;
use super::TermDefinition;

/// Contexts made from registered ones that are kept. A nation's credential types need about 4 each; when
/// full, further ones are made anew each time, which only costs time.
pub(super) const MAX_CACHED: usize = 1_024;

/// Contexts that W3C standards fix by URL, with the bytes of `schemas/contexts/`.
const BUNDLED: [(&str, &str); 8] = [
    (
        "https://www.w3.org/ns/credentials/v2",
        include_str!("../../../../schemas/contexts/credentials-v2.jsonld"),
    ),
    (
        "https://www.w3.org/2018/credentials/v1",
        include_str!("../../../../schemas/contexts/credentials-v1.jsonld"),
    ),
    (
        "https://www.w3.org/ns/credentials/status/v1",
        include_str!("../../../../schemas/contexts/credentials-status-v1.jsonld"),
    ),
    (
        "https://w3id.org/security/data-integrity/v2",
        include_str!("../../../../schemas/contexts/data-integrity-v2.jsonld"),
    ),
    (
        "https://w3id.org/security/data-integrity/v1",
        include_str!("../../../../schemas/contexts/data-integrity-v1.jsonld"),
    ),
    (
        "https://w3id.org/security/multikey/v1",
        include_str!("../../../../schemas/contexts/multikey-v1.jsonld"),
    ),
    (
        "https://w3id.org/security/jwk/v1",
        include_str!("../../../../schemas/contexts/jwk-v1.jsonld"),
    ),
    (
        "https://www.w3.org/ns/did/v1",
        include_str!("../../../../schemas/contexts/did-v1.jsonld"),
    ),
];

/// The contexts that documents may refer to. Nothing is ever fetched: another URL is an error.
///
/// Keep one and use it for every document: what registered contexts come to is worked out once and kept
/// here (shared safely between threads). Contexts written inside a document are never kept.
pub struct ContextLoader {
    documents: HashMap<Arc<str>, Arc<Value>>,
    /// The texts of those documents that were registered as text.
    texts: HashMap<Arc<str>, Arc<str>>,
    embedded: bool,
    cache: Mutex<Cache>,
    tables: Tables,
}

impl ContextLoader {
    /// No context at all.
    #[must_use]
    pub fn empty() -> Self {
        Self {
            documents: HashMap::new(),
            texts: HashMap::new(),
            embedded: false,
            cache: Mutex::new(Cache::default()),
            tables: Tables::new(),
        }
    }

    /// The contexts of the W3C standards that a verifier of credentials needs: credentials v1 and v2,
    /// credential status v1, data-integrity v1 and v2, multikey v1, jwk v1, did v1.
    #[must_use]
    pub fn bundled() -> Self {
        let mut loader = Self::empty();
        for (url, text) in BUNDLED {
            // A test below parses every one of them.
            let _ = loader.register_text(url, text);
        }
        loader
    }

    /// Makes the context document `document` (an object with `@context`) known as `url`. A context that was
    /// known under this URL is replaced. Whether the document is right shows when it is used.
    pub fn register(&mut self, url: &str, document: Value) {
        self.documents.insert(Arc::from(url), Arc::new(document));
        self.texts.remove(url);
        // What was worked out may depend on the replaced one.
        self.cache = Mutex::new(Cache::default());
        self.tables = Tables::new();
    }

    /// The same for a context document as it was published, so that its digest can be computed too.
    ///
    /// # Errors
    /// What JSON parsing says; nothing is registered then.
    pub fn register_text(&mut self, url: &str, text: &str) -> Result<(), serde_json::Error> {
        self.register(url, serde_json::from_str(text)?);
        self.texts.insert(Arc::from(url), Arc::from(text));
        Ok(())
    }

    /// The text of a context that was registered as text; the bundled ones are.
    #[must_use]
    pub fn text(&self, url: &str) -> Option<&str> {
        self.texts.get(url).map(AsRef::as_ref)
    }

    /// Takes documents that say in themselves what their words mean, for whoever secures or checks the words of others
    /// and acts on none of them. JSON-LD allows it to every document; [Data
    /// Integrity](https://www.w3.org/TR/vc-data-integrity/#validating-contexts) warns whoever acts on one.
    #[must_use]
    pub fn accepting_embedded(mut self) -> Self {
        self.embedded = true;
        self
    }

    /// Whether a credential may have contexts written into its `@context`.
    #[must_use]
    pub const fn accepts_embedded(&self) -> bool {
        self.embedded
    }

    /// Whether a document may refer to `url`.
    pub fn contains(&self, url: &str) -> bool {
        self.documents.contains_key(url)
    }

    /// The URLs that documents may refer to, in no particular order.
    pub fn urls(&self) -> impl Iterator<Item = &str> {
        self.documents.keys().map(AsRef::as_ref)
    }

    pub(crate) const fn tables(&self) -> &Tables {
        &self.tables
    }

    pub(crate) fn document(&self, url: &str) -> Option<Arc<Value>> {
        self.documents.get(url).map(Arc::clone)
    }

    /// What was worked out for `key` applied to `active`.
    pub(crate) fn cached(&self, active: &ActiveContext, key: &CacheKey) -> Option<Arc<ActiveContext>> {
        let id = active.id?;
        let cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        cache.derived.get(&id)?.get(key).map(Arc::clone)
    }

    /// Keeps `made`, which `key` applied to `active` comes to, if `active` is itself kept and there is room.
    pub(crate) fn keep(&self, active: &ActiveContext, key: CacheKey, made: Arc<ActiveContext>) -> Arc<ActiveContext> {
        let Some(id) = active.id else {
            return made;
        };
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        if cache.count >= MAX_CACHED {
            return made;
        }
        cache.count += 1;
        // A context may come to one that is already known, such as the initial one after `null`.
        let made = if made.id.is_some() {
            made
        } else {
            cache.last_id += 1;
            Arc::new(ActiveContext {
                id: Some(cache.last_id),
                ..Arc::unwrap_or_clone(made)
            })
        };
        cache.derived.entry(id).or_default().insert(key, Arc::clone(&made));
        made
    }
}

impl fmt::Debug for ContextLoader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ContextLoader")
            .field("urls", &self.documents.keys())
            .finish_non_exhaustive()
    }
}

/// What was worked out, by the id of the context it started from. Id 0 is the initial context.
#[derive(Default)]
struct Cache {
    derived: HashMap<u64, HashMap<CacheKey, Arc<ActiveContext>>>,
    count: usize,
    last_id: u64,
}

/// What was applied to an active context.
#[derive(Clone, Hash, PartialEq, Eq)]
pub(crate) enum CacheKey {
    /// A registered context.
    Url(Arc<str>),
    /// The scoped context of a term.
    Scoped { definition: SameDefinition, scope: Scope },
}

/// A definition, compared by identity. Holding it keeps its address from being used again.
#[derive(Clone)]
pub(crate) struct SameDefinition(pub(crate) Arc<TermDefinition>);

impl PartialEq for SameDefinition {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for SameDefinition {}

impl std::hash::Hash for SameDefinition {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.0).hash(state);
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    /// The digests that the Recommendations print (see `schemas/contexts/SOURCE`).
    #[test]
    fn bundled_contexts_have_the_bytes_of_the_recommendations() {
        let source = include_str!("../../../../schemas/contexts/SOURCE");
        let (_, digests) = source.split_once("\nsha256\n").unwrap();
        let loader = ContextLoader::bundled();
        for (url, text) in BUNDLED {
            let mut digest = String::new();
            for byte in keys::sha256(text.as_bytes()) {
                write!(digest, "{byte:02x}").unwrap();
            }
            assert!(digests.contains(&digest), "{url} {digest}");
            assert!(loader.document(url).unwrap().get("@context").is_some(), "{url}");
            assert_eq!(loader.text(url), Some(text));
        }
        assert_eq!(digests.lines().count(), BUNDLED.len());
    }

    /// A text must never be that of a document that was there before.
    #[test]
    fn a_replaced_document_has_no_text() {
        let mut loader = ContextLoader::empty();
        loader.register_text("https://a.example", "{}").unwrap();
        assert_eq!(loader.text("https://a.example"), Some("{}"));
        assert!(loader.register_text("https://a.example", "{").is_err());
        assert_eq!(loader.text("https://a.example"), Some("{}"));
        loader.register("https://a.example", Value::Null);
        assert_eq!(loader.text("https://a.example"), None);
    }
}
