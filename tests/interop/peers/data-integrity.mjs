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
// schemas/types and those that the library brings along. `verify` reads no status list: what it asks is who
// signed.

import { DataIntegrityProof } from "@digitalbazaar/data-integrity";
import * as vc from "@digitalbazaar/vc";
import * as bitstringStatusList from "@digitalbazaar/vc-bitstring-status-list";

import { SELECTIVE, checkStatus, didKey, loader, signingSuite, verifyingSuite } from "./lib/data-integrity.mjs";
import { serve } from "./lib/serve.mjs";

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
