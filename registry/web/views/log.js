// The log: how large it is, how it grew, and its newest entries.

import { hex } from "../bytes.js";
import { code, count, drawing, el, nameOf, svg, terms, time, timeAgo, timeText } from "../dom.js";
import { SNAPSHOT, TYPES } from "../shapes.js";

/** Entries that are shown at first, and more with each press of the button. */
const STEP = 50;
const HEIGHT = 200;
const [LEFT, RIGHT, BOTTOM, TOP] = [56, 8, 28, 12];
/** `2026-11-29 22:44`: two of them fit beside each other on a phone. */
const MINUTES = 16;

export function show({ snapshot, checkpoint, asOf, recent, continued, history }) {
  return [
    terms(
      ["Entries", String(checkpoint.size)],
      ["Root", code(hex(checkpoint.root))],
      ["Snapshot", `epoch ${snapshot.epoch}, `, ...timeAgo(snapshot.time)],
      ["Next one expected", ...timeAgo(snapshot.next_update)],
      ["Not to be used from", ...timeAgo(snapshot.hard_expiry)],
      ["Known as of", ...timeAgo(asOf)],
      ["Continues", continued],
    ),
    el("h3", {}, "Growth"),
    ...growth(recent, history, snapshot, checkpoint),
    el("h3", {}, "Newest entries"),
    el("p", {}, "Read from the log's tiles, each proven to be in the tree of the checkpoint."),
    ...entries(recent),
  ];
}

/**
 * Size by time: the Snapshots among the verified entries, and before these what this browser has verified at earlier
 * visits.
 */
function growth(recent, history, snapshot, checkpoint) {
  const found = recent.filter((entry) => entry.type === SNAPSHOT);
  const proven = found.map(({ index, body }) => ({ size: index + 1, time: Number(body.time) }));
  const first = proven[0]?.size ?? checkpoint.size;
  const seen = history.filter((one) => one.size < first);
  const points = [...seen, ...proven];
  const from = `Drawn from ${count(proven.length, "Snapshot")} among the newest entries, verified against the checkpoint`;
  const before =
    seen.length === 0
      ? ""
      : `, and before these from ${count(seen.length, "checkpoint")} that this browser verified at earlier visits`;
  return [
    points.length < 2 ? null : drawing(HEIGHT, (width) => chart(points, width)),
    el("p", { class: "soft" }, `${from}${before}.`),
  ];
}

function chart(points, width) {
  const [start, end] = [points[0], points.at(-1)];
  const span = Math.max(end.time - start.time, 1);
  const rise = Math.max(end.size - start.size, 1);
  const x = (at) => LEFT + ((at - start.time) / span) * (width - LEFT - RIGHT);
  const y = (size) => HEIGHT - BOTTOM - ((size - start.size) / rise) * (HEIGHT - BOTTOM - TOP);
  const steps = points.map(
    (point, at) => `${at === 0 ? "M" : "H"} ${x(point.time)} ${at === 0 ? y(point.size) : `V ${y(point.size)}`}`,
  );
  const label = `The log grew from ${start.size} entries at ${timeText(start.time)} to ${end.size} at ${timeText(end.time)}.`;
  const floor = HEIGHT - BOTTOM;
  return svg(
    "svg",
    { viewBox: `0 0 ${width} ${HEIGHT}`, width, height: HEIGHT, class: "chart", role: "img", "aria-label": label },
    svg("path", { class: "axis", d: `M ${LEFT} ${TOP} V ${floor} H ${width - RIGHT}` }),
    svg("path", { class: "line", d: steps.join(" ") }),
    svg("text", { x: LEFT - 6, y: y(end.size) + 5, "text-anchor": "end" }, String(end.size)),
    svg("text", { x: LEFT - 6, y: floor, "text-anchor": "end" }, String(start.size)),
    svg("text", { x: LEFT, y: HEIGHT - 8 }, timeText(start.time).slice(0, MINUTES)),
    svg("text", { x: width - RIGHT, y: HEIGHT - 8, "text-anchor": "end" }, timeText(end.time).slice(0, MINUTES)),
  );
}

function entries(recent) {
  const snapshots = recent.filter((entry) => entry.type === SNAPSHOT).length;
  const rows = el("tbody", {});
  const heads = ["Index", "Type", "About", "Approved for"].map((text) => el("th", { scope: "col" }, text));
  const table = el("table", {}, el("thead", {}, el("tr", {}, ...heads)), rows);
  const more = el("button", { type: "button" }, "Show more");
  const box = el("input", { type: "checkbox", id: "with-snapshots" });
  let chosen = [];
  const add = () => {
    rows.append(...chosen.slice(rows.children.length, rows.children.length + STEP).map(row));
    more.hidden = rows.children.length >= chosen.length;
  };
  const choose = () => {
    chosen = recent.filter((entry) => box.checked || entry.type !== SNAPSHOT).reverse();
    rows.replaceChildren();
    add();
  };
  more.addEventListener("click", add);
  box.addEventListener("change", choose);
  choose();
  const label = el("label", { for: "with-snapshots" }, ` Show the ${count(snapshots, "Snapshot")} among them as well`);
  return [
    el("p", {}, box, label),
    el("div", { class: "wide", tabindex: 0, role: "region", "aria-label": "Newest entries" }, table),
    more,
  ];
}

function row({ index, type, subject, ns, body }) {
  if (type === null) {
    return el("tr", {}, el("td", {}, String(index)), el("td", { colspan: 3 }, "an entry that this page cannot read"));
  }
  const about = type === SNAPSHOT ? [`epoch ${body.epoch}, `, time(body.time)] : [nameOf(subject)];
  const change = body.change === undefined ? "" : `: ${body.change}`;
  const approved = type === SNAPSHOT ? "everybody computes it" : nameOf(ns);
  return el(
    "tr",
    {},
    el("td", {}, String(index)),
    el("td", {}, `${TYPES[type].name}${change}`),
    el("td", {}, ...about),
    el("td", {}, approved),
  );
}
