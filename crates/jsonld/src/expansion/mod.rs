//! [Expansion](https://www.w3.org/TR/json-ld11-api/#expansion-algorithm): a document without its contexts,
//! every term spelled out.
//!
//! Steps are numbered as in the standard; `entries.rs` and what it uses has step 13, `finish.rs` steps 15
//! to 19. Framing is not implemented.

mod entries;
mod finish;
mod keywords;
mod maps;
mod path;
mod spelling;
mod value;

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::Map;
use serde_json::Value;

use self::path::Step;
use crate::DataLoss;
use crate::Error;
use crate::Mode;
use crate::Options;
use crate::context::ActiveContext;
use crate::context::Container;
use crate::context::ContextProcessor;
use crate::context::Relative;
use crate::context::Scope;
use crate::context::TermDefinition;
use crate::limits::Budget;

/// Expands `document`: an array of node objects.
///
/// # Errors
/// [`Error`]: the author's fault, except [`Error::UnknownContext`], which may be ours.
pub fn expand(document: &Value, options: &Options<'_>) -> Result<Vec<Value>, Error> {
    Expander::new(options, false).document(document, options)
}

/// The same, with [`PLACE`] in what will be a blank node.
pub(crate) fn expand_with_places(document: &Value, options: &Options<'_>) -> Result<Vec<Value>, Error> {
    Expander::new(options, true).document(document, options)
}

/// A member of our own, in node and list objects without `@id`: the JSON pointer to where they stand. No
/// document can have it, since it is no keyword.
pub(crate) const PLACE: &str = "@place";

/// Where in the document an element stands.
#[derive(Clone, Copy)]
struct Place<'p> {
    context: &'p Arc<ActiveContext>,
    /// The active property, as written.
    property: Option<&'p str>,
    /// The element is an entry of an index, id or type map.
    from_map: bool,
    depth: usize,
    /// The way to here; none at the top.
    path: Option<&'p Step<'p>>,
}

impl<'p> Place<'p> {
    fn definition(&self) -> Option<&'p Arc<TermDefinition>> {
        self.context.definition(self.property?)
    }

    /// What to call this place in an error.
    fn name(&self) -> &'p str {
        self.property.unwrap_or("the document")
    }

    /// Values here belong to no statement.
    fn is_free_floating(&self) -> bool {
        matches!(self.property, None | Some("@graph"))
    }
}

/// A node object while its entries are expanded.
struct Node<'n> {
    context: Arc<ActiveContext>,
    type_scoped: Arc<ActiveContext>,
    property: Option<&'n str>,
    /// The last type is `@json`: `@value` may be anything.
    is_json: bool,
    depth: usize,
    path: Option<&'n Step<'n>>,
    result: Map<String, Value>,
}

struct Expander<'a> {
    contexts: ContextProcessor<'a>,
    base: Option<&'a str>,
    mode: Mode,
    /// Whether to write [`PLACE`].
    places: bool,
    max_depth: usize,
    elements: Budget,
    bytes: Budget,
}

impl<'a> Expander<'a> {
    fn new(options: &Options<'a>, places: bool) -> Self {
        let limits = options.limits;
        Self {
            contexts: ContextProcessor::new(options.loader, options.base, limits.max_context_work),
            base: options.base,
            mode: options.mode,
            places,
            max_depth: limits.max_depth,
            elements: Budget::new("JSON elements", limits.max_elements),
            bytes: Budget::new("bytes of expanded IRIs", limits.max_expanded_bytes),
        }
    }

    fn document(&mut self, document: &Value, options: &Options<'_>) -> Result<Vec<Value>, Error> {
        let mut context = Arc::new(ActiveContext::initial());
        if let Some(local) = options.expand_context {
            let local = local.get("@context").unwrap_or(local);
            context = self.contexts.apply_local(&context, local)?;
        }
        let place = Place {
            context: &context,
            property: None,
            from_map: false,
            depth: 0,
            path: None,
        };
        let result = match self.element(document, place)? {
            Value::Object(mut map) if map.len() == 1 && map.contains_key("@graph") => {
                map.remove("@graph").unwrap_or_default()
            }
            other => other,
        };
        Ok(into_array(result))
    }

    /// The algorithm itself. Null: nothing is left of the element.
    fn element(&mut self, element: &Value, place: Place<'_>) -> Result<Value, Error> {
        self.elements.spend(1)?;
        if place.depth > self.max_depth {
            return Err(Error::LimitExceeded {
                what: "levels of nesting",
                limit: self.max_depth,
            });
        }
        match element {
            Value::Null => Ok(Value::Null),
            Value::Array(items) => self.array(items, place),
            Value::Object(map) => self.object(map, place),
            scalar => self.scalar(scalar, place),
        }
    }

    /// Step 4.
    fn scalar(&mut self, scalar: &Value, place: Place<'_>) -> Result<Value, Error> {
        if place.is_free_floating() {
            self.lose(place.name(), DataLoss::FreeFloating)?;
            return Ok(Value::Null);
        }
        let Some(definition) = place.definition() else {
            return self.value(scalar, place.context, None, place.name());
        };
        // The standard does not say that a property-scoped context may override protected terms here, as
        // it says for objects; then a scalar would be refused where an object is taken.
        let context = self
            .contexts
            .apply_scoped(place.context, definition, place.context, Scope::Property)?;
        self.value(scalar, &context, context.definition(place.name()), place.name())
    }

