// The registry's pages: fetch, verify, then show. Nothing of the registry reaches the page before every check has held.

import { concat, fromHex, hex, same } from "./bytes.js";
import { MAX_BUNDLE_BYTES, readAnchor, verifyBundle } from "./bundle.js";
import { code, count, distance, el, empty, now, terms, timeAgo } from "./dom.js";
import { missing } from "./keys.js";
import { MAX_TILE_BYTES, readRecent } from "./log.js";
import { checkAnchor, checkClock, checkFollows, forget, next, recall, remember } from "./memory.js";
import { CHECKS, Refused, demand } from "./refused.js";
import { show as agencies } from "./views/agencies.js";
import { showIncidents, showRegistries, showTypes } from "./views/catalogue.js";
import { show as delegation } from "./views/delegation.js";
import { show as log } from "./views/log.js";
import { show as policy } from "./views/policy.js";
import { show as proposals } from "./views/proposals.js";

/** Status lists and documents are most of a bundle's bytes, and are not shown: these names are nobody's. */
const BUNDLE = "bundle?issuer=none&type=none";
/** An anchor has a name, a key and a hash. */
const MAX_ANCHOR_BYTES = 16 * 1_024;
/** The service answers with its latest proposals, each of at most an entry's 64 KiB. */
const MAX_PROPOSALS_BYTES = 32 * 1_048_576;

/** Title, one sentence, and what shows it. */
const VIEWS = new Map([
  ["agencies", ["Agencies", "DIDs in the registry, and what they are accredited for.", agencies]],
  ["delegation", ["Delegation", "Who passes authority on to whom.", delegation]],
  ["types", ["Types", "Types of credentials, and the documents that define them.", showTypes]],
  ["registries", ["Other registries", "Those whose accreditations count here, on which terms.", showRegistries]],
  ["incidents", ["Incidents", "Keys and DIDs whose signatures do not count.", showIncidents]],
  ["policy", ["Policy and witnesses", "Who decides, who watches, and whether they did.", policy]],
  ["log", ["Log", "How large the log is, and what came last.", log]],
  ["proposals", ["Proposals", "What officers are asked to approve.", showProposals]],
]);

const FIRST_VISIT =
  "This is the first visit from this browser. It has pinned the registry's anchor and will refuse every other one. " +
  "Whether it is the right one, only another channel can tell you: compare the genesis below with a printed or " +
  "published one.";
const NOTHING_KEPT =
  "This browser keeps nothing for this page, so the next visit will be a first one again, and a registry that goes " +
  "back will not be noticed.";
const NOT_THE_SAME =
  "The registry that answers now is not the one that this browser has seen before, or shows it an older or another " +
  "state. Do not trust it before you know why. If you know from another channel that it was founded anew, this " +
  "browser can forget the old one.";

const part = (id) => document.getElementById(id);
let verified = null;

/** Fetches at most `limit` bytes. */
async function get(path, limit) {
  const answer = await fetch(`/registry/${path}`, { cache: "no-cache", credentials: "omit" });
  if (!answer.ok) throw new Error(`The service answered ${answer.status} to /registry/${path}.`);
  const reader = answer.body.getReader();
  const parts = [];
  let total = 0;
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    total += read.value.length;
    if (total > limit) {
      await reader.cancel();
      throw new Refused("form", `at most ${limit} bytes of /registry/${path}`, "more");
    }
    parts.push(read.value);
  }
  return concat(...parts);
}

const getText = async (path, limit) => new TextDecoder().decode(await get(path, limit));

/** Everything that is checked, in the order of `CHECKS`; what was verified. */
async function verify() {
  const held = [];
  const passed = (check, found) => held.push({ check, found });
  const memory = recall();
  const anchor = await readAnchor(await getText("anchor", MAX_ANCHOR_BYTES));
  checkAnchor(memory, anchor);
  passed("anchor", memory === null ? "pinned now, at this first visit" : `genesis ${anchor.genesis}`);
  const bundle = await verifyBundle(await get(BUNDLE, MAX_BUNDLE_BYTES), anchor, passed);
  const root = hex(bundle.checkpoint.root);
  checkFollows(memory, bundle, root);
  const recent = await readRecent(bundle.checkpoint, (path) => get(path, MAX_TILE_BYTES));
  passed(
    "log",
    `${count(recent.entries.length, "entry", "entries")} of ${bundle.checkpoint.size} read and found in the tree`,
  );
  const continued = await continuation(memory, recent);
  passed("memory", continued);
  checkClock(memory, bundle, now());
  passed("clock", `${distance(bundle.asOf)}; expires ${distance(bundle.snapshot.hard_expiry)}`);
  const after = next(memory, anchor, bundle, root, now());
  const isKept = remember(after);
  return {
    ...bundle,
    anchor,
    held,
    memory,
    pinned: after.pinned,
    isKept,
    recent: recent.entries,
    continued,
    history: after.history,
  };
}

/** Whether the tree was proven to continue the one of an earlier visit; what is told about it. */
async function continuation(memory, { rootAt }) {
  const seen = memory?.seen;
  if (seen === undefined) return "nothing was seen before";
  const found = await rootAt(seen.size);
  if (found === null)
    return `larger than the tree of ${seen.size} entries seen before; that it continues it, the witnesses vouch for`;
  demand(
    same(found, fromHex(seen.root)),
    "memory",
    `a tree that continues the root ${seen.root} of size ${seen.size}`,
    hex(found),
  );
  return `proven to continue the tree of ${seen.size} entries that this browser saw before`;
}

