// A check that did not hold: which one, what it expected, what it found.

/**
 * The checks in the order in which they are made: what each says where it holds, and where it does not. Rules are those of
 * spec/registry.md, section 7.
 */
export const CHECKS = new Map([
  ["anchor", ["The anchor is the pinned one", "another anchor than the pinned one"]],
  ["form", ["The bundle is deterministic CBOR of the known shapes", "the bundle cannot be read"]],
  ["origin", ["The Snapshot is of this registry (rule 1)", "the bundle of another registry"]],
  ["digests", ["The sections are those that the Snapshot names (rule 2)", "another state than the Snapshot names"]],
  [
    "policies",
    ["The Policies lead from the anchor to the one in force (rule 3)", "the Policies do not lead from the anchor"],
  ],
  ["proof", ["The log signed the tree that the Snapshot is in (rule 4)", "the log did not sign what is shown"]],
  ["witnesses", ["Enough witnesses cosigned (rule 4)", "too few witnesses, or one that did not sign this"]],
  ["last", ["The Snapshot is the last entry of the tree (rule 5)", "entries after the Snapshot are kept back"]],
  ["attachments", ["What is attached is what the state names (rule 6)", "something is attached that nothing names"]],
  ["log", ["The tiles of the log lead to the checkpoint", "the tiles of the log are of another tree"]],
  ["memory", ["It follows what this browser has seen before", "it does not follow what this browser has seen before"]],
  ["clock", ["The clock is not behind, and the bundle has not expired", "a clock that is behind, or a bundle too old"]],
]);

/** Thrown where a check does not hold. Nothing of what was read is shown then. */
export class Refused extends Error {
  constructor(check, expected, found) {
    super(`${check}: expected ${expected}, found ${found}`);
    this.name = "Refused";
    this.check = check;
    this.expected = expected;
    this.found = found;
  }
}

/** Throws [`Refused`] unless `holds`. */
export function demand(holds, check, expected, found) {
  if (!holds) throw new Refused(check, expected, found);
}
