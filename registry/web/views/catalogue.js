// Types of credentials, other registries, and incidents: what else the state holds.

import { hex } from "../bytes.js";
import { badge, code, duration, el, empty, nameOf, now, terms, time, timeAgo } from "../dom.js";
import { INCIDENT, RECOGNITION, SCHEMA } from "../shapes.js";
import { incidentStanding, recognitionStanding, schemaStanding } from "../state.js";

const card = (name, kind, ...rest) => el("article", { class: "card" }, el("h3", {}, name, " ", kind), ...rest);

const cards = (all, none) => (all.length === 0 ? empty(none) : el("div", { class: "cards" }, ...all));

export function showTypes(bundle) {
  const all = [...bundle.state.get(SCHEMA).values()].map((record) => {
    const standing = schemaStanding(bundle, record);
    const kind = badge(standing === "published" ? "active" : "revoked", standing);
    return card(record.id, kind, record.schema === undefined ? null : schema(record));
  });
  return [cards(all, "No type is published yet.")];
}

function schema({ schema: { vct, aliases, w3c_types, doctype, status_required, documents }, ns, head }) {
  return [
    terms(
      ["vct", code(vct), aliases.length === 0 ? null : `, also ${aliases.join(", ")}`],
      w3c_types.length === 0 ? null : ["W3C types", w3c_types.join(", ")],
      doctype === undefined ? null : ["doctype", code(doctype)],
      ["Status", status_required ? "every credential has one" : "not required"],
      ["Published by", nameOf(ns), `, entry ${head.index}, `, ...timeAgo(head.time)],
    ),
    el(
      "details",
      {},
      el("summary", {}, `Documents (${documents.length})`),
      terms(
        ...documents.map((one) => [
          one.role,
          code(one.uri),
          el("br"),
          `${one.length} bytes, SHA-256 `,
          code(hex(one.digest)),
        ]),
      ),
    ),
  ];
}

export function showRegistries(bundle) {
  const all = [...bundle.state.get(RECOGNITION).values()].map((record) => {
    const standing = recognitionStanding(bundle, record, now());
    const kind = badge(standing === "active" ? "active" : "revoked", standing === "active" ? "recognised" : standing);
    return card(record.id, kind, record.terms === undefined ? null : recognition(record));
  });
  return [cards(all, "No other registry is recognised.")];
}

function recognition({ terms: { log, genesis, size, actions, mapping, max_staleness, valid_until }, head }) {
  const types = mapping.map(({ foreign, local }) => (foreign === local ? foreign : `${foreign} as ${local}`));
  return terms(
    ["Who is accredited there to", `${actions.join(", ")} may do so here`],
    ["Types", types.join(", ") || "all"],
    ["Until", ...timeAgo(valid_until)],
    ["Bundles count for", duration(max_staleness)],
    ["Seen at size", String(size)],
    ["Log key", code(log)],
    ["Genesis", code(hex(genesis))],
    ["Recognised", `entry ${head.index}, `, time(head.time)],
  );
}

export function showIncidents(bundle) {
  const all = [...bundle.state.get(INCIDENT).values()].map((record) => {
    const standing = incidentStanding(bundle, record);
    if (standing === null) return card(nameOf(record.id), badge("expired", "over"), el("p", {}, code(record.id)));
    const { invalid_since, reason, backdating, lapses } = standing;
    return card(
      nameOf(record.id),
      badge("revoked", "stands"),
      el("p", {}, code(record.id)),
      terms(
        ["What was signed since", time(invalid_since), " does not count"],
        ["What was signed before", backdating === "refuse" ? "does not count either" : "counts"],
        ["Reason", reason],
        lapses === undefined ? null : ["Emergency", "lapses ", ...timeAgo(lapses), " unless a quorum declares it"],
      ),
    );
  });
  return [cards(all, "No incident was declared.")];
}
