//! `conformance/expectations/MODULE.txt`: the deviations that are known, one sorted line each; no file means none.
//!
//!     crash ForkTests.test_x os=linux sig=77ab
//!     fail XMLTests.test_entity sig=9c1f2a00 # why
//!     flaky PoolTests.test_y pass|timeout until=2027-03
//!     import_error *
//!
//! `*` stands for every case of a module that does not load.

pub mod lint;
pub mod merge;

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::record::{ModuleResult, Record, Status};
use crate::score::{Verdict, verdict};
use crate::suite::repository;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    Status(Status),
    /// Any of these; pass may be among them.
    Flaky(Vec<Status>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub expected: Expected,
    pub id: String,
    pub os: Option<String>,
    pub sig: Option<String>,
    /// `YYYY-MM`, the last month in which a flaky line is accepted.
    pub until: Option<String>,
    pub note: Option<String>,
}

impl fmt::Display for Line {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.expected {
            Expected::Status(status) => write!(out, "{} {}", status.word(), self.id)?,
            Expected::Flaky(statuses) => {
                let words: Vec<&str> = statuses.iter().map(|status| status.word()).collect();
                write!(out, "flaky {} {}", self.id, words.join("|"))?;
            }
        }
        for (name, value) in [("os", &self.os), ("sig", &self.sig), ("until", &self.until)] {
            if let Some(value) = value {
                write!(out, " {name}={value}")?;
            }
        }
        match &self.note {
            Some(note) => write!(out, " # {note}"),
            None => Ok(()),
        }
    }
}

impl Line {
    pub fn is_flaky(&self) -> bool {
        matches!(self.expected, Expected::Flaky(_))
    }

    /// An identifier may hold spaces (doctests of files do): what follows it is recognised from the end.
    pub fn parse(text: &str) -> Result<Line, String> {
        let (text, note) = match text.split_once(" # ") {
            Some((text, note)) => (text.trim_end(), Some(note.trim().to_owned())),
            None => (text.trim_end(), None),
        };
        let (word, rest) = text.split_once(' ').ok_or_else(|| format!("no case in the line: {text}"))?;
        let mut line =
            Line { expected: Expected::Flaky(Vec::new()), id: String::new(), os: None, sig: None, until: None, note };
        let mut words: Vec<&str> = rest.split_whitespace().collect();
        while let Some((name, value)) = words.last().and_then(|word| word.split_once('=')) {
            let slot = match name {
                "os" => &mut line.os,
                "sig" => &mut line.sig,
                "until" => &mut line.until,
                _ => break,
            };
            *slot = Some(value.to_owned());
            words.pop();
        }
        if word == "flaky" {
            let statuses = words.pop().ok_or("a flaky line needs its statuses, as in pass|timeout")?;
            let parsed: Option<Vec<Status>> = statuses.split('|').map(Status::parse).collect();
            line.expected = Expected::Flaky(parsed.ok_or_else(|| format!("unknown status in {statuses}"))?);
            if line.until.is_none() {
                return Err("a flaky line needs until=YYYY-MM".to_owned());
            }
        } else {
            line.expected = Expected::Status(Status::parse(word).ok_or_else(|| format!("unknown status {word}"))?);
        }
        line.id = words.join(" ");
        if line.id.is_empty() {
            return Err(format!("no case in the line: {text}"));
        }
        if line.id == "*" && line.expected != Expected::Status(Status::ImportError) {
            return Err("* goes with import_error only".to_owned());
        }
        Ok(line)
    }
}

/// The lines of one module, by case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expectations {
    pub lines: BTreeMap<String, Line>,
}

impl Expectations {
    /// Reads and lints: refuses unsorted, duplicate and expired lines and those whose case is unknown.
    pub fn parse(text: &str, this_month: &str) -> Result<Expectations, String> {
        let mut lines: BTreeMap<String, Line> = BTreeMap::new();
        let mut last = String::new();
        for (number, text) in text.lines().enumerate() {
            let at = number + 1;
            let line = Line::parse(text).map_err(|error| format!("line {at}: {error}"))?;
            if line.id <= last {
                return Err(format!("line {at}: {} is out of order or stands twice", line.id));
            }
            if line.until.as_deref().is_some_and(|until| until < this_month) {
                return Err(format!("line {at}: {} has expired", line.id));
            }
            last.clone_from(&line.id);
            lines.insert(line.id.clone(), line);
        }
        Ok(Expectations { lines })
    }

    pub fn text(&self) -> String {
        self.lines.values().map(|line| format!("{line}\n")).collect()
    }

    pub fn for_case(&self, id: &str) -> Option<&Line> {
        let here = |line: &&Line| line.os.as_deref().is_none_or(|os| os == std::env::consts::OS);
        self.lines.get(id).or_else(|| self.lines.get("*")).filter(here)
    }

    /// Lines whose case the reference does not pass: the lint of a line needs the reference.
    pub fn unmatched(&self, reference: &ModuleResult) -> Vec<String> {
        let passes = |id: &str| reference.cases.get(id).is_some_and(|case| case.status == Status::Pass);
        self.lines.keys().filter(|id| *id != "*" && !passes(id)).cloned().collect()
    }
}

pub fn folder() -> PathBuf {
    repository().join("conformance/expectations")
}

pub fn load(folder: &Path, module: &str) -> io::Result<Expectations> {
    let path = folder.join(format!("{module}.txt"));
    if !path.exists() {
        return Ok(Expectations::default());
    }
    let wrong = |error: String| io::Error::other(format!("{}: {error}", path.display()));
    let text = fs::read_to_string(&path).map_err(|error| wrong(error.to_string()))?;
    Expectations::parse(&text, &this_month()).map_err(wrong)
}

