//! The records of a run: one JSON line per attempt at a case, append-only, and how they are read back.
//!
//! A run is a folder `runs/NAME/` with `meta.json` and `records.jsonl`. The last record of a case decides.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// Version of the record's shape; part of the reference cache's key.
pub const VERSION: u32 = 1;

#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, Default)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    #[default]
    Subject,
    Reference,
}

#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, Default)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    #[default]
    Unittest,
    Doctest,
    /// A class or module fixture that failed or skipped; in no denominator.
    Fixture,
    /// The module as a whole: whether it loaded and ran to its end.
    Module,
}

#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Pass,
    Fail,
    #[default]
    Error,
    Skip,
    Xfail,
    Xpass,
    Crash,
    Timeout,
    Oom,
    ImportError,
    NotRun,
}

impl Status {
    /// The word used in records, expectation files and reports.
    pub fn word(self) -> &'static str {
        match self {
            Status::Pass => "pass",
            Status::Fail => "fail",
            Status::Error => "error",
            Status::Skip => "skip",
            Status::Xfail => "xfail",
            Status::Xpass => "xpass",
            Status::Crash => "crash",
            Status::Timeout => "timeout",
            Status::Oom => "oom",
            Status::ImportError => "import_error",
            Status::NotRun => "not_run",
        }
    }

    pub fn parse(word: &str) -> Option<Status> {
        const ALL: [Status; 11] = [
            Status::Pass,
            Status::Fail,
            Status::Error,
            Status::Skip,
            Status::Xfail,
            Status::Xpass,
            Status::Crash,
            Status::Timeout,
            Status::Oom,
            Status::ImportError,
            Status::NotRun,
        ];
        ALL.into_iter().find(|status| status.word() == word)
    }

    /// A process had to end for it: its signature is part of what the gate compares.
    pub fn is_violent(self) -> bool {
        matches!(self, Status::Crash | Status::Timeout | Status::Oom)
    }
}

#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Default)]
pub struct Exc {
    #[serde(rename = "type")]
    pub kind: String,
    pub message: String,
    /// Innermost library frame, `file:function`.
    #[serde(default)]
    pub frame: String,
    #[serde(default)]
    pub trace: String,
}

#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Subtests {
    pub passed: u32,
    pub failed: u32,
    #[serde(default)]
    pub skipped: u32,
}

/// One attempt at one case.
#[derive(Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
pub struct Record {
    pub v: u32,
    pub run: String,
    pub side: Side,
    pub module: String,
    /// The case's name within its module; for a module's own record the module's name.
    pub id: String,
    pub kind: Kind,
    pub attempt: u32,
    pub status: Status,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exc: Option<Exc>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sig: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subtests: Option<Subtests>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal: Option<i32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub panic: Option<String>,
    pub ms: u64,
    pub rss_kb: u64,
    /// The end of what the worker printed, for a case that took the worker with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub out: Option<String>,
    /// On a module's record: how far a bare import got (`starts`, `parses`, `compiles`, `imports`, `runs`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ladder: Option<String>,
    /// On a module's record: CPU microseconds of the recorder itself, over all attempts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recorder_us: Option<u64>,
}

/// All records of one module on one side, the last attempt of each case first in authority.
#[derive(Clone, Debug, Default)]
pub struct ModuleResult {
    pub module: Option<Record>,
    /// Cases in the order in which they were enumerated.
    pub order: Vec<String>,
    pub cases: BTreeMap<String, Record>,
    pub fixtures: Vec<Record>,
}

impl ModuleResult {
    pub fn add(&mut self, record: Record) {
        match record.kind {
            Kind::Module => self.module = Some(record),
            Kind::Fixture => self.fixtures.push(record),
            Kind::Unittest | Kind::Doctest => {
                if !self.cases.contains_key(&record.id) {
                    self.order.push(record.id.clone());
                }
                self.cases.insert(record.id.clone(), record);
            }
        }
    }

    pub fn from_records(records: Vec<Record>) -> ModuleResult {
        let mut result = ModuleResult::default();
        for record in records {
            result.add(record);
        }
        result
    }

    /// The module's record stands last: without it the module did not finish.
    pub fn is_complete(&self) -> bool {
        self.module.is_some()
    }
}

/// Results by module.
pub type Results = BTreeMap<String, ModuleResult>;

