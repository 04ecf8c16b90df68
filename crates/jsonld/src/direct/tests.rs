//! Labels and lines against those of [`crate::canonicalize`], for every dataset of the tests of RDFC-1.0. (From
//! JSON to quads: `tests/documents/paths.rs`.)

use std::borrow::Cow;

use super::labels::labels;
use super::quads::Kind;
use super::quads::Literal;
use super::quads::Node;
use super::quads::Object;
use super::quads::Quad;
use super::quads::sorted_lines;
use crate::Dataset;
use crate::HashAlgorithm;
use crate::LiteralKind;
use crate::MAX_CANONICALIZATION_WORK;
use crate::Resource;

#[path = "../../tests/conformance/n_quads.rs"]
mod n_quads;
#[path = "../../tests/conformance/vectors.rs"]
#[expect(dead_code, reason = "no JSON is read here")]
mod vectors;

fn node(resource: &Resource) -> Node<'_> {
    match resource {
        Resource::Blank(node) => Node::Blank(node.0),
        Resource::Iri(iri) => Node::Iri(iri),
    }
}

/// None: a graph has an IRI for its name, which the direct path never makes.
fn borrowed(quad: &crate::Quad) -> Option<Quad<'_>> {
    let graph = match quad.graph.as_ref().map(node) {
        None => None,
        Some(Node::Blank(number)) => Some(number),
        Some(Node::Iri(_)) => return None,
    };
    let object = match &quad.object {
        crate::Object::Resource(resource) => Object::Node(node(resource)),
        crate::Object::Literal(literal) => Object::Literal(Literal {
            text: Cow::Borrowed(&literal.text),
            kind: match &literal.kind {
                LiteralKind::Language(tag) => Kind::Language(Cow::Borrowed(tag)),
                LiteralKind::Typed(datatype) => Kind::Typed(Cow::Borrowed(datatype)),
            },
        }),
    };
    Some(Quad {
        subject: node(&quad.subject),
        predicate: Cow::Borrowed(&quad.predicate),
        object,
        graph,
    })
}

fn direct(dataset: &Dataset, algorithm: HashAlgorithm) -> Option<String> {
    let mut quads: Vec<_> = dataset.quads().iter().map(borrowed).collect::<Option<_>>()?;
    // A dataset is a set; a walk may say things twice and in any order.
    quads.extend(dataset.quads().iter().rev().filter_map(borrowed));
    let labels = labels(&quads, u32::try_from(dataset.blank_nodes()).unwrap(), algorithm)?;
    Some(sorted_lines(&quads, &labels))
}

#[test]
fn datasets_of_the_vectors_have_the_same_labels_and_lines() {
    let Some(folder) = vectors::folder("rdf-canon") else {
        return;
    };
    let (mut compared, mut all) = (0, 0);
    let mut folders = vec![folder];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            if !path.to_string_lossy().ends_with("-in.nq") {
                continue;
            }
            let (dataset, _) = n_quads::parse(&std::fs::read_to_string(&path).unwrap());
            for algorithm in [HashAlgorithm::Sha256, HashAlgorithm::Sha384] {
                all += 1;
                let Some(direct) = direct(&dataset, algorithm) else {
                    continue;
                };
                let general = crate::canonicalize(&dataset, algorithm, MAX_CANONICALIZATION_WORK).unwrap();
                assert_eq!(direct, general.n_quads, "{}", path.display());
                assert_eq!(general.work, 0, "{}", path.display());
                compared += 1;
            }
        }
    }
    println!("rdf-canon: {compared} of {all} took the direct path");
    assert!(compared > 40, "{compared} of {all}");
}
