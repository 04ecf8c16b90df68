// OpenID4VCI: @openid4vc/openid4vci obtains credentials from our issuer.

import assert from "node:assert/strict";
import { test } from "node:test";

import { publicJwk } from "../peers/lib/keys.mjs";
import { ask, newKey } from "../ask.mjs";
import { accept } from "./peer-wallet.mjs";
import { SUBJECT } from "./register.mjs";
import { unverified } from "./sd-jwt.mjs";

const TX_CODE = "493536";

/** Asks for a credential that must not be issued, with the OAuth or OpenID4VCI error `code`. */
function assertRefused(code, question) {
  const { ok, error } = ask("openid4vci.mjs", { do: "accept", holders: [newKey("ES256")], ...question });
  assert.equal(ok, false);
  assert.ok(error.includes(`"error": "${code}"`), `expected ${code}, found ${error}`);
}

export function issuance(platform) {
  for (const algorithm of ["ES256", "EdDSA"]) {
    test(`an offer by value gives a credential bound to the wallet's ${algorithm} key`, () => {
      const offer = platform().offer({ subject: SUBJECT });
      assert.ok(offer.includes("credential_offer="), offer);
      const [{ credential, holder }] = accept(offer, [algorithm]);
      const { header, payload } = unverified(credential);
      assert.equal(header.typ, "dc+sd-jwt");
      assert.equal(payload.vct, "https://attestry.example/types/PersonIdentity");
      assert.deepEqual(payload.cnf.jwk, publicJwk(holder));
      assertRefused("invalid_grant", { offer });
    });
  }

  test("an offer by reference gives a credential, once", () => {
    const offer = platform().offer({ subject: SUBJECT }, "--by-reference");
    assert.ok(offer.includes("credential_offer_uri="), offer);
    assert.equal(accept(offer).length, 1);
    assert.equal(ask("openid4vci.mjs", { do: "accept", offer, holders: [newKey("ES256")] }).ok, false);
  });

  for (const by of [[], ["--by-reference"]]) {
    test(`an offer with a transaction code ${by.join("") || "by value"} needs that code`, () => {
      const offer = () => platform().offer({ subject: SUBJECT }, "--tx-code", TX_CODE, ...by);
      assert.equal(accept(offer(), ["ES256"], { tx_code: TX_CODE }).length, 1);
      assertRefused("invalid_grant", { offer: offer(), tx_code: "493537" });
    });
  }

  test("several proofs in one request give a credential for each key", () => {
    const credentials = accept(platform().offer({ subject: SUBJECT }), ["ES256", "EdDSA", "ES256"]);
    const payloads = credentials.map(({ credential }) => unverified(credential).payload);
    assert.deepEqual(
      payloads.map(({ cnf }) => cnf.jwk),
      credentials.map(({ holder }) => publicJwk(holder)),
    );
    // Each is revoked by itself, and no two are seen to belong together.
    const places = new Set(payloads.map(({ status }) => `${status.status_list.uri} ${status.status_list.idx}`));
    assert.equal(places.size, 3);
  });

  test("a proof by another key is refused", () => {
    assertRefused("invalid_proof", { offer: platform().offer({ subject: SUBJECT }), forger: newKey("ES256") });
  });

  test("two proofs of one key are refused", () => {
    const holder = newKey("ES256");
    assertRefused("invalid_proof", { offer: platform().offer({ subject: SUBJECT }), holders: [holder, holder] });
  });
}
