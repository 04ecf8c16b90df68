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

/// What happens to parts of a document that would not reach the RDF dataset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// They are dropped, as the JSON-LD standard says.
    Lenient,
    /// They are refused, as [Data Integrity](https://www.w3.org/TR/vc-data-integrity/#securing-data-losslessly)
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
    /// For signing and verifying: strict, no base IRI, base directions in the datatype (as the widespread
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
