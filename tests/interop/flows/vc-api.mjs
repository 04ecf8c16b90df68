// The VC API of the sample against @digitalbazaar/vc: each verifies what the other secured, and refuses it changed.

import assert from "node:assert/strict";
import { test } from "node:test";

import { multikeyOfEd25519 } from "../peers/lib/did.mjs";
import { post } from "../peers/lib/http.mjs";
import { ask, mustAnswer, newKey } from "../ask.mjs";

const INSTANCE = "eddsa-rdfc-2022";
const DOMAIN = "https://verifier.example";
const CHALLENGE = "d436f0c8-fbd9-4e48-bbb2-55fc5d0920a8";

const document = () => ({
  "@context": ["https://www.w3.org/ns/credentials/v2"],
  type: ["VerifiableCredential"],
  credentialSubject: { id: "did:example:subject", name: "Alice" },
});

export function vcApi(platform) {
  const verifyCredential = (verifiableCredential) =>
    post(`${platform().url}/vc-api/verifier/credentials/verify`, { verifiableCredential });
  const verifyPresentation = (verifiablePresentation, options) =>
    post(`${platform().url}/vc-api/verifier/presentations/verify`, { verifiablePresentation, options });

  test("VC API: what an instance issues, the peer verifies", async () => {
    const { status, body: credential } = await post(`${platform().url}/vc-api/${INSTANCE}/credentials/issue`, {
      credential: document(),
    });
    assert.equal(status, 201);
    const method = credential.proof.verificationMethod;
    const key = await platform().key(method);
    const asked = { do: "verify", key, method, controller: credential.issuer };
    const { ok, error } = ask("data-integrity.mjs", { ...asked, credential });
    assert.ok(ok, error);
    const forged = structuredClone(credential);
    forged.credentialSubject.name = "Mallory";
    assert.equal(ask("data-integrity.mjs", { ...asked, credential: forged }).ok, false);
  });

  test("VC API: what the peer issues and presents, the verifier verifies", async () => {
    const key = newKey("EdDSA");
    const controller = `did:key:${multikeyOfEd25519(key)}`;
    const method = `${controller}#${multikeyOfEd25519(key)}`;
    const issue = { do: "issue", credential: { ...document(), issuer: controller }, key, method, controller };
    const { credential } = mustAnswer("data-integrity.mjs", issue);
    assert.deepEqual((await verifyCredential(credential)).status, 200);
    const forged = structuredClone(credential);
    forged.credentialSubject.name = "Mallory";
    const refused = await verifyCredential(forged);
    assert.equal(refused.status, 400);
    assert.equal(refused.body.verified, false);

    const holder = newKey("EdDSA");
    const present = { do: "present", credential, holder, challenge: CHALLENGE, domain: DOMAIN };
    const { presentation } = mustAnswer("data-integrity.mjs", present);
    const options = { challenge: CHALLENGE, domain: DOMAIN };
    assert.equal((await verifyPresentation(presentation, options)).status, 200);
    assert.equal((await verifyPresentation(presentation, { ...options, challenge: "another" })).status, 400);
    assert.equal((await verifyPresentation(presentation, { ...options, domain: "another" })).status, 400);
  });
}
