//! Commands about the expectation files: lint, merge, flake.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;

use crate::exit;
use crate::expectations::{self, lint as rules, merge as three_way, this_month};
use crate::flake as unstable;
use crate::progress::Progress;
use crate::record::{ModuleResult, Results, RunFolder};
use crate::run::{Session, Sides, cached_reference, commit, runs_folder};
use crate::suite::{Selected, Suite};

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
    Ok(if faults.is_empty() { 0 } else { exit::FAULTY_EXPECTATIONS })
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
        return Ok(exit::FOUND);
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
    let (reference, runs, commit) = if from_run.is_empty() {
        let selected = session.suite.select(select).map_err(io::Error::other)?;
        let Some((reference, runs)) = rounds(&session, &selected, repeat)? else { return Ok(exit::INTERRUPTED) };
        (reference, runs, commit())
    } else {
        recorded(&session, from_run)?
    };
    let found = unstable::find(&reference, &runs);
    let month = this_month();
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
    Ok(exit::found(!found.is_empty()))
}

/// The selection on the subject, so many times. None when interrupted.
fn rounds(session: &Session, selected: &[Selected], repeat: usize) -> io::Result<Option<(Results, Vec<Results>)>> {
    let weight = |one: &Selected| session.suite.weight(&one.module);
    let whole: u64 = selected.iter().map(weight).sum();
    let progress = Progress::new(selected.len() * repeat, whole * repeat as u64);
    let mut reference = Results::new();
    let mut runs = vec![Results::new(); repeat];
    for (round, results) in runs.iter_mut().enumerate() {
        for one in selected {
            if !reference.contains_key(&one.module) {
                let Some(result) = session.reference_result(&one.module, "run")? else { return Ok(None) };
                reference.insert(one.module.clone(), result);
            }
            let expected = &reference[&one.module];
            let Some(records) = session.subject_records(&one.module, "flake", expected, one.only(expected))? else {
                return Ok(None);
            };
            results.insert(one.module.clone(), ModuleResult::from_records(records));
            progress.step(weight(one), &format!("round {} of {repeat}: {}", round + 1, one.module));
        }
    }
    Ok(Some((reference, runs)))
}

/// Recorded runs: only of one commit and one suite can they tell what is unstable.
fn recorded(session: &Session, names: &[String]) -> io::Result<(Results, Vec<Results>, String)> {
    let folders = names.iter().map(|name| RunFolder::open(&runs_folder(), name)).collect::<io::Result<Vec<_>>>()?;
    let metas = folders.iter().map(RunFolder::meta).collect::<io::Result<Vec<_>>>()?;
    let commit = metas[0].commit.clone();
    if let Some(other) = metas.iter().find(|meta| meta.commit != commit || meta.pin != session.tree) {
        return Err(io::Error::other(format!("{} is of another commit or suite than {}", other.run, metas[0].run)));
    }
    let runs = folders.iter().map(RunFolder::results).collect::<io::Result<Vec<_>>>()?;
    let modules: BTreeSet<String> = runs.iter().flat_map(|run| run.keys().cloned()).collect();
    Ok((cached_reference(&session.cache, modules.into_iter()), runs, commit))
}
