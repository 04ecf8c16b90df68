// @openid4vc/openid4vci as a wallet: obtains credentials for an offer.
//
//   accept   offer (openid-credential-offer: URI), holders (private JWKs), tx_code?, configuration?, forger?
//            -> configuration, issuer, response, holders (how each was named: a DID, or "jwk")
//
// A `forger` (private JWK) makes the proofs' signatures in the holders' place.

import {
  clientAuthenticationAnonymous,
  preAuthorizedCodeGrantIdentifier,
  setGlobalConfig,
} from "@openid4vc/oauth2";
import { Openid4vciClient } from "@openid4vc/openid4vci";

import { didJwk, multikeyOfEd25519 } from "./lib/did.mjs";
import { algorithm, hash, publicJwk, random, signJwt } from "./lib/keys.mjs";
import { serve } from "./lib/serve.mjs";

// The platform of a test listens on the loopback address without TLS.
setGlobalConfig({ allowInsecureUrls: true });

const refuse = (what) => async () => {
  throw new Error(`the wallet was asked to ${what}, which this flow does not need`);
};

/** How a holder names its key: by itself where the issuer takes that, by a DID that holds it elsewhere. */
function proofSigner(holder, bindingMethods) {
  const alg = algorithm(holder);
  if (bindingMethods.includes("jwk")) return { method: "jwk", alg, publicJwk: publicJwk(holder) };
  if (bindingMethods.includes("did:key") && alg === "EdDSA") {
    const multikey = multikeyOfEd25519(holder);
    return { method: "did", alg, didUrl: `did:key:${multikey}#${multikey}` };
  }
  if (bindingMethods.includes("did:jwk")) return { method: "did", alg, didUrl: `${didJwk(publicJwk(holder))}#0` };
  throw new Error(`expected a way to name an ${alg} key, found ${bindingMethods.join(", ")}`);
}

/** `signing` finds the key of a signer that `proofSigner` made. */
function client(signing) {
  const callbacks = {
    hash,
    generateRandom: random,
    fetch: globalThis.fetch,
    clientAuthentication: clientAuthenticationAnonymous(),
    signJwt: async (jwtSigner, { header, payload }) => {
      const key = signing(jwtSigner);
      return { jwt: await signJwt(key, header, payload), signerJwk: publicJwk(key) };
    },
    verifyJwt: refuse("verify a JWT"),
    encryptJwe: refuse("encrypt"),
    decryptJwe: refuse("decrypt"),
  };
  return new Openid4vciClient({ callbacks });
}

await serve({
  async accept({ offer, holders, tx_code, configuration, forger }) {
    const signers = new Map();
    const wallet = client((signer) => forger ?? signers.get(signer.didUrl ?? signer.publicJwk.x));
    const credentialOffer = await wallet.resolveCredentialOffer(offer);
    const issuerMetadata = await wallet.resolveIssuerMetadata(credentialOffer.credential_issuer);
    if (credentialOffer.grants?.[preAuthorizedCodeGrantIdentifier] === undefined) {
      throw new Error("expected an offer with a pre-authorized code, found none");
    }
    const { accessTokenResponse } = await wallet.retrievePreAuthorizedCodeAccessTokenFromOffer({
      credentialOffer,
      issuerMetadata,
      txCode: tx_code,
    });
    const credentialConfigurationId = configuration ?? credentialOffer.credential_configuration_ids[0];
    const { c_nonce: nonce } = await wallet.requestNonce({ issuerMetadata });
    const { cryptographic_binding_methods_supported: bindingMethods } =
      issuerMetadata.credentialIssuer.credential_configurations_supported[credentialConfigurationId];
    const [proofs, named] = [[], []];
    for (const holder of holders) {
      const signer = proofSigner(holder, bindingMethods);
      signers.set(signer.didUrl ?? signer.publicJwk.x, holder);
      named.push(signer.didUrl?.split("#")[0] ?? "jwk");
      const { jwt } = await wallet.createCredentialRequestJwtProof({
        issuerMetadata,
        credentialConfigurationId,
        nonce,
        signer,
      });
      proofs.push(jwt);
    }
    const { credentialResponse } = await wallet.retrieveCredentials({
      issuerMetadata,
      credentialConfigurationId,
      accessToken: accessTokenResponse.access_token,
      proofs: { jwt: proofs },
    });
    return {
      configuration: credentialConfigurationId,
      issuer: issuerMetadata.credentialIssuer,
      response: credentialResponse,
      holders: named,
    };
  },
});
