//! [Create Term Definition](https://www.w3.org/TR/json-ld11-api/#create-term-definition).

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Map;
use serde_json::Value;

use super::ActiveContext;
use super::Container;
use super::ContextProcessor;
use super::Direction;
use super::Relative;
use super::ScopedContext;
use super::Setting;
use super::TermDefinition;
use super::iri_expansion::compact_iri_parts;
use super::process::Inputs;
use crate::Error;
use crate::ErrorCode;
use crate::error::invalid;
use crate::limits::MAX_CONTEXT_DEPTH;
use crate::syntax;

/// Makes the terms of one local context.
pub(super) struct Definer<'p, 'a, 'c> {
    processor: &'p mut ContextProcessor<'a>,
    active: &'c mut ActiveContext,
    local: &'c Map<String, Value>,
    /// False while a term is being defined, true afterwards.
    defined: HashMap<String, bool>,
    protected: bool,
    inputs: Inputs<'c>,
}

impl<'p, 'a, 'c> Definer<'p, 'a, 'c> {
    pub(super) fn new(
        processor: &'p mut ContextProcessor<'a>,
        active: &'c mut ActiveContext,
        local: &'c Map<String, Value>,
        protected: bool,
        inputs: Inputs<'c>,
    ) -> Self {
        Self {
            processor,
            active,
            local,
            defined: HashMap::new(),
            protected,
            inputs,
        }
    }

    /// The algorithm itself: makes `term` and what it depends on. Steps are numbered as in the standard.
    pub(super) fn define(&mut self, term: &str) -> Result<(), Error> {
        match self.defined.get(term) {
            Some(true) => return Ok(()),
            Some(false) => return invalid(ErrorCode::CyclicIriMapping, term),
            None => {}
        }
        if term.is_empty() {
            return invalid(ErrorCode::InvalidTermDefinition, "the empty term");
        }
        self.defined.insert(term.to_owned(), false);
        self.processor.work.spend(1)?;
        let local = self.local;
        let value = local.get(term).unwrap_or(&Value::Null);
        if term == "@type" {
            Self::check_type_redefinition(value)?;
        } else if syntax::is_keyword(term) {
            return invalid(ErrorCode::KeywordRedefinition, term);
        } else if syntax::has_keyword_form(term) {
            return Ok(());
        }
        let previous = self.active.terms.remove(term);
        let (value, simple) = Self::expanded(term, value)?;

        let mut definition = TermDefinition {
            protected: self.protected,
            ..TermDefinition::default()
        };
        if let Some(protected) = value.get("@protected") {
            let Some(protected) = protected.as_bool() else {
                return invalid(ErrorCode::InvalidProtectedValue, term);
            };
            definition.protected = protected;
        }
        self.set_type(term, &value, &mut definition)?;
        if !self.set_iri(term, &value, simple, &mut definition)? {
            return Ok(());
        }
        let iri_length = definition.iri.as_ref().map_or(0, |iri| iri.len());
        self.processor.work.spend(iri_length / 32)?;
        Self::set_container(term, &value, &mut definition)?;
        self.set_index(term, &value, &mut definition)?;
        self.set_scoped_context(term, &value, &mut definition)?;
        Self::set_language(term, &value, &mut definition)?;
        Self::set_nest_and_prefix(term, &value, &mut definition)?;
        // Step 26.
        if let Some(entry) = value.keys().find(|key| {
            !matches!(
                key.as_str(),
                "@id"
                    | "@reverse"
                    | "@container"
                    | "@context"
                    | "@direction"
                    | "@index"
                    | "@language"
                    | "@nest"
                    | "@prefix"
                    | "@protected"
                    | "@type"
            )
        }) {
            return invalid(
                ErrorCode::InvalidTermDefinition,
                format!("{term} has the entry {entry}"),
            );
        }
        self.insert(term, definition, previous)
    }

    /// Step 4.
    fn check_type_redefinition(value: &Value) -> Result<(), Error> {
        let allowed = value.as_object().is_some_and(|map| {
            !map.is_empty()
                && map.iter().all(|(key, value)| match key.as_str() {
                    "@container" => value == "@set",
                    "@protected" => true,
                    _ => false,
                })
        });
        if allowed {
            Ok(())
        } else {
            invalid(ErrorCode::KeywordRedefinition, "@type")
        }
    }

