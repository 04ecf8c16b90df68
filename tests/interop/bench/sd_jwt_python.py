"""The Python package sd-jwt at our SD-JWT VC; benches/src/measure.rs (`serve`) says what is asked and answered."""

import json
import sys
import time
from datetime import datetime

from jwcrypto.jwk import JWK
from sd_jwt.common import SDObj
from sd_jwt.issuer import SDJWTIssuer
from sd_jwt.verifier import SDJWTVerifier

with open(sys.argv[1], encoding="utf-8") as file:
    MATERIAL = json.load(file)
OURS = MATERIAL["dc+sd-jwt"]
NOW = int(datetime.fromisoformat(MATERIAL["now"].replace("Z", "+00:00")).timestamp())
ISSUER = JWK.from_json(json.dumps(OURS["issuer"]["jwk"]))
HOLDER = JWK.from_json(json.dumps(OURS["holder"]["jwk"]))


def verify(text):
    SDJWTVerifier(text, lambda _issuer, _header: ISSUER, OURS["aud"], OURS["nonce"]).get_verified_payload()


def issue():
    claims = {SDObj(name): value for name, value in OURS["claims"].items()}
    claims |= {"iss": OURS["iss"], "vct": OURS["vct"], "iat": NOW - 60, "exp": NOW + 86_400, "status": OURS["status"]}
    header = {"typ": "dc+sd-jwt", "kid": OURS["kid"]}
    SDJWTIssuer(claims, ISSUER, HOLDER, sign_alg="ES256", extra_header_parameters=header)


def turns(work, milliseconds):
    """Nanoseconds of each run that fits into the time, one at least; each takes long enough to be a turn."""
    found = []
    end = time.perf_counter_ns() + milliseconds * 1_000_000
    while not found or time.perf_counter_ns() < end:
        begin = time.perf_counter_ns()
        work()
        found.append(time.perf_counter_ns() - begin)
    return found


def is_refused(text):
    try:
        verify(text)
    except Exception:  # The package raises whatever its own dependencies raise.
        return True
    return False


def main():
    works = {"dc+sd-jwt/verify": lambda: verify(OURS["text"]), "dc+sd-jwt/issue": issue}
    verify(OURS["text"])
    if not is_refused(OURS["tampered"]):
        raise SystemExit("expected that what was tampered with is refused")
    print(json.dumps({"ids": list(works)}), flush=True)
    for line in sys.stdin:
        identifier, milliseconds = line.split()
        print(json.dumps({"sd-jwt (Python)": turns(works[identifier], int(milliseconds))}), flush=True)


if __name__ == "__main__":
    main()
