//! From the JSON of a document to its quads. `None` everywhere means: not a document for this path.
//!
//! The steps are those of `expansion/mod.rs`, `expansion/entries.rs` and `to_rdf.rs`, done together.

use std::borrow::Cow;

use serde_json::Map;
use serde_json::Value;

use super::quads::Node;
use super::quads::Object;
use super::quads::Quad;
use crate::Options;
use crate::RdfDirection;
use crate::context::ContextProcessor;
use crate::context::Property;
use crate::context::Role;
use crate::context::Shape;
use crate::context::Table;
use crate::context::Tables;
use crate::context::Term;
use crate::context::Values;
use crate::limits::Budget;
use crate::rdf;

/// Statements of a usual credential with its status.
const USUAL_QUADS: usize = 48;

pub(super) struct Walker<'d> {
    pub(super) tables: &'d Tables,
    pub(super) contexts: ContextProcessor<'d>,
    pub(super) direction: RdfDirection,
    quads: Vec<Quad<'d>>,
    blank_nodes: u32,
    max_depth: usize,
    elements: Budget,
    bytes: Budget,
}

/// Where in the document something stands.
#[derive(Clone, Copy)]
pub(super) struct Place<'d> {
    pub(super) table: &'d Table,
    graph: Option<u32>,
    depth: usize,
}

/// What the statements of one key begin with, and how its values are read.
#[derive(Clone, Copy)]
pub(super) struct Statement<'d, 'p> {
    subject: Node<'d>,
    predicate: &'p Cow<'d, str>,
    pub(super) key: &'d str,
    /// None for a name in the vocabulary, which is defined by no term.
    pub(super) term: Option<&'d Term>,
    pub(super) values: &'d Values,
}

/// What a name in the vocabulary has for values.
static PLAIN: Values = Values::Plain;

impl<'d> Walker<'d> {
    pub(super) fn new(options: &Options<'d>) -> Self {
        let limits = options.limits;
        Self {
            tables: options.loader.tables(),
            contexts: ContextProcessor::new(options.loader, None, limits.max_context_work),
            direction: options.rdf_direction,
            quads: Vec::with_capacity(USUAL_QUADS),
            blank_nodes: 0,
            max_depth: limits.max_depth,
            elements: Budget::new("JSON elements", limits.max_elements),
            bytes: Budget::new("bytes of expanded IRIs", limits.max_expanded_bytes),
        }
    }

    /// The quads of `document` with `context` in the place of its own, and how many blank nodes they have.
    pub(super) fn document(
        mut self,
        document: &'d Map<String, Value>,
        context: Option<&Value>,
    ) -> Option<(Vec<Quad<'d>>, u32)> {
        // A document that only names something states nothing.
        if document.keys().all(|key| matches!(key.as_str(), "@context" | "id")) {
            return None;
        }
        let place = Place {
            table: self.tables.initial()?,
            graph: None,
            depth: 0,
        };
        self.count(place.depth)?;
        self.node(document, context.or_else(|| document.get("@context")), place)?;
        Some((self.quads, self.blank_nodes))
    }

    /// Pays for one element.
    fn count(&mut self, depth: usize) -> Option<()> {
        self.elements.spend(1).ok()?;
        (depth <= self.max_depth).then_some(())
    }

    /// Pays for an IRI that expansion writes.
    pub(super) fn spend_bytes(&mut self, iri: &str) -> Option<()> {
        self.bytes.spend(iri.len()).ok()
    }

