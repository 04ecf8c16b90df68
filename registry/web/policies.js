// How Policies follow each other from the anchor's genesis to the one in force: spec/registry.md, section 3, "Policy".
//
// A policy here is an entry with its `leafHash`, the `time` of its record, its parsed `witnesses`, and its `raw`
// members.

import { encode, decode } from "./cbor.js";
import { concat, hex, same, sha256, utf8 } from "./bytes.js";
import { noteMultikey, multikey, verify } from "./keys.js";
import { leafHash } from "./merkle.js";
import { Refused, demand } from "./refused.js";
import { POLICY, readEntry } from "./shapes.js";
import { defines, parseTlogPolicy } from "./tlog-policy.js";

const DAY = 86_400;
const MAX_APPROVAL_LIFETIME = 30 * DAY;
const MIN_RECOVERY_DELAY = 3 * DAY;
const MAX_RECOVERY_DELAY = 366 * DAY;
const ZERO = new Uint8Array(32);
const APPROVAL_DOMAIN = utf8("attestry/registry-approval/v1\0");

const CHECK = "policies";

/** The bytes that approvers sign: of a draft, what the draft is. */
export const message = (content) => concat(APPROVAL_DOMAIN, content);

/** Verifies the chain of these records under `anchor`; gives the Policies, the genesis first. */
export async function verifyPolicies(records, anchor) {
  const chain = [];
  for (const record of records) {
    const policy = await read(record);
    const last = chain.at(-1);
    demand(policy.seq === chain.length, CHECK, `the Policy of seq ${chain.length}`, policy.seq);
    demand(same(policy.prev, last?.leafHash ?? ZERO), CHECK, "a Policy that names the one before", hex(policy.prev));
    demand(policy.subject === anchor.origin, CHECK, `a Policy of ${anchor.origin}`, policy.subject);
    checkContent(policy, anchor);
    await (last === undefined ? checkGenesis(policy, anchor) : checkChange(policy, chain, anchor));
    chain.push(policy);
  }
  demand(chain.length > 0, CHECK, "a genesis Policy", "none");
  return chain;
}

/** The Policy in force at `time`: the last one, or before a recovery takes effect the one that it was made under. */
export function inForce(chain, time) {
  const last = chain.at(-1);
  return last.body.kind === "regular" || dueAt(last, chain) <= time ? last : approvedUnder(last, chain);
}

async function read(record) {
  const raw = decode(record.leaf);
  const entry = readEntry(raw);
  demand(entry.type === POLICY, "form", "a Policy", `an entry of type ${entry.type}`);
  const witnesses = await parseTlogPolicy(entry.body.witness_policy);
  return { ...entry, raw, witnesses, time: record.time, leafHash: await leafHash(record.leaf) };
}

function approvedUnder(policy, chain) {
  const found = chain.find((one) => same(one.leafHash, policy.approval.policy));
  demand(found !== undefined, CHECK, "an approval that names a Policy", hex(policy.approval.policy));
  return found;
}

function dueAt(recovery, chain) {
  const { recovery: terms } = approvedUnder(recovery, chain).body;
  demand(terms !== undefined, CHECK, "a Policy with recovery keys", "one without");
  return Number(recovery.time) + Number(terms.delay);
}

async function checkGenesis(policy, anchor) {
  const { body, approval } = policy;
  demand(hex(policy.leafHash) === anchor.genesis, CHECK, `the genesis ${anchor.genesis}`, hex(policy.leafHash));
  const isGenesis = body.kind === "regular" && body.genesis_time !== undefined && same(approval.policy, ZERO);
  demand(isGenesis, CHECK, "a genesis Policy", "another one");
  const [log] = policy.witnesses.logs;
  demand(same(log.bytes, anchor.key.bytes), CHECK, `the anchor's log key ${anchor.log}`, log.text);
  const keys = new Map(body.authorities[0].officers.map((officer) => [officer.id, officer.key]));
  await checkOfficers(policy, body, keys, anchor);
}

async function checkChange(policy, chain, anchor) {
  const { body, approval, time } = policy;
  const old = inForce(chain, time);
  demand(same(approval.policy, old.leafHash), CHECK, "an approval under the Policy in force", hex(approval.policy));
  const { not_before: begin, expires } = approval;
  const inTime = begin <= time && time < expires && expires <= time + MAX_APPROVAL_LIFETIME;
  demand(inTime, CHECK, `an approval that counts at ${time}`, `one from ${begin} to ${expires}`);
  demand(body.genesis_time === undefined, CHECK, "no genesis time in a later Policy", "one");
  if (body.kind === "regular") return checkRegular(policy, old.body, anchor);
  return checkRecovery(policy, old.body, chain, anchor);
}

/** An officer with a committed next key signs with that one, and has it from then on. */
async function checkRegular(policy, old, anchor) {
  const keyAfter = (authority, officer) =>
    policy.body.authorities.find((one) => one.id === authority)?.officers.find((one) => one.id === officer)?.key;
  for (const authority of old.authorities) {
    for (const officer of authority.officers) {
      const key = keyAfter(authority.id, officer.id);
      if (officer.next === undefined || key === undefined || key === officer.key) continue;
      await checkCommitted(officer, key);
    }
  }
  const [governing] = old.authorities;
  const keys = new Map();
  for (const signature of policy.approval.signatures) {
    const officer = officerOf(governing, signature.signer);
    const revealed = signature.revealed_key;
    const hasRevealed = (officer.next === undefined) === (revealed === undefined);
    demand(hasRevealed, CHECK, `the key that ${officer.id} has committed to, if any`, revealed ?? "none");
    if (revealed !== undefined) {
      await checkCommitted(officer, revealed);
      const kept = keyAfter(governing.id, officer.id) ?? revealed;
      demand(kept === revealed, CHECK, `${officer.id} with the key that was revealed`, kept);
    }
    keys.set(officer.id, revealed ?? officer.key);
  }
  await checkOfficers(policy, old, keys, anchor);
}

