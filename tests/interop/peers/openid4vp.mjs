// @openid4vc/openid4vp as a wallet: reads a presentation request and answers it.
//
//   read     request (openid4vp: URI), platform? -> request (its payload), client
//   answer   request (openid4vp: URI), vp_token, platform?, repeat? -> status, body, repeated?
//
// With `repeat` the same response is sent once more, and `repeated` is the status of that.
//
// Making the presentations in `vp_token` is the business of the peers of each format.

import { setGlobalConfig } from "@openid4vc/oauth2";
import { Openid4vpClient } from "@openid4vc/openid4vp";
import * as jose from "jose";

import { publicKey } from "./lib/did.mjs";
import { hash, random, verifier } from "./lib/keys.mjs";
import { serve } from "./lib/serve.mjs";

setGlobalConfig({ allowInsecureUrls: true });

function client(platform) {
  const callbacks = {
    hash,
    generateRandom: random,
    fetch: globalThis.fetch,
    verifyJwt: async (jwtSigner, { compact }) => {
      const key = jwtSigner.method === "did" ? await publicKey(jwtSigner.didUrl, platform) : jwtSigner.publicJwk;
      const [header, payload, signature] = compact.split(".");
      const verified = await verifier(key)(`${header}.${payload}`, signature);
      return verified ? { verified, signerJwk: key } : { verified };
    },
    signJwt: async () => {
      throw new Error("the wallet was asked to sign its response, which OpenID4VP 1.0 has no use for");
    },
    encryptJwe: async (encryptor, text) => {
      const { publicJwk: jwk, alg, enc } = encryptor;
      const header = { alg, enc, kid: jwk.kid, apu: encryptor.apu, apv: encryptor.apv };
      const encryption = new jose.CompactEncrypt(new TextEncoder().encode(text)).setProtectedHeader(
        JSON.parse(JSON.stringify(header)),
      );
      return { encryptionJwk: jwk, jwe: await encryption.encrypt(await jose.importJWK(jwk, alg)) };
    },
    decryptJwe: async () => ({ decrypted: false }),
  };
  return new Openid4vpClient({ callbacks });
}

async function resolve(wallet, request) {
  const parsed = wallet.parseOpenid4vpAuthorizationRequest({ authorizationRequest: request });
  return wallet.resolveOpenId4vpAuthorizationRequest({ authorizationRequestPayload: parsed.params });
}

await serve({
  async read({ request, platform }) {
    const { authorizationRequestPayload, client: asked } = await resolve(client(platform), request);
    return { request: authorizationRequestPayload, client: asked };
  },

  async answer({ request, vp_token, platform, repeat }) {
    const wallet = client(platform);
    const { authorizationRequestPayload } = await resolve(wallet, request);
    const isEncrypted = authorizationRequestPayload.response_mode === "direct_post.jwt";
    const answer = await wallet.createOpenid4vpAuthorizationResponse({
      authorizationRequestPayload,
      authorizationResponsePayload: { vp_token },
      jarm: isEncrypted
        ? {
            encryption: { nonce: Buffer.from(random(16)).toString("base64url") },
            serverMetadata: {
              authorization_signing_alg_values_supported: [],
              authorization_encryption_alg_values_supported: ["ECDH-ES"],
              authorization_encryption_enc_values_supported: ["A256GCM", "A128GCM"],
            },
          }
        : undefined,
    });
    const send = () => wallet.submitOpenid4vpAuthorizationResponse({ authorizationRequestPayload, ...answer });
    const { response } = await send();
    const repeated = repeat ? (await send()).response.status : undefined;
    return { status: response.status, body: await response.json(), repeated };
  },
});
