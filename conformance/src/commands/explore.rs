//! Commands that look for what nobody reported: api, fuzz, snippets, bisect.

use std::fs;
use std::io;
use std::path::PathBuf;

use crate::api as coverage;
use crate::bisect::{self as halving, Builder, Found};
use crate::exit;
use crate::fuzz::Hunt;
use crate::gate::text_diff;
use crate::progress::Progress;
use crate::record::{ModuleResult, Status};
use crate::repro::bench::Bench;
use crate::run::{Session, Sides, runs_folder};
use crate::score::{Verdict, verdict};
use crate::suite::repository;
use std::sync::atomic::Ordering;

pub fn api(sides: &Sides, modules: &[String], top: usize, signatures: bool, json: bool) -> io::Result<u8> {
    let session = Session::open(sides)?;
    let found = coverage::measure(&session, modules)?;
    let text = serde_json::to_string(&found).map_err(io::Error::other)?;
    if modules.is_empty() {
        fs::write(runs_folder().join("api.json"), &text)?;
    }
    if json {
        println!("{text}");
    } else {
        print!("{}", coverage::text(&found, top, signatures));
    }
    let whole = found.iter().all(|one| one.error.is_none() && one.missing.is_empty());
    Ok(exit::found(!whole))
}

pub fn fuzz(sides: &Sides, seed: u64, count: u64, json: bool) -> io::Result<u8> {
    let session = Session::open(sides)?;
    let mut hunt = Hunt::new(&session)?;
    let folder = runs_folder().join("fuzz");
    fs::create_dir_all(&folder)?;
    let mut differences = 0;
    let progress = Progress::of_short_steps(count as usize);
    for number in seed..seed + count {
        if crate::supervisor::INTERRUPTED.load(Ordering::Relaxed) {
            return Ok(exit::INTERRUPTED);
        }
        let found = hunt.seed(number)?;
        differences += usize::from(found.is_some());
        progress.step(1, &format!("{differences} on which the sides differ"));
        let Some(found) = found else { continue };
        let path = folder.join(format!("{number}.py"));
        fs::write(&path, &found.source)?;
        if json {
            let path = path.display().to_string();
            let value = serde_json::json!({ "seed": number, "file": path, "source": found.source,
                "reference": found.reference, "subject": found.subject });
            println!("{value}");
        } else {
            println!("seed {number}: {}\n{}", path.display(), found.source.trim_end());
            println!("{}", text_diff(&found.reference, &found.subject));
        }
    }
    drop(progress);
    if !json {
        println!("{count} programs, {differences} on which the sides differ");
    }
    Ok(exit::found(differences > 0))
}

/// The corpus of small programs on both sides.
pub fn snippets(sides: &Sides, filter: &str, json: bool) -> io::Result<u8> {
    let session = Session::open(sides)?;
    let mut reference = Bench::new(&session.reference.worker, false, 20.0)?;
    let mut subject = Bench::new(&session.subject, false, 20.0)?;
    let name = |path: &PathBuf| path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let mut paths = snippet_files()?;
    paths.retain(|path| name(path).contains(filter));
    if paths.is_empty() {
        return Err(io::Error::other(format!("no snippet is called {filter}")));
    }
    let progress = Progress::of_short_steps(paths.len());
    let (mut text, mut rows, mut differing) = (String::new(), Vec::new(), 0);
    for path in &paths {
        let source = fs::read_to_string(path)?;
        let (name, theirs, ours) = (name(path), reference.script(&source)?, subject.script(&source)?);
        progress.step(1, &name);
        if theirs == ours {
            text += &format!("same     {name}\n");
        } else {
            differing += 1;
            text += &format!("DIFFERS  {name}\n{}\n", text_diff(&theirs, &ours));
        }
        let same = theirs == ours;
        rows.push(serde_json::json!({ "snippet": name, "same": same, "reference": theirs, "subject": ours }));
    }
    drop(progress);
    if json {
        println!("{}", serde_json::Value::Array(rows));
    } else {
        println!("{text}{} snippets, {differing} differ", paths.len());
    }
    Ok(exit::found(differing > 0))
}

/// The programs of `conformance/snippets`, sorted.
pub fn snippet_files() -> io::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(repository().join("conformance/snippets"))?;
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "py"));
    paths.sort();
    Ok(paths)
}

pub fn bisect(sides: &Sides, id: &str, good: &str, bad: &str, build: Option<String>, json: bool) -> io::Result<u8> {
    let root = repository();
    let commits = halving::commits(&root, good, bad)?;
    if commits.is_empty() {
        return Err(io::Error::other(format!("no commits lead from {good} to {bad}")));
    }
    let command = build.unwrap_or_else(|| halving::BUILD.to_owned());
    let builder = Builder { repository: root.clone(), folder: runs_folder().join("bisect"), command };
    // The bad end is asked as well, and then the range is halved.
    let steps = 1 + commits.len().next_power_of_two().ilog2() as usize;
    let progress = Progress::new(steps, steps as u64);
    let ask = |index: usize| -> io::Result<Found> {
        let commit = &commits[index];
        let found = match builder.binary(commit)? {
            Some(binary) => judge(&Sides { subject: Some(binary), ..sides.clone() }, id)?,
            None => Found::Unknown,
        };
        progress.step(1, &format!("{} is {} (commit {} of {})", &commit[..12], found.word(), index + 1, commits.len()));
        Ok(found)
    };
    if ask(commits.len() - 1)? != Found::Bad {
        return Err(io::Error::other(format!("{id} does not deviate at {bad}: nothing to look for")));
    }
    let range = halving::search(commits.len(), ask)?;
    drop(progress);
    let first: Vec<&str> = range.iter().map(|&index| commits[index].as_str()).collect();
    let shown = halving::git(&root, &["log", "--no-walk", "--format=%h %an %ad %s", "--date=short", first[0]])?;
    if json {
        println!("{}", serde_json::json!({ "case": id, "first_bad": first }));
    } else if let [_] = first.as_slice() {
        println!("first bad commit: {}", shown.trim());
    } else {
        println!("the first bad commit is one of {}, from {}", first.len(), shown.trim());
    }
    Ok(0)
}

/// Whether the case deviates on this subject.
fn judge(sides: &Sides, id: &str) -> io::Result<Found> {
    let session = Session::open(sides)?;
    let selected = session.suite.select(&[id.to_owned()]).map_err(io::Error::other)?;
    let (mut cases, mut bad) = (0, 0);
    for one in &selected {
        let Some(reference) = session.reference_result(&one.module, "run")? else { return Ok(Found::Unknown) };
        let only = Some(one.chosen(&reference));
        let Some(records) = session.subject_records(&one.module, "bisect", &reference, only)? else {
            return Ok(Found::Unknown);
        };
        let subject = ModuleResult::from_records(records);
        for id in reference.order.iter().filter(|id| one.wants(id)) {
            let before = &reference.cases[id];
            if before.status == Status::Pass {
                cases += 1;
                bad += usize::from(verdict(before, subject.cases.get(id), true) != Verdict::Same);
            }
        }
    }
    Ok(match (cases, bad) {
        (0, _) => Found::Unknown,
        (_, 0) => Found::Good,
        _ => Found::Bad,
    })
}
