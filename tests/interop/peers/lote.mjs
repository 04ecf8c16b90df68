// The npm packages @owf/eudi-lote and jose: reads a List of Trusted Entities of ETSI TS 119 602, with the questions of
// lib/serve.mjs.
//
// read   list (a JWS), now (seconds) -> lote
//
// The package signs lists and checks their form, and verifies no signature; jose does that. What clause 6.8 asks of the
// certificate, and a JAdES baseline signature of the header, is compared here.

import { X509Certificate, createHash } from "node:crypto";

import { assertValidLoTE } from "@owf/eudi-lote";
import { compactVerify, decodeProtectedHeader } from "jose";

import { serve } from "./lib/serve.mjs";

function demand(holds, why) {
  if (!holds) throw new Error(why);
}

async function read({ list, now }) {
  const header = decodeProtectedHeader(list);
  const der = Buffer.from(header.x5c[0], "base64");
  const certificate = new X509Certificate(der);
  demand(header["x5t#S256"] === createHash("sha256").update(der).digest("base64url"), "x5t#S256 is of another certificate");
  demand(Number.isInteger(header.iat) && Math.abs(header.iat - now) < 3600, "iat is not about now");
  const { payload } = await compactVerify(list, certificate.publicKey);
  const claims = JSON.parse(new TextDecoder().decode(payload));
  assertValidLoTE(claims);
  const { SchemeOperatorName: names, SchemeTerritory: territory, ...scheme } = claims.LoTE.ListAndSchemeInformation;
  const subject = Object.fromEntries(certificate.subject.split("\n").map((line) => line.split("=")));
  demand(subject.C === territory && names.some(({ value }) => value === subject.O), "the certificate is another operator's");
  demand(Date.parse(scheme.ListIssueDateTime) <= now * 1000 && now * 1000 < Date.parse(scheme.NextUpdate), "not a list of now");
  return { lote: claims.LoTE };
}

await serve({ read });
