// The newest entries of the log, from its tiles (C2SP tlog-tiles), and whether the tree continues an earlier one.
// Nothing of a tile is used before it has led to the root of a verified checkpoint.

import { hex, same } from "./bytes.js";
import { decode } from "./cbor.js";
import { leafHashes, root } from "./merkle.js";
import { Refused, demand } from "./refused.js";
import { readEntry } from "./shapes.js";

/** Leaves or nodes of a full tile. */
const WIDTH = 256;
const HASH_BYTES = 32;
/** Entries have at most 65,535 bytes, and a length of two before them. */
export const MAX_TILE_BYTES = WIDTH * 65_537;

/**
 * Reads the last entries under a verified checkpoint: those of its last tile, and of the full one before where one hash
 * says what that must be. `get` fetches a path below `/registry/`. Gives `{entries, rootAt}`: entries with their index,
 * ascending, and the root of an earlier tree, or null for one that does not end in the last tile.
 */
export async function readRecent(checkpoint, get) {
  const { size } = checkpoint;
  const blocks = Math.floor(size / WIDTH);
  const last = await readBlock(blocks, size % WIDTH, get);
  const levels = await readLevels(blocks, get);
  const rootAt = async (earlier) => {
    const count = earlier - blocks * WIDTH;
    return count >= 0 && earlier <= size ? treeRoot(levels, last.hashes.slice(0, count)) : null;
  };
  const found = await rootAt(size);
  demand(same(found, checkpoint.root), "log", `tiles that lead to the root ${hex(checkpoint.root)}`, hex(found));

  const before = levels[0]?.at(-1);
  if (before === undefined) return { entries: last.entries, rootAt };
  const full = await readBlock(blocks - 1, WIDTH, get);
  const digest = await root(full.hashes);
  demand(same(digest, before), "log", `a tile of entries with the root ${hex(before)}`, hex(digest));
  return { entries: [...full.entries, ...last.entries], rootAt };
}

/** The entries of one tile and their leaf hashes. */
async function readBlock(index, width, get) {
  if (width === 0) return { entries: [], hashes: [] };
  const leaves = parseEntries(await get(tilePath("entries", index, width)), width);
  const entries = leaves.map((leaf, at) => ({ index: index * WIDTH + at, ...entryOf(leaf) }));
  return { entries, hashes: await leafHashes(leaves) };
}

/** What the log holds is judged by its state machine; here an entry that cannot be read is told as such. */
function entryOf(leaf) {
  try {
    return readEntry(decode(leaf));
  } catch (error) {
    if (error instanceof Refused) return { type: null };
    throw error;
  }
}

function parseEntries(bytes, width) {
  const leaves = [];
  for (let at = 0; at < bytes.length;) {
    const end = at + 2 + ((bytes[at] << 8) | bytes[at + 1]);
    demand(end <= bytes.length, "log", "whole entries in a tile", "a cut one");
    leaves.push(bytes.subarray(at + 2, end));
    at = end;
  }
  demand(leaves.length === width, "log", `a tile of ${width} entries`, leaves.length);
  return leaves;
}

/** The nodes of the right edge from level 1 on: those of each level's last tile that is not full. */
async function readLevels(blocks, get) {
  const levels = [];
  for (let count = blocks, level = 1; count > 0; count = Math.floor(count / WIDTH), level++) {
    const width = count % WIDTH;
    const path = tilePath(level, Math.floor(count / WIDTH), width);
    levels.push(width === 0 ? [] : parseHashes(await get(path), width));
  }
  return levels;
}

function parseHashes(bytes, width) {
  demand(bytes.length === width * HASH_BYTES, "log", `a tile of ${width} hashes`, `${bytes.length} bytes`);
  return Array.from({ length: width }, (_, at) => bytes.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES));
}

/** The root over the last tile's leaves and the nodes of the right edge. */
async function treeRoot(levels, hashes) {
  let tail = hashes.length > 0 ? await root(hashes) : null;
  for (const nodes of levels) {
    const edge = tail === null ? nodes : [...nodes, tail];
    tail = edge.length > 0 ? await root(edge) : null;
  }
  return tail ?? root([]);
}

/** `tile/{level}/{index}[.p/{width}]`, the index in groups of three digits of which all but the last begin with x. */
export function tilePath(level, index, width) {
  const digits = String(index);
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, "0").match(/.{3}/g);
  const path = groups.map((group, at) => (at < groups.length - 1 ? `x${group}` : group)).join("/");
  return `tile/${level}/${path}${width === WIDTH ? "" : `.p/${width}`}`;
}
