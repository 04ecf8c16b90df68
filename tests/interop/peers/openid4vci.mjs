// @openid4vc/openid4vci as a wallet: obtains credentials for an offer.
//
//   accept   offer (openid-credential-offer: URI), holders (private JWKs), tx_code?, configuration?
//            -> configuration, issuer, response

import {
  clientAuthenticationAnonymous,
  preAuthorizedCodeGrantIdentifier,
  setGlobalConfig,
} from "@openid4vc/oauth2";
import { Openid4vciClient } from "@openid4vc/openid4vci";

import { algorithm, hash, publicJwk, random, signJwt } from "./lib/keys.mjs";
import { serve } from "./lib/serve.mjs";

// The platform of a test listens on the loopback address without TLS.
setGlobalConfig({ allowInsecureUrls: true });

const refuse = (what) => async () => {
  throw new Error(`the wallet was asked to ${what}, which this flow does not need`);
};

function client(holders) {
  const callbacks = {
    hash,
    generateRandom: random,
    fetch: globalThis.fetch,
    clientAuthentication: clientAuthenticationAnonymous(),
    signJwt: async (jwtSigner, { header, payload }) => {
      const holder = holders.find((holder) => holder.x === jwtSigner.publicJwk.x);
      return { jwt: await signJwt(holder, header, payload), signerJwk: publicJwk(holder) };
    },
    verifyJwt: refuse("verify a JWT"),
    encryptJwe: refuse("encrypt"),
    decryptJwe: refuse("decrypt"),
  };
  return new Openid4vciClient({ callbacks });
}

await serve({
  async accept({ offer, holders, tx_code, configuration }) {
    const wallet = client(holders);
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
    const proofs = [];
    for (const holder of holders) {
      const { jwt } = await wallet.createCredentialRequestJwtProof({
        issuerMetadata,
        credentialConfigurationId,
        nonce,
        signer: { method: "jwk", alg: algorithm(holder), publicJwk: publicJwk(holder) },
      });
      proofs.push(jwt);
    }
    const { credentialResponse } = await wallet.retrieveCredentials({
      issuerMetadata,
      credentialConfigurationId,
      accessToken: accessTokenResponse.access_token,
      proofs: { jwt: proofs },
    });
    return { configuration: credentialConfigurationId, issuer: issuerMetadata.credentialIssuer, response: credentialResponse };
  },
});
