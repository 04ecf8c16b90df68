// The Policy in force: who decides, and who watches. And how the witnesses did with this checkpoint.

import { hex } from "../bytes.js";
import { badge, code, count, duration, el, terms, time, timeAgo } from "../dom.js";
import { ALGORITHMS } from "../keys.js";
import { isSatisfied } from "../tlog-policy.js";

export function show(bundle) {
  const { policy, policies } = bundle;
  const { body } = policy;
  return [
    el("h3", {}, "Witnesses"),
    el(
      "p",
      {},
      "How each witness did with the checkpoint that this page stands on, by cosignatures that were verified here.",
    ),
    witnesses(bundle),
    el("h3", {}, "Authorities"),
    el("div", { class: "cards" }, ...body.authorities.map((authority, at) => card(authority, at === 0))),
    el("h3", {}, "Rules"),
    terms(
      [
        "In force",
        `number ${Number(policy.seq) + 1} of ${policies.length} in the chain, since `,
        ...timeAgo(policy.time),
      ],
      ["Leaf hash", code(hex(policy.leafHash))],
      ["Signed by", policy.approval.signatures.map((signature) => signature.signer).join(", ")],
      ["DID methods", body.methods.map((method) => `did:${method}`).join(", ")],
      ["Algorithms", body.algorithms.map((number) => ALGORITHMS.get(number).name).join(", ")],
      ["Recovery", recovery(body.recovery)],
    ),
    pending(bundle),
    ...published(bundle),
    el("details", {}, el("summary", {}, "Text of the tlog-policy"), el("pre", { tabindex: 0 }, body.witness_policy)),
  ];
}

/** Where each form of the registry is to be had. */
const PLACES = {
  "etsi-lote": "/export/lote.json",
  "openid-federation": "/export/openid-federation.json",
  vical: "/export/vical.cbor",
};

/** The registry in the forms of others: the log has their digests. */
function published({ policy, snapshot }) {
  const { publication } = policy.body;
  if (publication === undefined || snapshot.projections === undefined) return [];
  const { made, digests } = snapshot.projections;
  const place = (name) => (name in PLACES ? el("a", { href: PLACES[name] }, name) : name);
  return [
    el("h3", {}, "In the forms of others"),
    el("p", {}, "Published as ", el("strong", {}, publication.particulars.names[0].text), ", made ", ...timeAgo(made), "."),
    terms(...digests.map(({ name, digest }) => [place(name), "SHA-256 ", code(hex(digest))])),
  ];
}

function recovery(terms) {
  if (terms === undefined) return "none";
  const { threshold, keys, delay } = terms;
  return `by ${threshold} of ${count(keys.length, "key")}, effective after ${duration(delay)}`;
}

/** A recovery that was logged and has not taken effect, which the officers can still stop. */
function pending({ policy, policies }) {
  const last = policies.at(-1);
  if (last === policy) return null;
  return el("p", { class: "warning" }, `A recovery was logged at `, time(last.time), " and has not taken effect yet.");
}

function card({ id, threshold, officers, scope }, governs) {
  const roles = officers.map((officer) =>
    el(
      "li",
      {},
      el("strong", {}, officer.id),
      officer.next === undefined ? null : " (has committed to a next key)",
      el("br"),
      code(officer.key),
    ),
  );
  return el(
    "article",
    { class: "card" },
    el("h4", {}, id, governs ? [" ", badge("active", "governs")] : null),
    el(
      "p",
      {},
      `${threshold} of ${count(officers.length, "officer")} decide. `,
      `Scope: ${scope === undefined ? "everything" : scope.join(", ") || "nothing"}.`,
    ),
    el("ul", { class: "plain" }, ...roles),
  );
}

function witnesses({ policy, times, asOf }) {
  const { witnesses: parsed, body } = policy;
  const cosigned = new Set(times.keys());
  const holds = (name) => {
    const isHeld = isSatisfied(parsed, name, cosigned);
    return badge(isHeld ? "active" : "revoked", isHeld ? "holds" : "does not hold");
  };
  const groups = [...parsed.groups].map(([name, { threshold, members }]) => [
    `Group ${name}`,
    `${threshold} of ${members.join(", ")} `,
    holds(name),
  ]);
  return [
    el(
      "div",
      { class: "cards" },
      ...[...parsed.witnesses].map(([name, witness]) => one(name, witness, times.get(name))),
    ),
    terms(
      ["Quorum", `${parsed.quorum} `, holds(parsed.quorum)],
      ["State quorum", `${body.state_quorum} `, holds(body.state_quorum), ", of witnesses that executed every entry"],
      ...groups,
      ["Enough had cosigned", ...timeAgo(asOf)],
    ),
  ];
}

function one(name, { key, url }, at) {
  const health = at === undefined ? badge("suspended", "did not cosign") : badge("active", "cosigned");
  return el(
    "article",
    { class: "card" },
    el("h4", {}, name, " ", health),
    terms(
      ["This checkpoint", ...(at === undefined ? ["has no cosignature of it"] : timeAgo(at))],
      ["Key", code(key.text)],
      ["Where it is asked", url ?? "in the registry's own process"],
    ),
  );
}
