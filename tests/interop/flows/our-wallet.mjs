// Our own wallet, used as a person uses it, with requests and presentations that travel as files.

import assert from "node:assert/strict";
import { readFileSync, statSync } from "node:fs";

import { SUBJECT } from "./register.mjs";
import { unverified } from "./sd-jwt.mjs";

/**
 * What a new wallet presents that holds one credential, and the payload of the request that it answers.
 * `query` is a built-in name or a file; its only credential query has the id `id`.
 */
export function presentedByOurWallet(platform, format, query, id) {
  const wallet = (...command) => platform.run("wallet", "--home", platform.file(`wallet-${format}`), ...command);
  const [asked, answered] = [platform.file(`request-${format}.json`), platform.file(`presentation-${format}.json`)];
  wallet("init");
  wallet("accept", platform.offer({ subject: SUBJECT, format }));
  platform.run("verifier", "request", "--offline", "--query", query, "--out", asked);
  wallet("present", asked, "--out", answered, "--yes");
  assert.equal(statSync(answered).mode & 0o777, 0o600);
  const { request, response } = JSON.parse(readFileSync(answered, "utf8"));
  const [presentation, ...others] = response.vp_token[id];
  assert.deepEqual(others, []);
  return { presentation, request: unverified(request).payload };
}
