// The trust bundle, verified against a pinned anchor: spec/registry.md, section 7. It is the third reader of that format
// beside crates/trust and tests/interop/peers/trust_bundle.py, and reaches the same verdicts, but for one thing: the logs
// of DIDs are not verified again. That they hold, the state witnesses vouch for.

import { concat, hex, same, sha256, utf8 } from "./bytes.js";
import { decode, encode } from "./cbor.js";
import { leafHash, leafHashes, root, rootByPath } from "./merkle.js";
import { LOG, parseProof, verifierKey } from "./note.js";
import { inForce, verifyPolicies } from "./policies.js";
import { Refused, demand } from "./refused.js";
import { POLICY, SCHEMA, SECTIONS, SNAPSHOT, STATUS, TYPES } from "./shapes.js";
import { readBundle, readEntry, readRecords, readSection } from "./shapes.js";
import { verifyWitnessed } from "./tlog-policy.js";

/** A nation's bundle is 1 to 3 MB with its status lists, which are not asked for here. */
export const MAX_BUNDLE_BYTES = 64 * 1_048_576;
/** Of all sections and attachments together, decompressed: text compresses to a fifth. */
const MAX_PLAIN_BYTES = 320 * 1_048_576;

const STATE_DOMAIN = utf8("attestry/registry-state/v1\0");
const ZLIB = 1;
const GOLOMB_RICE = 1;

/** Reads an anchor's JSON: `{origin, log, genesis}` as they stand there, and the parsed `key`. */
export async function readAnchor(json) {
  let anchor = null;
  try {
    anchor = JSON.parse(json);
  } catch {
    // Judged below.
  }
  const members = Object.keys(anchor ?? {})
    .sort()
    .join(", ");
  demand(members === "genesis, log, origin", "anchor", "an anchor with genesis, log and origin", members || "no JSON");
  const { origin, log, genesis } = anchor;
  const isText = [origin, log, genesis].every((member) => typeof member === "string");
  demand(isText && /^[0-9a-f]{64}$/.test(genesis), "anchor", "a genesis of 64 hexadecimal digits", String(genesis));
  const key = await verifierKey(log, "anchor");
  demand(key.type === LOG && key.name === origin, "anchor", "the origin that is the name of the log key", origin);
  return { origin, log, genesis, key };
}

/**
 * Verifies a bundle: what it says is `{snapshot, checkpoint, state, policies, policy, times, asOf}`. `passed` is told
 * the name of each check that holds, with what was found. How old it may be, and what this browser has seen before, is
 * judged in memory.js.
 */
export async function verifyBundle(bytes, anchor, passed) {
  const parts = await parse(bytes);
  const { entry, snapshot, sections, proof } = parts;
  passed("form", `${bytes.length} bytes in ${sections.size} sections`);
  demand(entry.subject === anchor.origin, "origin", anchor.origin, entry.subject);
  passed("origin", entry.subject);

  passed("digests", `state ${hex(await checkDigests(sections, snapshot, anchor))}`);
  const state = new Map([...sections].map(([number, records]) => [number, readSection(number, records.map(decode))]));

  const policies = await verifyPolicies([...state.get(POLICY).values()], anchor);
  const policy = inForce(policies, snapshot.time);
  passed("policies", `${policies.length} in the chain; ${hex(policy.leafHash)} is in force`);

  const { checkpoint, index, path } = proof;
  const { times, asOf } = await verifyWitnessed(policy.witnesses, checkpoint, policy.body.state_quorum);
  const found = await rootByPath(await leafHash(parts.leaf), index, checkpoint.size, path);
  demand(same(found, checkpoint.root), "proof", `the root ${hex(checkpoint.root)}`, hex(found));
  passed("proof", `size ${checkpoint.size}, root ${hex(checkpoint.root)}`);
  passed("witnesses", [...times.keys()].join(", "));

  const isLast = index === snapshot.covered && index === checkpoint.size - 1;
  demand(isLast, "last", `the Snapshot at index ${checkpoint.size - 1}`, `index ${index}, covered ${snapshot.covered}`);
  passed("last", `index ${index}`);
  await checkAttachments(parts, state);
  passed("attachments", `${parts.documents.length} documents and ${parts.lists.length} status lists`);
  return { snapshot, checkpoint, state, policies, policy, times, asOf };
}

