//! The gate: a run against the expectations, what a contributor sees of it, and its exit code.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use similar::TextDiff;

use crate::exit;
use crate::expectations::{self, Expectations, Judgement, judge};
use crate::progress::Progress;
use crate::record::{ModuleResult, Record, Results, Status};
use crate::run::Session;
use crate::triage::{clip, title};

/// One case that is not as expected.
#[derive(Clone, Debug)]
pub struct Finding {
    pub module: String,
    pub id: String,
    pub judgement: Judgement,
    pub expected: String,
    pub reference: Record,
    pub subject: Option<Record>,
}

#[derive(Clone, Debug, Default)]
pub struct Outcome {
    pub checked: usize,
    pub findings: Vec<Finding>,
    /// Cases that the run did not get to, among `checked`.
    pub not_run: usize,
    /// Faults of the expectation files themselves.
    pub faults: Vec<String>,
}

impl Outcome {
    pub fn count(&self, judgement: Judgement) -> usize {
        self.findings.iter().filter(|finding| finding.judgement == judgement).count()
    }

    /// New failures weigh more than changed crashes, those more than unexpected passes. `lenient` lets the last pass.
    pub fn exit_code(&self, lenient: bool) -> u8 {
        if !self.faults.is_empty() {
            exit::FAULTY_EXPECTATIONS
        } else if self.count(Judgement::NewFailure) > 0 {
            exit::NEW_FAILURE
        } else if self.count(Judgement::ChangedCrash) > 0 {
            exit::CHANGED_CRASH
        } else if self.count(Judgement::UnexpectedPass) > 0 && !lenient {
            exit::UNEXPECTED_PASS
        } else {
            0
        }
    }
}

/// Judges a run; `wants` chooses the cases.
pub fn check(folder: &Path, reference: &Results, subject: &Results, wants: impl Fn(&str, &str) -> bool) -> Outcome {
    let mut outcome = Outcome::default();
    for (module, result) in subject {
        let Some(expected) = reference.get(module) else { continue };
        let lines = match expectations::load(folder, module) {
            Ok(lines) => lines,
            Err(error) => {
                outcome.faults.push(error.to_string());
                continue;
            }
        };
        for id in lines.unmatched(expected) {
            outcome.faults.push(format!("expectations/{module}.txt: the reference does not pass {id}"));
        }
        check_module(module, &lines, expected, result, &wants, &mut outcome);
    }
    outcome
}

fn check_module(
    module: &str,
    lines: &Expectations,
    reference: &ModuleResult,
    subject: &ModuleResult,
    wants: &impl Fn(&str, &str) -> bool,
    outcome: &mut Outcome,
) {
    for id in reference.order.iter().filter(|id| wants(module, id)) {
        let record = &reference.cases[id];
        if record.status != Status::Pass {
            continue;
        }
        outcome.checked += 1;
        let found = subject.cases.get(id);
        outcome.not_run += usize::from(found.is_none_or(|record| record.status == Status::NotRun));
        let judgement = judge(lines, id, record, found);
        if judgement != Judgement::AsExpected {
            outcome.findings.push(Finding {
                module: module.to_owned(),
                id: id.clone(),
                judgement,
                expected: lines.for_case(id).map_or_else(|| "pass".to_owned(), ToString::to_string),
                reference: record.clone(),
                subject: found.cloned(),
            });
        }
    }
}

/// How many deviations are run again, and for how long: beyond it nothing is flaky, something is broken.
const RECHECKED: usize = 150;
const RECHECK_TIME: Duration = Duration::from_secs(480);

/// Runs each deviating case twice more, alone; only three equal deviations stay.
pub fn confirm(session: &Session, reference: &Results, outcome: &mut Outcome, folder: &Path) -> io::Result<()> {
    let mut by_module: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for finding in &outcome.findings {
        if finding.judgement != Judgement::UnexpectedPass {
            by_module.entry(finding.module.clone()).or_default().push(finding.id.clone());
        }
    }
    let deviating = by_module.values().map(Vec::len).sum::<usize>();
    if deviating > RECHECKED {
        return Ok(());
    }
    let progress = Progress::new(deviating, deviating as u64);
    let began = Instant::now();
    let mut cleared: BTreeSet<(String, String)> = BTreeSet::new();
    for (module, ids) in by_module {
        let lines = expectations::load(folder, &module)?;
        let expected = &reference[&module];
        for id in ids {
            for _ in 0..2 {
                if began.elapsed() > RECHECK_TIME {
                    break;
                }
                let only = BTreeSet::from([id.clone()]);
                let Some(records) = session.subject_records(&module, "confirm", expected, Some(only))? else {
                    return Ok(());
                };
                let again = ModuleResult::from_records(records);
                if judge(&lines, &id, &expected.cases[&id], again.cases.get(&id)) == Judgement::AsExpected {
                    cleared.insert((module.clone(), id.clone()));
                    break;
                }
            }
            progress.step(1, &format!("again: {module}.{id}"));
        }
    }
    drop(progress);
    outcome.findings.retain(|finding| {
        let flaky = cleared.contains(&(finding.module.clone(), finding.id.clone()));
        if flaky {
            eprintln!("unstable, not counted: {}.{} (deviated once, then was as expected)", finding.module, finding.id);
        }
        !flaky
    });
    Ok(())
}

