//! Commands that keep the facts in order: bless, marks, pin, doctor.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::exit;
use crate::expectations;
use crate::progress::Progress;
use crate::record::{ModuleResult, RunFolder, Status};
use crate::reference::{Reference, check_pin};
use crate::run::{Session, Sides, cached_reference, default_subject, runs_folder};
use crate::suite::{Selected, Suite, repository, tree_hash};
use crate::trust;
use crate::worker::{Interpreter, run_plain};

pub fn bless(sides: &Sides, select: &[String], runs: &[String], first: bool, json: bool) -> io::Result<u8> {
    let session = Session::open(sides)?;
    let folders = runs.iter().map(|name| RunFolder::open(&runs_folder(), name)).collect::<io::Result<Vec<_>>>()?;
    let metas = folders.iter().map(RunFolder::meta).collect::<io::Result<Vec<_>>>()?;
    if metas.iter().any(|meta| meta.pin != session.tree) {
        return Err(io::Error::other("that run was made with another suite"));
    }
    let results = folders.iter().map(RunFolder::results).collect::<io::Result<Vec<_>>>()?;
    let words = if select.is_empty() { metas[0].modules.clone() } else { select.to_vec() };
    let selected = session.suite.select(&words).map_err(io::Error::other)?;
    let reference = cached_reference(&session.cache, results[0].keys().cloned());
    let folder = expectations::folder();
    let mut written: Vec<String> = Vec::new();
    let mut left: Vec<String> = Vec::new();
    for Selected { module, patterns } in selected {
        let (Some(expected), Some(subject)) = (reference.get(&module), results[0].get(&module)) else { continue };
        if patterns.is_some() {
            return Err(io::Error::other("bless takes whole modules: a file is written from a whole module's run"));
        }
        let mut subject = subject.clone();
        // What the runs disagree on is left as the file has it.
        let disagree = |id: &String| {
            let status = |result: &ModuleResult| result.cases.get(id).map(|record| record.status);
            results[1..].iter().any(|other| other.get(&module).map(status) != Some(status(&subject)))
        };
        let unstable: BTreeSet<String> = expected.order.iter().filter(|id| disagree(id)).cloned().collect();
        for id in &unstable {
            left.push(format!("{module}.{id}"));
            let passed = expected.cases[id].clone();
            subject.cases.insert(id.clone(), passed);
        }
        let old = expectations::load(&folder, &module).unwrap_or_default();
        let mut new = expectations::bless(&old, expected, &subject, first);
        for id in unstable {
            match old.lines.get(&id) {
                Some(line) => new.lines.insert(id, line.clone()),
                None => new.lines.remove(&id),
            };
        }
        if new != old {
            expectations::store(&folder, &module, &new)?;
            written.push(format!("{module}.txt"));
        }
    }
    if json {
        println!("{}", serde_json::json!({ "folder": folder, "changed": written, "unstable": left }));
    } else {
        left.iter().for_each(|case| println!("unstable, left as it was: {case}"));
        println!("{} files changed below {}", written.len(), folder.display());
    }
    Ok(0)
}

/// Every module of the selection through `work`, on as many threads as the session has jobs.
fn over_modules<T: Send>(
    session: &Session,
    selected: &[Selected],
    work: impl Fn(&str) -> io::Result<Option<T>> + Sync,
) -> io::Result<BTreeMap<String, T>> {
    let progress = Progress::new(selected.len(), selected.iter().map(|one| session.suite.weight(&one.module)).sum());
    let next = AtomicUsize::new(0);
    let found = Mutex::new(Ok(BTreeMap::new()));
    thread::scope(|scope| {
        for _ in 0..session.jobs {
            scope.spawn(|| {
                while let Some(one) = selected.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let result = work(&one.module);
                    progress.step(session.suite.weight(&one.module), &one.module);
                    let Ok(mut found) = found.lock() else { return };
                    match (result, &mut *found) {
                        (Ok(Some(value)), Ok(found)) => {
                            found.insert(one.module.clone(), value);
                        }
                        (Ok(None), _) | (_, Err(_)) => return,
                        (Err(error), found) => {
                            *found = Err(error);
                            return;
                        }
                    }
                }
            });
        }
    });
    found.into_inner().map_err(|_| io::Error::other("a thread failed"))?
}

