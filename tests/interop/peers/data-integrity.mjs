// @digitalbazaar/vc with its cryptosuites: issues and verifies W3C credentials and presentations.
//
//   issue    credential, key (private JWK), method, controller, mandatory? (JSON pointers) -> credential
//   derive   credential (with a base proof), selective (JSON pointers) -> credential
//   verify   credential, key (JWK), method, controller -> (nothing more)
//   present  credential, holder (private JWK, as did:key), challenge, domain -> presentation
//   verify_presentation  presentation, key, method, controller, holder (JWK), challenge, domain
//   publish_list  id, issuer, valid_from, purpose, length, set (positions), key (private JWK), method, controller -> list
//   read_list     list, credential (with a credentialStatus), key (JWK), method, controller -> statuses
//
// `suite` names the cryptosuite, eddsa-rdfc-2022 if it is missing; keys are of Ed25519, P-256, P-384
// or BLS12-381 (G2), as it needs.
// `method` is the id of the key, `controller` who it belongs to. Nothing is fetched: the contexts are those of
// schemas/types and those that the library brings along. Status lists are not read: what is asked here is who
// signed.

import { readFileSync, readdirSync, existsSync } from "node:fs";

import { DataIntegrityProof } from "@digitalbazaar/data-integrity";
import * as bbs2023 from "@digitalbazaar/bbs-2023-cryptosuite";
import * as Bls12381Multikey from "@digitalbazaar/bls12-381-multikey";
import * as EcdsaMultikey from "@digitalbazaar/ecdsa-multikey";
import * as ecdsaJcs2019 from "@digitalbazaar/ecdsa-jcs-2019-cryptosuite";
import { cryptosuite as ecdsaRdfc2019 } from "@digitalbazaar/ecdsa-rdfc-2019-cryptosuite";
import * as ecdsaSd2023 from "@digitalbazaar/ecdsa-sd-2023-cryptosuite";
import * as Ed25519Multikey from "@digitalbazaar/ed25519-multikey";
import * as eddsaJcs2022 from "@digitalbazaar/eddsa-jcs-2022-cryptosuite";
import { cryptosuite as eddsaRdfc2022 } from "@digitalbazaar/eddsa-rdfc-2022-cryptosuite";
import * as vc from "@digitalbazaar/vc";
import * as bitstringStatusList from "@digitalbazaar/vc-bitstring-status-list";

import { multikeyOfBls12381, multikeyOfEcdsa, multikeyOfEd25519, secretMultikeyOfBls12381, secretMultikeyOfEd25519 } from "./lib/did.mjs";
import { serve } from "./lib/serve.mjs";

const SCHEMAS = new URL("../../../schemas/", import.meta.url);

/** Those that sign a whole document, as they sign and as they verify. */
const SUITES = {
  "ecdsa-jcs-2019": [ecdsaJcs2019.createSignCryptosuite(), ecdsaJcs2019.createVerifyCryptosuite()],
  "ecdsa-rdfc-2019": [ecdsaRdfc2019, ecdsaRdfc2019],
  "eddsa-jcs-2022": [eddsaJcs2022.createSignCryptosuite(), eddsaJcs2022.createVerifyCryptosuite()],
  "eddsa-rdfc-2022": [eddsaRdfc2022, eddsaRdfc2022],
};

/** Those of which a holder can show a part. */
const SELECTIVE = { "bbs-2023": bbs2023, "ecdsa-sd-2023": ecdsaSd2023 };

function suites({ suite = "eddsa-rdfc-2022", mandatory = [] }) {
  if (Object.hasOwn(SELECTIVE, suite)) {
    const { createSignCryptosuite, createVerifyCryptosuite } = SELECTIVE[suite];
    return [createSignCryptosuite({ mandatoryPointers: mandatory }), createVerifyCryptosuite()];
  }
  if (!Object.hasOwn(SUITES, suite)) throw new Error(`expected one of ${Object.keys(SUITES)}, found ${suite}`);
  return SUITES[suite];
}

/** How keys of a curve are written. */
const MULTIKEYS = { BLS12381G2: multikeyOfBls12381, Ed25519: multikeyOfEd25519 };
const multikey = (jwk) => (MULTIKEYS[jwk.crv] ?? multikeyOfEcdsa)(jwk);

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

async function signer({ key, method, controller }) {
  const named = { id: method, controller };
  const published = { "@context": "https://w3id.org/security/multikey/v1", type: "Multikey", ...named };
  if (key.crv === "Ed25519") {
    const secretKeyMultibase = secretMultikeyOfEd25519(key);
    const pair = await Ed25519Multikey.from({ ...published, publicKeyMultibase: multikey(key), secretKeyMultibase });
    return pair.signer();
  }
  if (key.crv === "BLS12381G2") {
    const secretKeyMultibase = secretMultikeyOfBls12381(key);
    const pair = await Bls12381Multikey.from({ ...published, publicKeyMultibase: multikey(key), secretKeyMultibase });
    return pair.signer();
  }
  const pair = await EcdsaMultikey.fromJwk({ jwk: { ...key, key_ops: ["sign"] }, secretKey: true, ...named });
  return pair.signer();
}

const signingSuite = async (question) =>
  new DataIntegrityProof({ signer: await signer(question), cryptosuite: suites(question)[0] });

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

  async derive({ suite, credential, selective }) {
    const cryptosuite = SELECTIVE[suite].createDiscloseCryptosuite({ selectivePointers: selective });
    const derived = await vc.derive({
      verifiableCredential: credential,
      suite: new DataIntegrityProof({ cryptosuite }),
      documentLoader: loader([]),
    });
    return { credential: derived };
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

  async publish_list(question) {
    const list = await bitstringStatusList.createList({ length: question.length });
    for (const position of question.set) list.setStatus(position, true);
    const { id, issuer, valid_from: validFrom, purpose: statusPurpose } = question;
    const document = await bitstringStatusList.createCredential({ id, list, statusPurpose });
    const suite = await signingSuite(question);
    const credential = { ...document, issuer, validFrom };
    return { list: await vc.issue({ credential, suite, documentLoader: loader([question]) }) };
  },

  async read_list(question) {
    const { list, credential } = question;
    const others = loader([question]);
    const documentLoader = async (url) =>
      url === credential.credentialStatus.statusListCredential
        ? { documentUrl: url, document: list, contextUrl: null }
        : others(url);
    const suite = verifyingSuite(question);
    const result = await bitstringStatusList.checkStatus({ credential, suite, documentLoader });
    if (!result.verified) throw result.error;
    return { statuses: result.results.map(({ status }) => status) };
  },
});
