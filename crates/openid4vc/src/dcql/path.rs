//! Claims path pointers
//! ([OpenID4VP 1.0, section 7](https://openid.net/specs/openid-4-verifiable-presentations-1_0.html#claims_path_pointer),
//! the same in OpenID4VCI 1.0, appendix C).
//!
//! A pointer selects one claim, or several with `null`. Selecting gives the place of each selected
//! element too, so that a wallet can disclose exactly those.

use std::fmt;

use serde::Deserialize;
use serde::Deserializer;
use serde::Serialize;
use serde::Serializer;
use serde_json::Value;
use thiserror::Error;

/// As deep as the JSON that we read ([`keys::json::DEFAULT_LIMITS`]): a longer pointer points at nothing.
pub const MAX_PATH_COMPONENTS: usize = 32;

/// A non-empty pointer into the claims of a credential.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClaimsPath(Vec<PathComponent>);

/// One step of a pointer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PathComponent {
    /// A string: the member of this name.
    Key(String),
    /// `null`: every element of an array.
    AllElements,
    /// A number: the element at this index, from 0.
    Index(usize),
}

/// The place of one element: member names and indices, never `null`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// Into the member of this name.
    Key(String),
    /// Into the element at this index.
    Index(usize),
}

/// An element that a pointer selects, and where it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Selected<'a> {
    /// The way from the root to it.
    pub place: Vec<Step>,
    /// The element.
    pub value: &'a Value,
}

/// The writer of the pointer is at fault.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum PathError {
    /// A component that is no string, null or non-negative integer.
    #[error("expected a string, null or a non-negative integer in a claims path")]
    Component,
    /// No component at all.
    #[error("expected a claims path that is not empty")]
    Empty,
    /// No array.
    #[error("expected a claims path as an array")]
    NotAnArray,
    /// More than [`MAX_PATH_COMPONENTS`].
    #[error("expected at most {MAX_PATH_COMPONENTS} components in a claims path")]
    TooLong,
}

/// Why a pointer selects nothing in a credential. Nobody's fault: the credential is another one.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotSelected {
    /// A selected element has another type than the component needs.
    #[error("the claims path runs into an element of another type")]
    OtherType,
    /// No element is left.
    #[error("the claims path selects nothing")]
    Nothing,
}

impl ClaimsPath {
    /// A pointer from its components.
    ///
    /// # Errors
    /// [`PathError::Empty`] or [`PathError::TooLong`].
    pub fn new(components: Vec<PathComponent>) -> Result<Self, PathError> {
        if components.is_empty() {
            return Err(PathError::Empty);
        }
        if components.len() > MAX_PATH_COMPONENTS {
            return Err(PathError::TooLong);
        }
        Ok(Self(components))
    }

    /// Reads the JSON form, such as `["degrees", null, "type"]`.
    ///
    /// # Errors
    /// [`PathError`], the sender's fault.
    pub fn from_value(value: &Value) -> Result<Self, PathError> {
        let components = value.as_array().ok_or(PathError::NotAnArray)?;
        if components.len() > MAX_PATH_COMPONENTS {
            return Err(PathError::TooLong);
        }
        Self::new(components.iter().map(component).collect::<Result<_, _>>()?)
    }

    /// The components, at least one.
    #[must_use]
    pub fn components(&self) -> &[PathComponent] {
        &self.0
    }

    /// Processes the pointer from left to right, as the section "Processing" says.
    ///
    /// # Errors
    /// [`NotSelected`] when the processing aborts or nothing is left.
    pub fn select<'a>(&self, root: &'a Value) -> Result<Vec<Selected<'a>>, NotSelected> {
        process(
            &self.0,
            Selected {
                place: Vec::new(),
                value: root,
            },
        )
    }

    /// Processes the pointer on what a verifier received: arrays there may have lost undisclosed elements,
    /// so that the others moved to lower indices. An index then stands for any element, of whatever type.
    ///
    /// # Errors
    /// [`NotSelected`] when the processing aborts or nothing is left.
    pub(super) fn select_moved<'a>(&self, root: &'a Value) -> Result<Vec<Selected<'a>>, NotSelected> {
        process_moved(
            &self.0,
            Selected {
                place: Vec::new(),
                value: root,
            },
        )
    }
}

