// @sd-jwt/jwt-status-list: publishes and reads Token Status Lists in JWT format. The package leaves signatures to
// others, so jose makes and checks them.
//
//   publish  key (private JWK), header, payload, bits, statuses -> jwt
//   read     key (JWK), jwt, indices -> payload, statuses

import * as jose from "jose";
import { StatusList, createHeaderAndPayload, getListFromStatusListJWT } from "@sd-jwt/jwt-status-list";

import { algorithm } from "./lib/keys.mjs";
import { serve } from "./lib/serve.mjs";

const TYPE = "statuslist+jwt";

await serve({
  async publish({ key, header, payload, bits, statuses }) {
    const named = { ...header, alg: algorithm(key), typ: TYPE };
    const list = createHeaderAndPayload(new StatusList(statuses, bits), payload, named);
    const signing = new jose.SignJWT(list.payload).setProtectedHeader(list.header);
    return { jwt: await signing.sign(await jose.importJWK(key, algorithm(key))) };
  },

  async read({ key, jwt, indices }) {
    const verifyingKey = await jose.importJWK(key, algorithm(key));
    const { payload } = await jose.jwtVerify(jwt, verifyingKey, { algorithms: [algorithm(key)], typ: TYPE });
    const list = getListFromStatusListJWT(jwt);
    return { payload, statuses: indices.map((index) => list.getStatus(index)) };
  },
});
