//! The `run` command's engine: the chosen modules on both sides, in parallel, into a run folder.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::progress::Progress;
use crate::record::{Meta, ModuleResult, Record, Results, RunFolder, Side, Status, VERSION};
use crate::reference::{self, Cache, Reference};
use crate::score;
use crate::scratch;
use crate::suite::{Selected, Suite, repository};
use crate::supervisor::{INTERRUPTED, Limits, Only, Request, ladder, module_source, run_module};
use crate::worker::{Interpreter, run_plain};

/// What a measuring command needs on both sides.
pub struct Session {
    pub suite: Suite,
    pub reference: Reference,
    pub cache: Cache,
    pub tree: String,
    pub suite_is_pinned: bool,
    pub subject: Interpreter,
    pub limits: Limits,
    pub jobs: usize,
    /// CPU microseconds of the recorders of all that was measured so far.
    recorder_us: AtomicU64,
}

/// Where the options of a measuring command come from.
#[derive(Clone, Debug, Default)]
pub struct Sides {
    pub subject: Option<PathBuf>,
    pub reference: String,
    pub jobs: Option<usize>,
    pub address_space_gib: Option<u64>,
}

/// `$KRAIT_RUNS`, else `runs/` of the repository.
pub fn runs_folder() -> PathBuf {
    std::env::var_os("KRAIT_RUNS").map_or_else(|| repository().join("runs"), PathBuf::from)
}

impl Session {
    pub fn open(sides: &Sides) -> io::Result<Session> {
        scratch::sweep()?;
        let suite = Suite::load()?;
        let reference = Reference::find(&sides.reference)?;
        let (tree, suite_is_pinned) = reference::check_pin(&suite, &reference)?;
        let cache = Cache::new(&runs_folder(), &reference, &tree)?;
        let program = match &sides.subject {
            Some(path) => path.clone(),
            None => default_subject()?,
        };
        let subject = reference::subject(&program, &reference, sides.address_space_gib);
        let cores = thread::available_parallelism().map_or(1, |count| count.get());
        let jobs = sides.jobs.unwrap_or(cores).max(1);
        Ok(Session {
            suite,
            reference,
            cache,
            tree,
            suite_is_pinned,
            subject,
            limits: Limits::default(),
            jobs,
            recorder_us: AtomicU64::new(0),
        })
    }

    /// The reference's result for a module, from the cache or measured now. None when interrupted.
    pub fn reference_result(&self, module: &str, mode: &str) -> io::Result<Option<ModuleResult>> {
        if let Some(result) = self.cache.load(module, mode) {
            return Ok(Some(result));
        }
        let request = self.request(module, Side::Reference, "reference", mode, None);
        let Some(records) = self.run(&request)? else { return Ok(None) };
        self.cache.store(module, mode, &records)?;
        Ok(Some(ModuleResult::from_records(records)))
    }

    fn run(&self, request: &Request<'_>) -> io::Result<Option<Vec<Record>>> {
        let records = run_module(request)?;
        let spent = records.iter().flatten().filter_map(|record| record.recorder_us).sum();
        self.recorder_us.fetch_add(spent, Ordering::Relaxed);
        Ok(records)
    }

    fn request<'a>(
        &'a self,
        module: &'a str,
        side: Side,
        run: &'a str,
        mode: &'a str,
        reference: Option<&'a ModuleResult>,
    ) -> Request<'a> {
        static RECORDER: std::sync::OnceLock<PathBuf> = std::sync::OnceLock::new();
        let interpreter = if side == Side::Reference { &self.reference.worker } else { &self.subject };
        let recorder = RECORDER.get_or_init(reference::recorder_path);
        Request { side, mode, reference, ..Request::new(interpreter, run, module, recorder, &self.limits) }
    }

    /// The subject's records for a module, all or those cases only. None when interrupted.
    pub fn subject_records(
        &self,
        module: &str,
        run: &str,
        reference: &ModuleResult,
        only: Option<BTreeSet<String>>,
    ) -> io::Result<Option<Vec<Record>>> {
        let mut request = self.request(module, Side::Subject, run, "run", Some(reference));
        if let Some(cases) = only {
            request.only = Only::Cases(cases);
        }
        let Some(mut records) = self.run(&request)? else { return Ok(None) };
        if let Some(last) = records.last_mut() {
            self.add_ladder(module, last)?;
        }
        Ok(Some(records))
    }

    /// A module that does not load is tried again by bare import, which tells how far the interpreter gets.
    fn add_ladder(&self, module: &str, record: &mut Record) -> io::Result<()> {
        if record.status != Status::ImportError {
            record.ladder = Some("runs".to_owned());
            return Ok(());
        }
        let source = module_source(&self.reference.lib, module);
        let name = format!("test.{module}");
        let (rung, exc) = ladder(&self.subject, &reference::ladder_path(), &name, &source)?;
        record.ladder = Some(rung);
        if record.exc.is_none() && record.panic.is_none() {
            record.exc = exc;
        }
        Ok(())
    }
}

/// `$KRAIT_SUBJECT`, else the `krait` beside this program.
pub fn default_subject() -> io::Result<PathBuf> {
    if let Some(path) = std::env::var_os("KRAIT_SUBJECT") {
        return Ok(PathBuf::from(path));
    }
    let exe = std::env::current_exe()?;
    let folder = exe.parent().unwrap_or(Path::new("."));
    let found = [folder.join("krait"), folder.join("../krait")].into_iter().find(|path| path.exists());
    found.ok_or_else(|| {
        io::Error::other("no krait beside this program: build it (`scripts/conform` does) or give --subject PATH")
    })
}

