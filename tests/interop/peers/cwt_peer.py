"""The Python package cwt: signs and verifies COSE, with the questions of lib/serve.mjs.

sign     key (private JWK), kid, typ, content_type, claims? (number to value), payload (text) -> message (base64)
verify   key (JWK), kid, typ, content_type, message -> payload, claims (of the header)

The package knows nothing of status lists, so packing and unpacking them is done here, with zlib.

publish  key (private JWK), kid, claims (number to value), bits, statuses -> token (base64url)
read     key (JWK), kid, token, indices -> claims, statuses
"""

import zlib
from base64 import b64decode, b64encode, urlsafe_b64decode, urlsafe_b64encode

import cbor2
from cwt import COSE, COSEKey

from lib.serve import serve

ALG, CONTENT_TYPE, KID, CWT_CLAIMS, TYP = 1, 3, 4, 15, 16
NONCE = 10
STATUS_LIST = 65533
TYPE = "application/statuslist+cwt"
ALGORITHMS = {"P-256": -7, "Ed25519": -8}


def decoded(text):
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def key(question):
    return COSEKey.from_jwk({**question["key"], "kid": question["kid"]})


def sign(question):
    protected = {
        ALG: ALGORITHMS[question["key"]["crv"]],
        CONTENT_TYPE: question["content_type"],
        KID: question["kid"].encode(),
        TYP: question["typ"],
    }
    claims = {int(name): value for name, value in question.get("claims", {}).items()}
    if NONCE in claims:
        claims[NONCE] = claims[NONCE].encode()
    if claims:
        protected[CWT_CLAIMS] = claims
    message = COSE.new().encode(question["payload"].encode(), key(question), protected=protected)
    return {"message": b64encode(message).decode()}


def verify(question):
    message = b64decode(question["message"], validate=True)
    protected, unprotected, payload = COSE.new().decode_with_headers(message, key(question))
    expected = {name: question[name] for name in ("typ", "content_type")}
    found = {"typ": protected.get(TYP), "content_type": protected.get(CONTENT_TYPE)}
    if found != expected or unprotected:
        raise ValueError(f"expected {expected} and nothing unprotected, found {found} and {unprotected}")
    claims = protected.get(CWT_CLAIMS, {})
    readable = {str(name): value.decode() if isinstance(value, bytes) else value for name, value in claims.items()}
    return {"payload": payload.decode(), "claims": readable}


def publish(question):
    bits, statuses = question["bits"], question["statuses"]
    packed = bytearray((len(statuses) * bits + 7) // 8)
    for index, status in enumerate(statuses):
        packed[index * bits // 8] |= status << (index * bits % 8)
    claims = {int(name): value for name, value in question["claims"].items()}
    claims[STATUS_LIST] = {"bits": bits, "lst": zlib.compress(bytes(packed), 9)}
    protected = {ALG: ALGORITHMS[question["key"]["crv"]], KID: question["kid"].encode(), TYP: TYPE}
    token = COSE.new().encode(cbor2.dumps(claims), key(question), protected=protected)
    return {"token": urlsafe_b64encode(token).decode().rstrip("=")}


def read(question):
    protected, unprotected, payload = COSE.new().decode_with_headers(decoded(question["token"]), key(question))
    if protected.get(TYP) != TYPE or protected.get(ALG) != ALGORITHMS[question["key"]["crv"]]:
        raise ValueError(f"expected a protected typ {TYPE} and the key's algorithm, found {protected}")
    claims = cbor2.loads(payload)
    status_list = claims.pop(STATUS_LIST)
    bits, packed = status_list["bits"], zlib.decompress(status_list["lst"])
    statuses = [packed[index * bits // 8] >> (index * bits % 8) & ((1 << bits) - 1) for index in question["indices"]]
    return {"claims": {str(name): value for name, value in claims.items()}, "statuses": statuses}


if __name__ == "__main__":
    serve({"publish": publish, "read": read, "sign": sign, "verify": verify})
