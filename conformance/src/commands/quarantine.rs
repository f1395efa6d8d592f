//! Commands about the expectation files: lint, merge, flake.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;

use crate::commands::measure::EXIT_INTERRUPTED;
use crate::expectations::{self, lint as rules, merge as three_way, this_month};
use crate::flake as unstable;
use crate::gate::EXIT_EXPECTATIONS;
use crate::record::{ModuleResult, Results, RunFolder};
use crate::run::{Session, Sides, cached_reference, commit, runs_folder};
use crate::suite::Suite;

/// Exit code of a merge that leaves conflicts, and of `flake` that finds unstable cases: as git and grep have it.
const EXIT_FOUND: u8 = 1;

/// Without a reference the lines are checked by themselves only.
pub fn lint(sides: &Sides, json: bool) -> io::Result<u8> {
    let suite = Suite::load()?;
    let session = Session::open(sides).ok();
    let reference = |module: &str| -> Option<ModuleResult> {
        session.as_ref().and_then(|session| session.cache.load(module, "run"))
    };
    let faults = rules::folder(&expectations::folder(), &suite, &this_month(), reference)?;
    if json {
        println!("{}", serde_json::json!({ "faults": faults }));
    } else {
        faults.iter().for_each(|fault| println!("expectations/{fault}"));
        let matched = if session.is_some() { "" } else { " (no reference: lines were not matched with cases)" };
        println!("lint: {} faults{matched}", faults.len());
    }
    Ok(if faults.is_empty() { 0 } else { EXIT_EXPECTATIONS })
}

/// As a git merge driver: the result goes to OURS unless told otherwise.
pub fn merge(base: &Path, ours: &Path, theirs: &Path, out: Option<&Path>) -> io::Result<u8> {
    let read = |path: &Path| match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        other => other,
    };
    let merged = three_way::merge(&read(base)?, &read(ours)?, &read(theirs)?).map_err(io::Error::other)?;
    fs::write(out.unwrap_or(ours), merged.text)?;
    if merged.conflicts > 0 {
        eprintln!(
            "{} cases: one side says they pass, the other that they fail otherwise; run the module and bless it",
            merged.conflicts
        );
        return Ok(EXIT_FOUND);
    }
    Ok(0)
}

/// Runs the selection so many times, or takes recorded runs, and prints a quarantine line for each unstable case.
pub fn flake(
    sides: &Sides,
    select: &[String],
    repeat: usize,
    from_run: &[String],
    write: bool,
    json: bool,
) -> io::Result<u8> {
    let session = Session::open(sides)?;
    let selected = session.suite.select(select).map_err(io::Error::other)?;
    let mut reference = Results::new();
    let mut runs: Vec<Results> = Vec::new();
    for name in from_run {
        runs.push(RunFolder::open(&runs_folder(), name)?.results()?);
    }
    let modules: BTreeSet<String> = runs.iter().flat_map(|run| run.keys().cloned()).collect();
    reference.extend(cached_reference(&session.cache, modules.into_iter()));
    if from_run.is_empty() {
        for one in &selected {
            match session.reference_result(&one.module, "run")? {
                Some(result) => reference.insert(one.module.clone(), result),
                None => return Ok(EXIT_INTERRUPTED),
            };
        }
        for round in 1..=repeat {
            let mut results = Results::new();
            for one in &selected {
                let expected = &reference[&one.module];
                let only = expected.order.iter().filter(|id| one.wants(id)).cloned().collect();
                let only = one.patterns.is_some().then_some(only);
                match session.subject_records(&one.module, "flake", expected, only)? {
                    Some(records) => results.insert(one.module.clone(), ModuleResult::from_records(records)),
                    None => return Ok(EXIT_INTERRUPTED),
                };
            }
            eprintln!("round {round} of {repeat}: {} modules", results.len());
            runs.push(results);
        }
    }
    let found = unstable::find(&reference, &runs);
    let (month, commit) = (this_month(), commit());
    if json {
        let lines = found.iter().map(|one| {
            let seen = one.seen.iter().map(|(status, count)| (status.word(), *count));
            let seen: std::collections::BTreeMap<_, _> = seen.collect();
            serde_json::json!({ "case": format!("{}.{}", one.module, one.id), "seen": seen })
        });
        println!("{}", serde_json::Value::Array(lines.collect()));
    } else {
        for one in &found {
            println!("{}.txt: {}", one.module, one.line(&month, &commit));
        }
        println!("{} unstable cases over {} runs", found.len(), runs.len());
    }
    if write {
        let folder = expectations::folder();
        for one in &found {
            let mut lines = expectations::load(&folder, &one.module)?;
            lines.lines.insert(one.id.clone(), one.line(&month, &commit));
            expectations::store(&folder, &one.module, &lines)?;
        }
    }
    Ok(if found.is_empty() { 0 } else { EXIT_FOUND })
}
