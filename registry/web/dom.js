// Elements, and the texts of values. Text becomes text nodes and nothing else; the page's policy (Trusted Types) lets
// no string become markup.

import { hex } from "./bytes.js";

const SVG = "http://www.w3.org/2000/svg";
const MINUTE = 60;
const HOUR = 3_600;
const DAY = 86_400;

/** An element with attributes, listeners (`onclick`) and children; a child that is null is left out. */
export function el(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

export function svg(name, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, name), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

/** A list of terms: pairs of a term and what it is; pairs that are null are left out. */
export function terms(...pairs) {
  const rows = pairs
    .filter((pair) => pair !== null)
    .map(([term, ...what]) => el("div", {}, el("dt", {}, term), el("dd", {}, ...what)));
  return el("dl", {}, ...rows);
}

export const code = (text) => el("code", {}, String(text));

/** A word in a frame; its kind is a class, and a sign before it that needs no colour. */
export const badge = (kind, text = kind) => el("span", { class: `badge ${kind.replaceAll(" ", "-")}` }, text);

/** What there is when there is nothing. */
export const empty = (text) => el("p", { class: "empty" }, text);

/** The clock, in seconds since 1970. */
export const now = () => Math.floor(Date.now() / 1_000);

/** `2026-11-29 22:44:49 UTC`. */
export const timeText = (seconds) =>
  new Date(Number(seconds) * 1_000)
    .toISOString()
    .replace("T", " ")
    .replace(/\.000Z$/, " UTC");

export function time(seconds) {
  const text = timeText(seconds);
  return el("time", { datetime: new Date(Number(seconds) * 1_000).toISOString() }, text);
}

/** `3 minutes`; the largest unit that there are two of. */
export function duration(seconds) {
  const units = [
    [DAY, "day"],
    [HOUR, "hour"],
    [MINUTE, "minute"],
    [1, "second"],
  ];
  const [size, name] = units.find(([length]) => seconds >= 2 * length) ?? [1, "second"];
  const count = Math.floor(Number(seconds) / size);
  return `${count} ${name}${count === 1 ? "" : "s"}`;
}

/** `3 minutes ago`, or `in 3 minutes`. */
export function distance(seconds) {
  const away = Number(seconds) - now();
  if (away === 0) return "now";
  return away > 0 ? `in ${duration(away)}` : `${duration(-away)} ago`;
}

/** A frame for a drawing of this height, drawn anew by `draw(width)` when its width changes; nothing below it moves. */
export function drawing(height, draw) {
  const frame = el("div", { class: "drawing" });
  frame.style.minHeight = `${height}px`;
  let drawn = 0;
  const resized = new ResizeObserver(([{ contentRect }]) => {
    const width = Math.floor(contentRect.width);
    if (width === drawn || width === 0) return;
    drawn = width;
    frame.replaceChildren(draw(width));
  });
  resized.observe(frame);
  return frame;
}

/** A time with its distance from now. */
export const timeAgo = (seconds) => [time(seconds), ` (${distance(seconds)})`];

/** `1 agency`, `2 agencies`. */
export const count = (number, one, many = `${one}s`) => `${number} ${number === 1 ? one : many}`;

/** What a DID is called here: where it is, without its method and its hash. The whole DID stands beside it. */
export function nameOf(id) {
  const parts = id.split(":");
  return parts[0] === "did" && parts[1] === "webvh" && parts.length > 3 ? parts.slice(3).join(":") : id;
}

/** What is in a decoded body, member by member, as a list of terms. */
export function describe(value, member = "") {
  // A document is what officers read before they sign; all other bytes are digests and keys.
  if (value instanceof Uint8Array) return code(member === "document" ? new TextDecoder().decode(value) : hex(value));
  if (Array.isArray(value)) {
    return value.length === 0
      ? el("span", {}, "none")
      : el("ul", {}, ...value.map((one) => el("li", {}, describe(one))));
  }
  if (typeof value === "object" && value !== null) {
    return terms(...Object.entries(value).map(([name, one]) => [name.replaceAll("_", " "), describe(one, name)]));
  }
  if (/(^|_)(time|since|until|from|before|expires)$/.test(member)) return time(value);
  if (typeof value === "string" && value.includes("\n")) return el("pre", {}, value);
  return el("span", {}, String(value));
}
