// Asks a peer a question (see peers/lib/serve.mjs) in a process of its own.

import { spawnSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { fileURLToPath } from "node:url";

const PEERS = fileURLToPath(new URL("peers/", import.meta.url));

/** The answer of `peer`, the name of a file in peers/. */
export function ask(peer, question) {
  const program = peer.endsWith(".py") ? (process.env.ATTESTRY_PYTHON ?? "python3") : process.execPath;
  const result = spawnSync(program, [`${PEERS}${peer}`], { input: JSON.stringify(question), encoding: "utf8", timeout: 60_000 });
  if (result.error) throw result.error;
  if (result.status !== 0) throw new Error(`${peer} ended with ${result.status}: ${result.stderr}`);
  return JSON.parse(result.stdout);
}

/** The answer of a peer that must not refuse. */
export function mustAnswer(peer, question) {
  const answer = ask(peer, question);
  if (!answer.ok) throw new Error(`${peer} refused: ${answer.error}`);
  return answer;
}

/** A new private JWK. */
export function newKey(algorithm) {
  const pair = algorithm === "ES256" ? generateKeyPairSync("ec", { namedCurve: "P-256" }) : generateKeyPairSync("ed25519");
  return pair.privateKey.export({ format: "jwk" });
}

/** A text with one character changed at `place`. */
export function tampered(text, place) {
  const other = text[place] === "A" ? "B" : "A";
  return text.slice(0, place) + other + text.slice(place + 1);
}
