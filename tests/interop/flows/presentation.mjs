// OpenID4VP: @openid4vc/openid4vp answers our verifier with presentations that the peers made.

import assert from "node:assert/strict";
import { test } from "node:test";

import { didJwk } from "../peers/lib/did.mjs";
import { getText } from "../peers/lib/http.mjs";
import { publicJwk } from "../peers/lib/keys.mjs";
import { ask, mustAnswer, newKey, tampered } from "../ask.mjs";
import { accept, allOf, answer, present, presentInPython, read } from "./peer-wallet.mjs";
import { ALWAYS_DISCLOSED, SUBJECT, person, personIdentity } from "./register.mjs";
import { unverified, withOtherClaim, withOtherHolderSignature, withOtherSignature } from "./sd-jwt.mjs";

const VCT = "https://attestry.example/types/PersonIdentity";
const MODES = [
  ["direct_post", []],
  ["direct_post.jwt", ["--encrypted"]],
];
const FRAME = { age_over_18: true };
const HOLDER_SIGNATURE = /Key Binding JWT is refused: the signature/;

const genuine = (held, asked) => present(held, asked, FRAME);

/** What is wrong with an answer, what the verdict says of it, and how it is made from the same credential. */
const WRONG = [
  ["another nonce", /the nonce/, (held, asked) => present(held, asked, FRAME, { nonce: "another" })],
  ["another audience", /expected aud/, (held, asked) => present(held, asked, FRAME, { aud: "did:example:another" })],
  [
    "a key binding of yesterday",
    /made between/,
    (held, asked) => present(held, asked, FRAME, { iat: Math.floor(Date.now() / 1000) - 86_400 }),
  ],
  ["another holder's key", HOLDER_SIGNATURE, (held, asked) => present(held, asked, FRAME, { holder: newKey("ES256") })],
  ["no key binding", /expected a Key Binding JWT, found none/, ({ credential }) => credential],
  [
    "a changed disclosure",
    /a digest for every disclosure/,
    (held, asked) => withOtherClaim(genuine(held, asked), "age_over_18", false),
  ],
  [
    "a changed issuer's signature",
    /Issuer-signed JWT is refused: the signature/,
    (held, asked) => withOtherSignature(genuine(held, asked)),
  ],
  ["a changed holder's signature", HOLDER_SIGNATURE, (held, asked) => withOtherHolderSignature(genuine(held, asked))],
  ["a claim too few", /expected the claim \["age_over_18"\]/, (...about) => present(...about, { given_name: true })],
  [
    "a credential that the holder issued",
    /no trust bundle and no trust anchor knows the issuer/,
    (held, asked) => present(selfIssued(held), asked, FRAME),
  ],
];

function selfIssued({ holder }) {
  const iss = didJwk(publicJwk(holder));
  const iat = Math.floor(Date.now() / 1000) - 60;
  const claims = { iss, vct: VCT, iat, cnf: { jwk: publicJwk(holder) }, age_over_18: true };
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

  test("the wallet refuses a request that was changed on the way", async () => {
    const parameters = new URL(platform().request("age-over-18").request).searchParams;
    const signed = await getText(parameters.get("request_uri"));
    const read = (request) => {
      const byValue = new URLSearchParams({ client_id: parameters.get("client_id"), request });
      return ask("openid4vp.mjs", { do: "read", request: `openid4vp://?${byValue}`, platform: platform().url });
    };
    assert.equal(read(signed).ok, true);
    const [header, payload] = signed.split(".");
    const nonce = { ...unverified(signed).payload, nonce: "another-nonce-of-a-stranger" };
    const otherNonce = signed.replace(payload, Buffer.from(JSON.stringify(nonce)).toString("base64url"));
    for (const changed of [otherNonce, tampered(signed, signed.length - 20), `${header}.${payload}.`]) {
      assert.equal(read(changed).ok, false);
    }
  });

  for (const [mode, options] of MODES) {
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
  }

  test("a presentation made in Python is valid", () => {
    const { verdict } = exchange("age-over-18", (...about) => presentInPython(...about, FRAME));
    assert.equal(verdict.verdict, "valid", JSON.stringify(verdict));
    assert.deepEqual(verdict.claims, { age_over_18: true, ...ALWAYS_DISCLOSED });
  });

  for (const [what, reason, make] of WRONG) {
    for (const [mode, options] of what === "another nonce" ? MODES : MODES.slice(0, 1)) {
      test(`${mode}: ${what} is refused`, () => {
        const { verdict } = exchange("age-over-18", make, ...options);
        assert.equal(verdict.verdict, "refused", JSON.stringify(verdict));
        assert.match(verdict.reasons.join(), reason);
        assert.equal("claims" in verdict, false);
      });
    }
  }
}
