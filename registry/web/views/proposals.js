// Proposals for officers to approve. They are not in the log: nothing proves what the service says of them but the
// draft itself, which is decoded here as an officer's program decodes it before it signs.

import { fromBase64url, hex, sha256 } from "../bytes.js";
import { decode } from "../cbor.js";
import { badge, code, describe, el, empty, nameOf, terms, timeAgo } from "../dom.js";
import { message } from "../policies.js";
import { Refused } from "../refused.js";
import { TYPES, readDraft } from "../shapes.js";

const KINDS = new Map([
  ["open", "not-yet-valid"],
  ["appended", "active"],
  ["refused", "revoked"],
  ["expired", "expired"],
]);

const NOTE =
  "Proposals are not in the log, so no check of this page covers them: they are what the service says. Only the draft " +
  "counts. It is decoded here, and an officer's program shows it again before it signs.";

/** `proposals` is the service's answer. */
export async function show(bundle, { proposals }) {
  const all = Array.isArray(proposals) ? proposals : [];
  const cards = await Promise.all(all.map((proposal) => card(proposal, bundle)));
  return [
    el("p", { class: "warning" }, NOTE),
    cards.length === 0 ? empty("Nothing was proposed yet.") : el("div", { class: "cards" }, ...cards),
  ];
}

async function card(proposal, bundle) {
  const [id, state] = [String(proposal.id), String(proposal.state)];
  const approved = Array.isArray(proposal.approved_by) ? proposal.approved_by.map(String) : [];
  const names = approved.length > 0 ? `: ${approved.join(", ")}` : "";
  const told = [
    state === "open" ? ["Approved, says the service", `${approved.length} of ${proposal.needed} needed${names}`] : null,
    proposal.index === undefined ? null : ["In the log, says the service", `entry ${proposal.index}`],
    proposal.reason === undefined ? null : ["Refused, says the service", String(proposal.reason)],
  ];
  const heading = el("h3", {}, `Proposal ${id} `, badge(KINDS.get(state) ?? "expired", state));
  try {
    const bytes = fromBase64url(String(proposal.draft));
    const draft = readDraft(decode(bytes));
    const digest = await sha256(message(bytes));
    return el(
      "article",
      { class: "card" },
      heading,
      ...warnings(draft, bundle, state),
      content(draft, state),
      terms(...told, ["Hash of what is signed", code(hex(digest))]),
      state === "open" ? command(id) : null,
    );
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    const why = `The draft cannot be read, so nobody should sign it: expected ${error.expected}, found ${error.found}.`;
    return el("article", { class: "card" }, heading, el("p", { class: "warning" }, why), terms(...told));
  }
}

function warnings(draft, bundle, state) {
  const found = [];
  if (draft.origin !== bundle.anchor.origin) found.push(`It is for another registry: ${draft.origin}.`);
  if (state === "open" && hex(draft.policy) !== hex(bundle.policy.leafHash)) {
    found.push("The Policy has changed since it was made: it has to be proposed again.");
  }
  if (!bundle.policy.body.authorities.some((authority) => authority.id === draft.ns)) {
    found.push(`${draft.ns} is no authority of the Policy.`);
  }
  return found.map((text) => el("p", { class: "warning" }, text));
}

function content({ type, ns, subject, seq, body, not_before, expires }, state) {
  return [
    terms(
      ["Entry", `${TYPES[type].name}, number ${seq} about `, code(subject)],
      ["To be approved by", nameOf(ns)],
      ["Counts", "from ", ...timeAgo(not_before), " to ", ...timeAgo(expires)],
    ),
    el("details", { open: state === "open" ? "" : null }, el("summary", {}, "What it says"), describe(body)),
  ];
}

function command(id) {
  const text = `attestry registry approve ${id} --key FILE`;
  const button = el("button", { type: "button" }, "Copy");
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(text).then(
      () => (button.textContent = "Copied"),
      () => (button.textContent = "Select it by hand"),
    );
  });
  return el("p", { class: "command" }, code(text), " ", button);
}
