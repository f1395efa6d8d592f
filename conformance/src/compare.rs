//! One run beside an earlier one: what is fixed, broken, changed, and the scores of both.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::Path;

use serde::Serialize;

use crate::expectations::{self, Expectations, Line};
use crate::record::{Record, Results, RunFolder, Status};
use crate::report::archive::{Archive, CaseHistory};
use crate::run::runs_folder;
use crate::score::{Verdict, verdict};
use crate::suite::{Suite, repository};
use crate::triage::title;

/// An earlier run.
pub struct Base {
    pub name: String,
    pub cases: Cases,
}

pub enum Cases {
    Recorded(Results),
    /// Statuses by module and case. An archive calls a pass with fewer sub-tests than the reference's a pass.
    Archived(BTreeMap<String, BTreeMap<String, String>>),
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
    if word == "published" {
        let archive = Archive::load(&repository().join("reports"))?;
        let Some(commit) = archive.runs.last() else {
            return Err(io::Error::other("reports/cases holds nothing: no run has been published"));
        };
        return Ok(from_archive(&archive, &format!("the published run of {commit}")));
    }
    let folder = RunFolder::open(&runs_folder(), word)?;
    Ok(Base { name: folder.meta()?.run, cases: Cases::Recorded(folder.results()?) })
}

/// The last statuses of an archive.
pub fn from_archive(archive: &Archive, name: &str) -> Base {
    let last = |history: &CaseHistory| history.last().map(|(_, status)| status.clone()).unwrap_or_default();
    let cases = |cases: &BTreeMap<String, CaseHistory>| {
        cases.iter().map(|(id, history)| (id.clone(), last(history))).collect::<BTreeMap<_, _>>()
    };
    let statuses = archive.cases.iter().map(|(module, all)| (module.clone(), cases(all))).collect();
    Base { name: name.to_owned(), cases: Cases::Archived(statuses) }
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
    /// What differs and stands in the quarantine: in none of the other lists.
    pub flaky: Vec<Change>,
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
            let Some((was, is)) = base.words(module, &expected.cases[id], record) else {
                out.not_in_base += 1;
                continue;
            };
            let portable = suite.is_portable(module, id);
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
            let change = Change { case, was: was.to_owned(), is: is.to_owned(), why, portable };
            if record.status.is_violent() && !["crash", "timeout", "oom"].contains(&was) {
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

impl Base {
    /// What a case was in this run, and what it is now, in the same words. None when the run does not have it.
    fn words(&self, module: &str, reference: &Record, record: &Record) -> Option<(&str, &'static str)> {
        match &self.cases {
            Cases::Archived(statuses) => Some((statuses.get(module)?.get(&record.id)?, record.status.word())),
            Cases::Recorded(results) => {
                let before = results.get(module)?.cases.get(&record.id)?;
                Some((exact_word(reference, before), exact_word(reference, record)))
            }
        }
    }
}

fn exact_word(reference: &Record, record: &Record) -> &'static str {
    match record.status {
        Status::Pass if verdict(reference, Some(record), true) != Verdict::Same => "fewer_subtests",
        status => status.word(),
    }
}

impl Comparison {
    /// Puts aside what the quarantine has: the expectation files in `folder` call it flaky.
    pub fn set_flaky_aside(&mut self, folder: &Path) -> io::Result<()> {
        let mut known: BTreeMap<String, Expectations> = BTreeMap::new();
        let mut aside: BTreeMap<String, Change> = BTreeMap::new();
        for list in [&mut self.fixed, &mut self.broken, &mut self.changed, &mut self.new_crashes] {
            let mut kept = Vec::new();
            for change in list.drain(..) {
                let (module, id) = change.case.split_once('.').unwrap_or((&change.case, ""));
                if !known.contains_key(module) {
                    known.insert(module.to_owned(), expectations::load(folder, module)?);
                }
                if known[module].for_case(id).is_some_and(Line::is_flaky) {
                    aside.insert(change.case.clone(), change);
                } else {
                    kept.push(change);
                }
            }
            *list = kept;
        }
        self.flaky.extend(aside.into_values());
        Ok(())
    }

    pub fn is_empty(&self) -> bool {
        self.fixed.is_empty() && self.broken.is_empty() && self.changed.is_empty()
    }

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
            ("In quarantine", &self.flaky),
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
        for (mark, changes) in [('-', &self.broken), (' ', &self.changed), ('+', &self.fixed), ('~', &self.flaky)] {
            for change in changes {
                let _ = writeln!(out, "{mark} {}: {} -> {}  {}", change.case, change.was, change.is, change.why);
            }
        }
        let _ = writeln!(
            out,
            "against {}: {} pass now, {} pass no longer, {} fail otherwise, {} in quarantine differ (~)",
            self.base,
            self.fixed.len(),
            self.broken.len(),
            self.changed.len(),
            self.flaky.len()
        );
        out
    }
}
