"""The Python packages cwt and cryptography: read the list of issuing authorities (VICAL) of ISO/IEC 18013-5 annex C,
with the questions of lib/serve.mjs.

read   list (base64) -> provider, issue, sha256 (of what is signed), authorities (docType, issuingAuthority, issuingCountry, certificate in base64)

cwt verifies the COSE; what the list says of each certificate is compared with what cryptography reads in it.
"""

from base64 import b64decode, b64encode
from datetime import datetime, timezone
from hashlib import sha256

import cbor2
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cwt import COSE, COSEKey

from lib.serve import serve

X5CHAIN = 33
VICAL_SIGNER = "1.0.18013.5.1.8"


def demand(holds, why):
    if not holds:
        raise ValueError(why)


def read(question):
    message = b64decode(question["list"], validate=True)
    protected, unprotected, payload, _ = cbor2.loads(message)
    signer = x509.load_der_x509_certificate(unprotected[X5CHAIN])
    usages = signer.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    demand(VICAL_SIGNER in [usage.dotted_string for usage in usages], "the certificate signs no such lists")
    pem = signer.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    verified = COSE.new().decode(cbor2.dumps(cbor2.CBORTag(18, cbor2.loads(message))), COSEKey.from_pem(pem, alg="ES256"))
    demand(verified == payload, "another payload was signed")
    vical = cbor2.loads(payload)
    demand(vical["version"] == "1.0", "another version")
    now = datetime.now(timezone.utc)
    demand(vical["date"] <= now < vical["nextUpdate"], "not a list of now")
    return {
        "provider": vical["vicalProvider"],
        "issue": vical["vicalIssueID"],
        "sha256": sha256(payload).hexdigest(),
        "authorities": [authority(info) for info in vical["certificateInfos"]],
    }


def authority(info):
    certificate = x509.load_der_x509_certificate(info["certificate"])
    ski = certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    expected = {
        "serialNumber": certificate.serial_number,
        "ski": ski.digest,
        "issuer": certificate.issuer.public_bytes(),
        "subject": certificate.subject.public_bytes(),
        "notBefore": certificate.not_valid_before_utc,
        "notAfter": certificate.not_valid_after_utc,
    }
    found = {name: info[name] for name in expected}
    demand(found == expected, f"expected {expected}, found {found}")
    told = {name: info[name] for name in ("docType", "issuingAuthority", "issuingCountry")}
    return {**told, "certificate": b64encode(info["certificate"]).decode()}


if __name__ == "__main__":
    serve({"read": read})
