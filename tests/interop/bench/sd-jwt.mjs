// @sd-jwt/core at our SD-JWT VC.

import { SDJwtInstance } from "@sd-jwt/core";
import { digest, generateSalt } from "@sd-jwt/crypto-nodejs";

import { publicJwk, signer, verifier } from "../peers/lib/keys.mjs";
import { check, material, serve } from "./turns.mjs";

const { text, tampered, issuer, holder, iss, kid, vct, nonce, claims, status } = material["dc+sd-jwt"];
const now = Date.parse(material.now) / 1000;

const instance = new SDJwtInstance({
  hasher: digest,
  hashAlg: "sha-256",
  saltGenerator: generateSalt,
  signer: signer(issuer.jwk),
  signAlg: "ES256",
  verifier: verifier(issuer.jwk),
  // The holder's key is the one in the credential.
  kbVerifier: async (data, signature, payload) => verifier(payload.cnf.jwk)(data, signature),
});

const verify = (text) => instance.verify(text, { keyBindingNonce: nonce, currentDate: now });
await check(verify, { text, tampered });

const payload = { ...claims, iss, vct, iat: now - 60, exp: now + 86_400, status, cnf: { jwk: publicJwk(holder.jwk) } };
const frame = { _sd: Object.keys(claims) };

await serve("@sd-jwt/core", {
  "dc+sd-jwt/verify": () => verify(text),
  "dc+sd-jwt/issue": () => instance.issue(payload, frame, { header: { typ: "dc+sd-jwt", kid } }),
});
