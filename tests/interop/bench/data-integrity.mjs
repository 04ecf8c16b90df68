// @digitalbazaar/vc and its cryptosuites at our credentials. Contexts and keys lie in memory.

import * as vc from "@digitalbazaar/vc";

import { checkStatus, loader, signingSuite, verifyingSuite } from "../peers/lib/data-integrity.mjs";
import { check, material, serve } from "./turns.mjs";

const SUITES = ["eddsa-rdfc-2022", "eddsa-jcs-2022", "ecdsa-rdfc-2019", "ecdsa-sd-2023", "bbs-2023"];

const works = {};
for (const suite of SUITES) {
  const { text, tampered, document, issuer, method, controller, mandatory } = material[suite];
  const question = { suite, key: issuer.jwk, method, controller, mandatory };
  const documentLoader = loader([question]);
  const verify = async (text) => {
    const options = { suite: verifyingSuite(question), documentLoader, checkStatus, now: material.now };
    const result = await vc.verifyCredential({ credential: JSON.parse(text), ...options });
    if (!result.verified) throw result.error;
  };
  await check(verify, { text, tampered });
  works[`${suite}/verify`] = () => verify(text);
  const signing = await signingSuite(question);
  works[`${suite}/issue`] = () =>
    vc.issue({ credential: structuredClone(document), suite: signing, documentLoader, now: material.now });
}

await serve("@digitalbazaar/vc", works);
