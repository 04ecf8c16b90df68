//! [IRI Expansion](https://www.w3.org/TR/json-ld11-api/#iri-expansion) outside of context processing.
//! (During it, terms that the value depends on are defined first: `process.rs`.)

use std::borrow::Cow;

use super::ActiveContext;
use crate::syntax;

/// What a value that is no IRI is relative to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Relative {
    /// To the base IRI (`@id`): terms do not count.
    Document,
    /// To the vocabulary (properties).
    Vocabulary,
    /// To the vocabulary, else to the base IRI (`@type`).
    VocabularyOrDocument,
}

impl Relative {
    const fn to_vocabulary(self) -> bool {
        matches!(self, Self::Vocabulary | Self::VocabularyOrDocument)
    }

    const fn to_document(self) -> bool {
        matches!(self, Self::Document | Self::VocabularyOrDocument)
    }
}

impl ActiveContext {
    /// The IRI, blank node identifier or keyword that `value` stands for; the value itself if it stays
    /// relative; none if it means nothing (a term without IRI, a reserved name).
    pub(crate) fn expand_iri<'a>(
        &'a self,
        value: &'a str,
        relative: Relative,
        document_base: Option<&str>,
    ) -> Option<Cow<'a, str>> {
        // Steps 1 and 2.
        if value.starts_with('@') {
            if syntax::is_keyword(value) {
                return Some(Cow::Borrowed(value));
            }
            if syntax::has_keyword_form(value) {
                return None;
            }
        }
        // Steps 4 and 5. (Step 3 belongs to context processing.)
        if let Some(definition) = self.definition(value) {
            match definition.iri.as_deref() {
                Some(iri) if relative.to_vocabulary() || syntax::is_keyword(iri) => return Some(Cow::Borrowed(iri)),
                None if relative.to_vocabulary() => return None,
                _ => {}
            }
        }
        // Step 6.
        if let Some((prefix, suffix)) = compact_iri_parts(value) {
            if prefix == "_" || suffix.starts_with("//") {
                return Some(Cow::Borrowed(value));
            }
            if let Some(iri) = self.prefix_iri(prefix) {
                return Some(Cow::Owned(format!("{iri}{suffix}")));
            }
            if syntax::has_iri_form(value) {
                return Some(Cow::Borrowed(value));
            }
        }
        // Step 7.
        if let Some(vocabulary) = self.vocabulary.as_deref().filter(|_| relative.to_vocabulary()) {
            return Some(Cow::Owned(format!("{vocabulary}{value}")));
        }
        // Step 8.
        if let Some(base) = self.base(document_base).filter(|_| relative.to_document()) {
            return Some(Cow::Owned(syntax::resolve(base, value)));
        }
        Some(Cow::Borrowed(value))
    }

    fn prefix_iri(&self, prefix: &str) -> Option<&str> {
        let definition = self.definition(prefix)?;
        definition.iri.as_deref().filter(|_| definition.prefix)
    }
}

/// Splits at the first colon, if there is one after the first character.
pub(super) fn compact_iri_parts(value: &str) -> Option<(&str, &str)> {
    value.split_once(':').filter(|(prefix, _)| !prefix.is_empty())
}