/// What a run was: written once, beside its records.
#[derive(Serialize, Deserialize, Clone, Debug, Default)]
pub struct Meta {
    pub v: u32,
    pub run: String,
    pub subject: String,
    pub subject_version: String,
    pub reference: String,
    pub reference_key: String,
    pub pin: String,
    pub suite_is_pinned: bool,
    pub select: Vec<String>,
    pub modules: Vec<String>,
    pub commit: String,
    pub started: u64,
    #[serde(default)]
    pub seconds: u64,
    /// Operating system, architecture, cores: what durations are about.
    #[serde(default)]
    pub machine: String,
    /// CPU seconds of the supervisor itself, without its workers.
    #[serde(default)]
    pub supervisor_cpu: f64,
    /// CPU seconds of the workers of both sides: their recorders too, but not what was killed with its parent.
    #[serde(default)]
    pub workers_cpu: f64,
    /// CPU seconds of the recorders, a part of the workers'.
    #[serde(default)]
    pub recorder_cpu: f64,
    #[serde(default)]
    pub complete: bool,
}

/// A run on disk.
#[derive(Clone, Debug)]
pub struct RunFolder {
    pub path: PathBuf,
}

impl RunFolder {
    pub fn create(path: PathBuf) -> io::Result<RunFolder> {
        fs::create_dir_all(&path)?;
        Ok(RunFolder { path })
    }

    /// `NAME` below `runs/`, or a path; `latest` follows the pointer file.
    pub fn open(runs: &Path, name: &str) -> io::Result<RunFolder> {
        let name = if name == "latest" {
            fs::read_to_string(runs.join("latest"))
                .map_err(|_| io::Error::other("no run yet: `conformance run` makes one"))?
                .trim()
                .to_owned()
        } else {
            name.to_owned()
        };
        let path = if Path::new(&name).join("meta.json").exists() { PathBuf::from(&name) } else { runs.join(&name) };
        if path.join("meta.json").exists() {
            Ok(RunFolder { path })
        } else {
            Err(io::Error::other(format!("no run called {name} in {}", runs.display())))
        }
    }

    pub fn records_path(&self) -> PathBuf {
        self.path.join("records.jsonl")
    }

    pub fn append(&self, records: &[Record]) -> io::Result<()> {
        append(&self.records_path(), records)
    }

    pub fn results(&self) -> io::Result<Results> {
        let path = self.records_path();
        if path.exists() { read_results(&path) } else { Ok(Results::new()) }
    }

    pub fn meta(&self) -> io::Result<Meta> {
        let text = fs::read_to_string(self.path.join("meta.json"))?;
        serde_json::from_str(&text).map_err(io::Error::other)
    }

    pub fn write_meta(&self, meta: &Meta) -> io::Result<()> {
        let text = serde_json::to_string_pretty(meta).map_err(io::Error::other)?;
        fs::write(self.path.join("meta.json"), text + "\n")
    }
}

/// Appends the records in one write each, so that an interrupted run loses at most its last line.
pub fn append(path: &Path, records: &[Record]) -> io::Result<()> {
    let mut file = OpenOptions::new().create(true).append(true).read(true).open(path)?;
    let mut text = String::new();
    // A run that was killed while it wrote leaves a cut line: what follows must not join it.
    let mut last = [b'\n'];
    if file.seek(SeekFrom::End(-1)).is_ok() {
        file.read_exact(&mut last)?;
    }
    if last != [b'\n'] {
        text.push('\n');
    }
    for record in records {
        text.push_str(&serde_json::to_string(record).map_err(io::Error::other)?);
        text.push('\n');
    }
    file.write_all(text.as_bytes())
}

/// Reads records; a cut last line, as an interrupted run leaves it, is passed over.
pub fn read_records(path: &Path) -> io::Result<Vec<Record>> {
    let mut records = Vec::new();
    for line in BufReader::new(File::open(path)?).lines() {
        if let Ok(record) = serde_json::from_str::<Record>(&line?) {
            records.push(record);
        }
    }
    Ok(records)
}

pub fn read_results(path: &Path) -> io::Result<Results> {
    let mut results = Results::new();
    for record in read_records(path)? {
        results.entry(record.module.clone()).or_default().add(record);
    }
    Ok(results)
}