/// The commit that is measured, short, with `+` when the tree has changes.
pub fn commit() -> String {
    let git = |args: &[&str]| {
        let output = Command::new("git").arg("-C").arg(repository()).args(args).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let head = git(&["rev-parse", "--short=12", "HEAD"]).unwrap_or_else(|| "unknown".to_owned());
    let changed = git(&["status", "--porcelain", "--untracked-files=no"]).is_some_and(|text| !text.is_empty());
    if changed { head + "+" } else { head }
}

fn machine() -> String {
    let cores = thread::available_parallelism().map_or(1, |count| count.get());
    format!("{} {}, {cores} cores", std::env::consts::OS, std::env::consts::ARCH)
}

/// CPU seconds that this process has used, and those of its children and theirs that were waited for.
fn cpu_seconds() -> (f64, f64) {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = text.rsplit(')').next().unwrap_or("").split_whitespace().collect();
    let ticks = |index: usize| fields.get(index).and_then(|field| field.parse::<f64>().ok()).unwrap_or(0.0);
    let second = rustix::param::clock_ticks_per_second() as f64;
    ((ticks(11) + ticks(12)) / second, (ticks(13) + ticks(14)) / second)
}

pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// A new run's folder with its meta data.
pub fn new_run(session: &Session, selected: &[Selected], select: &[String]) -> io::Result<(RunFolder, Meta)> {
    let started = now();
    let commit = commit();
    let name = format!("{started}-{}", commit.trim_end_matches('+'));
    let version = run_plain(&session.subject, &["--version".to_owned()], std::time::Duration::from_secs(10))?
        .map(|(output, _)| output.trim().to_owned())
        .unwrap_or_default();
    let meta = Meta {
        v: VERSION,
        run: name.clone(),
        subject: session.subject.program.display().to_string(),
        subject_version: version,
        reference: session.reference.full_version.clone(),
        reference_key: session.cache.key.clone(),
        pin: session.tree.clone(),
        suite_is_pinned: session.suite_is_pinned,
        select: select.to_vec(),
        modules: selected.iter().map(|selected| selected.module.clone()).collect(),
        commit,
        started,
        machine: machine(),
        ..Meta::default()
    };
    let folder = RunFolder::create(runs_folder().join(&name))?;
    folder.write_meta(&meta)?;
    std::fs::write(runs_folder().join("latest"), name + "\n")?;
    Ok((folder, meta))
}

/// Measures the modules that the folder does not hold yet. Interrupted, what is done stays and `complete` stays false.
pub fn measure(session: &Session, selected: &[Selected], folder: &RunFolder, meta: &mut Meta) -> io::Result<()> {
    let have = folder.results()?;
    let mut todo: Vec<&Selected> =
        selected.iter().filter(|selected| !have.get(&selected.module).is_some_and(ModuleResult::is_complete)).collect();
    // The largest first, so that no long module is left over at the end.
    todo.sort_by_key(|selected| std::cmp::Reverse(session.suite.cases_of(&selected.module)));
    let suite = &session.suite;
    let progress = Progress::new(todo.len(), todo.iter().map(|selected| suite.weight(&selected.module)).sum());
    let next = AtomicUsize::new(0);
    let failure: Mutex<Option<io::Error>> = Mutex::new(None);
    let write = Mutex::new(());
    let began = now();
    thread::scope(|scope| {
        for _ in 0..session.jobs.min(todo.len()) {
            scope.spawn(|| {
                while let Some(selected) = todo.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let outcome = measure_module(session, selected, &meta.run);
                    let Ok(_guard) = write.lock() else { return };
                    match outcome {
                        Ok(Some((reference, records))) => {
                            if let Err(error) = folder.append(&records) {
                                store_failure(&failure, error);
                                return;
                            }
                            let module = &selected.module;
                            let result = ModuleResult::from_records(records);
                            let score = score::module_score(suite, module, &reference, &result);
                            let line = format!("{module}: {} of {} as the reference", score.same, score.cases);
                            progress.step(suite.weight(module), &line);
                        }
                        Ok(None) => return,
                        Err(error) => {
                            INTERRUPTED.store(true, Ordering::Relaxed);
                            store_failure(&failure, error);
                            return;
                        }
                    }
                }
            });
        }
    });
    drop(progress);
    meta.seconds += now() - began;
    let (own, workers) = cpu_seconds();
    meta.supervisor_cpu += own;
    meta.workers_cpu += workers;
    meta.recorder_cpu += session.recorder_us.load(Ordering::Relaxed) as f64 / 1e6;
    meta.complete = !INTERRUPTED.load(Ordering::Relaxed);
    folder.write_meta(meta)?;
    match failure.into_inner() {
        Ok(Some(error)) => Err(error),
        _ => Ok(()),
    }
}

fn store_failure(failure: &Mutex<Option<io::Error>>, error: io::Error) {
    if let Ok(mut slot) = failure.lock() {
        slot.get_or_insert(error);
    }
}

fn measure_module(
    session: &Session,
    selected: &Selected,
    run: &str,
) -> io::Result<Option<(ModuleResult, Vec<Record>)>> {
    let Some(reference) = session.reference_result(&selected.module, "run")? else { return Ok(None) };
    let records = session.subject_records(&selected.module, run, &reference, selected.only(&reference))?;
    Ok(records.map(|records| (reference, records)))
}

/// The reference's results of those modules, from the cache alone.
pub fn cached_reference(cache: &Cache, modules: impl Iterator<Item = String>) -> Results {
    modules.filter_map(|module| cache.load(&module, "run").map(|result| (module, result))).collect()
}