async function start() {
  const lack = await missing();
  if (lack !== null) {
    return tell("refused", "This browser cannot check the registry", `It lacks ${lack}.`);
  }
  try {
    verified = await verify();
    await route();
    tellVerified(verified);
  } catch (error) {
    if (error instanceof Refused) tellRefused(error);
    else tellFailed(error);
  }
}

function tell(kind, headline, summary, ...evidence) {
  part("verdict").className = `verdict ${kind}`;
  part("headline").replaceChildren(el("strong", {}, headline));
  part("summary").replaceChildren(...[summary].flat());
  part("evidence").replaceChildren(...evidence);
  document.body.className = kind === "verified" ? "" : "nothing";
  if (kind === "verified") return;
  part("view").replaceChildren(empty("Nothing of the registry was verified, so nothing is shown."));
  part("view").setAttribute("aria-busy", "false");
}

function tellVerified({ anchor, held, memory, pinned, isKept, asOf, times, policy, checkpoint }) {
  const cosigned = `${times.size} of ${count(policy.witnesses.witnesses.size, "witness", "witnesses")} cosigned`;
  const summary = [`${count(checkpoint.size, "entry", "entries")}, known as of `, ...timeAgo(asOf), `. ${cosigned}.`];
  const checks = held.map(({ check, found }) =>
    el("li", {}, CHECKS.get(check)[0], ": ", el("span", { class: "soft" }, found)),
  );
  const first = el("p", { class: "warning" }, FIRST_VISIT);
  const lost = el("p", { class: "warning" }, NOTHING_KEPT);
  tell(
    "verified",
    "Verified in this browser",
    summary,
    ...(memory === null && isKept ? [first] : []),
    ...(isKept ? [] : [lost]),
    el(
      "details",
      {},
      el("summary", {}, `${count(held.length, "check")} held`),
      el("ol", { class: "checks" }, ...checks),
    ),
    el(
      "details",
      {},
      el("summary", {}, "Pinned anchor"),
      terms(
        ["Origin", code(anchor.origin)],
        ["Log key", code(anchor.log)],
        ["Genesis", code(anchor.genesis)],
        ["Pinned", ...timeAgo(pinned)],
      ),
      ...forgetting(),
    ),
  );
}

function tellRefused({ check, expected, found }) {
  verified = null;
  const ours = ["anchor", "memory"].includes(check);
  part("verdict").setAttribute("role", "alert");
  tell(
    "refused",
    `Refused: ${CHECKS.get(check)[1]}`,
    "This check did not hold, so nothing of the registry is shown.",
    terms(["Check", code(check)], ["Expected", String(expected)], ["Found", String(found)]),
    ...(ours ? [el("p", {}, NOT_THE_SAME), ...forgetting()] : []),
  );
}

function tellFailed(error) {
  verified = null;
  const again = el("button", { type: "button", onclick: () => location.reload() }, "Try again");
  tell("refused", "The registry could not be read", String(error.message), el("p", {}, again));
}

/** What lets the person pin another anchor, after a second press. */
function forgetting() {
  const text =
    "Forgetting makes the next visit a first one: the anchor that is served then is pinned, whichever it is.";
  const button = el("button", { type: "button" }, "Forget this registry");
  const really = () => {
    forget();
    location.reload();
  };
  const ask = () => {
    button.textContent = "Forget it and pin the one that is served now";
    button.addEventListener("click", really, { once: true });
  };
  button.addEventListener("click", ask, { once: true });
  return [el("p", { class: "soft" }, text), el("p", {}, button)];
}

async function showProposals(bundle) {
  const answer = JSON.parse(await getText("proposals", MAX_PROPOSALS_BYTES));
  return proposals(bundle, answer);
}

/** The view that the address names; agencies where it names none. */
function named() {
  const name = location.hash.replace(/^#\//, "");
  return VIEWS.has(name) ? name : "agencies";
}

/** Says everywhere which view it is. */
function mark(name, title, lead) {
  part("title").textContent = title;
  part("lead").textContent = lead;
  document.title = `${title} - Trust registry`;
  for (const link of document.querySelectorAll("nav a")) {
    if (link.hash === `#/${name}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

/** Shows the view of the address, if there is something to show. */
async function route() {
  const name = named();
  const [title, lead, show] = VIEWS.get(name);
  mark(name, title, lead);
  if (verified === null) return;
  const view = part("view");
  view.setAttribute("aria-busy", "true");
  view.replaceChildren(el("p", { class: "soft" }, "Loading."));
  try {
    const shown = await show(verified);
    if (named() !== name) return;
    view.replaceChildren(...shown.flat().filter((one) => one !== null));
  } catch (error) {
    view.replaceChildren(el("p", { class: "warning", role: "alert" }, `This part cannot be shown: ${error.message}`));
  }
  view.setAttribute("aria-busy", "false");
}

globalThis.addEventListener("hashchange", async () => {
  // The skip link is a hash as well.
  if (location.hash === "#main") return part("main").focus();
  await route();
  part("main").focus();
});

route();
start();
