//! What the suites with selective disclosure have in common
//! ([Selective Disclosure Functions](https://www.w3.org/TR/vc-di-ecdsa/#selective-disclosure-functions)).
//!
//! Such a suite signs the statements of a document one by one. An issuer and a holder name parts of the document
//! by JSON pointers; [`Statements`] tells which statements a part makes. Blank nodes have canonical labels, which
//! depend on the whole document; so they get labels that stay when others see only a part ([`labels`]), and the
//! holder tells which of the part's own canonical labels stands for which ([`Selected::labels`]).
//!
//! The standard finds the statements of a part by names that it writes into the document, which takes an
//! expansion and a compaction. Documents of ours are in compacted form from the start, so here blank nodes are
//! known by the place where they stand ([`jsonld::to_rdf_with_places`]). A selection whose statements are not all
//! statements of the document is refused: a part of a JSON literal, of a list, or of a text with its language
//! says something else than the whole.

pub(super) mod labels;
mod pointer;
mod selection;

#[cfg(test)]
mod tests;

pub use pointer::MAX_POINTERS;
pub use pointer::Pointer;

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::HashMap;

use jsonld::BlankNode;
use jsonld::ContextLoader;
use jsonld::Dataset;
use jsonld::HashAlgorithm;
use jsonld::MAX_CANONICALIZATION_WORK;
use jsonld::Object;
use jsonld::Options;
use jsonld::Placed;
use jsonld::Quad;
use jsonld::Resource;
use serde_json::Map;
use serde_json::Value;
use thiserror::Error;

/// The fault of who chose the pointers, of the document's author, or of whoever changed it.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum SelectiveError {
    /// Its blank nodes cannot be told apart with bearable work.
    #[error("the document is too hard to canonicalize")]
    Canonicalization(#[from] jsonld::CanonicalizationError),
    /// It is not JSON-LD that a proof can cover.
    #[error("the document is no JSON-LD that a proof can cover")]
    JsonLd(#[from] jsonld::Error),
    /// The labels are not one for each blank node.
    #[error("expected one label for each of {expected} blank nodes, found others")]
    Labels {
        /// How many blank nodes there are.
        expected: usize,
    },
    /// A pointer leads nowhere.
    #[error("expected a pointer into the document, found `{pointer}`")]
    NotInDocument {
        /// The pointer.
        pointer: String,
    },
    /// A pointer leads into something that has a meaning only as a whole.
    #[error("expected lists, JSON literals and texts with a language to be selected as a whole, found a part")]
    NotWhole,
    /// No JSON pointer, or one to the whole document.
    #[error("expected a JSON pointer that begins with a slash, found another text")]
    PointerSyntax,
    /// More pointers than any document needs.
    #[error("expected at most {MAX_POINTERS} pointers, found {found}")]
    TooManyPointers {
        /// How many.
        found: usize,
    },
}

/// The statements of a whole document, as an issuer signs them and a holder selects from them.
pub(super) struct Statements<'d> {
    document: &'d Map<String, Value>,
    contexts: &'d ContextLoader,
    n_quads: Vec<String>,
    /// Each quad, and the position of its line.
    positions: BTreeMap<Quad, usize>,
    /// The blank node that stands at each place of the document.
    nodes: HashMap<String, BlankNode>,
    labels: BTreeMap<BlankNode, String>,
}

/// A part of a document.
pub(super) struct Selected {
    /// The part: what is revealed.
    pub(super) document: Map<String, Value>,
    /// The positions of its statements among those of the whole.
    pub(super) positions: BTreeSet<usize>,
    /// The labels of its blank nodes in the whole, by the numbers that they have when the part is canonicalized
    /// alone (`c14nNUMBER`).
    pub(super) labels: Vec<String>,
}

impl<'d> Statements<'d> {
    /// The statements of `document` with the `labels` that are made for a number of blank nodes: see [`labels`].
    pub(super) fn new(
        document: &'d Map<String, Value>,
        contexts: &'d ContextLoader,
        labels: impl FnOnce(usize) -> Vec<String>,
    ) -> Result<Self, SelectiveError> {
        let Placed { dataset, places } = placed(document, contexts)?;
        let numbers = canonical_numbers(&dataset)?;
        let labels = by_node(&numbers, &labels(numbers.len()))?;
        let lines = sorted_lines(&dataset, &labels);
        let positions = lines.iter().enumerate().map(|(at, (_, quad))| ((*quad).clone(), at));
        Ok(Self {
            document,
            contexts,
            positions: positions.collect(),
            nodes: (0..).map(BlankNode).zip(places).map(|(node, at)| (at, node)).collect(),
            n_quads: lines.into_iter().map(|(line, _)| line).collect(),
            labels,
        })
    }

    /// The canonical N-Quads, sorted.
    pub(super) fn n_quads(&self) -> &[String] {
        &self.n_quads
    }

