//! [Context Processing](https://www.w3.org/TR/json-ld11-api/#context-processing-algorithm): applies a local
//! context to an active context.

use std::sync::Arc;

use serde_json::Map;
use serde_json::Value;

use super::ActiveContext;
use super::Base;
use super::CacheKey;
use super::ContextLoader;
use super::Direction;
use super::Relative;
use super::TermDefinition;
use super::loader::SameDefinition;
use super::term::Definer;
use crate::Error;
use crate::ErrorCode;
use crate::error::invalid;
use crate::limits::Budget;
use crate::limits::MAX_CONTEXT_DEPTH;
use crate::limits::MAX_REMOTE_CONTEXTS;
use crate::syntax;

/// Where a scoped context applies.
#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Below a property: it may override protected terms.
    Property,
    /// In nodes of a type, not below them.
    Type,
}

/// Processes the contexts of one document.
pub(crate) struct ContextProcessor<'a> {
    pub(super) loader: &'a ContextLoader,
    pub(super) document_base: Option<&'a str>,
    pub(super) work: Budget,
    pub(super) depth: usize,
}

/// The optional inputs of the algorithm.
#[derive(Clone, Copy)]
pub(super) struct Inputs<'i> {
    pub(super) base_url: Option<&'i str>,
    /// URLs of the contexts that are being processed around this one.
    pub(super) remote_contexts: &'i [Arc<str>],
    pub(super) override_protected: bool,
    pub(super) propagate: bool,
    pub(super) validate_scoped: bool,
}

impl<'a> ContextProcessor<'a> {
    pub(crate) const fn new(loader: &'a ContextLoader, document_base: Option<&'a str>, max_work: usize) -> Self {
        Self {
            loader,
            document_base,
            work: Budget::new("term definitions", max_work),
            depth: 0,
        }
    }

    /// Applies the value of an `@context` entry of the document.
    pub(crate) fn apply_local(
        &mut self,
        active: &Arc<ActiveContext>,
        local: &Value,
    ) -> Result<Arc<ActiveContext>, Error> {
        let inputs = Inputs {
            base_url: self.document_base,
            remote_contexts: &[],
            override_protected: false,
            propagate: true,
            validate_scoped: true,
        };
        self.apply(active, local, inputs)
    }

    /// Applies the scoped context of `definition`, which was found in `found_in`, if it has one.
    pub(crate) fn apply_scoped(
        &mut self,
        active: &Arc<ActiveContext>,
        definition: &Arc<TermDefinition>,
        found_in: &ActiveContext,
        scope: Scope,
    ) -> Result<Arc<ActiveContext>, Error> {
        let Some(scoped) = &definition.scoped_context else {
            return Ok(Arc::clone(active));
        };
        let key = CacheKey::Scoped {
            definition: SameDefinition(Arc::clone(definition)),
            scope,
        };
        // A definition from inside a document must not be kept: it would never be found again.
        let cacheable = self.document_base.is_none() && found_in.is_cacheable();
        if let Some(known) = self.loader.cached(active, &key).filter(|_| cacheable) {
            return Ok(known);
        }
        let inputs = Inputs {
            base_url: scoped.base_url.as_deref(),
            remote_contexts: &[],
            override_protected: scope == Scope::Property,
            propagate: scope == Scope::Property,
            validate_scoped: true,
        };
        let made = self.apply(active, &scoped.local, inputs)?;
        Ok(if cacheable {
            self.loader.keep(active, key, made)
        } else {
            made
        })
    }

    /// The algorithm itself.
    pub(super) fn apply(
        &mut self,
        active: &Arc<ActiveContext>,
        local: &Value,
        inputs: Inputs<'_>,
    ) -> Result<Arc<ActiveContext>, Error> {
        self.depth += 1;
        if self.depth > MAX_CONTEXT_DEPTH {
            return invalid(ErrorCode::ContextOverflow, "contexts depend on each other too deep");
        }
        // Steps 1 to 3.
        let propagate = local
            .get("@propagate")
            .and_then(Value::as_bool)
            .unwrap_or(inputs.propagate);
        let mut result = Arc::clone(active);
        if !propagate && active.previous.is_none() {
            let mut changed = self.copy(active)?;
            changed.previous = Some(Arc::clone(active));
            result = Arc::new(changed);
        }
        // Steps 4 and 5.
        let contexts = match local {
            Value::Array(contexts) => contexts.as_slice(),
            single => std::slice::from_ref(single),
        };
        for context in contexts {
            result = match context {
                Value::Null => Self::nullified(&result, propagate, inputs)?,
                Value::String(reference) => self.apply_remote(&result, reference, inputs)?,
                Value::Object(definition) => match self.wrapped(definition, inputs) {
                    Some(inner) => self.apply(&result, inner, inputs)?,
                    None => self.apply_definition(&result, definition, inputs)?,
                },
                _ => {
                    return invalid(
                        ErrorCode::InvalidLocalContext,
                        "expected null, a URL or an object in `@context`",
                    );
                }
            };
        }
        self.depth -= 1;
        Ok(result)
    }

