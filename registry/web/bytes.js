// Bytes, and the texts that stand for them.

import { demand } from "./refused.js";

const encoder = new TextEncoder();
// A byte order mark is a character like any other: dropping it would give two byte strings one text.
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export const utf8 = (text) => encoder.encode(text);

/** The text of UTF-8 bytes, or null. */
export function textOf(bytes) {
  try {
    return decoder.decode(bytes);
  } catch {
    return null;
  }
}

export function concat(...parts) {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Less than, equal to or greater than zero, as `left` is to `right`; a prefix comes first. */
export function compare(left, right) {
  const length = Math.min(left.length, right.length);
  for (let at = 0; at < length; at++) {
    if (left[at] !== right[at]) return left[at] - right[at];
  }
  return left.length - right.length;
}

/** Texts in the order of their bytes, which is not JavaScript's order of UTF-16. */
export const compareText = (left, right) => compare(utf8(left), utf8(right));

export const same = (left, right) => compare(left, right) === 0;

export const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

/** The bytes of lowercase hexadecimal digits, or null. */
export function fromHex(text) {
  if (!/^([0-9a-f]{2})*$/.test(text)) return null;
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

/** Standard base64 with padding, in the one encoding of its bytes. */
export function fromBase64(text) {
  let binary = null;
  try {
    binary = atob(text);
  } catch {
    // Judged below.
  }
  demand(binary !== null && btoa(binary) === text, "form", "base64", text.slice(0, 40));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

/** base64url without padding. */
export function fromBase64url(text) {
  const padding = "=".repeat((4 - (text.length % 4)) % 4);
  demand(/^[A-Za-z0-9_-]*$/.test(text), "form", "base64url", text.slice(0, 40));
  return fromBase64(text.replaceAll("-", "+").replaceAll("_", "/") + padding);
}

/** A number without sign or leading zero. */
export function decimal(text) {
  const number = Number(text);
  const holds = /^(0|[1-9][0-9]{0,15})$/.test(text) && Number.isSafeInteger(number);
  demand(holds, "form", "a decimal number below 2^53", text.slice(0, 40));
  return number;
}

export async function sha256(...parts) {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", concat(...parts)));
}
