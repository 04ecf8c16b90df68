//! Tiles: how the log's hashes and entries are cut into files.
//!
//! [C2SP tlog-tiles](https://c2sp.org/tlog-tiles): paths of tiles and entry bundles, their contents, and
//! [`TreeEdge`], the right edge of a growing tree, which is all that a log keeps in memory.

use std::fmt;

use thiserror::Error;

use crate::merkle::Hash;
use crate::merkle::Nodes;
use crate::merkle::join_peaks;
use crate::merkle::node_hash;

/// Hashes in a full tile and entries in a full bundle.
pub const TILE_WIDTH: u16 = 256;

/// The length prefix of an entry in a bundle has 16 bits.
pub const MAX_ENTRY_BYTES: usize = 65_535;

/// Tiles of level 8 would hold subtrees of more than 2^64 leaves; the text allows levels up to 63.
const MAX_LEVEL: u8 = 63;

/// Levels of a tree that one tile holds.
const TILE_HEIGHT: u8 = 8;

/// What a tile file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TileKind {
    /// Log entries: `tile/entries/...`.
    Entries,
    /// Merkle tree hashes of this level: `tile/<L>/...`.
    Hashes(u8),
}

/// The coordinates of a tile or entry bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tile {
    kind: TileKind,
    index: u64,
    /// 1 to 256; below 256 the tile is partial.
    width: u16,
}

/// Why a text or file is no tile. The sender's fault.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum TileError {
    /// Not a path of tlog-tiles.
    #[error("expected a path such as tile/0/x001/x234/067.p/5, found another text")]
    Path,
    /// Coordinates that no tree has.
    #[error("expected a level up to 63 and a width of 1 to 256, found level {level} and width {width}")]
    Coordinates {
        /// The level; 0 for entries.
        level: u8,
        /// The width.
        width: u16,
    },
    /// The file has another length than its coordinates demand.
    #[error("expected {expected} in the tile, found {found}")]
    Length {
        /// Hashes or entries expected.
        expected: u16,
        /// Hashes or entries found, as far as they are whole.
        found: usize,
    },
    /// An entry is longer than a bundle can hold.
    #[error("expected an entry of at most {MAX_ENTRY_BYTES} bytes, found {found}")]
    EntryTooLong {
        /// Its length.
        found: usize,
    },
}

impl Tile {
    /// A tile of `width` 1 to 256 at `index`.
    ///
    /// # Errors
    /// [`TileError::Coordinates`].
    pub const fn new(kind: TileKind, index: u64, width: u16) -> Result<Self, TileError> {
        let level = match kind {
            TileKind::Entries => 0,
            TileKind::Hashes(level) => level,
        };
        if level > MAX_LEVEL || width == 0 || width > TILE_WIDTH {
            return Err(TileError::Coordinates { level, width });
        }
        Ok(Self { kind, index, width })
    }

    /// What the tile holds.
    #[must_use]
    pub const fn kind(&self) -> TileKind {
        self.kind
    }

    /// Its index within its level.
    #[must_use]
    pub const fn index(&self) -> u64 {
        self.index
    }

    /// How many hashes or entries it holds, 1 to 256.
    #[must_use]
    pub const fn width(&self) -> u16 {
        self.width
    }

    /// Whether it may still grow.
    #[must_use]
    pub const fn is_partial(&self) -> bool {
        self.width < TILE_WIDTH
    }

    /// The full tile at the same place: what to ask for where a partial one is gone.
    #[must_use]
    pub const fn full(&self) -> Self {
        Self {
            kind: self.kind,
            index: self.index,
            width: TILE_WIDTH,
        }
    }

    /// Parses a path such as `tile/0/x001/x234/067.p/5` or `tile/entries/000`.
    ///
    /// # Errors
    /// [`TileError::Path`] for every other form, such as leading zeros or upper case.
    pub fn parse(path: &str) -> Result<Self, TileError> {
        let rest = path.strip_prefix("tile/").ok_or(TileError::Path)?;
        let (kind, rest) = rest.split_once('/').ok_or(TileError::Path)?;
        let kind = match kind {
            "entries" => TileKind::Entries,
            level => TileKind::Hashes(
                decimal(level)
                    .and_then(|level| u8::try_from(level).ok())
                    .ok_or(TileError::Path)?,
            ),
        };
        let (index, width) = match rest.split_once(".p/") {
            Some((index, width)) => {
                let width = decimal(width).and_then(|width| u16::try_from(width).ok());
                (index, width.filter(|width| *width < TILE_WIDTH).ok_or(TileError::Path)?)
            }
            None => (rest, TILE_WIDTH),
        };
        let index = parse_index(index).ok_or(TileError::Path)?;
        Self::new(kind, index, width).map_err(|_| TileError::Path)
    }

