//! The Merkle tree of the log: hashing, inclusion and consistency proofs, made and checked.
//!
//! [RFC 6962 section 2.1](https://www.rfc-editor.org/rfc/rfc6962.html#section-2.1) defines the hashes and
//! the proofs, [RFC 9162 section 2.1](https://www.rfc-editor.org/rfc/rfc9162.html#section-2.1) the checks.
//! Where the hashes are stored is the caller's: it hands in [`Nodes`].

use std::convert::Infallible;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::Digest as _;
use sha2::Sha256;
use thiserror::Error;

/// No tree of 64-bit size has a longer path, so a longer proof is refused before it is hashed.
pub const MAX_PROOF_HASHES: usize = 64;

/// A SHA-256 hash: of a leaf, of a node, or of a whole tree.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash([u8; 32]);

/// Text that is not the base64 or hexadecimal form of a SHA-256 hash: the sender's fault.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("expected 32 bytes in {encoding}, found another text")]
pub struct HashError {
    encoding: &'static str,
}

/// Why a proof does not show what it should. The prover's fault.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProofError {
    /// The leaf is not in a tree of this size.
    #[error("expected a leaf index below the tree size {size}, found {index}")]
    Index {
        /// Index of the leaf.
        index: u64,
        /// Size of the tree.
        size: u64,
    },
    /// The proof has more or fewer hashes than the path has.
    #[error("expected a proof of the length that index and size demand, found {found} hashes")]
    Length {
        /// How many hashes there are.
        found: usize,
    },
    /// The hashes lead to another root.
    #[error("expected the proof to lead to the root of the tree, found another root")]
    Root,
    /// A consistency proof from nothing, or to a smaller tree.
    #[error("expected sizes 0 < old <= new, found old {old} and new {new}")]
    Sizes {
        /// Size of the older tree.
        old: u64,
        /// Size of the newer tree.
        new: u64,
    },
}

/// Read access to the hashes of complete subtrees.
pub trait Nodes {
    /// Why a hash cannot be read.
    type Error;

    /// The hash of the `2^level` leaves from `index * 2^level` on. Asked for complete subtrees only.
    ///
    /// # Errors
    /// Whatever the storage has to say; proofs pass it on.
    fn node(&self, level: u8, index: u64) -> Result<Hash, Self::Error>;
}

impl Hash {
    /// Thirty-two zero bytes: stands where there is no previous entry.
    pub const ZERO: Self = Self([0; 32]);

    /// A hash from its bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// SHA-256 of `bytes`, without the prefix of a leaf.
    #[must_use]
    pub fn digest(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// Parses standard base64 with padding, as C2SP writes hashes.
    ///
    /// # Errors
    /// [`HashError`] for any other text.
    pub fn parse_base64(text: &str) -> Result<Self, HashError> {
        let bytes = STANDARD.decode(text).map_err(|_| HashError { encoding: "base64" })?;
        bytes.try_into().map(Self).map_err(|_| HashError { encoding: "base64" })
    }

    /// Parses 64 lowercase hexadecimal digits.
    ///
    /// # Errors
    /// [`HashError`] for any other text.
    pub fn parse_hex(text: &str) -> Result<Self, HashError> {
        let digits = text.as_bytes();
        if digits.len() != 64 || !digits.iter().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(HashError {
                encoding: "lowercase hexadecimal",
            });
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = pair.iter().fold(0, |value, digit| {
                let low = if digit.is_ascii_digit() {
                    digit - b'0'
                } else {
                    digit - b'a' + 10
                };
                (value << 4) | low
            });
        }
        Ok(Self(bytes))
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Standard base64 with padding.
    #[must_use]
    pub fn to_base64(self) -> String {
        STANDARD.encode(self.0)
    }
}

impl fmt::Display for Hash {
    /// Lowercase hexadecimal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hash({self})")
    }
}

/// The hash of a leaf: SHA-256 of `00` and the data.
#[must_use]
pub fn leaf_hash(data: &[u8]) -> Hash {
    Hash(Sha256::new_with_prefix([0]).chain_update(data).finalize().into())
}

