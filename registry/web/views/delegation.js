// Who passes authority on to whom: a drawing, and the same as a list.

import { compareText } from "../bytes.js";
import { badge, count, drawing, el, empty, nameOf, now, svg } from "../dom.js";
import { ACCREDITATION } from "../shapes.js";
import { standing } from "../state.js";
import { may, permission } from "./agencies.js";

/** A drawing of more is a tangle; the list has all. */
const MAX_DRAWN = 120;
/** An accreditation is at most eight levels deep; a circle of them ends here as well. */
const MAX_DEPTH = 10;
const ROW = 68;
const BOX = 52;
const MAX_BOX_WIDTH = 300;
const MARGIN = 8;
/** Of a letter in a box, in pixels, at most. */
const LETTER = 8.4;

export function show(bundle) {
  const graph = graphOf(bundle);
  if (graph.edges.length === 0) return [empty("No accreditation has been granted yet.")];
  const told = `${count(graph.nodes.size, "party", "parties")} and ${count(graph.edges.length, "accreditation")}.`;
  const shown = new Set();
  const list = el("ul", { class: "tree", id: "delegation-list" }, ...graph.roots.map((id) => branch(id, graph, shown)));
  const heading = el("h3", {}, "The same as a list");
  if (graph.nodes.size > MAX_DRAWN)
    return [el("p", {}, `${told} More than ${MAX_DRAWN} are not drawn.`), heading, list];
  return [el("p", {}, told), drawing(heightOf(graph), (width) => draw(graph, width)), heading, list];
}

/** Parties by id with their column, and the accreditations between them with their standing. */
function graphOf(bundle) {
  const records = [...bundle.state.get(ACCREDITATION).values()];
  const edges = records.map((record) => ({
    record,
    from: record.ns,
    to: record.grant.entity,
    kind: standing(bundle, record, now()).kind,
  }));
  const nodes = new Map();
  const authorities = bundle.policy.body.authorities.map((authority) => authority.id);
  for (const id of [...authorities, ...edges.flatMap((edge) => [edge.from, edge.to])]) nodes.set(id, { id, column: 0 });
  for (let round = 0; round < MAX_DEPTH; round++) {
    for (const { from, to } of edges) {
      const column = Math.max(nodes.get(to).column, nodes.get(from).column + 1);
      nodes.get(to).column = Math.min(column, MAX_DEPTH);
    }
  }
  const isPassedOn = new Set(edges.map((edge) => edge.to));
  const below = new Map([...nodes.keys()].map((id) => [id, []]));
  for (const edge of edges) below.get(edge.from).push(edge);
  return { nodes, edges, below, roots: [...nodes.keys()].filter((id) => !isPassedOn.has(id)) };
}

/**
 * A party, how it came to its authority (`lines`), and those to whom it passes on. These are listed where the party first
 * stands: there may be many ways to it.
 */
function branch(id, graph, shown, lines = []) {
  const name = el("p", { class: "party" }, nameOf(id));
  const below = graph.below.get(id);
  if (below.length === 0) return el("li", {}, name, ...lines);
  if (shown.has(id))
    return el("li", {}, name, ...lines, el("p", { class: "soft" }, "Whom it passes on to stands above."));
  shown.add(id);
  const parties = [...new Set(below.map((edge) => edge.to))].sort(byName);
  const each = parties.map((to) => {
    const granted = below.filter((edge) => edge.to === to).map(line);
    return branch(to, graph, shown, granted);
  });
  return el("li", {}, name, ...lines, el("ul", {}, ...each));
}

const byName = (left, right) => compareText(nameOf(left), nameOf(right));

const line = ({ record, kind }) => el("p", {}, badge(kind), ` ${record.id}: ${may(kind)} ${permission(record.grant)}`);

function columnsOf(graph) {
  const columns = [];
  const nodes = [...graph.nodes.values()].sort((left, right) => byName(left.id, right.id));
  for (const node of nodes) (columns[node.column] ??= []).push(node);
  return columns.filter((column) => column !== undefined);
}

const heightOf = (graph) => Math.max(...columnsOf(graph).map((column) => column.length)) * ROW + MARGIN;

function draw(graph, width) {
  const columns = columnsOf(graph);
  const height = heightOf(graph);
  const inner = width - 2 * MARGIN;
  const box = Math.min(MAX_BOX_WIDTH, (inner * 0.8) / columns.length);
  const gap = columns.length === 1 ? 0 : (inner - box * columns.length) / (columns.length - 1);
  const places = new Map();
  columns.forEach((column, at) => {
    column.forEach((node, row) => {
      const y = ((row + 0.5) * height) / column.length;
      places.set(node.id, { x: MARGIN + at * (box + gap), y });
    });
  });
  const label = "Who passes authority on to whom. The list below says the same.";
  const frame = { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": label };
  const edges = graph.edges.map((edge) => curve(edge, places, box));
  const parties = [...graph.nodes.values()].map((node) => party(node, graph, places.get(node.id), box));
  return svg("svg", frame, ...edges, ...parties);
}

function curve({ record, from, to, kind }, places, box) {
  const [start, end] = [places.get(from), places.get(to)];
  const [left, right] = [start.x + box, end.x];
  const middle = (left + right) / 2;
  const d = `M ${left} ${start.y} C ${middle} ${start.y}, ${middle} ${end.y}, ${right} ${end.y}`;
  const title = svg("title", {}, `${record.id}: ${may(kind)} ${permission(record.grant)} (${kind})`);
  return svg("path", { d, class: kind === "active" ? "edge" : "edge broken" }, title);
}

/** A box with the party's name and what it may do; what is too long is cut, and whole in the list. */
function party({ id, column }, graph, { x, y }, box) {
  const letters = Math.max(3, Math.floor((box - 2 * MARGIN) / LETTER));
  const fit = (text) => (text.length > letters ? `${text.slice(0, letters - 1)}\u2026` : text);
  const held = graph.edges.filter((edge) => edge.to === id);
  const terms = held.map((edge) => permission(edge.record.grant)).join(", ");
  const kind = column === 0 ? "node authority" : "node";
  return svg(
    "g",
    { class: kind },
    svg("title", {}, id),
    svg("rect", { x, y: y - BOX / 2, width: box, height: BOX, rx: 6 }),
    svg("text", { x: x + MARGIN, y: y - 4, class: "name" }, fit(nameOf(id))),
    svg("text", { x: x + MARGIN, y: y + 15 }, fit(terms || "authority of the Policy")),
  );
}
