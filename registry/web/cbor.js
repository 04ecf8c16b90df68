// Deterministic CBOR (RFC 8949, section 4.2.1): what the registry signs and hashes. Every other encoding is refused, so
// that what was read encodes to the bytes that were read.
//
// Numbers up to 2^53 are numbers, larger ones BigInt; maps are Map, byte strings Uint8Array.

import { compare, concat, textOf, utf8 } from "./bytes.js";
import { demand } from "./refused.js";

/** Entry, body, list, element, list, element: six levels; two more for what is to come. */
const MAX_DEPTH = 8;

/** The one item that `bytes` are. */
export function decode(bytes) {
  const reader = { bytes, at: 0 };
  const value = item(reader, MAX_DEPTH);
  demand(reader.at === bytes.length, "form", "one CBOR item", "bytes after it");
  return value;
}

export function encode(value) {
  if (value === null) return Uint8Array.of(0xf6);
  if (typeof value === "boolean") return Uint8Array.of(value ? 0xf5 : 0xf4);
  if (typeof value === "number" || typeof value === "bigint") {
    return value >= 0 ? head(0, value) : head(1, -1n - BigInt(value));
  }
  if (value instanceof Uint8Array) return concat(head(2, value.length), value);
  if (typeof value === "string") return concat(head(3, utf8(value).length), utf8(value));
  if (Array.isArray(value)) return concat(head(4, value.length), ...value.map(encode));
  const members = [...value].map(([key, member]) => [encode(key), encode(member)]);
  members.sort(([left], [right]) => compare(left, right));
  return concat(head(5, members.length), ...members.flat());
}

function item(reader, depth) {
  demand(depth >= 0, "form", `CBOR of at most ${MAX_DEPTH} levels`, "a deeper one");
  const first = take(reader, 1)[0];
  const [major, low] = [first >> 5, first & 31];
  if (major === 7) {
    demand(low >= 20 && low <= 22, "form", "false, true or null", `the simple value ${low}`);
    return { 20: false, 21: true, 22: null }[low];
  }
  const argument = number(reader, low);
  switch (major) {
    case 0:
      return argument;
    case 1:
      return narrow(-1n - BigInt(argument));
    case 2:
      return take(reader, argument);
    case 3:
      return text(take(reader, argument));
    case 4:
      return array(reader, argument, depth);
    case 5:
      return map(reader, argument, depth);
    default:
      return demand(false, "form", "no CBOR tags", "a tag");
  }
}

function take(reader, length) {
  const end = reader.at + Number(length);
  demand(end <= reader.bytes.length, "form", "whole CBOR", "its end in the middle of an item");
  const part = reader.bytes.subarray(reader.at, end);
  reader.at = end;
  return part;
}

/** The argument of a head, in its shortest form. */
function number(reader, low) {
  if (low < 24) return low;
  demand(low <= 27, "form", "a definite length", "an indefinite one");
  const width = 1 << (low - 24);
  const value = take(reader, width).reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
  const least = width === 1 ? 24n : 1n << BigInt(4 * width);
  demand(value >= least, "form", "numbers in their shortest form", "a longer one");
  return narrow(value);
}

const narrow = (value) => (Number.isSafeInteger(Number(value)) ? Number(value) : value);

function text(bytes) {
  const decoded = textOf(bytes);
  demand(decoded !== null, "form", "text in UTF-8", "other bytes");
  return decoded;
}

function array(reader, length, depth) {
  const elements = [];
  for (let count = 0; count < length; count++) elements.push(item(reader, depth - 1));
  return elements;
}

function map(reader, length, depth) {
  const members = new Map();
  let last = new Uint8Array();
  for (let count = 0; count < length; count++) {
    const start = reader.at;
    const key = item(reader, depth - 1);
    const encoded = reader.bytes.subarray(start, reader.at);
    demand(compare(last, encoded) < 0, "form", "members in ascending order", "another order");
    last = encoded;
    members.set(key, item(reader, depth - 1));
  }
  return members;
}

function head(major, argument) {
  if (argument < 24) return Uint8Array.of((major << 5) | Number(argument));
  let rest = BigInt(argument);
  const width = [1, 2, 4, 8].find((bytes) => rest < 1n << BigInt(8 * bytes));
  const whole = new Uint8Array(1 + width);
  whole[0] = (major << 5) | { 1: 24, 2: 25, 4: 26, 8: 27 }[width];
  for (let at = width; at > 0; at--) {
    whole[at] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  return whole;
}
