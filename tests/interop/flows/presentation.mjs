// OpenID4VP: @openid4vc/openid4vp answers our verifier with presentations that the peers made.

import assert from "node:assert/strict";
import { test } from "node:test";

import { publicJwk } from "../peers/lib/keys.mjs";
import { mustAnswer, newKey } from "../ask.mjs";
import { accept, allOf, answer, present, presentInPython, read } from "./peer-wallet.mjs";
import { ALWAYS_DISCLOSED, SUBJECT, person, personIdentity } from "./register.mjs";
import { withOtherClaim, withOtherHolderSignature, withOtherSignature } from "./sd-jwt.mjs";

const VCT = "https://attestry.example/types/PersonIdentity";

/** What is wrong with an answer: each is made from the same credential, with one thing changed. */
const WRONG = {
  "another nonce": (held, asked) => present(held, asked, { age_over_18: true }, { nonce: "another" }),
  "another audience": (held, asked) => present(held, asked, { age_over_18: true }, { aud: "did:example:another" }),
  "a key binding of yesterday": (held, asked) =>
    present(held, asked, { age_over_18: true }, { iat: Math.floor(Date.now() / 1000) - 86_400 }),
  "another holder's key": (held, asked) => present(held, asked, { age_over_18: true }, { holder: newKey("ES256") }),
  "no key binding": ({ credential }) => credential,
  "a changed disclosure": (held, asked) => withOtherClaim(genuine(held, asked), "age_over_18", false),
  "a changed issuer's signature": (held, asked) => withOtherSignature(genuine(held, asked)),
  "a changed holder's signature": (held, asked) => withOtherHolderSignature(genuine(held, asked)),
  "a claim too few": (held, asked) => present(held, asked, { given_name: true }),
  "a credential that the holder issued": (held, asked) => present(selfIssued(held), asked, { age_over_18: true }),
};

const genuine = (held, asked) => present(held, asked, { age_over_18: true });

function selfIssued({ holder }) {
  const iss = `did:jwk:${Buffer.from(JSON.stringify(publicJwk(holder))).toString("base64url")}`;
  const claims = { iss, vct: VCT, iat: Math.floor(Date.now() / 1000) - 60, cnf: { jwk: publicJwk(holder) }, age_over_18: true };
  const question = { do: "issue", issuer: holder, kid: `${iss}#0`, claims, frame: { _sd: ["age_over_18"] } };
  return { credential: mustAnswer("sd-jwt-vc.mjs", question).sd_jwt, holder };
}

export function presentation(platform) {
  let held;

  /** Asks, has the answer made, sends it, and gives the verifier's verdict. */
  function exchange(query, make, ...options) {
    const { request, id } = platform().request(query, ...options);
    const asked = read(platform(), request);
    const sent = answer(platform(), request, { [query]: [make(held, asked)] });
    assert.equal(sent.status, 200, JSON.stringify(sent.body));
    return { verdict: platform().verdict(id), asked };
  }

  test("the wallet obtains the credential to present", () => {
    [held] = accept(platform().offer({ subject: SUBJECT }));
  });

  for (const [mode, options] of Object.entries({ direct_post: [], "direct_post.jwt": ["--encrypted"] })) {
    test(`${mode}: the verdict has the one claim asked for`, () => {
      const { verdict, asked } = exchange("age-over-18", genuine, ...options);
      assert.equal(asked.response_mode, mode);
      assert.equal(verdict.verdict, "valid", JSON.stringify(verdict));
      assert.equal(verdict.holder_binding, "request");
      assert.deepEqual(verdict.claims, { age_over_18: true, ...ALWAYS_DISCLOSED });
    });

    test(`${mode}: a request is answered once`, () => {
      const { request, id } = platform().request("age-over-18", ...options);
      const vp_token = { "age-over-18": [genuine(held, read(platform(), request))] };
      const { status, repeated } = answer(platform(), request, vp_token, true);
      assert.deepEqual([status, repeated], [200, 400]);
      assert.equal(platform().verdict(id).verdict, "valid");
    });

    test(`${mode}: the verdict has several claims, also those inside of an array`, () => {
      const frame = { given_name: true, family_name: true, birthdate: true, ...allOf("nationalities", held) };
      const { verdict } = exchange("identity", (...about) => present(...about, frame), ...options);
      assert.equal(verdict.verdict, "valid", JSON.stringify(verdict));
      const { given_name, family_name, birthdate, nationalities } = personIdentity(person(SUBJECT));
      assert.deepEqual(verdict.claims, { given_name, family_name, birthdate, nationalities, ...ALWAYS_DISCLOSED });
    });

    test(`${mode}: another nonce is refused`, () => {
      const { verdict } = exchange("age-over-18", WRONG["another nonce"], ...options);
      assert.equal(verdict.verdict, "refused");
      assert.equal("claims" in verdict, false);
    });
  }

  test("a presentation made in Python is valid", () => {
    const { verdict } = exchange("age-over-18", (...about) => presentInPython(...about, { age_over_18: true }));
    assert.equal(verdict.verdict, "valid", JSON.stringify(verdict));
    assert.deepEqual(verdict.claims, { age_over_18: true, ...ALWAYS_DISCLOSED });
  });

  for (const [what, make] of Object.entries(WRONG)) {
    test(`${what} is refused`, () => {
      const { verdict } = exchange("age-over-18", make);
      assert.equal(verdict.verdict, "refused", JSON.stringify(verdict));
      assert.ok(verdict.reasons.length > 0);
      assert.equal("claims" in verdict, false);
    });
  }
}
