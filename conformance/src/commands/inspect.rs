//! Commands that read recorded runs: triage, show, diff, perf, report.

use std::io;
use std::path::PathBuf;

use crate::commands::measure::measure_again;
use crate::compare;
use crate::exit;
use crate::expectations;
use crate::gate::text_diff;
use crate::record::{Meta, ModuleResult, Record, Results, RunFolder, Status};
use crate::report::{self, Summary, junit, markdown};
use crate::run::{Session, Sides, runs_folder};
use crate::score::verdict;
use crate::suite::{Selected, Suite, repository};
use crate::triage::{self, clusters, title};

/// A run with the reference's results that it was measured against.
struct Loaded {
    suite: Suite,
    meta: Meta,
    reference: Results,
    subject: Results,
}

fn open(run: &str) -> io::Result<Loaded> {
    let folder = RunFolder::open(&runs_folder(), run)?;
    let meta = folder.meta()?;
    let subject = folder.results()?;
    let cache = runs_folder().join("reference").join(&meta.reference_key);
    let mut reference = Results::new();
    for module in subject.keys() {
        let records = crate::record::read_records(&cache.join(format!("{module}.jsonl"))).map_err(|error| {
            io::Error::other(format!(
                "the reference's results that {} was measured against: {module}: {error}",
                meta.run
            ))
        })?;
        reference.insert(module.clone(), ModuleResult::from_records(records));
    }
    Ok(Loaded { suite: Suite::load()?, meta, reference, subject })
}

pub fn triage(run: &str, top: usize, json: bool) -> io::Result<u8> {
    let loaded = open(run)?;
    let found = clusters(&loaded.suite, &loaded.reference, &loaded.subject);
    if json {
        println!("{}", serde_json::to_string_pretty(&found).map_err(io::Error::other)?);
    } else {
        print!("{}", triage::text(&found, top));
    }
    Ok(0)
}

/// `NAME=RUN` of another Python, measured against the same reference.
fn peer(word: &str) -> io::Result<report::Peer> {
    let (name, run) = word.split_once('=').ok_or_else(|| io::Error::other("--peer is written NAME=RUN"))?;
    let loaded = open(run)?;
    let summary = Summary::new(&loaded.suite, loaded.meta, &loaded.reference, &loaded.subject);
    Ok(report::Peer::new(name, summary))
}

pub fn report(run: &str, format: &str, out: Option<PathBuf>, peers: &[String]) -> io::Result<u8> {
    let loaded = open(run)?;
    let summary = Summary::new(&loaded.suite, loaded.meta, &loaded.reference, &loaded.subject);
    match format {
        "md" => print!("{}", markdown::summary(&summary)),
        "json" => println!("{}", serde_json::to_string_pretty(&summary).map_err(io::Error::other)?),
        "badge" => println!("{}", report::badge(&summary)),
        "junit" => print!("{}", junit::xml(&loaded.suite, &loaded.reference, &loaded.subject)),
        "html" => {
            let folder = out.unwrap_or_else(|| repository().join("reports"));
            let mut shown = report::Peer::load_all(&repository().join("reports/peers"))?;
            for peer in peers.iter().map(|word| peer(word)) {
                let peer = peer?;
                shown.retain(|known| known.name != peer.name);
                shown.push(peer);
            }
            // What `conformance api` found last.
            let api = runs_folder().join("api.json");
            let api = if api.exists() { std::fs::read_to_string(api)? } else { "[]".to_owned() };
            let extras = report::Extras { peers: shown, api: serde_json::from_str(&api).map_err(io::Error::other)? };
            report::write_all(&folder, &loaded.suite, &summary, &loaded.reference, &loaded.subject, &extras)?;
            println!("{}", folder.join("index.html").display());
        }
        "peer" => {
            let path = out.ok_or_else(|| io::Error::other("--format peer needs --out reports/peers/NAME.json"))?;
            let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
            report::Peer::new(&name, summary).store(&path)?;
            println!("{}", path.display());
        }
        other => return Err(io::Error::other(format!("no format {other}: md, json, junit, badge, html or peer"))),
    }
    Ok(0)
}

pub fn show(sides: &Sides, id: &str, run: &str, run_again: bool, json: bool) -> io::Result<u8> {
    let (suite, reference, subject) = if run_again {
        let session = Session::open(sides)?;
        let selected = session.suite.select(&[id.to_owned()]).map_err(io::Error::other)?;
        let (reference, subject) = measure_again(&session, &selected)?;
        (session.suite, reference, subject)
    } else {
        let loaded = open(run)?;
        (loaded.suite, loaded.reference, loaded.subject)
    };
    let selected = suite.select(&[id.to_owned()]).map_err(io::Error::other)?;
    let mut found = chosen(&selected, &reference, &subject);
    if let (true, Some((module, case))) = (found.is_empty(), id.split_once('.')) {
        // Classes made within functions have long names: a part of the name will do.
        let wide = suite.select(&[format!("{module}.*{case}*")]).map_err(io::Error::other)?;
        found = chosen(&wide, &reference, &subject);
    }
    if json {
        let both = found.iter().map(|(module, id)| {
            let (before, record) = (&reference[module].cases[id], subject[module].cases.get(id));
            let verdict = verdict(before, record, suite.is_portable(module, id));
            serde_json::json!({ "case": format!("{module}.{id}"), "verdict": verdict, "reference": before, "subject": record })
        });
        println!("{}", serde_json::Value::Array(both.collect()));
        return Ok(0);
    }
    match found.as_slice() {
        [] => return Err(io::Error::other(format!("no case {id} in that run"))),
        [(module, one)] => print!("{}", details(&suite, module, one, &reference, &subject)),
        many => {
            for (module, one) in many {
                println!("{}", line(&suite, module, one, &reference, &subject));
            }
        }
    }
    Ok(0)
}

