//! Statements that borrow from the document and the contexts, and their lines.

use std::borrow::Cow;
use std::ops::Range;

use crate::n_quads;
use crate::n_quads::KindRef;

/// One statement, in a graph.
pub(super) struct Quad<'d> {
    pub(super) subject: Node<'d>,
    pub(super) predicate: Cow<'d, str>,
    pub(super) object: Object<'d>,
    pub(super) graph: Option<u32>,
}

/// Something that statements are about.
#[derive(Clone, Copy)]
pub(super) enum Node<'d> {
    Blank(u32),
    Iri(&'d str),
}

/// The value of a statement.
pub(super) enum Object<'d> {
    /// A type, or the value of a `@vocab` property.
    Class(Cow<'d, str>),
    Literal(Literal<'d>),
    Node(Node<'d>),
}

/// A text with a datatype or language.
pub(super) struct Literal<'d> {
    pub(super) text: Cow<'d, str>,
    pub(super) kind: Kind<'d>,
}

/// As [`crate::LiteralKind`].
pub(super) enum Kind<'d> {
    Language(Cow<'d, str>),
    Typed(Cow<'d, str>),
}

impl Quad<'_> {
    /// The blank nodes in subject, object and graph name.
    pub(super) const fn blank_nodes(&self) -> [Option<u32>; 3] {
        let object = match &self.object {
            Object::Node(Node::Blank(number)) => Some(*number),
            Object::Node(Node::Iri(_)) | Object::Class(_) | Object::Literal(_) => None,
        };
        let subject = match self.subject {
            Node::Blank(number) => Some(number),
            Node::Iri(_) => None,
        };
        [subject, object, self.graph]
    }

    /// Appends the line; `label` appends what stands for a blank node after `_:`.
    pub(super) fn write(&self, out: &mut String, label: &impl Fn(u32, &mut String)) {
        write_node(out, self.subject, label);
        out.push_str(" <");
        out.push_str(&self.predicate);
        out.push_str("> ");
        match &self.object {
            Object::Class(iri) => n_quads::write_iri(out, iri),
            Object::Node(node) => write_node(out, *node, label),
            Object::Literal(literal) => {
                let kind = match &literal.kind {
                    Kind::Language(tag) => KindRef::Language(tag),
                    Kind::Typed(datatype) => KindRef::Typed(datatype),
                };
                n_quads::write_literal(out, &literal.text, kind);
            }
        }
        if let Some(graph) = self.graph {
            out.push(' ');
            write_node(out, Node::Blank(graph), label);
        }
        out.push_str(" .\n");
    }
}

fn write_node(out: &mut String, node: Node<'_>, label: &impl Fn(u32, &mut String)) {
    match node {
        Node::Iri(iri) => n_quads::write_iri(out, iri),
        Node::Blank(number) => {
            out.push_str("_:");
            label(number, out);
        }
    }
}

/// Lines in one buffer, so that a line costs no allocation.
#[derive(Default)]
pub(super) struct Lines {
    text: String,
    ranges: Vec<Range<usize>>,
}

impl Lines {
    /// For lines of about the length that credentials have.
    pub(super) fn with_capacity(lines: usize) -> Self {
        const USUAL_LINE: usize = 128;
        Self {
            text: String::with_capacity(lines * USUAL_LINE),
            ranges: Vec::with_capacity(lines),
        }
    }

    pub(super) fn clear(&mut self) {
        self.text.clear();
        self.ranges.clear();
    }

    /// Adds the line that `write` appends, and gives its range.
    pub(super) fn add(&mut self, write: impl FnOnce(&mut String)) -> Range<usize> {
        let start = self.text.len();
        write(&mut self.text);
        let range = start..self.text.len();
        self.ranges.push(range.clone());
        range
    }

    pub(super) fn get(&self, range: &Range<usize>) -> &str {
        self.text.get(range.clone()).unwrap_or_default()
    }

    /// The set of lines, sorted, as one text. UTF-8 sorts like code points.
    fn into_sorted(mut self) -> String {
        let text = self.text.as_str();
        let line = |range: &Range<usize>| text.get(range.clone()).unwrap_or_default();
        self.ranges.sort_unstable_by(|left, right| line(left).cmp(line(right)));
        self.ranges.dedup_by(|left, right| line(left) == line(right));
        let mut sorted = String::with_capacity(text.len());
        for range in &self.ranges {
            sorted.push_str(line(range));
        }
        sorted
    }
}

/// The canonical N-Quads of `quads`, where blank node `n` has the label `c14n` with the number `labels[n]`.
pub(super) fn sorted_lines(quads: &[Quad<'_>], labels: &[u32]) -> String {
    let label = |node: u32, out: &mut String| {
        out.push_str("c14n");
        n_quads::write_number(out, labels.get(node as usize).copied().unwrap_or_default());
    };
    let mut lines = Lines::with_capacity(quads.len());
    for quad in quads {
        lines.add(|out| quad.write(out, &label));
    }
    lines.into_sorted()
}
