// Agencies and what they are accredited for.

import { compareText } from "../bytes.js";
import { badge, code, count, duration, el, empty, nameOf, now, terms, time, timeAgo } from "../dom.js";
import { DID_EVENT } from "../shapes.js";
import { agencies, listing, standing, tombstone } from "../state.js";

/** More on one page nobody reads, and a phone takes long to draw; the search finds the rest. */
const MAX_SHOWN = 100;

export function show(bundle) {
  const byName = (left, right) => compareText(nameOf(left.did), nameOf(right.did));
  const all = agencies(bundle)
    .sort(byName)
    .map((agency) => ({ agency, words: wordsOf(agency, bundle) }));
  const list = el("div", { class: "cards" });
  const told = el("p", { class: "told", role: "status" });
  const field = el("input", { type: "search", id: "search", autocomplete: "off", spellcheck: "false" });
  const filter = () => {
    const wanted = field.value
      .toLowerCase()
      .split(/\s+/)
      .filter((word) => word !== "");
    const found = all.filter(({ words }) => wanted.every((word) => words.includes(word)));
    const shown = found.slice(0, MAX_SHOWN);
    const more = found.length > shown.length ? `; the first ${MAX_SHOWN} are shown` : "";
    told.textContent = `${found.length} of ${count(all.length, "agency", "agencies")}${more}`;
    list.replaceChildren(...shown.map(({ agency }) => card(agency, bundle)));
    if (found.length === 0)
      list.append(empty(all.length === 0 ? "Nobody is registered yet." : "No agency fits the search."));
  };
  field.addEventListener("input", filter);
  filter();
  const label = el("label", { for: "search" }, "Search by name, DID, accreditation, type, territory or standing");
  return [el("div", { class: "search" }, label, field), told, list];
}

/** Everything that a search looks in, in small letters. */
function wordsOf(agency, bundle) {
  const { did, accreditations } = agency;
  const each = accreditations.map((record) => {
    const { id, ns, grant } = record;
    const { kind } = standing(bundle, record, now());
    return [id, ns, grant.action, ...grant.resources.map((resource) => resource.id), ...grant.territories, kind];
  });
  const names = listing(bundle, agency, now())?.particulars.names ?? [];
  return [did, ...names.map(({ text }) => text), ...each.flat()].join("\n").toLowerCase();
}

function card(agency, bundle) {
  const { did, record, accreditations, incidents } = agency;
  const ended = tombstone(bundle, DID_EVENT, did);
  return el(
    "article",
    { class: "card" },
    el("h3", {}, nameOf(did), ended === undefined ? null : badge("revoked", "ended")),
    listed(listing(bundle, agency, now())),
    nameOf(did) === did ? null : el("p", {}, code(did)),
    record === undefined
      ? null
      : el(
          "p",
          { class: "soft" },
          "Its last change is entry ",
          String(record.head.index),
          ", ",
          time(record.head.time),
          ".",
        ),
    incidents.map((incident) =>
      el(
        "p",
        {},
        badge("revoked", "incident"),
        " ",
        "What ",
        code(incident.id),
        " signed since ",
        time(incident.standing.invalid_since),
        " does not count.",
      ),
    ),
    accreditations.length === 0
      ? empty("It has no accreditation.")
      : el("ul", { class: "plain" }, ...accreditations.map((one) => el("li", {}, accreditation(one, bundle)))),
  );
}

/** Names in each language, and where to read on. */
function listed(found) {
  if (found === undefined) return null;
  const { names, information } = found.particulars;
  const link = ({ text }) => [" ", el("a", { href: text, rel: "noreferrer" }, text)];
  return el(
    "p",
    {},
    ...names.map(({ language, text }, at) => [at === 0 ? null : ", ", el("strong", { lang: language }, text)]).flat(),
    ".",
    ...information.map(link).flat(),
  );
}

/** `issue PersonIdentity`. */
export const permission = ({ action, resources }) => `${action} ${resources.map((resource) => resource.id).join(", ")}`;

/** What a standing comes to. */
export const may = (kind) => (kind === "active" ? "may" : "may not");

/** Since when and why it stands as it does. */
export function why({ kind, since, reason, by, lapses, above }) {
  if (kind === "active") return null;
  const because = reason === undefined ? "" : `: ${reason}`;
  const whose = above === undefined ? "" : `, by the accreditation ${above} that it is a part of`;
  const who = by === undefined ? "" : `, imposed by ${by}`;
  const until = lapses === undefined ? [] : [", until ", time(lapses), " unless a quorum suspends it"];
  const word = kind === "not yet valid" ? "from" : "since";
  return el("p", {}, `${kind} ${word} `, time(since), ...until, `${because}${who}${whose}`);
}

function accreditation(record, bundle) {
  const { grant } = record;
  const found = standing(bundle, record, now());
  const pinned = grant.resources.filter((resource) => resource.schemas !== undefined);
  return [
    el("p", { class: "permission" }, badge(found.kind), ` ${may(found.kind)} `, el("strong", {}, permission(grant))),
    why(found),
    el(
      "details",
      {},
      el("summary", {}, "Terms of ", record.id),
      terms(
        ["Granted by", nameOf(record.ns), ", ", ...timeAgo(record.granted)],
        ["Valid", time(grant.valid_from), " to ", time(grant.valid_until)],
        ["Territories", grant.territories.join(", ") || "everywhere"],
        grant.level_of_assurance === undefined ? null : ["Level of assurance", grant.level_of_assurance],
        ["May pass on", grant.delegation_depth === 0 ? "no" : count(Number(grant.delegation_depth), "level")],
        grant.parent === undefined ? null : ["Part of", grant.parent],
        ["Statuses count for", `${duration(grant.max_staleness)}; when older: ${grant.on_stale}`],
        ["What was issued before a revocation", grant.backdating === "refuse" ? "does not count either" : "counts on"],
        pinned.length === 0
          ? null
          : ["Versions of types", ...pinned.map((resource) => `${resource.id}: ${resource.schemas.length} `)],
        ["Last change", `entry ${record.head.index}, `, time(record.head.time)],
      ),
    ),
  ];
}
