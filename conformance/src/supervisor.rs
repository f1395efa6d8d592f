//! One module on one side, to its end: attempts, blame, restarts with the remaining cases, and the verdictless records.
//!
//! A crash, a hang or too much memory costs one case: the process tree is ended, the last case started is blamed, and a new
//! worker goes on with the rest.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

use crate::record::{self, Exc, Kind, ModuleResult, Record, Side, Status};
use crate::scratch::Scratch;
use crate::signature;
use crate::worker::{Event, Interpreter, RECORD_FD, Worker};

/// Set by Ctrl-C: workers are ended, what is done is kept.
pub static INTERRUPTED: AtomicBool = AtomicBool::new(false);

#[derive(Clone, Debug)]
pub struct Limits {
    /// No case is given less.
    pub case_floor: Duration,
    /// A case may take this many times as long as on the reference.
    pub factor: f64,
    pub module_floor: Duration,
    pub rss_kb: u64,
    pub hangs: u32,
    pub crashes: u32,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            case_floor: Duration::from_secs(20),
            factor: 10.0,
            module_floor: Duration::from_secs(240),
            rss_kb: 3 << 20,
            hangs: 5,
            crashes: 30,
        }
    }
}

/// Which cases of the module are run.
#[derive(Clone, Debug, Default)]
pub enum Only {
    #[default]
    All,
    Cases(BTreeSet<String>),
}

pub struct Request<'a> {
    pub interpreter: &'a Interpreter,
    pub side: Side,
    pub run: &'a str,
    pub module: &'a str,
    /// None for a module of the package `test`, else the folder that holds it.
    pub root: Option<&'a Path>,
    pub recorder: &'a Path,
    /// `run`, `marks` or `nocapi`, see the recorder.
    pub mode: &'a str,
    pub only: Only,
    /// The reference's result: enumerates the cases and gives their durations.
    pub reference: Option<&'a ModuleResult>,
    pub limits: &'a Limits,
}

impl<'a> Request<'a> {
    /// Every case of a module of the suite, with the subject.
    pub fn new(
        interpreter: &'a Interpreter,
        run: &'a str,
        module: &'a str,
        recorder: &'a Path,
        limits: &'a Limits,
    ) -> Request<'a> {
        Request {
            interpreter,
            side: Side::Subject,
            run,
            module,
            root: None,
            recorder,
            mode: "run",
            only: Only::All,
            reference: None,
            limits,
        }
    }
}

/// How an attempt ended.
enum End {
    Complete,
    /// The module skipped itself or did not load.
    NotLoaded(Box<Event>),
    Died(ExitStatus),
    Hung,
    Oom(u64),
    Foreign(String),
    Interrupted,
}

struct Attempt {
    /// Enumerated cases with their kind, in order.
    cases: Vec<(String, Kind)>,
    loaded: bool,
    /// The case started last, if it has not reported.
    open: Option<String>,
    progressed: bool,
    end: End,
    output: String,
    rss_kb: u64,
    ms: u64,
    recorder_us: u64,
}

/// Runs the module; the last record is the module's own. None when interrupted.
pub fn run_module(request: &Request<'_>) -> io::Result<Option<Vec<Record>>> {
    let mut state = State::new(request);
    loop {
        state.attempt += 1;
        let attempt = run_attempt(request, &mut state)?;
        match state.judge(attempt) {
            Next::Again => {}
            Next::Interrupted => return Ok(None),
            Next::Finished => break,
        }
    }
    let records = state.finish();
    Ok(Some(records))
}

enum Next {
    Again,
    Finished,
    Interrupted,
}

struct State<'a> {
    request: &'a Request<'a>,
    attempt: u32,
    began: Instant,
    budget: Duration,
    done: BTreeMap<String, Record>,
    order: Vec<(String, Kind)>,
    fixtures: Vec<Record>,
    hangs: u32,
    crashes: u32,
    module: Record,
}

