// @owf/mdoc: issues, presents and verifies mdocs of ISO/IEC 18013-5, ES256 with a document signer's certificate.
//
//   issue                key (private JWK), certificate, docType, namespaces, device (JWK), validUntil -> mdoc
//   verify               mdoc, anchor -> claims
//   present              mdoc, key (private JWK), docType, elements, session -> response
//   verify_presentation  response, anchor, session -> claims
//
// Certificates are DER in base64url, `mdoc` and `response` are as OpenID4VCI and OpenID4VP carry them, `session` has
// clientId, nonce, responseUri and, if the response was encrypted, jwkThumbprint. A claim that is no JSON is an object:
// {"date": "1990-05-17"} or {"bytes": "..."}.

import { createHash, createPrivateKey, createPublicKey, randomBytes, sign, verify, X509Certificate } from "node:crypto";

import {
  CoseKey,
  DateOnly,
  DeviceKey,
  DeviceRequest,
  DeviceResponse,
  DocRequest,
  Holder,
  Issuer,
  IssuerSigned,
  ItemsRequest,
  SessionTranscript,
  SignatureAlgorithm,
  Verifier,
} from "@owf/mdoc";

import { serve } from "./lib/serve.mjs";

const bytes = (text) => new Uint8Array(Buffer.from(text, "base64url"));
const text = (bytes) => Buffer.from(bytes).toString("base64url");

const field = (name, which) =>
  name
    .split("\n")
    .filter((line) => line.startsWith(`${which}=`))
    .map((line) => line.slice(which.length + 1));

/** What the library leaves to its caller: Node's own cryptography and certificates. */
const context = {
  crypto: {
    random: (length) => new Uint8Array(randomBytes(length)),
    digest: ({ digestAlgorithm, bytes }) =>
      new Uint8Array(createHash(digestAlgorithm.replace("-", "")).update(bytes).digest()),
    calculateEphemeralMacKey() {
      throw new Error("expected a device signature, found a MAC");
    },
  },
  cose: {
    sign1: {
      sign: ({ toBeSigned, key }) =>
        new Uint8Array(
          sign("sha256", toBeSigned, {
            key: createPrivateKey({ key: ecJwk(key, true), format: "jwk" }),
            dsaEncoding: "ieee-p1363",
          }),
        ),
      verify({ sign1, key }) {
        if (sign1.signatureAlgorithmName !== "ES256") throw new Error("expected ES256");
        const publicKey = createPublicKey({ key: ecJwk(key, false), format: "jwk" });
        return verify("sha256", sign1.toBeSigned, { key: publicKey, dsaEncoding: "ieee-p1363" }, sign1.signature);
      },
    },
    mac0: {
      sign() {
        throw new Error("expected a device signature, found a MAC");
      },
      verify: () => false,
    },
  },
  x509: {
    getIssuerNameField: ({ certificate, field: which }) => field(new X509Certificate(certificate).issuer, which),
    getPublicKey: ({ certificate }) => CoseKey.fromJwk(new X509Certificate(certificate).publicKey.export({ format: "jwk" })),
    verifyCertificateChain({ trustedCertificates, x5chain, now }) {
      if (x5chain.length !== 1) throw new Error("expected one certificate, which the issuing authority signed");
      const signer = new X509Certificate(x5chain[0]);
      const roots = trustedCertificates.map((root) => new X509Certificate(root));
      if (!roots.some((root) => signer.checkIssued(root) && signer.verify(root.publicKey))) {
        throw new Error("expected a certificate of the issuing authority");
      }
      if (now < new Date(signer.validFrom) || new Date(signer.validTo) < now) throw new Error("expected a valid certificate");
    },
    getCertificateData({ certificate }) {
      const parsed = new X509Certificate(certificate);
      return {
        issuerName: parsed.issuer,
        subjectName: parsed.subject,
        serialNumber: parsed.serialNumber,
        thumbprint: parsed.fingerprint256,
        notBefore: new Date(parsed.validFrom),
        notAfter: new Date(parsed.validTo),
        pem: parsed.toString(),
      };
    },
  },
};

