//! JSON values side by side instead of inside each other: the nodes of all of them in one list, their text in one string.
//!
//! A [`serde_json::Value`] allocates for every name, text, array and object, which is a third of what verifying
//! a credential costs beside its signatures. A [`Tree`] allocates three times, whatever it holds, and is read
//! through [`Json`]. It is as strict as [`super::parse`] and has the same limits.

use std::fmt;

use serde::de::DeserializeSeed;
use serde::de::MapAccess;
use serde::de::SeqAccess;
use serde::de::Visitor;
use serde_json::Map;
use serde_json::Number;
use serde_json::Value;

use super::DUPLICATE;
use super::JsonError;
use super::Limits;
use super::NOT_AN_OBJECT;
use super::TOO_DEEP;
use super::check_size;
use super::malformed;

/// JSON values, one after the other.
#[derive(Clone, Default)]
pub struct Tree {
    nodes: Vec<Node>,
    text: String,
}

/// One value of a [`Tree`].
#[derive(Clone, Copy)]
pub struct Json<'a> {
    tree: &'a Tree,
    at: usize,
}

/// A [`Tree`] in the making.
#[derive(Default)]
pub struct TreeBuilder {
    tree: Tree,
    /// Names of the members of every object that is not finished, the innermost object's last.
    names: Vec<Text>,
}

/// Where an object begins in a [`TreeBuilder`], and which names are its own.
pub struct OpenObject {
    at: usize,
    first_name: usize,
}

/// Where an array begins in a [`TreeBuilder`].
pub struct OpenArray {
    at: usize,
}

/// A name stands twice in one object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DuplicateName;

/// Beginning and end of a text in [`Tree::text`].
#[derive(Clone, Copy)]
struct Text(usize, usize);

/// One value, or the name of a member, which stands before the member's value.
#[derive(Clone)]
enum Node {
    Null,
    Bool(bool),
    Number(Number),
    String(Text),
    /// What is inside comes next and ends before `end`.
    Array {
        end: usize,
    },
    /// As an array, in turns of name and value.
    Object {
        end: usize,
    },
}

/// Bytes of JSON for each node of what we read most, credentials: an estimate, which saves growing step by step.
const BYTES_PER_NODE: usize = 16;

impl Tree {
    /// Reads one JSON text.
    ///
    /// # Errors
    /// [`JsonError`], the sender's fault.
    pub fn parse(bytes: &[u8], limits: Limits) -> Result<Self, JsonError> {
        let mut builder = TreeBuilder::with_capacity(bytes.len());
        builder.parse(bytes, limits)?;
        Ok(builder.finish())
    }

    /// Reads one JSON text that must be an object.
    ///
    /// # Errors
    /// [`JsonError`], the sender's fault.
    pub fn parse_object(bytes: &[u8], limits: Limits) -> Result<Self, JsonError> {
        let tree = Self::parse(bytes, limits)?;
        if tree.root().is_object() {
            Ok(tree)
        } else {
            Err(NOT_AN_OBJECT)
        }
    }

    /// The first value.
    #[must_use]
    pub const fn root(&self) -> Json<'_> {
        self.at(0)
    }

    /// The value at a place that [`TreeBuilder::parse`] gave.
    #[must_use]
    pub const fn at(&self, place: usize) -> Json<'_> {
        Json { tree: self, at: place }
    }

    fn slice(&self, Text(start, end): Text) -> &str {
        self.text.get(start..end).unwrap_or_default()
    }
}

impl TreeBuilder {
    /// A builder with room for what `bytes` of JSON hold.
    #[must_use]
    pub fn with_capacity(bytes: usize) -> Self {
        Self {
            tree: Tree {
                nodes: Vec::with_capacity(bytes / BYTES_PER_NODE + 4),
                text: String::with_capacity(bytes),
            },
            names: Vec::with_capacity(bytes / BYTES_PER_NODE / 2 + 4),
        }
    }

