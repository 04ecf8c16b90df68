// SD-JWT VC: @sd-jwt/sd-jwt-vc and the Python package sd-jwt verify what our issuer issues and what our
// wallet presents. The other way round is in crates/credential/tests/peers.

import assert from "node:assert/strict";
import { test } from "node:test";

import { publicJwk } from "../peers/lib/keys.mjs";
import { ask, mustAnswer, newKey } from "../ask.mjs";
import { presentedByOurWallet } from "./our-wallet.mjs";
import { accept } from "./peer-wallet.mjs";
import { ALWAYS_DISCLOSED, SUBJECT, person, personIdentity } from "./register.mjs";
import { unverified, withAddedClaim, withOtherClaim, withOtherHolderSignature, withOtherSignature } from "./sd-jwt.mjs";

const PEERS = ["sd-jwt-vc.mjs", "sd_jwt_peer.py"];
/** What a credential says besides its subject's claims. */
const REGISTERED = ["cnf", "exp", "iat", "iss", "status", "vct", "vct#integrity"];

/** The claims of a person. */
function subjectClaims(claims) {
  for (const name of REGISTERED) assert.ok(name in claims, `expected ${name}`);
  return Object.fromEntries(Object.entries(claims).filter(([name]) => !REGISTERED.includes(name)));
}

export function sdJwtVc(platform) {
  test("what our issuer issues says what the register says", async (context) => {
    const [{ credential }] = accept(platform().offer({ subject: SUBJECT }));
    const issuer = await platform().key(unverified(credential).header.kid);
    for (const peer of PEERS) {
      await context.test(peer, () => {
        const question = { do: "verify", sd_jwt: credential, issuer };
        assert.deepEqual(subjectClaims(mustAnswer(peer, question).claims), personIdentity(person(SUBJECT)));
        assert.equal(ask(peer, { ...question, sd_jwt: withOtherSignature(credential) }).ok, false);
        assert.equal(ask(peer, { ...question, issuer: publicJwk(newKey("ES256")) }).ok, false);
        // These packages read past a disclosure that no digest fits; the forged claim must not appear.
        const changed = ask(peer, { ...question, sd_jwt: withOtherClaim(credential, "given_name", "Mallory") });
        assert.ok(!changed.ok || !("given_name" in changed.claims));
        const added = ask(peer, { ...question, sd_jwt: withAddedClaim(credential, "is_admin", true) });
        assert.ok(!added.ok || !("is_admin" in added.claims));
      });
    }
  });

  test("what our wallet presents is what was asked for", async (context) => {
    const { presentation, request } = presentedByOurWallet(platform(), "dc+sd-jwt", "identity", "identity");
    const issuer = await platform().key(unverified(presentation).header.kid);
    const row = personIdentity(person(SUBJECT));
    const asked = ["birthdate", "family_name", "given_name", "nationalities"].map((name) => [name, row[name]]);
    for (const peer of PEERS) {
      await context.test(peer, () => {
        const question = { do: "verify", sd_jwt: presentation, issuer, nonce: request.nonce, aud: request.client_id };
        const { claims, key_binding } = mustAnswer(peer, question);
        assert.deepEqual(subjectClaims(claims), { ...Object.fromEntries(asked), ...ALWAYS_DISCLOSED });
        // The peer in JavaScript leaves the comparison of the audience to its caller.
        if (key_binding !== undefined) assert.equal(key_binding.aud, request.client_id);
        for (const change of [
          { nonce: "another" },
          { issuer: publicJwk(newKey("ES256")) },
          { sd_jwt: withOtherSignature(presentation) },
          { sd_jwt: withOtherHolderSignature(presentation) },
          { sd_jwt: withOtherClaim(presentation, "given_name", "Mallory") },
          { sd_jwt: withAddedClaim(presentation, "is_admin", true) },
        ]) {
          assert.equal(ask(peer, { ...question, ...change }).ok, false, JSON.stringify(change));
        }
      });
    }
  });
}
