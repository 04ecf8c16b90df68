// jose: signs and verifies compact JWS, encrypts and decrypts compact JWE.
//
//   sign     key (private JWK), header, payload -> jwt
//   verify   key (JWK), jwt, typ?, audience?, issuer? -> header, payload
//   encrypt  key (JWK), header, text -> jwe
//   decrypt  key (private JWK), jwe -> header, text

import * as jose from "jose";

import { algorithm } from "./lib/keys.mjs";
import { serve } from "./lib/serve.mjs";

await serve({
  async sign({ key, header, payload }) {
    const signing = new jose.SignJWT(payload).setProtectedHeader({ ...header, alg: algorithm(key) });
    return { jwt: await signing.sign(await jose.importJWK(key, algorithm(key))) };
  },

  async verify({ key, jwt, typ, audience, issuer }) {
    const { protectedHeader, payload } = await jose.jwtVerify(jwt, await jose.importJWK(key, algorithm(key)), {
      algorithms: [algorithm(key)],
      typ,
      audience,
      issuer,
    });
    return { header: protectedHeader, payload };
  },

  async encrypt({ key, header, text }) {
    const encryption = new jose.CompactEncrypt(new TextEncoder().encode(text)).setProtectedHeader(header);
    return { jwe: await encryption.encrypt(await jose.importJWK(key, header.alg)) };
  },

  async decrypt({ key, jwe }) {
    const { alg } = jose.decodeProtectedHeader(jwe);
    const { protectedHeader, plaintext } = await jose.compactDecrypt(jwe, await jose.importJWK(key, alg));
    return { header: protectedHeader, text: new TextDecoder("utf-8", { fatal: true }).decode(plaintext) };
  },
});
