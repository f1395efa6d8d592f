// The pages behind the first: module, case, what to fix next, all cases, API coverage, run diff, slowest, health.
"use strict";

// What deviates comes first.
const VERDICTS = ["absent", "worse", "impl_detail", "better", "ref_broken", "ref_skip", "same"];
const why = (sig) => (data.failures[sig] || { title: "" }).title;

function casesTable(caption, rows, withModule) {
  const columns = [
    ["case", (row) => row[0], (row) => link(["case", row.module, row[0]], withModule ? row.module + "." + row[0] : row[0])],
    ["verdict", (row) => VERDICTS.indexOf(row[1]), (row) => el("span", { class: row[1] }, row[1])],
    ["status", (row) => row[2], (row) => row[2]],
    ["ms", (row) => row[4], (row) => String(row[4]), true],
    ["reference ms", (row) => row[5], (row) => String(row[5]), true],
    ["why", (row) => why(row[3]), (row) => why(row[3])],
  ];
  return table(caption, columns, rows, 1);
}

function rowsOf(name) {
  const rows = data.cases[name] || [];
  for (const row of rows) row.module = name;
  return rows;
}

pages.module = (name) => {
  const rows = rowsOf(name);
  const score = data.summary.modules[name];
  if (!score) return [el("h2", {}, name), el("p", {}, `No module ${name} in this run.`)];
  return [el("h2", {}, name), el("p", { class: "faint" }, score.cases
    ? `${score.same} of ${score.cases} cases as the reference; portable ${score.portable_same} of ${score.portable_cases}; `
      + `${score.subject_ms} ms, reference ${score.reference_ms} ms.`
    : "The reference passes no case here: in no mean."),
  peersOf(name), el("pre", {}, `scripts/conform ${name}`),
  filtered(rows, (row) => row[0], (row) => row[1], "case", (chosen) => casesTable(`Cases of ${name}`, chosen, false))];
};

function peersOf(name) {
  const items = data.peers.filter((peer) => peer.modules[name]).map((peer) => {
    const theirs = peer.modules[name];
    const reach = theirs.ladder === "runs" ? "" : `; a bare import reaches: ${theirs.ladder || "nothing"}`;
    return el("li", {}, `${peer.name}: ${theirs.same} of ${theirs.cases} cases as the reference, ${show(percent(theirs.same, theirs.cases))}${reach}.`);
  });
  return items.length ? el("ul", { "aria-label": "Other Pythons on this module" }, items) : null;
}

pages.cases = () => {
  const rows = Object.keys(data.cases).flatMap(rowsOf);
  return [el("h2", {}, "Cases"), filtered(rows, (row) => row.module + "." + row[0], (row) => row[2], "module or case",
    (chosen) => casesTable("Every case of the run", chosen, true))];
};

pages.case = (name, id) => {
  const rows = rowsOf(name);
  const at = rows.findIndex((row) => row[0] === id);
  if (at < 0) return [el("h2", {}, id || ""), el("p", {}, "No such case in this run.")];
  const row = rows[at];
  const failure = data.failures[row[3]];
  const neighbour = (step, text) => (rows[at + step] ? link(["case", name, rows[at + step][0]], text) : null);
  const reference = row[1] === "ref_skip" ? "skips the case" : row[1] === "ref_broken" || row[1] === "better" ? "does not pass" : "passes";
  const parts = [el("h2", {}, link(["module", name], name), " ", id),
    el("p", {}, "Verdict: ", el("span", { class: row[1] }, row[1]), `; status ${row[2]}.`),
    el("p", {}, [neighbour(-1, "Previous case"), " ", neighbour(1, "Next case")])];
  parts.push(el("div", { class: "pair" },
    el("section", {}, el("h3", {}, `Subject: ${row[2]}, ${row[4]} ms`), failure ? el("p", {}, el("code", {}, failure.title)) : null,
      failure && failure.subject ? el("pre", { tabindex: "0" }, failure.subject) : el("p", { class: "faint" }, "No traceback.")),
    el("section", {}, el("h3", {}, `Reference: ${reference}, ${row[5]} ms`),
      failure && failure.reference ? el("pre", { tabindex: "0" }, failure.reference) : el("p", { class: "faint" }, "No traceback."))));
  if (failure) parts.push(el("p", { class: "faint" }, `One traceback is kept per signature (${row[3]}); this one may be another case's.`));
  parts.push(caseHistory(name + "." + id), el("h3", {}, "Reproduce"),
    el("pre", {}, `scripts/conform show '${name}.${id}' --run-again\nscripts/conform repro '${name}.${id}' --minimise\nscripts/conform bisect '${name}.${id}' --good COMMIT`));
  return parts;
};

