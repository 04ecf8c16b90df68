//! What a schema may be so that its evaluation ends in bearable time.
//!
//! A schema of few bytes can make a validator work for years: two references in each definition to the next one double
//! the work with each definition, and one that refers to itself twice doubles it with each level of the document. So the
//! schema is looked at with every reference written out: that must be finite, and of limited size. Then each part is
//! applied to each place of the document once at most.
//!
//! This reads every object as a schema, those in `const` and `enum` as well: it may refuse too much, never too little.

use std::collections::BTreeMap;

use serde_json::Value;

/// Levels with all references written out. The library goes down a level with each, and a thread's stack has an end.
const MAX_DEPTH: usize = 64;
/// Objects and arrays with all references written out: a hundred claims, each with a dozen rules, fit eight times.
const MAX_PARTS: usize = 10_000;
/// Each is compiled to an automaton, which takes milliseconds.
const MAX_PATTERNS: usize = 100;

/// Keywords whose target is found only while a document is evaluated, or that make parts into resources of their own,
/// for which `$ref` would mean something else.
const UNREAD: [&str; 3] = ["$dynamicRef", "$recursiveRef", "$vocabulary"];

const UNEVALUATED: [&str; 2] = ["unevaluatedItems", "unevaluatedProperties"];

/// Whether the schema is within the limits and refers to nothing but itself.
pub(crate) fn hold(schema: &Value) -> bool {
    let mut anchors = BTreeMap::new();
    let mut patterns = 0;
    look(schema, 0, &mut anchors, &mut patterns).is_some()
        && Expansion {
            root: schema,
            anchors,
            parts: 0,
        }
        .walk(schema, 0)
        .is_some()
}

/// Collects the anchors; `None` for what is too deep or not read.
fn look<'s>(
    part: &'s Value,
    depth: usize,
    anchors: &mut BTreeMap<&'s str, &'s Value>,
    patterns: &mut usize,
) -> Option<()> {
    if depth > MAX_DEPTH {
        return None;
    }
    if let Value::Object(object) = part {
        let is_text = |name: &str| object.get(name).is_some_and(Value::is_string);
        if UNREAD.iter().any(|name| object.contains_key(*name)) || (depth > 0 && is_text("$id")) {
            return None;
        }
        if let Some(Value::String(anchor)) = object.get("$anchor")
            && anchors.insert(anchor, part).is_some()
        {
            return None;
        }
        *patterns += usize::from(is_text("pattern"));
        if let Some(Value::Object(by_pattern)) = object.get("patternProperties") {
            *patterns += by_pattern.len();
        }
        if *patterns > MAX_PATTERNS {
            return None;
        }
    }
    children(part).try_for_each(|child| look(child, depth + 1, anchors, patterns))
}

struct Expansion<'s> {
    root: &'s Value,
    anchors: BTreeMap<&'s str, &'s Value>,
    parts: usize,
}

impl<'s> Expansion<'s> {
    /// A reference to something above itself ends at the depth limit.
    fn walk(&mut self, part: &'s Value, depth: usize) -> Option<()> {
        if !part.is_object() && !part.is_array() {
            return Some(());
        }
        self.parts += 1;
        if depth > MAX_DEPTH || self.parts > MAX_PARTS {
            return None;
        }
        let Some(object) = part.as_object() else {
            return children(part).try_for_each(|child| self.walk(child, depth + 1));
        };
        // What is unevaluated is told by evaluating what stands beside it once more.
        let times = if UNEVALUATED.iter().any(|name| object.contains_key(*name)) {
            2
        } else {
            1
        };
        for _ in 0..times {
            if let Some(reference) = object.get("$ref").and_then(Value::as_str) {
                let target = self.target(reference)?;
                self.walk(target, depth + 1)?;
            }
            // Definitions count once more where they stand: a property may have the name of their keyword.
            children(part).try_for_each(|child| self.walk(child, depth + 1))?;
        }
        Some(())
    }

    /// `#`, `#/a/b` and `#anchor`, in the schema itself.
    fn target(&self, reference: &str) -> Option<&'s Value> {
        let fragment = reference.strip_prefix('#')?;
        match fragment {
            _ if fragment.contains('%') => None,
            _ if fragment.is_empty() || fragment.starts_with('/') => self.root.pointer(fragment),
            anchor => self.anchors.get(anchor).copied(),
        }
    }
}

fn children(part: &Value) -> Box<dyn Iterator<Item = &Value> + '_> {
    match part {
        Value::Object(object) => Box::new(object.values()),
        Value::Array(array) => Box::new(array.iter()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Box::new(std::iter::empty()),
    }
}
