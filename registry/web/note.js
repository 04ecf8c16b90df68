// Signed notes, checkpoints and proofs: C2SP signed-note, tlog-checkpoint, tlog-cosignature, tlog-proof.

import { concat, decimal, fromBase64, hex, same, sha256, utf8 } from "./bytes.js";
import { verify } from "./keys.js";
import { demand } from "./refused.js";

/** Algorithm of the keys of logs and witnesses. */
const ED25519 = -19;
/** The checkpoint with signatures, 64 lines of hashes, and as much again for `extra`. */
const MAX_PROOF_CHARACTERS = 320 * 1_024;
/** A path is as long as its tree is high. */
const MAX_PATH = 64;

/** Types of verifier keys. */
export const LOG = 1;
export const WITNESS = 4;

/** A verifier key: `name+id+base64`. */
export async function verifierKey(text, check) {
  const [name, id, ...rest] = text.split("+");
  const material = rest.length > 0 ? fromBase64(rest.join("+")) : new Uint8Array();
  const holds = name !== "" && [LOG, WITNESS].includes(material[0]) && material.length === 33;
  demand(holds, check, "a verifier key of a log or a witness", text.slice(0, 100));
  const digest = await sha256(utf8(`${name}\n`), material);
  demand(id === hex(digest.subarray(0, 4)), check, "a verifier key with its own id", text.slice(0, 100));
  return { name, id: digest.subarray(0, 4), type: material[0], bytes: material.subarray(1), text };
}

/** A checkpoint with its signature lines; nothing is verified. */
function parseCheckpoint(note) {
  const end = note.lastIndexOf("\n\n");
  demand(end > 0 && note.endsWith("\n"), "form", "a signed note", note.slice(0, 60));
  const text = note.slice(0, end + 1);
  const lines = text.slice(0, -1).split("\n");
  demand(
    lines.length === 3 && lines[0] !== "",
    "form",
    "a checkpoint without extension lines",
    `${lines.length} lines`,
  );
  const root = fromBase64(lines[2]);
  demand(root.length === 32, "form", "a root of 32 bytes", root.length);
  const signatures = note
    .slice(end + 2, -1)
    .split("\n")
    .map(signatureLine);
  return { text, origin: lines[0], size: decimal(lines[1]), root, signatures };
}

function signatureLine(line) {
  const [dash, name, signature, ...rest] = line.split(" ");
  const holds = dash === "\u2014" && name !== undefined && signature !== undefined && rest.length === 0;
  demand(holds, "form", "a signature line", line.slice(0, 60));
  const bytes = fromBase64(signature);
  demand(bytes.length > 4, "form", "a key id and a signature", `${bytes.length} bytes`);
  return { name, id: bytes.subarray(0, 4), bytes: bytes.subarray(4) };
}

const lineOf = (checkpoint, key) =>
  checkpoint.signatures.find((line) => line.name === key.name && same(line.id, key.id))?.bytes;

/** Whether the log's key has a line here that holds; a line that does not is a refusal. */
export async function isSignedBy(checkpoint, log) {
  const signature = lineOf(checkpoint, log);
  if (signature === undefined || log.name !== checkpoint.origin) return false;
  const key = { algorithm: ED25519, bytes: log.bytes };
  await verify(key, signature, utf8(checkpoint.text), "proof", `the log ${log.name}`);
  return true;
}

/** When a witness cosigned, in seconds, or null where it did not. A line that does not hold is a refusal. */
export async function cosignedAt(checkpoint, witness) {
  const line = lineOf(checkpoint, witness);
  if (line === undefined) return null;
  demand(line.length === 72, "witnesses", `a cosignature of ${witness.name} of 72 bytes`, line.length);
  const time = Number(BigInt(`0x${hex(line.subarray(0, 8))}`));
  const message = utf8(`cosignature/v1\ntime ${time}\n${checkpoint.text}`);
  const key = { algorithm: ED25519, bytes: witness.bytes };
  await verify(key, line.subarray(8), message, "witnesses", `the witness ${witness.name}`);
  return time;
}

/** A tlog-proof: index, inclusion path and checkpoint; nothing is verified. */
export function parseProof(text) {
  demand(
    text.length <= MAX_PROOF_CHARACTERS,
    "form",
    `at most ${MAX_PROOF_CHARACTERS} characters of proof`,
    text.length,
  );
  const end = text.indexOf("\n\n");
  const lines = text.slice(0, Math.max(end, 0)).split("\n");
  demand(lines.shift() === "c2sp.org/tlog-proof@v1", "form", "a tlog-proof", text.slice(0, 40));
  if (lines[0]?.startsWith("extra ")) fromBase64(lines.shift().slice("extra ".length));
  const index = lines.shift() ?? "";
  demand(index.startsWith("index "), "form", "the index of the proof", index.slice(0, 40));
  demand(lines.length <= MAX_PATH, "form", `a path of at most ${MAX_PATH} hashes`, lines.length);
  const path = lines.map(fromBase64);
  demand(
    path.every((hash) => hash.length === 32),
    "form",
    "hashes of 32 bytes",
    "another length",
  );
  return { index: decimal(index.slice("index ".length)), path, checkpoint: parseCheckpoint(text.slice(end + 2)) };
}