/// The hash of an inner node: SHA-256 of `01`, left and right.
#[must_use]
pub fn node_hash(left: Hash, right: Hash) -> Hash {
    Hash(
        Sha256::new_with_prefix([1])
            .chain_update(left.0)
            .chain_update(right.0)
            .finalize()
            .into(),
    )
}

/// The root of the empty tree: SHA-256 of nothing.
#[must_use]
pub fn empty_root() -> Hash {
    Hash::digest(&[])
}

/// The inclusion proof of leaf `index` in the tree of these leaf hashes; empty, and so none, outside of it.
#[must_use]
pub fn inclusion_proof_of(leaves: &[Hash], index: u64) -> Vec<Hash> {
    let size = u64::try_from(leaves.len()).unwrap_or(u64::MAX);
    let Ok(path) = inclusion_proof(&Levels::of(leaves.to_vec()), index, size);
    path
}

/// The hashes of all complete subtrees, level by level from the leaves on: a proof from here hashes next to nothing.
#[derive(Debug)]
pub(crate) struct Levels(Vec<Vec<Hash>>);

impl Levels {
    pub(crate) fn of(leaves: Vec<Hash>) -> Self {
        let (mut levels, mut level) = (Vec::new(), leaves);
        while !level.is_empty() {
            let pairs = level.as_chunks().0.iter();
            let above = pairs.map(|[left, right]| node_hash(*left, *right)).collect();
            levels.push(std::mem::replace(&mut level, above));
        }
        Self(levels)
    }
}

impl Nodes for Levels {
    type Error = Infallible;

    fn node(&self, level: u8, index: u64) -> Result<Hash, Infallible> {
        let level = self.0.get(usize::from(level));
        let node = level.and_then(|level| level.get(usize::try_from(index).ok()?));
        // Every complete subtree is there; what is not would make a proof that fails.
        Ok(node.copied().unwrap_or_else(empty_root))
    }
}

/// The root of a tree given all its leaf hashes.
#[must_use]
pub fn root(leaves: &[Hash]) -> Hash {
    let mut tree = CompactTree::default();
    for leaf in leaves {
        tree.append(*leaf);
    }
    tree.root()
}

/// A tree of which only the roots of its complete subtrees are kept: enough to append and to know the root.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CompactTree {
    size: u64,
    /// One root per set bit of `size`, the largest subtree first.
    peaks: Vec<Hash>,
}

impl CompactTree {
    /// Adds a leaf by its hash.
    pub fn append(&mut self, leaf: Hash) {
        // As in binary addition, each trailing one bit of the size merges two equal subtrees.
        let mut merged = leaf;
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.peaks.pop() {
                merged = node_hash(left, merged);
            }
        }
        self.peaks.push(merged);
        self.size += 1;
    }

    /// How many leaves there are.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The root of the tree.
    #[must_use]
    pub fn root(&self) -> Hash {
        join_peaks(&self.peaks)
    }
}

/// The root over the roots of complete subtrees of strictly falling size, from left to right.
pub(crate) fn join_peaks(peaks: &[Hash]) -> Hash {
    let mut peaks = peaks.iter().rev().copied();
    let Some(smallest) = peaks.next() else {
        return empty_root();
    };
    peaks.fold(smallest, |right, left| node_hash(left, right))
}

/// The root of the first `size` leaves.
///
/// # Errors
/// Those of `nodes`.
pub fn tree_root<N: Nodes>(nodes: &N, size: u64) -> Result<Hash, N::Error> {
    if size == 0 {
        Ok(empty_root())
    } else {
        subtree_root(nodes, 0, size)
    }
}

