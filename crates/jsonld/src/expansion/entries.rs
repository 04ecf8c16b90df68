//! Steps 13 and 14 of [expansion](https://www.w3.org/TR/json-ld11-api/#expansion-algorithm): the entries of
//! an object, one by one.

use std::sync::Arc;

use serde_json::Map;
use serde_json::Value;

use super::Expander;
use super::Node;
use super::Place;
use super::add_value;
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
use crate::syntax;

impl Expander<'_> {
    /// Steps 13 and 14 for the `keys` of `map`, into `node.result`.
    pub(super) fn entries(
        &mut self,
        map: &Map<String, Value>,
        keys: &[&str],
        node: &mut Node<'_>,
    ) -> Result<(), Error> {
        let mut nests = Vec::new();
        for key in keys {
            let Some(value) = map.get(*key).filter(|_| *key != "@context") else {
                continue;
            };
            let context = Arc::clone(&node.context);
            let expanded = self.written_iri(&context, key, Relative::Vocabulary)?;
            self.check_key(&context, key, expanded.as_deref(), map)?;
            match expanded {
                Some(nest) if nest == "@nest" => nests.push(*key),
                Some(keyword) if syntax::is_keyword(&keyword) => self.keyword(&keyword, key, value, node)?,
                Some(property) if property.contains(':') => self.property(&property, key, value, node)?,
                None if syntax::has_keyword_form(key) => self.lose(key, DataLoss::ReservedName)?,
                Some(_) | None => self.lose(key, DataLoss::UndefinedTerm)?,
            }
        }
        for key in nests {
            self.nest(key, map.get(key).unwrap_or(&Value::Null), node)?;
        }
        Ok(())
    }

    /// Step 14.
    fn nest(&mut self, key: &str, value: &Value, node: &mut Node<'_>) -> Result<(), Error> {
        let outer = Arc::clone(&node.context);
        if let Some(definition) = outer.definition(key) {
            node.context = self
                .contexts
                .apply_scoped(&outer, definition, &outer, Scope::Property)?;
        }
        node.depth += 1;
        if node.depth > self.max_depth {
            return Err(Error::LimitExceeded {
                what: "levels of nesting",
                limit: self.max_depth,
            });
        }
        for nested in as_slice(value) {
            self.elements.spend(1)?;
            let context = Arc::clone(&node.context);
            let is_value = |name: &str| self.iri(&context, name, Relative::Vocabulary).as_deref() == Some("@value");
            let Some(nested) = nested.as_object().filter(|map| !map.keys().any(|name| is_value(name))) else {
                return invalid(ErrorCode::InvalidNestValue, key);
            };
            if nested.is_empty() {
                self.lose(key, DataLoss::EmptyCollection)?;
            }
            let keys = sorted_keys(nested);
            self.entries(nested, &keys, node)?;
        }
        node.depth -= 1;
        node.context = outer;
        Ok(())
    }

    /// Steps 13.5 to 13.14.
    fn property(&mut self, property: &str, key: &str, value: &Value, node: &mut Node<'_>) -> Result<(), Error> {
        let context = Arc::clone(&node.context);
        let definition = context.definition(key);
        let step = Step::key(node.path, key);
        let place = Place {
            context: &context,
            property: Some(key),
            from_map: false,
            depth: node.depth + 1,
            path: Some(&step),
        };
        let expanded = self.property_value(value, definition.map(Arc::as_ref), place)?;
        if expanded.is_null() {
            // Whatever else was lost has been reported where it happened.
            if value.is_null() {
                self.lose(key, DataLoss::NullValue)?;
            }
            return Ok(());
        }
        if !definition.is_some_and(|definition| definition.reverse) {
            add_value(&mut node.result, property, expanded);
            return Ok(());
        }
        for item in into_array(expanded) {
            add_reversed(&mut node.result, property, item, key)?;
        }
        Ok(())
    }

    /// Steps 13.5 to 13.12.
    fn property_value(
        &mut self,
        value: &Value,
        definition: Option<&TermDefinition>,
        place: Place<'_>,
    ) -> Result<Value, Error> {
        let Some(definition) = definition else {
            return self.element(value, place);
        };
        let container = definition.container;
        let is_json = definition.type_mapping.as_deref() == Some("@json");
        let mut expanded = match value {
            json if is_json => object([("@value", json.clone()), ("@type", Value::from("@json"))]),
            Value::Object(map) if container.has(Container::LANGUAGE) => self.language_map(map, definition, place)?,
            Value::Object(map) if container.has(Container::INDEX.with(Container::TYPE).with(Container::ID)) => {
                self.index_map(map, definition, place)?
            }
            other => self.element(other, place)?,
        };
        if expanded.is_null() {
            return Ok(expanded);
        }
        if container.has(Container::LIST) && expanded.get("@list").is_none() {
            expanded = self.list(into_array(expanded), place)?;
        }
        if container.has(Container::GRAPH) && !container.has(Container::ID.with(Container::INDEX)) {
            expanded = into_array(expanded)
                .into_iter()
                .map(|item| object([("@graph", Value::Array(into_array(item)))]))
                .collect();
        }
        Ok(expanded)
    }
}

/// Adds `item` to the `property` of the reverse map of `result`.
pub(super) fn add_reversed(
    result: &mut Map<String, Value>,
    property: &str,
    item: Value,
    key: &str,
) -> Result<(), Error> {
    if item.get("@value").is_some() || item.get("@list").is_some() {
        return invalid(ErrorCode::InvalidReversePropertyValue, key);
    }
    let reverse = result.entry("@reverse").or_insert_with(|| Value::Object(Map::new()));
    if let Value::Object(reverse) = reverse {
        add_value(reverse, property, item);
    }
    Ok(())
}
