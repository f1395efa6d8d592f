// The dashboard's script: unpacks the data and draws the page that the address names. No library, no network.
"use strict";

const main = document.getElementById("main");
let data = null;

function el(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined) node.setAttribute(name, value);
  }
  for (const child of children.flat()) if (child !== null && child !== undefined) node.append(child);
  return node;
}

const percent = (part, whole) => (whole ? (100 * part) / whole : 0);
const show = (number) => number.toFixed(1) + " %";
const link = (path, text, attributes) => el("a", { href: "#/" + path.map(encodeURIComponent).join("/"), ...attributes }, text);

// A table whose columns sort; a column is [title, value of a row, cell of a row, is a number].
function table(columns, rows, sorted) {
  let order = sorted ?? 0;
  let down = columns[order][3] === true;
  const body = el("tbody");
  const draw = () => {
    const value = columns[order][1];
    const sign = down ? -1 : 1;
    const list = [...rows].sort((a, b) => (value(a) < value(b) ? -sign : value(a) > value(b) ? sign : 0));
    body.replaceChildren(...list.slice(0, 3000).map((row) => el("tr", {}, columns.map(([, , cell, number]) =>
      el("td", { class: number ? "n" : null }, cell(row))))));
    heads.forEach((head, index) => head.setAttribute("aria-sort", index !== order ? "none" : down ? "descending" : "ascending"));
  };
  const heads = columns.map(([title, , , number], index) => el("th", { class: number ? "n" : null, scope: "col" },
    el("button", { type: "button", onclick: () => { down = index === order ? !down : number === true; order = index; draw(); } }, title)));
  draw();
  return el("div", { class: "scroll" }, el("table", {}, el("thead", {}, el("tr", {}, heads)), body));
}

function cards(scores) {
  const card = (title, figures) => el("div", { class: "card" }, el("span", {}, title), el("b", {}, show(figures.parity)),
    el("span", {}, `${figures.same} of ${figures.cases} cases; module mean ${show(figures.mean)}; ${figures.green} of ${figures.modules} modules green`));
  return el("div", { class: "cards" }, card("Portable parity", scores.portable), card("Strict parity", scores.strict));
}

function overview() {
  const { summary } = data;
  const meta = summary.meta;
  const modules = Object.entries(summary.modules);
  const parts = [];
  parts.push(el("p", { class: "faint" }, `${meta.subject_version} at commit ${meta.commit}, against ${meta.reference}, `
    + new Date(meta.started * 1000).toISOString().slice(0, 16).replace("T", " ") + " UTC."));
  if (!meta.suite_is_pinned) parts.push(el("p", { class: "warn" }, "The suite is not the pinned one: these figures compare with no other run's."));
  if (!meta.complete) parts.push(el("p", { class: "warn" }, "The run is not complete."));
  parts.push(cards(summary.total));
  if (summary.total.not_run) parts.push(el("p", {}, `${summary.total.not_run} cases were not run; they count as deviations.`));
  if (data.history.length > 1) parts.push(trend(data.history));
  const lists = Object.entries(summary.lists);
  if (lists.length > 1) {
    parts.push(el("h2", {}, "Lists"), table([
      ["list", (row) => row[0], (row) => row[0]],
      ["cases", (row) => row[1].strict.cases, (row) => String(row[1].strict.cases), true],
      ["portable", (row) => row[1].portable.parity, (row) => show(row[1].portable.parity), true],
      ["strict", (row) => row[1].strict.parity, (row) => show(row[1].strict.parity), true],
      ["green modules", (row) => row[1].portable.green, (row) => `${row[1].portable.green} of ${row[1].portable.modules}`, true],
    ], lists));
  }
  parts.push(el("h2", {}, "Modules by size"), treemap(modules));
  parts.push(el("h2", {}, "Modules"), table([
    ["module", (row) => row[0], (row) => link(["module", row[0]], row[0])],
    ["list", (row) => summary.list_of[row[0]], (row) => summary.list_of[row[0]]],
    ["cases", (row) => row[1].cases, (row) => row[1].cases ? String(row[1].cases) : "n/a", true],
    ["same", (row) => row[1].same, (row) => String(row[1].same), true],
    ["strict", (row) => percent(row[1].same, row[1].cases), (row) => row[1].cases ? [bar(percent(row[1].same, row[1].cases)), " ", show(percent(row[1].same, row[1].cases))] : "", true],
    ["portable", (row) => percent(row[1].portable_same, row[1].portable_cases), (row) => row[1].portable_cases ? show(percent(row[1].portable_same, row[1].portable_cases)) : "n/a", true],
    ["reaches", (row) => row[1].ladder, (row) => row[1].ladder],
  ], modules));
  return parts;
}

// Portable parity of the published runs; a change of the pinned suite is marked by a line.
function trend(history) {
  const points = history.slice(-60);
  const make = (tag, attributes) => {
    const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    return node;
  };
  const x = (index) => 5 + (index * 590) / Math.max(1, points.length - 1);
  const y = (point) => 95 - point.total.portable.parity * 0.9;
  const last = points[points.length - 1].total.portable.parity;
  const svg = make("svg", { viewBox: "0 0 600 100", width: "100%", height: "100", preserveAspectRatio: "none", role: "img",
    "aria-label": `Portable parity over ${points.length} published runs, now ${show(last)}` });
  points.forEach((point, index) => {
    if (index && point.pin !== points[index - 1].pin) svg.append(make("line", { x1: x(index), x2: x(index), y1: 0, y2: 100, stroke: "currentColor", "stroke-dasharray": "3" }));
  });
  svg.append(make("polyline", { points: points.map((point, index) => `${x(index)},${y(point)}`).join(" "), fill: "none", stroke: "var(--accent)", "stroke-width": 2 }));
  return el("section", {}, el("h2", {}, "Trend"), svg, el("p", { class: "faint" }, `${points[0].commit} to ${points[points.length - 1].commit}`));
}