    /// What `pointers` select of the document. Objects on the way to something selected come with `id` and `type`,
    /// the document itself also with `@context`; without any pointer nothing is selected.
    pub(super) fn select(&self, pointers: &[Pointer]) -> Result<Selected, SelectiveError> {
        if pointers.is_empty() {
            return Ok(Selected {
                document: Map::new(),
                positions: BTreeSet::new(),
                labels: Vec::new(),
            });
        }
        let selection = selection::select(self.document, pointers)?;
        let Placed { dataset, places } = placed(&selection.document, self.contexts)?;
        let nodes: Option<Vec<BlankNode>> = places
            .iter()
            .map(|place| self.nodes.get(&selection.original(place)).copied())
            .collect();
        let nodes = nodes.ok_or(SelectiveError::NotWhole)?;
        let node = |node: BlankNode| nodes.get(node.0 as usize).copied();
        let positions: Option<BTreeSet<usize>> = dataset
            .quads()
            .iter()
            .map(|quad| self.positions.get(&renamed(quad, &node)?).copied())
            .collect();
        let labels: Option<Vec<String>> = in_order(&canonical_numbers(&dataset)?)
            .into_iter()
            .map(|part| self.labels.get(&node(part)?).cloned())
            .collect();
        Ok(Selected {
            document: selection.document,
            positions: positions.ok_or(SelectiveError::NotWhole)?,
            labels: labels.ok_or(SelectiveError::NotWhole)?,
        })
    }
}

/// The canonical N-Quads of a revealed part, for who knows nothing of the whole: `labels` as the holder tells
/// them ([`Selected::labels`]). There must be one for each blank node, and no two alike: otherwise things that
/// are two in the document would be one in what was signed.
pub(super) fn labelled_n_quads(
    document: &Map<String, Value>,
    contexts: &ContextLoader,
    labels: &[String],
) -> Result<Vec<String>, SelectiveError> {
    let dataset = jsonld::to_rdf(&Value::Object(document.clone()), &Options::compact(contexts))?;
    let labels = by_node(&canonical_numbers(&dataset)?, labels)?;
    let lines = sorted_lines(&dataset, &labels);
    Ok(lines.into_iter().map(|(line, _)| line).collect())
}

fn placed(document: &Map<String, Value>, contexts: &ContextLoader) -> Result<Placed, jsonld::Error> {
    jsonld::to_rdf_with_places(&Value::Object(document.clone()), &Options::compact(contexts))
}

fn canonical_numbers(dataset: &Dataset) -> Result<BTreeMap<BlankNode, u32>, SelectiveError> {
    let canonical = jsonld::canonicalize(dataset, HashAlgorithm::Sha256, MAX_CANONICALIZATION_WORK)?;
    Ok(canonical.labels)
}

/// The blank nodes by canonical number.
fn in_order(numbers: &BTreeMap<BlankNode, u32>) -> Vec<BlankNode> {
    let mut nodes: Vec<(u32, BlankNode)> = numbers.iter().map(|(node, number)| (*number, *node)).collect();
    nodes.sort_unstable();
    nodes.into_iter().map(|(_, node)| node).collect()
}

/// The label of each blank node, from the `labels` by canonical number.
fn by_node(
    numbers: &BTreeMap<BlankNode, u32>,
    labels: &[String],
) -> Result<BTreeMap<BlankNode, String>, SelectiveError> {
    let expected = numbers.len();
    let distinct: BTreeSet<&String> = labels.iter().collect();
    if labels.len() != expected || distinct.len() != expected {
        return Err(SelectiveError::Labels { expected });
    }
    Ok(in_order(numbers).into_iter().zip(labels.iter().cloned()).collect())
}

fn sorted_lines<'q>(dataset: &'q Dataset, labels: &BTreeMap<BlankNode, String>) -> Vec<(String, &'q Quad)> {
    let label = |node| labels.get(&node).map(String::as_str).unwrap_or_default();
    let mut lines: Vec<(String, &Quad)> = dataset
        .quads()
        .iter()
        .map(|quad| (quad.to_n_quad(label), quad))
        .collect();
    // As RDFC-1.0 sorts: UTF-8 sorts like code points.
    lines.sort_unstable();
    lines
}

/// The quad with other blank nodes; none if one is not known.
fn renamed(quad: &Quad, node: &impl Fn(BlankNode) -> Option<BlankNode>) -> Option<Quad> {
    let resource = |resource: &Resource| match resource {
        Resource::Blank(old) => node(*old).map(Resource::Blank),
        iri @ Resource::Iri(_) => Some(iri.clone()),
    };
    Some(Quad {
        subject: resource(&quad.subject)?,
        predicate: quad.predicate.clone(),
        object: match &quad.object {
            Object::Resource(object) => Object::Resource(resource(object)?),
            literal @ Object::Literal(_) => literal.clone(),
        },
        graph: match &quad.graph {
            Some(graph) => Some(resource(graph)?),
            None => None,
        },
    })
}