    /// Writes the quads of a node object, whose context is that of `place` with `local` on it.
    fn node(&mut self, map: &'d Map<String, Value>, local: Option<&Value>, place: Place<'d>) -> Option<Node<'d>> {
        let type_scoped = match local {
            Some(local) => self.tables.local(place.table, local, &mut self.contexts)?,
            None => place.table,
        };
        let types = map.get("type").filter(|_| type_scoped.has_type);
        let table = match types {
            Some(types) => self.type_table(type_scoped, types)?,
            None => type_scoped,
        };
        // A type's own context could make another thing of `type`.
        if table.has_type != type_scoped.has_type {
            return None;
        }
        let subject = match map.get("id").filter(|_| table.has_id) {
            Some(id) => Node::Iri(self.absolute_iri(table, id.as_str()?)?),
            None => Node::Blank(self.fresh_blank_node()),
        };
        if let Some(types) = types {
            self.types(types, subject, type_scoped, place.graph)?;
        }
        let place = Place { table, ..place };
        for (key, value) in map.iter().filter(|(key, _)| *key != "@context") {
            self.entry(key, value, subject, place)?;
        }
        Some(subject)
    }

    /// The context of a node of these types: their scoped contexts in the order of their names.
    fn type_table(&mut self, type_scoped: &'d Table, types: &'d Value) -> Option<&'d Table> {
        let scoped = |name: &&str| type_scoped.term(name).is_some_and(Term::has_scoped_context);
        let mut names: Vec<&str> = as_slice(types)
            .iter()
            .filter_map(Value::as_str)
            .filter(scoped)
            .collect();
        names.sort_unstable();
        names.iter().try_fold(type_scoped, |table, name| {
            let (term, found) = (table.term(name)?, type_scoped.term(name)?);
            // An earlier type may have brought another definition, which does not count.
            if !term.is_same_definition(found) {
                return None;
            }
            self.tables.inside(table, term, &mut self.contexts)
        })
    }

    fn types(&mut self, types: &'d Value, subject: Node<'d>, type_scoped: &'d Table, graph: Option<u32>) -> Option<()> {
        let types = as_slice(types);
        if types.is_empty() {
            return None;
        }
        for name in types {
            let class = self.class(type_scoped, name.as_str()?)?;
            self.elements.spend(1).ok()?;
            self.quads.push(Quad {
                subject,
                predicate: Cow::Borrowed(rdf::RDF_TYPE),
                object: Object::Class(class),
                graph,
            });
        }
        Some(())
    }

    fn entry(&mut self, key: &'d str, value: &'d Value, subject: Node<'d>, place: Place<'d>) -> Option<()> {
        let Some(term) = place.table.term(key) else {
            let predicate = place.table.in_vocabulary(key).filter(|_| !place.table.has_language())?;
            let statement = Statement {
                subject,
                predicate: &Cow::Owned(predicate),
                key,
                term: None,
                values: &PLAIN,
            };
            return self.property(value, statement, Shape::Set, place);
        };
        match &term.role {
            Role::Id | Role::Type => Some(()),
            Role::Other => None,
            Role::Property(Property { iri, values, shape }) => {
                let statement = Statement {
                    subject,
                    predicate: &Cow::Borrowed(iri),
                    key,
                    term: Some(term),
                    values,
                };
                self.property(value, statement, *shape, place)
            }
        }
    }

    fn property(
        &mut self,
        value: &'d Value,
        statement: Statement<'d, '_>,
        shape: Shape,
        place: Place<'d>,
    ) -> Option<()> {
        self.spend_bytes(statement.predicate)?;
        if matches!(statement.values, Values::Json) {
            let literal = Self::json_literal(value)?;
            self.push(statement, literal, place.graph);
            return Some(());
        }
        let mut depth = place.depth + 1;
        let items = match value {
            Value::Array(items) => {
                self.count(depth)?;
                depth += 1;
                items.as_slice()
            }
            single => std::slice::from_ref(single),
        };
        let place = Place { depth, ..place };
        match shape {
            Shape::List => self.list(items, statement, place),
            _ if items.is_empty() => None,
            Shape::Set => items.iter().try_for_each(|item| {
                let object = self.value(item, statement, place)?;
                self.push(statement, object, place.graph);
                Some(())
            }),
            Shape::Graph => items.iter().try_for_each(|item| {
                let map = item.as_object().filter(|map| !map.contains_key("@value"))?;
                let graph = self.fresh_blank_node();
                self.count(depth)?;
                let inside = Place {
                    graph: Some(graph),
                    ..place
                };
                self.object(map, statement.term, inside)?;
                self.push(statement, Object::Node(Node::Blank(graph)), place.graph);
                Some(())
            }),
        }
    }

    /// [List to RDF Conversion](https://www.w3.org/TR/json-ld11-api/#list-to-rdf-conversion).
    fn list(&mut self, items: &'d [Value], statement: Statement<'d, '_>, place: Place<'d>) -> Option<()> {
        let mut rest = Node::Iri(rdf::RDF_NIL);
        for item in items.iter().rev() {
            let cell = Node::Blank(self.fresh_blank_node());
            let first = self.value(item, statement, place)?;
            for (predicate, object) in [(rdf::RDF_FIRST, first), (rdf::RDF_REST, Object::Node(rest))] {
                self.quads.push(Quad {
                    subject: cell,
                    predicate: Cow::Borrowed(predicate),
                    object,
                    graph: place.graph,
                });
            }
            rest = cell;
        }
        self.push(statement, Object::Node(rest), place.graph);
        Some(())
    }

    /// One value, that is no array.
    fn value(&mut self, value: &'d Value, statement: Statement<'d, '_>, place: Place<'d>) -> Option<Object<'d>> {
        self.count(place.depth)?;
        match value {
            Value::Null | Value::Array(_) => None,
            Value::Object(map) if map.contains_key("@value") => {
                // Only for what is wrong with it.
                self.tables
                    .below(place.table, statement.term, false, &mut self.contexts)?;
                self.value_object(map)
            }
            Value::Object(map) => Some(Object::Node(self.object(map, statement.term, place)?)),
            scalar => self.scalar(scalar, statement, place.table),
        }
    }

    /// A node object below the property `term`.
    fn object(&mut self, map: &'d Map<String, Value>, term: Option<&'d Term>, place: Place<'d>) -> Option<Node<'d>> {
        let is_reference = || map.len() == 1 && map.contains_key("id") && place.table.has_id;
        let ends = place.table.is_type_scoped() && !is_reference();
        let table = self.tables.below(place.table, term, ends, &mut self.contexts)?;
        self.node(map, map.get("@context"), Place { table, ..place })
    }

    fn push(&mut self, statement: Statement<'d, '_>, object: Object<'d>, graph: Option<u32>) {
        self.quads.push(Quad {
            subject: statement.subject,
            predicate: statement.predicate.clone(),
            object,
            graph,
        });
    }

    const fn fresh_blank_node(&mut self) -> u32 {
        let node = self.blank_nodes;
        self.blank_nodes += 1;
        node
    }
}

/// The value as a slice, without wrapping it.
fn as_slice(value: &Value) -> &[Value] {
    match value {
        Value::Array(items) => items,
        single => std::slice::from_ref(single),
    }
}