    /// Steps 7 to 9: the definition as a map, and whether it was a plain string.
    fn expanded(term: &str, value: &Value) -> Result<(Map<String, Value>, bool), Error> {
        match value {
            Value::Null => Ok((Map::from_iter([("@id".to_owned(), Value::Null)]), false)),
            Value::String(_) => Ok((Map::from_iter([("@id".to_owned(), value.clone())]), true)),
            Value::Object(map) => Ok((map.clone(), false)),
            _ => invalid(ErrorCode::InvalidTermDefinition, term),
        }
    }

    /// Step 12.
    fn set_type(
        &mut self,
        term: &str,
        value: &Map<String, Value>,
        definition: &mut TermDefinition,
    ) -> Result<(), Error> {
        let Some(mapping) = value.get("@type") else {
            return Ok(());
        };
        let expanded = match mapping.as_str() {
            Some(mapping) => self.expand(mapping)?,
            None => None,
        };
        match expanded {
            Some(iri)
                if matches!(iri.as_str(), "@id" | "@json" | "@none" | "@vocab")
                    || (syntax::has_iri_form(&iri) && !syntax::is_blank_node(&iri)) =>
            {
                definition.type_mapping = Some(iri.into());
                Ok(())
            }
            _ => invalid(ErrorCode::InvalidTypeMapping, term),
        }
    }

    /// Steps 13 to 18. False: the term stays undefined without an error.
    fn set_iri(
        &mut self,
        term: &str,
        value: &Map<String, Value>,
        simple: bool,
        definition: &mut TermDefinition,
    ) -> Result<bool, Error> {
        if let Some(reverse) = value.get("@reverse") {
            return self.set_reverse(term, reverse, value, definition);
        }
        match value.get("@id") {
            Some(Value::Null) => return Ok(true),
            Some(Value::String(id)) if id == term => {}
            Some(Value::String(id)) => return self.set_id(term, id, simple, definition),
            Some(_) => return invalid(ErrorCode::InvalidIriMapping, term),
            None => {}
        }
        let iri = if let Some((prefix, suffix)) = compact_iri_parts(term) {
            if self.local.contains_key(prefix) {
                self.define_dependency(prefix)?;
            }
            match self.active.definition(prefix) {
                Some(prefix) => prefix.iri.as_ref().map(|iri| format!("{iri}{suffix}")),
                None => Some(term.to_owned()),
            }
        } else if term.contains('/') {
            self.active
                .expand_iri(term, Relative::Vocabulary, self.processor.document_base)
                .map(String::from)
                .filter(|iri| syntax::has_iri_form(iri))
        } else if term == "@type" {
            Some(term.to_owned())
        } else {
            self.active
                .vocabulary
                .as_deref()
                .map(|vocabulary| format!("{vocabulary}{term}"))
        };
        match iri {
            Some(iri) => {
                definition.iri = Some(iri.into());
                Ok(true)
            }
            None => invalid(ErrorCode::InvalidIriMapping, term),
        }
    }

    /// Step 13.
    fn set_reverse(
        &mut self,
        term: &str,
        reverse: &Value,
        value: &Map<String, Value>,
        definition: &mut TermDefinition,
    ) -> Result<bool, Error> {
        if value.contains_key("@id") || value.contains_key("@nest") {
            return invalid(ErrorCode::InvalidReverseProperty, term);
        }
        let Some(reverse) = reverse.as_str() else {
            return invalid(ErrorCode::InvalidIriMapping, term);
        };
        if syntax::has_keyword_form(reverse) && !syntax::is_keyword(reverse) {
            return Ok(false);
        }
        let Some(iri) = self.expand(reverse)?.filter(|iri| is_iri_or_blank_node(iri)) else {
            return invalid(ErrorCode::InvalidIriMapping, term);
        };
        if let Some(container) = value.get("@container")
            && !container.is_null()
            && container != "@set"
            && container != "@index"
        {
            return invalid(ErrorCode::InvalidReverseProperty, term);
        }
        definition.iri = Some(iri.into());
        definition.reverse = true;
        Ok(true)
    }

