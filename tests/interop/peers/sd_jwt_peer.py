"""The Python package sd-jwt: issues, presents and verifies SD-JWTs, with the questions of lib/serve.mjs.

issue    issuer (private JWK), claims, disclosable (top-level names), holder? (JWK) -> sd_jwt
present  sd_jwt, disclose (as the package takes it), holder (private JWK), nonce, aud -> sd_jwt
verify   sd_jwt, issuer (JWK), nonce?, aud? -> claims
"""

import json

from jwcrypto.jwk import JWK
from sd_jwt.common import SDObj
from sd_jwt.holder import SDJWTHolder
from sd_jwt.issuer import SDJWTIssuer
from sd_jwt.verifier import SDJWTVerifier

from lib.serve import serve


def key(jwk):
    return JWK.from_json(json.dumps(jwk))


def algorithm(jwk):
    return {"P-256": "ES256", "Ed25519": "EdDSA"}[jwk["crv"]]


def issue(question):
    disclosable = set(question["disclosable"])
    claims = {SDObj(name) if name in disclosable else name: value for name, value in question["claims"].items()}
    holder = question.get("holder")
    issuer = SDJWTIssuer(
        claims,
        key(question["issuer"]),
        key(holder) if holder else None,
        sign_alg=algorithm(question["issuer"]),
        extra_header_parameters={"typ": "dc+sd-jwt", **question.get("header", {})},
    )
    return {"sd_jwt": issuer.sd_jwt_issuance}


def present(question):
    holder = SDJWTHolder(question["sd_jwt"])
    holder.create_presentation(
        question["disclose"],
        question["nonce"],
        question["aud"],
        key(question["holder"]),
        sign_alg=algorithm(question["holder"]),
    )
    return {"sd_jwt": holder.sd_jwt_presentation}


def verify(question):
    verifier = SDJWTVerifier(
        question["sd_jwt"],
        lambda _issuer, _header: key(question["issuer"]),
        question.get("aud"),
        question.get("nonce"),
    )
    return {"claims": verifier.get_verified_payload()}


if __name__ == "__main__":
    serve({"issue": issue, "present": present, "verify": verify})