impl<'a> State<'a> {
    fn new(request: &'a Request<'a>) -> State<'a> {
        let reference_ms = request
            .reference
            .map_or(0, |result| result.module.as_ref().map_or(0, |module| module.ms))
            .max(request.reference.map_or(0, |result| result.cases.values().map(|case| case.ms).sum()));
        let scaled = Duration::from_secs_f64(reference_ms as f64 / 1000.0 * request.limits.factor);
        let module = Record {
            v: record::VERSION,
            run: request.run.to_owned(),
            side: request.side,
            module: request.module.to_owned(),
            id: request.module.to_owned(),
            kind: Kind::Module,
            status: Status::Pass,
            ..Record::default()
        };
        State {
            request,
            attempt: 0,
            began: Instant::now(),
            budget: request.limits.module_floor.max(scaled),
            done: BTreeMap::new(),
            order: Vec::new(),
            fixtures: Vec::new(),
            hangs: 0,
            crashes: 0,
            module,
        }
    }

    fn blank(&self, id: &str, kind: Kind, status: Status) -> Record {
        Record {
            id: id.to_owned(),
            kind,
            status,
            attempt: self.attempt,
            exc: None,
            reason: None,
            ladder: None,
            recorder_us: None,
            ..self.module.clone()
        }
    }

    fn kind_of(&self, id: &str) -> Kind {
        self.order.iter().find(|(known, _)| known == id).map_or(Kind::Unittest, |(_, kind)| *kind)
    }

    /// A finished case or fixture, as the recorder reported it.
    fn take(&mut self, event: Event) {
        let status = Status::parse(&event.status).unwrap_or_default();
        let kind = if event.e == "fixture" { Kind::Fixture } else { self.kind_of(&event.id) };
        let mut record = self.blank(&event.id, kind, status);
        record.ms = event.ms;
        record.exc = event.exc.as_ref().map(exception);
        record.subtests = event.subtests;
        record.reason = event.reason;
        record.sig = signature::signature(status, record.exc.as_ref(), None, None, record.reason.as_deref());
        if kind == Kind::Fixture {
            self.fixtures.push(record);
        } else {
            self.done.insert(event.id, record);
        }
    }

    fn remaining(&self) -> Vec<(String, Kind)> {
        let wanted = |id: &str| match &self.request.only {
            Only::All => true,
            Only::Cases(ids) => ids.contains(id),
        };
        self.order.iter().filter(|(id, _)| wanted(id) && !self.done.contains_key(id)).cloned().collect()
    }

    fn judge(&mut self, attempt: Attempt) -> Next {
        self.module.ms += attempt.ms;
        self.module.rss_kb = self.module.rss_kb.max(attempt.rss_kb);
        self.module.attempt = self.attempt;
        self.module.recorder_us = Some(self.module.recorder_us.unwrap_or(0) + attempt.recorder_us);
        if self.order.is_empty() {
            self.order = attempt.cases.clone();
        }
        let (status, signal, reason) = match &attempt.end {
            End::Interrupted => return Next::Interrupted,
            End::Complete => return Next::Finished,
            End::NotLoaded(event) => {
                let event = (**event).clone();
                self.not_loaded(&event);
                return Next::Finished;
            }
            End::Hung => (Status::Timeout, None, "no sign of life within the time limit".to_owned()),
            End::Oom(kb) => (Status::Oom, None, format!("resident memory over {} MiB", kb / 1024)),
            End::Foreign(what) => (Status::Crash, None, what.clone()),
            End::Died(exit) => match exit.signal() {
                Some(signal) => (Status::Crash, Some(signal), format!("killed by signal {signal}")),
                None => (Status::Crash, None, exit_reason(exit.code().unwrap_or(-1), &attempt)),
            },
        };
        let panic = signature::find_panic(&attempt.output);
        let fill = |record: &mut Record| {
            record.signal = signal;
            record.panic = panic.clone();
            record.reason = Some(reason.clone());
            record.sig = signature::signature(status, None, panic.as_deref(), signal, Some(&reason));
            record.out = Some(attempt.output.clone());
            record.rss_kb = attempt.rss_kb;
        };
        if !attempt.loaded {
            // It fell while the module was imported: every case shares the blame.
            self.module.status = Status::ImportError;
            let mut module = self.module.clone();
            fill(&mut module);
            self.module = module;
            return Next::Finished;
        }
        let blamed = attempt.open.or_else(|| {
            // Between two cases: a fixture's doing. Someone must pay, or the next attempt would end the same way.
            (!attempt.progressed).then(|| self.remaining().first().map(|(id, _)| id.clone())).flatten()
        });
        if let Some(id) = blamed {
            let mut record = self.blank(&id, self.kind_of(&id), status);
            fill(&mut record);
            record.ms = attempt.ms;
            self.done.insert(id, record);
        }
        match status {
            Status::Timeout => self.hangs += 1,
            _ => self.crashes += 1,
        }
        if self.remaining().is_empty() {
            return Next::Finished;
        }
        let given_up = if self.hangs >= self.request.limits.hangs {
            Some(format!("{} hangs in the module", self.hangs))
        } else if self.crashes >= self.request.limits.crashes {
            Some(format!("{} crashes in the module", self.crashes))
        } else if self.began.elapsed() > self.budget {
            Some(format!("the module's time budget of {} s is used up", self.budget.as_secs()))
        } else {
            None
        };
        match given_up {
            Some(why) => {
                self.rest_is(Status::NotRun, &why);
                Next::Finished
            }
            None => Next::Again,
        }
    }

    fn rest_is(&mut self, status: Status, reason: &str) {
        for (id, kind) in self.remaining() {
            let mut record = self.blank(&id, kind, status);
            record.reason = Some(reason.to_owned());
            record.sig = signature::signature(status, None, None, None, Some(reason));
            self.done.insert(id, record);
        }
        self.module.reason = Some(reason.to_owned());
    }

    fn not_loaded(&mut self, event: &Event) {
        self.module.status = Status::parse(&event.status).unwrap_or(Status::ImportError);
        self.module.reason = event.reason.clone().or_else(|| Some(format!("stopped at stage {}", event.stage)));
        self.module.exc = event.exc.as_ref().map(exception);
    }

    /// The records in the order of enumeration, the module's last. What the reference enumerates and this side never
    /// reported follows the module's fate, or that of the package's part that did not load.
    fn finish(mut self) -> Vec<Record> {
        let module_failed = self.module.status != Status::Pass;
        let parts: Vec<Record> =
            self.done.values().filter(|record| record.id.starts_with(FAILED_PART)).cloned().collect();
        self.module.sig = signature::signature(
            self.module.status,
            self.module.exc.as_ref(),
            self.module.panic.as_deref(),
            self.module.signal,
            self.module.reason.as_deref(),
        );
        let mut records = Vec::new();
        let mut order = self.order.clone();
        if let Some(reference) = self.request.reference {
            let known: BTreeSet<&String> = self.order.iter().map(|(id, _)| id).collect();
            let missing = reference.order.iter().filter(|id| !known.contains(id));
            order.extend(missing.map(|id| (id.clone(), reference.cases[id].kind)));
        }
        for (id, kind) in order {
            if let Some(record) = self.done.remove(&id) {
                records.push(record);
                continue;
            }
            if let Only::Cases(ids) = &self.request.only
                && !ids.contains(&id)
            {
                continue;
            }
            let cause = if module_failed { Some(&self.module) } else { parts.iter().find(|part| explains(part, &id)) };
            if let Some(cause) = cause {
                let status = if cause.status == Status::Skip { Status::Skip } else { Status::ImportError };
                let mut record = self.blank(&id, kind, status);
                record.sig = cause.sig.clone();
                record.reason = cause.reason.clone();
                record.signal = cause.signal;
                record.panic = cause.panic.clone();
                // The trace stands once, on the module's record or the failed part's.
                record.exc = cause.exc.clone().map(|exc| Exc { trace: String::new(), ..exc });
                record.out = None;
                records.push(record);
            }
        }
        records.extend(self.done.into_values());
        records.extend(self.fixtures);
        records.push(self.module);
        records
    }
}

