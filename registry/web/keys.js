// Public keys and signatures, checked by the browser's own WebCrypto.

import { concat, hex } from "./bytes.js";
import { demand } from "./refused.js";

const ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/** Algorithms of RFC 9864 by their COSE numbers, with the prefix of their Multikey. */
export const ALGORITHMS = new Map([
  [
    -9,
    { name: "ESP256", prefix: [0x80, 0x24], key: { name: "ECDSA", namedCurve: "P-256" }, hash: "SHA-256", half: 32 },
  ],
  [
    -51,
    { name: "ESP384", prefix: [0x81, 0x24], key: { name: "ECDSA", namedCurve: "P-384" }, hash: "SHA-384", half: 48 },
  ],
  [-19, { name: "Ed25519", prefix: [0xed, 0x01], key: { name: "Ed25519" }, half: 32 }],
]);

/** Of a public key of ML-DSA-44. */
export const ML_DSA_KEY_BYTES = 1_312;

/** The prime of the field of edwards25519. */
const P = (1n << 255n) - 19n;
/** The y of the points of order 8, but for its sign; those of orders 1, 2 and 4 are 1, -1 and 0. */
const ORDER_8 = 0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd83d3d706a17c7n;
const SMALL_ORDER = [0n, 1n, P - 1n, ORDER_8, P - ORDER_8];

/** Whether this browser has what the checks need; a text that says what is missing, or null. */
export async function missing() {
  if (globalThis.crypto?.subtle === undefined) {
    return "WebCrypto, which browsers give to pages over https and to pages of this machine only";
  }
  if (globalThis.DecompressionStream === undefined) return "DecompressionStream";
  const basePoint = Uint8Array.from([0x58, ...Array(31).fill(0x66)]);
  return crypto.subtle.importKey("raw", basePoint, "Ed25519", false, ["verify"]).then(
    () => null,
    () => "Ed25519 in WebCrypto",
  );
}

/** The algorithm and the bytes of a Multikey. */
export function multikey(text, check) {
  const bytes = text.startsWith("z") ? fromBase58(text.slice(1)) : null;
  demand(bytes !== null, check, "a Multikey", text.slice(0, 60));
  const found = [...ALGORITHMS].find(([, { prefix }]) => bytes[0] === prefix[0] && bytes[1] === prefix[1]);
  demand(found !== undefined, check, "a Multikey of P-256, P-384 or Ed25519", text.slice(0, 60));
  return { algorithm: found[0], bytes: bytes.subarray(2) };
}

/** The Multikey of the bytes of an Ed25519 or, where they are as many as that takes, an ML-DSA-44 key. */
export const noteMultikey = (bytes) => {
  const prefix = bytes.length === ML_DSA_KEY_BYTES ? [0x90, 0x24] : [0xed, 0x01];
  return `z${toBase58(concat(Uint8Array.from(prefix), bytes))}`;
};

/** Throws [`Refused`] unless `signature` is one of `key` over `message`. `whose` is for the text. */
export async function verify({ algorithm, bytes }, signature, message, check, whose) {
  const { key, hash, half, name } = ALGORITHMS.get(algorithm);
  const expected = `a valid ${name} signature of ${whose}`;
  demand(signature.length === 2 * half, check, expected, `one of ${signature.length} bytes`);
  if (name === "Ed25519") {
    demand(isStrictPoint(bytes), check, `an Ed25519 key of ${whose} of full order`, hex(bytes));
    demand(isStrictPoint(signature.subarray(0, 32)), check, expected, "one with a point of small order");
  }
  let holds = false;
  try {
    const imported = await crypto.subtle.importKey("raw", bytes, key, false, ["verify"]);
    holds = await crypto.subtle.verify({ name: key.name, hash }, imported, signature, message);
  } catch {
    // Bytes that are no point of the curve: judged below.
  }
  demand(holds, check, expected, "another signature");
}

/** The same for ML-DSA-44 (FIPS 204, with an empty context), which not every browser has yet. */
export async function verifyMlDsa(bytes, signature, message, check, whose) {
  const algorithm = "ML-DSA-44";
  const imported = await crypto.subtle.importKey("raw-public", bytes, algorithm, false, ["verify"]).catch(() => null);
  demand(imported !== null, check, `a browser that checks the ${algorithm} signature of ${whose}`, "one that does not");
  const holds = await crypto.subtle.verify(algorithm, imported, signature, message);
  demand(holds, check, `a valid ${algorithm} signature of ${whose}`, "another signature");
}

/**
 * Whether 32 bytes are the canonical encoding of a point that is not of small order, if of any. Browsers differ in what
 * they take here, and the registry's rules take neither.
 */
function isStrictPoint(bytes) {
  if (bytes.length !== 32) return false;
  const y = BigInt(`0x${hex(Uint8Array.from(bytes).reverse())}`) & ((1n << 255n) - 1n);
  return y < P && !SMALL_ORDER.includes(y);
}

/** The bytes of base58 digits, or null. */
function fromBase58(text) {
  let number = 0n;
  for (const character of text) {
    const digit = ALPHABET.indexOf(character);
    if (digit < 0) return null;
    number = number * 58n + BigInt(digit);
  }
  const digits = number.toString(16);
  const padded = digits.length % 2 === 0 ? digits : `0${digits}`;
  return Uint8Array.from(padded.match(/../g), (pair) => Number.parseInt(pair, 16));
}

/** Of bytes that do not begin with zero, as those of a Multikey do not. */
function toBase58(bytes) {
  let number = BigInt(`0x${hex(bytes)}`);
  let text = "";
  while (number > 0n) {
    text = ALPHABET[Number(number % 58n)] + text;
    number /= 58n;
  }
  return text;
}
