//! Commands that run workers: run, gate, control, eval.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::expectations;
use crate::gate::{self, EXIT_NOT_RUN, EXIT_OTHER_SUITE};
use crate::record::{ModuleResult, Results, RunFolder, Side};
use crate::report::{Summary, markdown};
use crate::run::{Session, Sides, cached_reference, measure, new_run, runs_folder};
use crate::suite::Selected;
use crate::supervisor::{INTERRUPTED, Only, Request, run_module};
use crate::worker::run_plain;
use crate::{changed, compare, trust};

/// Exit code of a run that was interrupted, as a shell reports SIGINT.
pub const EXIT_INTERRUPTED: u8 = 130;

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
        return Ok(if summary.meta.complete { 0 } else { EXIT_INTERRUPTED });
    }
    println!("{}", markdown::table(&summary));
    println!("run {} in {} s: {}", summary.meta.run, summary.meta.seconds, folder.path.display());
    if !session.suite_is_pinned {
        println!("The suite is not the pinned one: these figures compare with no other run's.");
    }
    if !summary.meta.complete {
        println!("interrupted; go on with: conformance run --resume {}", summary.meta.run);
        return Ok(EXIT_INTERRUPTED);
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
        return Ok(EXIT_OTHER_SUITE);
    }
    let selected = session.suite.select(select).map_err(io::Error::other)?;
    let folder = match options.from_run.as_deref() {
        Some(name) => RunFolder::open(&runs_folder(), name)?,
        None => {
            let (folder, mut meta) = new_run(&session, &selected, select)?;
            measure(&session, &selected, &folder, &mut meta)?;
            if !meta.complete {
                eprintln!("gate: interrupted, no verdict");
                return Ok(EXIT_INTERRUPTED);
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
        let found = compare::compare(&session.suite, &base, &reference, &subject);
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
        return Ok(EXIT_NOT_RUN);
    }
    Ok(outcome.exit_code(options.lenient))
}

/// The harness's own control: which cases are stable on the reference, and does a further run, taken as the subject,
/// agree on each of them?
pub fn control(sides: &Sides, select: &[String], repeat: usize) -> io::Result<u8> {
    let python = crate::reference::Reference::find(&sides.reference)?.python;
    let sides = Sides { subject: sides.subject.clone().or(Some(python)), ..sides.clone() };
    let session = Session::open(&sides)?;
    let selected = session.suite.select(select).map_err(io::Error::other)?;
    let (mut cases, mut unstable, mut differing) = (0, Vec::new(), Vec::new());
    for one in &selected {
        let mut runs: Vec<ModuleResult> = Vec::new();
        for _ in 0..repeat {
            match fresh_reference(&session, &one.module)? {
                Some(result) => runs.push(result),
                None => return Ok(EXIT_INTERRUPTED),
            }
        }
        let Some(records) = session.subject_records(&one.module, "control", &runs[0], None)? else {
            return Ok(EXIT_INTERRUPTED);
        };
        let subject = ModuleResult::from_records(records);
        let outcome = |result: &ModuleResult, id: &str| result.cases.get(id).map(|case| (case.status, case.subtests));
        let mut counted = 0;
        for id in runs[0].order.iter().filter(|id| one.wants(id)) {
            counted += 1;
            let first = outcome(&runs[0], id);
            if runs.iter().any(|run| outcome(run, id) != first) {
                unstable.push(format!("{}.{id}", one.module));
            } else if outcome(&subject, id).map(|(status, _)| status) != first.map(|(status, _)| status) {
                let now = outcome(&subject, id).map_or("absent", |(status, _)| status.word());
                let then = first.map_or("absent", |(status, _)| status.word());
                differing.push(format!("{}.{id}: {then} on the reference, {now} as subject", one.module));
            }
        }
        cases += counted;
        eprintln!("{}: {counted} cases", one.module);
        if INTERRUPTED.load(std::sync::atomic::Ordering::Relaxed) {
            return Ok(EXIT_INTERRUPTED);
        }
    }
    for case in &unstable {
        println!("unstable  {case}");
    }
    for case in &differing {
        println!("differs   {case}");
    }
    println!("control: {cases} cases, {} unstable, {} stable ones differ", unstable.len(), differing.len());
    Ok(u8::from(!differing.is_empty() || unstable.len() > 20))
}

fn fresh_reference(session: &Session, module: &str) -> io::Result<Option<ModuleResult>> {
    let recorder = crate::reference::recorder_path();
    let request = Request {
        interpreter: &session.reference.worker,
        side: Side::Reference,
        run: "control",
        module,
        root: None,
        recorder: &recorder,
        mode: "run",
        only: Only::All,
        reference: None,
        limits: &session.limits,
    };
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
        let only = reference.order.iter().filter(|id| one.wants(id)).cloned().collect();
        let Some(records) = session.subject_records(&one.module, "show", &reference, Some(only))? else { break };
        subjects.insert(one.module.clone(), ModuleResult::from_records(records));
        references.insert(one.module.clone(), reference);
    }
    Ok((references, subjects))
}