/// A worker that ends before it has loaded anything says why on its last line, mostly an uncaught exception's.
fn exit_reason(code: i32, attempt: &Attempt) -> String {
    let last = attempt.output.lines().rfind(|line| !line.trim().is_empty());
    match last {
        Some(line) if !attempt.loaded => format!("exited with code {code}: {}", crate::triage::clip(line.trim(), 120)),
        _ => format!("exited with code {code}"),
    }
}

/// Prefix of the case that unittest makes of a package's part that it cannot import.
const FAILED_PART: &str = "unittest.loader._FailedTest.";

fn explains(part: &Record, id: &str) -> bool {
    let name = &part.id[FAILED_PART.len()..];
    let name = name.rsplit('.').next().unwrap_or(name);
    id.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'))
}

pub fn exception(exc: &crate::worker::EventExc) -> Exc {
    Exc {
        kind: exc.kind.clone(),
        message: exc.message.clone(),
        frame: signature::library_frame(&exc.kind, &exc.frames),
        trace: exc.trace.clone(),
    }
}

fn arguments(request: &Request<'_>, state: &State<'_>, scratch: &Path) -> io::Result<Vec<String>> {
    let (filter, ids): (&str, Vec<&str>) = match &request.only {
        Only::Cases(only) => ("only", only.iter().filter(|id| !state.done.contains_key(*id)).map(|id| &**id).collect()),
        Only::All if state.done.is_empty() => ("all", Vec::new()),
        Only::All => ("skip", state.done.keys().map(|id| &**id).collect()),
    };
    let list = scratch.join("cases");
    std::fs::write(&list, ids.join("\n"))?;
    let root = request.root.map_or("-".to_owned(), |root| root.display().to_string());
    Ok(vec![
        request.recorder.display().to_string(),
        RECORD_FD.to_string(),
        root,
        request.module.to_owned(),
        request.mode.to_owned(),
        filter.to_owned(),
        list.display().to_string(),
    ])
}

