"""A cosigner by C2SP tlog-cosignature with ML-DSA-44, on PyPI cryptography.

cosign   seed (base64), name, time, origin, size, root (base64) -> vkey, line
"""

import hashlib
import pathlib
import sys
from base64 import b64decode, b64encode

from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

sys.path.insert(0, str(pathlib.Path(__file__).parent / "lib"))
from serve import serve  # noqa: E402


def opaque(text):
    return bytes([len(text.encode())]) + text.encode()


def cosign(question):
    key = MLDSA44PrivateKey.from_seed_bytes(b64decode(question["seed"]))
    name, time = question["name"], question["time"].to_bytes(8, "big")
    message = b"subtree/v1\n\0" + opaque(name) + time + opaque(question["origin"])
    message += bytes(8) + question["size"].to_bytes(8, "big") + b64decode(question["root"])
    material = b"\6" + key.public_key().public_bytes_raw()
    key_id = hashlib.sha256(name.encode() + b"\n" + material).digest()[:4]
    line = b64encode(key_id + time + key.sign(message)).decode()
    return {"vkey": f"{name}+{key_id.hex()}+{b64encode(material).decode()}", "line": f"\u2014 {name} {line}\n"}


serve({"cosign": cosign})
