//! What is kept of every published run, small enough to be committed: its scores as a line of history, and each case's
//! status, compressed.

use std::fs;
use std::io::{self, Read, Write};
use std::path::Path;

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};

use super::Summary;
use crate::record::{Results, Status};
use crate::score::Scores;

/// One published run.
#[derive(Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
pub struct Point {
    pub commit: String,
    pub started: u64,
    pub pin: String,
    pub select: Vec<String>,
    pub total: Scores,
}

/// Adds the run unless it is there already, and returns the whole history, oldest first.
pub fn add_to_history(path: &Path, summary: &Summary) -> io::Result<Vec<Point>> {
    let text = fs::read_to_string(path).unwrap_or_default();
    let mut history: Vec<Point> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let meta = &summary.meta;
    if !history.iter().any(|point| point.started == meta.started && point.commit == meta.commit) {
        history.push(Point {
            commit: meta.commit.clone(),
            started: meta.started,
            pin: meta.pin.clone(),
            select: meta.select.clone(),
            total: summary.total.clone(),
        });
        let mut out = String::new();
        for point in &history {
            out += &serde_json::to_string(point).map_err(io::Error::other)?;
            out.push('\n');
        }
        fs::write(path, out)?;
    }
    Ok(history)
}

/// Statuses of the cases that the reference passes: a line `module` in front of its cases' lines `id TAB status`.
pub fn pack_cases(reference: &Results, subject: &Results) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    for (module, result) in subject {
        let Some(expected) = reference.get(module) else { continue };
        writeln!(encoder, "{module}")?;
        for id in expected.order.iter().filter(|id| expected.cases[*id].status == Status::Pass) {
            let status = result.cases.get(id).map_or("absent", |record| record.status.word());
            writeln!(encoder, "{id}\t{status}")?;
        }
    }
    encoder.finish()
}

/// The statuses of a published run: (module, case, status).
pub fn unpack_cases(packed: &[u8]) -> io::Result<Vec<(String, String, String)>> {
    let mut text = String::new();
    GzDecoder::new(packed).read_to_string(&mut text)?;
    let mut module = "";
    let mut cases = Vec::new();
    for line in text.lines() {
        match line.split_once('\t') {
            Some((id, status)) => cases.push((module.to_owned(), id.to_owned(), status.to_owned())),
            None => module = line,
        }
    }
    Ok(cases)
}