/// How long the worker may stay silent while this case runs (None: while it loads or between cases).
fn patience(request: &Request<'_>, open: Option<&str>) -> Duration {
    let reference_ms = open.and_then(|id| request.reference?.cases.get(id)).map_or(0, |case| case.ms);
    let scaled = Duration::from_secs_f64(reference_ms as f64 / 1000.0 * request.limits.factor);
    let floor = request.limits.case_floor;
    // The reference itself has no measure yet: it gets room for the suite's slowest cases.
    let floor = match (request.side, open) {
        (Side::Reference, _) => floor.max(Duration::from_secs(300).min(floor * 15)),
        (Side::Subject, None) => floor * 2,
        (Side::Subject, Some(_)) => floor,
    };
    floor.max(scaled)
}

fn run_attempt(request: &Request<'_>, state: &mut State<'_>) -> io::Result<Attempt> {
    let scratch = Scratch::new("")?;
    let args = arguments(request, state, &scratch.path)?;
    let began = Instant::now();
    let mut worker = Worker::start(request.interpreter, &args, &scratch.path)?;
    let mut pid = 0;
    let mut attempt = Attempt {
        cases: Vec::new(),
        loaded: false,
        open: None,
        progressed: false,
        end: End::Complete,
        output: String::new(),
        rss_kb: 0,
        ms: 0,
        recorder_us: 0,
    };
    let mut last_sign = Instant::now();
    let mut last_look = Instant::now();
    let mut last_maps = Instant::now();
    let mut last_done = None;
    let mut ended = false;
    let mut gone_since: Option<Instant> = None;
    attempt.end = loop {
        match worker.events.recv_timeout(Duration::from_millis(100)) {
            // The recorder's first event says which process speaks for the module; its children's do not count.
            Ok(event) if event.pid == pid || pid == 0 && event.e == "hello" => {
                last_sign = Instant::now();
                attempt.recorder_us = attempt.recorder_us.max(event.own_us);
                match event.e.as_str() {
                    "hello" if pid == 0 => {
                        pid = event.pid;
                        worker.note(pid);
                    }
                    "case" => attempt
                        .cases
                        .push((event.id, if event.kind == "doctest" { Kind::Doctest } else { Kind::Unittest })),
                    "loaded" => {
                        attempt.loaded = true;
                        if state.order.is_empty() {
                            state.order = attempt.cases.clone();
                        }
                    }
                    "start" => attempt.open = Some(event.id),
                    "done" => {
                        attempt.progressed = true;
                        // While the case that may have loaded it is still the one to blame.
                        let slow = last_maps.elapsed() > Duration::from_secs(1);
                        if slow && let Some(library) = worker.look_at_maps() {
                            attempt.open = Some(event.id);
                            break End::Foreign(format!("loaded {library}"));
                        }
                        if slow {
                            last_maps = Instant::now();
                        }
                        if attempt.open.as_ref() == Some(&event.id) {
                            attempt.open = None;
                        }
                        last_done = Some(event.id.clone());
                        state.take(event);
                    }
                    "fixture" => state.take(event),
                    "module" => break End::NotLoaded(Box::new(event)),
                    "end" => {
                        ended = true;
                        if let Some(library) = worker.look_at_maps() {
                            attempt.open = last_done.take();
                            break End::Foreign(format!("loaded {library}"));
                        }
                    }
                    _ => {}
                }
            }
            Ok(_) => {}
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => std::thread::sleep(Duration::from_millis(10)),
        }
        if INTERRUPTED.load(Ordering::Relaxed) {
            break End::Interrupted;
        }
        if let Some(status) = worker.poll_exit() {
            // What it wrote last may still be in the pipe; a descendant may hold the pipe open for ever.
            let since = *gone_since.get_or_insert_with(Instant::now);
            if ended {
                break End::Complete;
            }
            if since.elapsed() > Duration::from_millis(300) {
                break End::Died(status);
            }
            continue;
        }
        if last_look.elapsed() > Duration::from_millis(200) {
            last_look = Instant::now();
            let (rss_kb, foreign) = worker.look();
            if rss_kb > request.limits.rss_kb {
                break End::Oom(request.limits.rss_kb);
            }
            if let Some(exe) = foreign {
                break End::Foreign(format!("executed {exe}"));
            }
            if last_maps.elapsed() > Duration::from_secs(1) {
                last_maps = Instant::now();
                if let Some(library) = worker.look_at_maps() {
                    break End::Foreign(format!("loaded {library}"));
                }
            }
        }
        if last_sign.elapsed() > patience(request, attempt.open.as_deref()) {
            // After the last case only the interpreter's own shutdown is left: no case pays for it.
            break if ended { End::Complete } else { End::Hung };
        }
    };
    worker.look();
    attempt.rss_kb = worker.peak_rss_kb();
    worker.end();
    attempt.output = worker.output_tail(4000);
    attempt.ms = began.elapsed().as_millis() as u64;
    Ok(attempt)
}