pub fn store(folder: &Path, module: &str, expectations: &Expectations) -> io::Result<()> {
    let path = folder.join(format!("{module}.txt"));
    if expectations.lines.is_empty() {
        return if path.exists() { fs::remove_file(path) } else { Ok(()) };
    }
    fs::create_dir_all(folder)?;
    fs::write(path, expectations.text())
}

/// `YYYY-MM` of today (UTC), by the proleptic Gregorian calendar.
pub fn this_month() -> String {
    let days = (crate::run::now() / 86_400) as i64 + 719_468;
    let era = days / 146_097;
    let day_of_era = days - era * 146_097;
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}")
}

/// `YYYY-MM`, so many months later.
pub fn month_after(month: &str, months: u32) -> String {
    let (year, number) = month.split_once('-').unwrap_or((month, "1"));
    let total = year.parse::<u32>().unwrap_or(0) * 12 + number.parse::<u32>().unwrap_or(1) - 1 + months;
    format!("{:04}-{:02}", total / 12, total % 12 + 1)
}

/// What the run says of one case against what is expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Judgement {
    AsExpected,
    NewFailure,
    ChangedCrash,
    UnexpectedPass,
}

impl Judgement {
    pub fn word(self) -> &'static str {
        match self {
            Judgement::AsExpected => "as expected",
            Judgement::NewFailure => "new failure",
            Judgement::ChangedCrash => "changed crash",
            Judgement::UnexpectedPass => "unexpected pass",
        }
    }
}

pub fn judge(expectations: &Expectations, id: &str, reference: &Record, subject: Option<&Record>) -> Judgement {
    let verdict = verdict(reference, subject, true);
    if !verdict.in_denominator() {
        return Judgement::AsExpected;
    }
    let same = verdict == Verdict::Same;
    let Some(line) = expectations.for_case(id) else {
        return if same { Judgement::AsExpected } else { Judgement::NewFailure };
    };
    // Absent stands for not_run: neither side of the file knows another word for it.
    let status = subject.map_or(Status::NotRun, |record| record.status);
    match &line.expected {
        Expected::Flaky(statuses) if same => {
            let passes = statuses.contains(&Status::Pass);
            if passes { Judgement::AsExpected } else { Judgement::UnexpectedPass }
        }
        Expected::Flaky(statuses) if statuses.contains(&status) => Judgement::AsExpected,
        Expected::Flaky(_) => Judgement::NewFailure,
        Expected::Status(_) if same => Judgement::UnexpectedPass,
        Expected::Status(expected) => {
            // A failure may change its words; a case that begins to take the process down is new. What did not even
            // run before has only come further.
            let ran = !matches!(expected, Status::ImportError | Status::NotRun);
            let worse_now = status.is_violent() && ran && !expected.is_violent();
            let now = subject.and_then(|record| record.sig.as_deref());
            let changed = status == Status::Crash
                && *expected == Status::Crash
                && line.sig.as_deref().is_some_and(|sig| now.is_some_and(|now| !now.starts_with(sig)));
            if worse_now {
                Judgement::NewFailure
            } else if changed {
                Judgement::ChangedCrash
            } else {
                Judgement::AsExpected
            }
        }
    }
}

/// The file that a run's result asks for. Lines that still hold are kept as they stand, with their notes. A case that was
/// expected to pass never becomes `not_run`, unless this is the module's `first` enrolment.
pub fn bless(old: &Expectations, reference: &ModuleResult, subject: &ModuleResult, first: bool) -> Expectations {
    let deviates = |id: &String| {
        let record = &reference.cases[id];
        let verdict = verdict(record, subject.cases.get(id), true);
        verdict.in_denominator() && verdict != Verdict::Same
    };
    let counted: Vec<&String> =
        reference.order.iter().filter(|id| reference.cases[*id].status == Status::Pass).collect();
    let is_import_error =
        |id: &&String| subject.cases.get(*id).is_some_and(|record| record.status == Status::ImportError);
    let mut blessed = Expectations::default();
    if !counted.is_empty() && counted.iter().all(is_import_error) {
        let line = old.lines.get("*").cloned().unwrap_or(Line {
            expected: Expected::Status(Status::ImportError),
            id: "*".to_owned(),
            os: None,
            sig: None,
            until: None,
            note: None,
        });
        blessed.lines.insert("*".to_owned(), line);
        return blessed;
    }
    for id in counted {
        let previous = old.lines.get(id);
        let judgement = judge(old, id, &reference.cases[id], subject.cases.get(id));
        if let (Some(line), Judgement::AsExpected) = (previous, judgement) {
            blessed.lines.insert(id.clone(), line.clone());
            continue;
        }
        if !deviates(id) {
            continue;
        }
        let record = subject.cases.get(id);
        // A pass with fewer sub-tests than the reference is entered as a failure.
        let status = match record.map(|record| record.status) {
            Some(Status::Pass) => Status::Fail,
            Some(status) => status,
            None => Status::NotRun,
        };
        if status == Status::NotRun && previous.is_none() && !first {
            continue;
        }
        let line = Line {
            expected: Expected::Status(status),
            id: id.clone(),
            os: None,
            sig: record.filter(|_| status == Status::Crash).and_then(|record| record.sig.clone()),
            until: None,
            note: previous.and_then(|line| line.note.clone()),
        };
        blessed.lines.insert(id.clone(), line);
    }
    blessed
}