    /// The context inside of `{"@context": ...}`, which is the form of a context document, not of a context. Some write
    /// it inside of a document, W3C's test suites among them, and libraries read through it; so does whoever takes the
    /// contexts of others. It can mean nothing else: no term has this name.
    fn wrapped<'c>(&self, definition: &'c Map<String, Value>, inputs: Inputs<'_>) -> Option<&'c Value> {
        let is_taken = self.loader.accepts_embedded() && inputs.base_url.is_none() && definition.len() == 1;
        definition.get("@context").filter(|_| is_taken)
    }

    /// Step 5.1.
    fn nullified(
        result: &Arc<ActiveContext>,
        propagate: bool,
        inputs: Inputs<'_>,
    ) -> Result<Arc<ActiveContext>, Error> {
        if !inputs.override_protected && result.has_protected_terms() {
            return invalid(
                ErrorCode::InvalidContextNullification,
                "protected terms cannot be cleared",
            );
        }
        let mut initial = ActiveContext::initial();
        if !propagate {
            initial.id = None;
            initial.previous.clone_from(&result.previous);
        }
        Ok(Arc::new(initial))
    }

    /// Step 5.2.
    fn apply_remote(
        &mut self,
        result: &Arc<ActiveContext>,
        reference: &str,
        inputs: Inputs<'_>,
    ) -> Result<Arc<ActiveContext>, Error> {
        let url: Arc<str> = Self::resolve(reference, inputs.base_url)?.into();
        let seen = inputs.remote_contexts;
        if !inputs.validate_scoped && seen.contains(&url) {
            return Ok(Arc::clone(result));
        }
        if seen.len() >= MAX_REMOTE_CONTEXTS {
            return invalid(ErrorCode::ContextOverflow, "too many contexts include each other");
        }
        let key = CacheKey::Url(Arc::clone(&url));
        let cacheable =
            self.document_base.is_none() && seen.is_empty() && !inputs.override_protected && inputs.validate_scoped;
        if let Some(known) = self.loader.cached(result, &key).filter(|_| cacheable) {
            return Ok(known);
        }
        let document = self.document(&url)?;
        let Some(loaded) = document.get("@context") else {
            return invalid(ErrorCode::InvalidRemoteContext, format!("`{url}` has no `@context`"));
        };
        let mut remote_contexts = seen.to_vec();
        remote_contexts.push(Arc::clone(&url));
        let made = self.apply(
            result,
            loaded,
            Inputs {
                base_url: Some(&url),
                remote_contexts: &remote_contexts,
                propagate: true,
                ..inputs
            },
        )?;
        Ok(if cacheable {
            self.loader.keep(result, key, made)
        } else {
            made
        })
    }

    fn resolve(reference: &str, base_url: Option<&str>) -> Result<String, Error> {
        match base_url {
            Some(base) => Ok(syntax::resolve(base, reference)),
            None if syntax::has_iri_form(reference) => Ok(reference.to_owned()),
            None => invalid(
                ErrorCode::LoadingDocumentFailed,
                format!("the context `{reference}` is relative, and there is no base"),
            ),
        }
    }

    fn document(&self, url: &str) -> Result<Arc<Value>, Error> {
        self.loader
            .document(url)
            .ok_or_else(|| Error::UnknownContext { url: url.to_owned() })
    }

