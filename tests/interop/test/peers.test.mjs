// The peers agree with each other. What fails here is wrong with a peer or its question, not with Attestry.

import assert from "node:assert/strict";
import { test } from "node:test";

import { publicJwk } from "../peers/lib/keys.mjs";
import { multikeyOfEd25519 } from "../peers/lib/did.mjs";
import { ask, mustAnswer, newKey, tampered } from "../ask.mjs";

const NOW = Math.floor(Date.now() / 1000);
const VCT = "https://attestry.example/types/PersonIdentity";

function credentialClaims(holder) {
  return {
    iss: "https://issuer.example",
    iat: NOW,
    vct: VCT,
    cnf: { jwk: publicJwk(holder) },
    given_name: "Maya",
    age_over_18: true,
  };
}

for (const algorithm of ["ES256", "EdDSA"]) {
  test(`an SD-JWT VC goes from JavaScript to Python, ${algorithm}`, () => {
    const [issuer, holder] = [newKey(algorithm), newKey("ES256")];
    const { sd_jwt } = mustAnswer("sd-jwt-vc.mjs", {
      do: "issue",
      issuer,
      claims: credentialClaims(holder),
      frame: { _sd: ["given_name", "age_over_18"] },
    });
    const presented = mustAnswer("sd-jwt-vc.mjs", {
      do: "present",
      sd_jwt,
      frame: { age_over_18: true },
      holder,
      nonce: "n-1",
      aud: "https://verifier.example",
      iat: NOW,
    }).sd_jwt;
    const question = { do: "verify", sd_jwt: presented, issuer: publicJwk(issuer), nonce: "n-1", aud: "https://verifier.example" };
    const { claims } = mustAnswer("sd_jwt_peer.py", question);
    assert.equal(claims.age_over_18, true);
    assert.equal("given_name" in claims, false);
    assert.equal(ask("sd_jwt_peer.py", { ...question, nonce: "n-2" }).ok, false);
    assert.equal(ask("sd_jwt_peer.py", { ...question, issuer: publicJwk(newKey(algorithm)) }).ok, false);
  });

  test(`an SD-JWT VC goes from Python to JavaScript, ${algorithm}`, () => {
    const [issuer, holder] = [newKey(algorithm), newKey("ES256")];
    const { cnf: _, ...claims } = credentialClaims(holder);
    const { sd_jwt } = mustAnswer("sd_jwt_peer.py", {
      do: "issue",
      issuer,
      claims,
      disclosable: ["given_name", "age_over_18"],
      holder: publicJwk(holder),
    });
    const presented = mustAnswer("sd_jwt_peer.py", {
      do: "present",
      sd_jwt,
      disclose: { given_name: true },
      holder,
      nonce: "n-1",
      aud: "https://verifier.example",
    }).sd_jwt;
    const question = { do: "verify", sd_jwt: presented, issuer: publicJwk(issuer), nonce: "n-1" };
    const answer = mustAnswer("sd-jwt-vc.mjs", question);
    assert.equal(answer.claims.given_name, "Maya");
    assert.equal("age_over_18" in answer.claims, false);
    assert.equal(answer.key_binding.aud, "https://verifier.example");
    assert.equal(ask("sd-jwt-vc.mjs", { ...question, nonce: "n-2" }).ok, false);
    const inSignature = presented.indexOf("~") - 20;
    assert.equal(ask("sd-jwt-vc.mjs", { ...question, sd_jwt: tampered(presented, inSignature) }).ok, false);
  });
}

test("jose signs, verifies, encrypts and decrypts", () => {
  const key = newKey("ES256");
  const { jwt } = mustAnswer("jose.mjs", { do: "sign", key, header: { typ: "vc+jwt" }, payload: { iss: "me", aud: "you" } });
  const question = { do: "verify", key: publicJwk(key), jwt, typ: "vc+jwt", audience: "you" };
  assert.equal(mustAnswer("jose.mjs", question).payload.iss, "me");
  for (const change of [{ audience: "them" }, { typ: "JWT" }, { jwt: tampered(jwt, jwt.length - 20) }]) {
    assert.equal(ask("jose.mjs", { ...question, ...change }).ok, false);
  }
  const header = { alg: "ECDH-ES", enc: "A256GCM" };
  const { jwe } = mustAnswer("jose.mjs", { do: "encrypt", key: publicJwk(key), header, text: "secret" });
  assert.equal(mustAnswer("jose.mjs", { do: "decrypt", key, jwe }).text, "secret");
  assert.equal(ask("jose.mjs", { do: "decrypt", key: newKey("ES256"), jwe }).ok, false);
});

test("a Data Integrity credential is issued, presented and verified", () => {
  const [key, holder] = [newKey("EdDSA"), newKey("EdDSA")];
  const controller = "did:web:population.attestry.example";
  const signer = { key, controller, method: `${controller}#key-1` };
  const unsigned = {
    "@context": ["https://www.w3.org/ns/credentials/v2", `${VCT}/context.jsonld`],
    type: ["VerifiableCredential", "PersonIdentity"],
    issuer: controller,
    credentialSubject: { id: `did:key:${multikeyOfEd25519(holder)}`, given_name: "Maya", age_over_18: true },
  };
  const { credential } = mustAnswer("data-integrity.mjs", { do: "issue", credential: unsigned, ...signer });
  mustAnswer("data-integrity.mjs", { do: "verify", credential, ...signer });
  const changed = structuredClone(credential);
  changed.credentialSubject.given_name = "Mallory";
  assert.equal(ask("data-integrity.mjs", { do: "verify", credential: changed, ...signer }).ok, false);
  const binding = { challenge: "n-1", domain: "https://verifier.example" };
  const { presentation } = mustAnswer("data-integrity.mjs", { do: "present", credential, holder, ...binding });
  const question = { do: "verify_presentation", presentation, holder, ...binding, ...signer };
  mustAnswer("data-integrity.mjs", question);
  assert.equal(ask("data-integrity.mjs", { ...question, challenge: "n-2" }).ok, false);
});

test("an undefined term is refused", () => {
  const controller = "did:web:population.attestry.example";
  const credential = {
    "@context": ["https://www.w3.org/ns/credentials/v2", `${VCT}/context.jsonld`],
    type: ["VerifiableCredential", "PersonIdentity"],
    issuer: controller,
    credentialSubject: { given_name: "Maya", shoe_size: 38 },
  };
  const question = { do: "issue", credential, key: newKey("EdDSA"), controller, method: `${controller}#key-1` };
  assert.equal(ask("data-integrity.mjs", question).ok, false);
});
