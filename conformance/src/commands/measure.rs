//! Commands that run workers: run, gate, control, eval.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;

use crate::exit;
use crate::expectations;
use crate::gate;
use crate::progress::Progress;
use crate::record::{ModuleResult, Results, RunFolder, Side, Status};
use crate::report::{Summary, markdown};
use crate::run::{Session, Sides, cached_reference, measure, new_run, runs_folder};
use crate::suite::Selected;
use crate::supervisor::{Request, run_module};
use crate::worker::run_plain;
use crate::{changed, compare, trust};

#[derive(Clone, Debug, Default)]
pub struct RunOptions {
    pub resume: Option<String>,
    pub shard: Option<String>,
    /// The branch whose merge base the changes are counted from.
    pub changed: Option<String>,
    /// Only print the modules.
    pub list: bool,
    pub json: bool,
}

pub fn run(sides: &Sides, select: &[String], options: &RunOptions) -> io::Result<u8> {
    let session = Session::open(sides)?;
    trust::require_honest(&session)?;
    let (folder, mut meta, selected) = match options.resume.as_deref() {
        Some(name) => {
            let folder = RunFolder::open(&runs_folder(), name)?;
            let meta = folder.meta()?;
            if meta.pin != session.tree {
                return Err(io::Error::other("the suite has changed since that run began"));
            }
            let mut selected = session.suite.select(&meta.select).map_err(io::Error::other)?;
            selected.retain(|selected| meta.modules.contains(&selected.module));
            (folder, meta, selected)
        }
        None => {
            let selected = session.suite.select(select).map_err(io::Error::other)?;
            let selected = narrowed(&session, selected, options.changed.as_deref())?;
            let selected = shard_of(selected, options.shard.as_deref())?;
            if options.list {
                selected.iter().for_each(|one| println!("{}", one.module));
                return Ok(0);
            }
            let (folder, meta) = new_run(&session, &selected, select)?;
            (folder, meta, selected)
        }
    };
    measure(&session, &selected, &folder, &mut meta)?;
    let subject = folder.results()?;
    let reference = cached_reference(&session.cache, subject.keys().cloned());
    let summary = Summary::new(&session.suite, meta, &reference, &subject);
    if options.json {
        println!("{}", serde_json::to_string(&summary).map_err(io::Error::other)?);
        return Ok(if summary.meta.complete { 0 } else { exit::INTERRUPTED });
    }
    println!("{}", markdown::table(&summary));
    println!("run {} in {} s: {}", summary.meta.run, summary.meta.seconds, folder.path.display());
    if let Some(text) = markdown::cpu(&summary.meta) {
        println!("{text}");
    }
    if !session.suite_is_pinned {
        println!("The suite is not the pinned one: these figures compare with no other run's.");
    }
    if !summary.meta.complete {
        println!("interrupted; go on with: conformance run --resume {}", summary.meta.run);
        return Ok(exit::INTERRUPTED);
    }
    Ok(0)
}

fn narrowed(session: &Session, selected: Vec<Selected>, since: Option<&str>) -> io::Result<Vec<Selected>> {
    let Some(since) = since else { return Ok(selected) };
    let paths = changed::changed_paths(since)?;
    let before = selected.len();
    let (kept, everything) = changed::narrow(selected, &changed::touched(&paths), &session.reference.lib);
    match everything {
        Some(path) => eprintln!("{path} has changed: every module can be touched"),
        None => eprintln!("{} changed paths can touch {} of {before} modules", paths.len(), kept.len()),
    }
    Ok(kept)
}

/// `i/n`: every n-th module, from the i-th (1-based).
pub fn shard_of(selected: Vec<Selected>, shard: Option<&str>) -> io::Result<Vec<Selected>> {
    let Some(shard) = shard else { return Ok(selected) };
    let parsed = shard.split_once('/').and_then(|(index, count)| {
        let pair: (usize, usize) = (index.parse().ok()?, count.parse().ok()?);
        (pair.0 >= 1 && pair.0 <= pair.1).then_some(pair)
    });
    let (index, count) = parsed.ok_or_else(|| io::Error::other("--shard is written i/n, as in 1/4"))?;
    Ok(selected.into_iter().skip(index - 1).step_by(count).collect())
}

