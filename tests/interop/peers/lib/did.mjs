// Public keys of DIDs: did:key and did:jwk from themselves, everything else from the platform's DID
// resolution endpoint.

import { ECDH } from "node:crypto";

import { getText } from "./http.mjs";

const BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/** The public JWK of a DID URL with a fragment. `platform` is the base URL of a running platform. */
export async function publicKey(didUrl, platform) {
  const [did] = didUrl.split("#");
  if (did.startsWith("did:key:")) return jwkOfMultikey(did.slice("did:key:".length));
  if (did.startsWith("did:jwk:")) {
    return JSON.parse(Buffer.from(did.slice("did:jwk:".length), "base64url").toString());
  }
  if (platform === undefined) throw new Error(`expected a platform to resolve ${did} with, found none`);
  const url = `${platform}/registry/1.0/identifiers/${encodeURIComponent(did)}`;
  const body = JSON.parse(await getText(url, { accept: "application/did-resolution" }));
  const document = body.didDocument;
  if (!document) throw new Error(`expected a DID document of ${did}, found none`);
  const absolute = (id) => (id.startsWith("#") ? `${document.id}${id}` : id);
  const method = (document.verificationMethod ?? []).find((method) => absolute(method.id) === didUrl);
  if (method === undefined) throw new Error(`expected the key ${didUrl} in the DID document, found none`);
  return method.publicKeyJwk ?? jwkOfMultikey(method.publicKeyMultibase);
}

/** A did:jwk of a public JWK. */
export function didJwk(jwk) {
  return `did:jwk:${Buffer.from(JSON.stringify(jwk)).toString("base64url")}`;
}

/** https://www.w3.org/TR/cid-1.0/#Multikey for Ed25519 and P-256. */
export function jwkOfMultikey(multikey) {
  const bytes = base58(multikey.slice(1));
  const is = (...prefix) => prefix.every((byte, place) => bytes[place] === byte);
  if (multikey.startsWith("z") && is(0xed, 0x01) && bytes.length === 34) {
    return { kty: "OKP", crv: "Ed25519", x: Buffer.from(bytes.subarray(2)).toString("base64url") };
  }
  if (multikey.startsWith("z") && is(0x80, 0x24) && bytes.length === 35) {
    const point = ECDH.convertKey(bytes.subarray(2), "prime256v1", undefined, undefined, "uncompressed");
    const coordinate = (from) => point.subarray(from, from + 32).toString("base64url");
    return { kty: "EC", crv: "P-256", x: coordinate(1), y: coordinate(33) };
  }
  throw new Error("expected a Multikey of Ed25519 or P-256, found another one");
}

/** The Multikey of an Ed25519 JWK. */
export function multikeyOfEd25519(jwk) {
  return `z${toBase58(Buffer.concat([Buffer.from([0xed, 0x01]), Buffer.from(jwk.x, "base64url")]))}`;
}

/** The Multikey of a P-256 or P-384 JWK. */
export function multikeyOfEcdsa(jwk) {
  const prefix = { "P-256": [0x80, 0x24], "P-384": [0x81, 0x24] }[jwk.crv];
  const [x, y] = [Buffer.from(jwk.x, "base64url"), Buffer.from(jwk.y, "base64url")];
  return `z${toBase58(Buffer.concat([Buffer.from([...prefix, 2 + (y.at(-1) & 1)]), x]))}`;
}

/** The Multikey of a BLS12-381 JWK in G2. */
export function multikeyOfBls12381(jwk) {
  return `z${toBase58(Buffer.concat([Buffer.from([0xeb, 0x01]), Buffer.from(jwk.x, "base64url")]))}`;
}

/** The private Multikey of a BLS12-381 JWK in G2. */
export function secretMultikeyOfBls12381(jwk) {
  return `z${toBase58(Buffer.concat([Buffer.from([0x8a, 0x26]), Buffer.from(jwk.d, "base64url")]))}`;
}

/** The private Multikey of an Ed25519 JWK, as @digitalbazaar/ed25519-multikey takes it. */
export function secretMultikeyOfEd25519(jwk) {
  const [d, x] = [Buffer.from(jwk.d, "base64url"), Buffer.from(jwk.x, "base64url")];
  return `z${toBase58(Buffer.concat([Buffer.from([0x80, 0x26]), d, x]))}`;
}

function base58(text) {
  let number = 0n;
  for (const character of text) {
    const digit = BASE58.indexOf(character);
    if (digit < 0) throw new Error("expected base58, found another character");
    number = number * 58n + BigInt(digit);
  }
  const hex = number.toString(16);
  const zeros = /^1*/.exec(text)[0].length;
  return Buffer.concat([Buffer.alloc(zeros), Buffer.from(hex.length % 2 ? `0${hex}` : hex, "hex")]);
}

function toBase58(bytes) {
  let number = BigInt(`0x${bytes.toString("hex")}`);
  let text = "";
  for (; number > 0n; number /= 58n) text = BASE58[Number(number % 58n)] + text;
  return text;
}
