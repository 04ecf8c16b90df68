//! [Canonical N-Quads](https://www.w3.org/TR/rdf-canon/#canonical-quads): one quad, one line, one way.

use crate::rdf::BlankNode;
use crate::rdf::LiteralKind;
use crate::rdf::Object;
use crate::rdf::Quad;
use crate::rdf::Resource;
use crate::rdf::XSD_STRING;

/// Appends the line for `quad`; `label` appends the label of a blank node, without `_:`.
pub(crate) fn write_quad(out: &mut String, quad: &Quad, label: &dyn Fn(BlankNode, &mut String)) {
    write_resource(out, &quad.subject, label);
    out.push(' ');
    write_iri(out, &quad.predicate);
    out.push(' ');
    match &quad.object {
        Object::Resource(resource) => write_resource(out, resource, label),
        Object::Literal(literal) => {
            let kind = match &literal.kind {
                LiteralKind::Language(tag) => KindRef::Language(tag),
                LiteralKind::Typed(datatype) => KindRef::Typed(datatype),
            };
            write_literal(out, &literal.text, kind);
        }
    }
    if let Some(graph) = &quad.graph {
        out.push(' ');
        write_resource(out, graph, label);
    }
    out.push_str(" .\n");
}

fn write_resource(out: &mut String, resource: &Resource, label: &dyn Fn(BlankNode, &mut String)) {
    match resource {
        Resource::Iri(iri) => write_iri(out, iri),
        Resource::Blank(node) => {
            out.push_str("_:");
            label(*node, out);
        }
    }
}

pub(crate) fn write_iri(out: &mut String, iri: &str) {
    out.push('<');
    out.push_str(iri);
    out.push('>');
}

pub(crate) fn write_number(out: &mut String, number: u32) {
    if let Some(digit) = char::from_digit(number, 10) {
        out.push(digit);
    } else {
        out.push_str(&number.to_string());
    }
}

/// A [`LiteralKind`], borrowed.
#[derive(Clone, Copy)]
pub(crate) enum KindRef<'k> {
    Language(&'k str),
    Typed(&'k str),
}

pub(crate) fn write_literal(out: &mut String, text: &str, kind: KindRef<'_>) {
    out.push('"');
    if text.bytes().all(is_plain) {
        out.push_str(text);
    } else {
        text.chars().for_each(|character| write_escaped(out, character));
    }
    out.push('"');
    match kind {
        KindRef::Typed(XSD_STRING) => {}
        KindRef::Typed(datatype) => {
            out.push_str("^^");
            write_iri(out, datatype);
        }
        KindRef::Language(tag) => {
            out.push('@');
            out.push_str(tag);
        }
    }
}

/// Whether this byte of a text is surely no part of what is escaped. (U+FFFE and U+FFFF begin with EF.)
const fn is_plain(byte: u8) -> bool {
    byte >= b' ' && !matches!(byte, b'"' | b'\\' | 0x7f | 0xef)
}

fn write_escaped(out: &mut String, character: char) {
    match character {
        '\u{8}' => out.push_str("\\b"),
        '\t' => out.push_str("\\t"),
        '\n' => out.push_str("\\n"),
        '\u{c}' => out.push_str("\\f"),
        '\r' => out.push_str("\\r"),
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        // The rest of the control characters, DEL, and what XML 1.1 has no `Char` for.
        '\0'..='\u{1f}' | '\u{7f}' | '\u{fffe}' | '\u{ffff}' => {
            let escaped = format!("\\u{:04X}", u32::from(character));
            out.push_str(&escaped);
        }
        other => out.push(other),
    }
}
