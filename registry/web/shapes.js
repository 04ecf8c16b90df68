// The shapes of spec/registry.md, sections 2, 4 and 7: a reader takes a decoded value and gives it with named members,
// or refuses it. Nothing is left over: a member that is not named here belongs to another version.

import { compare, compareText, utf8 } from "./bytes.js";
import { demand } from "./refused.js";

/** The last second of the year 9999. */
const MAX_TIME = 253_402_300_799;

// Readers of single values.

const shape = (expected, rule) => (value) => {
  demand(rule(value), "form", expected, brief(value));
  return value;
};

function brief(value) {
  if (typeof value === "string") return `the text ${value.slice(0, 40)}`;
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  if (value instanceof Map) return "a map";
  return Array.isArray(value) ? "an array" : String(value);
}

const isUnsigned = (value) => ["number", "bigint"].includes(typeof value) && value >= 0;
const hasControls = (text) => /[\u0000-\u001f\u007f-\u009f]/.test(text);

const uint = shape("an unsigned number", isUnsigned);
/** Positions in the log, which are counted with. */
const position = shape("a number below 2^53", (value) => Number.isSafeInteger(value) && value >= 0);
const time = shape("a time before the year 10000", (value) => isUnsigned(value) && value <= MAX_TIME);
const bytes = shape("bytes", (value) => value instanceof Uint8Array);
const digest = shape("32 bytes", (value) => value instanceof Uint8Array && value.length === 32);
const lines = shape("text", (value) => typeof value === "string");
const isTrue = shape("true", (value) => value === true);
const bool = shape("true or false", (value) => typeof value === "boolean");
const text = shape(
  "text without control characters",
  (value) => typeof value === "string" && value !== "" && !hasControls(value),
);
/** Text of one form, and not of the other. */
const matching = (expected, form, except = /(?!)/) =>
  shape(expected, (value) => typeof value === "string" && form.test(value) && !except.test(value));
const exactly = (wanted) => shape(`${wanted}`, (value) => value === wanted);

/** One of these numbers, read as its name. */
const named =
  (...names) =>
  (value) => {
    demand(
      typeof value === "number" && names[value] !== undefined,
      "form",
      `one of ${names.length} numbers`,
      brief(value),
    );
    return names[value];
  };

const algorithm = shape("the number of an algorithm", (value) => [-9, -51, -19].includes(value));
const action = named("issue", "publish", "verify");
const backdating = named("refuse", "accept what was issued before");
const reason = named("unspecified", "key compromise", "ceased operation", "non-compliance", "superseded", "withdrawn");

// Readers of arrays and maps.

/** At least `least` elements; strictly ascending where `order` compares two of them. */
const array =
  (element, order = null, least = 0) =>
  (value) => {
    demand(Array.isArray(value) && value.length >= least, "form", `an array of ${least} or more`, brief(value));
    const elements = value.map(element);
    const inOrder = (one, at) => at === 0 || order(elements[at - 1], one) < 0;
    demand(order === null || elements.every(inOrder), "form", "an array in ascending order", "another order");
    return elements;
  };

/** A map: `{name: [number, reader]}`, the second ones optional. */
const struct =
  (required, optional = {}) =>
  (value) => {
    demand(value instanceof Map, "form", "a map", brief(value));
    const members = {};
    let count = 0;
    for (const [name, [number, reader]] of Object.entries({ ...required, ...optional })) {
      if (value.has(number)) {
        members[name] = reader(value.get(number));
        count += 1;
      } else {
        demand(name in optional, "form", `the member ${name}`, "none");
      }
    }
    demand(count === value.size, "form", `the members ${Object.keys(required).join(", ")} only`, "others");
    return members;
  };

/** A map whose member `number` says which of the shapes it is. */
const either = (number, shapes) => (value) => {
  const kind = value instanceof Map ? value.get(number) : undefined;
  const isKnown = typeof kind === "number" && Object.hasOwn(shapes, kind);
  demand(isKnown, "form", `a map of ${Object.keys(shapes).length} kinds`, brief(value));
  return shapes[kind](value);
};

const by = (name) => (left, right) => compareText(left[name], right[name]);
const ascending = (left, right) => left - right;
const texts = array(text, compareText);
const digests = array(digest, compare);

// Bodies, section 2.3.

const resource = struct({ id: [1, text] }, { schemas: [2, array(digest, compare, 1)] });

