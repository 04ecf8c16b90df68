"""A second reader of trust bundles and extracts, after spec/registry.md: the standard library and PyPI cryptography.

{"do": "ask", "anchor": TEXT, "bundle": BASE64, "questions": [...]} checks the bundle by the rules of section 7 and
answers {"as_of", "size", "policy", "answers"}. A bundle that breaks a rule is an error that begins with the rule's name:
form, anchor, digest, policies, proof, last or attachment. With "extract" instead of "bundle" the rules are those of
section 9, of which one more is called record. The questions:

{"accreditation": {"entity", "action": 0..2, "resource", "now"}}   {"id", "standing"} or null
{"status": {"issuer", "uri", "index"}}                             a number, "beyond", "broken", "not included", "unknown"
{"incident": {"method"}}                                           {"invalid_since", "backdating"} or null
{"key": {"did", "method"}}                                         the Multikey for assertions or null; logged DIDs only
{"expired": {"now"}}                                               whether the hard expiry has come
{"replaces": {"bundle": BASE64}}                                   whether it may follow that bundle

Logs of DIDs are not verified again: that they hold, the state witnesses vouch for.
"""

import base64
import hashlib
import json
import pathlib
import re
import sys
import zlib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384

sys.path.insert(0, str(pathlib.Path(__file__).parent / "lib"))
from serve import serve  # noqa: E402

ZERO = bytes(32)
DAY = 86_400
MAX_TIME = 253_402_300_799  # The last second of the year 9999.
CHUNK = 131_072
POLICY, DID_EVENT, ACCREDITATION, SCHEMA, STATUS, INCIDENT, TOMBSTONE = 0, 1, 2, 4, 5, 7, 8
SECTIONS = [0, 1, 2, 3, 4, 5, 7, 8]
WHOLE, PICKED = [0, 3, 7, 8], [1, 2, 4, 5]


class Refused(Exception):
    def __init__(self, rule, why):
        super().__init__(f"{rule}: {why}")


def demand(holds, rule, why):
    if not holds:
        raise Refused(rule, why)


# Deterministic CBOR, RFC 8949 section 4.2.1.


def decode(data, depth=8):
    value, end = item(data, 0, depth)
    demand(end == len(data), "form", "bytes after the item")
    return value


def item(data, at, depth):
    demand(at < len(data) and depth >= 0, "form", "an end of the data, or too deep")
    major, low = data[at] >> 5, data[at] & 31
    at += 1
    if major == 7:
        demand(low in (20, 21, 22), "form", "another simple value than false, true and null")
        return {20: False, 21: True, 22: None}[low], at
    number = low
    if low >= 24:
        demand(low <= 27, "form", "an indefinite length")
        width = 1 << (low - 24)
        number = int.from_bytes(data[at : at + width], "big")
        demand(at + width <= len(data), "form", "a short number")
        demand(number >= (24 if width == 1 else 1 << (4 * width)), "form", "a number in more bytes than it needs")
        at += width
    if major == 0:
        return number, at
    if major == 1:
        return -1 - number, at
    if major in (2, 3):
        text = data[at : at + number]
        demand(len(text) == number, "form", "a short string")
        if major == 3:
            try:
                text = text.decode()
            except UnicodeDecodeError:
                raise Refused("form", "text that is not UTF-8") from None
        return text, at + number
    demand(major in (4, 5), "form", "a tag")
    if major == 4:
        array = []
        for _ in range(number):
            value, at = item(data, at, depth - 1)
            array.append(value)
        return array, at
    members, last = {}, b""
    for _ in range(number):
        start = at
        key, at = item(data, at, depth - 1)
        demand(data[start:at] > last, "form", "members out of order")
        demand(type(key) is int and key >= 0, "form", "a member that is not numbered")
        last = data[start:at]
        members[key], at = item(data, at, depth - 1)
    return members, at


def encode(value):
    if value is None or isinstance(value, bool):
        return {None: b"\xf6", False: b"\xf4", True: b"\xf5"}[value]
    if isinstance(value, int):
        return head(0, value) if value >= 0 else head(1, -1 - value)
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, str):
        return head(3, len(value.encode())) + value.encode()
    if isinstance(value, list):
        return head(4, len(value)) + b"".join(map(encode, value))
    return head(5, len(value)) + b"".join(encode(key) + encode(value[key]) for key in sorted(value))


def head(major, number):
    if number < 24:
        return bytes([major << 5 | number])
    width = next(width for width in (1, 2, 4, 8) if number < 1 << (8 * width))
    return bytes([major << 5 | {1: 24, 2: 25, 4: 26, 8: 27}[width]]) + number.to_bytes(width, "big")


# The shapes of the specification: a reader is a function that refuses everything else.


def shape(rule):
    def read(value):
        demand(rule(value), "form", f"{value!r:.60}")
        return value

    return read


def uint(value):
    return type(value) is int and value >= 0


UINT = shape(uint)
TIME = shape(lambda value: uint(value) and value <= MAX_TIME)
BYTES = shape(lambda value: isinstance(value, bytes))
HASH = shape(lambda value: isinstance(value, bytes) and len(value) == 32)
LINES = shape(lambda value: isinstance(value, str))
TRUE = shape(lambda value: value is True)
BOOL = shape(lambda value: isinstance(value, bool))
TEXT = shape(
    lambda value: isinstance(value, str) and value and not any(ord(c) < 32 or 127 <= ord(c) < 160 for c in value)
)
ALGORITHM = shape(lambda value: type(value) is int and value in (-9, -51, -19))
SIGNATURE_BYTES = shape(lambda value: isinstance(value, bytes) and len(value) in (64, 96))


