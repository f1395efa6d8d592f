//! What is kept of every published run, small enough to be committed: its scores as a line of history, and each case's
//! status, compressed.

use std::collections::BTreeMap;
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
    #[serde(default)]
    pub machine: String,
}

/// Adds the run unless it is there already, and returns the whole history, oldest first.
pub fn add_to_history(path: &Path, summary: &Summary) -> io::Result<Vec<Point>> {
    let text = if path.exists() { fs::read_to_string(path)? } else { String::new() };
    let mut history = text.lines().map(serde_json::from_str).collect::<Result<Vec<Point>, _>>().map_err(|error| {
        io::Error::other(format!("{}: {error}; it would be lost if it were written anew", path.display()))
    })?;
    let meta = &summary.meta;
    if !history.iter().any(|point| point.started == meta.started && point.commit == meta.commit) {
        history.push(Point {
            commit: meta.commit.clone(),
            started: meta.started,
            pin: meta.pin.clone(),
            select: meta.select.clone(),
            total: summary.total.clone(),
            machine: meta.machine.clone(),
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

/// The statuses of one case over the published runs: where it changed, `(number of the run, status)`.
pub type CaseHistory = Vec<(usize, String)>;

/// Each case's status in every published run, as the changes between them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Archive {
    /// Commits of the runs, oldest first.
    pub runs: Vec<String>,
    pub cases: BTreeMap<String, BTreeMap<String, CaseHistory>>,
}

/// Beyond so many runs the oldest is forgotten: the file stays small.
const MOST_RUNS: usize = 60;

impl Archive {
    /// What the folder holds; nothing, when it holds none.
    pub fn load(folder: &Path) -> io::Result<Archive> {
        let path = folder.join("cases");
        if !path.exists() {
            return Ok(Archive::default());
        }
        Archive::unpack(&fs::read(&path)?).map_err(|error| {
            io::Error::other(format!("{}: {error}; it would be lost if it were written anew", path.display()))
        })
    }

    /// Adds a run: every case that the reference passes.
    pub fn add(&mut self, commit: &str, reference: &Results, subject: &Results) {
        self.runs.push(commit.to_owned());
        let number = self.runs.len() - 1;
        for (module, result) in subject {
            let Some(expected) = reference.get(module) else { continue };
            let cases = self.cases.entry(module.clone()).or_default();
            for id in expected.order.iter().filter(|id| expected.cases[*id].status == Status::Pass) {
                let status = result.cases.get(id).map_or("absent", |record| record.status.word());
                let history = cases.entry(id.clone()).or_default();
                if history.last().is_none_or(|(_, last)| last != status) {
                    history.push((number, status.to_owned()));
                }
            }
        }
        while self.runs.len() > MOST_RUNS {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        self.runs.remove(0);
        for history in self.cases.values_mut().flat_map(BTreeMap::values_mut) {
            // What the second run found still holds from what is now the first one on.
            if history.len() > 1 && history[1].0 <= 1 {
                history.remove(0);
            }
            history.iter_mut().for_each(|(number, _)| *number = number.saturating_sub(1));
        }
    }

    /// The commit at which a case that passed began to deviate, if it deviates now.
    pub fn first_bad(&self, history: &CaseHistory) -> Option<&str> {
        let (_, now) = history.last()?;
        let passed = history.iter().rposition(|(_, status)| status == "pass")?;
        let (number, _) = history.get(passed + 1)?;
        (now != "pass").then(|| self.runs.get(*number).map(String::as_str)).flatten()
    }

    /// A line of commits, then `module`, and below it its cases' lines `id TAB 0:pass 7:fail`.
    pub fn pack(&self) -> io::Result<Vec<u8>> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        writeln!(encoder, "{}", self.runs.join(" "))?;
        for (module, cases) in &self.cases {
            writeln!(encoder, "{module}")?;
            for (id, history) in cases {
                let changes: Vec<String> =
                    history.iter().map(|(number, status)| format!("{number}:{status}")).collect();
                writeln!(encoder, "{id}\t{}", changes.join(" "))?;
            }
        }
        encoder.finish()
    }

    pub fn unpack(packed: &[u8]) -> io::Result<Archive> {
        let mut text = String::new();
        GzDecoder::new(packed).read_to_string(&mut text)?;
        let mut lines = text.lines();
        let runs = lines.next().unwrap_or("").split_whitespace().map(str::to_owned).collect();
        let mut archive = Archive { runs, cases: BTreeMap::new() };
        let mut module = String::new();
        for line in lines {
            let Some((id, changes)) = line.split_once('\t') else {
                module = line.to_owned();
                continue;
            };
            let change = |change: &str| {
                let (number, status) = change.split_once(':')?;
                Some((number.parse().ok()?, status.to_owned()))
            };
            let history = changes.split(' ').filter_map(change).collect();
            archive.cases.entry(module.clone()).or_default().insert(id.to_owned(), history);
        }
        Ok(archive)
    }
}

/// The history as a table for spreadsheets.
pub fn csv(history: &[Point]) -> String {
    let mut out =
        String::from("started,commit,suite,machine,cases,portable,portable_mean,portable_green,strict,strict_green\n");
    for point in history {
        let (portable, strict) = (&point.total.portable, &point.total.strict);
        out += &format!(
            "{},{},{},\"{}\",{},{:.3},{:.3},{},{:.3},{}\n",
            point.started,
            point.commit,
            &point.pin[..point.pin.len().min(12)],
            point.machine,
            strict.cases,
            portable.parity,
            portable.mean,
            portable.green,
            strict.parity,
            strict.green
        );
    }
    out
}