async function checkCommitted(officer, key) {
  const digest = await sha256(utf8(key));
  demand(same(digest, officer.next), CHECK, `the key that ${officer.id} has committed to`, key);
}

function officerOf(authority, id) {
  const officer = authority.officers.find((one) => one.id === id);
  demand(officer !== undefined, CHECK, `an officer of ${authority.id}`, id);
  return officer;
}

async function checkOfficers(policy, old, keys, anchor) {
  const [{ id, threshold }] = old.authorities;
  const { signatures } = policy.approval;
  demand(policy.ns === id, CHECK, `an approval of ${id}`, policy.ns);
  demand(signatures.length >= threshold, CHECK, `signatures of ${threshold} officers`, signatures.length);
  for (const signature of signatures) {
    demand(keys.has(signature.signer), CHECK, `an officer of ${id}`, signature.signer);
    await checkSignature(policy, signature, keys.get(signature.signer), old.algorithms, anchor);
  }
}

async function checkRecovery(policy, old, chain, anchor) {
  demand(old.recovery !== undefined, CHECK, "a Policy with recovery keys", "one without");
  const last = chain.at(-1);
  const isAlone = last.body.kind === "regular" || dueAt(last, chain) <= policy.time;
  demand(isAlone, CHECK, "one recovery at a time", "a second one");
  demand(policy.ns === policy.body.authorities[0].id, CHECK, policy.body.authorities[0].id, policy.ns);
  const isSame = policy.body.witness_policy === old.witness_policy && policy.body.state_quorum === old.state_quorum;
  demand(isSame, CHECK, "a recovery that leaves the witnesses as they are", "other witnesses");
  const { signatures } = policy.approval;
  const { threshold, keys } = old.recovery;
  demand(signatures.length >= threshold, CHECK, `signatures of ${threshold} recovery keys`, signatures.length);
  for (const signature of signatures) {
    const key = signature.revealed_key ?? "";
    const digest = await sha256(utf8(key));
    const isOurs = keys.some((one) => same(one, digest)) && signature.signer === hex(digest);
    demand(isOurs, CHECK, "a recovery key of the Policy", signature.signer);
    await checkSignature(policy, signature, key, old.algorithms, anchor);
  }
}

async function checkSignature(policy, signature, key, allowed, anchor) {
  const parsed = multikey(key, CHECK);
  const isAllowed = signature.algorithm === parsed.algorithm && allowed.includes(parsed.algorithm);
  demand(isAllowed, CHECK, "an algorithm that the Policy allows", signature.algorithm);
  const content = new Map([1, 2, 3, 4, 5, 6, 7].map((number) => [number, policy.raw.get(number)]));
  const { approval } = policy;
  content.set(8, approval.policy).set(9, approval.not_before).set(10, approval.expires).set(11, anchor.origin);
  await verify(parsed, signature.bytes, message(encode(content)), CHECK, signature.signer);
}

/** What every Policy keeps to, whoever approved it. */
function checkContent({ body, witnesses }, anchor) {
  const isOurs = witnesses.logs.length > 0 && witnesses.logs.every((log) => log.name === anchor.origin);
  demand(isOurs, CHECK, `logs of ${anchor.origin} only`, witnesses.logs.map((log) => log.name).join(", "));
  const hasQuorum = witnesses.quorum !== "none" && defines(witnesses, body.state_quorum);
  demand(hasQuorum, CHECK, "a quorum and a state quorum", `${witnesses.quorum}, ${body.state_quorum}`);
  const ids = body.authorities.map((authority) => authority.id);
  demand(new Set(ids).size === ids.length, CHECK, "authorities of different ids", ids.join(", "));
  demand(!ids.some((id) => id.startsWith("did:")), CHECK, "ids of authorities that are no DIDs", ids.join(", "));
  demand(body.authorities[0].scope === undefined, CHECK, "a first authority without a scope", "one");
  for (const { id, threshold, officers } of body.authorities) {
    const holds = threshold >= 2 && threshold <= officers.length;
    demand(holds, CHECK, `a threshold of ${id} from 2 to ${officers.length}`, threshold);
  }
  checkKeys(body, witnesses);
  if (body.recovery !== undefined) checkRecoveryTerms(body.recovery);
}

function checkKeys(body, witnesses) {
  const officers = body.authorities.flatMap((authority) => authority.officers.map((officer) => officer.key));
  for (const key of officers) {
    const { algorithm } = multikey(key, CHECK);
    demand(body.algorithms.includes(algorithm), CHECK, "officers' keys of allowed algorithms", algorithm);
  }
  const others = [...witnesses.logs, ...[...witnesses.witnesses.values()].map((witness) => witness.key)];
  const keys = [...officers, ...others.map((key) => noteMultikey(key.bytes))];
  const twice = keys.find((key, at) => keys.indexOf(key) !== at);
  if (twice !== undefined) throw new Refused(CHECK, "each key once among officers, logs and witnesses", twice);
}

function checkRecoveryTerms({ threshold, keys, delay }) {
  const holds = threshold >= 2 && threshold <= keys.length;
  demand(holds, CHECK, `a threshold of recovery from 2 to ${keys.length}`, threshold);
  const inTime = delay >= MIN_RECOVERY_DELAY && delay <= MAX_RECOVERY_DELAY;
  demand(inTime, CHECK, "a delay of recovery from 3 to 366 days", `${delay} s`);
}
