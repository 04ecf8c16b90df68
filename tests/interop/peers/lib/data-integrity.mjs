// @digitalbazaar/vc with its cryptosuites, and what it needs to load and to sign, from memory.

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

import { multikeyOfBls12381, multikeyOfEcdsa, multikeyOfEd25519, secretMultikeyOfBls12381, secretMultikeyOfEd25519 } from "./did.mjs";

const SCHEMAS = new URL("../../../../schemas/", import.meta.url);

/** Those that sign a whole document, as they sign and as they verify. */
const SUITES = {
  "ecdsa-jcs-2019": [ecdsaJcs2019.createSignCryptosuite(), ecdsaJcs2019.createVerifyCryptosuite()],
  "ecdsa-rdfc-2019": [ecdsaRdfc2019, ecdsaRdfc2019],
  "eddsa-jcs-2022": [eddsaJcs2022.createSignCryptosuite(), eddsaJcs2022.createVerifyCryptosuite()],
  "eddsa-rdfc-2022": [eddsaRdfc2022, eddsaRdfc2022],
};

/** Those of which a holder can show a part. */
export const SELECTIVE = { "bbs-2023": bbs2023, "ecdsa-sd-2023": ecdsaSd2023 };

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
export const checkStatus = async () => ({ verified: true });

/** Loads contexts, keys and controllers from memory, and everything else from nowhere. */
export function loader(keys) {
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

export const signingSuite = async (question) =>
  new DataIntegrityProof({ signer: await signer(question), cryptosuite: suites(question)[0] });

export const verifyingSuite = (question) => new DataIntegrityProof({ cryptosuite: suites(question)[1] });

export function didKey(key) {
  const controller = `did:key:${multikey(key)}`;
  return { key, controller, method: `${controller}#${multikey(key)}` };
}