    /// The tile of a tree of `size` leaves at this level and index, as wide as the tree makes it.
    /// `None` where it would be empty.
    #[must_use]
    pub fn in_tree(kind: TileKind, index: u64, size: u64) -> Option<Self> {
        let level = match kind {
            TileKind::Entries => 0,
            TileKind::Hashes(level) => level,
        };
        let hashes = size.checked_shr(u32::from(level) * u32::from(TILE_HEIGHT)).unwrap_or(0);
        let width = hashes
            .saturating_sub(index.checked_mul(u64::from(TILE_WIDTH))?)
            .min(u64::from(TILE_WIDTH));
        Self::new(kind, index, u16::try_from(width).ok()?).ok()
    }
}

impl fmt::Display for Tile {
    /// The path below the log's URL prefix.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            TileKind::Entries => f.write_str("tile/entries/")?,
            TileKind::Hashes(level) => write!(f, "tile/{level}/")?,
        }
        let mut groups = vec![self.index % 1000];
        let mut rest = self.index / 1000;
        while rest > 0 {
            groups.push(rest % 1000);
            rest /= 1000;
        }
        let (last, leading) = groups.split_first().unwrap_or((&0, &[]));
        for group in leading.iter().rev() {
            write!(f, "x{group:03}/")?;
        }
        write!(f, "{last:03}")?;
        if self.is_partial() {
            write!(f, ".p/{}", self.width)
        } else {
            Ok(())
        }
    }
}

/// The tiles that the tree of `to` leaves has, and the one of the first `from` leaves has not or has narrower: bundles of
/// entries and hash tiles of every level, full ones before partial ones.
pub fn tiles_since(from: u64, to: u64) -> impl Iterator<Item = Tile> {
    let levels = (0..=u8::MAX).take_while(move |level| Tile::in_tree(TileKind::Hashes(*level), 0, to).is_some());
    let kinds = levels.flat_map(|level| {
        let entries = (level == 0).then_some(TileKind::Entries);
        entries.into_iter().chain([TileKind::Hashes(level)])
    });
    let kinds: Vec<TileKind> = kinds.collect();
    let of_kind = move |kind: TileKind| {
        let level = match kind {
            TileKind::Entries => 0,
            TileKind::Hashes(level) => level,
        };
        // Full tiles of before are the same.
        let first = from
            .checked_shr(u32::from(TILE_HEIGHT) * (u32::from(level) + 1))
            .unwrap_or(0);
        let tiles = (first..).map_while(move |index| Tile::in_tree(kind, index, to));
        tiles.filter(move |tile| Tile::in_tree(kind, tile.index(), from) != Some(*tile))
    };
    let full = kinds
        .clone()
        .into_iter()
        .flat_map(of_kind)
        .filter(|tile| !tile.is_partial());
    let partial = kinds.into_iter().flat_map(of_kind).filter(Tile::is_partial);
    full.chain(partial)
}

/// The hashes in the bytes of a tile of `width`.
///
/// # Errors
/// [`TileError::Length`] when there are more or fewer.
pub fn parse_hashes(bytes: &[u8], width: u16) -> Result<Vec<Hash>, TileError> {
    let (chunks, rest) = bytes.as_chunks::<32>();
    if chunks.len() != usize::from(width) || !rest.is_empty() {
        return Err(TileError::Length {
            expected: width,
            found: chunks.len(),
        });
    }
    Ok(chunks.iter().map(|chunk| Hash::from_bytes(*chunk)).collect())
}

/// The bytes of a tile with these hashes.
#[must_use]
pub fn encode_hashes(hashes: &[Hash]) -> Vec<u8> {
    hashes.iter().flat_map(Hash::as_bytes).copied().collect()
}

/// The entries in the bytes of a bundle of `width` entries.
///
/// # Errors
/// [`TileError::Length`] when there are more or fewer.
pub fn parse_entries(bytes: &[u8], width: u16) -> Result<Vec<&[u8]>, TileError> {
    let mut entries = Vec::new();
    let mut rest = bytes;
    while let Some((length, after)) = rest.split_first_chunk::<2>() {
        let cut = after.split_at_checked(usize::from(u16::from_be_bytes(*length)));
        let Some((entry, after)) = cut else { break };
        entries.push(entry);
        rest = after;
    }
    if entries.len() != usize::from(width) || !rest.is_empty() {
        return Err(TileError::Length {
            expected: width,
            found: entries.len(),
        });
    }
    Ok(entries)
}

