//! The active context: what terms mean at one place of a document
//! ([JSON-LD 1.1 API, section 4](https://www.w3.org/TR/json-ld11-api/#context-processing-algorithms)).

mod iri_expansion;
mod loader;
mod process;
mod table;
mod tables;
mod term;

use std::collections::HashMap;
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::OnceLock;

use serde_json::Value;

pub(crate) use iri_expansion::Relative;
pub(crate) use loader::CacheKey;
pub use loader::ContextLoader;
pub(crate) use process::ContextProcessor;
pub(crate) use process::Scope;
pub(crate) use table::Property;
pub(crate) use table::Role;
pub(crate) use table::Shape;
pub(crate) use table::Table;
pub(crate) use table::Term;
pub(crate) use table::Values;
pub(crate) use tables::Tables;

/// What terms mean at one place of a document. Immutable once made, shared by everything below that place.
#[derive(Clone, Debug, Default)]
pub(crate) struct ActiveContext {
    terms: HashMap<Arc<str>, Arc<TermDefinition>>,
    base: Base,
    pub(crate) vocabulary: Option<Arc<str>>,
    pub(crate) language: Option<Arc<str>>,
    pub(crate) direction: Option<Direction>,
    /// What holds again below the node to which a context that is not propagated applies.
    pub(crate) previous: Option<Arc<Self>>,
    /// Set when this context came from registered contexts alone, in a fixed order: then what is derived
    /// from it by registered contexts is the same in every document, and [`ContextLoader`] keeps it.
    id: Option<u64>,
    synonyms: Synonyms,
}

/// The terms of one context that share their IRI with another term, worked out when first asked for. A copy
/// of a context is made to be changed, so it begins without.
#[derive(Debug, Default)]
struct Synonyms(OnceLock<HashSet<Arc<str>>>);

impl Clone for Synonyms {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl ActiveContext {
    /// The context before any `@context`.
    pub(crate) fn initial() -> Self {
        Self {
            id: Some(0),
            ..Self::default()
        }
    }

    pub(crate) fn definition(&self, term: &str) -> Option<&Arc<TermDefinition>> {
        self.terms.get(term)
    }

    /// Whether another term has the same IRI.
    pub(crate) fn has_synonym(&self, term: &str) -> bool {
        let synonyms = self.synonyms.0.get_or_init(|| {
            let mut first: HashMap<&str, &Arc<str>> = HashMap::new();
            let mut found = HashSet::new();
            for (term, definition) in &self.terms {
                // A reversed term says something else with the same IRI.
                if let Some(iri) = definition.iri.as_deref().filter(|_| !definition.reverse)
                    && let Some(other) = first.insert(iri, term)
                {
                    found.extend([Arc::clone(term), Arc::clone(other)]);
                }
            }
            found
        });
        synonyms.contains(term)
    }

    /// Whether some term has this IRI.
    pub(crate) fn has_term_for(&self, iri: &str) -> bool {
        self.terms
            .values()
            .any(|definition| definition.iri.as_deref() == Some(iri))
    }

    pub(crate) const fn is_cacheable(&self) -> bool {
        self.id.is_some()
    }

    fn has_protected_terms(&self) -> bool {
        self.terms.values().any(|definition| definition.protected)
    }

    /// The base IRI for relative references, if there is one.
    pub(crate) fn base<'a>(&'a self, document_base: Option<&'a str>) -> Option<&'a str> {
        match &self.base {
            Base::Document => document_base,
            Base::Cleared => None,
            Base::Iri(iri) => Some(iri),
        }
    }
}

/// The base IRI of an active context. `Document` stands for the base that the caller gave, so that a
/// context does not depend on it and can be kept.
#[derive(Clone, Debug, Default)]
enum Base {
    #[default]
    Document,
    Cleared,
    Iri(Arc<str>),
}

/// What one term means.
#[derive(Clone, Debug, Default)]
pub(crate) struct TermDefinition {
    /// An IRI, a blank node identifier or a keyword. None: the term is explicitly without meaning.
    pub(crate) iri: Option<Arc<str>>,
    prefix: bool,
    protected: bool,
    pub(crate) reverse: bool,
    pub(crate) container: Container,
    pub(crate) direction: Setting<Direction>,
    pub(crate) index: Option<Arc<str>>,
    pub(crate) language: Setting<Arc<str>>,
    nest: Option<Arc<str>>,
    /// `@id`, `@vocab`, `@json`, `@none` or an IRI.
    pub(crate) type_mapping: Option<Arc<str>>,
    pub(crate) scoped_context: Option<ScopedContext>,
}

impl TermDefinition {
    /// Same meaning, whether protected or not. Where a scoped context was written does not count: the same
    /// definition stands in more than one W3C context, and loading both must not be a redefinition.
    fn means_the_same(&self, other: &Self) -> bool {
        self.iri == other.iri
            && self.prefix == other.prefix
            && self.reverse == other.reverse
            && self.container == other.container
            && self.direction == other.direction
            && self.index == other.index
            && self.language == other.language
            && self.nest == other.nest
            && self.type_mapping == other.type_mapping
            && self.scoped_context.as_ref().map(|scoped| &scoped.local)
                == other.scoped_context.as_ref().map(|scoped| &scoped.local)
    }
}

/// A context that applies below one term, processed where the term is used.
#[derive(Clone, Debug)]
pub(crate) struct ScopedContext {
    local: Arc<Value>,
    /// The URL of the context document it stands in, for relative references to further contexts.
    base_url: Option<Arc<str>>,
}

/// Something that a term may leave alone, clear or set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Setting<T> {
    #[default]
    Inherited,
    Cleared,
    Set(T),
}

impl<T> Setting<T> {
    pub(crate) fn or<'a>(&'a self, inherited: Option<&'a T>) -> Option<&'a T> {
        match self {
            Self::Inherited => inherited,
            Self::Cleared => None,
            Self::Set(own) => Some(own),
        }
    }
}

/// `@direction`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    LeftToRight,
    RightToLeft,
}

impl Direction {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text {
            "ltr" => Some(Self::LeftToRight),
            "rtl" => Some(Self::RightToLeft),
            _ => None,
        }
    }

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::LeftToRight => "ltr",
            Self::RightToLeft => "rtl",
        }
    }
}

/// A set of container keywords.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Container(u8);

impl Container {
    pub(crate) const GRAPH: Self = Self(1);
    pub(crate) const ID: Self = Self(2);
    pub(crate) const INDEX: Self = Self(4);
    pub(crate) const LANGUAGE: Self = Self(8);
    pub(crate) const LIST: Self = Self(16);
    pub(crate) const SET: Self = Self(32);
    pub(crate) const TYPE: Self = Self(64);

    fn parse(keyword: &str) -> Option<Self> {
        Some(match keyword {
            "@graph" => Self::GRAPH,
            "@id" => Self::ID,
            "@index" => Self::INDEX,
            "@language" => Self::LANGUAGE,
            "@list" => Self::LIST,
            "@set" => Self::SET,
            "@type" => Self::TYPE,
            _ => return None,
        })
    }

    /// Whether any of `other` is in this set.
    pub(crate) const fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    pub(crate) const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}