def one_of(*allowed):
    return shape(lambda value: type(value) is int and value in allowed)


def matching(pattern):
    return shape(lambda value: isinstance(value, str) and re.fullmatch(pattern, value))


REASON = one_of(*range(6))
BACKDATING = one_of(0, 1)
ACTION = one_of(0, 1, 2)


def array(element, by=None, least=0):
    """An array, strictly ascending by `by` of its elements where that is given."""

    def read(value):
        demand(isinstance(value, list) and len(value) >= least, "form", "another thing than an array, or a short one")
        elements = [element(each) for each in value]
        if by:
            keys = [by(each) for each in elements]
            demand(all(left < right for left, right in zip(keys, keys[1:])), "form", "an array out of order")
        return elements

    return read


def itself(value):
    return value.encode() if isinstance(value, str) else value


def member(*keys):
    return lambda value: [itself(value[key]) for key in keys]


def struct(required, optional={}):
    def read(value):
        demand(isinstance(value, dict), "form", "another thing than a map")
        demand(required.keys() <= value.keys() <= required.keys() | optional.keys(), "form", f"members {sorted(value)}")
        readers = required | optional
        return {key: readers[key](each) for key, each in value.items()}

    return read


def either(key, variants):
    """A map whose member `key` says which of the variants it is."""

    def read(value):
        demand(isinstance(value, dict) and type(value.get(key)) is int, "form", "a map without its variant")
        demand(value[key] in variants, "form", f"variant {value[key]}")
        return variants[value[key]](value)

    return read


def of_form(webvh, web):
    """A record of a DID, whose members tell its method."""
    return lambda value: (webvh if isinstance(value, dict) and 3 in value else web)(value)


TEXTS = array(TEXT, itself)
HEAD = struct({1: UINT, 2: HASH, 3: UINT, 4: TIME})
RESOURCE = struct({1: TEXT}, {2: array(HASH, itself, least=1)})
LANGUAGE = matching(r"[a-z]{2,3}(-[A-Za-z0-9]{1,8})*")
COUNTRY = matching(r"[A-Z]{2}")
HTTPS_URL = shape(
    lambda value: isinstance(value, str)
    and re.fullmatch(r"https://[!-~]+", value)
    and not value.endswith("/")
    and not set("?#") & set(value)
)


def localised(text):
    return array(struct({1: LANGUAGE, 2: text}), member(1, 2), least=1)