impl fmt::Display for ClaimsPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(self).unwrap_or_default())
    }
}

impl Serialize for ClaimsPath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|component| match component {
            PathComponent::Key(key) => Value::from(key.as_str()),
            PathComponent::AllElements => Value::Null,
            PathComponent::Index(index) => Value::from(*index),
        }))
    }
}

impl<'de> Deserialize<'de> for ClaimsPath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_value(&Value::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

fn component(value: &Value) -> Result<PathComponent, PathError> {
    match value {
        Value::String(key) => Ok(PathComponent::Key(key.clone())),
        Value::Null => Ok(PathComponent::AllElements),
        Value::Number(number) => {
            let index = number.as_u64().and_then(|index| usize::try_from(index).ok());
            Ok(PathComponent::Index(index.ok_or(PathError::Component)?))
        }
        Value::Bool(_) | Value::Array(_) | Value::Object(_) => Err(PathError::Component),
    }
}

fn process<'a>(components: &[PathComponent], root: Selected<'a>) -> Result<Vec<Selected<'a>>, NotSelected> {
    let mut selection = vec![root];
    for component in components {
        let mut next = Vec::new();
        for selected in selection {
            descend(&selected, component, &mut next)?;
        }
        selection = next;
    }
    if selection.is_empty() {
        Err(NotSelected::Nothing)
    } else {
        Ok(selection)
    }
}

fn process_moved<'a>(components: &[PathComponent], root: Selected<'a>) -> Result<Vec<Selected<'a>>, NotSelected> {
    let is_index = |component: &PathComponent| matches!(component, PathComponent::Index(_));
    let Some(at) = components.iter().position(is_index) else {
        return process(components, root);
    };
    let (before, after) = components.split_at(at);
    let after = after.get(1..).unwrap_or_default();
    let mut elements = Vec::new();
    for array in process(before, root)? {
        descend(&array, &PathComponent::AllElements, &mut elements)?;
    }
    // An element of another type is one that the index did not mean.
    let found: Vec<_> = elements
        .into_iter()
        .filter_map(|element| process_moved(after, element).ok())
        .flatten()
        .collect();
    if found.is_empty() {
        Err(NotSelected::Nothing)
    } else {
        Ok(found)
    }
}

fn descend<'a>(
    from: &Selected<'a>,
    component: &PathComponent,
    next: &mut Vec<Selected<'a>>,
) -> Result<(), NotSelected> {
    match component {
        PathComponent::Key(key) => {
            let object = from.value.as_object().ok_or(NotSelected::OtherType)?;
            next.extend(object.get(key).map(|value| step(from, Step::Key(key.clone()), value)));
        }
        PathComponent::AllElements => {
            let array = from.value.as_array().ok_or(NotSelected::OtherType)?;
            next.extend(
                array
                    .iter()
                    .enumerate()
                    .map(|(index, value)| step(from, Step::Index(index), value)),
            );
        }
        PathComponent::Index(index) => {
            let array = from.value.as_array().ok_or(NotSelected::OtherType)?;
            next.extend(array.get(*index).map(|value| step(from, Step::Index(*index), value)));
        }
    }
    Ok(())
}

fn step<'a>(from: &Selected<'a>, step: Step, value: &'a Value) -> Selected<'a> {
    let mut place = from.place.clone();
    place.push(step);
    Selected { place, value }
}

#[cfg(test)]
#[expect(clippy::needless_pass_by_value, reason = "`json!(..)` reads better as an argument")]
mod tests {
    use serde_json::json;

    use super::*;

    fn path(value: Value) -> ClaimsPath {
        ClaimsPath::from_value(&value).unwrap()
    }

    fn credential() -> Value {
        json!({
            "name": "Arthur Dent",
            "address": {"street_address": "42 Market Street", "locality": "Milliways", "postal_code": "12345"},
            "degrees": [
                {"type": "Bachelor of Science", "university": "University of Betelgeuse"},
                {"type": "Master of Science", "university": "University of Betelgeuse"}
            ],
            "nationalities": ["British", "Betelgeusian"],
            "mixed": [{"a": 1}, "text"]
        })
    }

