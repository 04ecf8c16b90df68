// Merkle trees of RFC 6962, section 2.1.

import { sha256 } from "./bytes.js";
import { demand } from "./refused.js";

/** Digests that are under way at once: enough to keep the browser's threads busy, few enough to hold in memory. */
const BATCH = 4_096;

export const leafHash = (leaf) => sha256(Uint8Array.of(0), leaf);

export const nodeHash = (left, right) => sha256(Uint8Array.of(1), left, right);

/** The leaf hashes of many leaves. */
export const leafHashes = (leaves) => all(leaves, leafHash);

/**
 * The root over these leaf hashes, or over the roots of full subtrees of one size of which the last may be smaller.
 * Pairing neighbours level by level and carrying the odd one up gives the tree that the RFC splits from the top.
 */
export async function root(hashes) {
  let level = hashes;
  while (level.length > 1) {
    const pairs = Array.from({ length: level.length >> 1 }, (_, at) => [level[2 * at], level[2 * at + 1]]);
    const next = await all(pairs, ([left, right]) => nodeHash(left, right));
    if (level.length % 2 === 1) next.push(level.at(-1));
    level = next;
  }
  return level.length === 1 ? level[0] : sha256();
}

/** The root to which an inclusion path leads (RFC 9162, section 2.1.3.2). */
export async function rootByPath(leaf, index, size, path) {
  demand(index < size, "proof", `an index below the tree's size ${size}`, index);
  // Bits beyond 31 are lost to JavaScript's operators, so the numbers are halved instead.
  let [node, at, last] = [leaf, index, size - 1];
  for (const sibling of path) {
    demand(last > 0, "proof", "an inclusion path as long as the tree is high", "a longer one");
    if (at % 2 === 1 || at === last) {
      node = await nodeHash(sibling, node);
      while (at % 2 === 0 && at !== 0) [at, last] = [half(at), half(last)];
    } else {
      node = await nodeHash(node, sibling);
    }
    [at, last] = [half(at), half(last)];
  }
  demand(last === 0, "proof", "an inclusion path as long as the tree is high", "a shorter one");
  return node;
}

const half = (number) => Math.floor(number / 2);

async function all(items, digest) {
  const digests = [];
  for (let at = 0; at < items.length; at += BATCH) {
    digests.push(...(await Promise.all(items.slice(at, at + BATCH).map(digest))));
  }
  return digests;
}
