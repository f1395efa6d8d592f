// The first page: scores, trend, treemap, modules.
"use strict";

pages[""] = () => {
  const { summary } = data;
  const meta = summary.meta;
  const modules = Object.entries(summary.modules);
  const parts = [el("h2", {}, "Overview"), el("p", { class: "faint" }, `${meta.subject_version} at commit ${meta.commit}, against ${meta.reference}, `
    + new Date(meta.started * 1000).toISOString().slice(0, 16).replace("T", " ") + " UTC.")];
  if (!meta.suite_is_pinned) parts.push(el("p", { class: "warn" }, "The suite is not the pinned one: these figures compare with no other run's."));
  if (!meta.complete) parts.push(el("p", { class: "warn" }, "The run is not complete."));
  parts.push(el("h3", {}, "Portable: without what the suite marks as CPython's own"), cards(summary.total.portable),
    el("h3", {}, "Strict: every case that the reference passes"), cards(summary.total.strict));
  if (summary.total.not_run) parts.push(el("p", {}, `${summary.total.not_run} cases were not run; they count as deviations.`));
  if (data.history.length > 1) parts.push(trend(data.history));
  parts.push(lists(Object.entries(summary.lists)), peersTable());
  parts.push(el("h2", {}, "Modules by size"), treemap(modules), el("h2", {}, "Modules"), modulesTable(modules));
  return parts;
};

function cards(figures) {
  const card = (title, value, note) => el("div", { class: "card" }, el("span", {}, title), el("b", {}, value), el("span", {}, note));
  return el("div", { class: "cards" }, card("Cases", show(figures.parity), `${figures.same} of ${figures.cases}`),
    card("Mean over modules", show(figures.mean), `${figures.modules} modules`),
    card("Modules fully green", `${figures.green} of ${figures.modules}`, show(percent(figures.green, figures.modules))));
}

function lists(rows) {
  if (rows.length < 2) return null;
  return el("section", {}, el("h2", {}, "Lists"), table("Scores of each list of the suite", [
    ["list", (row) => row[0], (row) => row[0]],
    ["cases", (row) => row[1].strict.cases, (row) => String(row[1].strict.cases), true],
    ["portable", (row) => row[1].portable.parity, (row) => show(row[1].portable.parity), true],
    ["strict", (row) => row[1].strict.parity, (row) => show(row[1].strict.parity), true],
    ["green modules", (row) => row[1].portable.green, (row) => `${row[1].portable.green} of ${row[1].portable.modules}`, true],
  ], rows));
}

function peersTable() {
  if (!data.peers.length) return null;
  const { meta, total, loaded } = data.summary;
  const own = { name: "this run", version: meta.subject_version, started: meta.started, complete: meta.complete, total, loaded };
  const rows = [own, ...data.peers];
  const day = (row) => new Date(row.started * 1000).toISOString().slice(0, 10);
  return el("section", {}, el("h2", {}, "Peers"), table("Other Pythons on the same suite and reference", [
    ["Python", (row) => row.name, (row) => [row.name, el("div", { class: "faint" }, `${row.version}, ${day(row)}`),
      row.complete ? null : el("div", { class: "warn" }, `not complete: ${row.total.strict.cases} cases only`)].filter((part) => part)],
    ["strict", (row) => row.total.strict.parity, (row) => show(row.total.strict.parity), true],
    ["portable", (row) => row.total.portable.parity, (row) => show(row.total.portable.parity), true],
    ["modules green", (row) => row.total.strict.green, (row) => `${row.total.strict.green} of ${row.total.strict.modules}`, true],
    ["loads", (row) => row.loaded.strict.modules, (row) => String(row.loaded.strict.modules), true],
    ["strict on what it loads", (row) => row.loaded.strict.parity, (row) => `${show(row.loaded.strict.parity)} of ${row.loaded.strict.cases}`, true],
  ], rows, 1));
}

function modulesTable(modules) {
  const { summary } = data;
  const share = (score) => percent(score.same, score.cases);
  const columns = [
    ["module", (row) => row[0], (row) => link(["module", row[0]], row[0])],
    ["list", (row) => summary.list_of[row[0]], (row) => summary.list_of[row[0]]],
    ["cases", (row) => row[1].cases, (row) => row[1].cases ? String(row[1].cases) : "n/a", true],
    ["left", (row) => row[1].cases - row[1].same, (row) => String(row[1].cases - row[1].same), true],
    ["strict", (row) => share(row[1]), (row) => row[1].cases ? [bar(share(row[1])), " ", show(share(row[1]))] : "n/a", true],
    ["portable", (row) => percent(row[1].portable_same, row[1].portable_cases), (row) => row[1].portable_cases ? show(percent(row[1].portable_same, row[1].portable_cases)) : "n/a", true],
    ["reaches", (row) => row[1].ladder, (row) => row[1].ladder],
  ];
  for (const peer of data.peers) {
    const theirs = (row) => peer.modules[row[0]];
    columns.push([peer.name, (row) => (theirs(row) ? share(theirs(row)) : -1), (row) => (theirs(row) && theirs(row).cases ? show(share(theirs(row))) : ""), true]);
  }
  return table("Every module of the run", columns, modules, 3);
}

