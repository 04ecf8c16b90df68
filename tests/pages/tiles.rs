//! The newest entries and the roots of earlier trees, for logs of many more entries than a test can have: tiles made by
//! `crates/trust`, read by the page.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use e2e::Browser;
use e2e::Place;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;
use trust::merkle::Hash;
use trust::merkle::leaf_hash;
use trust::tiles::Tile;
use trust::tiles::TileKind;
use trust::tiles::TreeEdge;
use trust::tiles::encode_hashes;
use trust::tiles::push_entry;

use crate::visit;

/// One tile and less, whole tiles, both sides of them, and a tree with nodes at three levels.
const SIZES: [u64; 7] = [1, 255, 256, 257, 511, 512, 66_083];
const TILE: u64 = 256;

fn leaf(index: u64) -> Vec<u8> {
    format!("entry {index}").into_bytes()
}

fn edge(size: u64) -> TreeEdge {
    let mut edge = TreeEdge::default();
    for index in 0..size {
        edge.append(leaf_hash(&leaf(index)), |_, _| {});
    }
    edge
}

/// The tiles that a reader of the last entries asks for, by their paths; hash tiles of leaves are not among them.
fn tiles(edge: &TreeEdge) -> Map<String, Value> {
    let size = edge.size();
    let blocks = [size / TILE, (size / TILE).saturating_sub(1)];
    let blocks = blocks.into_iter().filter_map(|block| {
        let tile = Tile::in_tree(TileKind::Entries, block, size)?;
        let mut bytes = Vec::new();
        for index in block * TILE..size.min((block + 1) * TILE) {
            push_entry(&mut bytes, &leaf(index)).unwrap();
        }
        Some((tile.to_string(), bytes))
    });
    let hashes = edge
        .partial_tiles()
        .filter(|(tile, _)| tile.kind() != TileKind::Hashes(0))
        .map(|(tile, hashes)| (tile.to_string(), encode_hashes(hashes)));
    let all = blocks.chain(hashes);
    all.map(|(path, bytes)| (path, STANDARD.encode(bytes).into())).collect()
}

/// What the page reads: the first and the last index, and the roots of the trees of these sizes; or why it refuses.
fn read(browser: &Browser, size: u64, root: Hash, tiles: &Map<String, Value>, earlier: &[u64]) -> Value {
    browser.run_async(&format!(
        "const {{ readRecent }} = await import('/registry/pages/log.js');
        const {{ fromHex, fromBase64, hex }} = await import('/registry/pages/bytes.js');
        const tiles = {};
        const get = async (path) => {{
            if (tiles[path] === undefined) throw new Error(`no ${{path}}`);
            return fromBase64(tiles[path]);
        }};
        const checkpoint = {{ size: {size}, root: fromHex('{root}') }};
        return readRecent(checkpoint, get).then(async ({{ entries, rootAt }}) => {{
            const roots = [];
            for (const size of {}) roots.push(await rootAt(size));
            return [entries[0].index, entries.at(-1).index, roots.map((root) => root && hex(root))];
        }}, (error) => error.check ?? String(error));",
        json!(tiles),
        json!(earlier)
    ))
}

#[test]
fn the_newest_entries_of_a_log_of_any_size_lead_to_its_root() {
    let Some(browser) = Browser::start() else { return };
    let place = Place::new();
    let platform = place.up(&["--sample"]);
    visit(&browser, &format!("{}/registry/", platform.url()));
    for size in SIZES {
        let edge = edge(size);
        let tiles = tiles(&edge);
        let (last, blocks) = (size % TILE, size / TILE);
        // A tree that ends where the last tile begins, one a bit before the end, and this one.
        let earlier = [blocks * TILE, blocks * TILE + last / 2, size].map(|size| size.max(1));
        let roots = earlier.map(|size| self::edge(size).root().to_string());
        // The full tile before is read where the edge has its hash.
        let first = if blocks % TILE == 0 { blocks } else { blocks - 1 } * TILE;
        let found = read(&browser, size, edge.root(), &tiles, &earlier);
        assert_eq!(found, json!([first, size - 1, roots]), "{size}");

        assert_eq!(
            read(&browser, size, leaf_hash(b"another"), &tiles, &[]),
            "log",
            "{size}"
        );
        // One bit in any of them.
        for path in tiles.keys() {
            let mut changed = tiles.clone();
            let mut bytes = STANDARD.decode(tiles[path].as_str().unwrap()).unwrap();
            *bytes.last_mut().unwrap() ^= 1;
            changed[path] = STANDARD.encode(bytes).into();
            assert_eq!(
                read(&browser, size, edge.root(), &changed, &[]),
                "log",
                "{size}: {path}"
            );
        }
        // What ends before the last tile cannot be told from it.
        if blocks > 0 {
            let found = read(&browser, size, edge.root(), &tiles, &[blocks * TILE - 1]);
            assert_eq!(found[2], json!([null]), "{size}");
        }
    }
    platform.stop();
}