/// How far a bare import of the module gets, for a module that the recorder could not load.
pub fn ladder(
    interpreter: &Interpreter,
    script: &Path,
    name: &str,
    source: &Path,
) -> io::Result<(String, Option<Exc>)> {
    let args = [script, Path::new(name), source].map(|part| part.display().to_string());
    let Some((output, _)) = crate::worker::run_plain(interpreter, &args, Duration::from_secs(60))? else {
        return Ok(("hangs".to_owned(), None));
    };
    Ok(read_ladder(&output))
}

fn read_ladder(output: &str) -> (String, Option<Exc>) {
    let mut rung = "nothing".to_owned();
    let mut exc = Exc::default();
    let mut stopped = false;
    for line in output.lines().filter_map(|line| line.strip_prefix("LADDER ")) {
        match line.split_once(' ').unwrap_or((line, "")) {
            ("reached", what) => rung = what.to_owned(),
            ("stopped", _) => stopped = true,
            ("type", what) => exc.kind = what.to_owned(),
            ("message", what) => exc.message = what.to_owned(),
            ("frame", what) => exc.frame = signature::library_frame("AssertionError", &[what.to_owned()]),
            _ => {}
        }
    }
    if !stopped && rung != "imports" {
        let panic = signature::find_panic(output);
        let last = output.lines().last().unwrap_or("no output").to_owned();
        exc = Exc { kind: "crash".to_owned(), message: panic.unwrap_or(last), ..Exc::default() };
        stopped = true;
    }
    (rung, stopped.then_some(exc))
}

/// The source file of a module of the suite.
pub fn module_source(lib: &Path, module: &str) -> PathBuf {
    let package = lib.join("test").join(module).join("__init__.py");
    if package.exists() { package } else { lib.join("test").join(format!("{module}.py")) }
}