/// What a contributor must see: the case, what was expected, both sides' tracebacks, and how to reproduce it.
pub fn text(outcome: &Outcome, limit: usize) -> String {
    let mut out = String::new();
    for fault in &outcome.faults {
        let _ = writeln!(out, "EXPECTATIONS  {fault}");
    }
    let mut failures: Vec<&Finding> =
        outcome.findings.iter().filter(|finding| finding.judgement != Judgement::UnexpectedPass).collect();
    failures.sort_by_key(|finding| finding.judgement);
    for finding in failures.iter().take(limit) {
        let _ = write!(out, "{}", failure(finding));
    }
    if failures.len() > limit {
        let _ = writeln!(out, "… and {} more", failures.len() - limit);
    }
    out += &passes(outcome);
    let _ = writeln!(
        out,
        "{} cases checked: {} new failures, {} changed crashes, {} unexpected passes",
        outcome.checked,
        outcome.count(Judgement::NewFailure),
        outcome.count(Judgement::ChangedCrash),
        outcome.count(Judgement::UnexpectedPass)
    );
    out
}

/// For scripts: the verdict, and each finding.
pub fn json(outcome: &Outcome, lenient: bool) -> serde_json::Value {
    let findings = outcome.findings.iter().map(|finding| {
        let record = finding.subject.as_ref();
        serde_json::json!({
            "case": format!("{}.{}", finding.module, finding.id), "judgement": finding.judgement.word(),
            "expected": finding.expected, "now": record.map_or("absent", |record| record.status.word()),
            "why": record.filter(|record| record.sig.is_some()).map(title),
            "sig": record.and_then(|record| record.sig.clone()),
        })
    });
    serde_json::json!({
        "exit": outcome.exit_code(lenient), "checked": outcome.checked, "not_run": outcome.not_run,
        "faults": outcome.faults, "findings": findings.collect::<Vec<_>>(),
    })
}

/// The findings as a list for a pull request.
pub fn markdown(outcome: &Outcome) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "## Gate\n");
    for fault in &outcome.faults {
        let _ = writeln!(out, "- expectations: {fault}");
    }
    for finding in outcome.findings.iter().take(200) {
        let now = finding.subject.as_ref().map(title).unwrap_or_default();
        let now = now.replace('`', "'");
        let _ = writeln!(out, "- {}: `{}.{}` {now}", finding.judgement.word(), finding.module, finding.id);
    }
    if outcome.findings.is_empty() && outcome.faults.is_empty() {
        let _ = writeln!(out, "All {} cases are as expected.", outcome.checked);
    }
    out
}

/// Unexpected passes: by name where a module has few of them, and the command that enrols them.
fn passes(outcome: &Outcome) -> String {
    let mut by_module: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
    for finding in outcome.findings.iter().filter(|finding| finding.judgement == Judgement::UnexpectedPass) {
        by_module.entry(&finding.module).or_default().push(finding);
    }
    let mut out = String::new();
    for (module, findings) in &by_module {
        if findings.len() > 5 {
            let _ = writeln!(out, "UNEXPECTED PASS  {module}: {} cases", findings.len());
            continue;
        }
        for finding in findings {
            let _ = writeln!(out, "UNEXPECTED PASS  {module}.{}  (expected: {})", finding.id, finding.expected);
        }
    }
    if !by_module.is_empty() {
        let modules: Vec<&str> = by_module.into_keys().collect();
        let _ = writeln!(out, "enrol the passes:  scripts/conform bless {}", modules.join(" "));
    }
    out
}

fn failure(finding: &Finding) -> String {
    let word = if finding.judgement == Judgement::ChangedCrash { "CHANGED CRASH" } else { "NEW FAILURE" };
    let mut out = String::new();
    let name = format!("{}.{}", finding.module, finding.id);
    let _ = writeln!(out, "{word}  {name}");
    let _ = writeln!(out, "  expected   {}", finding.expected);
    let Some(record) = &finding.subject else {
        let _ = writeln!(out, "  now        absent: the subject never reported it");
        return out;
    };
    let _ = writeln!(out, "  now        {}  {}", record.status.word(), title(record));
    if let (Some(now), Some(then)) = (record.subtests, finding.reference.subtests)
        && now.passed < then.passed
    {
        let _ = writeln!(out, "  sub-tests  {} passed, the reference passes {}", now.passed, then.passed);
    }
    let _ = writeln!(out, "  reproduce  scripts/conform show '{name}' --run-again");
    let _ = writeln!(out, "  minimise   scripts/conform repro '{name}' --minimise");
    let trace = record.exc.as_ref().map_or("", |exc| exc.trace.as_str());
    let detail = if trace.is_empty() { record.out.as_deref().unwrap_or("") } else { trace };
    let lines = without_unittest(detail);
    for line in &lines[lines.len().saturating_sub(12)..] {
        let _ = writeln!(out, "    {}", clip(line, 160));
    }
    out
}

/// The lines of a traceback without the frames of unittest's own machinery, which every case has.
fn without_unittest(trace: &str) -> Vec<&str> {
    let mut within = false;
    let keep = |line: &&str| {
        if line.starts_with("  File ") {
            within = line.contains("/unittest/case.py\"");
        } else if !line.starts_with("    ") {
            within = false;
        }
        !within
    };
    trace.lines().filter(keep).collect()
}

/// Two texts, diffed line by line.
pub fn text_diff(old: &str, new: &str) -> String {
    TextDiff::from_lines(old, new).unified_diff().context_radius(3).header("reference", "subject").to_string()
}