/// Appends one entry to the bytes of a bundle.
///
/// # Errors
/// [`TileError::EntryTooLong`].
pub fn push_entry(bundle: &mut Vec<u8>, entry: &[u8]) -> Result<(), TileError> {
    let length = u16::try_from(entry.len()).map_err(|_| TileError::EntryTooLong { found: entry.len() })?;
    bundle.extend_from_slice(&length.to_be_bytes());
    bundle.extend_from_slice(entry);
    Ok(())
}

/// The right edge of a tree: for each tile level the hashes of its last, partial tile.
///
/// Enough to append, to know the root, and to write every tile once it is full.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TreeEdge {
    size: u64,
    /// By tile level; each shorter than 256.
    levels: Vec<Vec<Hash>>,
}

impl TreeEdge {
    /// The edge of a tree of `size` leaves, read back from its partial tiles: `partial` is asked for each
    /// of them and returns its hashes.
    ///
    /// # Errors
    /// Those of `partial`.
    pub fn restore<E>(size: u64, mut partial: impl FnMut(Tile) -> Result<Vec<Hash>, E>) -> Result<Self, E> {
        let mut levels = Vec::new();
        let (mut level, mut hashes) = (0, size);
        while hashes > 0 {
            let index = hashes / u64::from(TILE_WIDTH);
            let tile = Tile::in_tree(TileKind::Hashes(level), index, size);
            levels.push(tile.map_or_else(|| Ok(Vec::new()), &mut partial)?);
            hashes = index;
            level += 1;
        }
        Ok(Self { size, levels })
    }

    /// Adds a leaf by its hash. Each tile that becomes full is handed to `full`.
    pub fn append(&mut self, leaf: Hash, mut full: impl FnMut(Tile, Vec<Hash>)) {
        let mut carried = leaf;
        let mut index = self.size / u64::from(TILE_WIDTH);
        self.size += 1;
        for level in 0..=MAX_LEVEL {
            if self.levels.len() <= usize::from(level) {
                self.levels.push(Vec::new());
            }
            let Some(hashes) = self.levels.get_mut(usize::from(level)) else {
                return;
            };
            hashes.push(carried);
            if hashes.len() < usize::from(TILE_WIDTH) {
                return;
            }
            let hashes = std::mem::take(hashes);
            carried = complete_root(&hashes);
            full(
                Tile {
                    kind: TileKind::Hashes(level),
                    index,
                    width: TILE_WIDTH,
                },
                hashes,
            );
            index /= u64::from(TILE_WIDTH);
        }
    }

    /// The partial tiles that a checkpoint of this size needs.
    pub fn partial_tiles(&self) -> impl Iterator<Item = (Tile, &[Hash])> {
        self.levels.iter().zip(0..).filter_map(|(hashes, level)| {
            let index = self
                .size
                .checked_shr(u32::from(TILE_HEIGHT) * (u32::from(level) + 1))
                .unwrap_or(0);
            let width = u16::try_from(hashes.len()).ok()?;
            Some((
                Tile::new(TileKind::Hashes(level), index, width).ok()?,
                hashes.as_slice(),
            ))
        })
    }

    /// How many leaves there are.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The root of the tree.
    #[must_use]
    pub fn root(&self) -> Hash {
        let mut peaks = Vec::new();
        for hashes in self.levels.iter().rev() {
            let mut rest = hashes.as_slice();
            // The largest power of two first: the complete subtrees from left to right.
            while let Some(largest) = rest.len().checked_ilog2() {
                let (complete, after) = rest.split_at(1 << largest);
                peaks.push(complete_root(complete));
                rest = after;
            }
        }
        join_peaks(&peaks)
    }
}

/// Reads nodes of a tree of known size out of its tiles; `fetch` returns the hashes of a tile.
///
/// `fetch` may fail with the tile that is missing; a caller over a network then loads it and asks again.
#[derive(Debug)]
pub struct TileNodes<F> {
    size: u64,
    fetch: F,
}

impl<F> TileNodes<F> {
    /// Nodes of the tree of `size` leaves.
    pub const fn new(size: u64, fetch: F) -> Self {
        Self { size, fetch }
    }
}

