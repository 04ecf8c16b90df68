//! Canonical labels by first degree hashes alone
//! ([RDFC-1.0, step 4](https://www.w3.org/TR/rdf-canon/#canon-algo-algo)).

use std::ops::Range;

use sha2::Digest;
use sha2::Sha256;
use sha2::Sha384;

use super::quads::Lines;
use super::quads::Quad;
use crate::HashAlgorithm;

/// For each blank node the number of its canonical label. None if two nodes have one hash.
pub(super) fn labels(quads: &[Quad<'_>], blank_nodes: u32, algorithm: HashAlgorithm) -> Option<Vec<u32>> {
    // One node is the first, whatever its hash.
    if blank_nodes <= 1 {
        return Some(vec![0]);
    }
    match algorithm {
        HashAlgorithm::Sha256 => by_hash::<Sha256>(quads, blank_nodes),
        HashAlgorithm::Sha384 => by_hash::<Sha384>(quads, blank_nodes),
    }
}

fn by_hash<D: Digest>(quads: &[Quad<'_>], blank_nodes: u32) -> Option<Vec<u32>> {
    let mut mentions: Vec<(u32, usize)> = Vec::with_capacity(quads.len() * 2);
    for (position, quad) in quads.iter().enumerate() {
        for node in quad.blank_nodes().into_iter().flatten() {
            if mentions.last() != Some(&(node, position)) {
                mentions.push((node, position));
            }
        }
    }
    mentions.sort_unstable();
    mentions.dedup();
    let mut lines = Lines::with_capacity(quads.len());
    let mut hashes = Vec::with_capacity(blank_nodes as usize);
    for mentions in mentions.chunk_by(|(left, _), (right, _)| left == right) {
        let node = mentions.first()?.0;
        let quads = mentions.iter().filter_map(|(_, position)| quads.get(*position));
        hashes.push((first_degree::<D>(node, quads, &mut lines), node));
    }
    hashes.sort_unstable();
    if hashes
        .windows(2)
        .any(|pair| matches!(pair, [(left, _), (right, _)] if left == right))
    {
        return None;
    }
    let mut labels = vec![0; blank_nodes as usize];
    for ((_, node), label) in hashes.iter().zip(0..) {
        *labels.get_mut(*node as usize)? = label;
    }
    Some(labels)
}

/// [Hash First Degree Quads](https://www.w3.org/TR/rdf-canon/#hash-1d-quads), each quad once.
fn first_degree<'q, D: Digest>(node: u32, quads: impl Iterator<Item = &'q Quad<'q>>, lines: &mut Lines) -> Vec<u8> {
    let label = |other: u32, out: &mut String| out.push(if other == node { 'a' } else { 'z' });
    lines.clear();
    let mut sorted: Vec<(Range<usize>, [Option<u32>; 3])> = quads
        .map(|quad| (lines.add(|out| quad.write(out, &label)), quad.blank_nodes()))
        .collect();
    sorted.sort_unstable_by(|(left, left_nodes), (right, right_nodes)| {
        let by_line = lines.get(left).cmp(lines.get(right));
        by_line.then_with(|| left_nodes.cmp(right_nodes))
    });
    // Lines that differ only in which other blank nodes they mention are several statements.
    sorted.dedup_by(|(left, left_nodes), (right, right_nodes)| {
        left_nodes == right_nodes && lines.get(left) == lines.get(right)
    });
    let mut digest = D::new();
    for (line, _) in &sorted {
        digest.update(lines.get(line).as_bytes());
    }
    digest.finalize().to_vec()
}