    /// Step 14.2.
    fn set_id(&mut self, term: &str, id: &str, simple: bool, definition: &mut TermDefinition) -> Result<bool, Error> {
        if syntax::has_keyword_form(id) && !syntax::is_keyword(id) {
            return Ok(false);
        }
        let Some(iri) = self
            .expand(id)?
            .filter(|iri| syntax::is_keyword(iri) || is_iri_or_blank_node(iri))
        else {
            return invalid(ErrorCode::InvalidIriMapping, term);
        };
        if iri == "@context" {
            return invalid(ErrorCode::InvalidKeywordAlias, term);
        }
        let has_inner_colon = term
            .match_indices(':')
            .any(|(position, _)| position > 0 && position + 1 < term.len());
        if has_inner_colon || term.contains('/') {
            // A term that reads like an IRI must mean that IRI.
            self.defined.insert(term.to_owned(), true);
            if self.expand(term)?.as_deref() != Some(iri.as_str()) {
                return invalid(ErrorCode::InvalidIriMapping, term);
            }
        }
        definition.prefix = simple
            && !term.contains(':')
            && !term.contains('/')
            && (syntax::is_blank_node(&iri) || iri.ends_with([':', '/', '?', '#', '[', ']', '@']));
        definition.iri = Some(iri.into());
        Ok(true)
    }

    /// Step 19.
    fn set_container(term: &str, value: &Map<String, Value>, definition: &mut TermDefinition) -> Result<(), Error> {
        let keywords = match value.get("@container") {
            None => return Ok(()),
            Some(Value::Null) if definition.reverse => return Ok(()),
            Some(Value::Array(keywords)) => keywords.as_slice(),
            Some(single) => std::slice::from_ref(single),
        };
        let mut container = Container::default();
        for keyword in keywords {
            match keyword.as_str().and_then(Container::parse) {
                Some(keyword) => container = container.with(keyword),
                None => return invalid(ErrorCode::InvalidContainerMapping, term),
            }
        }
        let alone = [Container::LIST, Container::SET];
        let with_set = [
            Container::GRAPH,
            Container::GRAPH.with(Container::ID),
            Container::GRAPH.with(Container::INDEX),
            Container::ID,
            Container::INDEX,
            Container::LANGUAGE,
            Container::TYPE,
        ];
        if !alone.contains(&container) && !with_set.contains(&container.without(Container::SET)) {
            return invalid(ErrorCode::InvalidContainerMapping, term);
        }
        definition.container = container;
        if container.has(Container::TYPE) {
            let mapping = definition.type_mapping.get_or_insert_with(|| Arc::from("@id"));
            if !matches!(&**mapping, "@id" | "@vocab") {
                return invalid(ErrorCode::InvalidTypeMapping, term);
            }
        }
        Ok(())
    }

    /// Step 20.
    fn set_index(
        &mut self,
        term: &str,
        value: &Map<String, Value>,
        definition: &mut TermDefinition,
    ) -> Result<(), Error> {
        let Some(index) = value.get("@index") else {
            return Ok(());
        };
        let property = index.as_str().filter(|_| definition.container.has(Container::INDEX));
        let expanded = match property {
            Some(property) => self.expand(property)?,
            None => None,
        };
        if !expanded.is_some_and(|iri| syntax::has_iri_form(&iri)) {
            return invalid(ErrorCode::InvalidTermDefinition, term);
        }
        definition.index = property.map(Arc::from);
        Ok(())
    }

    /// Step 21. The scoped context is processed here only to find its errors; where it is used it is
    /// processed again, on the context of that place.
    fn set_scoped_context(
        &mut self,
        term: &str,
        value: &Map<String, Value>,
        definition: &mut TermDefinition,
    ) -> Result<(), Error> {
        let Some(local) = value.get("@context") else {
            return Ok(());
        };
        let active = Arc::new(self.processor.copy(self.active)?);
        let inputs = Inputs {
            override_protected: true,
            propagate: true,
            validate_scoped: false,
            ..self.inputs
        };
        match self.processor.apply(&active, local, inputs) {
            Err(Error::Invalid { code, detail }) => {
                return invalid(
                    ErrorCode::InvalidScopedContext,
                    format!("in the context of {term}: {code}: {detail}"),
                );
            }
            other => other?,
        };
        definition.scoped_context = Some(ScopedContext {
            local: Arc::new(local.clone()),
            base_url: self.inputs.base_url.map(Arc::from),
        });
        Ok(())
    }