#[derive(Clone, Debug, Default)]
pub struct GateOptions {
    pub from_run: Option<String>,
    pub lenient: bool,
    pub confirm: bool,
    pub base: Option<String>,
    pub summary: Option<PathBuf>,
    pub json: bool,
}

pub fn gate(sides: &Sides, select: &[String], options: &GateOptions) -> io::Result<u8> {
    let session = Session::open(sides)?;
    if options.from_run.is_none() {
        trust::require_honest(&session)?;
    }
    if !session.suite_is_pinned {
        eprintln!(
            "gate: the suite below {} is not the pinned one (Python {}, tree {}); no verdict",
            session.reference.lib.display(),
            session.suite.pin.version,
            session.suite.pin.tree
        );
        return Ok(exit::OTHER_SUITE);
    }
    let selected = session.suite.select(select).map_err(io::Error::other)?;
    let folder = match options.from_run.as_deref() {
        Some(name) => RunFolder::open(&runs_folder(), name)?,
        None => {
            let (folder, mut meta) = new_run(&session, &selected, select)?;
            measure(&session, &selected, &folder, &mut meta)?;
            if !meta.complete {
                eprintln!("gate: interrupted, no verdict");
                return Ok(exit::INTERRUPTED);
            }
            folder
        }
    };
    let chosen: BTreeMap<&str, &Selected> = selected.iter().map(|one| (one.module.as_str(), one)).collect();
    let mut subject = folder.results()?;
    subject.retain(|module, _| chosen.contains_key(module.as_str()));
    let reference = cached_reference(&session.cache, subject.keys().cloned());
    let wants = |module: &str, id: &str| chosen.get(module).is_some_and(|selected| selected.wants(id));
    let expected = expectations::folder();
    let mut outcome = gate::check(&expected, &reference, &subject, wants);
    if options.confirm {
        gate::confirm(&session, &reference, &mut outcome, &expected)?;
    }
    let summary = Summary::new(&session.suite, folder.meta()?, &reference, &subject);
    if options.json {
        println!("{}", gate::json(&outcome, options.lenient));
    } else {
        println!("{}", markdown::table(&summary));
        print!("{}", gate::text(&outcome, 60));
    }
    if options.base.is_some() || options.summary.is_some() {
        let base = compare::base(options.base.as_deref().unwrap_or("merge-base"))?;
        let mut found = compare::compare(&session.suite, &base, &reference, &subject);
        found.set_flaky_aside(&expected)?;
        if !options.json {
            print!("{}", found.text());
        }
        if let Some(path) = &options.summary {
            let text = format!("{}\n{}\n{}", found.markdown(), markdown::table(&summary), gate::markdown(&outcome));
            std::fs::write(path, text)?;
        }
    }
    if outcome.checked == 0 {
        eprintln!("gate: 0 cases were checked");
        return Ok(exit::NOTHING_RUN);
    }
    Ok(outcome.exit_code(options.lenient))
}

/// What the control found: the harness's check of itself.
#[derive(Serialize, Default)]
struct Control {
    cases: usize,
    /// Not the same over all fresh runs of the reference.
    unstable: Vec<String>,
    /// Stable on the reference, and not the same in a further run of it as the subject.
    differing: Vec<String>,
}

/// More unstable cases than this, and the reference is no measure.
const MOST_UNSTABLE: usize = 20;

