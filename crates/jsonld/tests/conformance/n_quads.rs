//! [N-Quads](https://www.w3.org/TR/n-quads/) for tests: well-formed input is read, anything else panics.

use std::collections::BTreeMap;

use jsonld::BlankNode;
use jsonld::Dataset;
use jsonld::Literal;
use jsonld::LiteralKind;
use jsonld::Object;
use jsonld::Quad;
use jsonld::Resource;

const XSD_STRING: &str = "http://www.w3.org/2001/XMLSchema#string";

/// The dataset of `text`, and the label that each blank node has there.
pub(crate) fn parse(text: &str) -> (Dataset, BTreeMap<String, BlankNode>) {
    let mut labels = BTreeMap::new();
    let quads = text
        .lines()
        .filter(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#'))
        .map(|line| {
            Line {
                rest: line,
                labels: &mut labels,
            }
            .quad()
        })
        .collect();
    (Dataset::new(quads), labels)
}

struct Line<'l> {
    rest: &'l str,
    labels: &'l mut BTreeMap<String, BlankNode>,
}

impl Line<'_> {
    fn quad(mut self) -> Quad {
        let subject = self.resource();
        let predicate = self.iri();
        let object = if self.peek() == '"' {
            Object::Literal(self.literal())
        } else {
            Object::Resource(self.resource())
        };
        let graph = (self.peek() != '.').then(|| self.resource());
        assert_eq!(self.peek(), '.', "{}", self.rest);
        Quad {
            subject,
            predicate,
            object,
            graph,
        }
    }

    fn peek(&mut self) -> char {
        self.rest = self.rest.trim_start();
        self.rest.chars().next().expect("a term")
    }

    fn resource(&mut self) -> Resource {
        if self.peek() == '<' {
            return Resource::Iri(self.iri());
        }
        let text = self.rest.strip_prefix("_:").expect("a blank node");
        let end = text
            .find(|character: char| character.is_whitespace() || matches!(character, '<' | '"'))
            .unwrap_or(text.len());
        // A label cannot end with a dot: that one ends the statement.
        let label = text[..end].trim_end_matches('.');
        self.rest = &text[label.len()..];
        let next = u32::try_from(self.labels.len()).unwrap();
        Resource::Blank(*self.labels.entry(label.to_owned()).or_insert(BlankNode(next)))
    }

    fn iri(&mut self) -> String {
        assert_eq!(self.peek(), '<', "{}", self.rest);
        let end = self.rest.find('>').expect("the end of an IRI");
        let iri = unescape(&self.rest[1..end]);
        self.rest = &self.rest[end + 1..];
        iri
    }

    fn literal(&mut self) -> Literal {
        let body = &self.rest[1..];
        let mut escaped = false;
        let end = body
            .find(|character| {
                let ends = character == '"' && !escaped;
                escaped = character == '\\' && !escaped;
                ends
            })
            .expect("the end of a literal");
        let text = unescape(&body[..end]);
        self.rest = &body[end + 1..];
        let kind = if let Some(rest) = self.rest.strip_prefix("^^") {
            self.rest = rest;
            LiteralKind::Typed(self.iri())
        } else if let Some(rest) = self.rest.strip_prefix('@') {
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '-').unwrap();
            self.rest = &rest[end..];
            LiteralKind::Language(rest[..end].to_owned())
        } else {
            LiteralKind::Typed(XSD_STRING.to_owned())
        };
        Literal { text, kind }
    }
}

fn unescape(text: &str) -> String {
    let mut out = String::new();
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            out.push(character);
            continue;
        }
        let digits = match characters.next().unwrap() {
            'u' => 4,
            'U' => 8,
            'b' => {
                out.push('\u{8}');
                continue;
            }
            't' => {
                out.push('\t');
                continue;
            }
            'n' => {
                out.push('\n');
                continue;
            }
            'f' => {
                out.push('\u{c}');
                continue;
            }
            'r' => {
                out.push('\r');
                continue;
            }
            other => {
                out.push(other);
                continue;
            }
        };
        let code: String = characters.by_ref().take(digits).collect();
        out.push(char::from_u32(u32::from_str_radix(&code, 16).unwrap()).unwrap());
    }
    out
}
