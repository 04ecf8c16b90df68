//! Step 13.4 of [expansion](https://www.w3.org/TR/json-ld11-api/#expansion-algorithm): entries whose key is
//! a keyword or an alias of one.

use std::sync::Arc;

use serde_json::Map;
use serde_json::Value;

use super::Expander;
use super::Node;
use super::Place;
use super::add_value;
use super::as_slice;
use super::entries::add_reversed;
use super::into_array;
use crate::DataLoss;
use crate::Error;
use crate::ErrorCode;
use crate::context::Direction;
use crate::context::Relative;
use crate::error::invalid;

impl Expander<'_> {
    /// Expands `value`, whose key (as written: `key`) stands for `keyword`.
    pub(super) fn keyword(
        &mut self,
        keyword: &str,
        key: &str,
        value: &Value,
        node: &mut Node<'_>,
    ) -> Result<(), Error> {
        if node.property == Some("@reverse") {
            return invalid(ErrorCode::InvalidReversePropertyMap, key);
        }
        if node.result.contains_key(keyword) && !matches!(keyword, "@included" | "@type") {
            return invalid(ErrorCode::CollidingKeywords, key);
        }
        let context = Arc::clone(&node.context);
        let below = |property| Place {
            context: &context,
            property,
            from_map: false,
            depth: node.depth + 1,
            path: node.path,
        };
        let expanded = match keyword {
            "@id" => self.id(key, value, node)?,
            "@type" => return self.types(key, value, node),
            "@graph" => Value::Array(into_array(self.element(value, below(Some("@graph")))?)),
            "@included" => {
                let included = self.element(value, below(None))?;
                if !as_slice(&included).iter().all(is_node_object) {
                    return invalid(ErrorCode::InvalidIncludedValue, key);
                }
                add_value(&mut node.result, keyword, included);
                return Ok(());
            }
            "@value" => {
                if !node.is_json && (value.is_array() || value.is_object()) {
                    return invalid(ErrorCode::InvalidValueObjectValue, key);
                }
                value.clone()
            }
            "@language" => string(value, ErrorCode::InvalidLanguageTaggedString, key)?,
            "@direction" => {
                if value.as_str().and_then(Direction::parse).is_none() {
                    return invalid(ErrorCode::InvalidBaseDirection, key);
                }
                value.clone()
            }
            "@index" => string(value, ErrorCode::InvalidIndexValue, key)?,
            "@list" if matches!(node.property, None | Some("@graph")) => {
                return self.lose(key, DataLoss::FreeFloating);
            }
            "@list" if value.as_array().is_some_and(Vec::is_empty) => {
                // An empty list is a statement, other than an empty array.
                Value::Array(Vec::new())
            }
            "@list" => Value::Array(into_array(self.element(value, below(node.property))?)),
            "@set" => self.element(value, below(node.property))?,
            "@reverse" => {
                let Value::Object(map) = value else {
                    return invalid(ErrorCode::InvalidReverseValue, key);
                };
                if map.is_empty() {
                    self.lose(key, DataLoss::EmptyCollection)?;
                }
                let expanded = self.element(value, below(Some("@reverse")))?;
                return reverse(expanded, key, node);
            }
            // A keyword of contexts only: it says nothing here.
            _ => return self.lose(key, DataLoss::ReservedName),
        };
        // Step 13.4.16: null is kept for `@value`, where `@type` may still turn on its presence.
        node.result.insert(keyword.to_owned(), expanded);
        Ok(())
    }

    /// Step 13.4.3.
    fn id(&mut self, key: &str, value: &Value, node: &Node<'_>) -> Result<Value, Error> {
        let Some(id) = value.as_str() else {
            return invalid(ErrorCode::InvalidIdValue, key);
        };
        let iri = self.written_iri(&node.context, id, Relative::Document)?;
        self.check_reference(iri.as_deref(), key)?;
        Ok(iri.map_or(Value::Null, Value::from))
    }

    /// Step 13.4.4.
    fn types(&mut self, key: &str, value: &Value, node: &mut Node<'_>) -> Result<(), Error> {
        let mut types = Vec::new();
        if value.as_array().is_some_and(Vec::is_empty) {
            self.lose(key, DataLoss::EmptyCollection)?;
        }
        for name in as_slice(value) {
            let Some(name) = name.as_str() else {
                return invalid(ErrorCode::InvalidTypeValue, key);
            };
            let iri = self.written_iri(&node.type_scoped, name, Relative::VocabularyOrDocument)?;
            self.check_term(&node.type_scoped, name, iri.as_deref(), key)?;
            // `@json` and `@none` are the only keywords that a type can be.
            if !iri.as_deref().is_some_and(crate::syntax::is_keyword) {
                self.check_reference(iri.as_deref(), key)?;
            }
            types.push(iri.map_or(Value::Null, Value::from));
        }
        let expanded = if value.is_array() || node.result.contains_key("@type") {
            Value::Array(types)
        } else {
            types.pop().unwrap_or_default()
        };
        if node.result.contains_key("@type") {
            add_value(&mut node.result, "@type", expanded);
        } else {
            node.result.insert("@type".to_owned(), expanded);
        }
        Ok(())
    }
}

/// Step 13.4.13, after the expansion of the reverse map.
fn reverse(expanded: Value, key: &str, node: &mut Node<'_>) -> Result<(), Error> {
    let Value::Object(expanded) = expanded else {
        return Ok(());
    };
    for (property, items) in expanded {
        if property == "@reverse" {
            // Reversed twice is forward.
            if let Value::Object(forward) = items {
                for (property, item) in forward {
                    add_value(&mut node.result, &property, item);
                }
            }
            continue;
        }
        for item in into_array(items) {
            add_reversed(&mut node.result, &property, item, key)?;
        }
    }
    Ok(())
}

fn string(value: &Value, code: ErrorCode, key: &str) -> Result<Value, Error> {
    if value.is_string() {
        Ok(value.clone())
    } else {
        invalid(code, key)
    }
}

fn is_node_object(value: &Value) -> bool {
    let lacks = |map: &Map<String, Value>| ["@value", "@list", "@set"].iter().all(|key| !map.contains_key(*key));
    value.as_object().is_some_and(lacks)
}
