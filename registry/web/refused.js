// A check that did not hold: which one, what it expected, what it found.

/**
 * The checks in the order in which they are made, with their names for people. Sections are those of spec/registry.md.
 */
export const CHECKS = new Map([
  ["anchor", "The anchor is the pinned one"],
  ["form", "The bundle is deterministic CBOR of the known shapes"],
  ["origin", "The Snapshot is of this registry (section 7, rule 1)"],
  ["digests", "The sections are those that the Snapshot names (rule 2)"],
  ["policies", "The Policies lead from the anchor's genesis to the one in force (rule 3)"],
  ["proof", "The log signed the checkpoint, and the Snapshot is in its tree (rule 4)"],
  ["witnesses", "Enough witnesses cosigned, state witnesses among them (rule 4)"],
  ["last", "The Snapshot is the last entry of the tree (rule 5)"],
  ["attachments", "What is attached is what the state names (rule 6)"],
  ["log", "The tiles of the log lead to the checkpoint"],
  ["memory", "It follows what this browser has seen before"],
  ["clock", "The clock is not behind, and the bundle has not expired"],
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
