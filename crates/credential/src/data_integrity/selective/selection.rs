//! The part of a document that pointers select
//! ([selectJsonLd](https://www.w3.org/TR/vc-di-ecdsa/#selectjsonld)).

use std::collections::BTreeMap;

use serde_json::Map;
use serde_json::Value;

use super::MAX_POINTERS;
use super::Pointer;
use super::SelectiveError;
use super::pointer::escaped;
use super::pointer::index;

/// What comes with every object that something is selected of: who it is about, and of what kind, which also
/// says what its terms mean.
const ALWAYS: [&str; 2] = ["id", "type"];

/// A part of a document, and where it stood there.
pub(super) struct Selection {
    pub(super) document: Map<String, Value>,
    /// The arrays of which not all is selected, by the pointer to them in the selection: the original indexes.
    indexes: BTreeMap<String, Vec<usize>>,
}

/// What is selected of a value.
enum Part<'d> {
    Items(&'d [Value], BTreeMap<usize, Self>),
    Members(&'d Map<String, Value>, BTreeMap<&'d str, Self>),
    Whole(&'d Value),
}

/// The part of `document` that `pointers` select, with its contexts.
pub(super) fn select(document: &Map<String, Value>, pointers: &[Pointer]) -> Result<Selection, SelectiveError> {
    let found = pointers.len();
    if found > MAX_POINTERS {
        return Err(SelectiveError::TooManyPointers { found });
    }
    let mut root = Part::Members(document, BTreeMap::new());
    for pointer in pointers {
        root.add(pointer.names()).ok_or_else(|| SelectiveError::NotInDocument {
            pointer: pointer.to_string(),
        })?;
    }
    let mut indexes = BTreeMap::new();
    let mut selected = match root.value(&mut String::new(), &mut indexes) {
        Value::Object(map) => map,
        _ => Map::new(),
    };
    if let Some(context) = document.get("@context") {
        selected.insert("@context".to_owned(), context.clone());
    }
    Ok(Selection {
        document: selected,
        indexes,
    })
}

impl<'d> Part<'d> {
    /// Nothing of a container yet; a scalar is always whole.
    fn of(value: &'d Value) -> Self {
        match value {
            Value::Array(items) => Self::Items(items, BTreeMap::new()),
            Value::Object(map) => Self::Members(map, BTreeMap::new()),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Self::Whole(value),
        }
    }

    /// Adds what `names` lead to; none if that is nothing.
    fn add(&mut self, names: &[String]) -> Option<()> {
        let Some((name, rest)) = names.split_first() else {
            return Some(());
        };
        let (value, below) = match self {
            Self::Whole(value) => return names.iter().try_fold(*value, child).map(|_| ()),
            Self::Members(map, parts) => {
                let (key, value) = map.get_key_value(name)?;
                (value, parts.entry(key).or_insert_with(|| Self::of(value)))
            }
            Self::Items(items, parts) => {
                let index = index(name)?;
                let value = items.get(index)?;
                (value, parts.entry(index).or_insert_with(|| Self::of(value)))
            }
        };
        if rest.is_empty() {
            *below = Self::Whole(value);
        }
        below.add(rest)
    }

    /// The selected value, which stands `at` this pointer.
    fn value(&self, at: &mut String, indexes: &mut BTreeMap<String, Vec<usize>>) -> Value {
        let end = at.len();
        match self {
            Self::Whole(value) => (*value).clone(),
            Self::Members(map, parts) => {
                let mut selected = Map::new();
                for name in ALWAYS {
                    selected.extend(map.get(name).map(|value| (name.to_owned(), value.clone())));
                }
                for (name, part) in parts.iter().filter(|(name, _)| !ALWAYS.contains(name)) {
                    at.push('/');
                    at.push_str(&escaped(name));
                    selected.insert((*name).to_owned(), part.value(at, indexes));
                    at.truncate(end);
                }
                Value::Object(selected)
            }
            Self::Items(_, parts) => {
                indexes.insert(at.clone(), parts.keys().copied().collect());
                let item = |(index, part): (usize, &Self)| {
                    at.push('/');
                    at.push_str(&index.to_string());
                    let item = part.value(at, indexes);
                    at.truncate(end);
                    item
                };
                Value::Array(parts.values().enumerate().map(item).collect())
            }
        }
    }
}

impl Selection {
    /// The pointer in the original document to what stands at `place` in the selection.
    pub(super) fn original(&self, place: &str) -> String {
        let mut original = String::new();
        let mut end = 0;
        for name in place.split('/').skip(1) {
            let indexes = place.get(..end).and_then(|array| self.indexes.get(array));
            end += 1 + name.len();
            // A cell of a list has a `~` after its index.
            let digits = name.trim_end_matches('~');
            let index = index(digits).and_then(|index| indexes?.get(index));
            original.push('/');
            match index {
                Some(index) => {
                    original.push_str(&index.to_string());
                    original.push_str(name.get(digits.len()..).unwrap_or_default());
                }
                None => original.push_str(name),
            }
        }
        original
    }
}

fn child<'d>(value: &'d Value, name: &String) -> Option<&'d Value> {
    match value {
        Value::Object(map) => map.get(name),
        Value::Array(items) => items.get(index(name)?),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}
