// The sample nation under a public https URL as a federation: @openid-federation/core builds Trust Chains from the agencies'
// own configurations up to the registry's.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, test } from "node:test";
import { setTimeout } from "node:timers/promises";

import { ask, mustAnswer } from "../ask.mjs";
import { Platform } from "../flows/platform.mjs";
import { getBytes, getText } from "../peers/lib/http.mjs";

const ANCHOR = "https://attestry.example";
const AGENCIES = ["business", "health", "population", "transport"].map((id) => `${ANCHOR}/issuers/${id}`);

let platform;
let question;

before(async () => {
  platform = await Platform.start(ANCHOR);
  const content = await committed();
  // The keys come the way that the Snapshot vouches for, not from the federation itself.
  const { keys } = JSON.parse(content).trust_anchor.jwks;
  question = { do: "resolve", anchor: ANCHOR, keys, hosts: { [ANCHOR]: platform.address } };
});

after(() => platform?.stop());

/** All that the registry signs, when it is what the newest Snapshot has the digest of, and has every agency. */
async function committed() {
  // The first projections are made while the nation is being founded.
  for (let tries = 0; tries < 60; tries += 1) {
    const content = await getBytes(`${platform.address}/export/openid-federation.json`);
    const { projections } = JSON.parse(await getText(`${platform.address}/registry/projections`));
    const { sha256 } = projections.find(({ name }) => name === "openid-federation");
    const isCommitted = sha256 === createHash("sha256").update(content).digest("hex");
    if (isCommitted && (await list()).length === AGENCIES.length) return content;
    await setTimeout(500);
  }
  return assert.fail("the statements do not become complete");
}

async function list() {
  return JSON.parse(await getText(`${platform.address}/federation/list?entity_type=openid_credential_issuer`));
}

test("each agency has a Trust Chain up to the registry", async () => {
  assert.deepEqual(await list(), AGENCIES);
  for (const entity of AGENCIES) {
    const { metadata, statement } = mustAnswer("openid-federation.mjs", { ...question, entity });
    const id = entity.split("/").at(-1);
    const own = JSON.parse(await getText(`${platform.address}/.well-known/openid-credential-issuer/issuers/${id}`));
    const issuer = metadata.openid_credential_issuer;
    assert.equal(issuer.credential_issuer, entity);
    assert.deepEqual(issuer.credential_configurations_supported, own.credential_configurations_supported);
    // What officers approved stands over what the agency says.
    assert.match(metadata.federation_entity.organization_name, / of the Sample Nation$/);
    assert.deepEqual(metadata.federation_entity.contacts, [`contact@${id}.attestry.example`]);
    assert.deepEqual(statement.constraints.allowed_entity_types, ["oauth_authorization_server", "openid_credential_issuer"]);
  }
});

test("what was changed on the way has no Trust Chain", () => {
  const [entity] = AGENCIES;
  const resolve = (changes) => ask("openid-federation.mjs", { ...question, entity, ...changes });
  assert.equal(resolve({}).ok, true);
  const places = [
    `${entity}/.well-known/openid-federation`,
    `${ANCHOR}/.well-known/openid-federation`,
    `${ANCHOR}/federation/fetch`,
  ];
  for (const url of places) {
    for (const of of ["payload", "signature"]) assert.equal(resolve({ tamper: { url, of } }).ok, false, `${url} ${of}`);
  }
  const [key] = question.keys;
  assert.equal(resolve({ keys: [{ ...key, x: key.y, y: key.x }] }).ok, false, "another anchor's key");
  assert.equal(resolve({ entity: `${ANCHOR}/issuers/nobody` }).ok, false, "no agency");
});