/// Why a node cannot be read from tiles.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum TileNodesError<E> {
    /// The storage failed.
    #[error("the tile cannot be read")]
    Fetch(#[source] E),
    /// The tree has no such node, or the tile is shorter than the tree makes it.
    #[error("expected a node of the tree at level {level}, index {index}, found none")]
    Missing {
        /// Level of the node.
        level: u8,
        /// Index of the node within its level.
        index: u64,
    },
}

impl<E, F: Fn(Tile) -> Result<Vec<Hash>, E>> Nodes for TileNodes<F> {
    type Error = TileNodesError<E>;

    fn node(&self, level: u8, index: u64) -> Result<Hash, Self::Error> {
        let missing = TileNodesError::Missing { level, index };
        // A node at height h within its tile is the root over 2^h of the tile's hashes.
        let height = level % TILE_HEIGHT;
        let first = index << height;
        let tile = Tile::in_tree(
            TileKind::Hashes(level / TILE_HEIGHT),
            first / u64::from(TILE_WIDTH),
            self.size,
        );
        let Some(tile) = tile else { return Err(missing) };
        let hashes = (self.fetch)(tile).map_err(TileNodesError::Fetch)?;
        let start = usize::try_from(first % u64::from(TILE_WIDTH)).unwrap_or(usize::MAX);
        hashes
            .get(start..)
            .and_then(|hashes| hashes.get(..1 << height))
            .map(complete_root)
            .ok_or(missing)
    }
}

/// The root over a power of two of hashes.
fn complete_root(hashes: &[Hash]) -> Hash {
    match hashes {
        [] => Hash::ZERO,
        [only] => *only,
        more => {
            let (left, right) = more.split_at(more.len() / 2);
            node_hash(complete_root(left), complete_root(right))
        }
    }
}

