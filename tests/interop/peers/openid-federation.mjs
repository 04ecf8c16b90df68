// The npm package @openid-federation/core: builds the Trust Chain of an entity, with the questions of lib/serve.mjs.
//
// resolve   entity, anchor (entity identifiers), keys (JWKs of the anchor), hosts (where each https origin is by plain
//           http), tamper? ({ url, of: "payload" or "signature" }: one character of what comes from there)
//           -> metadata, statement (the claims of the anchor's statement about the entity)
//
// The package takes the anchor's keys from the anchor's own configuration, and does not hold the subject's key against the
// superior's statement. The standard asks for both (section 10.2), so both are done here.

import http from "node:http";

import { resolveTrustChains } from "@openid-federation/core";

import { tampered } from "../ask.mjs";
import { verifier } from "./lib/keys.mjs";
import { serve } from "./lib/serve.mjs";

const PLACES = {
  payload: (jwt) => jwt.indexOf(".") + 40,
  signature: (jwt) => jwt.length - 20,
};

const isSameKey = (one, other) => ["kid", "kty", "crv", "x", "y"].every((name) => one[name] === other[name]);

function demand(holds, why) {
  if (!holds) throw new Error(why);
}

function get(url) {
  return new Promise((resolve, reject) => {
    const request = http.get(url, { agent: false }, async (response) => {
      let text = "";
      for await (const part of response.setEncoding("utf8")) text += part;
      resolve({ headers: { get: (name) => response.headers[name] }, text: async () => text });
    });
    request.on("error", reject);
  });
}

/** In place of `fetch`: asks whoever answers for an https origin. */
function mapped(hosts, tamper) {
  return async (url) => {
    const { origin, pathname, search } = new URL(url);
    demand(Object.hasOwn(hosts, origin), `expected one of ${Object.keys(hosts).join(", ")}, found ${origin}`);
    const response = await get(`${hosts[origin]}${pathname}${search}`);
    if (tamper === undefined || !url.startsWith(tamper.url)) return response;
    const text = await response.text();
    return { ...response, text: async () => tampered(text, PLACES[tamper.of](text)) };
  };
}

async function resolve({ entity, anchor, keys, hosts, tamper }) {
  globalThis.fetch = mapped(hosts, tamper);
  let signedWith;
  const verifyJwtCallback = async ({ data, signature, jwk, claims }) => {
    if (claims.iss === anchor) demand(keys.some((key) => isSameKey(key, jwk)), "the anchor's key is another");
    else signedWith = jwk;
    return verifier(jwk)(data, Buffer.from(signature).toString("base64url"));
  };
  const chains = await resolveTrustChains({ entityId: entity, trustAnchorEntityIds: [anchor], verifyJwtCallback });
  demand(chains.length === 1, `expected one Trust Chain, found ${chains.length}`);
  const { chain, resolvedLeafMetadata: metadata } = chains[0];
  const statement = chain.find(({ sub }) => sub === entity);
  demand(statement?.iss === anchor, "the chain does not end with the anchor");
  demand(statement.jwks.keys.some((key) => isSameKey(key, signedWith)), "the entity signs with a key that is not its own");
  return { metadata, statement };
}

await serve({ resolve });
