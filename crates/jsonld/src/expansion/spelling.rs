//! What [`Mode::Compact`] refuses: another spelling of something for which the contexts have a term.

use serde_json::Map;
use serde_json::Value;

use super::Expander;
use crate::Error;
use crate::Mode;
use crate::context::ActiveContext;
use crate::syntax;

impl Expander<'_> {
    /// Checks one `key` of `map`, which expands to `expanded`.
    pub(super) fn check_key(
        &self,
        context: &ActiveContext,
        key: &str,
        expanded: Option<&str>,
        map: &Map<String, Value>,
    ) -> Result<(), Error> {
        let is_compact = match expanded {
            // Only these names: a context could make any other word an alias, and hide an id or a type so.
            Some("@id") => key == "id",
            Some("@type") => key == "type" || (key == "@type" && map.contains_key("@value")),
            Some(keyword @ ("@value" | "@language" | "@direction")) => key == keyword,
            Some(keyword) if syntax::is_keyword(keyword) => false,
            Some(_) => {
                let is_reverse = context.definition(key).is_some_and(|definition| definition.reverse);
                !key.contains(':') && !is_reverse && !context.has_synonym(key)
            }
            None => true,
        };
        self.expect_compact(is_compact, key)
    }

    /// Checks a type or a value of a `@vocab` property: `text`, which expands to `iri`.
    pub(super) fn check_term(
        &self,
        context: &ActiveContext,
        text: &str,
        iri: Option<&str>,
        name: &str,
    ) -> Result<(), Error> {
        if self.mode != Mode::Compact {
            return Ok(());
        }
        let is_compact = if context.definition(text).is_some() {
            !context.has_synonym(text)
        } else {
            !iri.is_some_and(|iri| context.has_term_for(iri))
        };
        self.expect_compact(is_compact, name)
    }

    /// A label would let the properties of one blank node stand in several places.
    pub(super) fn check_no_blank_node(&self, name: &str) -> Result<(), Error> {
        self.expect_compact(false, name)
    }

    fn expect_compact(&self, is_compact: bool, term: &str) -> Result<(), Error> {
        if is_compact || self.mode != Mode::Compact {
            return Ok(());
        }
        Err(Error::NotCompact { term: term.to_owned() })
    }
}