/// The reference's cases of each module that `keep` chooses by their plain result and their result in another mode of
/// the recorder's.
fn cases_by_mode(
    sides: &Sides,
    select: &[String],
    mode: &str,
    keep: impl Fn(&Suite, &str, &ModuleResult, &ModuleResult, &str) -> bool + Sync,
) -> io::Result<(Suite, BTreeMap<String, Vec<String>>)> {
    let python = Reference::find(&sides.reference)?.python;
    let session = Session::open(&Sides { subject: Some(python), ..sides.clone() })?;
    let selected = session.suite.select(select).map_err(io::Error::other)?;
    let found = over_modules(&session, &selected, |module| {
        let Some(plain) = session.reference_result(module, "run")? else { return Ok(None) };
        let Some(other) = session.reference_result(module, mode)? else { return Ok(None) };
        let chosen = plain.order.iter().filter(|id| keep(&session.suite, module, &plain, &other, id));
        Ok(Some(chosen.cloned().collect::<Vec<_>>()))
    })?;
    Ok((session.suite, found))
}

/// A case is marked when it passes on the reference, and the suite itself skips or drops it once the implementation has
/// another name. What fails then is no mark: the test only looked at the name.
pub fn marks(sides: &Sides, select: &[String], json: bool) -> io::Result<u8> {
    let (suite, found) = cases_by_mode(sides, select, "marks", |_, _, plain, other, id| is_marked(plain, other, id))?;
    let mut cases = suite.marked;
    cases.retain(|(module, _)| !found.contains_key(module));
    for (module, marked) in found {
        cases.extend(marked.into_iter().map(|id| (module.clone(), id)));
    }
    let mut text = String::from(
        "# Cases that the suite itself marks as CPython's implementation detail: collected on the reference by\n\
         # `conformance marks`, which runs it under another implementation name. Not edited by hand.\n",
    );
    for (module, id) in &cases {
        text += &format!("{module} {id}\n");
    }
    let path = repository().join("cpython-tests/cpython-only.txt");
    fs::write(&path, text)?;
    if json {
        println!("{}", serde_json::json!({ "file": path, "marked": by_module(&cases) }));
    } else {
        println!("{} marked cases in {}", cases.len(), path.display());
    }
    Ok(0)
}

/// Cases that pass on the reference, carry no mark, and do not pass once CPython's C test instruments are out of reach.
pub fn capi_candidates(sides: &Sides, select: &[String], json: bool) -> io::Result<u8> {
    let (_, found) = cases_by_mode(sides, select, "nocapi", |suite, module, plain, other, id| {
        let passes = |result: &ModuleResult| result.cases.get(id).is_some_and(|case| case.status == Status::Pass);
        passes(plain) && !passes(other) && suite.is_portable(module, id)
    })?;
    if json {
        println!("{}", serde_json::json!(found));
        return Ok(0);
    }
    for (module, ids) in &found {
        ids.iter().for_each(|id| println!("{module} {id}"));
    }
    Ok(0)
}

fn by_module(cases: &BTreeSet<(String, String)>) -> BTreeMap<&str, Vec<&str>> {
    let mut found: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (module, id) in cases {
        found.entry(module).or_default().push(id);
    }
    found
}

fn is_marked(plain: &ModuleResult, other: &ModuleResult, id: &str) -> bool {
    let loaded = other.module.as_ref().is_some_and(|module| module.status != Status::ImportError);
    let other = other.cases.get(id).map(|case| case.status);
    plain.cases[id].status == Status::Pass && loaded && matches!(other, None | Some(Status::Skip))
}

pub fn pin(sides: &Sides, write: bool, json: bool) -> io::Result<u8> {
    let reference = Reference::find(&sides.reference)?;
    let tree = tree_hash(&reference.lib)?;
    let text = format!(
        "# The suite that scores and expectations are about: CPython's Lib/test, by version and by the SHA-256 over its\n\
         # sorted files without bytecode (`conformance pin`).\nversion {}\ntree {tree}\n",
        reference.version
    );
    if write {
        fs::write(repository().join("cpython-tests/PIN"), &text)?;
    }
    if json {
        println!("{}", serde_json::json!({ "version": reference.version, "tree": tree }));
    } else {
        print!("{text}");
    }
    Ok(0)
}