fn chosen(selected: &[Selected], reference: &Results, subject: &Results) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for one in selected.iter().filter(|one| subject.contains_key(&one.module)) {
        let Some(expected) = reference.get(&one.module) else { continue };
        let ids = expected.order.iter().filter(|id| one.wants(id));
        found.extend(ids.map(|id| (one.module.clone(), id.clone())));
    }
    found
}

fn line(suite: &Suite, module: &str, id: &str, reference: &Results, subject: &Results) -> String {
    let before = &reference[module].cases[id];
    let record = subject[module].cases.get(id);
    let verdict = verdict(before, record, suite.is_portable(module, id));
    let status = record.map_or("absent", |record| record.status.word());
    let why = record.filter(|record| record.sig.is_some()).map(title).unwrap_or_default();
    format!("{:11} {status:12} {module}.{id}  {why}", verdict.word())
}

fn details(suite: &Suite, module: &str, id: &str, reference: &Results, subject: &Results) -> String {
    let before = &reference[module].cases[id];
    let record = subject[module].cases.get(id);
    let mut out = line(suite, module, id, reference, subject) + "\n";
    out += &format!("\nreference: {}\n", side(before));
    let Some(record) = record else { return out + "\nsubject: never reported the case\n" };
    out += &format!("\nsubject: {}\n", side(record));
    let old = before.exc.as_ref().map_or("", |exc| exc.trace.as_str());
    let new = record.exc.as_ref().map_or("", |exc| exc.trace.as_str());
    if !old.is_empty() && !new.is_empty() && old != new {
        out += &format!("\n{}", text_diff(old, new));
    }
    // A module that did not load has its traceback on its own record.
    if record.status == Status::ImportError
        && let Some(module) = &subject[module].module
    {
        out += &format!("\nmodule: {}\n", side(module));
        if let Some(ladder) = &module.ladder {
            out += &format!("bare import: {ladder}\n");
        }
    }
    out
}

fn side(record: &Record) -> String {
    let mut out = format!("{}, {} ms", record.status.word(), record.ms);
    if let Some(parts) = record.subtests {
        out += &format!(", sub-tests: {} passed, {} failed, {} skipped", parts.passed, parts.failed, parts.skipped);
    }
    for (name, value) in [("reason", &record.reason), ("panic", &record.panic), ("signature", &record.sig)] {
        if let Some(value) = value {
            out += &format!("\n  {name}: {value}");
        }
    }
    let trace = record
        .exc
        .as_ref()
        .map(|exc| if exc.trace.is_empty() { format!("{}: {}", exc.kind, exc.message) } else { exc.trace.clone() });
    for text in [trace, record.out.clone()].into_iter().flatten() {
        out += &format!("\n{}", text.trim_end());
    }
    out
}

pub fn diff(old: &str, new: &str, json: bool) -> io::Result<u8> {
    let base = compare::base(old)?;
    let loaded = open(new)?;
    let mut found = compare::compare(&loaded.suite, &base, &loaded.reference, &loaded.subject);
    found.set_flaky_aside(&expectations::folder())?;
    if json {
        println!("{}", serde_json::to_string(&found).map_err(io::Error::other)?);
    } else {
        print!("{}", found.text());
    }
    Ok(exit::found(!found.is_empty()))
}

pub fn perf(run: &str, top: usize, json: bool) -> io::Result<u8> {
    let loaded = open(run)?;
    let mut rows: Vec<(f64, String, u64, u64)> = Vec::new();
    for (module, result) in &loaded.subject {
        let Some(expected) = loaded.reference.get(module) else { continue };
        let (mut ours, mut theirs) = (0, 0);
        for (id, before) in &expected.cases {
            // Only cases that both pass say anything about speed.
            let passed = result.cases.get(id).filter(|record| record.status == Status::Pass);
            if let (Some(record), Status::Pass) = (passed, before.status) {
                ours += record.ms;
                theirs += before.ms;
            }
        }
        if theirs >= 50 {
            rows.push((ours as f64 / theirs as f64, module.clone(), ours, theirs));
        }
    }
    rows.sort_by(|a, b| b.0.total_cmp(&a.0));
    if json {
        let rows = rows.iter().map(|(ratio, module, ours, theirs)| {
            serde_json::json!({ "module": module, "ratio": ratio, "ms": ours, "reference_ms": theirs })
        });
        println!("{}", serde_json::Value::Array(rows.collect()));
        return Ok(0);
    }
    for (ratio, module, ours, theirs) in rows.iter().take(top) {
        println!("{ratio:>8.2}  {module:30} {ours} ms, reference {theirs} ms");
    }
    let logs: f64 = rows.iter().map(|row| row.0.max(0.001).ln()).sum();
    if !rows.is_empty() {
        println!("geometric mean over {} modules: {:.2}", rows.len(), (logs / rows.len() as f64).exp());
    }
    Ok(0)
}