pub fn control(sides: &Sides, select: &[String], repeat: usize, json: bool) -> io::Result<u8> {
    let python = crate::reference::Reference::find(&sides.reference)?.python;
    let sides = Sides { subject: sides.subject.clone().or(Some(python)), ..sides.clone() };
    let session = Session::open(&sides)?;
    let selected = session.suite.select(select).map_err(io::Error::other)?;
    let weight = |one: &Selected| session.suite.weight(&one.module);
    let progress = Progress::new(selected.len(), selected.iter().map(weight).sum());
    let mut found = Control::default();
    for one in &selected {
        let mut runs: Vec<ModuleResult> = Vec::new();
        for _ in 0..repeat {
            match fresh_reference(&session, &one.module)? {
                Some(result) => runs.push(result),
                None => return Ok(exit::INTERRUPTED),
            }
        }
        let Some(records) = session.subject_records(&one.module, "control", &runs[0], None)? else {
            return Ok(exit::INTERRUPTED);
        };
        let before = found.cases;
        found.add(one, &runs, &ModuleResult::from_records(records));
        progress.step(weight(one), &format!("{}: {} cases", one.module, found.cases - before));
    }
    drop(progress);
    if json {
        println!("{}", serde_json::to_string(&found).map_err(io::Error::other)?);
    } else {
        found.unstable.iter().for_each(|case| println!("unstable  {case}"));
        found.differing.iter().for_each(|case| println!("differs   {case}"));
        let (unstable, differing) = (found.unstable.len(), found.differing.len());
        println!("control: {} cases, {unstable} unstable, {differing} stable ones differ", found.cases);
    }
    Ok(exit::found(!found.differing.is_empty() || found.unstable.len() > MOST_UNSTABLE))
}

impl Control {
    fn add(&mut self, selected: &Selected, runs: &[ModuleResult], subject: &ModuleResult) {
        let outcome = |result: &ModuleResult, id: &str| result.cases.get(id).map(|case| (case.status, case.subtests));
        let status = |result: &ModuleResult, id: &str| result.cases.get(id).map(|case| case.status);
        let word = |status: Option<Status>| status.map_or("absent", Status::word);
        for id in selected.chosen(&runs[0]) {
            self.cases += 1;
            let (then, now) = (status(&runs[0], &id), status(subject, &id));
            if runs.iter().any(|run| outcome(run, &id) != outcome(&runs[0], &id)) {
                self.unstable.push(format!("{}.{id}", selected.module));
            } else if then != now {
                let (then, now) = (word(then), word(now));
                self.differing.push(format!("{}.{id}: {then} on the reference, {now} as subject", selected.module));
            }
        }
    }
}

fn fresh_reference(session: &Session, module: &str) -> io::Result<Option<ModuleResult>> {
    let recorder = crate::reference::recorder_path();
    let worker = &session.reference.worker;
    let request = Request::new(worker, "control", module, &recorder, &session.limits);
    let request = Request { side: Side::Reference, ..request };
    Ok(run_module(&request)?.map(ModuleResult::from_records))
}

pub fn eval(sides: &Sides, code: &str, json: bool) -> io::Result<u8> {
    let session = Session::open(sides)?;
    let args = ["-c".to_owned(), code.to_owned()];
    let limit = Duration::from_secs(60);
    let answer = |interpreter| -> io::Result<String> {
        Ok(match run_plain(interpreter, &args, limit)? {
            Some((output, code)) => {
                let end = code.map_or("killed by a signal".to_owned(), |code| format!("exit code {code}"));
                format!("{output}[{end}]\n")
            }
            None => format!("[no end within {} s]\n", limit.as_secs()),
        })
    };
    let reference = answer(&session.reference.worker)?;
    let subject = answer(&session.subject)?;
    if json {
        let same = reference == subject;
        println!("{}", serde_json::json!({ "same": same, "reference": reference, "subject": subject }));
        return Ok(u8::from(!same));
    }
    if reference == subject {
        print!("{reference}");
        println!("both sides agree");
        return Ok(0);
    }
    print!("{}", gate::text_diff(&reference, &subject));
    Ok(1)
}

/// One line per side for the cases that `wants` chooses, with verdicts; used by `show --run-again`.
pub fn measure_again(session: &Session, selected: &[Selected]) -> io::Result<(Results, Results)> {
    let (mut references, mut subjects) = (Results::new(), Results::new());
    for one in selected {
        let Some(reference) = session.reference_result(&one.module, "run")? else { break };
        let only = Some(one.chosen(&reference));
        let Some(records) = session.subject_records(&one.module, "show", &reference, only)? else { break };
        subjects.insert(one.module.clone(), ModuleResult::from_records(records));
        references.insert(one.module.clone(), reference);
    }
    Ok((references, subjects))
}