const bar = (value) => el("span", { class: "bar", "aria-hidden": "true" }, el("i", { style: `width:${value}%` }));

function treemap(modules) {
  const tiles = modules.filter(([, score]) => score.cases).sort((a, b) => b[1].cases - a[1].cases).map(([name, score]) => {
    const share = percent(score.same, score.cases);
    const hue = share >= 100 ? 140 : share * 0.9;
    return link(["module", name], name.replace(/^test_/, ""), {
      title: `${name}: ${score.same} of ${score.cases}`,
      style: `flex-basis:${Math.max(12, Math.sqrt(score.cases) * 7)}px;background:hsl(${hue} 45% 34%)`,
    });
  });
  return el("div", { class: "tree" }, tiles);
}

function modulePage(name) {
  const rows = data.cases[name];
  if (!rows) return [el("p", {}, `No module ${name} in this run.`)];
  const score = data.summary.modules[name];
  const holder = el("div");
  const text = el("input", { type: "search", placeholder: "case", "aria-label": "Filter by name", oninput: () => draw() });
  const statuses = [...new Set(rows.map((row) => row[1]))].sort();
  const choice = el("select", { "aria-label": "Filter by verdict", onchange: () => draw() }, el("option", { value: "" }, "every verdict"),
    statuses.map((word) => el("option", { value: word }, word)));
  const draw = () => {
    const chosen = rows.filter((row) => row[0].toLowerCase().includes(text.value.toLowerCase()) && (!choice.value || row[1] === choice.value));
    holder.replaceChildren(table([
      ["case", (row) => row[0], (row) => link(["case", name, row[0]], row[0])],
      ["verdict", (row) => row[1], (row) => el("span", { class: row[1] }, row[1])],
      ["status", (row) => row[2], (row) => row[2]],
      ["ms", (row) => row[4], (row) => String(row[4]), true],
      ["reference ms", (row) => row[5], (row) => String(row[5]), true],
      ["why", (row) => row[3], (row) => (data.failures[row[3]] || [""])[0]],
    ], chosen, 1));
  };
  draw();
  return [el("h2", {}, name), el("p", { class: "faint" }, score.cases
    ? `${score.same} of ${score.cases} cases as the reference; portable ${score.portable_same} of ${score.portable_cases}.`
    : "The reference passes no case here: in no mean."),
  el("div", { class: "filters" }, text, choice), holder];
}

function casePage(name, id) {
  const row = (data.cases[name] || []).find((row) => row[0] === id);
  if (!row) return [el("p", {}, "No such case in this run.")];
  const [title, trace] = data.failures[row[3]] || ["", ""];
  return [el("h2", {}, link(["module", name], name), " ", id), el("p", {}, "Verdict: ", el("span", { class: row[1] }, row[1]),
    `; status ${row[2]}; ${row[4]} ms, reference ${row[5]} ms.`),
  title ? el("p", {}, el("code", {}, title)) : null, trace ? el("pre", {}, trace) : null,
  trace ? el("p", { class: "faint" }, `One traceback is kept per signature (${row[3]}); this one may be another case's.`) : null,
  el("h2", {}, "Reproduce"), el("pre", {}, `scripts/conform show '${name}.${id}' --run-again`)];
}

function nextPage() {
  return [el("h2", {}, "Fix this next"), el("p", { class: "faint" }, "Failures with one signature, ranked by the cases that one fix would unblock."),
    table([
      ["portable cases", (row) => row.portable, (row) => String(row.portable), true],
      ["all", (row) => row.cases, (row) => String(row.cases), true],
      ["status", (row) => row.status, (row) => row.status],
      ["what", (row) => row.title, (row) => [row.title, row.frame ? el("div", { class: "faint" }, "in " + row.frame) : null]],
      ["modules", (row) => row.modules.length, (row) => [String(row.modules.length) + ": ", row.modules.slice(0, 4).flatMap((name) => [link(["module", name], name), " "]), row.modules.length > 4 ? "…" : null], true],
    ], data.clusters)];
}

function slowPage() {
  const rows = Object.entries(data.summary.modules).filter(([, score]) => score.reference_ms > 200 && score.same);
  const ratio = (row) => row[1].subject_ms / row[1].reference_ms;
  return [el("h2", {}, "Slowest against the reference"), table([
    ["times the reference", ratio, (row) => ratio(row).toFixed(2), true],
    ["module", (row) => row[0], (row) => link(["module", row[0]], row[0])],
    ["ms", (row) => row[1].subject_ms, (row) => String(row[1].subject_ms), true],
    ["reference ms", (row) => row[1].reference_ms, (row) => String(row[1].reference_ms), true],
  ], rows)];
}

function route() {
  const [page, ...rest] = location.hash.replace(/^#\/?/, "").split("/").map(decodeURIComponent);
  const pages = { module: modulePage, case: casePage, next: nextPage, slow: slowPage };
  main.replaceChildren(...(pages[page] || overview)(...rest).filter((part) => part));
  main.focus({ preventScroll: true });
  window.scrollTo(0, 0);
}

async function start() {
  const packed = Uint8Array.from(atob(window.KRAIT_DATA), (char) => char.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  data = await new Response(stream).json();
  window.addEventListener("hashchange", route);
  route();
}

start().catch((error) => { main.textContent = "The data cannot be read: " + error; });
