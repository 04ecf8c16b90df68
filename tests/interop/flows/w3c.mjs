// W3C credentials: `jose` verifies our issuer's vc+jwt and @digitalbazaar/vc its eddsa-rdfc-2022 credentials;
// both present them to our verifier. What the peers issue is verified in crates/credential/tests/peers.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { test } from "node:test";

import { publicJwk } from "../peers/lib/keys.mjs";
import { ask, mustAnswer, newKey, tampered } from "../ask.mjs";
import { presentedByOurWallet } from "./our-wallet.mjs";
import { accept, answer, read } from "./peer-wallet.mjs";
import { SUBJECT, person, personIdentity } from "./register.mjs";
import { unverified } from "./sd-jwt.mjs";

const QUERY_ID = "person";
const TYPES = [
  "https://www.w3.org/2018/credentials#VerifiableCredential",
  "https://attestry.example/types/PersonIdentity",
];

/** How each format is verified and presented. */
const FORMATS = {
  jwt_vc_json: {
    holder: "ES256",
    keyId: (credential) => unverified(credential).header.kid,
    document: (credential) => unverified(credential).payload,
    verify: (credential, key) => ask("jose.mjs", { do: "verify", key, jwt: credential, typ: "vc+jwt" }),
    forgeries: (credential) => [
      tampered(credential, credential.length - 20),
      withOtherPayload(credential, (document) => (document.credentialSubject.given_name = "Mallory")),
    ],
    present: presentJwt,
    holderKeyId: (presentation) => unverified(presentation).header.kid,
    inside: (presentation) => unverified(presentation).payload.verifiableCredential[0].id.split(",")[1],
    receive: receiveJwt,
    damaged: (presentation) => tampered(presentation, presentation.length - 20),
    stranger: /signature is not valid/,
  },
  ldp_vc: {
    holder: "EdDSA",
    keyId: ({ proof }) => proof.verificationMethod,
    document: (credential) => credential,
    verify: (credential, key) => {
      const [controller] = credential.proof.verificationMethod.split("#");
      const method = credential.proof.verificationMethod;
      return ask("data-integrity.mjs", { do: "verify", credential, key, method, controller });
    },
    forgeries: (credential) => [
      withChange(credential, (document) => (document.proof.created = "2026-01-01T00:00:00Z")),
      withChange(credential, (document) => (document.credentialSubject.given_name = "Mallory")),
    ],
    present: presentLdp,
    holderKeyId: ({ proof }) => proof.verificationMethod,
    inside: ({ verifiableCredential }) => [verifiableCredential].flat()[0],
    receive: receiveLdp,
    // Still recent enough, but not what was signed.
    damaged: (presentation) => withChange(presentation, ({ proof }) => (proof.created = aMinuteAgo())),
    // The peer names the DID of the key that it signs with.
    stranger: /the presenter is not the credential's subject/,
  },
};

function presentJwt({ credential, holder, did }, { nonce, client_id: aud }) {
  const payload = {
    "@context": ["https://www.w3.org/ns/credentials/v2"],
    type: ["VerifiablePresentation"],
    holder: did,
    verifiableCredential: [
      {
        "@context": "https://www.w3.org/ns/credentials/v2",
        type: "EnvelopedVerifiableCredential",
        id: `data:application/vc+jwt,${credential}`,
      },
    ],
    nonce,
    aud,
    iat: Math.floor(Date.now() / 1000),
  };
  const header = { typ: "vp+jwt", cty: "vp", kid: `${did}#0` };
  return mustAnswer("jose.mjs", { do: "sign", key: holder, header, payload }).jwt;
}

/** Verifies presentation and credential. The peer leaves the comparison of the nonce to its caller. */
function receiveJwt(presentation, holder, { key }, { nonce, client_id: audience }) {
  const inside = FORMATS.jwt_vc_json.verify(FORMATS.jwt_vc_json.inside(presentation), key);
  if (!inside.ok) return inside;
  const answer = ask("jose.mjs", { do: "verify", key: holder, jwt: presentation, typ: "vp+jwt", audience });
  return answer.ok && answer.payload.nonce !== nonce ? { ok: false, error: "another nonce" } : answer;
}

function presentLdp({ credential, holder }, { nonce: challenge, client_id: domain }) {
  return mustAnswer("data-integrity.mjs", { do: "present", credential, holder, challenge, domain }).presentation;
}

function receiveLdp(presentation, holder, { keyId: method, key }, { nonce: challenge, client_id: domain }) {
  const question = { presentation, holder, key, method, controller: method.split("#")[0], challenge, domain };
  return ask("data-integrity.mjs", { do: "verify_presentation", ...question });
}

const aMinuteAgo = () => `${new Date(Date.now() - 60_000).toISOString().slice(0, 19)}Z`;

function withChange(document, change) {
  const copy = structuredClone(document);
  change(copy);
  return copy;
}

