//! Why a document is refused, with the error codes of
//! [JSON-LD 1.1 API, JsonLdErrorCode](https://www.w3.org/TR/json-ld11-api/#dom-jsonlderrorcode).

use std::fmt;

use thiserror::Error;

/// Why a document was not processed. Texts name terms, keywords and context URLs, never a value.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// Strict mode: a part of the document would not reach the RDF dataset, so a signature would not cover
    /// it. The fault of the document's author, or of whoever added to it after signing.
    #[error("`{term}` would be lost: {loss}")]
    DataLoss {
        /// The term, key or keyword at which it happens.
        term: String,
        /// What is lost there.
        loss: DataLoss,
    },
    /// The document, or a context in it, is not valid JSON-LD: its author's fault.
    #[error("{code}: {detail}")]
    Invalid {
        /// The code of the standard.
        code: ErrorCode,
        /// Which term or keyword.
        detail: String,
    },
    /// The document costs more than [`crate::Limits`] allow: its author's fault.
    #[error("expected at most {limit} {what}, found more")]
    LimitExceeded {
        /// What there is too much of.
        what: &'static str,
        /// How much is allowed.
        limit: usize,
    },
    /// Compact mode: something is spelled in another way than its term. The fault of whoever wrote it so.
    #[error("expected the compacted form, found another spelling at `{term}`")]
    NotCompact {
        /// The key, or the term whose value it is.
        term: String,
    },
    /// The document refers to a context that the [`crate::ContextLoader`] does not hold. Nothing is fetched.
    #[error("expected a registered context, found `{url}`")]
    UnknownContext {
        /// The reference, resolved against the base.
        url: String,
    },
    /// A graph without a name, where each blank node must have its place in the document: the author's fault.
    #[error("expected every graph to have an id, found one without")]
    UnnamedGraph,
}

impl Error {
    /// The standard's code for this error, where it has one.
    #[must_use]
    pub const fn code(&self) -> Option<ErrorCode> {
        match self {
            Self::Invalid { code, .. } => Some(*code),
            Self::UnknownContext { .. } => Some(ErrorCode::LoadingRemoteContextFailed),
            Self::DataLoss { .. } | Self::LimitExceeded { .. } | Self::NotCompact { .. } | Self::UnnamedGraph => None,
        }
    }
}

/// What strict mode refuses to drop silently
/// ([Data Integrity, Securing Data Losslessly](https://www.w3.org/TR/vc-data-integrity/#securing-data-losslessly)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DataLoss {
    /// A blank node as a property: RDF has no such statement.
    BlankNodeProperty,
    /// `@direction` while no way to express it in RDF was chosen.
    Direction,
    /// An empty array or map: no statement stands for it.
    EmptyCollection,
    /// A value or node outside of any statement.
    FreeFloating,
    /// `@index`: RDF has no place for it.
    Index,
    /// A property whose value is `null`.
    NullValue,
    /// An identifier, type or datatype that is not an absolute, well-formed IRI.
    RelativeOrMalformedIri,
    /// A name in the form of a keyword that is none.
    ReservedName,
    /// A language tag that is not well-formed.
    MalformedLanguageTag,
    /// A term that no context defines.
    UndefinedTerm,
}

impl fmt::Display for DataLoss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BlankNodeProperty => "a blank node cannot be a property",
            Self::Direction => "no expression for a base direction was chosen",
            Self::EmptyCollection => "an empty collection states nothing",
            Self::FreeFloating => "it belongs to no statement",
            Self::Index => "an index cannot be expressed",
            Self::NullValue => "null states nothing",
            Self::RelativeOrMalformedIri => "expected an absolute IRI",
            Self::ReservedName => "names like keywords are reserved",
            Self::MalformedLanguageTag => "expected a well-formed language tag",
            Self::UndefinedTerm => "no context defines it",
        })
    }
}

/// Declares [`ErrorCode`] together with the texts of the standard, so that neither can lack an entry.
macro_rules! error_codes {
    ($($variant:ident = $text:literal,)*) => {
        /// The codes of the standard that expansion and toRdf can end with.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        #[expect(missing_docs, reason = "the standard's text of each code says it: see `as_str`")]
        pub enum ErrorCode {
            $($variant,)*
        }

        impl ErrorCode {
            /// The code as the standard spells it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }
        }
    };
}

error_codes! {
    CollidingKeywords = "colliding keywords",
    ConflictingIndexes = "conflicting indexes",
    ContextOverflow = "context overflow",
    CyclicIriMapping = "cyclic IRI mapping",
    InvalidIdValue = "invalid @id value",
    InvalidImportValue = "invalid @import value",
    InvalidIncludedValue = "invalid @included value",
    InvalidIndexValue = "invalid @index value",
    InvalidNestValue = "invalid @nest value",
    InvalidPrefixValue = "invalid @prefix value",
    InvalidPropagateValue = "invalid @propagate value",
    InvalidProtectedValue = "invalid @protected value",
    InvalidReverseValue = "invalid @reverse value",
    InvalidVersionValue = "invalid @version value",
    InvalidBaseDirection = "invalid base direction",
    InvalidBaseIri = "invalid base IRI",
    InvalidContainerMapping = "invalid container mapping",
    InvalidContextEntry = "invalid context entry",
    InvalidContextNullification = "invalid context nullification",
    InvalidDefaultLanguage = "invalid default language",
    InvalidIriMapping = "invalid IRI mapping",
    InvalidJsonLiteral = "invalid JSON literal",
    InvalidKeywordAlias = "invalid keyword alias",
    InvalidLanguageMapValue = "invalid language map value",
    InvalidLanguageMapping = "invalid language mapping",
    InvalidLanguageTaggedString = "invalid language-tagged string",
    InvalidLanguageTaggedValue = "invalid language-tagged value",
    InvalidLocalContext = "invalid local context",
    InvalidRemoteContext = "invalid remote context",
    InvalidReverseProperty = "invalid reverse property",
    InvalidReversePropertyMap = "invalid reverse property map",
    InvalidReversePropertyValue = "invalid reverse property value",
    InvalidScopedContext = "invalid scoped context",
    InvalidSetOrListObject = "invalid set or list object",
    InvalidTermDefinition = "invalid term definition",
    InvalidTypeMapping = "invalid type mapping",
    InvalidTypeValue = "invalid type value",
    InvalidTypedValue = "invalid typed value",
    InvalidValueObject = "invalid value object",
    InvalidValueObjectValue = "invalid value object value",
    InvalidVocabMapping = "invalid vocab mapping",
    KeywordRedefinition = "keyword redefinition",
    LoadingDocumentFailed = "loading document failed",
    LoadingRemoteContextFailed = "loading remote context failed",
    ProtectedTermRedefinition = "protected term redefinition",
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An [`Error::Invalid`] with `detail`, as a result.
pub(crate) fn invalid<T>(code: ErrorCode, detail: impl Into<String>) -> Result<T, Error> {
    Err(Error::Invalid {
        code,
        detail: detail.into(),
    })
}
