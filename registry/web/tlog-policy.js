// Which logs and witnesses make a checkpoint worth believing: C2SP tlog-policy.

import { decimal, utf8 } from "./bytes.js";
import { LOG, ML_DSA, WITNESS, cosignedAt, isSignedBy, verifierKey } from "./note.js";
import { demand } from "./refused.js";

/** A policy is part of an entry of at most 64 KiB. */
const MAX_BYTES = 48 * 1_024;
/** The standard recommends to support 32 logs, witnesses and groups each. */
const MAX_LINES_OF_A_KIND = 64;
/** The name that nothing has, so that it is never satisfied. */
const NONE = "none";
/** The kinds of lines. A Map, for an object has members that nobody put there. */
const LINES = new Map(Object.entries({ log, witness, group, quorum }));

/** Parses the text: `{logs, witnesses, groups, quorum}`, witnesses and groups by their names. */
export async function parseTlogPolicy(text) {
  const isPlain = utf8(text).length <= MAX_BYTES && !/[\u0000-\u0008\u000b-\u001f\u007f]/.test(text);
  demand(isPlain, "form", "a tlog-policy of at most 48 KiB without control characters", "another text");
  const policy = { logs: [], witnesses: new Map(), groups: new Map(), quorum: null };
  const members = new Set();
  for (const line of text.split("\n")) {
    const [kind, ...words] = line.split(/[ \t]/).filter((word) => word !== "");
    if (kind === undefined || kind.startsWith("#")) continue;
    demand(LINES.has(kind), "form", "a log, witness, group or quorum line", line.slice(0, 60));
    await LINES.get(kind)(policy, words, members);
  }
  demand(policy.quorum !== null, "form", "one quorum line", "none");
  for (const { size, length } of [policy.logs, policy.witnesses, policy.groups]) {
    demand(
      (size ?? length) <= MAX_LINES_OF_A_KIND,
      "form",
      `at most ${MAX_LINES_OF_A_KIND} lines of a kind`,
      size ?? length,
    );
  }
  const first = policy.logs.filter((log) => log.type === LOG).map((log) => log.name);
  const hasFirst = policy.logs.every((log) => first.includes(log.name));
  demand(hasFirst, "form", "an Ed25519 key of every log", "a log without");
  return policy;
}

export const defines = (policy, name) => policy.groups.has(name) || policy.witnesses.has(name);

/** Whether `name` is satisfied where the witnesses `cosigned` have cosigned. */
export function isSatisfied(policy, name, cosigned) {
  const group = policy.groups.get(name);
  if (group === undefined) return cosigned.has(name);
  return group.members.filter((member) => isSatisfied(policy, member, cosigned)).length >= group.threshold;
}

/**
 * Verifies the log's signature and the cosignatures. Gives the times of the witnesses that cosigned, and the latest
 * time at or after which enough of them did to satisfy quorum and state quorum: one fast clock cannot move it.
 */
export async function verifyWitnessed(policy, checkpoint, stateQuorum) {
  await verifyLog(policy, checkpoint);
  const times = new Map();
  for (const [name, { key }] of policy.witnesses) {
    const time = await cosignedAt(checkpoint, key, "witnesses", `the witness ${key.name}`);
    if (time === null) continue;
    demand(key.type === WITNESS || time > 0, "witnesses", `a time of the witness ${key.name}`, "none");
    times.set(name, time);
  }
  return { times, asOf: asOf(policy, stateQuorum, times) };
}

/** The log signed, and with its second key too where the Policy names one. */
async function verifyLog(policy, checkpoint) {
  const logs = policy.logs.filter((log) => log.name === checkpoint.origin);
  let isSigned = false;
  for (const log of logs.filter((log) => log.type === LOG)) isSigned ||= await isSignedBy(checkpoint, log);
  const names = policy.logs.map((log) => log.name).join(", ");
  demand(isSigned, "proof", `the signature of ${names}`, "none by the key of the Policy in force");
  const second = logs.filter((log) => log.type === ML_DSA);
  let isSecond = second.length === 0;
  for (const log of second) {
    isSecond ||= (await cosignedAt(checkpoint, log, "proof", `the log ${log.name}`)) !== null;
  }
  demand(isSecond, "proof", `the second signature of ${names}`, "none by the ML-DSA-44 key of the Policy in force");
}

function asOf(policy, stateQuorum, times) {
  const needed = [policy.quorum, stateQuorum];
  for (const time of [...times.values()].sort((left, right) => right - left)) {
    const byThen = new Set([...times.keys()].filter((name) => times.get(name) >= time));
    if (needed.every((name) => isSatisfied(policy, name, byThen))) return time;
  }
  const failing = needed.find((name) => !isSatisfied(policy, name, new Set(times.keys())));
  return demand(false, "witnesses", `cosignatures that satisfy ${failing}`, `${times.size} valid ones`);
}

async function log(policy, words) {
  demand(words.length === 1 || words.length === 2, "form", "a log line", `${words.length} words`);
  const key = await verifierKey(words[0], "form");
  demand(key.type !== WITNESS, "form", "the key of a log", words[0]);
  policy.logs.push(key);
}

async function witness(policy, [name, key, url, ...rest]) {
  demand(key !== undefined && rest.length === 0, "form", "a witness line", name);
  const parsed = await verifierKey(key, "form");
  demand(parsed.type !== LOG, "form", "the key of a witness", key);
  policy.witnesses.set(fresh(policy, name), { key: parsed, url: url ?? null });
}

async function group(policy, [name, given, ...members], taken) {
  demand(given !== undefined, "form", "a group line", name);
  const threshold = given === "all" ? members.length : given === "any" ? 1 : decimal(given);
  demand(threshold >= 1 && threshold <= members.length, "form", "a threshold of the group's members", given);
  for (const member of members) {
    demand(defines(policy, member), "form", "members that are defined on lines before", member);
    demand(!taken.has(member), "form", "members that are in no group yet", member);
    taken.add(member);
  }
  policy.groups.set(fresh(policy, name), { threshold, members });
}

async function quorum(policy, [name, ...rest]) {
  const holds = policy.quorum === null && rest.length === 0 && (name === NONE || defines(policy, name));
  demand(holds, "form", "one quorum that is defined on a line before", name);
  policy.quorum = name;
}

function fresh(policy, name) {
  demand(name !== NONE && !defines(policy, name), "form", "a new name other than none", name);
  return name;
}
