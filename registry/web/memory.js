// What this browser remembers of the registry: the anchor that it pinned at its first visit, and the newest tree that
// it has verified. It is kept in localStorage, which is one registry's: that of this page's address.

import { hex } from "./bytes.js";
import { Refused, demand } from "./refused.js";

const KEY = "attestry/registry/v1";
/** Nobody's true clock is behind what a quorum of witnesses has signed; this much is left for clocks that drift. */
const MAX_CLOCK_SKEW = 300;
/** Verified checkpoints that are kept for the drawing of growth: a visit an hour for a month. */
const MAX_HISTORY = 750;

/** What is remembered: `{anchor, pinned, seen?, history}`, or null at the first visit. */
export function recall() {
  const text = storage()?.getItem(KEY) ?? null;
  if (text === null) return null;
  let memory = null;
  try {
    memory = JSON.parse(text);
  } catch {
    // Judged below.
  }
  // What cannot be read is not taken for nothing: whoever can break it could make this browser forget.
  const holds = isText(memory?.anchor?.genesis) && isText(memory.anchor.log) && Array.isArray(memory.history);
  demand(holds, "memory", "the memory of an earlier visit", "a text that cannot be read");
  const { seen } = memory;
  const isWhole =
    seen === undefined ||
    ([seen.root, seen.policy].every((hash) => /^[0-9a-f]{64}$/.test(hash)) &&
      [seen.size, seen.time, seen.asOf].every(Number.isSafeInteger));
  demand(isWhole, "memory", "size, root, Policy and times of the newest tree", "a text that cannot be read");
  return memory;
}

/** Compares the anchor with the pinned one. */
export function checkAnchor(memory, anchor) {
  if (memory === null) return;
  for (const member of ["origin", "log", "genesis"]) {
    const [expected, found] = [memory.anchor[member], anchor[member]];
    if (expected !== found) throw new Refused("anchor", `the pinned ${member} ${expected}`, found);
  }
}

/**
 * Compares a verified bundle with the newest one that was seen: no smaller tree, no other one of its size, no earlier
 * time, and none without its newest Policy, which may name keys that the log has to sign with since.
 */
export function checkFollows(memory, { checkpoint, snapshot, policies }, root) {
  const seen = memory?.seen;
  if (seen === undefined) return;
  demand(checkpoint.size >= seen.size, "memory", `a tree of ${seen.size} entries or more (rollback)`, checkpoint.size);
  const isSameTree = checkpoint.size !== seen.size || root === seen.root;
  demand(isSameTree, "memory", `the root ${seen.root} at size ${seen.size} (fork)`, root);
  demand(snapshot.time >= seen.time, "memory", `a Snapshot from ${seen.time} on`, snapshot.time);
  const hasPolicy = policies.some((policy) => hex(policy.leafHash) === seen.policy);
  demand(hasPolicy, "memory", `the Policy ${seen.policy} in the chain (fork)`, "a chain without it");
}

/** Compares the clock with what witnesses have signed, and with the hard expiry. */
export function checkClock(memory, { asOf, snapshot }, now) {
  const floor = Math.max(asOf, memory?.seen?.asOf ?? 0);
  demand(now >= floor - MAX_CLOCK_SKEW, "clock", `a clock that is not before ${floor}`, `${now}: set the clock`);
  demand(
    now < snapshot.hard_expiry,
    "clock",
    `a bundle that expires after ${now}`,
    `one that expired at ${snapshot.hard_expiry}`,
  );
}

/** The memory after this bundle was used as well. */
export function next(memory, anchor, { checkpoint, snapshot, policies, asOf }, root, now) {
  const { origin, log, genesis } = anchor;
  const policy = hex(policies.at(-1).leafHash);
  const latest = Math.max(asOf, memory?.seen?.asOf ?? 0);
  const seen = { size: checkpoint.size, root, policy, time: snapshot.time, asOf: latest };
  const before = (memory?.history ?? []).filter((one) => one.size < seen.size);
  const history = [...before, { size: seen.size, epoch: Number(snapshot.epoch), time: snapshot.time }].slice(
    -MAX_HISTORY,
  );
  return { anchor: { origin, log, genesis }, pinned: memory?.pinned ?? now, seen, history };
}

/** Keeps it; whether this browser lets us. */
export function remember(memory) {
  try {
    localStorage.setItem(KEY, JSON.stringify(memory));
    return true;
  } catch {
    return false;
  }
}

/** Forgets the anchor and everything seen, which only the person may ask for. */
export function forget() {
  storage()?.removeItem(KEY);
}

/** A browser may be told to keep nothing for a page, and then throws. */
function storage() {
  try {
    return localStorage;
  } catch {
    return null;
  }
}

const isText = (value) => typeof value === "string";
