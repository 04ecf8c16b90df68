//! [RDF Dataset Canonicalization](https://www.w3.org/TR/rdf-canon/) (RDFC-1.0) with a bound on its work.
//!
//! Telling blank nodes apart can take exponential time, and anybody can write a dataset where it does
//! ([Dataset Poisoning](https://www.w3.org/TR/rdf-canon/#dataset-poisoning)). So each step is paid from a
//! budget, and a dataset that exceeds it is refused.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

use sha2::Digest;
use sha2::Sha256;
use sha2::Sha384;
use thiserror::Error;

use crate::n_quads::write_quad;
use crate::rdf::BlankNode;
use crate::rdf::Dataset;
use crate::rdf::Object;
use crate::rdf::Quad;
use crate::rdf::Resource;

/// What one dataset may cost, in steps of the N-degree hash (a related node hashed, a node of a path tried).
/// A step takes about 0.1 µs on a server, so a refused dataset has cost some 10 ms there and 50 ms on a phone.
/// The hardest solvable dataset of the W3C tests ("poison - evil") takes about 12,500, a credential usually
/// none.
pub const MAX_CANONICALIZATION_WORK: usize = 100_000;

/// Nested N-degree hashes. Each level stands for one more blank node on a path of equal looking ones.
const MAX_CANONICALIZATION_DEPTH: usize = 64;

/// The hash function inside the algorithm. Cryptosuites fix it: SHA-256 but for P-384 keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HashAlgorithm {
    /// The default of RDFC-1.0.
    Sha256,
    /// For `ecdsa-rdfc-2019` with P-384.
    Sha384,
}

/// The dataset is too hard to canonicalize: its author's fault.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum CanonicalizationError {
    /// Blank nodes that look alike refer to each other too deep.
    #[error("expected blank nodes that can be told apart within {limit} levels")]
    TooDeep {
        /// The limit.
        limit: usize,
    },
    /// Too many ways to label the blank nodes.
    #[error("expected blank nodes that can be told apart within {limit} steps")]
    TooMuchWork {
        /// The limit.
        limit: usize,
    },
}

/// A canonicalized dataset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Canonical {
    /// The serialized canonical form: canonical N-Quads, sorted, each ending with a line feed.
    pub n_quads: String,
    /// Each blank node and the number of its canonical label (`c14nNUMBER`).
    pub labels: BTreeMap<BlankNode, u32>,
    /// What it cost, to be compared with the limit.
    pub work: usize,
}

/// The canonical form of `dataset`.
///
/// # Errors
/// [`CanonicalizationError`] when it takes more than `max_work` steps.
pub fn canonicalize(
    dataset: &Dataset,
    algorithm: HashAlgorithm,
    max_work: usize,
) -> Result<Canonical, CanonicalizationError> {
    let hash = match algorithm {
        HashAlgorithm::Sha256 => hex_digest::<Sha256>,
        HashAlgorithm::Sha384 => hex_digest::<Sha384>,
    };
    Canonicalizer::new(dataset, hash, max_work).run()
}

fn hex_digest<D: Digest>(text: &str) -> String {
    const DIGITS: [char; 16] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f',
    ];
    let digest = D::digest(text.as_bytes());
    let mut hex = String::with_capacity(digest.len() * 2);
    for byte in &digest {
        for nibble in [byte >> 4, byte & 0xf] {
            hex.extend(DIGITS.get(usize::from(nibble)));
        }
    }
    hex
}

/// [Canonicalization State](https://www.w3.org/TR/rdf-canon/#canon-state).
struct Canonicalizer<'d> {
    dataset: &'d Dataset,
    hash: fn(&str) -> String,
    /// For each blank node, the quads that mention it.
    mentions: Vec<Vec<&'d Quad>>,
    /// For each blank node, its first degree hash.
    first_degree: Vec<String>,
    canonical: Issuer,
    max_work: usize,
    work: usize,
}

impl<'d> Canonicalizer<'d> {
    fn new(dataset: &'d Dataset, hash: fn(&str) -> String, max_work: usize) -> Self {
        let mut mentions: Vec<Vec<&Quad>> = vec![Vec::new(); dataset.blank_nodes()];
        for quad in dataset.quads() {
            for node in quad.blank_nodes() {
                if let Some(quads) = mentions.get_mut(node.0 as usize)
                    && !quads.last().is_some_and(|last| std::ptr::eq(*last, quad))
                {
                    quads.push(quad);
                }
            }
        }
        Self {
            dataset,
            hash,
            mentions,
            first_degree: Vec::new(),
            canonical: Issuer::default(),
            max_work,
            work: 0,
        }
    }

