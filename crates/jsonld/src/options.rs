//! How a document is processed
//! ([JsonLdOptions](https://www.w3.org/TR/json-ld11-api/#the-jsonldoptions-type), as far as it applies).

use serde_json::Value;

use crate::ContextLoader;
use crate::Limits;

/// Options of [`crate::expand`] and [`crate::to_rdf`].
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    pub(crate) loader: &'a ContextLoader,
    pub(crate) mode: Mode,
    pub(crate) base: Option<&'a str>,
    pub(crate) expand_context: Option<&'a Value>,
    pub(crate) rdf_direction: RdfDirection,
    pub(crate) limits: Limits,
}

/// How much of JSON-LD's freedom a document may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// As [`Self::Strict`]; and each statement must be written with the one term that the contexts have for
    /// it, at the place where it applies.
    ///
    /// A signature over RDF covers statements, not the JSON that expresses them. Whoever holds a signed
    /// document could rewrite `"validUntil"` as its IRI, `"id"` as `"@id"`, or move a property into
    /// `@included`: the signature stays good, and a reader of JSON no longer finds it. The
    /// [VC data model](https://www.w3.org/TR/vc-data-model-2.0/#json-ld) demands compacted documents, so
    /// nothing honest is refused: keys with a colon, keywords other than `@context` and those of value
    /// objects, reversed and nested properties, blank node identifiers, IRIs that have a term, terms that
    /// have a synonym.
    Compact,
    /// All of it. Parts that would not reach the RDF dataset are dropped, as the JSON-LD standard says.
    Lenient,
    /// Such parts are refused, as [Data Integrity](https://www.w3.org/TR/vc-data-integrity/#securing-data-losslessly)
    /// demands: what no signature covers must not stand in a signed document.
    Strict,
}

/// How `@direction` is expressed in RDF. (`compound-literal` is not offered: no securing mechanism uses it.)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RdfDirection {
    /// Not at all.
    Dropped,
    /// In the datatype, `https://www.w3.org/ns/i18n#LANGUAGE_DIRECTION`.
    I18nDatatype,
}

impl<'a> Options<'a> {
    /// For signing and verifying credentials: [`Mode::Compact`], otherwise as [`Self::strict`].
    #[must_use]
    pub fn compact(loader: &'a ContextLoader) -> Self {
        Self {
            mode: Mode::Compact,
            ..Self::strict(loader)
        }
    }

    /// For signing and verifying what is no credential: [`Mode::Strict`], no base IRI, base directions in the datatype (as the widespread
    /// implementations of the `rdfc` cryptosuites do it).
    #[must_use]
    pub fn strict(loader: &'a ContextLoader) -> Self {
        Self {
            loader,
            mode: Mode::Strict,
            base: None,
            expand_context: None,
            rdf_direction: RdfDirection::I18nDatatype,
            limits: Limits::default(),
        }
    }

    /// As the JSON-LD standard alone has it: undefined terms are dropped silently.
    #[must_use]
    pub fn lenient(loader: &'a ContextLoader) -> Self {
        Self {
            mode: Mode::Lenient,
            rdf_direction: RdfDirection::Dropped,
            ..Self::strict(loader)
        }
    }

    /// The IRI of the document, which relative references are resolved against.
    #[must_use]
    pub const fn with_base(mut self, base: &'a str) -> Self {
        self.base = Some(base);
        self
    }

    /// A context to start with, before the document's own.
    #[must_use]
    pub const fn with_expand_context(mut self, context: &'a Value) -> Self {
        self.expand_context = Some(context);
        self
    }

    /// Another expression of base directions.
    #[must_use]
    pub const fn with_rdf_direction(mut self, direction: RdfDirection) -> Self {
        self.rdf_direction = direction;
        self
    }

    /// Other limits.
    #[must_use]
    pub const fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }
}