function ecJwk(key, isPrivate) {
  const jwk = { kty: "EC", crv: "P-256", x: text(key.x), y: text(key.y) };
  return isPrivate ? { ...jwk, d: text(key.d) } : jwk;
}

const signingKey = (jwk) => CoseKey.fromJwk({ ...jwk, alg: "ES256" });

/** A claim of a question as the library takes it. */
function fromJson(value) {
  if (Array.isArray(value)) return value.map(fromJson);
  if (value === null || typeof value !== "object") return value;
  if (typeof value.date === "string") return new DateOnly(value.date);
  if (typeof value.bytes === "string") return bytes(value.bytes);
  return new Map(Object.entries(value).map(([name, inner]) => [name, fromJson(inner)]));
}

/** What the library read, as an answer has it. */
function toJson(value) {
  if (value instanceof DateOnly) return { date: value.toISOString() };
  if (value instanceof Uint8Array) return { bytes: text(value) };
  if (value instanceof Map) return Object.fromEntries([...value].map(([name, inner]) => [name, toJson(inner)]));
  if (Array.isArray(value)) return value.map(toJson);
  if (value !== null && typeof value === "object" && !(value instanceof Date)) {
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, toJson(inner)]));
  }
  return value;
}

function claims(issuerSigned) {
  const namespaces = issuerSigned.issuerNamespaces?.issuerNamespaces ?? new Map();
  return Object.fromEntries([...namespaces.keys()].map((name) => [name, toJson(issuerSigned.getPrettyClaims(name))]));
}

const transcript = ({ jwkThumbprint, ...session }) =>
  SessionTranscript.forOid4Vp(
    jwkThumbprint === undefined ? session : { ...session, jwkThumbprint: bytes(jwkThumbprint) },
    context,
  );

await serve({
  async issue({ key, certificate, docType, namespaces, device, validUntil }) {
    const issuer = new Issuer(docType, context);
    for (const [name, elements] of Object.entries(namespaces)) {
      issuer.addIssuerNamespace(
        name,
        Object.fromEntries(Object.entries(elements).map(([identifier, value]) => [identifier, fromJson(value)])),
      );
    }
    const signed = new Date();
    const issuerSigned = await issuer.sign({
      signingKey: signingKey(key),
      certificates: [bytes(certificate)],
      algorithm: SignatureAlgorithm.ES256,
      digestAlgorithm: "SHA-256",
      deviceKeyInfo: { deviceKey: DeviceKey.fromJwk(device) },
      validityInfo: { signed, validFrom: signed, validUntil: new Date(validUntil) },
    });
    return { mdoc: issuerSigned.encodedForOid4Vci };
  },

  async verify({ mdoc, anchor }) {
    const issuerSigned = IssuerSigned.fromEncodedForOid4Vci(mdoc);
    await Holder.verifyIssuerSigned({ issuerSigned, trustedCertificates: [bytes(anchor)] }, context);
    return { claims: claims(issuerSigned) };
  },

  async present({ mdoc, key, docType, elements, session }) {
    const namespaces = Object.fromEntries(
      Object.entries(elements).map(([name, names]) => [name, Object.fromEntries(names.map((one) => [one, false]))]),
    );
    const itemsRequest = ItemsRequest.create({ docType, namespaces });
    const response = await Holder.createDeviceResponseForDeviceRequest(
      {
        deviceRequest: DeviceRequest.create({ docRequests: [DocRequest.create({ itemsRequest })] }),
        issuerSigned: [IssuerSigned.fromEncodedForOid4Vci(mdoc)],
        sessionTranscript: await transcript(session),
        signature: { signingKey: signingKey(key) },
      },
      context,
    );
    return { response: response.encodedForOid4Vp };
  },

  async verify_presentation({ response, anchor, session }) {
    const deviceResponse = DeviceResponse.fromEncodedForOid4Vp(response);
    await Verifier.verifyDeviceResponse(
      { deviceResponse, sessionTranscript: await transcript(session), trustedCertificates: [bytes(anchor)] },
      context,
    );
    const documents = deviceResponse.documents ?? [];
    return { claims: documents.map((document) => claims(document.issuerSigned)) };
  },
});
