//! The dashboard: one page, its scripts and a data file, opened from disk without a server.
//!
//! The data travel as compressed JSON in a script, because a page on disk may load scripts but not fetch files. Each
//! traceback is kept once per signature, with the reference's where that failed as well.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde::Serialize;

use super::archive::{Archive, CaseHistory, Point};
use super::{Extras, Peer, Summary};
use crate::api::Coverage;
use crate::compare::Comparison;
use crate::record::{Record, Results, Status};
use crate::score::{Verdict, verdict};
use crate::suite::Suite;
use crate::triage::{Cluster, clip, clusters, title};

/// What the page is made from.
pub struct Page<'a> {
    pub suite: &'a Suite,
    pub summary: &'a Summary,
    pub history: &'a [Point],
    pub reference: &'a Results,
    pub subject: &'a Results,
    pub extras: &'a Extras,
    pub cases: &'a Archive,
    /// Against what was published before.
    pub change: Option<Comparison>,
}

const FILES: [(&str, &str); 5] = [
    ("index.html", include_str!("html/index.html")),
    ("style.css", include_str!("html/style.css")),
    ("page.js", include_str!("html/page.js")),
    ("overview.js", include_str!("html/overview.js")),
    ("views.js", include_str!("html/views.js")),
];

#[derive(Serialize)]
struct Failure {
    title: String,
    /// The subject's traceback, or the end of its output.
    subject: String,
    /// The reference's, where it fails as well.
    #[serde(skip_serializing_if = "String::is_empty")]
    reference: String,
}

#[derive(Serialize)]
struct Data<'a> {
    summary: &'a Summary,
    history: &'a [Point],
    clusters: Vec<Cluster>,
    /// Per module: rows of [case, verdict, status, signature, milliseconds, reference's milliseconds].
    cases: BTreeMap<&'a str, Vec<(&'a str, &'static str, &'static str, &'a str, u64, u64)>>,
    failures: BTreeMap<&'a str, Failure>,
    /// Commits of the published runs, and the cases whose status changed between them.
    runs: &'a [String],
    changes: BTreeMap<String, &'a CaseHistory>,
    diff: Option<Comparison>,
    api: &'a [Coverage],
    peers: &'a [Peer],
    health: Health,
}

/// How far the run itself can be trusted.
#[derive(Serialize, Default)]
struct Health {
    /// Cases by how violently they ended.
    violent: BTreeMap<&'static str, usize>,
    attempts: u64,
    restarted: Vec<(String, u32)>,
    /// Modules that use the most memory, in MiB.
    memory: Vec<(String, u64)>,
    /// Outcomes of the reference itself.
    reference: BTreeMap<&'static str, usize>,
    flaky: usize,
}

/// Tracebacks kept, and characters of each: they bound the committed site.
const MOST_TRACES: usize = 3000;
const TRACE_CHARS: usize = 2500;
const MOST_CHANGES: usize = 2000;
/// Cases with a history of their own; `reports/cases` has all of them.
const MOST_HISTORIES: usize = 20_000;
/// Missing names shown of a module.
const MOST_NAMES: usize = 200;

fn trace(record: &Record) -> String {
    let text = record.exc.as_ref().map(|exc| exc.trace.as_str()).filter(|trace| !trace.is_empty());
    clip(text.or(record.out.as_deref()).unwrap_or(""), TRACE_CHARS)
}

pub fn write(folder: &Path, page: &Page<'_>) -> io::Result<()> {
    let mut api = page.extras.api.clone();
    api.iter_mut().for_each(|one| one.missing.truncate(MOST_NAMES));
    let mut data = Data {
        summary: page.summary,
        history: page.history,
        clusters: clusters(page.suite, page.reference, page.subject).into_iter().take(200).collect(),
        cases: BTreeMap::new(),
        failures: BTreeMap::new(),
        runs: &page.cases.runs,
        changes: changes(page.cases),
        diff: page.change.clone().map(shortened),
        api: &api,
        peers: &page.extras.peers,
        health: health(page),
    };
    for (module, result) in page.subject {
        let Some(expected) = page.reference.get(module) else { continue };
        let rows = data.cases.entry(module.as_str()).or_default();
        for id in &expected.order {
            let before = &expected.cases[id];
            let record = result.cases.get(id);
            let verdict = verdict(before, record, page.suite.is_portable(module, id));
            let status = record.map_or("absent", |record| record.status.word());
            let sig = record.and_then(|record| record.sig.as_deref()).unwrap_or("");
            let deviates = verdict != Verdict::Same && record.is_some_and(|record| record.status != Status::Pass);
            let sig = if deviates { sig } else { "" };
            rows.push((id, verdict.word(), status, sig, record.map_or(0, |record| record.ms), before.ms));
            if let (Some(record), true) = (record, !sig.is_empty() && data.failures.len() < MOST_TRACES) {
                let reference = if before.status == Status::Pass { String::new() } else { trace(before) };
                let make = || Failure { title: title(record), subject: trace(record), reference };
                data.failures.entry(sig).or_insert_with(make);
            }
        }
    }
    let json = serde_json::to_vec(&data).map_err(io::Error::other)?;
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&json)?;
    let packed = encoder.finish()?;
    fs::write(folder.join("data.js"), format!("window.KRAIT_DATA = \"{}\";\n", base64(&packed)))?;
    FILES.iter().try_for_each(|(name, text)| fs::write(folder.join(name), text))
}

fn changes(archive: &Archive) -> BTreeMap<String, &CaseHistory> {
    let all =
        archive.cases.iter().flat_map(|(module, cases)| cases.iter().map(move |(id, history)| (module, id, history)));
    all.filter(|(_, _, history)| history.len() > 1)
        .map(|(module, id, history)| (format!("{module}.{id}"), history))
        .take(MOST_HISTORIES)
        .collect()
}

fn shortened(mut change: Comparison) -> Comparison {
    for list in [&mut change.fixed, &mut change.broken, &mut change.changed, &mut change.new_crashes] {
        list.truncate(MOST_CHANGES);
    }
    change
}

fn health(page: &Page<'_>) -> Health {
    let mut health = Health::default();
    let expectations = crate::expectations::folder();
    for (module, result) in page.subject {
        for record in
            result.cases.values().filter(|record| record.status.is_violent() || record.status == Status::NotRun)
        {
            *health.violent.entry(record.status.word()).or_default() += 1;
        }
        if let Some(record) = &result.module {
            health.attempts += u64::from(record.attempt);
            health.memory.push((module.clone(), record.rss_kb / 1024));
            if record.attempt > 1 {
                health.restarted.push((module.clone(), record.attempt));
            }
        }
        for record in page.reference.get(module).into_iter().flat_map(|expected| expected.cases.values()) {
            *health.reference.entry(record.status.word()).or_default() += 1;
        }
        let text = fs::read_to_string(expectations.join(format!("{module}.txt"))).unwrap_or_default();
        health.flaky += text.lines().filter(|line| line.starts_with("flaky ")).count();
    }
    health.memory.sort_by_key(|(_, mib)| std::cmp::Reverse(*mib));
    health.memory.truncate(10);
    health
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len() * 4 / 3 + 4);
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().fold(0u32, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            if place <= chunk.len() {
                out.push(char::from(DIGITS[(word >> (18 - 6 * place)) as usize & 63]));
            } else {
                out.push('=');
            }
        }
    }
    out
}
