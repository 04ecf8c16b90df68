// SD-JWTs as text: reading them without verifying, and damaging them.

import { tampered } from "../ask.mjs";

const decode = (part) => JSON.parse(Buffer.from(part, "base64url").toString());
const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

/** Header and payload of a compact JWS, and of the one that an SD-JWT begins with. */
export function unverified(text) {
  const [header, payload] = text.split("~")[0].split(".");
  return { header: decode(header), payload: decode(payload) };
}

/** An SD-JWT with one character of the issuer's signature changed. */
export function withOtherSignature(text) {
  return tampered(text, text.indexOf("~") - 20);
}

/** An SD-JWT with one character of the holder's signature changed. */
export function withOtherHolderSignature(text) {
  return tampered(text, text.length - 20);
}

/** An SD-JWT in which the disclosure of a claim says something else. */
export function withOtherClaim(text, name, value) {
  const parts = text.split("~");
  const at = parts.findIndex((part, place) => place > 0 && place < parts.length - 1 && decode(part).at(-2) === name);
  if (at < 0) throw new Error(`expected a disclosure of ${name}, found none`);
  const [salt] = decode(parts[at]);
  parts[at] = encode([salt, name, value]);
  return parts.join("~");
}

/** An SD-JWT with a disclosure that the issuer never made. */
export function withAddedClaim(text, name, value) {
  const [jwt, ...rest] = text.split("~");
  return [jwt, encode(["c2FsdC1zYWx0LXNhbHQ", name, value]), ...rest].join("~");
}