// Parity of the published runs on a scale that shows them; a change of the pinned suite is marked by a dashed line. Runs
// of another selection of modules than the last one's are hollow: they are points, but no part of the line.
function trend(history) {
  const points = history.slice(-60);
  const value = (point) => point.total.portable.parity;
  const low = Math.max(0, Math.floor(Math.min(...points.map(value)) - 0.5));
  const high = Math.min(100, Math.ceil(Math.max(...points.map(value)) + 0.5));
  const x = (index) => 40 + (index * 550) / Math.max(1, points.length - 1);
  const y = (number) => 100 - ((number - low) * 90) / Math.max(1, high - low);
  const last = points[points.length - 1];
  const alike = (point) => point.select.join() === last.select.join();
  const svg = svgNode("svg", { viewBox: "0 0 600 120", width: "100%", role: "img",
    "aria-label": `Portable parity over ${points.length} published runs: from ${show(value(points[0]))} to ${show(value(last))}` });
  for (const mark of [low, high]) {
    svg.append(svgNode("line", { x1: 40, x2: 590, y1: y(mark), y2: y(mark), stroke: "var(--line)" }),
      svgNode("text", { x: 0, y: y(mark) + 4, "font-size": 11, fill: "var(--faint)" }, `${mark} %`));
  }
  points.forEach((point, index) => {
    if (index && point.pin !== points[index - 1].pin) svg.append(svgNode("line", { x1: x(index), x2: x(index), y1: 0, y2: 110, stroke: "currentColor", "stroke-dasharray": "3" }, svgNode("title", {}, "another suite")));
    svg.append(svgNode("circle", { cx: x(index), cy: y(value(point)), r: 3, fill: alike(point) ? "var(--accent)" : "var(--paper)", stroke: "var(--accent)" }, svgNode("title", {}, `${point.commit}: ${value(point).toFixed(2)} % of ${point.total.portable.cases} (${point.select.join(" ") || "language"})`)));
  });
  const line = points.map((point, index) => (alike(point) ? `${x(index)},${y(value(point))}` : null)).filter((place) => place);
  svg.prepend(svgNode("polyline", { points: line.join(" "), fill: "none", stroke: "var(--accent)", "stroke-width": 2 }));
  return el("section", {}, el("h2", {}, "Trend"), svg, el("p", { class: "faint" }, `Portable parity, ${points[0].commit} to ${last.commit}`
    + (points.every(alike) ? "." : `; hollow: runs of other modules than ${last.select.join(" ") || "language"}.`)));
}

// Squarified: each module's area is its number of cases, its colour its share of passes; the tile says both in words.
function treemap(modules) {
  const tiles = modules.filter(([, score]) => score.cases).sort((a, b) => b[1].cases - a[1].cases);
  const holder = el("div", { class: "tree", role: "group", "aria-label": "Treemap of modules: size is cases, colour is parity" });
  const total = tiles.reduce((sum, [, score]) => sum + score.cases, 0);
  let box = { x: 0, y: 0, w: 100, h: 50 };
  const scale = (box.w * box.h) / (total || 1);
  const worst = (row, side) => {
    const sum = row.reduce((all, one) => all + one.area, 0);
    return Math.max(...row.map((one) => Math.max((side * side * one.area) / (sum * sum), (sum * sum) / (side * side * one.area))));
  };
  const place = (row) => {
    const sum = row.reduce((all, one) => all + one.area, 0);
    const across = box.w < box.h;
    const thick = sum / (across ? box.w : box.h);
    let at = across ? box.x : box.y;
    for (const one of row) {
      const long = one.area / thick;
      holder.append(tile(one, across ? { x: at, y: box.y, w: long, h: thick } : { x: box.x, y: at, w: thick, h: long }));
      at += long;
    }
    box = across ? { ...box, y: box.y + thick, h: box.h - thick } : { ...box, x: box.x + thick, w: box.w - thick };
  };
  let row = [];
  for (const [name, score] of tiles) {
    const one = { name, score, area: score.cases * scale };
    const side = Math.min(box.w, box.h);
    if (row.length && worst([...row, one], side) > worst(row, side)) {
      place(row);
      row = [];
    }
    row.push(one);
  }
  if (row.length) place(row);
  return holder;
}

function tile({ name, score }, at) {
  const share = percent(score.same, score.cases);
  const hue = share >= 100 ? 150 : Math.max(0, (share - 50) * 1.8);
  const words = `${name}: ${score.same} of ${score.cases}, ${show(share)}`;
  const roomy = at.w > 3 && at.h > 2;
  return link(["module", name], roomy ? name.replace(/^test_/, "") : "", { title: words, "aria-label": words,
    style: `left:${at.x}%;top:${at.y * 2}%;width:${at.w}%;height:${at.h * 2}%;background:hsl(${hue} 50% 30%)` });
}
