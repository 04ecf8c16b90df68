// The data in schemas/ read by independent implementations of JSON Schema and JSON-LD.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";

import { ask, mustAnswer, newKey } from "../ask.mjs";

const SCHEMAS = new URL("../../../schemas/", import.meta.url);
const read = (path) => JSON.parse(readFileSync(new URL(path, SCHEMAS), "utf8"));

/** Claims with every member that a type has. */
const FULL = {
  PersonIdentity: {
    given_name: "Maya",
    family_name: "Temasuka-Lakshmore",
    birth_family_name: "Lakshmore",
    birthdate: "1990-05-17",
    age_over_18: true,
    place_of_birth: { locality: "Port Saga", country: "XA" },
    nationalities: ["XA", "XB"],
    address: {
      street_address: "Durian Loop",
      house_number: "88",
      locality: "Teluk Biru",
      region: "East",
      postal_code: "351877",
      country: "XA",
    },
    sex: 2,
    email: "person1@mail.example",
    phone_number: "+99955500001",
    picture: "data:image/jpeg;base64,/9j/4AAQ",
    personal_administrative_number: "X0000001A",
    document_number: "P40000007",
    date_of_issuance: "2025-01-15",
    date_of_expiry: "2035-01-14",
    issuing_authority: "Population Office of the Sample Nation",
    issuing_country: "XA",
  },
  DrivingLicence: {
    family_name: "Temasuka-Lakshmore",
    given_name: "Maya",
    birth_date: "1990-05-17",
    age_over_18: true,
    issue_date: "2024-06-03",
    expiry_date: "2034-06-02",
    document_number: "D3000013",
    driving_privileges: [
      { vehicle_category_code: "B", issue_date: "2010-11-03", expiry_date: "2034-06-02" },
      { vehicle_category_code: "C", issue_date: "2013-11-03", codes: [{ code: "01.06" }, { code: "78" }] },
    ],
    height: 175,
    eye_colour: "hazel",
    resident_address: "88 Durian Loop\nTeluk Biru 351877",
    portrait: "data:image/jpeg;base64,/9j/4AAQ",
    un_distinguishing_sign: "XA",
    issuing_authority: "Transport Office of the Sample Nation",
    issuing_country: "XA",
  },
  VaccinationCertificate: {
    certificate_number: "V-2026-00001",
    family_name: "Temasuka-Lakshmore",
    given_name: "Maya",
    birthdate: "1990-05-17",
    disease: "hepatitis B",
    vaccine: "Hepasuri-B",
    manufacturer: "Harbour Sera",
    dose_number: 2,
    total_doses: 3,
    date_of_vaccination: "2025-05-16",
    doses: [
      { date_of_vaccination: "2025-04-18", lot_number: "LOT-95270", administering_centre: "Old Market Polyclinic" },
      { date_of_vaccination: "2025-05-16", administering_centre: "新港診所" },
    ],
    issuing_authority: "Health Office of the Sample Nation",
    issuing_country: "XA",
  },
  CompanyRegistration: {
    registration_number: "C0000001A",
    legal_name: "Temasuka Shipping Pte. Ltd.",
    trading_names: ["Temasuka Ferries"],
    legal_form: "private limited",
    incorporation_date: "2011-04-01",
    registered_address: { street_address: "154 Jalan Merbau", locality: "Port Saga", postal_code: "100042", country: "XA" },
    activity_codes: ["H50.20"],
    share_capital: { amount: 6093000, currency: "XTS" },
    representatives: [
      { full_name: "Nasreen Harukande", role: "director", since: "2023-09-11" },
      { full_name: "Magnus Xanthavi", role: "secretary", since: "2026-08-27" },
    ],
    issuing_authority: "Business Office of the Sample Nation",
    issuing_country: "XA",
  },
};

test("every type has an example here", () => {
  assert.deepEqual(readdirSync(new URL("types/", SCHEMAS)).sort(), Object.keys(FULL).sort());
});

for (const [name, claims] of Object.entries(FULL)) {
  test(`${name}: the schema takes the full claims and refuses others`, () => {
    const schema = read(`types/${name}/schema.json`);
    assert.deepEqual(Object.keys(schema.properties).sort(), Object.keys(claims).sort());
    mustAnswer("json_schema.py", { schema, instance: claims });
    for (const member of schema.required) {
      const { [member]: _, ...rest } = claims;
      assert.equal(ask("json_schema.py", { schema, instance: rest }).ok, false, `without ${member}`);
    }
    assert.equal(ask("json_schema.py", { schema, instance: { ...claims, surplus: true } }).ok, false);
    assert.equal(ask("json_schema.py", { schema, instance: { ...claims, issuing_country: "Samudra" } }).ok, false);
  });

  test(`${name}: a credential with the full claims is signed and verified`, () => {
    const controller = "did:web:agency.attestry.example";
    const signer = { key: newKey("EdDSA"), controller, method: `${controller}#key-1` };
    const unsigned = {
      "@context": ["https://www.w3.org/ns/credentials/v2", `https://attestry.example/types/${name}/context.jsonld`],
      type: ["VerifiableCredential", name],
      issuer: controller,
      credentialSubject: { id: "did:example:holder", ...claims },
    };
    const { credential } = mustAnswer("data-integrity.mjs", { do: "issue", credential: unsigned, ...signer });
    mustAnswer("data-integrity.mjs", { do: "verify", credential, ...signer });
  });
}

test("one credential can have the contexts of two types", () => {
  const controller = "did:web:agency.attestry.example";
  const context = (name) => `https://attestry.example/types/${name}/context.jsonld`;
  const unsigned = {
    "@context": ["https://www.w3.org/ns/credentials/v2", ...Object.keys(FULL).map(context)],
    type: ["VerifiableCredential", "PersonIdentity", "DrivingLicence"],
    issuer: controller,
    credentialSubject: { ...FULL.PersonIdentity, ...FULL.DrivingLicence },
  };
  mustAnswer("data-integrity.mjs", { do: "issue", credential: unsigned, key: newKey("EdDSA"), controller, method: `${controller}#key-1` });
});

test("the sample's mappings follow the mapping's schema", () => {
  const schema = read("mapping.schema.json");
  for (const file of readdirSync(new URL("sample/mappings/", SCHEMAS))) {
    const mapping = read(`sample/mappings/${file}`);
    mustAnswer("json_schema.py", { schema, instance: mapping });
    for (const change of [{ days: 30 }, { validity: { days: 0 } }, { claims: [] }, { subject: 'a"b' }]) {
      assert.equal(ask("json_schema.py", { schema, instance: { ...mapping, ...change } }).ok, false);
    }
  }
});
