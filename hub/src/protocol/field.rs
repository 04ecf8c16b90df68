//! Fields: which members of an answer somebody may see.
//!
//! A field is the name of a member of the answer's JSON object, or a path of names joined by dots
//! (`address.locality`). Arrays are passed through: a field of an array's elements is named as if there
//! were one element.

use std::collections::BTreeSet;
use std::fmt;

use serde::Deserialize;
use serde::Serialize;
use serde_json::Value;
use thiserror::Error;

/// The widest register we know answers with 60 members.
pub const MAX_FIELDS: usize = 128;

/// Four levels of names of 31 characters.
const MAX_FIELD_BYTES: usize = 128;

/// The text or set is not one of fields: the fault of whoever wrote it.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("expected {expected}")]
pub struct FieldError {
    expected: &'static str,
}

/// A name or a dotted path of names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Field(String);

/// One field or more, each once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Field>", into = "Vec<Field>")]
pub struct FieldSet(BTreeSet<Field>);

impl Field {
    /// Reads a field.
    ///
    /// # Errors
    /// [`FieldError`].
    pub fn parse(text: &str) -> Result<Self, FieldError> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        let is_name = |name: &str| !name.is_empty() && name.bytes().all(allowed);
        if text.len() > MAX_FIELD_BYTES || !text.split('.').all(is_name) {
            return Err(FieldError {
                expected: "a field of letters, digits, underscores and hyphens, its levels joined by dots",
            });
        }
        Ok(Self(text.to_owned()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether who may see `self` may see `other`: itself, or a part of it.
    fn covers(&self, other: &Self) -> bool {
        other
            .0
            .strip_prefix(&self.0)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    }
}

impl FieldSet {
    /// A set of the given fields.
    ///
    /// # Errors
    /// [`FieldError`] for none or too many.
    pub fn new(fields: impl IntoIterator<Item = Field>) -> Result<Self, FieldError> {
        let set: BTreeSet<Field> = fields.into_iter().collect();
        if set.is_empty() || set.len() > MAX_FIELDS {
            return Err(FieldError {
                expected: "1 to 128 fields",
            });
        }
        Ok(Self(set))
    }

    /// Reads the fields of a query parameter, joined by commas.
    ///
    /// # Errors
    /// [`FieldError`].
    pub fn parse_list(text: &str) -> Result<Self, FieldError> {
        let fields: Result<Vec<Field>, FieldError> = text.split(',').take(MAX_FIELDS + 1).map(Field::parse).collect();
        Self::new(fields?)
    }

    /// The fields, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Field> {
        self.0.iter()
    }

    /// The fields that `allowed` does not cover.
    #[must_use]
    pub fn beyond(&self, allowed: &Self) -> Vec<Field> {
        let is_covered = |field: &Field| allowed.0.iter().any(|wider| wider.covers(field));
        self.0.iter().filter(|field| !is_covered(field)).cloned().collect()
    }

    /// Whether `allowed` covers every field.
    #[must_use]
    pub fn is_within(&self, allowed: &Self) -> bool {
        self.beyond(allowed).is_empty()
    }

    /// What of an answer these fields cover. `None` for an answer that has no members, of which nothing
    /// can be said.
    #[must_use]
    pub fn keep(&self, answer: Value) -> Option<Value> {
        let paths: Vec<&str> = self.0.iter().map(Field::as_str).collect();
        keep(answer, &paths)
    }
}

fn keep(value: Value, paths: &[&str]) -> Option<Value> {
    match value {
        Value::Object(members) => {
            let kept = members.into_iter().filter_map(|(name, member)| {
                let rests: Vec<&str> = paths.iter().filter_map(|path| path.strip_prefix(&*name)).collect();
                if rests.iter().any(|rest| rest.is_empty()) {
                    return Some((name, member));
                }
                let inner: Vec<&str> = rests.iter().filter_map(|rest| rest.strip_prefix('.')).collect();
                if inner.is_empty() {
                    return None;
                }
                Some((name, keep(member, &inner)?))
            });
            Some(Value::Object(kept.collect()))
        }
        Value::Array(elements) => {
            let kept = elements.into_iter().map(|element| keep(element, paths));
            kept.collect::<Option<Vec<Value>>>().map(Value::Array)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

impl TryFrom<String> for Field {
    type Error = FieldError;

    fn try_from(text: String) -> Result<Self, FieldError> {
        Self::parse(&text)
    }
}

impl From<Field> for String {
    fn from(field: Field) -> Self {
        field.0
    }
}

impl TryFrom<Vec<Field>> for FieldSet {
    type Error = FieldError;

    fn try_from(fields: Vec<Field>) -> Result<Self, FieldError> {
        Self::new(fields)
    }
}

impl From<FieldSet> for Vec<Field> {
    fn from(fields: FieldSet) -> Self {
        fields.0.into_iter().collect()
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for FieldSet {
    /// The fields, joined by commas.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.0.iter().map(Field::as_str).collect();
        f.write_str(&names.join(","))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fields(list: &str) -> FieldSet {
        FieldSet::parse_list(list).unwrap()
    }

    #[test]
    fn only_covered_members_are_kept() {
        let answer = json!({"name": "A", "address": {"locality": "B", "street": "C"}, "name_at_birth": "D"});
        assert_eq!(fields("name").keep(answer.clone()), Some(json!({"name": "A"})));
        assert_eq!(
            fields("address.locality").keep(answer.clone()),
            Some(json!({"address": {"locality": "B"}}))
        );
        assert_eq!(
            fields("address,address.locality").keep(answer.clone()).unwrap()["address"]["street"],
            "C"
        );
        assert_eq!(fields("nothing").keep(answer), Some(json!({})));
    }

    #[test]
    fn elements_of_arrays_are_cut_one_by_one() {
        let answer = json!([{"a": 1, "b": 2}, {"b": 3}]);
        assert_eq!(fields("a").keep(answer), Some(json!([{"a": 1}, {}])));
        assert_eq!(
            fields("a.c").keep(json!({"a": [{"c": 1, "d": 2}]})),
            Some(json!({"a": [{"c": 1}]}))
        );
    }

    #[test]
    fn an_answer_without_members_is_nobodys() {
        assert_eq!(fields("a").keep(json!("text")), None);
        assert_eq!(fields("a").keep(json!([{"a": 1}, "text"])), None);
        // A part of something that has no parts is absent.
        assert_eq!(fields("a.b").keep(json!({"a": "text"})), Some(json!({})));
    }

    #[test]
    fn a_wider_field_covers_its_parts_and_no_others() {
        assert!(fields("address.locality").is_within(&fields("address")));
        assert!(!fields("address").is_within(&fields("address.locality")));
        assert!(!fields("address_old").is_within(&fields("address")));
        assert_eq!(fields("a,b,c").beyond(&fields("a,c")), vec![Field::parse("b").unwrap()]);
    }

    #[test]
    fn other_texts_are_no_fields() {
        for bad in ["", ",", "a,", "a..b", ".a", "a b", "a/b", "é"] {
            assert!(FieldSet::parse_list(bad).is_err(), "{bad:?}");
        }
        let many: Vec<String> = (0..=MAX_FIELDS).map(|n| format!("f{n}")).collect();
        assert!(FieldSet::parse_list(&many.join(",")).is_err());
        assert!(serde_json::from_value::<FieldSet>(json!([])).is_err());
    }
}