/// The inclusion proof of leaf `index` in the tree of the first `size` leaves, the leaf's sibling first
/// ([RFC 6962 section 2.1.1](https://www.rfc-editor.org/rfc/rfc6962.html#section-2.1.1)).
///
/// A leaf outside the tree has an empty proof, which proves nothing.
///
/// # Errors
/// Those of `nodes`.
pub fn inclusion_proof<N: Nodes>(nodes: &N, index: u64, size: u64) -> Result<Vec<Hash>, N::Error> {
    let mut path = Vec::new();
    let (mut start, mut end) = (0, size);
    while index < size && end - start > 1 {
        let middle = start + largest_power_below(end - start);
        if index < middle {
            path.push(subtree_root(nodes, middle, end)?);
            end = middle;
        } else {
            path.push(subtree_root(nodes, start, middle)?);
            start = middle;
        }
    }
    path.reverse();
    Ok(path)
}

/// The consistency proof between the trees of the first `old` and the first `new` leaves
/// ([RFC 6962 section 2.1.2](https://www.rfc-editor.org/rfc/rfc6962.html#section-2.1.2)).
///
/// Empty where there is nothing to prove: for equal sizes and from the empty tree.
///
/// # Errors
/// Those of `nodes`.
pub fn consistency_proof<N: Nodes>(nodes: &N, old: u64, new: u64) -> Result<Vec<Hash>, N::Error> {
    let mut path = Vec::new();
    if old == 0 || old >= new {
        return Ok(path);
    }
    let (mut start, mut end) = (0, new);
    // Descend to the subtree that ends where the old tree ends; siblings on the way are the proof.
    while end != old {
        let middle = start + largest_power_below(end - start);
        if old <= middle {
            path.push(subtree_root(nodes, middle, end)?);
            end = middle;
        } else {
            path.push(subtree_root(nodes, start, middle)?);
            start = middle;
        }
    }
    // The verifier knows the old root itself; any other subtree it must be told.
    if start != 0 {
        path.push(subtree_root(nodes, start, end)?);
    }
    path.reverse();
    Ok(path)
}