    /// Steps 22 and 23.
    fn set_language(term: &str, value: &Map<String, Value>, definition: &mut TermDefinition) -> Result<(), Error> {
        if value.contains_key("@type") {
            return Ok(());
        }
        definition.language = match value.get("@language") {
            None => Setting::Inherited,
            Some(Value::Null) => Setting::Cleared,
            Some(Value::String(language)) => Setting::Set(language.as_str().into()),
            Some(_) => return invalid(ErrorCode::InvalidLanguageMapping, term),
        };
        definition.direction = match value.get("@direction") {
            None => Setting::Inherited,
            Some(Value::Null) => Setting::Cleared,
            Some(direction) => match direction.as_str().and_then(Direction::parse) {
                Some(direction) => Setting::Set(direction),
                None => return invalid(ErrorCode::InvalidBaseDirection, term),
            },
        };
        Ok(())
    }

    /// Steps 24 and 25.
    fn set_nest_and_prefix(
        term: &str,
        value: &Map<String, Value>,
        definition: &mut TermDefinition,
    ) -> Result<(), Error> {
        if let Some(nest) = value.get("@nest") {
            match nest
                .as_str()
                .filter(|nest| *nest == "@nest" || !syntax::is_keyword(nest))
            {
                Some(nest) => definition.nest = Some(nest.into()),
                None => return invalid(ErrorCode::InvalidNestValue, term),
            }
        }
        if let Some(prefix) = value.get("@prefix") {
            if term.contains([':', '/']) {
                return invalid(ErrorCode::InvalidTermDefinition, term);
            }
            let Some(prefix) = prefix.as_bool() else {
                return invalid(ErrorCode::InvalidPrefixValue, term);
            };
            if prefix && definition.iri.as_deref().is_some_and(syntax::is_keyword) {
                return invalid(ErrorCode::InvalidTermDefinition, term);
            }
            definition.prefix = prefix;
        }
        Ok(())
    }

    /// Steps 27 and 28.
    fn insert(
        &mut self,
        term: &str,
        definition: TermDefinition,
        previous: Option<Arc<TermDefinition>>,
    ) -> Result<(), Error> {
        let kept = match previous {
            Some(previous) if previous.protected && !self.inputs.override_protected => {
                if !definition.means_the_same(&previous) {
                    return invalid(ErrorCode::ProtectedTermRedefinition, term);
                }
                previous
            }
            _ => Arc::new(definition),
        };
        self.active.terms.insert(Arc::from(term), kept);
        self.defined.insert(term.to_owned(), true);
        Ok(())
    }

    /// IRI expansion while terms are being defined: what the value depends on is defined first.
    fn expand(&mut self, value: &str) -> Result<Option<String>, Error> {
        if !syntax::has_keyword_form(value) {
            if self.local.contains_key(value) {
                self.define_dependency(value)?;
            }
            if self.active.definition(value).is_none()
                && let Some((prefix, suffix)) = compact_iri_parts(value)
                && prefix != "_"
                && !suffix.starts_with("//")
                && self.local.contains_key(prefix)
            {
                self.define_dependency(prefix)?;
            }
        }
        Ok(self
            .active
            .expand_iri(value, Relative::Vocabulary, self.processor.document_base)
            .map(String::from))
    }

    fn define_dependency(&mut self, term: &str) -> Result<(), Error> {
        if self.defined.get(term) == Some(&true) {
            return Ok(());
        }
        self.processor.depth += 1;
        if self.processor.depth > MAX_CONTEXT_DEPTH {
            return invalid(ErrorCode::ContextOverflow, "terms depend on each other too deep");
        }
        self.define(term)?;
        self.processor.depth -= 1;
        Ok(())
    }
}

fn is_iri_or_blank_node(iri: &str) -> bool {
    syntax::is_blank_node(iri) || syntax::has_iri_form(iri)
}
