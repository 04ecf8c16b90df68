// Signing and verifying with JWKs through Node's own cryptography, as the callbacks of the peers want it.

import { createHash, createPrivateKey, createPublicKey, randomBytes, sign, verify } from "node:crypto";

const ALGORITHMS = {
  ES256: { hash: "sha256", options: { dsaEncoding: "ieee-p1363" } },
  EdDSA: { hash: null, options: {} },
};

/** The JOSE name of the algorithm that a JWK is used with. */
export function algorithm(jwk) {
  if (jwk.kty === "EC" && jwk.crv === "P-256") return "ES256";
  if (jwk.kty === "OKP" && jwk.crv === "Ed25519") return "EdDSA";
  throw new Error(`expected a P-256 or Ed25519 key, found ${jwk.kty} ${jwk.crv}`);
}

/** The public members of a JWK. */
export function publicJwk({ kty, crv, x, y }) {
  return y === undefined ? { kty, crv, x } : { kty, crv, x, y };
}

/** A function from text to a base64url signature. */
export function signer(jwk) {
  const { hash, options } = ALGORITHMS[algorithm(jwk)];
  const key = createPrivateKey({ key: jwk, format: "jwk" });
  return async (data) => sign(hash, Buffer.from(data), { key, ...options }).toString("base64url");
}

/** A function from text and base64url signature to whether it holds. */
export function verifier(jwk) {
  const { hash, options } = ALGORITHMS[algorithm(jwk)];
  const key = createPublicKey({ key: publicJwk(jwk), format: "jwk" });
  return async (data, signature) =>
    verify(hash, Buffer.from(data), { key, ...options }, Buffer.from(signature, "base64url"));
}

/** A compact JWS of a header and a payload. */
export async function signJwt(jwk, header, payload) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const input = `${part({ ...header, alg: algorithm(jwk) })}.${part(payload)}`;
  return `${input}.${await signer(jwk)(input)}`;
}

/** SHA-2 by its name in the IANA registry, such as `sha-256`. */
export function hash(data, name = "sha-256") {
  return new Uint8Array(createHash(name.replace("-", "")).update(data).digest());
}

/** `length` random bytes. */
export function random(length) {
  return new Uint8Array(randomBytes(length));
}