POSTAL = struct({1: LANGUAGE, 2: TEXT, 3: TEXT, 5: TEXT, 6: COUNTRY}, {4: TEXT})
PARTICULARS = struct(
    {1: array(struct({1: LANGUAGE, 2: TEXT}), member(1), least=1), 3: array(POSTAL, member(1), least=1)}
    | {4: localised(matching(r"(https://|mailto:)[!-~]+"))}
    | {5: localised(matching(r"https://[!-~]+"))},
    {2: localised(TEXT)},
)
LISTING = struct({1: PARTICULARS}, {2: array(BYTES, itself, least=1), 3: HTTPS_URL})
PUBLICATION = struct({1: PARTICULARS, 2: COUNTRY, 3: HTTPS_URL, 4: BYTES, 5: localised(TEXT)})
GRANT = struct(
    {1: TEXT, 2: ACTION, 3: array(RESOURCE, member(1), least=1), 4: TEXTS, 6: TIME, 7: TIME, 8: UINT, 10: UINT}
    | {11: one_of(0, 1, 2), 12: BACKDATING},
    {5: TEXT, 9: TEXT, 13: UINT, 14: LISTING},
)
STANDING = either(
    1,
    {
        0: struct({1: UINT}),
        1: struct({1: UINT, 2: TIME, 3: REASON, 4: TEXT}, {5: TIME}),
        2: struct({1: UINT, 2: TIME, 3: REASON}),
    },
)
MAPPING = struct({1: TEXT, 2: TEXT})
TERMS = struct(
    {1: TEXT, 2: HASH, 3: UINT, 4: HASH, 5: array(ACTION, itself, least=1), 6: array(MAPPING, member(1))}
    | {7: UINT, 8: TIME}
)
DOCUMENT = struct({1: one_of(0, 1, 2, 3), 2: TEXT, 3: TEXT, 4: HASH, 5: UINT})
SCHEMA_BODY = struct({1: TEXT, 2: TEXTS, 3: TEXTS, 5: BOOL, 6: array(DOCUMENT, member(1, 2))}, {4: TEXT})
TOKEN = struct({1: one_of(0, 1, 2, 3), 2: HASH})
LIST = struct(
    {1: TEXT, 2: one_of(1, 2, 4, 8), 3: UINT, 4: array(TOKEN, member(1), least=1), 5: one_of(0, 1), 6: HASH, 7: UINT}
    | {8: TIME, 9: UINT},
    {10: TEXT},
)
RECORDS = {
    POLICY: struct({1: BYTES, 2: UINT, 3: TIME}),
    DID_EVENT: of_form(
        struct({1: TEXT, 2: HEAD, 3: BYTES}, {4: BYTES}),
        struct({1: TEXT, 2: HEAD, 5: BYTES, 6: array(struct({1: HASH, 2: TIME, 3: BYTES}))}),
    ),
    ACCREDITATION: struct({1: TEXT, 2: HEAD, 3: TEXT, 4: GRANT, 5: TIME, 6: STANDING, 7: TEXTS}),
    3: struct({1: TEXT, 2: HEAD}, {3: TERMS}),
    SCHEMA: struct({1: TEXT, 2: HEAD, 3: TEXT}, {4: SCHEMA_BODY}),
    STATUS: struct({1: TEXT, 2: HEAD, 3: LIST}, {4: TRUE}),
    INCIDENT: struct({1: TEXT, 2: HEAD, 4: TEXTS}, {3: struct({1: TIME, 2: BACKDATING, 3: REASON}, {4: TIME})}),
    TOMBSTONE: struct({1: TEXT, 2: HEAD, 3: array(struct({1: one_of(1, 2, 3, 4), 2: TIME, 3: REASON}), least=1)}),
}
SIGNATURE = struct({1: TEXT, 2: ALGORITHM, 3: SIGNATURE_BYTES}, {4: TEXT})
APPROVAL = struct({1: HASH, 2: TIME, 3: TIME, 4: array(SIGNATURE, member(1), least=1)})
OFFICER = struct({1: TEXT, 2: TEXT}, {3: HASH})
AUTHORITY = struct({1: TEXT, 2: UINT, 3: array(OFFICER, member(1))}, {4: TEXTS})
POLICY_BODY = struct(
    {1: one_of(0, 1), 2: array(AUTHORITY), 3: LINES, 4: TEXT, 5: array(TEXT, itself, least=1)}
    | {6: array(ALGORITHM, lambda number: {-9: 0, -51: 1, -19: 2}[number], least=1)},
    {7: struct({1: UINT, 2: array(HASH, itself), 3: UINT}), 8: TIME, 9: PUBLICATION},
)
SECTION = struct({1: one_of(*range(9)), 2: UINT, 3: HASH})
PROJECTION = struct({1: TEXT, 2: HASH})
SNAPSHOT_BODY = struct(
    {1: HASH, 2: array(SECTION, member(1)), 3: UINT, 4: UINT, 5: TIME, 6: TIME, 7: TIME},
    {8: struct({1: TIME, 2: array(PROJECTION, member(1), least=1)})},
)
ENTRY = {1: one_of(1), 3: TEXT, 4: TEXT, 5: UINT, 6: HASH}
POLICY_ENTRY = struct(ENTRY | {2: one_of(0), 7: POLICY_BODY, 8: APPROVAL})
SNAPSHOT_ENTRY = struct(ENTRY | {2: one_of(6), 7: SNAPSHOT_BODY})
PACKED = {2: one_of(0, 1), 3: UINT, 4: BYTES}
BUNDLE = struct(
    {1: shape(lambda value: value == "attestry-trust-bundle"), 2: one_of(1), 3: LINES, 4: BYTES}
    | {5: array(struct({1: one_of(*range(9))} | PACKED), member(1)), 6: array(struct({1: HASH} | PACKED), member(1))}
    | {7: array(struct({1: HASH, 2: one_of(0, 1), 3: BYTES}), member(1, 2))}
)
PROVEN = {2: UINT, 3: BYTES, 4: array(HASH)}
EXTRACT = struct(
    {1: shape(lambda value: value == "attestry-trust-extract"), 2: one_of(1), 3: LINES, 4: BYTES}
    | {5: array(struct({1: one_of(*WHOLE)} | PACKED), member(1))}
    | {6: array(struct({1: one_of(*PICKED)} | PROVEN), member(1, 2)), 7: array(struct({1: HASH} | PROVEN), member(1, 2))}
)


def inflate(data, length):
    inflater = zlib.decompressobj()
    try:
        plain = inflater.decompress(data, length + 1)
    except zlib.error:
        raise Refused("form", "broken zlib") from None
    demand(len(plain) == length and inflater.eof and not inflater.unused_data, "form", "zlib of another length")
    return plain


def unpack(packed):
    if packed[2] == 1:
        return inflate(packed[4], packed[3])
    demand(len(packed[4]) == packed[3], "form", "packed bytes of another length")
    return packed[4]


# RFC 6962 section 2.1.


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def leaf_hash(leaf):
    return sha256(b"\0", leaf)


def root(hashes):
    if len(hashes) < 2:
        return hashes[0] if hashes else sha256()
    split = 1 << ((len(hashes) - 1).bit_length() - 1)
    return sha256(b"\1", root(hashes[:split]), root(hashes[split:]))


def root_by_path(leaf, index, size, path, rule="proof"):
    """The root to which an inclusion path leads, RFC 9162 section 2.1.3.2."""
    demand(index < size, rule, "an index beyond the tree")
    node, last = leaf, size - 1
    for sibling in path:
        demand(last > 0, rule, "too long a path")
        if index & 1 or index == last:
            node = sha256(b"\1", sibling, node)
            while index and not index & 1:
                index, last = index >> 1, last >> 1
        else:
            node = sha256(b"\1", node, sibling)
        index, last = index >> 1, last >> 1
    demand(last == 0, rule, "too short a path")
    return node


# Keys, signatures and signed notes.

BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def multikey(text, rule):
    demand(text[:1] == "z" and all(c in BASE58 for c in text[1:]), rule, "a key that is no Multikey")
    number = 0
    for c in text[1:]:
        number = number * 58 + BASE58.index(c)
    data = number.to_bytes((number.bit_length() + 7) // 8, "big")
    kinds = {b"\xed\x01": (-19, None), b"\x80\x24": (-9, ec.SECP256R1()), b"\x81\x24": (-51, ec.SECP384R1())}
    demand(data[:2] in kinds, rule, "a Multikey of another kind")
    algorithm, curve = kinds[data[:2]]
    try:
        if curve:
            return algorithm, ec.EllipticCurvePublicKey.from_encoded_point(curve, data[2:])
        return algorithm, ed25519.Ed25519PublicKey.from_public_bytes(data[2:])
    except ValueError:
        raise Refused(rule, "a Multikey that is no key") from None


def verify(key, algorithm, signature, message, rule):
    try:
        if algorithm in (-19, -48):
            return key.verify(signature, message)
        half = {-9: 32, -51: 48}[algorithm]
        demand(len(signature) == 2 * half, rule, "a signature of another length")
        numbers = [int.from_bytes(part, "big") for part in (signature[:half], signature[half:])]
        key.verify(encode_dss_signature(*numbers), message, ec.ECDSA(SHA256() if half == 32 else SHA384()))
    except InvalidSignature:
        raise Refused(rule, "a signature that does not verify") from None


def from_base64(text):
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        raise Refused("form", "broken base64") from None
    demand(base64.b64encode(data).decode() == text, "form", "base64 in another way than the one")
    return data


def decimal(text):
    demand(text.isascii() and text.isdigit() and text == str(int(text)), "form", f"{text:.30} is no number")
    return int(text)


class Vkey:
    """A verifier key of a log (type 1), a witness (type 4), or either (type 6, ML-DSA-44)."""

    SIZES = {b"\1": 32, b"\4": 32, b"\6": 1_312}

    def __init__(self, text, rule):
        parts = text.split("+", 2)
        demand(len(parts) == 3 and parts[0], rule, "another thing than a verifier key")
        self.name, self.material = parts[0], from_base64(parts[2])
        self.type, self.raw = self.material[:1], self.material[1:]
        demand(self.SIZES.get(self.type) == len(self.raw), rule, "a verifier key of another type")
        self.id = sha256(self.name.encode(), b"\n", self.material)[:4]
        demand(parts[1] == self.id.hex(), rule, "a verifier key with another id")
        kind = mldsa.MLDSA44PublicKey if self.type == b"\6" else ed25519.Ed25519PublicKey
        self.key = kind.from_public_bytes(self.raw)


class Checkpoint:
    def __init__(self, note):
        text, _, lines = note.rpartition("\n\n")
        demand(text and lines.endswith("\n"), "form", "another thing than a signed note")
        self.text = text + "\n"
        parts = text.split("\n")
        demand(len(parts) == 3 and parts[0], "form", "another thing than a checkpoint")
        self.origin, self.size, self.root = parts[0], decimal(parts[1]), from_base64(parts[2])
        self.lines = []
        for line in lines[:-1].split("\n"):
            dash, name, signature = (line.split(" ", 2) + ["", ""])[:3]
            demand(dash == "\u2014" and name and signature, "form", "another thing than a signature line")
            signature = from_base64(signature)
            demand(len(signature) > 4, "form", "a short signature line")
            self.lines.append((name, signature[:4], signature[4:]))

    def by(self, vkey):
        return next((line[2] for line in self.lines if line[:2] == (vkey.name, vkey.id)), None)

    def cosigned(self, vkey):
        """The time in the line of a key of type 4 or 6, whose signature holds."""
        line, size = self.by(vkey), 2_420 if vkey.type == b"\6" else 64
        demand(len(line) == 8 + size, "proof", "a cosignature of another length")
        time, signature = line[:8], line[8:]
        seconds = int.from_bytes(time, "big")
        demand(seconds < 1 << 63, "proof", "a time that is none")
        message = f"cosignature/v1\ntime {seconds}\n{self.text}".encode()
        if vkey.type == b"\6":
            name, origin = vkey.name.encode(), self.origin.encode()
            demand(len(name) < 256 and len(origin) < 256, "proof", "a name that is too long")
            message = b"".join(
                [b"subtree/v1\n\0", bytes([len(name)]), name, time, bytes([len(origin)]), origin]
                + [bytes(8), self.size.to_bytes(8, "big"), self.root]
            )
        verify(vkey.key, -48 if vkey.type == b"\6" else -19, signature, message, "proof")
        return seconds


class TlogPolicy:
    def __init__(self, text):
        self.logs, self.witnesses, self.groups, self.quorum, members = [], {}, {}, None, set()
        for line in text.split("\n"):
            words = line.replace("\t", " ").split(" ")
            words = [word for word in words if word]
            match words:
                case []:
                    pass
                case [first, *_] if first.startswith("#"):
                    pass
                case ["log", key] | ["log", key, _]:
                    self.logs.append(Vkey(key, "form"))
                    demand(self.logs[-1].type != b"\4", "form", "a log with the key of a witness")
                case ["witness", name, key] | ["witness", name, key, _]:
                    self.witnesses[self.new(name)] = Vkey(key, "form")
                    demand(self.witnesses[name].type != b"\1", "form", "a witness with the key of a log")
                case ["group", name, threshold, *names]:
                    threshold = {"all": len(names), "any": 1}.get(threshold) or decimal(threshold)
                    demand(1 <= threshold <= len(names), "form", "a threshold that is none")
                    demand(len({*names}) == len(names) and not members & {*names}, "form", "a member twice")
                    demand(all(map(self.defines, names)), "form", "a member that is not defined")
                    members |= {*names}
                    self.groups[self.new(name)] = (threshold, names)
                case ["quorum", name]:
                    demand(self.quorum is None and (name == "none" or self.defines(name)), "form", "another quorum")
                    self.quorum = name
                case _:
                    raise Refused("form", "another line than those of a tlog-policy")
        demand(self.quorum, "form", "no quorum")
        first = {log.name for log in self.logs if log.type == b"\1"}
        demand(all(log.name in first for log in self.logs), "form", "a log without a key of type 1")

    def new(self, name):
        demand(name != "none" and not self.defines(name), "form", "a name twice")
        return name

    def defines(self, name):
        return name in self.groups or name in self.witnesses

    def satisfied(self, name, cosigned):
        if name in self.groups:
            threshold, names = self.groups[name]
            return sum(self.satisfied(each, cosigned) for each in names) >= threshold
        return name in cosigned

    def as_of(self, checkpoint, state_quorum):
        """When quorum and state quorum had cosigned: the k-th largest time of a quorum of k."""
        logs = [log for log in self.logs if log.name == checkpoint.origin]
        signing = [log for log in logs if log.type == b"\1" and checkpoint.by(log)]
        demand(signing, "proof", "no signature of the log")
        verify(signing[0].key, -19, checkpoint.by(signing[0]), checkpoint.text.encode(), "proof")
        if second := [log for log in logs if log.type == b"\6"]:
            signing = [log for log in second if checkpoint.by(log)]
            demand(signing, "proof", "no second signature of the log")
            checkpoint.cosigned(signing[0])
        times = {}
        for name, vkey in self.witnesses.items():
            if checkpoint.by(vkey) is not None:
                times[name] = checkpoint.cosigned(vkey)
                demand(vkey.type == b"\4" or times[name], "proof", "a witness that tells no time")
        for time in sorted(times.values(), reverse=True):
            by_then = {name for name in times if times[name] >= time}
            if self.satisfied(self.quorum, by_then) and self.satisfied(state_quorum, by_then):
                return time
        raise Refused("proof", "too few witnesses")


# Section 3: how Policies follow each other.


class Policies:
    def __init__(self, records, anchor):
        self.anchor, self.chain = anchor, []
        for record in records:
            entry = POLICY_ENTRY(decode(record[1]))
            entry["hash"], entry["time"] = leaf_hash(record[1]), record[3]
            entry["witnesses"] = TlogPolicy(entry[7][3])
            self.chain.append(entry)

    def check(self):
        demand(self.chain, "policies", "no genesis")
        whole, self.chain = self.chain, []
        for entry in whole:
            last = self.chain[-1] if self.chain else {5: -1, "hash": ZERO, "time": 0}
            demand(entry[5] == last[5] + 1 and entry[6] == last["hash"], "policies", "a gap in the chain")
            demand(entry[4] == self.anchor["origin"], "policies", "another origin")
            if self.chain:
                self.check_change(entry)
            else:
                self.check_genesis(entry)
            self.chain.append(entry)

    def in_force(self, time):
        last = self.chain[-1]
        return last if last[7][1] == 0 or self.due(last) <= time else self.named(last)

    def due(self, recovery):
        return recovery["time"] + self.named(recovery)[7][7][3]

    def named(self, entry):
        """The Policy that an approval names: the one that was in force."""
        return next(each for each in self.chain if each["hash"] == entry[8][1])

    def check_genesis(self, entry):
        body = entry[7]
        demand(entry["hash"] == self.anchor["genesis"], "policies", "another genesis")
        demand(body[1] == 0 and 8 in body and entry[8][1] == ZERO, "policies", "another thing than a genesis")
        self.check_content(entry)
        demand(entry["witnesses"].logs[0].material == self.anchor["log"].material, "policies", "another log key")
        self.check_officers(entry, body, {officer[1]: officer[2] for officer in body[2][0][3]})

    def check_change(self, entry):
        body, time = entry[7], entry["time"]
        old = self.in_force(time)
        approval = entry[8]
        demand(approval[1] == old["hash"], "policies", "an approval under another policy")
        demand(approval[2] <= time < approval[3] <= time + 30 * DAY, "policies", "an approval at another time")
        demand(8 not in body, "policies", "a second genesis time")
        self.check_content(entry)
        if body[1] == 0:
            self.check_regular(entry, old[7])
        else:
            self.check_recovery(entry, old[7], time)

    def check_regular(self, entry, old):
        after = {authority[1]: {officer[1]: officer[2] for officer in authority[3]} for authority in entry[7][2]}
        for authority in old[2]:
            for officer in authority[3]:
                key = after.get(authority[1], {}).get(officer[1])
                if 3 in officer and key not in (None, officer[2]):
                    demand(sha256(key.encode()) == officer[3], "policies", "another key than the committed one")
        keys = {}
        for signature in entry[8][4]:
            officer = next((each for each in old[2][0][3] if each[1] == signature[1]), None)
            demand(officer, "policies", "a signer who is no officer")
            demand((3 in officer) == (4 in signature), "policies", "a key that was not to be used")
            keys[officer[1]] = signature.get(4, officer[2])
            if 3 in officer:
                demand(sha256(signature[4].encode()) == officer[3], "policies", "another key than the committed one")
                now = after.get(old[2][0][1], {}).get(officer[1], signature[4])
                demand(now == signature[4], "policies", "a signer who does not keep the revealed key")
        self.check_officers(entry, old, keys, revealed=True)

    def check_officers(self, entry, old, keys, revealed=False):
        demand(entry[3] == old[2][0][1], "policies", "another authority")
        demand(len(entry[8][4]) >= old[2][0][2], "policies", "too few signatures")
        for signature in entry[8][4]:
            demand(signature[1] in keys, "policies", "a signer who is no officer")
            self.check_signature(entry, signature, keys[signature[1]], old[6])

    def check_recovery(self, entry, old, time):
        demand(7 in old, "policies", "no recovery keys")
        last = self.chain[-1]
        demand(last[7][1] == 0 or self.due(last) <= time, "policies", "a recovery that is pending")
        demand(entry[3] == entry[7][2][0][1], "policies", "another authority")
        demand((entry[7][3], entry[7][4]) == (old[3], old[4]), "policies", "other witnesses")
        demand(len(entry[8][4]) >= old[7][1], "policies", "too few signatures")
        for signature in entry[8][4]:
            digest = sha256(signature.get(4, "").encode())
            demand(digest in old[7][2] and signature[1] == digest.hex(), "policies", "another recovery key")
            self.check_signature(entry, signature, signature[4], old[6])

    def check_signature(self, entry, signature, key, allowed):
        algorithm, key = multikey(key, "policies")
        demand(signature[2] == algorithm and algorithm in allowed, "policies", "another algorithm")
        content = {number: entry[number] for number in range(1, 8)}
        content |= {8: entry[8][1], 9: entry[8][2], 10: entry[8][3], 11: self.anchor["origin"]}
        message = b"attestry/registry-approval/v1\0" + encode(content)
        verify(key, algorithm, signature[3], message, "policies")

    def check_content(self, entry):
        body, witnesses = entry[7], entry["witnesses"]
        right = [log.name == self.anchor["origin"] for log in witnesses.logs]
        demand(right and all(right), "policies", "another log")
        demand(witnesses.quorum != "none" and witnesses.defines(body[4]), "policies", "no quorum")
        ids = [authority[1] for authority in body[2]]
        demand(ids and len({*ids}) == len(ids), "policies", "no authority, or one twice")
        demand(not any(each.startswith("did:") for each in ids), "policies", "an authority with the name of a DID")
        demand(4 not in body[2][0], "policies", "a governing authority with a scope")
        keys = []
        for authority in body[2]:
            demand(2 <= authority[2] <= len(authority[3]), "policies", "another threshold")
            keys += [officer[2] for officer in authority[3]]
        demand(all(multikey(key, "form")[0] in body[6] for key in keys), "policies", "a key of another algorithm")
        for vkey in [*witnesses.logs, *witnesses.witnesses.values()]:
            keys.append(base58((b"\x90\x24" if vkey.type == b"\6" else b"\xed\x01") + vkey.raw))
        demand(len({*keys}) == len(keys), "policies", "a key twice")
        if 7 in body:
            threshold, digests, delay = body[7][1], body[7][2], body[7][3]
            demand(2 <= threshold <= len(digests) and 3 * DAY <= delay <= 366 * DAY, "policies", "another recovery")


def base58(data):
    number, text = int.from_bytes(data, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = BASE58[digit] + text
    return "z" + text


# Section 5: compact status lists.


class Broken(Exception):
    pass


def chunks(compact):
    found, at = [], 0
    while at < len(compact):
        length = int.from_bytes(compact[at : at + 3], "big")
        found.append(compact[at + 3 : at + 3 + length])
        at += 3 + length
    if at != len(compact):
        raise Broken
    return found


def compact_digest(encoding, compact):
    if encoding == 0:
        return sha256(compact)
    try:
        return root([leaf_hash(chunk) for chunk in chunks(compact)])
    except Broken:
        return None


def statuses(listed, compact):
    """The byte array of the Token Status List."""
    bits, capacity = listed[2], listed[3]
    length = (capacity * bits + 7) // 8
    if listed[5] == 0:
        try:
            data = inflate(compact, length)
        except Refused:
            raise Broken from None
    else:
        parts, data = chunks(compact), b""
        if len(parts) != -(-capacity // CHUNK):
            raise Broken
        for number, chunk in enumerate(parts):
            data += decode_chunk(chunk, bits, min(CHUNK, capacity - number * CHUNK))
    return padded(data, capacity * bits)


def padded(data, bits):
    if bits % 8 and data[-1] >> (bits % 8):
        raise Broken
    return data


def status_at(data, bits, index):
    return data[index * bits // 8] >> (index * bits % 8) & ((1 << bits) - 1)


def decode_chunk(chunk, bits, indices):
    length = (indices * bits + 7) // 8
    if chunk[:1] == b"\xff":
        if len(chunk) != 1 + length:
            raise Broken
        return chunk[1:]
    if len(chunk) < 4 or chunk[0] > 17:
        raise Broken
    k, count = chunk[0], int.from_bytes(chunk[1:4], "big")
    stream = "".join(f"{byte:08b}" for byte in chunk[4:])
    at, following, places, data = 0, 0, [], bytearray(length)
    for _ in range(count):
        end = stream.find("0", at)
        ones, at = end - at, end + 1
        if end < 0 or at + k > len(stream):
            raise Broken
        index = following + (ones << k) + int(stream[at : at + k] or "0", 2)
        at += k
        if index >= indices:
            raise Broken
        places.append(index)
        following = index + 1
    for index in places:
        status = 1
        if bits > 1:
            status = int(stream[at : at + bits] or "0", 2)
            at += bits
        if status == 0 or at > len(stream):
            raise Broken
        data[index * bits // 8] |= status << (index * bits % 8)
    if len(stream) - at >= 8 or "1" in stream[at:]:
        raise Broken
    return bytes(data)


# Section 7: the bundle.


class Bundle:
    def __init__(self, data, anchor):
        bundle = BUNDLE(decode(data))
        self.open(bundle)
        sections = {packed[1]: array(BYTES)(decode(unpack(packed))) for packed in bundle[5]}
        demand([*sections] == SECTIONS, "form", "other sections than the eight")
        self.documents = {packed[1]: unpack(packed) for packed in bundle[6]}
        self.lists = {(compact[1], compact[2]): compact[3] for compact in bundle[7]}
        for digest, document in self.documents.items():
            demand(sha256(document) == digest, "attachment", "a document of another digest")
        for (digest, encoding), compact in self.lists.items():
            demand(compact_digest(encoding, compact) == digest, "attachment", "a list of another digest")
        self.read_snapshot(anchor)
        self.state = {section: self.keyed(section, sections[section]) for section in SECTIONS}
        digests = [self.digest_of(section, sections[section]) for section in SECTIONS]
        demand(digests == self.snapshot[2], "digest", "other sections")
        self.believe(anchor)
        schemas = [record[4] for record in self.state[SCHEMA].values() if 4 in record]
        named = {document[4] for schema in schemas for document in schema[6]}
        demand(self.documents.keys() <= named, "attachment", "a document that nothing names")
        named = {(record[3][6], record[3][5]) for record in self.state[STATUS].values() if 4 not in record}
        demand(self.lists.keys() <= named, "attachment", "a list that nothing names")

    def open(self, file):
        """The proof, of which nothing is believed yet."""
        header, _, note = file[3].partition("\n\n")
        lines = header.split("\n")
        demand(lines.pop(0) == "c2sp.org/tlog-proof@v1" and lines, "form", "another thing than a tlog-proof")
        if lines[0].startswith("extra "):
            from_base64(lines.pop(0).removeprefix("extra "))
        demand(lines and lines[0].startswith("index ") and len(lines) <= 65, "form", "a proof without its index")
        self.index = decimal(lines[0].removeprefix("index "))
        self.path = [HASH(from_base64(line)) for line in lines[1:]]
        self.checkpoint = Checkpoint(note)
        HASH(self.checkpoint.root)
        self.leaf = file[4]

    def read_snapshot(self, anchor):
        entry = SNAPSHOT_ENTRY(decode(self.leaf))
        self.snapshot = entry[7]
        demand(entry[4] == anchor["origin"], "anchor", entry[4])

    @staticmethod
    def digest_of(section, records):
        return {1: section, 2: len(records), 3: root([leaf_hash(record) for record in records])}

    def believe(self, anchor):
        """That the sections of the Snapshot are of the anchor's state, and that the last Policy's witnesses say so."""
        content = {1: anchor["origin"], 2: anchor["genesis"], 3: self.snapshot[2]}
        state = sha256(b"attestry/registry-state/v1\0", encode(content))
        demand(state == self.snapshot[1], "digest", "another state")
        self.policies = Policies(list(self.state[POLICY].values()), anchor)
        self.policies.check()
        self.time = self.snapshot[5]
        self.policy = self.policies.in_force(self.time)
        self.as_of = self.policy["witnesses"].as_of(self.checkpoint, self.policy[7][4])
        found = root_by_path(leaf_hash(self.leaf), self.index, self.checkpoint.size, self.path)
        demand(found == self.checkpoint.root, "proof", "another root")
        demand(self.index == self.snapshot[3] == self.checkpoint.size - 1, "last", "entries after the snapshot")

    @staticmethod
    def keyed(section, records):
        keyed, last = {}, None
        for record in records:
            record = RECORDS[section](decode(record))
            key = record[1]
            if section == POLICY:
                key = POLICY_ENTRY(decode(record[1]))[5]
            elif section == STATUS:
                key = f"{record[1]}\n{record[3][1]}"
            order = key.encode() if isinstance(key, str) else key
            demand(last is None or last < order, "form", "records out of order")
            keyed[key], last = record, order
        return keyed

    # What the state says.

    def tombstone(self, kind, subject):
        ends = self.state[TOMBSTONE].get(subject, {3: []})[3]
        return next((end for end in ends if end[1] == kind), None)

    def standing_alone(self, record, now):
        """Revoked, suspended, expired, not yet valid and active are 4 to 0."""
        standing, grant = record[6], record[4]
        ended = self.tombstone(ACCREDITATION, record[1]) or self.tombstone(DID_EVENT, grant[1])
        if ended or standing[1] == 2:
            return 4
        if standing[1] == 1 and not (5 in standing and self.time >= standing[5]):
            return 3
        return 1 if now < grant[6] else 2 if now >= grant[7] else 0

    def standing(self, record, resource, now):
        worst, below = self.standing_alone(record, now), record
        for _ in range(9):
            if 9 not in below[4]:
                return worst
            above = self.state[ACCREDITATION].get(below[4][9])
            if above is None:
                return 4
            narrowed = resource not in [each[1] for each in above[4][3]] or above[4][8] <= below[4][8]
            worst = max(worst, 4 if narrowed else self.standing_alone(above, now))
            below = above
        return 4

    def ask_accreditation(self, entity, action, resource, now):
        best = None
        for record in self.state[ACCREDITATION].values():
            grant = record[4]
            if (grant[1], grant[2]) == (entity, action) and resource in [each[1] for each in grant[3]]:
                standing = self.standing(record, resource, now)
                if best is None or standing < best[0]:
                    best = standing, record[1]
        return best and {"id": best[1], "standing": best[0]}

    def ask_status(self, issuer, uri, index):
        record = self.state[STATUS].get(f"{issuer}\n{uri}")
        if record is None or 4 in record:
            return "unknown"
        listed = record[3]
        compact = self.lists.get((listed[6], listed[5]))
        if compact is None:
            return "not included"
        try:
            data = statuses(listed, compact)
        except Broken:
            return "broken"
        if index >= listed[3]:
            return "beyond"
        return status_at(data, listed[2], index)

    def ask_incident(self, method):
        subjects = [method, method.partition("#")[0]]
        found = [self.state[INCIDENT][subject].get(3) for subject in subjects if subject in self.state[INCIDENT]]
        found = [each for each in found if each and not (4 in each and self.time >= each[4])]
        if not found:
            return None
        first = min(found, key=lambda each: each[1])
        return {"invalid_since": first[1], "backdating": first[2]}

    def ask_key(self, did, method):
        record = self.state[DID_EVENT].get(did)
        if record is None or self.tombstone(DID_EVENT, did) or did.split(":")[1] not in self.policy[7][5]:
            return None
        if 3 in record:
            lines = [json.loads(line) for line in record[3].splitlines()]
            if any(line["parameters"].get("deactivated") for line in lines):
                return None
            document = lines[-1]["state"]
        else:
            document = json.loads(record[5])

        def absolute(url):
            return did + url if url.startswith("#") else url

        methods = {absolute(each["id"]): each for each in document.get("verificationMethod", [])}
        assertions = map(absolute, document.get("assertionMethod", []))
        found = methods.get(method) if method in assertions else None
        return found and found["publicKeyMultibase"]

    def ask_expired(self, now):
        return now >= self.snapshot[7]

    def replaces(self, other):
        sizes = self.checkpoint.size, other.checkpoint.size
        forked = sizes[0] == sizes[1] and self.checkpoint.root != other.checkpoint.root
        newest = other.policies.chain[-1]["hash"]
        follows = any(policy["hash"] == newest for policy in self.policies.chain)
        return sizes[0] >= sizes[1] and not forked and self.time >= other.time and follows


# Section 9: the extract.


class Extract(Bundle):
    def __init__(self, data, anchor):
        extract = EXTRACT(decode(data))
        self.open(extract)
        sections = {packed[1]: array(BYTES)(decode(unpack(packed))) for packed in extract[5]}
        demand([*sections] == WHOLE, "form", "other whole sections")
        whole = [self.digest_of(section, records) for section, records in sections.items()]
        self.read_snapshot(anchor)
        digests = {digest[1]: digest for digest in self.snapshot[2]}
        for located in extract[6]:
            demand(located[1] in digests, "digest", "a section that the snapshot does not have")
            digest = digests[located[1]]
            found = root_by_path(leaf_hash(located[3]), located[2], digest[2], located[4], "record")
            demand(found == digest[3], "record", "another root")
            sections.setdefault(located[1], []).append(located[3])
        self.state = {section: self.keyed(section, sections.get(section, [])) for section in SECTIONS}
        demand(all(digests.get(digest[1]) == digest for digest in whole), "digest", "other whole sections")
        demand([*digests] == SECTIONS, "digest", "other sections")
        self.believe(anchor)
        capacities = {}
        for record in self.state[STATUS].values():
            if 4 not in record and record[3][5] == 1:
                capacities.setdefault(record[3][6], record[3][3])
        self.chunks = {}
        for digest, number, chunk, path in (chunk.values() for chunk in extract[7]):
            demand(digest in capacities, "attachment", "a chunk of a list that nothing names")
            count = -(-capacities[digest] // CHUNK)
            found = root_by_path(leaf_hash(chunk), number, count, path, "attachment")
            demand(found == digest, "attachment", "a chunk of another list")
            self.chunks[digest, number] = chunk

    def ask_status(self, issuer, uri, index):
        record = self.state[STATUS].get(f"{issuer}\n{uri}")
        if record is None or 4 in record:
            return "unknown"
        bits, capacity, digest = record[3][2], record[3][3], record[3][6]
        number = index // CHUNK
        if (digest, number) not in self.chunks:
            return "not included"
        indices = min(CHUNK, capacity - number * CHUNK)
        try:
            data = padded(decode_chunk(self.chunks[digest, number], bits, indices), indices * bits)
        except Broken:
            return "broken"
        return "beyond" if index >= capacity else status_at(data, bits, index % CHUNK)


def ask(question):
    text = json.loads(question["anchor"])
    anchor = {"origin": text["origin"], "log": Vkey(text["log"], "anchor"), "genesis": bytes.fromhex(text["genesis"])}
    demand(anchor["log"].name == anchor["origin"], "anchor", "a key of another name")
    if "extract" in question:
        bundle = Extract(base64.b64decode(question["extract"]), anchor)
    else:
        bundle = Bundle(base64.b64decode(question["bundle"]), anchor)
    answers = []
    for asked in question["questions"]:
        ((kind, about),) = asked.items()
        if kind == "replaces":
            answers.append(bundle.replaces(Bundle(base64.b64decode(about["bundle"]), anchor)))
        else:
            answers.append(getattr(bundle, f"ask_{kind}")(**about))
    return {
        "as_of": bundle.as_of,
        "size": bundle.checkpoint.size,
        "policy": bundle.policy["hash"].hex(),
        "answers": answers,
    }


serve({"ask": ask})
