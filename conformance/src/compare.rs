//! One run beside an earlier one: what is fixed, broken, changed, and the scores of both.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io;

use serde::Serialize;

use crate::record::{Record, Results, RunFolder, Status};
use crate::report::archive::{Archive, CaseHistory};
use crate::run::runs_folder;
use crate::score::{Verdict, verdict};
use crate::suite::{Suite, repository};
use crate::triage::title;

/// Statuses of an earlier run, by module and case.
pub struct Base {
    pub name: String,
    pub statuses: BTreeMap<String, BTreeMap<String, String>>,
}

/// `published` is what `reports/` holds; `merge-base` the newest complete run of that commit, or else `published`; any
/// other word names a run.
pub fn base(word: &str) -> io::Result<Base> {
    if word == "merge-base" {
        return match merge_base_run()? {
            Some(name) => base(&name),
            None => base("published"),
        };
    }
    let mut statuses: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    if word == "published" {
        let archive = Archive::load(&repository().join("reports"));
        let Some(commit) = archive.runs.last() else {
            return Err(io::Error::other("reports/cases holds nothing: no run has been published"));
        };
        return Ok(from_archive(&archive, &format!("the published run of {commit}")));
    }
    let folder = RunFolder::open(&runs_folder(), word)?;
    for (module, result) in folder.results()? {
        let cases = result.cases.iter().map(|(id, record)| (id.clone(), record.status.word().to_owned()));
        statuses.insert(module, cases.collect());
    }
    Ok(Base { name: folder.meta()?.run, statuses })
}

/// The last statuses of an archive.
pub fn from_archive(archive: &Archive, name: &str) -> Base {
    let last = |history: &CaseHistory| history.last().map(|(_, status)| status.clone()).unwrap_or_default();
    let cases = |cases: &BTreeMap<String, CaseHistory>| {
        cases.iter().map(|(id, history)| (id.clone(), last(history))).collect::<BTreeMap<_, _>>()
    };
    let statuses = archive.cases.iter().map(|(module, all)| (module.clone(), cases(all))).collect();
    Base { name: name.to_owned(), statuses }
}

fn merge_base_run() -> io::Result<Option<String>> {
    let root = repository();
    let known = ["hub/main", "origin/main", "main"].into_iter();
    let commit = known
        .filter_map(|branch| crate::bisect::git(&root, &["merge-base", branch, "HEAD"]).ok())
        .map(|text| text.trim().to_owned())
        .next();
    let Some(commit) = commit else { return Ok(None) };
    let Ok(entries) = fs::read_dir(runs_folder()) else { return Ok(None) };
    let mut found: Vec<(u64, String)> = entries
        .flatten()
        .filter_map(|entry| RunFolder { path: entry.path() }.meta().ok())
        .filter(|meta| meta.complete && commit.starts_with(&meta.commit))
        .map(|meta| (meta.started, meta.run))
        .collect();
    found.sort();
    Ok(found.pop().map(|(_, name)| name))
}

#[derive(Serialize, Clone, Debug)]
pub struct Change {
    pub case: String,
    pub was: String,
    pub is: String,
    /// What it fails with now.
    pub why: String,
    pub portable: bool,
}

#[derive(Serialize, Clone, Debug, Default)]
pub struct Comparison {
    pub base: String,
    pub fixed: Vec<Change>,
    pub broken: Vec<Change>,
    /// Failed before and fails otherwise now.
    pub changed: Vec<Change>,
    /// Among broken and changed: what began to take its process down.
    pub new_crashes: Vec<Change>,
    /// Portable cases in both runs: how many passed before, how many do now, of how many.
    pub passed_before: usize,
    pub passed_now: usize,
    pub cases: usize,
    pub not_in_base: usize,
}

pub fn compare(suite: &Suite, base: &Base, reference: &Results, subject: &Results) -> Comparison {
    let mut out = Comparison { base: base.name.clone(), ..Comparison::default() };
    for (module, result) in subject {
        let Some(expected) = reference.get(module) else { continue };
        for id in expected.order.iter().filter(|id| expected.cases[*id].status == Status::Pass) {
            let Some(record) = result.cases.get(id) else { continue };
            let Some(was) = base.statuses.get(module).and_then(|cases| cases.get(id)) else {
                out.not_in_base += 1;
                continue;
            };
            let portable = suite.is_portable(module, id);
            let is = word(&expected.cases[id], record);
            let passed = |word: &str| word == "pass";
            if portable {
                out.cases += 1;
                out.passed_before += usize::from(passed(was));
                out.passed_now += usize::from(passed(is));
            }
            if was == is {
                continue;
            }
            let why = if passed(is) { String::new() } else { title(record) };
            let case = format!("{module}.{id}");
            let change = Change { case, was: was.clone(), is: is.to_owned(), why, portable };
            if record.status.is_violent() && !["crash", "timeout", "oom"].contains(&was.as_str()) {
                out.new_crashes.push(change.clone());
            }
            match (passed(was), passed(is)) {
                (_, true) => out.fixed.push(change),
                (true, false) => out.broken.push(change),
                (false, false) => out.changed.push(change),
            }
        }
    }
    out
}

fn word<'r>(reference: &Record, record: &'r Record) -> &'r str {
    if record.status == Status::Pass && verdict(reference, Some(record), true) != Verdict::Same {
        // Archives of earlier runs call it a pass too.
        return "pass";
    }
    record.status.word()
}

impl Comparison {
    /// For a pull request: a line of figures, then what changed, by kind.
    pub fn markdown(&self) -> String {
        let mut out = String::new();
        let share = |part: usize| crate::score::percent(part, self.cases);
        let _ = writeln!(
            out,
            "**Against {}**: {} fixed, {} broken, {} changed, {} new crashes; portable parity {:.2} % before, {:.2} % now \
             ({} cases in both).\n",
            self.base,
            self.fixed.len(),
            self.broken.len(),
            self.changed.len(),
            self.new_crashes.len(),
            share(self.passed_before),
            share(self.passed_now),
            self.cases
        );
        let kinds = [
            ("Broken", &self.broken),
            ("New crashes", &self.new_crashes),
            ("Changed", &self.changed),
            ("Fixed", &self.fixed),
        ];
        for (name, changes) in kinds.into_iter().filter(|(_, changes)| !changes.is_empty()) {
            let _ = writeln!(out, "<details><summary>{name}: {}</summary>\n", changes.len());
            for change in changes.iter().take(200) {
                let why =
                    if change.why.is_empty() { String::new() } else { format!(": {}", change.why.replace('`', "'")) };
                let _ = writeln!(out, "- `{}` {} → {}{why}", change.case, change.was, change.is);
            }
            if changes.len() > 200 {
                let _ = writeln!(out, "- … and {} more", changes.len() - 200);
            }
            let _ = writeln!(out, "\n</details>\n");
        }
        out
    }

    pub fn text(&self) -> String {
        let mut out = String::new();
        for (mark, changes) in [('-', &self.broken), (' ', &self.changed), ('+', &self.fixed)] {
            for change in changes {
                let _ = writeln!(out, "{mark} {}: {} -> {}  {}", change.case, change.was, change.is, change.why);
            }
        }
        let _ = writeln!(
            out,
            "against {}: {} pass now, {} pass no longer, {} fail otherwise",
            self.base,
            self.fixed.len(),
            self.broken.len(),
            self.changed.len()
        );
        out
    }
}