function withOtherPayload(jwt, change) {
  const [header, , signature] = jwt.split(".");
  const payload = withChange(unverified(jwt).payload, change);
  return [header, Buffer.from(JSON.stringify(payload)).toString("base64url"), signature].join(".");
}

export function w3c(platform) {
  test("the issuer offers every format", async () => {
    assert.deepEqual(await platform().formats("population", "PersonIdentity"), [
      "dc+sd-jwt",
      "jwt_vc_json",
      "ldp_vc",
      "mso_mdoc",
    ]);
  });

  for (const [format, how] of Object.entries(FORMATS)) {
    let held;

    test(`${format}: what our issuer issues says what the register says`, async () => {
      [held] = accept(platform().offer({ subject: SUBJECT, format }), [how.holder]);
      const { type, credentialSubject } = how.document(held.credential);
      assert.deepEqual(type, ["VerifiableCredential", "PersonIdentity"]);
      assert.deepEqual(credentialSubject, { id: held.did, ...personIdentity(person(SUBJECT)) });
      const key = await platform().key(how.keyId(held.credential));
      const { ok, error } = how.verify(held.credential, key);
      assert.ok(ok, error);
      for (const forged of how.forgeries(held.credential)) assert.equal(how.verify(forged, key).ok, false);
      const stranger = publicJwk(newKey(key.crv === "P-256" ? "ES256" : "EdDSA"));
      assert.equal(how.verify(held.credential, stranger).ok, false);
    });

    test(`${format}: what our wallet presents`, async () => {
      const { presentation, request } = presentedByOurWallet(platform(), format, query(), QUERY_ID);
      const issuer = { keyId: how.keyId(how.inside(presentation)) };
      issuer.key = await platform().key(issuer.keyId);
      const holder = await platform().key(how.holderKeyId(presentation));
      const asked = { nonce: request.nonce, client_id: request.client_id };
      const received = how.receive(presentation, holder, issuer, asked);
      assert.ok(received.ok, received.error);
      const { credentialSubject } = how.document(how.inside(presentation));
      assert.deepEqual(credentialSubject, { id: credentialSubject.id, ...personIdentity(person(SUBJECT)) });
      assert.equal(how.receive(presentation, holder, issuer, { ...asked, nonce: "another" }).ok, false);
      assert.equal(how.receive(presentation, holder, issuer, { ...asked, client_id: "did:example:another" }).ok, false);
      assert.equal(how.receive(how.damaged(presentation), holder, issuer, asked).ok, false);
      assert.equal(how.receive(presentation, publicJwk(newKey(how.holder)), issuer, asked).ok, false);
    });

    /** A file with the question in DCQL. */
    function query() {
      const file = platform().file(`${format}.json`);
      const claims = [{ path: ["credentialSubject", "age_over_18"] }];
      const credentials = [{ id: QUERY_ID, format, meta: { type_values: [TYPES] }, claims }];
      writeFileSync(file, JSON.stringify({ credentials }));
      return file;
    }

    /** Asks, has the answer made, sends it, and gives the verifier's verdict. */
    function exchange(make, ...options) {
      const { request, id } = platform().request(query(), ...options);
      const asked = read(platform(), request);
      const { status } = answer(platform(), request, { [QUERY_ID]: [make(held, asked)] });
      assert.equal(status, 200);
      return platform().verdict(id);
    }

    for (const [mode, options] of Object.entries({ direct_post: [], "direct_post.jwt": ["--encrypted"] })) {
      test(`${format}, ${mode}: the verdict has the claims`, () => {
        const verdict = exchange(how.present, ...options);
        assert.equal(verdict.verdict, "valid", JSON.stringify(verdict));
        assert.equal(verdict.holder_binding, "request");
        // These formats disclose all or nothing.
        assert.deepEqual(verdict.claims, personIdentity(person(SUBJECT)));
      });
    }

    for (const [what, reason, make] of [
      [
        "another nonce",
        /expected the (nonce|challenge)/,
        (held, asked) => how.present(held, { ...asked, nonce: "another" }),
      ],
      [
        "another audience",
        /expected (aud|the domain)/,
        (held, asked) => how.present(held, { ...asked, client_id: "did:example:another" }),
      ],
      [
        "another holder's signature",
        how.stranger,
        (held, asked) => how.present({ ...held, holder: newKey(how.holder) }, asked),
      ],
      ["a changed presentation", /presentation.*signature/, (held, asked) => how.damaged(how.present(held, asked))],
      [
        "a changed credential",
        /credential is refused.*signature/,
        // The holder signs it as changed.
        (held, asked) => how.present({ ...held, credential: how.forgeries(held.credential)[1] }, asked),
      ],
    ]) {
      test(`${format}: ${what} is refused`, () => {
        const verdict = exchange(make);
        assert.equal(verdict.verdict, "refused", JSON.stringify(verdict));
        assert.equal("claims" in verdict, false);
        assert.match(verdict.reasons.join(), reason);
      });
    }
  }
}
