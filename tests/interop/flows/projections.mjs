// The registry in others' forms: @owf/eudi-lote reads the List of Trusted Entities, cwt and cryptography the list of
// issuing authorities, and the bundle says that both are the registry's.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";

import { ask, mustAnswer, tampered } from "../ask.mjs";
import { getBytes, getText } from "../peers/lib/http.mjs";

const AGENCIES = ["Business", "Health", "Population", "Transport"].map((name) => `${name} Office of the Sample Nation`);

/** What the registry says it has committed to. */
async function digests(platform) {
  const { projections } = JSON.parse(await getText(`${platform.url}/registry/projections`));
  return Object.fromEntries(projections.map(({ name, sha256 }) => [name, sha256]));
}

const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");

/** The list when it has all that the sample has: the first ones are made while the nation is being founded. */
async function complete(fetchList, isComplete) {
  for (let tries = 0; tries < 60; tries += 1) {
    const list = await fetchList();
    if (isComplete(list)) return list;
    await setTimeout(500);
  }
  return assert.fail("the list does not become complete");
}

export function projections(platform) {
  test("the List of Trusted Entities has the agencies, with the keys of their documents", async () => {
    const fetchList = () => getText(`${platform().url}/export/lote.json`);
    const payload = (list) => Buffer.from(list.split(".")[1], "base64url");
    const listed = (list) => JSON.parse(payload(list)).LoTE.TrustedEntitiesList ?? [];
    const list = await complete(fetchList, (list) => listed(list).length === AGENCIES.length);
    assert.equal(sha256(payload(list)), (await digests(platform()))["etsi-lote"]);
    const question = { do: "read", list, now: Math.floor(Date.now() / 1000) };
    const { lote } = mustAnswer("lote.mjs", question);
    assert.equal(lote.ListAndSchemeInformation.SchemeTerritory, "XA");
    const entities = lote.TrustedEntitiesList;
    assert.deepEqual(entities.map((entity) => entity.TrustedEntityInformation.TEName[0].value).sort(), AGENCIES);
    for (const { TrustedEntityServices: services } of entities) {
      for (const { ServiceInformation: service } of services) {
        const { PublicKeyValues: keys, OtherIds: ids } = service.ServiceDigitalIdentity;
        assert.ok(keys.length >= 2 && ids.length === 1);
        for (const { kid, ...jwk } of keys) {
          assert.ok(kid.startsWith(`${ids[0]}#`));
          assert.deepEqual(jwk, await platform().key(kid));
        }
      }
    }
    for (const place of [list.indexOf(".") + 40, list.length - 20]) {
      assert.equal(ask("lote.mjs", { ...question, list: tampered(list, place) }).ok, false);
    }
  });

  test("the list of issuing authorities has the one of the sample, for its mdocs", async () => {
    const fetchList = () => getBytes(`${platform().url}/export/vical.cbor`);
    const read = (bytes) => ({ do: "read", list: bytes.toString("base64") });
    const types = (bytes) => mustAnswer("vical_peer.py", read(bytes)).authorities.flatMap(({ docType }) => docType);
    const bytes = await complete(fetchList, (bytes) => types(bytes).length === 2);
    const question = read(bytes);
    const { provider, issue, authorities, sha256: digest } = mustAnswer("vical_peer.py", question);
    assert.equal(digest, (await digests(platform())).vical);
    assert.equal(provider, "Trust Authority of the Sample Nation");
    assert.ok(issue > 0);
    assert.equal(authorities.length, 1);
    assert.deepEqual(authorities[0].docType, ["eu.europa.ec.eudi.pid.1", "org.iso.18013.5.1.mDL"]);
    assert.equal(authorities[0].issuingCountry, "XA");
    for (const place of [bytes.length - 10, Math.floor(bytes.length / 2)]) {
      const other = Buffer.from(bytes);
      other[place] ^= 1;
      assert.equal(ask("vical_peer.py", { ...question, list: other.toString("base64") }).ok, false);
    }
  });

  test("a bundle tells the registry's lists from others", async () => {
    const [bundle, lote, vical] = ["lists.bundle", "lote.json", "vical.cbor"].map((name) => platform().file(name));
    writeFileSync(lote, await getText(`${platform().url}/export/lote.json`));
    writeFileSync(vical, await getBytes(`${platform().url}/export/vical.cbor`));
    platform().run("bundle", "fetch", platform().url, "--out", bundle);
    assert.equal(platform().run("bundle", "compare", bundle, "etsi-lote", lote).name, "etsi-lote");
    assert.equal(platform().run("bundle", "compare", bundle, "vical", vical).name, "vical");
  });
}