    /// Steps 5.4 to 5.13.
    fn apply_definition(
        &mut self,
        result: &Arc<ActiveContext>,
        definition: &Map<String, Value>,
        inputs: Inputs<'_>,
    ) -> Result<Arc<ActiveContext>, Error> {
        let mut changed = self.copy(result)?;
        if let Some(version) = definition.get("@version") {
            let is_1_1 = version
                .as_f64()
                .is_some_and(|version| (version - 1.1).abs() < f64::EPSILON);
            if !is_1_1 {
                return invalid(ErrorCode::InvalidVersionValue, "expected `@version` 1.1");
            }
        }
        let imported = self.import(definition, inputs)?;
        let context = imported.as_ref().unwrap_or(definition);
        self.set_base(&mut changed, context, inputs)?;
        self.set_vocabulary(&mut changed, context)?;
        Self::set_language(&mut changed, context)?;
        if context.get("@propagate").is_some_and(|value| !value.is_boolean()) {
            return invalid(ErrorCode::InvalidPropagateValue, "expected a boolean");
        }
        let protected = match context.get("@protected") {
            None => false,
            Some(Value::Bool(protected)) => *protected,
            Some(_) => return invalid(ErrorCode::InvalidProtectedValue, "expected a boolean"),
        };
        let mut definer = Definer::new(self, &mut changed, context, protected, inputs);
        for term in context.keys() {
            if !matches!(
                term.as_str(),
                "@base" | "@direction" | "@import" | "@language" | "@propagate" | "@protected" | "@version" | "@vocab"
            ) {
                definer.define(term)?;
            }
        }
        Ok(Arc::new(changed))
    }

    /// Step 5.6: the imported context under the entries of `definition`.
    fn import(
        &mut self,
        definition: &Map<String, Value>,
        inputs: Inputs<'_>,
    ) -> Result<Option<Map<String, Value>>, Error> {
        let Some(import) = definition.get("@import") else {
            return Ok(None);
        };
        let Some(reference) = import.as_str() else {
            return invalid(ErrorCode::InvalidImportValue, "expected a URL");
        };
        let url = Self::resolve(reference, inputs.base_url)?;
        let document = self.document(&url)?;
        let Some(imported) = document.get("@context").and_then(Value::as_object) else {
            return invalid(
                ErrorCode::InvalidRemoteContext,
                format!("`{url}` has no context definition"),
            );
        };
        if imported.contains_key("@import") {
            return invalid(
                ErrorCode::InvalidContextEntry,
                format!("`{url}` imports another context"),
            );
        }
        self.work.spend(imported.len())?;
        let mut merged = imported.clone();
        merged.extend(definition.iter().map(|(key, value)| (key.clone(), value.clone())));
        Ok(Some(merged))
    }

    /// Step 5.7.
    fn set_base(
        &self,
        changed: &mut ActiveContext,
        context: &Map<String, Value>,
        inputs: Inputs<'_>,
    ) -> Result<(), Error> {
        let Some(value) = context.get("@base").filter(|_| inputs.remote_contexts.is_empty()) else {
            return Ok(());
        };
        changed.base = match value {
            Value::Null => Base::Cleared,
            Value::String(iri) if syntax::has_iri_form(iri) => Base::Iri(iri.as_str().into()),
            Value::String(reference) => match changed.base(self.document_base) {
                Some(base) => Base::Iri(syntax::resolve(base, reference).into()),
                None => {
                    return invalid(ErrorCode::InvalidBaseIri, "`@base` is relative, and there is no base");
                }
            },
            _ => return invalid(ErrorCode::InvalidBaseIri, "expected an IRI or null"),
        };
        Ok(())
    }

    /// Step 5.8.
    fn set_vocabulary(&self, changed: &mut ActiveContext, context: &Map<String, Value>) -> Result<(), Error> {
        let Some(value) = context.get("@vocab") else {
            return Ok(());
        };
        changed.vocabulary = match value {
            Value::Null => None,
            Value::String(value) => changed
                .expand_iri(value, Relative::VocabularyOrDocument, self.document_base)
                .map(Arc::from),
            _ => return invalid(ErrorCode::InvalidVocabMapping, "expected an IRI or null"),
        };
        Ok(())
    }

    /// Steps 5.9 and 5.10.
    fn set_language(changed: &mut ActiveContext, context: &Map<String, Value>) -> Result<(), Error> {
        match context.get("@language") {
            None => {}
            Some(Value::Null) => changed.language = None,
            Some(Value::String(language)) => changed.language = Some(language.as_str().into()),
            Some(_) => return invalid(ErrorCode::InvalidDefaultLanguage, "expected a language tag or null"),
        }
        match context.get("@direction") {
            None => {}
            Some(Value::Null) => changed.direction = None,
            Some(value) => match value.as_str().and_then(Direction::parse) {
                Some(direction) => changed.direction = Some(direction),
                None => return invalid(ErrorCode::InvalidBaseDirection, "expected `ltr`, `rtl` or null"),
            },
        }
        Ok(())
    }

    /// A copy to change. It is another context, so it has no id yet.
    pub(super) fn copy(&mut self, context: &ActiveContext) -> Result<ActiveContext, Error> {
        self.work.spend(1 + context.terms.len())?;
        Ok(ActiveContext {
            id: None,
            ..context.clone()
        })
    }
}