    /// Step 5.
    fn array(&mut self, items: &[Value], place: Place<'_>) -> Result<Value, Error> {
        let is_list = place
            .definition()
            .is_some_and(|definition| definition.container.has(Container::LIST));
        if items.is_empty() && !is_list {
            self.lose(place.name(), DataLoss::EmptyCollection)?;
        }
        let mut result = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            let step = Step::index(place.path, index);
            let below = Place {
                depth: place.depth + 1,
                path: Some(&step),
                ..place
            };
            match self.element(item, below)? {
                Value::Array(inner) if is_list => result.push(self.list(inner, below)?),
                Value::Array(inner) => result.extend(inner),
                Value::Null if item.is_null() => self.lose(place.name(), DataLoss::NullValue)?,
                Value::Null => {}
                other => result.push(other),
            }
        }
        Ok(Value::Array(result))
    }

    /// Steps 7 to 19.
    fn object(&mut self, map: &Map<String, Value>, place: Place<'_>) -> Result<Value, Error> {
        let property = place.definition();
        let mut context = Arc::clone(place.context);
        if let Some(previous) = &place.context.previous
            && !place.from_map
            && !self.keeps_type_scope(map, place.context)
        {
            context = Arc::clone(previous);
        }
        if let Some(definition) = property {
            context = self
                .contexts
                .apply_scoped(&context, definition, place.context, Scope::Property)?;
        }
        if let Some(local) = map.get("@context") {
            context = self.contexts.apply_local(&context, local)?;
        }
        let type_scoped = Arc::clone(&context);
        let keys = sorted_keys(map);
        let mut last_type = None;
        for key in &keys {
            if self.iri(&type_scoped, key, Relative::Vocabulary).as_deref() != Some("@type") {
                continue;
            }
            let types = sorted_strings(map.get(*key));
            for name in &types {
                if let Some(definition) = type_scoped.definition(name) {
                    context = self
                        .contexts
                        .apply_scoped(&context, definition, &type_scoped, Scope::Type)?;
                }
            }
            if last_type.is_none() {
                last_type = types.last().copied();
            }
        }
        let is_json =
            last_type.is_some_and(|name| self.iri(&context, name, Relative::Vocabulary).as_deref() == Some("@json"));
        let mut node = Node {
            context,
            type_scoped,
            property: place.property,
            is_json,
            depth: place.depth,
            path: place.path,
            result: Map::new(),
        };
        self.entries(map, &keys, &mut node)?;
        self.finish(node, place)
    }

    /// Step 7: value objects and references to nodes keep the context of the type around them.
    fn keeps_type_scope(&self, map: &Map<String, Value>, context: &ActiveContext) -> bool {
        let expands_to =
            |key: &str, keyword: &str| self.iri(context, key, Relative::Vocabulary).as_deref() == Some(keyword);
        map.keys().any(|key| expands_to(key, "@value"))
            || (map.len() == 1 && map.keys().any(|key| expands_to(key, "@id")))
    }

    /// IRI expansion on `context`.
    fn iri<'c>(&self, context: &'c ActiveContext, value: &'c str, relative: Relative) -> Option<Cow<'c, str>> {
        context.expand_iri(value, relative, self.base)
    }

    /// IRI expansion of something that becomes part of the result.
    fn written_iri(
        &mut self,
        context: &ActiveContext,
        value: &str,
        relative: Relative,
    ) -> Result<Option<String>, Error> {
        let iri = self.iri(context, value, relative).map(String::from);
        self.bytes.spend(iri.as_ref().map_or(0, String::len))?;
        Ok(iri)
    }

    /// A list object.
    fn list(&mut self, items: Vec<Value>, place: Place<'_>) -> Result<Value, Error> {
        let mut list = object([("@list", Value::Array(items))]);
        self.write_place(&mut list, place)?;
        Ok(list)
    }

    /// Says where the node or list stands, if it has no name.
    fn write_place(&mut self, result: &mut Value, place: Place<'_>) -> Result<(), Error> {
        if let Value::Object(map) = result
            && self.places
            && !map.contains_key("@id")
            && !map.contains_key("@value")
        {
            let pointer = Step::pointer(place.path);
            self.bytes.spend(pointer.len())?;
            map.insert(PLACE.to_owned(), Value::from(pointer));
        }
        Ok(())
    }

    /// Refuses to lose something, unless lenient.
    fn lose(&self, term: &str, loss: DataLoss) -> Result<(), Error> {
        if self.mode == Mode::Lenient {
            return Ok(());
        }
        Err(Error::DataLoss {
            term: term.to_owned(),
            loss,
        })
    }
}

/// The keys in code point order: the standard asks for it at types, and elsewhere it makes the result the
/// same whatever order the map keeps.
fn sorted_keys(map: &Map<String, Value>) -> Vec<&str> {
    let mut keys: Vec<&str> = map.keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

fn sorted_strings(value: Option<&Value>) -> Vec<&str> {
    let mut strings: Vec<&str> = match value {
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).collect(),
        Some(Value::String(single)) => vec![single.as_str()],
        _ => Vec::new(),
    };
    strings.sort_unstable();
    strings
}

fn object<const N: usize>(entries: [(&str, Value); N]) -> Value {
    Value::Object(
        entries
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value))
            .collect(),
    )
}

/// The value as an array; null as an empty one.
fn into_array(value: Value) -> Vec<Value> {
    match value {
        Value::Null => Vec::new(),
        Value::Array(items) => items,
        single => vec![single],
    }
}

/// "Add value" of the standard, always as an array.
fn add_value(map: &mut Map<String, Value>, key: &str, value: Value) {
    let slot = map.entry(key).or_insert_with(|| Value::Array(Vec::new()));
    match slot {
        Value::Array(items) => items.extend(into_array(value)),
        other => {
            let mut items = vec![other.take()];
            items.extend(into_array(value));
            *other = Value::Array(items);
        }
    }
}

/// The value as a slice, without wrapping it.
fn as_slice(value: &Value) -> &[Value] {
    match value {
        Value::Array(items) => items,
        single => std::slice::from_ref(single),
    }
}