const language = matching("a language tag", /^[a-z]{2,3}(-[A-Za-z0-9]{1,8})*$/);
const country = matching("a country of two letters", /^[A-Z]{2}$/);
const httpsUrl = matching("an https URL without query, fragment and slash at the end", /^https:\/\/[!-~]*[!-.0-~]$/, /[?#]/);
const byLanguage = (left, right) => compareText(left.language, right.language);
const localised = (of) =>
  array(
    struct({ language: [1, language], text: [2, of] }),
    (left, right) => byLanguage(left, right) || compareText(left.text, right.text),
    1,
  );
const postalAddress = struct(
  {
    language: [1, language],
    street: [2, text],
    locality: [3, text],
    postal_code: [5, text],
    country: [6, country],
  },
  { province: [4, text] },
);
const particulars = struct(
  {
    names: [1, array(struct({ language: [1, language], text: [2, text] }), byLanguage, 1)],
    postal_addresses: [3, array(postalAddress, byLanguage, 1)],
    electronic_addresses: [4, localised(matching("an https or mailto URI", /^(https:\/\/|mailto:)[!-~]+$/))],
    information: [5, localised(matching("an https URI", /^https:\/\/[!-~]+$/))],
  },
  { trade_names: [2, localised(text)] },
);
const listing = struct(
  { particulars: [1, particulars] },
  { certificates: [2, array(bytes, compare, 1)], federation_entity: [3, httpsUrl] },
);
const publication = struct({
  particulars: [1, particulars],
  territory: [2, country],
  url: [3, httpsUrl],
  certificate: [4, bytes],
  notices: [5, localised(text)],
});

const grant = struct(
  {
    entity: [1, text],
    action: [2, action],
    resources: [3, array(resource, by("id"), 1)],
    territories: [4, texts],
    valid_from: [6, time],
    valid_until: [7, time],
    delegation_depth: [8, uint],
    max_staleness: [10, uint],
    on_stale: [11, named("refuse", "warn", "accept with risk")],
    backdating: [12, backdating],
  },
  { level_of_assurance: [5, text], parent: [9, text], hazard: [13, uint], listing: [14, listing] },
);

const officer = struct({ id: [1, text], key: [2, text] }, { next: [3, digest] });
const authority = struct(
  { id: [1, text], threshold: [2, uint], officers: [3, array(officer, by("id"), 1)] },
  { scope: [4, texts] },
);
const ALGORITHM_ORDER = [-9, -51, -19];
const inAlgorithmOrder = (left, right) => ALGORITHM_ORDER.indexOf(left) - ALGORITHM_ORDER.indexOf(right);

const policy = struct(
  {
    kind: [1, named("regular", "recovery")],
    authorities: [2, array(authority, null, 1)],
    witness_policy: [3, lines],
    state_quorum: [4, text],
    methods: [5, array(text, compareText, 1)],
    algorithms: [6, array(algorithm, inAlgorithmOrder, 1)],
  },
  {
    recovery: [7, struct({ threshold: [1, uint], keys: [2, digests], delay: [3, uint] })],
    genesis_time: [8, time],
    publication: [9, publication],
  },
);

const accreditation = either(1, {
  0: struct({ change: [1, named("grant")], grant: [2, grant] }),
  1: struct({ change: [1, named("", "amend")], grant: [2, grant] }),
  2: struct({ change: [1, named("", "", "suspend")], reason: [3, reason] }, { emergency: [4, isTrue] }),
  3: struct({ change: [1, named("", "", "", "reinstate")], reason: [3, reason] }),
  4: struct({ change: [1, named("", "", "", "", "revoke")], reason: [3, reason] }, { since: [5, time] }),
});

const mapping = struct({ foreign: [1, text], local: [2, text] });
const terms = struct({
  log: [1, text],
  genesis: [2, digest],
  size: [3, uint],
  root: [4, digest],
  actions: [5, array(action, compareText, 1)],
  mapping: [6, array(mapping, by("foreign"))],
  max_staleness: [7, uint],
  valid_until: [8, time],
});
const recognition = either(1, {
  0: struct({ change: [1, named("recognise")], terms: [2, terms] }),
  1: struct({ change: [1, named("", "withdraw")] }),
});

const ROLES = ["type metadata", "JSON Schema", "JSON-LD context", "display"];
const byRole = (left, right) => ROLES.indexOf(left.role) - ROLES.indexOf(right.role) || by("uri")(left, right);
const documentOf = struct({
  role: [1, named(...ROLES)],
  uri: [2, text],
  media_type: [3, text],
  digest: [4, digest],
  length: [5, uint],
});
const schema = struct(
  {
    vct: [1, text],
    aliases: [2, texts],
    w3c_types: [3, texts],
    status_required: [5, bool],
    documents: [6, array(documentOf, byRole)],
  },
  { doctype: [4, text] },
);
const schemaEntry = either(1, {
  0: struct({ change: [1, named("publish")], schema: [2, schema] }),
  1: struct({ change: [1, named("", "withdraw")] }),
});

const token = struct({ form: [1, shape("0 to 3", (value) => [0, 1, 2, 3].includes(value))], digest: [2, digest] });
const list = struct(
  {
    uri: [1, text],
    bits: [2, shape("1, 2, 4 or 8", (value) => [1, 2, 4, 8].includes(value))],
    capacity: [3, uint],
    tokens: [4, array(token, (left, right) => left.form - right.form, 1)],
    encoding: [5, shape("0 or 1", (value) => [0, 1].includes(value))],
    compact: [6, digest],
    length: [7, uint],
    next_update: [8, time],
    epoch: [9, uint],
  },
  { purpose: [10, text] },
);

const section = struct({ number: [1, position], count: [2, position], root: [3, digest] });
const projection = struct({ name: [1, text], digest: [2, digest] });
const snapshot = struct(
  {
    state: [1, digest],
    sections: [2, array(section, (left, right) => left.number - right.number)],
    covered: [3, position],
    epoch: [4, uint],
    time: [5, time],
    next_update: [6, time],
    hard_expiry: [7, time],
  },
  { projections: [8, struct({ made: [1, time], digests: [2, array(projection, by("name"), 1)] })] },
);

const incident = either(1, {
  0: struct(
    { change: [1, named("declare")], invalid_since: [2, time], backdating: [3, backdating], reason: [5, reason] },
    { emergency: [4, isTrue] },
  ),
  1: struct({ change: [1, named("", "withdraw")], reason: [5, reason] }),
});

const DID_WEB = "did:web";
/** A leaf has 65,535 bytes, of which the signatures of officers take their part. */
const webDocument = shape(
  "a document of 1 to 32768 bytes",
  (value) => value instanceof Uint8Array && value.length >= 1 && value.length <= 32_768,
);

const TARGETS = ["", "DID", "accreditation", "recognition", "schema"];
const target = shape("1 to 4", (value) => [1, 2, 3, 4].includes(value));
const targetName = (value) => TARGETS[target(value)];

/** The types of entries, in the order of their numbers: name, and shape of the body. */
export const TYPES = [
  { name: "Policy", body: policy },
  {
    name: "DID event",
    body: either(1, {
      0: struct({ method: [1, named("did:webvh")], lines: [2, array(bytes, null, 1)] }, { witness: [3, bytes] }),
      1: struct({ method: [1, named("", DID_WEB)], document: [2, webDocument] }),
    }),
  },
  { name: "Accreditation", body: accreditation },
  { name: "Recognition", body: recognition },
  { name: "Schema", body: schemaEntry },
  { name: "Status commitment", body: struct({ lists: [1, array(list, by("uri"))], ended: [2, texts] }) },
  { name: "Snapshot", body: snapshot },
  { name: "Incident", body: incident },
  { name: "Tombstone", body: struct({ target: [1, targetName], reason: [2, reason] }) },
];
export const [POLICY, DID_EVENT, ACCREDITATION, RECOGNITION, SCHEMA, STATUS, SNAPSHOT, INCIDENT, TOMBSTONE] =
  TYPES.keys();

// Entries and drafts, sections 2 and 2.1.

const signature = struct(
  {
    signer: [1, text],
    algorithm: [2, algorithm],
    bytes: [3, shape("a signature of 64 or 96 bytes", (value) => [64, 96].includes(value?.length))],
  },
  { revealed_key: [4, text] },
);
const approval = struct({
  policy: [1, digest],
  not_before: [2, time],
  expires: [3, time],
  signatures: [4, array(signature, by("signer"), 1)],
});
const number = named(...TYPES.keys());

function head(value) {
  const type = number(value instanceof Map ? value.get(2) : null);
  const members = {
    version: [1, exactly(1)],
    type: [2, number],
    ns: [3, text],
    subject: [4, text],
    seq: [5, uint],
    prev: [6, digest],
    body: [7, TYPES[type].body],
  };
  return { type, members };
}

/** An entry of the log. Snapshots have no approval, nor have the lines of did:webvh; all others have one. */
export function readEntry(value) {
  const { type, members } = head(value);
  const provesItself = type === DID_EVENT && members.body[1](value.get(7)).method !== DID_WEB;
  const isApproved = type !== SNAPSHOT && !provesItself;
  return struct(isApproved ? { ...members, approval: [8, approval] } : members)(value);
}

/** What officers sign: an entry but its signatures, and the origin of the log. */
export function readDraft(value) {
  const { members } = head(value);
  const more = { policy: [8, digest], not_before: [9, time], expires: [10, time], origin: [11, text] };
  return struct({ ...members, ...more })(value);
}

// Records of the state, section 4.

const recordHead = struct({ seq: [1, uint], leaf: [2, digest], index: [3, position], time: [4, time] });

const standing = either(1, {
  0: struct({ kind: [1, named("active")] }),
  1: struct(
    { kind: [1, named("", "suspended")], since: [2, time], reason: [3, reason], by: [4, text] },
    { lapses: [5, time] },
  ),
  2: struct({ kind: [1, named("", "", "revoked")], since: [2, time], reason: [3, reason] }),
});

const incidentStanding = struct(
  { invalid_since: [1, time], backdating: [2, backdating], reason: [3, reason] },
  { lapses: [4, time] },
);
const end = struct({ target: [1, target], since: [2, time], reason: [3, reason] });

const webvhRecord = struct({ id: [1, text], head: [2, recordHead], log: [3, bytes] }, { witness: [4, bytes] });
const earlier = struct({ leaf: [1, digest], time: [2, time], document: [3, webDocument] });
const webRecord = struct({
  id: [1, text],
  head: [2, recordHead],
  document: [5, webDocument],
  earlier: [6, array(earlier)],
});
const didRecord = (value) => (value instanceof Map && value.has(5) ? webRecord : webvhRecord)(value);

/** The eight sections of the state, ascending by number: shape of a record, and its key. */
export const SECTIONS = new Map([
  [POLICY, { record: struct({ leaf: [1, bytes], index: [2, position], time: [3, time] }), key: null }],
  [DID_EVENT, { record: didRecord }],
  [
    ACCREDITATION,
    {
      record: struct({
        id: [1, text],
        head: [2, recordHead],
        ns: [3, text],
        grant: [4, grant],
        granted: [5, time],
        standing: [6, standing],
        emergencies: [7, texts],
      }),
    },
  ],
  [RECOGNITION, { record: struct({ id: [1, text], head: [2, recordHead] }, { terms: [3, terms] }) }],
  [SCHEMA, { record: struct({ id: [1, text], head: [2, recordHead], ns: [3, text] }, { schema: [4, schema] }) }],
  [
    STATUS,
    {
      record: struct({ issuer: [1, text], head: [2, recordHead], list: [3, list] }, { ended: [4, isTrue] }),
      key: (record) => `${record.issuer}\n${record.list.uri}`,
    },
  ],
  [
    INCIDENT,
    {
      record: struct(
        { id: [1, text], head: [2, recordHead], emergencies: [4, texts] },
        { standing: [3, incidentStanding] },
      ),
    },
  ],
  [TOMBSTONE, { record: struct({ id: [1, text], head: [2, recordHead], ends: [3, array(end, null, 1)] }) }],
]);

/** A section's bytes: an array of encoded records. */
export const readRecords = array(bytes);

/** The records of a section by their keys, which ascend. Policies are keyed by their seq, which their chain checks. */
export function readSection(number, decoded) {
  const { record, key = (one) => one.id } = SECTIONS.get(number);
  const records = new Map();
  let last = utf8("");
  for (const each of decoded.map(record)) {
    if (key === null) {
      records.set(records.size, each);
      continue;
    }
    const encoded = utf8(key(each));
    demand(compare(last, encoded) < 0, "form", "records in ascending order", "another order");
    last = encoded;
    records.set(key(each), each);
  }
  return records;
}

// The bundle, section 7.

const packed = (name) =>
  struct({
    name: [1, name],
    encoding: [2, shape("0 or 1", (value) => [0, 1].includes(value))],
    length: [3, position],
    bytes: [4, bytes],
  });
const compact = struct({
  digest: [1, digest],
  encoding: [2, shape("0 or 1", (value) => [0, 1].includes(value))],
  bytes: [3, bytes],
});
const byDigest = (left, right) => compare(left.digest, right.digest) || left.encoding - right.encoding;

/** A trust bundle; nothing in it is verified. */
export const readBundle = struct({
  magic: [1, exactly("attestry-trust-bundle")],
  version: [2, exactly(1)],
  proof: [3, lines],
  leaf: [4, bytes],
  sections: [5, array(packed(position), (left, right) => ascending(left.name, right.name))],
  documents: [6, array(packed(digest), (left, right) => compare(left.name, right.name))],
  lists: [7, array(compact, byDigest)],
});
