// @digitalbazaar/vc with eddsa-rdfc-2022: issues and verifies W3C credentials and presentations.
//
//   issue    credential, key (private Ed25519 JWK), method, controller -> credential
//   verify   credential, key (Ed25519 JWK), method, controller -> (nothing more)
//   present  credential, holder (private Ed25519 JWK, as did:key), challenge, domain -> presentation
//   verify_presentation  presentation, key, method, controller, holder (JWK), challenge, domain
//
// `method` is the id of the key, `controller` who it belongs to. Nothing is fetched: the contexts are those of
// schemas/types and those that the library brings along. Status lists are not read: what is asked here is who
// signed.

import { readFileSync, readdirSync, existsSync } from "node:fs";

import { DataIntegrityProof } from "@digitalbazaar/data-integrity";
import * as Ed25519Multikey from "@digitalbazaar/ed25519-multikey";
import { cryptosuite } from "@digitalbazaar/eddsa-rdfc-2022-cryptosuite";
import * as vc from "@digitalbazaar/vc";

import { multikeyOfEd25519, secretMultikeyOfEd25519 } from "./lib/did.mjs";
import { serve } from "./lib/serve.mjs";

const SCHEMAS = new URL("../../../schemas/", import.meta.url);

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
      publicKeyMultibase: multikeyOfEd25519(key),
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

async function signingSuite({ key, method, controller }) {
  const pair = await Ed25519Multikey.from({
    "@context": "https://w3id.org/security/multikey/v1",
    id: method,
    type: "Multikey",
    controller,
    publicKeyMultibase: multikeyOfEd25519(key),
    secretKeyMultibase: secretMultikeyOfEd25519(key),
  });
  return new DataIntegrityProof({ signer: pair.signer(), cryptosuite });
}

const verifyingSuite = () => new DataIntegrityProof({ cryptosuite });

function didKey(key) {
  const multikey = multikeyOfEd25519(key);
  const controller = `did:key:${multikey}`;
  return { key, controller, method: `${controller}#${multikey}` };
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
      suite: verifyingSuite(),
      documentLoader: loader([question]),
      checkStatus,
    });
    if (!result.verified) throw result.error;
    return {};
  },

  async present({ credential, holder, challenge, domain }) {
    const key = didKey(holder);
    const presentation = vc.createPresentation({ verifiableCredential: credential, holder: key.controller });
    const suite = await signingSuite(key);
    return {
      presentation: await vc.signPresentation({ presentation, suite, challenge, domain, documentLoader: loader([key]) }),
    };
  },

  async verify_presentation(question) {
    const { presentation, challenge, domain } = question;
    const documentLoader = loader([question, didKey(question.holder)]);
    const suite = verifyingSuite();
    const result = await vc.verify({ presentation, challenge, domain, suite, documentLoader, checkStatus });
    if (!result.verified) throw result.error ?? new Error("refused without a reason");
    return {};
  },
});