function caseHistory(key) {
  const changes = data.changes[key];
  if (!changes && Object.keys(data.changes).length >= 20000) return el("p", { class: "faint" }, "Too many cases changed to keep every history here: the file cases has it.");
  if (!changes) return el("p", { class: "faint" }, `The same in all ${data.runs.length} published runs.`);
  const last = changes[changes.length - 1];
  const passed = changes.map((change) => change[1]).lastIndexOf("pass");
  const bad = last[1] !== "pass" && passed >= 0 ? data.runs[changes[passed + 1][0]] : null;
  return el("section", {}, el("h3", {}, "History"), el("ul", {}, changes.map(([run, status]) => el("li", {}, `${data.runs[run] || "?"}: ${status}`))),
    bad ? el("p", { class: "worse" }, `First bad published commit: ${bad}.`) : null);
}

pages.next = () => [el("h2", {}, "Fix this next"), el("p", { class: "faint" }, "Failures with one signature, ranked by the cases that one fix would unblock."),
  table("Clusters of failures", [
    ["portable cases", (row) => row.portable, (row) => String(row.portable), true],
    ["all", (row) => row.cases, (row) => String(row.cases), true],
    ["status", (row) => row.status, (row) => row.status],
    ["what", (row) => row.title, (row) => [row.title, row.frame ? el("div", { class: "faint" }, "in " + row.frame) : null]],
    ["example", (row) => row.example, (row) => { const [name, ...rest] = row.example.split("."); return link(["case", name, rest.join(".")], row.example); }],
    ["modules", (row) => row.modules.length, (row) => [String(row.modules.length) + ": ", row.modules.slice(0, 4).flatMap((name) => [link(["module", name], name), " "]), row.modules.length > 4 ? "…" : null], true],
  ], data.clusters)];

pages.api = (name) => {
  if (!data.api.length) return [el("h2", {}, "API coverage"), el("p", {}, "Not measured: "), el("pre", {}, "scripts/conform api")];
  const one = name && data.api.find((entry) => entry.module === name);
  if (one) {
    return [el("h2", {}, `API coverage: ${name}`), el("p", {}, one.error ? `Does not import: ${one.error}` : `${one.present} of ${one.names} names.`),
      table("Names that the reference has", [
        ["name", (row) => row.name, (row) => el("code", {}, row.name + row.signature)],
        ["kind", (row) => row.kind, (row) => row.kind],
        ["used by", (row) => row.uses.length, (row) => row.uses.slice(0, 8).join(" "), true],
      ], one.missing, 2),
      table("Signatures that differ", [
        ["name", (row) => row.name, (row) => el("code", {}, row.name)],
        ["reference", (row) => row.reference, (row) => el("code", {}, row.reference)],
        ["subject", (row) => row.subject, (row) => el("code", {}, row.subject || "none told")],
      ], one.signatures)];
  }
  const share = (row) => (row.error ? 0 : percent(row.present, row.names));
  return [el("h2", {}, "API coverage"), el("p", { class: "faint" }, "Public names and signatures of the library, by introspection on both sides."),
    table("Modules of the library", [
      ["module", (row) => row.module, (row) => link(["api", row.module], row.module)],
      ["names", (row) => row.names, (row) => String(row.names), true],
      ["missing", (row) => (row.error ? row.names : row.missing.length), (row) => (row.error ? "all" : String(row.missing.length)), true],
      ["present", share, (row) => [bar(share(row)), " ", show(share(row))], true],
      ["other signatures", (row) => row.signatures.length, (row) => String(row.signatures.length), true],
      ["imported by", (row) => row.uses, (row) => String(row.uses), true],
      ["error", (row) => row.error || "", (row) => row.error || ""],
    ], data.api, 2)];
};