    fn values(value: Value) -> Result<Vec<Value>, NotSelected> {
        Ok(path(value)
            .select(&credential())?
            .into_iter()
            .map(|selected| selected.value.clone())
            .collect())
    }

    /// The examples of OpenID4VP 1.0, section 7.3.
    #[test]
    fn the_examples_of_the_text() {
        assert_eq!(values(json!(["name"])), Ok(vec![json!("Arthur Dent")]));
        assert_eq!(values(json!(["address"])), Ok(vec![credential()["address"].clone()]));
        assert_eq!(
            values(json!(["address", "street_address"])),
            Ok(vec![json!("42 Market Street")])
        );
        assert_eq!(
            values(json!(["degrees", null, "type"])),
            Ok(vec![json!("Bachelor of Science"), json!("Master of Science")])
        );
        assert_eq!(values(json!(["nationalities", 1])), Ok(vec![json!("Betelgeusian")]));
    }

    #[test]
    fn places_are_concrete() {
        let claims = credential();
        let selected = path(json!(["degrees", null, "type"])).select(&claims).unwrap();
        assert_eq!(
            selected[1].place,
            [
                Step::Key("degrees".to_owned()),
                Step::Index(1),
                Step::Key("type".to_owned())
            ]
        );
    }

    #[test]
    fn another_type_aborts() {
        assert_eq!(values(json!(["name", "first"])), Err(NotSelected::OtherType));
        assert_eq!(values(json!(["address", null])), Err(NotSelected::OtherType));
        assert_eq!(values(json!(["address", 0])), Err(NotSelected::OtherType));
        // One element fits, the other does not: "If any of the currently selected element(s) is not an object".
        assert_eq!(values(json!(["mixed", null, "a"])), Err(NotSelected::OtherType));
    }

    #[test]
    fn an_absent_key_or_index_is_left_out() {
        assert_eq!(values(json!(["phone"])), Err(NotSelected::Nothing));
        assert_eq!(values(json!(["nationalities", 2])), Err(NotSelected::Nothing));
        let claims = json!({"list": [{"a": 1}, {"b": 2}]});
        assert_eq!(path(json!(["list", null, "a"])).select(&claims).unwrap().len(), 1);
    }

    #[test]
    fn an_index_in_a_shortened_array_stands_for_any_element() {
        let moved = |pointer: Value, claims: &Value| path(pointer).select_moved(claims).map(|found| found.len());
        assert_eq!(moved(json!(["nationalities", 5]), &credential()), Ok(2));
        assert_eq!(moved(json!(["mixed", 5, "a"]), &credential()), Ok(1));
        assert_eq!(
            moved(json!(["mixed", 5, "b"]), &credential()),
            Err(NotSelected::Nothing)
        );
        assert_eq!(
            moved(json!(["mixed", null, "a"]), &credential()),
            Err(NotSelected::OtherType)
        );
        assert_eq!(moved(json!(["name", 0]), &credential()), Err(NotSelected::OtherType));
        assert_eq!(moved(json!(["a", 0, 3]), &json!({"a": [[], [1]]})), Ok(1));
    }

    #[test]
    fn malformed_paths_are_refused() {
        assert_eq!(ClaimsPath::from_value(&json!([])), Err(PathError::Empty));
        assert_eq!(ClaimsPath::from_value(&json!("name")), Err(PathError::NotAnArray));
        for bad in [json!([true]), json!([-1]), json!([1.5]), json!([[]]), json!([{}])] {
            assert_eq!(ClaimsPath::from_value(&bad), Err(PathError::Component), "{bad}");
        }
        assert_eq!(ClaimsPath::from_value(&json!(vec!["a"; 33])), Err(PathError::TooLong));
    }

    #[test]
    fn reads_what_it_writes() {
        let text = r#"["degrees",null,1,"type"]"#;
        let read: ClaimsPath = serde_json::from_str(text).unwrap();
        assert_eq!(read.to_string(), text);
    }
}
