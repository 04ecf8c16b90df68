// Signed notes, checkpoints and proofs: C2SP signed-note, tlog-checkpoint, tlog-cosignature, tlog-proof.

import { concat, decimal, fromBase64, hex, same, sha256, utf8 } from "./bytes.js";
import { ML_DSA_KEY_BYTES, verify, verifyMlDsa } from "./keys.js";
import { demand } from "./refused.js";

/** Algorithm of the keys of logs and witnesses. */
const ED25519 = -19;
/** The checkpoint with signatures, 64 lines of hashes, and as much again for `extra`. */
const MAX_PROOF_CHARACTERS = 320 * 1_024;
/** A path is as long as its tree is high. */
const MAX_PATH = 64;

/** Types of verifier keys: of a log, of a witness, and of either with ML-DSA-44. */
export const LOG = 1;
export const WITNESS = 4;
export const ML_DSA = 6;
const KEY_BYTES = new Map([
  [LOG, 32],
  [WITNESS, 32],
  [ML_DSA, ML_DSA_KEY_BYTES],
]);
/** Names stand behind a byte with their length in what ML-DSA keys sign. */
const MAX_SHORT_NAME = 255;

/** A verifier key: `name+id+base64`. */
export async function verifierKey(text, check) {
  const [name, id, ...rest] = text.split("+");
  const material = rest.length > 0 ? fromBase64(rest.join("+")) : new Uint8Array();
  const holds = name !== "" && KEY_BYTES.get(material[0]) === material.length - 1;
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

/**
 * When a witness, or a log with its second key, cosigned, in seconds, or null where it did not. A line that does not hold is
 * a refusal.
 */
export async function cosignedAt(checkpoint, signer, check, whose) {
  const line = lineOf(checkpoint, signer);
  if (line === undefined) return null;
  const length = signer.type === ML_DSA ? 8 + 2_420 : 8 + 64;
  demand(line.length === length, check, `a cosignature of ${whose} of ${length} bytes`, line.length);
  const [time, signature] = [line.subarray(0, 8), line.subarray(8)];
  const seconds = BigInt(`0x${hex(time)}`);
  demand(seconds < 1n << 63n, check, `a time of ${whose}`, "none");
  if (signer.type === ML_DSA) {
    await verifyMlDsa(signer.bytes, signature, cosignedMessage(checkpoint, signer, time), check, whose);
  } else {
    const message = utf8(`cosignature/v1\ntime ${seconds}\n${checkpoint.text}`);
    await verify({ algorithm: ED25519, bytes: signer.bytes }, signature, message, check, whose);
  }
  return Number(seconds);
}

/** What a key of ML-DSA signs: the whole tree, as C2SP tlog-cosignature has it. */
function cosignedMessage({ origin, size, root }, { name }, time) {
  const short = (text) => {
    const bytes = utf8(text);
    demand(bytes.length <= MAX_SHORT_NAME, "form", `a name of at most ${MAX_SHORT_NAME} bytes`, bytes.length);
    return concat(Uint8Array.of(bytes.length), bytes);
  };
  const end = new DataView(new ArrayBuffer(8));
  end.setBigUint64(0, BigInt(size));
  const range = concat(new Uint8Array(8), new Uint8Array(end.buffer));
  return concat(utf8("subtree/v1\n\0"), short(name), time, short(origin), range, root);
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
