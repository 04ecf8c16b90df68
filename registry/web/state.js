// What the state says of those in it: spec/registry.md, section 3. Validity is compared with the clock of now;
// emergencies lapse by the time of the Snapshot only, for a later one may have confirmed them.

import { ACCREDITATION, DID_EVENT, INCIDENT, RECOGNITION, SCHEMA, TOMBSTONE } from "./shapes.js";

/** An accreditation is at most so many levels below the one that nobody passed on. */
const MAX_LEVELS = 9;

/** The kinds of standing, from best to worst. */
export const STANDINGS = ["active", "not yet valid", "expired", "suspended", "revoked"];

const worse = (left, right) => (STANDINGS.indexOf(right.kind) > STANDINGS.indexOf(left.kind) ? right : left);

/** The tombstone on a subject of this type, or undefined. */
export function tombstone({ state }, type, subject) {
  return state
    .get(TOMBSTONE)
    .get(subject)
    ?.ends.find((end) => end.target === type);
}

/**
 * How an accreditation stands for one of its resources: the worst of its own standing and of all above it. `{kind,
 * since?, reason?, by?, lapses?, above?}`, where `above` is the id of the accreditation that it is due to, if another.
 */
export function standingFor(bundle, record, resource, now) {
  let [worst, below] = [standingAlone(bundle, record, now), record];
  for (let level = 0; level < MAX_LEVELS; level++) {
    const { parent } = below.grant;
    if (parent === undefined) return worst;
    const above = bundle.state.get(ACCREDITATION).get(parent);
    if (above === undefined) break;
    const hasResource = above.grant.resources.some((one) => one.id === resource);
    const isDeeper = above.grant.delegation_depth > below.grant.delegation_depth;
    const standing =
      hasResource && isDeeper
        ? standingAlone(bundle, above, now)
        : { kind: "revoked", since: above.head.time, reason: "withdrawn" };
    worst = worse(worst, { ...standing, above: above.id });
    below = above;
  }
  return { kind: "revoked", since: record.granted, reason: "unspecified" };
}

/** The worst of an accreditation's standings for its resources. */
export function standing(bundle, record, now) {
  const each = record.grant.resources.map((resource) => standingFor(bundle, record, resource.id, now));
  return each.reduce(worse);
}

function standingAlone(bundle, record, now) {
  const { grant, standing: own } = record;
  const ends = [tombstone(bundle, ACCREDITATION, record.id), tombstone(bundle, DID_EVENT, grant.entity)];
  const end = ends.find((one) => one !== undefined);
  if (end !== undefined) return { kind: "revoked", since: end.since, reason: end.reason };
  if (own.kind === "revoked") return own;
  if (own.kind === "suspended" && !(own.lapses <= bundle.snapshot.time)) return own;
  if (now < grant.valid_from) return { kind: "not yet valid", since: grant.valid_from };
  if (now >= grant.valid_until) return { kind: "expired", since: grant.valid_until };
  return { kind: "active" };
}

/** The incident that stands, or null: it was withdrawn, or was an emergency that has lapsed. */
export function incidentStanding({ snapshot }, record) {
  const found = record.standing;
  return found === undefined || found.lapses <= snapshot.time ? null : found;
}

/** How the recognition of another registry stands. */
export function recognitionStanding(bundle, record, now) {
  if (record.terms === undefined) return "withdrawn";
  if (tombstone(bundle, RECOGNITION, record.id) !== undefined) return "ended";
  return now >= record.terms.valid_until ? "expired" : "active";
}

/** How a schema stands. */
export function schemaStanding(bundle, record) {
  if (record.schema === undefined) return "withdrawn";
  return tombstone(bundle, SCHEMA, record.id) === undefined ? "published" : "ended";
}

/** How lists of trust name somebody: the word of the governing authority, then the newest, of what counts. */
export function listing(bundle, { accreditations }, now) {
  const speaks = accreditations.filter(
    (record) => record.grant.listing !== undefined && standing(bundle, record, now).kind === "active",
  );
  const governing = bundle.policy.body.authorities[0].id;
  const rank = (record) => [record.ns === governing ? 1 : 0, Number(record.head.index)];
  speaks.sort((left, right) => rank(right)[0] - rank(left)[0] || rank(right)[1] - rank(left)[1]);
  return speaks[0]?.grant.listing;
}

/** Everybody who is in the register or accredited, by DID: `{did, record?, accreditations, incidents}`. */
export function agencies(bundle) {
  const found = new Map();
  const of = (did) => {
    if (!found.has(did)) found.set(did, { did, record: undefined, accreditations: [], incidents: [] });
    return found.get(did);
  };
  for (const record of bundle.state.get(DID_EVENT).values()) of(record.id).record = record;
  for (const record of bundle.state.get(ACCREDITATION).values()) of(record.grant.entity).accreditations.push(record);
  for (const record of bundle.state.get(INCIDENT).values()) {
    const agency = found.get(record.id.split("#")[0]);
    if (agency !== undefined && incidentStanding(bundle, record) !== null) agency.incidents.push(record);
  }
  return [...found.values()];
}
