// What the sample's register says of its people: the first source, which the issued claims are compared with.

import { readFileSync } from "node:fs";

export const SUBJECT = "X0000001A";

/** Claims that PersonIdentity always discloses (schemas/sample/mappings/PersonIdentity.json). */
export const ALWAYS_DISCLOSED = {
  issuing_authority: "Population Office of the Sample Nation",
  issuing_country: "XA",
};

/** A person's row by column names. The rows of the people asked for have no quoted cells. */
export function person(subject) {
  const text = readFileSync(new URL("../../../schemas/sample/persons.csv", import.meta.url), "utf8");
  const [columns, row] = ["subject_id,", `${subject},`].map((start) => {
    const line = text.split(/\r?\n/).find((line) => line.startsWith(start));
    if (line === undefined || line.includes('"')) throw new Error(`expected a plain row that begins with ${start}`);
    return line.split(",");
  });
  return Object.fromEntries(columns.map((column, at) => [column, row[at]]));
}

/** The claims of PersonIdentity for a row; age is as it is today, and nobody here is near a birthday of 18. */
export function personIdentity(row) {
  const claims = {
    given_name: row.given_name,
    family_name: row.family_name,
    birth_family_name: row.birth_family_name,
    birthdate: row.birthdate,
    age_over_18: Number(row.birthdate.slice(0, 4)) < new Date().getUTCFullYear() - 18,
    place_of_birth: { locality: row.birth_locality, country: row.birth_country },
    nationalities: row.nationalities.split(";"),
    address: {
      street_address: row.street_address,
      house_number: row.house_number,
      locality: row.locality,
      region: row.region,
      postal_code: row.postal_code,
      country: row.country,
    },
    sex: Number(row.sex),
    email: row.email,
    phone_number: row.phone_number,
    picture: `data:image/jpeg;base64,${row.portrait}`,
    personal_administrative_number: row.subject_id,
    document_number: row.document_number,
    date_of_issuance: row.date_of_issuance,
    date_of_expiry: row.date_of_expiry,
    ...ALWAYS_DISCLOSED,
  };
  return Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== ""));
}