/** The parts, none of them believed. */
async function parse(bytes) {
  const bundle = readBundle(decode(bytes));
  const budget = { left: MAX_PLAIN_BYTES };
  const sections = new Map();
  for (const packed of bundle.sections) sections.set(packed.name, readRecords(decode(await unpack(packed, budget))));
  const numbers = [...sections.keys()].join(", ");
  demand(numbers === [...SECTIONS.keys()].join(", "), "form", "the eight sections", numbers);
  const documents = [];
  for (const packed of bundle.documents) documents.push({ digest: packed.name, plain: await unpack(packed, budget) });
  const entry = readEntry(decode(bundle.leaf));
  demand(entry.type === SNAPSHOT, "form", "a Snapshot", TYPES[entry.type].name);
  const proof = parseProof(bundle.proof);
  return { entry, snapshot: entry.body, sections, proof, leaf: bundle.leaf, documents, lists: bundle.lists };
}

/** The plain bytes. The length is counted against what is left before anything is decompressed. */
async function unpack({ encoding, length, bytes }, budget) {
  budget.left -= length;
  demand(budget.left >= 0, "form", `at most ${MAX_PLAIN_BYTES} bytes decompressed`, "more");
  const plain = encoding === ZLIB ? await inflate(bytes, length) : bytes;
  demand(plain?.length === length, "form", `${length} plain bytes`, plain?.length ?? "broken zlib");
  return plain;
}

/** The bytes of a zlib stream, or null where it is broken or comes to more than `length`. */
async function inflate(bytes, length) {
  const reader = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate")).getReader();
  const parts = [];
  let total = 0;
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      total += part.value.length;
      if (total > length) {
        await reader.cancel();
        return null;
      }
      parts.push(part.value);
    }
  } catch {
    return null;
  }
  return concat(...parts);
}

/** Compares the roots of all sections and the digest of the state, which it gives. */
async function checkDigests(sections, snapshot, anchor) {
  const found = [];
  for (const [number, records] of sections) {
    const [count, digest] = [records.length, await root(await leafHashes(records))];
    const named = snapshot.sections.find((section) => section.number === number);
    const expected = `section ${number} (${TYPES[number].name}) with the root ${named && hex(named.root)}`;
    const holds = named !== undefined && named.count === count && same(named.root, digest);
    demand(holds, "digests", expected, `${count} records with the root ${hex(digest)}`);
    found.push(
      new Map([
        [1, number],
        [2, count],
        [3, digest],
      ]),
    );
  }
  demand(snapshot.sections.length === found.length, "digests", `${found.length} sections`, snapshot.sections.length);
  const genesis = Uint8Array.from(anchor.genesis.match(/../g), (pair) => Number.parseInt(pair, 16));
  const state = await sha256(
    STATE_DOMAIN,
    encode(
      new Map([
        [1, anchor.origin],
        [2, genesis],
        [3, found],
      ]),
    ),
  );
  demand(same(state, snapshot.state), "digests", `the state ${hex(snapshot.state)}`, hex(state));
  return state;
}

/** Every attachment has its digest, and the state names it. */
async function checkAttachments({ documents, lists }, state) {
  const schemas = [...state.get(SCHEMA).values()].flatMap((record) => record.schema?.documents ?? []);
  const named = new Set(schemas.map((document) => hex(document.digest)));
  for (const { digest, plain } of documents) {
    const holds = named.has(hex(digest)) && same(await sha256(plain), digest);
    demand(holds, "attachments", "documents of schemas under their digests", hex(digest));
  }
  const current = [...state.get(STATUS).values()].filter((record) => !record.ended);
  const committed = new Set(current.map(({ list }) => `${hex(list.compact)} ${list.encoding}`));
  for (const { digest, encoding, bytes } of lists) {
    const found = encoding === GOLOMB_RICE ? await root(await leafHashes(chunks(bytes))) : await sha256(bytes);
    const holds = committed.has(`${hex(digest)} ${encoding}`) && same(found, digest);
    demand(holds, "attachments", "status lists of issuers under their digests", hex(digest));
  }
}

/** The chunks of a list in Golomb-Rice form, each after its length in three bytes (section 5). */
function chunks(bytes) {
  const found = [];
  for (let at = 0; at < bytes.length;) {
    const length = (bytes[at] << 16) | (bytes[at + 1] << 8) | bytes[at + 2];
    const end = at + 3 + length;
    if (!(end <= bytes.length)) throw new Refused("attachments", "whole chunks of a status list", "a cut one");
    found.push(bytes.subarray(at + 3, end));
    at = end;
  }
  return found;
}