/// Checks that `leaf` stands at `index` in the tree of `size` leaves with this `root`.
///
/// # Errors
/// [`ProofError`]; nothing is shown by a proof that fails.
pub fn verify_inclusion(leaf: Hash, index: u64, size: u64, proof: &[Hash], root: Hash) -> Result<(), ProofError> {
    if index >= size {
        return Err(ProofError::Index { index, size });
    }
    let wrong_length = ProofError::Length { found: proof.len() };
    let (mut node, mut last) = (index, size - 1);
    let mut hash = leaf;
    for sibling in proof.iter().copied() {
        if last == 0 {
            return Err(wrong_length);
        }
        if node & 1 == 1 || node == last {
            hash = node_hash(sibling, hash);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(wrong_length);
    }
    if hash == root { Ok(()) } else { Err(ProofError::Root) }
}

/// Checks that the tree of `old` leaves is a prefix of the tree of `new` leaves.
///
/// Nothing can be learned from an empty old tree, so `old` = 0 is an error; who accepts any tree after the
/// empty one (a witness at its first checkpoint) does not ask.
///
/// # Errors
/// [`ProofError`]; the two roots are then inconsistent or the proof is not theirs.
pub fn verify_consistency(
    old: u64,
    new: u64,
    old_root: Hash,
    new_root: Hash,
    proof: &[Hash],
) -> Result<(), ProofError> {
    if old == 0 || old > new {
        return Err(ProofError::Sizes { old, new });
    }
    let wrong_length = ProofError::Length { found: proof.len() };
    if old == new {
        let same = if old_root == new_root {
            Ok(())
        } else {
            Err(ProofError::Root)
        };
        return if proof.is_empty() { same } else { Err(wrong_length) };
    }
    let mut siblings = proof.iter().copied();
    // A complete old tree is itself the first hash of the proof, which leaves it out.
    let first = if old.is_power_of_two() {
        Some(old_root)
    } else {
        siblings.next()
    };
    let first = first.ok_or(wrong_length)?;
    let skipped = (old - 1).trailing_ones();
    let (mut node, mut last) = ((old - 1) >> skipped, (new - 1) >> skipped);
    let (mut from_old, mut from_new) = (first, first);
    for sibling in siblings {
        if last == 0 {
            return Err(wrong_length);
        }
        if node & 1 == 1 || node == last {
            from_old = node_hash(sibling, from_old);
            from_new = node_hash(sibling, from_new);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            from_new = node_hash(from_new, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(wrong_length);
    }
    if from_old == old_root && from_new == new_root {
        Ok(())
    } else {
        Err(ProofError::Root)
    }
}

/// The root over the leaves `start..end`, where `start` is a multiple of the subtree's width.
fn subtree_root<N: Nodes>(nodes: &N, start: u64, end: u64) -> Result<Hash, N::Error> {
    let width = end - start;
    if width.is_power_of_two() {
        // At most 63 trailing zeros in a 64-bit power of two.
        let level = u8::try_from(width.trailing_zeros()).unwrap_or(u8::MAX);
        return nodes.node(level, start >> width.trailing_zeros());
    }
    let middle = start + largest_power_below(width);
    let left = subtree_root(nodes, start, middle)?;
    Ok(node_hash(left, subtree_root(nodes, middle, end)?))
}

/// The largest power of two smaller than `width`, which is at least 2.
const fn largest_power_below(width: u64) -> u64 {
    1 << (width - 1).ilog2()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All leaves in memory.
    struct Leaves(Vec<Hash>);

    impl Nodes for Leaves {
        type Error = ();

        fn node(&self, level: u8, index: u64) -> Result<Hash, ()> {
            let width = 1usize << level;
            let start = usize::try_from(index).unwrap() * width;
            self.0.get(start..start + width).map(root).ok_or(())
        }
    }

    fn leaves(count: u64) -> Leaves {
        Leaves((0..count).map(|n| leaf_hash(&n.to_be_bytes())).collect())
    }

    #[test]
    fn every_inclusion_proof_of_small_trees_verifies_and_no_other_does() {
        for size in 1..=33 {
            let tree = leaves(size);
            let root = tree_root(&tree, size).unwrap();
            assert_eq!(root, super::root(&tree.0));
            for index in 0..size {
                let proof = inclusion_proof(&tree, index, size).unwrap();
                assert_eq!(inclusion_proof_of(&tree.0, index), proof);
                let leaf = tree.0[usize::try_from(index).unwrap()];
                assert_eq!(verify_inclusion(leaf, index, size, &proof, root), Ok(()));
                for other in (0..=size).filter(|other| *other != index) {
                    assert!(
                        verify_inclusion(leaf, other, size, &proof, root).is_err(),
                        "{index} as {other} of {size}"
                    );
                }
            }
        }
    }

    #[test]
    fn every_consistency_proof_of_small_trees_verifies_and_a_fork_does_not() {
        let tree = leaves(33);
        for new in 1..=33 {
            for old in 1..=new {
                let proof = consistency_proof(&tree, old, new).unwrap();
                let old_root = tree_root(&tree, old).unwrap();
                let new_root = tree_root(&tree, new).unwrap();
                assert_eq!(verify_consistency(old, new, old_root, new_root, &proof), Ok(()));
                assert!(verify_consistency(old, new, leaf_hash(b"fork"), new_root, &proof).is_err());
                assert!(verify_consistency(old, new, old_root, leaf_hash(b"fork"), &proof).is_err());
            }
        }
    }

    #[test]
    fn hash_texts_round_trip_and_are_strict() {
        let hash = leaf_hash(b"x");
        assert_eq!(Hash::parse_hex(&hash.to_string()), Ok(hash));
        assert_eq!(Hash::parse_base64(&hash.to_base64()), Ok(hash));
        assert!(Hash::parse_hex(&hash.to_string().to_uppercase()).is_err());
        assert!(Hash::parse_base64(hash.to_base64().trim_end_matches('=')).is_err());
    }

    #[test]
    fn an_index_outside_the_tree_has_an_empty_proof() {
        assert_eq!(inclusion_proof(&leaves(4), 4, 4), Ok(vec![]));
    }
}