    /// Reads one JSON text and adds its value; gives the place.
    ///
    /// # Errors
    /// [`JsonError`], the sender's fault; then the builder is good for nothing.
    pub fn parse(&mut self, bytes: &[u8], limits: Limits) -> Result<usize, JsonError> {
        check_size(bytes, limits)?;
        let place = self.tree.nodes.len();
        let mut deserializer = serde_json::Deserializer::from_slice(bytes);
        let value = Read {
            builder: self,
            levels_left: limits.max_depth,
        };
        value
            .deserialize(&mut deserializer)
            .and_then(|()| deserializer.end())
            .map_err(|error| malformed(&error))?;
        Ok(place)
    }

    /// Adds a string.
    pub fn string(&mut self, text: &str) {
        let text = self.text(text);
        self.tree.nodes.push(Node::String(text));
    }

    /// Adds `value`, if it is no array or object; says whether it did.
    pub fn scalar(&mut self, value: Json<'_>) -> bool {
        let node = match value.node() {
            Node::Array { .. } | Node::Object { .. } => return false,
            Node::String(text) => Node::String(self.text(value.tree.slice(*text))),
            scalar => scalar.clone(),
        };
        self.tree.nodes.push(node);
        true
    }

    /// Begins an object. Names and values follow in turns, then [`Self::end_object`].
    pub fn begin_object(&mut self) -> OpenObject {
        let at = self.tree.nodes.len();
        self.tree.nodes.push(Node::Object { end: at });
        OpenObject {
            at,
            first_name: self.names.len(),
        }
    }

    /// Adds the name of the next member.
    pub fn name(&mut self, name: &str) {
        let name = self.text(name);
        self.names.push(name);
        self.tree.nodes.push(Node::String(name));
    }

    /// Ends an object.
    ///
    /// # Errors
    /// [`DuplicateName`].
    pub fn end_object(&mut self, object: &OpenObject) -> Result<(), DuplicateName> {
        let end = self.tree.nodes.len();
        if let Some(node) = self.tree.nodes.get_mut(object.at) {
            *node = Node::Object { end };
        }
        let names = self.names.get_mut(object.first_name..).unwrap_or_default();
        let tree = &self.tree;
        names.sort_unstable_by(|one, other| tree.slice(*one).cmp(tree.slice(*other)));
        let twice = |pair: &[Text]| matches!(pair, [one, other] if tree.slice(*one) == tree.slice(*other));
        let duplicate = names.windows(2).any(twice);
        self.names.truncate(object.first_name);
        if duplicate { Err(DuplicateName) } else { Ok(()) }
    }

    /// Begins an array. Elements follow, then [`Self::end_array`].
    pub fn begin_array(&mut self) -> OpenArray {
        let at = self.tree.nodes.len();
        self.tree.nodes.push(Node::Array { end: at });
        OpenArray { at }
    }

    /// Ends an array.
    pub fn end_array(&mut self, array: &OpenArray) {
        let end = self.tree.nodes.len();
        if let Some(node) = self.tree.nodes.get_mut(array.at) {
            *node = Node::Array { end };
        }
    }

    /// The finished tree.
    #[must_use]
    pub fn finish(self) -> Tree {
        self.tree
    }

    fn text(&mut self, text: &str) -> Text {
        let start = self.tree.text.len();
        self.tree.text.push_str(text);
        Text(start, self.tree.text.len())
    }
}