    /// [The algorithm](https://www.w3.org/TR/rdf-canon/#canon-algo-algo), from step 3.
    fn run(mut self) -> Result<Canonical, CanonicalizationError> {
        let mut hash_to_nodes: BTreeMap<String, Vec<BlankNode>> = BTreeMap::new();
        for (number, quads) in (0_u32..).zip(&self.mentions) {
            let node = BlankNode(number);
            let hash = self.hash_first_degree(node, quads);
            if !quads.is_empty() {
                hash_to_nodes.entry(hash.clone()).or_default().push(node);
            }
            self.first_degree.push(hash);
        }
        hash_to_nodes.retain(|_, nodes| match nodes.as_slice() {
            [only] => {
                self.canonical.issue(*only);
                false
            }
            _ => true,
        });
        for nodes in hash_to_nodes.into_values() {
            self.label_alike(&nodes)?;
        }
        Ok(self.finish())
    }

    /// Step 5, for the nodes of one first degree hash.
    fn label_alike(&mut self, nodes: &[BlankNode]) -> Result<(), CanonicalizationError> {
        let mut results = Vec::new();
        for node in nodes {
            if self.canonical.issued(*node).is_some() {
                continue;
            }
            let mut temporary = Issuer::default();
            temporary.issue(*node);
            results.push(self.hash_n_degree(*node, temporary, 0)?);
        }
        results.sort_by(|(left, _), (right, _)| left.cmp(right));
        for (_, issuer) in results {
            for node in issuer.order {
                self.canonical.issue(node);
            }
        }
        Ok(())
    }

    fn finish(self) -> Canonical {
        let label = |node: BlankNode, out: &mut String| {
            out.push_str("c14n");
            if let Some(number) = self.canonical.issued(node) {
                out.push_str(&number.to_string());
            }
        };
        let mut lines: Vec<String> = self
            .dataset
            .quads()
            .iter()
            .map(|quad| {
                let mut line = String::new();
                write_quad(&mut line, quad, &label);
                line
            })
            .collect();
        // UTF-8 sorts like code points.
        lines.sort_unstable();
        Canonical {
            n_quads: lines.concat(),
            labels: self.canonical.issued.into_iter().collect(),
            work: self.work,
        }
    }

    /// [Hash First Degree Quads](https://www.w3.org/TR/rdf-canon/#hash-1d-quads).
    fn hash_first_degree(&self, node: BlankNode, quads: &[&Quad]) -> String {
        let label = |other: BlankNode, out: &mut String| out.push(if other == node { 'a' } else { 'z' });
        let mut lines: Vec<String> = quads
            .iter()
            .map(|quad| {
                let mut line = String::new();
                write_quad(&mut line, quad, &label);
                line
            })
            .collect();
        lines.sort_unstable();
        (self.hash)(&lines.concat())
    }

    /// [Hash Related Blank Node](https://www.w3.org/TR/rdf-canon/#hash-related-blank-node).
    fn hash_related(&self, related: BlankNode, quad: &Quad, issuer: &Issuer, position: char) -> String {
        let mut input = String::from(position);
        if position != 'g' {
            input.push('<');
            input.push_str(&quad.predicate);
            input.push('>');
        }
        if !self.push_label(&mut input, related, issuer) {
            input.extend(self.first_degree.get(related.0 as usize).map(String::as_str));
        }
        (self.hash)(&input)
    }

    /// Appends the label issued for `node`, if there is one: the canonical before the temporary.
    fn push_label(&self, out: &mut String, node: BlankNode, temporary: &Issuer) -> bool {
        let (prefix, number) = match (self.canonical.issued(node), temporary.issued(node)) {
            (Some(number), _) => ("_:c14n", number),
            (None, Some(number)) => ("_:b", number),
            (None, None) => return false,
        };
        out.push_str(prefix);
        out.push_str(&number.to_string());
        true
    }

    /// [Hash N-Degree Quads](https://www.w3.org/TR/rdf-canon/#hash-nd-quads).
    fn hash_n_degree(
        &mut self,
        node: BlankNode,
        mut issuer: Issuer,
        depth: usize,
    ) -> Result<(String, Issuer), CanonicalizationError> {
        if depth > MAX_CANONICALIZATION_DEPTH {
            return Err(CanonicalizationError::TooDeep {
                limit: MAX_CANONICALIZATION_DEPTH,
            });
        }
        let related_hashes = self.related_hashes(node, &issuer)?;
        let mut data_to_hash = String::new();
        for (related_hash, mut nodes) in related_hashes {
            data_to_hash.push_str(&related_hash);
            nodes.sort_unstable();
            let mut chosen: Option<(String, Issuer)> = None;
            loop {
                let best = chosen.as_ref().map(|(path, _)| path.as_str());
                if let Some(better) = self.path(&nodes, &issuer, best, depth)? {
                    chosen = Some(better);
                }
                if !next_permutation(&mut nodes) {
                    break;
                }
            }
            if let Some((path, chosen_issuer)) = chosen {
                data_to_hash.push_str(&path);
                issuer = chosen_issuer;
            }
        }
        Ok(((self.hash)(&data_to_hash), issuer))
    }

