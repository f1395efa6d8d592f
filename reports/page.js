// The dashboard's base: elements, tables, and which page the address names. No library, no network.
"use strict";

const main = document.getElementById("main");
let data = null;
const pages = {};

function el(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined) node.setAttribute(name, value);
  }
  for (const child of children.flat()) if (child !== null && child !== undefined) node.append(child);
  return node;
}

function svgNode(tag, attributes, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

const percent = (part, whole) => (whole ? (100 * part) / whole : 0);
const show = (number) => number.toFixed(1) + " %";
const address = (path) => "#/" + path.map(encodeURIComponent).join("/");
const link = (path, text, attributes) => el("a", { href: address(path), ...attributes }, text);
const bar = (value) => el("span", { class: "bar", "aria-hidden": "true" }, el("i", { style: `width:${value}%` }));
const ROWS = 300;

// A table whose columns sort; a column is [title, value of a row, cell of a row, is a number]. Long ones grow on demand.
function table(caption, columns, rows, sorted) {
  let order = sorted ?? 0;
  let down = columns[order][3] === true;
  let shown = ROWS;
  let list = [];
  const body = el("tbody");
  const more = el("button", { type: "button", class: "more", onclick: () => { const from = shown; shown += 1000; fill(from); } });
  const line = (row) => el("tr", {}, columns.map(([, , cell, number]) => el("td", { class: number ? "n" : null }, cell(row))));
  const fill = (from) => {
    body.append(...list.slice(from, shown).map(line));
    more.hidden = list.length <= shown;
    more.textContent = `Show more (${Math.min(shown, list.length)} of ${list.length})`;
  };
  const draw = () => {
    const value = columns[order][1];
    const sign = down ? -1 : 1;
    list = [...rows].sort((a, b) => (value(a) < value(b) ? -sign : value(a) > value(b) ? sign : 0));
    shown = ROWS;
    body.replaceChildren();
    fill(0);
    heads.forEach((head, index) => head.setAttribute("aria-sort", index !== order ? "none" : down ? "descending" : "ascending"));
  };
  const heads = columns.map(([title, , , number], index) => el("th", { class: number ? "n" : null, scope: "col" },
    el("button", { type: "button", onclick: () => { down = index === order ? !down : number === true; order = index; draw(); } }, title)));
  draw();
  return el("div", { class: "scroll" }, el("table", {}, el("caption", {}, caption), el("thead", {}, el("tr", {}, heads)), body), more);
}

// A text field and a choice above something that they narrow.
function filtered(rows, textOf, choiceOf, label, draw) {
  const holder = el("div");
  const count = el("span", { class: "faint", role: "status" });
  const text = el("input", { type: "search", placeholder: label, "aria-label": "Filter by " + label, id: "filter-text" });
  const words = [...new Set(rows.map(choiceOf))].sort();
  const choice = el("select", { "aria-label": "Filter by outcome", id: "filter-choice" }, el("option", { value: "" }, "every outcome"),
    words.map((word) => el("option", { value: word }, word)));
  const update = () => {
    const wanted = text.value.toLowerCase();
    const chosen = rows.filter((row) => (!choice.value || choiceOf(row) === choice.value) && (!wanted || textOf(row).toLowerCase().includes(wanted)));
    count.textContent = `${chosen.length} of ${rows.length}`;
    holder.replaceChildren(draw(chosen));
  };
  let timer = 0;
  text.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(update, rows.length > 5000 ? 150 : 0); });
  choice.addEventListener("change", update);
  update();
  return el("div", {}, el("div", { class: "filters" }, text, choice, count), holder);
}

function route() {
  const [page, ...rest] = location.hash.replace(/^#\/?/, "").split("/").map(decodeURIComponent);
  if (page === "main") return;
  const name = pages[page] ? page : "";
  main.replaceChildren(...pages[name](...rest).filter((part) => part));
  for (const entry of document.querySelectorAll("#pages a")) {
    if (entry.getAttribute("href") === "#/" + name) entry.setAttribute("aria-current", "page");
    else entry.removeAttribute("aria-current");
  }
  const heading = main.querySelector("h2");
  document.title = (heading && name ? heading.textContent + " · " : "") + "Krait: conformance";
  main.focus({ preventScroll: true });
  window.scrollTo(0, 0);
}

async function start() {
  const packed = Uint8Array.from(atob(window.KRAIT_DATA), (char) => char.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  data = await new Response(stream).json();
  const meta = data.summary.meta;
  document.getElementById("stamp").textContent = `Commit ${meta.commit}; suite ${meta.pin.slice(0, 12)}, `
    + `${meta.suite_is_pinned ? "pinned" : "not the pinned one"}; machine ${meta.machine || "unknown"}; reference ${meta.reference}.`;
  document.getElementById("jump").addEventListener("click", (event) => { event.preventDefault(); main.focus(); });
  window.addEventListener("hashchange", route);
  route();
  document.documentElement.dataset.ready = "yes";
}

window.addEventListener("DOMContentLoaded", () => start().catch((error) => { main.textContent = "The data cannot be read: " + error; }));
