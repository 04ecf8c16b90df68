//! Pointers to claims inside a JSON credential: the claims path pointer of
//! [OpenID4VP](https://openid.net/specs/openid-4-verifiable-presentations-1_0.html#name-claims-path-pointer)
//! and the `path` of
//! [SD-JWT VC type metadata](https://datatracker.ietf.org/doc/html/draft-ietf-oauth-sd-jwt-vc#name-claim-path),
//! which are the same thing.

use serde::Deserialize;
use serde::Serialize;
use serde_json::Value;
use thiserror::Error;

/// A path deeper than any JSON we read selects nothing, so longer ones are refused when they are read.
pub const MAX_COMPONENTS: usize = 32;

/// A non-empty list of components, read from left to right.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Vec<PathComponent>", into = "Vec<PathComponent>")]
pub struct ClaimPath(Vec<PathComponent>);

/// One step of a [`ClaimPath`]; on the wire a string, a non-negative integer or `null`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum PathComponent {
    /// The member of this name.
    Key(String),
    /// The array element at this place, from 0.
    Index(usize),
    /// All elements of the array.
    All,
}

/// The path is empty or too long, the fault of whoever wrote it.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("expected a claims path of 1 to {MAX_COMPONENTS} components, found {found}")]
pub struct ClaimPathError {
    found: usize,
}

/// A component does not fit what stands at its place: a key on something that is no object, or an
/// index on something that is no array.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("expected an object for a key and an array for an index, found another type at component {component}")]
pub struct PathMismatch {
    /// Place of the component in the path, from 0.
    pub component: usize,
}

impl ClaimPath {
    /// A path of keys only.
    ///
    /// # Errors
    /// [`ClaimPathError`] when there are none or too many.
    pub fn of_keys<'a>(keys: impl IntoIterator<Item = &'a str>) -> Result<Self, ClaimPathError> {
        keys.into_iter()
            .map(|key| PathComponent::Key(key.to_owned()))
            .collect::<Vec<_>>()
            .try_into()
    }

    /// The components, at least one.
    #[must_use]
    pub fn components(&self) -> &[PathComponent] {
        &self.0
    }

    /// The values in `root` that the path selects; none if nothing is there.
    ///
    /// # Errors
    /// [`PathMismatch`] when a component meets a value of the wrong type.
    pub fn select<'a>(&self, root: &'a Value) -> Result<Vec<&'a Value>, PathMismatch> {
        let mut selected = vec![root];
        for (place, component) in self.0.iter().enumerate() {
            let mut next = Vec::with_capacity(selected.len());
            for value in selected {
                match (component, value) {
                    (PathComponent::Key(key), Value::Object(map)) => next.extend(map.get(key)),
                    (PathComponent::Index(index), Value::Array(items)) => next.extend(items.get(*index)),
                    (PathComponent::All, Value::Array(items)) => next.extend(items),
                    _ => return Err(PathMismatch { component: place }),
                }
            }
            selected = next;
        }
        Ok(selected)
    }
}

impl TryFrom<Vec<PathComponent>> for ClaimPath {
    type Error = ClaimPathError;

    fn try_from(components: Vec<PathComponent>) -> Result<Self, ClaimPathError> {
        if components.is_empty() || components.len() > MAX_COMPONENTS {
            return Err(ClaimPathError {
                found: components.len(),
            });
        }
        Ok(Self(components))
    }
}

impl From<ClaimPath> for Vec<PathComponent> {
    fn from(path: ClaimPath) -> Self {
        path.0
    }
}

impl std::fmt::Display for ClaimPath {
    /// The JSON form, such as `["address","locality"]`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&serde_json::to_string(self).map_err(|_| std::fmt::Error)?)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn path(value: Value) -> ClaimPath {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn the_three_kinds_of_component_select() {
        let root = json!({"name": "A", "degrees": [{"type": "B"}, {"type": "C"}, {}]});
        assert_eq!(path(json!(["name"])).select(&root), Ok(vec![&json!("A")]));
        assert_eq!(path(json!(["degrees", 1, "type"])).select(&root), Ok(vec![&json!("C")]));
        assert_eq!(
            path(json!(["degrees", null, "type"])).select(&root),
            Ok(vec![&json!("B"), &json!("C")])
        );
        assert_eq!(path(json!(["degrees", 3])).select(&root), Ok(vec![]));
        assert_eq!(path(json!(["missing", "deeper"])).select(&root), Ok(vec![]));
    }

    #[test]
    fn a_component_of_the_wrong_kind_is_an_error() {
        let root = json!({"name": "A", "list": []});
        assert_eq!(
            path(json!(["name", "x"])).select(&root),
            Err(PathMismatch { component: 1 })
        );
        assert_eq!(
            path(json!(["list", "x"])).select(&root),
            Err(PathMismatch { component: 1 })
        );
        assert_eq!(path(json!([0])).select(&root), Err(PathMismatch { component: 0 }));
        assert_eq!(path(json!([null])).select(&root), Err(PathMismatch { component: 0 }));
    }

    #[test]
    fn other_components_and_lengths_are_refused() {
        for bad in [
            json!([]),
            json!([true]),
            json!([-1]),
            json!([1.5]),
            json!([["a"]]),
            json!("a"),
            json!(vec![0; 33]),
        ] {
            assert!(serde_json::from_value::<ClaimPath>(bad.clone()).is_err(), "{bad}");
        }
    }

    #[test]
    fn text_is_the_json_form() {
        assert_eq!(path(json!(["a", null, 2])).to_string(), r#"["a",null,2]"#);
    }
}