    /// Step 3: the blank nodes next to `node`, by their related hash.
    fn related_hashes(
        &mut self,
        node: BlankNode,
        issuer: &Issuer,
    ) -> Result<BTreeMap<String, Vec<BlankNode>>, CanonicalizationError> {
        let quads = self.mentions.get(node.0 as usize).map(Vec::len).unwrap_or_default();
        self.spend(1 + quads)?;
        let mut hashes: BTreeMap<String, Vec<BlankNode>> = BTreeMap::new();
        for quad in self.mentions.get(node.0 as usize).into_iter().flatten() {
            let object = match &quad.object {
                Object::Resource(resource) => Some(resource),
                Object::Literal(_) => None,
            };
            for (component, position) in [(Some(&quad.subject), 's'), (object, 'o'), (quad.graph.as_ref(), 'g')] {
                if let Some(Resource::Blank(related)) = component
                    && *related != node
                {
                    let hash = self.hash_related(*related, quad, issuer, position);
                    hashes.entry(hash).or_default().push(*related);
                }
            }
        }
        Ok(hashes)
    }

    /// Steps 5.4.1 to 5.4.6 for one permutation: its path and issuer, if the path comes before `best`.
    fn path(
        &mut self,
        permutation: &[BlankNode],
        issuer: &Issuer,
        best: Option<&str>,
        depth: usize,
    ) -> Result<Option<(String, Issuer)>, CanonicalizationError> {
        self.spend(1 + permutation.len() + issuer.order.len() / 4)?;
        let mut issuer = issuer.clone();
        let mut path = String::new();
        let is_worse = |path: &str| best.is_some_and(|best| path.len() >= best.len() && path > best);
        let mut recursion = Vec::new();
        for related in permutation {
            if self.canonical.issued(*related).is_none() && issuer.issued(*related).is_none() {
                recursion.push(*related);
                issuer.issue(*related);
            }
            self.push_label(&mut path, *related, &issuer);
            if is_worse(&path) {
                return Ok(None);
            }
        }
        for related in recursion {
            let (hash, deeper) = self.hash_n_degree(related, issuer.clone(), depth + 1)?;
            self.push_label(&mut path, related, &issuer);
            path.push('<');
            path.push_str(&hash);
            path.push('>');
            issuer = deeper;
            if is_worse(&path) {
                return Ok(None);
            }
        }
        let is_best = best.is_none_or(|best| path.as_str() < best);
        Ok(is_best.then_some((path, issuer)))
    }

    fn spend(&mut self, steps: usize) -> Result<(), CanonicalizationError> {
        self.work += steps;
        if self.work > self.max_work {
            return Err(CanonicalizationError::TooMuchWork { limit: self.max_work });
        }
        Ok(())
    }
}

/// [Blank Node Identifier Issuer](https://www.w3.org/TR/rdf-canon/#bn-issuer-state), without its prefix.
#[derive(Clone, Default)]
struct Issuer {
    issued: HashMap<BlankNode, u32>,
    order: Vec<BlankNode>,
}

impl Issuer {
    fn issue(&mut self, node: BlankNode) {
        if let Entry::Vacant(slot) = self.issued.entry(node) {
            slot.insert(u32::try_from(self.order.len()).unwrap_or(u32::MAX));
            self.order.push(node);
        }
    }

    fn issued(&self, node: BlankNode) -> Option<u32> {
        self.issued.get(&node).copied()
    }
}

/// The permutation after this one in lexicographic order; false after the last.
fn next_permutation(nodes: &mut [BlankNode]) -> bool {
    let Some(pivot) = nodes.windows(2).rposition(|pair| pair.first() < pair.last()) else {
        return false;
    };
    let Some(larger) = nodes
        .get(pivot)
        .and_then(|smaller| nodes.iter().rposition(|node| node > smaller))
    else {
        return false;
    };
    nodes.swap(pivot, larger);
    if let Some(tail) = nodes.get_mut(pivot + 1..) {
        tail.reverse();
    }
    true
}
