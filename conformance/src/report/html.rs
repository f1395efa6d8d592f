//! The dashboard: one page, its script and a data file, opened from disk without a server.
//!
//! The data travel as compressed JSON in a script, because a page on disk may load scripts but not fetch files. Each
//! traceback is kept once per signature.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde::Serialize;

use super::Summary;
use super::archive::Point;
use crate::record::Results;
use crate::score::{Verdict, verdict};
use crate::suite::Suite;
use crate::triage::{Cluster, clip, clusters, title};

const PAGE: &str = include_str!("html/index.html");
const STYLE: &str = include_str!("html/style.css");
const SCRIPT: &str = include_str!("html/page.js");

#[derive(Serialize)]
struct Data<'a> {
    summary: &'a Summary,
    history: &'a [Point],
    clusters: Vec<Cluster>,
    /// Per module: rows of [case, verdict, status, signature, milliseconds, reference's milliseconds].
    cases: BTreeMap<&'a str, Vec<(&'a str, &'static str, &'static str, &'a str, u64, u64)>>,
    /// Per signature: one line, and one traceback or the end of the output.
    failures: BTreeMap<&'a str, (String, String)>,
}

/// Tracebacks kept, and characters of each: they bound the committed site.
const MOST_TRACES: usize = 3000;
const TRACE_CHARS: usize = 2500;

pub fn write(
    folder: &Path,
    suite: &Suite,
    summary: &Summary,
    history: &[Point],
    reference: &Results,
    subject: &Results,
) -> io::Result<()> {
    let mut data = Data {
        summary,
        history,
        clusters: clusters(suite, reference, subject).into_iter().take(200).collect(),
        cases: BTreeMap::new(),
        failures: BTreeMap::new(),
    };
    for (module, result) in subject {
        let Some(expected) = reference.get(module) else { continue };
        let rows = data.cases.entry(module.as_str()).or_default();
        for id in &expected.order {
            let before = &expected.cases[id];
            let record = result.cases.get(id);
            let verdict = verdict(before, record, suite.is_portable(module, id));
            let status = record.map_or("absent", |record| record.status.word());
            let sig = record.and_then(|record| record.sig.as_deref()).unwrap_or("");
            let deviates = verdict.in_denominator() && verdict != Verdict::Same;
            let sig = if deviates { sig } else { "" };
            rows.push((id, verdict.word(), status, sig, record.map_or(0, |record| record.ms), before.ms));
            if let (Some(record), true) = (record, !sig.is_empty() && data.failures.len() < MOST_TRACES) {
                let trace = record.exc.as_ref().map(|exc| exc.trace.as_str()).filter(|trace| !trace.is_empty());
                let text = trace.or(record.out.as_deref()).unwrap_or("");
                data.failures.entry(sig).or_insert_with(|| (title(record), clip(text, TRACE_CHARS)));
            }
        }
    }
    let json = serde_json::to_vec(&data).map_err(io::Error::other)?;
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&json)?;
    let packed = encoder.finish()?;
    fs::write(folder.join("data.js"), format!("window.KRAIT_DATA = \"{}\";\n", base64(&packed)))?;
    fs::write(folder.join("index.html"), PAGE)?;
    fs::write(folder.join("style.css"), STYLE)?;
    fs::write(folder.join("page.js"), SCRIPT)
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
