// A wallet made of the peers: one obtains the credentials, others present them, a third sends the answer.

import { mustAnswer, newKey } from "../ask.mjs";

/** Accepts an offer with one new key of each algorithm; gives the credentials with their keys. */
export function accept(offer, algorithms = ["ES256"], more = {}) {
  const holders = algorithms.map(newKey);
  const { response, holders: named } = mustAnswer("openid4vci.mjs", { do: "accept", offer, holders, ...more });
  return response.credentials.map(({ credential }, at) => ({ credential, holder: holders[at], did: named[at] }));
}

/** What a request asks: its payload, after its signature was verified. */
export function read(platform, request) {
  return mustAnswer("openid4vp.mjs", { do: "read", request, platform: platform.url }).request;
}

/** An SD-JWT with key binding for what was asked, made in JavaScript. `changes` replaces parts of the question. */
export function present({ credential, holder }, { nonce, client_id: aud }, frame, changes = {}) {
  const iat = Math.floor(Date.now() / 1000);
  const question = { do: "present", sd_jwt: credential, frame, holder, nonce, aud, iat };
  return mustAnswer("sd-jwt-vc.mjs", { ...question, ...changes }).sd_jwt;
}

/** The part of a frame that discloses every element of the array `name`. */
export function allOf(name, { credential }) {
  const { keys } = mustAnswer("sd-jwt-vc.mjs", { do: "keys", sd_jwt: credential });
  const elements = keys.filter((key) => key.startsWith(`${name}.`)).map((key) => [key.slice(name.length + 1), true]);
  return { [name]: Object.fromEntries(elements) };
}

/** The same, made in Python. */
export function presentInPython({ credential, holder }, { nonce, client_id: aud }, disclose) {
  return mustAnswer("sd_jwt_peer.py", { do: "present", sd_jwt: credential, disclose, holder, nonce, aud }).sd_jwt;
}

/** Sends an answer; gives the HTTP status and body, and with `repeat` the status of sending it once more. */
export function answer(platform, request, vp_token, repeat = false) {
  return mustAnswer("openid4vp.mjs", { do: "answer", request, vp_token, platform: platform.url, repeat });
}