pages.diff = () => {
  const change = data.diff;
  if (!change) return [el("h2", {}, "Run diff"), el("p", {}, "No run was published before this one.")];
  const rows = ["broken", "new_crashes", "changed", "fixed"].flatMap((kind) => change[kind].map((row) => ({ ...row, kind })));
  return [el("h2", {}, "Run diff"), el("p", {}, `Against ${change.base}: ${change.fixed.length} fixed, ${change.broken.length} broken, `
    + `${change.changed.length} changed, ${change.new_crashes.length} new crashes; ${change.passed_before} of ${change.cases} portable cases passed before, ${change.passed_now} do now.`),
  filtered(rows, (row) => row.case, (row) => row.kind, "case", (chosen) => table("Cases that changed", [
    ["kind", (row) => row.kind, (row) => el("span", { class: row.kind }, row.kind.replace("_", " "))],
    ["case", (row) => row.case, (row) => { const [name, ...rest] = row.case.split("."); return link(["case", name, rest.join(".")], row.case); }],
    ["was", (row) => row.was, (row) => row.was],
    ["is", (row) => row.is, (row) => row.is],
    ["why", (row) => row.why, (row) => row.why],
  ], chosen))];
};

pages.slow = () => {
  const rows = [];
  for (const [name, list] of Object.entries(data.cases)) {
    let ours = 0, theirs = 0, most = null;
    for (const row of list) {
      if (row[1] !== "same") continue;
      ours += row[4];
      theirs += row[5];
      if (!most || row[4] - row[5] > most[4] - most[5]) most = row;
    }
    if (theirs >= 20) rows.push({ name, ours, theirs, most });
  }
  const ratio = (row) => row.ours / row.theirs;
  const mean = Math.exp(rows.reduce((sum, row) => sum + Math.log(Math.max(ratio(row), 0.001)), 0) / (rows.length || 1));
  return [el("h2", {}, "Slowest against the reference"), el("p", { class: "faint" }, `Cases that both pass, in modules that take the reference 20 ms or more; geometric mean ${mean.toFixed(2)}.`),
    table("Durations", [
      ["times the reference", ratio, (row) => ratio(row).toFixed(2), true],
      ["module", (row) => row.name, (row) => link(["module", row.name], row.name)],
      ["ms", (row) => row.ours, (row) => String(row.ours), true],
      ["reference ms", (row) => row.theirs, (row) => String(row.theirs), true],
      ["loses most", (row) => row.most[4] - row.most[5], (row) => [link(["case", row.name, row.most[0]], row.most[0]), ` ${row.most[4] - row.most[5]} ms`], true],
    ], rows)];
};

pages.health = () => {
  const { health, summary } = data;
  const meta = summary.meta;
  const cpu = meta.supervisor_cpu + meta.workers_cpu;
  const pairs = (caption, head, rows) => table(caption, [
    [head, (row) => row[0], (row) => row[0]], ["count", (row) => row[1], (row) => String(row[1]), true],
  ], rows, 1);
  return [el("h2", {}, "Harness health"),
    el("ul", {}, [
      meta.complete ? "The run is complete." : "The run is not complete.",
      meta.suite_is_pinned ? "The suite is the pinned one." : "The suite is not the pinned one.",
      `${summary.total.not_run} cases not run (${show(percent(summary.total.not_run, summary.total.strict.cases))}; at most 1 % in a run that counts).`,
      `${health.flaky} cases in quarantine (at most 150).`,
      `${summary.total.not_applicable} modules in which the reference passes nothing: in no mean.`,
      `${meta.seconds} s of wall time, ${cpu.toFixed(0)} s of CPU time.`,
      `The supervisor's own CPU time: ${meta.supervisor_cpu.toFixed(1)} s, ${show(percent(meta.supervisor_cpu, cpu))} of the whole (at most 5 %).`,
      `The recorder's, within the workers: ${meta.recorder_cpu.toFixed(1)} s, ${show(percent(meta.recorder_cpu, cpu))}.`,
      `${health.attempts} workers for ${Object.keys(summary.modules).length} modules.`,
    ].map((text) => el("li", {}, text))),
    pairs("Cases that took their worker down, or were not run", "status", Object.entries(health.violent)),
    pairs("Modules that needed more than one worker", "module", health.restarted),
    pairs("Modules that use the most memory, in MiB", "module", health.memory),
    pairs("Outcomes on the reference", "status", Object.entries(health.reference))];
};