impl<'a> Json<'a> {
    /// The string, if it is one.
    #[must_use]
    pub fn as_str(self) -> Option<&'a str> {
        match self.node() {
            Node::String(text) => Some(self.tree.slice(*text)),
            _ => None,
        }
    }

    /// The number, if it is an integer of this range.
    #[must_use]
    pub fn as_i64(self) -> Option<i64> {
        self.number().and_then(Number::as_i64)
    }

    /// The number, if it is an integer of this range.
    #[must_use]
    pub fn as_u64(self) -> Option<u64> {
        self.number().and_then(Number::as_u64)
    }

    /// The number, if it is one.
    #[must_use]
    pub fn as_f64(self) -> Option<f64> {
        self.number().and_then(Number::as_f64)
    }

    /// Whether it is an object.
    #[must_use]
    pub fn is_object(self) -> bool {
        matches!(self.node(), Node::Object { .. })
    }

    /// The elements, if it is an array.
    #[must_use]
    pub fn elements(self) -> Option<impl Iterator<Item = Self>> {
        let Node::Array { end } = *self.node() else { return None };
        let mut at = self.at + 1;
        Some(std::iter::from_fn(move || {
            let element = self.tree.at(at);
            (at < end).then(|| {
                at = element.end();
                element
            })
        }))
    }

    /// The members, if it is an object; each name once.
    #[must_use]
    pub fn members(self) -> Option<impl Iterator<Item = (&'a str, Self)>> {
        let Node::Object { end } = *self.node() else {
            return None;
        };
        let mut at = self.at + 1;
        Some(std::iter::from_fn(move || {
            let (name, value) = (self.tree.at(at), self.tree.at(at + 1));
            (at < end).then(|| {
                at = value.end();
                (name.as_str().unwrap_or_default(), value)
            })
        }))
    }

    /// The member of this name, if it is an object that has it.
    #[must_use]
    pub fn get(self, name: &str) -> Option<Self> {
        self.members()?
            .find(|(found, _)| *found == name)
            .map(|(_, value)| value)
    }

    /// The members as `serde_json` has them, if it is an object.
    #[must_use]
    pub fn to_map(self) -> Option<Map<String, Value>> {
        let owned = |(name, value): (&str, Self)| (name.to_owned(), value.to_value());
        self.members().map(|members| members.map(owned).collect())
    }

    /// The value as `serde_json` has it.
    #[must_use]
    pub fn to_value(self) -> Value {
        match self.node() {
            Node::Null => Value::Null,
            Node::Bool(value) => Value::Bool(*value),
            Node::Number(number) => Value::Number(number.clone()),
            Node::String(text) => Value::String(self.tree.slice(*text).to_owned()),
            Node::Array { .. } => Value::Array(self.elements().into_iter().flatten().map(Self::to_value).collect()),
            Node::Object { .. } => Value::Object(self.to_map().unwrap_or_default()),
        }
    }

    /// A place that is not there reads as `null`: the root of an empty tree.
    fn node(self) -> &'a Node {
        self.tree.nodes.get(self.at).unwrap_or(&Node::Null)
    }

    /// The place behind the value and all that is inside it.
    fn end(self) -> usize {
        match self.node() {
            Node::Array { end } | Node::Object { end } => *end,
            Node::Null | Node::Bool(_) | Node::Number(_) | Node::String(_) => self.at + 1,
        }
    }

    fn number(self) -> Option<&'a Number> {
        match self.node() {
            Node::Number(number) => Some(number),
            _ => None,
        }
    }
}

impl fmt::Debug for Tree {
    /// Without the values, which may be personal data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tree")
            .field("nodes", &self.nodes.len())
            .finish_non_exhaustive()
    }
}

/// Adds what a deserializer reads to a builder, and counts the levels on the way down.
struct Read<'b> {
    builder: &'b mut TreeBuilder,
    levels_left: usize,
}

/// Adds the name of a member.
struct ReadName<'b>(&'b mut TreeBuilder);

impl Read<'_> {
    fn push(self, node: Node) {
        self.builder.tree.nodes.push(node);
    }

    /// The level inside this one.
    fn inner<E: serde::de::Error>(&self) -> Result<usize, E> {
        self.levels_left.checked_sub(1).ok_or_else(|| E::custom(TOO_DEEP))
    }
}

