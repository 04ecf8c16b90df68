// @sd-jwt/sd-jwt-vc: issues, presents and verifies SD-JWT VCs.
//
//   issue    issuer (private JWK), kid?, claims, frame -> sd_jwt
//   keys     sd_jwt -> keys (dotted paths of what can be disclosed, decoys counted in arrays)
//   present  sd_jwt, frame, holder (private JWK), nonce, aud, iat -> sd_jwt
//   verify   sd_jwt, issuer (JWK), nonce?, required? -> claims, key_binding

import { digest, generateSalt } from "@sd-jwt/crypto-nodejs";
import { SDJwtVcInstance } from "@sd-jwt/sd-jwt-vc";

import { algorithm, signer, verifier } from "./lib/keys.mjs";
import { serve } from "./lib/serve.mjs";

const COMMON = { hasher: digest, hashAlg: "sha-256", saltGenerator: generateSalt };

await serve({
  async issue({ issuer, kid, claims, frame }) {
    const instance = new SDJwtVcInstance({ ...COMMON, signer: signer(issuer), signAlg: algorithm(issuer) });
    return { sd_jwt: await instance.issue(claims, frame, { header: kid === undefined ? {} : { kid } }) };
  },

  async keys({ sd_jwt }) {
    return { keys: await new SDJwtVcInstance(COMMON).presentableKeys(sd_jwt) };
  },

  async present({ sd_jwt, frame, holder, nonce, aud, iat }) {
    const instance = new SDJwtVcInstance({ ...COMMON, kbSigner: signer(holder), kbSignAlg: algorithm(holder) });
    return { sd_jwt: await instance.present(sd_jwt, frame, { kb: { payload: { nonce, aud, iat } } }) };
  },

  async verify({ sd_jwt, issuer, nonce, required }) {
    const instance = new SDJwtVcInstance({
      ...COMMON,
      verifier: verifier(issuer),
      // The holder's key is the one in the credential.
      kbVerifier: async (data, signature, payload) => verifier(payload.cnf.jwk)(data, signature),
    });
    const options = { requiredClaimKeys: required };
    if (nonce !== undefined) options.keyBindingNonce = nonce;
    const { payload, kb } = await instance.verify(sd_jwt, options);
    return { claims: payload, key_binding: kb?.payload };
  },
});
