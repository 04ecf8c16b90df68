// @digitalbazaar/vc with its cryptosuites: issues and verifies W3C credentials and presentations.
//
//   issue    credential, key (private JWK), method, controller -> credential
//   verify   credential, key (JWK), method, controller -> (nothing more)
//   present  credential, holder (private JWK, as did:key), challenge, domain -> presentation
//   verify_presentation  presentation, key, method, controller, holder (JWK), challenge, domain
//
// `suite` names the cryptosuite, eddsa-rdfc-2022 if it is missing; keys are of Ed25519, P-256 or P-384, as it needs.
// `method` is the id of the key, `controller` who it belongs to. Nothing is fetched: the contexts are those of
// schemas/types and those that the library brings along. Status lists are not read: what is asked here is who
// signed.

import { readFileSync, readdirSync, existsSync } from "node:fs";

import { DataIntegrityProof } from "@digitalbazaar/data-integrity";
import * as EcdsaMultikey from "@digitalbazaar/ecdsa-multikey";
import * as ecdsaJcs2019 from "@digitalbazaar/ecdsa-jcs-2019-cryptosuite";
import { cryptosuite as ecdsaRdfc2019 } from "@digitalbazaar/ecdsa-rdfc-2019-cryptosuite";
import * as Ed25519Multikey from "@digitalbazaar/ed25519-multikey";
import * as eddsaJcs2022 from "@digitalbazaar/eddsa-jcs-2022-cryptosuite";
import { cryptosuite as eddsaRdfc2022 } from "@digitalbazaar/eddsa-rdfc-2022-cryptosuite";
import * as vc from "@digitalbazaar/vc";

import { multikeyOfEd25519, multikeyOfEcdsa, secretMultikeyOfEd25519 } from "./lib/did.mjs";
import { serve } from "./lib/serve.mjs";

const SCHEMAS = new URL("../../../schemas/", import.meta.url);

/** The suites, as they sign and as they verify. */
const SUITES = {
  "ecdsa-jcs-2019": [ecdsaJcs2019.createSignCryptosuite(), ecdsaJcs2019.createVerifyCryptosuite()],
  "ecdsa-rdfc-2019": [ecdsaRdfc2019, ecdsaRdfc2019],
  "eddsa-jcs-2022": [eddsaJcs2022.createSignCryptosuite(), eddsaJcs2022.createVerifyCryptosuite()],
  "eddsa-rdfc-2022": [eddsaRdfc2022, eddsaRdfc2022],
};

function suites({ suite = "eddsa-rdfc-2022" }) {
  if (!Object.hasOwn(SUITES, suite)) throw new Error(`expected one of ${Object.keys(SUITES)}, found ${suite}`);
  return SUITES[suite];
}

const multikey = (jwk) => (jwk.kty === "OKP" ? multikeyOfEd25519(jwk) : multikeyOfEcdsa(jwk));

/** Our own contexts by their addresses. */
function contexts() {
  const found = new Map();
  for (const name of readdirSync(new URL("types/", SCHEMAS))) {
    const file = new URL(`types/${name}/context.jsonld`, SCHEMAS);
    if (existsSync(file)) {
      found.set(`https://attestry.example/types/${name}/context.jsonld`, JSON.parse(readFileSync(file, "utf8")));
    }
  }
  return found;
}

/** The library refuses credentials that have a status until somebody answers for it. */
const checkStatus = async () => ({ verified: true });

/** Loads contexts, keys and controllers from memory, and everything else from nowhere. */
function loader(keys) {
  const documents = contexts();
  for (const { key, method, controller } of keys) {
    const published = {
      "@context": "https://w3id.org/security/multikey/v1",
      id: method,
      type: "Multikey",
      controller,
      publicKeyMultibase: multikey(key),
    };
    documents.set(method, published);
    documents.set(controller, {
      "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"],
      id: controller,
      assertionMethod: [published],
      authentication: [published],
    });
  }
  return async (url) => {
    const document = documents.get(url);
    return document === undefined ? vc.defaultDocumentLoader(url) : { documentUrl: url, document, contextUrl: null };
  };
}

async function signingSuite({ suite, key, method, controller }) {
  const named = { id: method, controller };
  const pair =
    key.kty === "OKP"
      ? await Ed25519Multikey.from({
          "@context": "https://w3id.org/security/multikey/v1",
          type: "Multikey",
          publicKeyMultibase: multikeyOfEd25519(key),
          secretKeyMultibase: secretMultikeyOfEd25519(key),
          ...named,
        })
      : await EcdsaMultikey.fromJwk({ jwk: { ...key, key_ops: ["sign"] }, secretKey: true, ...named });
  return new DataIntegrityProof({ signer: pair.signer(), cryptosuite: suites({ suite })[0] });
}

const verifyingSuite = (question) => new DataIntegrityProof({ cryptosuite: suites(question)[1] });

function didKey(key) {
  const controller = `did:key:${multikey(key)}`;
  return { key, controller, method: `${controller}#${multikey(key)}` };
}

await serve({
  async issue(question) {
    const suite = await signingSuite(question);
    return { credential: await vc.issue({ credential: question.credential, suite, documentLoader: loader([question]) }) };
  },

  async verify(question) {
    const { credential } = question;
    const result = await vc.verifyCredential({
      credential,
      suite: verifyingSuite(question),
      documentLoader: loader([question]),
      checkStatus,
    });
    if (!result.verified) throw result.error;
    return {};
  },

  async present({ suite: name, credential, holder, challenge, domain }) {
    const key = didKey(holder);
    const presentation = vc.createPresentation({ verifiableCredential: credential, holder: key.controller });
    const suite = await signingSuite({ suite: name, ...key });
    return {
      presentation: await vc.signPresentation({ presentation, suite, challenge, domain, documentLoader: loader([key]) }),
    };
  },

  async verify_presentation(question) {
    const { presentation, challenge, domain } = question;
    const documentLoader = loader([question, didKey(question.holder)]);
    const suite = verifyingSuite(question);
    const result = await vc.verify({ presentation, challenge, domain, suite, documentLoader, checkStatus });
    if (!result.verified) throw result.error ?? new Error("refused without a reason");
    return {};
  },
});