impl<'de> DeserializeSeed<'de> for Read<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Read<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        self.push(Node::Bool(value));
        Ok(())
    }

    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        self.push(Node::Number(value.into()));
        Ok(())
    }

    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        self.push(Node::Number(value.into()));
        Ok(())
    }

    fn visit_f64<E>(self, value: f64) -> Result<(), E> {
        // JSON has no infinities, and the deserializer refuses numbers beyond a double.
        self.push(Number::from_f64(value).map_or(Node::Null, Node::Number));
        Ok(())
    }

    fn visit_str<E>(self, value: &str) -> Result<(), E> {
        self.builder.string(value);
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.push(Node::Null);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<(), A::Error> {
        let levels_left = self.inner()?;
        let builder = self.builder;
        let array = builder.begin_array();
        while access.next_element_seed(Read { builder, levels_left })?.is_some() {}
        builder.end_array(&array);
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<(), A::Error> {
        let levels_left = self.inner()?;
        let builder = self.builder;
        let object = builder.begin_object();
        while access.next_key_seed(ReadName(builder))?.is_some() {
            access.next_value_seed(Read { builder, levels_left })?;
        }
        builder
            .end_object(&object)
            .map_err(|DuplicateName| serde::de::Error::custom(DUPLICATE))
    }
}

impl<'de> DeserializeSeed<'de> for ReadName<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for ReadName<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, value: &str) -> Result<(), E> {
        self.0.name(value);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::DEFAULT_LIMITS;
    use super::*;

    fn read(text: &str) -> Result<Value, JsonError> {
        Tree::parse(text.as_bytes(), DEFAULT_LIMITS).map(|tree| tree.root().to_value())
    }

    #[test]
    fn what_the_other_reader_accepts_is_the_same_and_what_it_refuses_is_refused() {
        let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        for text in [
            r#"{"a":[1,-2,3.5,1e300,18446744073709551615,true,null,"x\u00e9\n"],"b":{"a":{},"":[]}}"#,
            r#"[[],{},"",0,-0.0,false]"#,
            "\"text\"",
            "17",
            r#"{"a":1,"a":1}"#,
            r#"{"a":{"b":1,"\u0062":2}}"#,
            r#"{"a":1,"b":{"a":1},"c":[{"a":1}]}"#,
            "{} {}",
            "{\"a\":",
            "[1e999]",
            "",
            &nested(32),
            &nested(33),
        ] {
            let expected = super::super::parse(text.as_bytes(), DEFAULT_LIMITS);
            let found = read(text);
            assert_eq!(found.is_ok(), expected.is_ok(), "{text}");
            if let (Ok(found), Ok(expected)) = (found, expected) {
                assert_eq!(found, expected, "{text}");
            }
        }
    }

    #[test]
    fn values_are_reached() {
        let tree = Tree::parse(br#"{"a":[1,{"b":2}],"c":-3,"d":"e","f":1.5}"#, DEFAULT_LIMITS).unwrap();
        let root = tree.root();
        assert!(root.is_object() && root.elements().is_none());
        let names: Vec<_> = root.members().unwrap().map(|(name, _)| name).collect();
        assert_eq!(names, ["a", "c", "d", "f"]);
        let elements: Vec<_> = root.get("a").unwrap().elements().unwrap().collect();
        assert_eq!(elements[0].as_u64(), Some(1));
        assert_eq!(elements[1].get("b").and_then(Json::as_i64), Some(2));
        assert_eq!(root.get("c").and_then(Json::as_i64), Some(-3));
        assert_eq!(root.get("d").and_then(Json::as_str), Some("e"));
        assert_eq!(root.get("f").and_then(Json::as_f64), Some(1.5));
        assert!(root.get("e").is_none() && root.get("c").unwrap().get("x").is_none());
    }

    #[test]
    fn several_texts_stand_side_by_side() {
        let mut builder = TreeBuilder::default();
        let first = builder.parse(b"[1,[2]]", DEFAULT_LIMITS).unwrap();
        let second = builder.parse(br#"{"a":"b"}"#, DEFAULT_LIMITS).unwrap();
        let tree = builder.finish();
        assert_eq!(tree.at(first).to_value(), serde_json::json!([1, [2]]));
        assert_eq!(tree.at(second).to_value(), serde_json::json!({"a": "b"}));
    }
}
