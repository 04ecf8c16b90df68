//! Steps 15 to 19 of [expansion](https://www.w3.org/TR/json-ld11-api/#expansion-algorithm): what an object
//! turned out to be.

use serde_json::Map;
use serde_json::Value;

use super::Expander;
use super::Node;
use super::Place;
use crate::DataLoss;
use crate::Error;
use crate::ErrorCode;
use crate::error::invalid;
use crate::syntax;

impl Expander<'_> {
    pub(super) fn finish(&mut self, node: Node<'_>, place: Place<'_>) -> Result<Value, Error> {
        let mut result = node.result;
        if result.contains_key("@value") {
            check_value_object(&result, place)?;
            if result.get("@type").and_then(Value::as_str) != Some("@json")
                && result.get("@value").is_some_and(Value::is_null)
            {
                self.lose(place.name(), DataLoss::NullValue)?;
                return Ok(Value::Null);
            }
        } else if let Some(types) = result.get_mut("@type") {
            if !types.is_array() {
                *types = Value::Array(vec![types.take()]);
            }
        } else if result.contains_key("@set") || result.contains_key("@list") {
            if result.len() > 1 + usize::from(result.contains_key("@index")) {
                return invalid(ErrorCode::InvalidSetOrListObject, place.name());
            }
            if let Some(set) = result.remove("@set") {
                if result.contains_key("@index") {
                    self.lose(place.name(), DataLoss::Index)?;
                }
                return Ok(self.without_free_floating(set, place)?.unwrap_or_default());
            }
        }
        if result.len() == 1 && result.contains_key("@language") {
            self.lose(place.name(), DataLoss::FreeFloating)?;
            return Ok(Value::Null);
        }
        let Some(mut result) = self.without_free_floating(Value::Object(result), place)? else {
            return Ok(Value::Null);
        };
        self.write_place(&mut result, place)?;
        Ok(result)
    }

    /// Step 19.
    fn without_free_floating(&self, result: Value, place: Place<'_>) -> Result<Option<Value>, Error> {
        if let Value::Object(map) = &result
            && place.is_free_floating()
        {
            let states_nothing = map.is_empty()
                || map.contains_key("@value")
                || map.contains_key("@list")
                || (map.len() == 1 && map.contains_key("@id"));
            if states_nothing {
                self.lose(place.name(), DataLoss::FreeFloating)?;
                return Ok(None);
            }
        }
        Ok(Some(result))
    }
}

/// Step 15, apart from null.
fn check_value_object(result: &Map<String, Value>, place: Place<'_>) -> Result<(), Error> {
    let is_allowed = |key: &String| matches!(key.as_str(), "@direction" | "@index" | "@language" | "@type" | "@value");
    let is_tagged = result.contains_key("@language") || result.contains_key("@direction");
    if !result.keys().all(is_allowed) || (is_tagged && result.contains_key("@type")) {
        return invalid(ErrorCode::InvalidValueObject, place.name());
    }
    let value = result.get("@value").unwrap_or(&Value::Null);
    match result.get("@type") {
        Some(Value::String(datatype)) if datatype == "@json" => return Ok(()),
        _ if value.is_null() => return Ok(()),
        _ if result.contains_key("@language") && !value.is_string() => {
            return invalid(ErrorCode::InvalidLanguageTaggedValue, place.name());
        }
        None => return Ok(()),
        Some(Value::String(datatype)) if syntax::is_well_formed_iri(datatype) => return Ok(()),
        Some(_) => {}
    }
    invalid(ErrorCode::InvalidTypedValue, place.name())
}
