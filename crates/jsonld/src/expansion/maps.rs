//! Steps 13.7 and 13.8 of [expansion](https://www.w3.org/TR/json-ld11-api/#expansion-algorithm): language,
//! index, id and type maps.

use std::sync::Arc;

use serde_json::Map;
use serde_json::Value;

use super::Expander;
use super::Place;
use super::as_slice;
use super::into_array;
use super::object;
use super::path::Step;
use super::sorted_keys;
use crate::DataLoss;
use crate::Error;
use crate::ErrorCode;
use crate::context::Container;
use crate::context::Relative;
use crate::context::Scope;
use crate::context::TermDefinition;
use crate::error::invalid;

impl Expander<'_> {
    /// Step 13.7.
    pub(super) fn language_map(
        &mut self,
        map: &Map<String, Value>,
        definition: &TermDefinition,
        place: Place<'_>,
    ) -> Result<Value, Error> {
        let direction = definition.direction.or(place.context.direction.as_ref());
        if map.is_empty() {
            self.lose(place.name(), DataLoss::EmptyCollection)?;
        }
        let mut expanded = Vec::new();
        for language in sorted_keys(map) {
            for item in map.get(language).map(as_slice).unwrap_or_default() {
                self.elements.spend(1)?;
                let text = match item {
                    Value::Null => {
                        self.lose(place.name(), DataLoss::NullValue)?;
                        continue;
                    }
                    Value::String(text) => text,
                    _ => return invalid(ErrorCode::InvalidLanguageMapValue, place.name()),
                };
                let mut value = Map::new();
                value.insert("@value".to_owned(), Value::from(text.as_str()));
                let is_none = self.iri(place.context, language, Relative::Vocabulary).as_deref() == Some("@none");
                if !is_none {
                    value.insert("@language".to_owned(), Value::from(language));
                }
                if let Some(direction) = direction {
                    value.insert("@direction".to_owned(), Value::from(direction.as_str()));
                }
                expanded.push(Value::Object(value));
            }
        }
        Ok(Value::Array(expanded))
    }

    /// Step 13.8.
    pub(super) fn index_map(
        &mut self,
        map: &Map<String, Value>,
        definition: &TermDefinition,
        place: Place<'_>,
    ) -> Result<Value, Error> {
        if map.is_empty() {
            self.lose(place.name(), DataLoss::EmptyCollection)?;
        }
        let mut expanded = Vec::new();
        for index in sorted_keys(map) {
            let context = self.map_context(index, definition.container, place)?;
            let expanded_index = self.written_iri(place.context, index, Relative::Vocabulary)?;
            let is_none = expanded_index.as_deref() == Some("@none");
            let values = map.get(index).map(as_slice).unwrap_or_default();
            let step = Step::key(place.path, index);
            let items = self.array(
                values,
                Place {
                    context: &context,
                    from_map: true,
                    path: Some(&step),
                    ..place
                },
            )?;
            for mut item in into_array(items) {
                if definition.container.has(Container::GRAPH) && item.get("@graph").is_none() {
                    item = object([("@graph", Value::Array(into_array(item)))]);
                }
                if let Value::Object(item) = &mut item
                    && !is_none
                {
                    self.set_index(item, index, expanded_index.as_deref(), definition, place)?;
                }
                expanded.push(item);
            }
        }
        Ok(Value::Array(expanded))
    }

    /// Steps 13.8.3.1 to 13.8.3.3: the context for the values under `index`.
    fn map_context(
        &mut self,
        index: &str,
        container: Container,
        place: Place<'_>,
    ) -> Result<Arc<crate::context::ActiveContext>, Error> {
        if !container.has(Container::ID.with(Container::TYPE)) {
            return Ok(Arc::clone(place.context));
        }
        let base = place.context.previous.as_ref().unwrap_or(place.context);
        match base.definition(index) {
            Some(definition) if container.has(Container::TYPE) && definition.scoped_context.is_some() => {
                self.contexts.apply_scoped(base, definition, base, Scope::Type)
            }
            _ => Ok(Arc::clone(base)),
        }
    }

    /// Steps 13.8.3.7.2 to 13.8.3.7.5.
    fn set_index(
        &mut self,
        item: &mut Map<String, Value>,
        index: &str,
        expanded_index: Option<&str>,
        definition: &TermDefinition,
        place: Place<'_>,
    ) -> Result<(), Error> {
        let container = definition.container;
        match definition.index.as_deref().filter(|_| container.has(Container::INDEX)) {
            Some(property) if property != "@index" => {
                let property_definition = place.context.definition(property);
                let value = self.value(&Value::from(index), place.context, property_definition, property)?;
                let Some(property) = self.written_iri(place.context, property, Relative::Vocabulary)? else {
                    return Ok(());
                };
                let mut values = vec![value];
                values.extend(item.remove(&property).map(into_array).unwrap_or_default());
                item.insert(property, Value::Array(values));
                if item.contains_key("@value") {
                    return invalid(ErrorCode::InvalidValueObject, place.name());
                }
            }
            _ if container.has(Container::INDEX) => {
                item.entry("@index").or_insert_with(|| Value::from(index));
            }
            _ if container.has(Container::ID) => {
                if !item.contains_key("@id") {
                    let id = self.written_iri(place.context, index, Relative::Document)?;
                    self.check_reference(id.as_deref(), place.name())?;
                    item.insert("@id".to_owned(), id.map_or(Value::Null, Value::from));
                }
            }
            _ => {
                self.check_reference(expanded_index, place.name())?;
                let mut types = vec![expanded_index.map_or(Value::Null, Value::from)];
                types.extend(item.remove("@type").map(into_array).unwrap_or_default());
                item.insert("@type".to_owned(), Value::Array(types));
            }
        }
        Ok(())
    }
}