/// ASCII decimal without sign and without leading zeros.
pub(crate) fn decimal(text: &str) -> Option<u64> {
    let canonical = text == "0" || !text.starts_with('0');
    if !canonical || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

fn parse_index(text: &str) -> Option<u64> {
    let (leading, last) = match text.rsplit_once('/') {
        Some((leading, last)) => (Some(leading), last),
        None => (None, text),
    };
    let mut index: u64 = 0;
    for (position, group) in leading.iter().flat_map(|leading| leading.split('/')).enumerate() {
        let digits = three_digits(group.strip_prefix('x')?)?;
        // A first group of zeros would be a second name for the same tile.
        if position == 0 && digits == 0 {
            return None;
        }
        index = index.checked_mul(1000)?.checked_add(digits)?;
    }
    index.checked_mul(1000)?.checked_add(three_digits(last)?)
}

fn three_digits(text: &str) -> Option<u64> {
    let digits = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::merkle;
    use crate::merkle::CompactTree;
    use crate::merkle::leaf_hash;

    #[test]
    fn tiles_since_are_those_that_the_smaller_tree_has_not() {
        let all = |size: u64| -> Vec<Tile> {
            let kinds = [TileKind::Entries].into_iter().chain((0..4).map(TileKind::Hashes));
            let tiles = kinds.flat_map(|kind| (0..600).filter_map(move |index| Tile::in_tree(kind, index, size)));
            tiles.collect()
        };
        for (from, to) in [
            (0, 0),
            (0, 1),
            (1, 1),
            (1, 2),
            (255, 256),
            (255, 257),
            (256, 257),
            (0, 70_000),
            (65_535, 65_536),
            (65_000, 66_000),
            (70_000, 70_000),
            (1_000, 70_001),
        ] {
            let (before, mut expected) = (all(from), all(to));
            expected.retain(|tile| !before.contains(tile));
            let mut found: Vec<Tile> = tiles_since(from, to).collect();
            assert!(found.is_sorted_by_key(Tile::is_partial), "{from} to {to}");
            let order = |tile: &Tile| tile.to_string();
            found.sort_by_key(order);
            expected.sort_by_key(order);
            assert_eq!(found, expected, "{from} to {to}");
        }
    }

    #[test]
    fn paths_of_the_standard() {
        let tile = Tile::new(TileKind::Hashes(0), 1_234_067, 256).unwrap();
        assert_eq!(tile.to_string(), "tile/0/x001/x234/067");
        let partial = Tile::new(TileKind::Entries, 273, 112).unwrap();
        assert_eq!(partial.to_string(), "tile/entries/273.p/112");
        for tile in [tile, partial, Tile::new(TileKind::Hashes(63), 0, 1).unwrap()] {
            assert_eq!(Tile::parse(&tile.to_string()), Ok(tile));
        }
    }

    #[test]
    fn second_names_of_a_tile_are_refused() {
        for path in [
            "tile/00/000",
            "tile/64/000",
            "tile/0/0",
            "tile/0/x000/001",
            "tile/0/001/002",
            "tile/0/x001",
            "tile/0/000.p/0",
            "tile/0/000.p/256",
            "tile/0/000.p/01",
            "tile/0/000/",
            "tile/-1/000",
            "tile/data/000",
            "/tile/0/000",
            "tile/0/+01",
            "",
        ] {
            assert_eq!(Tile::parse(path), Err(TileError::Path), "{path}");
        }
    }

    #[test]
    fn the_example_of_the_standard_has_these_tiles() {
        // "a tree of size 70,000 will be represented by 273 full level 0 tiles, one partial level 0 tile of width
        // 112, one full level 1 tile, one partial level 1 tile of width 17, and one partial level 2 tile of width 1"
        let width = |level, index| Tile::in_tree(TileKind::Hashes(level), index, 70_000).map(|tile| tile.width());
        assert_eq!(
            [width(0, 272), width(0, 273), width(0, 274)],
            [Some(256), Some(112), None]
        );
        assert_eq!([width(1, 0), width(1, 1), width(1, 2)], [Some(256), Some(17), None]);
        assert_eq!([width(2, 0), width(3, 0)], [Some(1), None]);
    }

    #[test]
    fn entry_bundles_round_trip_and_keep_their_count() {
        let mut bundle = Vec::new();
        push_entry(&mut bundle, b"one").unwrap();
        push_entry(&mut bundle, b"").unwrap();
        assert_eq!(parse_entries(&bundle, 2), Ok(vec![b"one".as_slice(), b""]));
        assert_eq!(
            parse_entries(&bundle, 1),
            Err(TileError::Length { expected: 1, found: 2 })
        );
        bundle.push(0);
        assert_eq!(
            parse_entries(&bundle, 2),
            Err(TileError::Length { expected: 2, found: 2 })
        );
        assert_eq!(
            push_entry(&mut bundle, &vec![0; 65_536]),
            Err(TileError::EntryTooLong { found: 65_536 })
        );
    }

    /// Grows a tree past a level-1 tile and checks root, proofs from tiles and restoration at some sizes.
    #[test]
    fn edge_and_tiles_agree_with_the_tree() {
        let mut edge = TreeEdge::default();
        let mut tree = CompactTree::default();
        let mut tiles: BTreeMap<Tile, Vec<Hash>> = BTreeMap::new();
        for n in 0u32..66_000 {
            let leaf = leaf_hash(&n.to_be_bytes());
            edge.append(leaf, |tile, hashes| assert!(tiles.insert(tile, hashes).is_none()));
            tree.append(leaf);
            if ![1, 255, 256, 257, 65_535, 65_536, 65_793, 66_000].contains(&(n + 1)) {
                continue;
            }
            assert_eq!(edge.root(), tree.root());
            for (tile, hashes) in edge.partial_tiles() {
                tiles.insert(tile, hashes.to_vec());
            }
            let size = edge.size();
            let fetch = |tile: Tile| tiles.get(&tile).cloned().ok_or(tile);
            assert_eq!(TreeEdge::restore(size, fetch).unwrap().root(), edge.root());
            let nodes = TileNodes::new(size, fetch);
            assert_eq!(merkle::tree_root(&nodes, size), Ok(edge.root()));
            let proof = merkle::inclusion_proof(&nodes, size / 3, size).unwrap();
            let third = leaf_hash(&u32::try_from(size / 3).unwrap().to_be_bytes());
            assert_eq!(
                merkle::verify_inclusion(third, size / 3, size, &proof, edge.root()),
                Ok(())
            );
            let consistency = merkle::consistency_proof(&nodes, size.div_ceil(2), size).unwrap();
            let old = merkle::tree_root(&nodes, size.div_ceil(2)).unwrap();
            assert_eq!(
                merkle::verify_consistency(size.div_ceil(2), size, old, edge.root(), &consistency),
                Ok(())
            );
        }
    }

    #[test]
    fn a_missing_tile_is_named() {
        let nodes = TileNodes::new(300, |tile: Tile| Err::<Vec<Hash>, _>(tile));
        let wanted = Tile::new(TileKind::Hashes(1), 0, 1).unwrap();
        assert_eq!(merkle::tree_root(&nodes, 300), Err(TileNodesError::Fetch(wanted)));
    }
}