/// Pieces that must come out alike from the embedded reference and from its command.
const SELF_TEST: &str = "import sys, signal, os, threading, subprocess\n\
child = subprocess.run([sys.executable, '-c', 'import sys; print(sys.version)'], capture_output=True, text=True)\n\
print(sys.executable, sys.version, child.stdout.strip() == sys.version, sys.flags, sys.argv, sys.prefix)\n\
print(sys.path, threading.active_count(), signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGPIPE))";

/// What `doctor` says, line by line as it finds it out.
struct Findings {
    json: bool,
    /// `ok`, `note` or `fault`, and what it is about.
    lines: Vec<(&'static str, String)>,
}

impl Findings {
    fn say(&mut self, sound: bool, text: String) {
        self.add(if sound { "ok" } else { "fault" }, text);
    }

    fn add(&mut self, kind: &'static str, text: String) {
        if !self.json {
            println!("{:5}  {text}", if kind == "fault" { "FAULT" } else { kind });
        }
        self.lines.push((kind, text));
    }
}

pub fn doctor(sides: &Sides, json: bool) -> io::Result<u8> {
    let began = Instant::now();
    let mut findings = Findings { json, lines: Vec::new() };
    match Reference::find(&sides.reference) {
        Err(error) => findings.say(false, error.to_string()),
        Ok(reference) => examine_reference(&reference, &mut findings)?,
    }
    match sides.subject.clone().map_or_else(default_subject, Ok) {
        Err(error) => findings.add("note", error.to_string()),
        Ok(path) => examine_subject(path, &mut findings)?,
    }
    let faults = findings.lines.iter().filter(|(kind, _)| *kind == "fault").count();
    let seconds = began.elapsed().as_secs_f64();
    if json {
        let lines = findings.lines.iter().map(|(kind, text)| serde_json::json!({ "is": kind, "what": text }));
        let lines: Vec<_> = lines.collect();
        println!("{}", serde_json::json!({ "sound": faults == 0, "findings": lines, "seconds": seconds }));
    } else {
        let word = match faults {
            0 => "sound".to_owned(),
            1 => "1 fault".to_owned(),
            many => format!("{many} faults"),
        };
        println!("doctor: {word} ({seconds:.1} s)");
    }
    Ok(exit::found(faults > 0))
}

fn examine_reference(reference: &Reference, findings: &mut Findings) -> io::Result<()> {
    let how = if reference.embedded { "embedded by reference-worker" } else { "as a command" };
    findings.say(true, format!("reference: Python {} at {}, {how}", reference.version, reference.python.display()));
    findings.say(reference.lib.join("test/test_abc.py").exists(), format!("suite: {}/test", reference.lib.display()));
    let suite = Suite::load()?;
    let (tree, pinned) = check_pin(&suite, reference)?;
    findings.say(pinned, format!("the suite is the pinned one ({} {})", suite.pin.version, &tree[..12]));
    if reference.embedded {
        let args = ["-c".to_owned(), SELF_TEST.to_owned()];
        let limit = Duration::from_secs(10);
        let embedded = run_plain(&reference.worker, &args, limit)?;
        let command = run_plain(&Interpreter::new(reference.python.clone()), &args, limit)?;
        let agree = embedded.is_some() && embedded == command;
        findings.say(agree, "embedded and command-line reference agree".to_owned());
    }
    Ok(())
}

fn examine_subject(path: PathBuf, findings: &mut Findings) -> io::Result<()> {
    let interpreter = Interpreter::new(path.clone());
    let args = ["-c".to_owned(), "print(6 * 7)".to_owned()];
    let answer = run_plain(&interpreter, &args, Duration::from_secs(10))?;
    let sound = answer.is_some_and(|(output, code)| output.trim() == "42" && code == Some(0));
    findings.say(sound, format!("subject: {} computes", path.display()));
    match trust::lies(&interpreter)? {
        Ok(lies) => findings.say(lies.is_empty(), format!("subject: tells the truth {}", lies.join("; "))),
        Err(why) => findings.add("note", format!("the subject cannot load unittest yet: {why}")),
    }
    Ok(())
}
