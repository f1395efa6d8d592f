//! The reference CPython: where it is, what it says of itself, how its workers are started, and its cached results.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::record::{self, ModuleResult, Record};
use crate::signature::short_hash;
use crate::suite::{Suite, repository, tree_hash};
use crate::worker::{Interpreter, run_plain};

/// What the reference says of itself.
#[derive(Clone, Debug)]
pub struct Reference {
    /// The real executable, symbolic links resolved.
    pub python: PathBuf,
    pub version: String,
    pub full_version: String,
    pub lib: PathBuf,
    pub prefix: PathBuf,
    /// What is started as its worker: the embedding `reference-worker`, or the executable.
    pub worker: Interpreter,
    pub embedded: bool,
}

/// Asked of the interpreter itself.
const QUESTION: &str = "import sys, os, sysconfig, platform\n\
print(platform.python_version())\n\
print(sys.version.replace(chr(10), ' '))\n\
print(os.path.dirname(os.path.realpath(os.__file__)))\n\
print(os.path.realpath(sys.base_prefix))\n\
print(os.path.realpath(sys.executable))";

impl Reference {
    /// `exe:PATH` and `worker:PATH` as said; `auto` takes the worker beside this program when it embeds the same Python.
    pub fn find(choice: &str) -> io::Result<Reference> {
        let (python, worker) = match choice.split_once(':') {
            Some(("exe", path)) => (PathBuf::from(path), None),
            Some(("worker", path)) => (PathBuf::from(path), Some(PathBuf::from(path))),
            _ if choice == "auto" || choice == "exe" => (search()?, None),
            _ => return Err(io::Error::other(format!("--reference {choice}: not auto, exe, exe:PATH or worker:PATH"))),
        };
        let mut reference = Reference::ask(&python)?;
        let beside = std::env::current_exe().ok().and_then(|exe| {
            let folder = exe.parent()?;
            // Test programs live one folder deeper.
            [folder.join("reference-worker"), folder.join("../reference-worker")].into_iter().find(|path| path.exists())
        });
        let candidate = worker.or(if choice == "auto" { beside } else { None });
        if let Some(path) = candidate
            && let Ok(embedded) = Reference::ask(&path)
            && embedded.full_version == reference.full_version
            && embedded.python == reference.python
        {
            reference.worker.program = path;
            reference.embedded = true;
        }
        Ok(reference)
    }

    fn ask(program: &Path) -> io::Result<Reference> {
        let interpreter = Interpreter::new(program.to_path_buf());
        let args = ["-c".to_owned(), QUESTION.to_owned()];
        let answer = run_plain(&interpreter, &args, Duration::from_secs(20))?;
        let lines: Vec<String> = match answer {
            Some((output, Some(0))) => output.lines().map(str::to_owned).collect(),
            _ => return Err(io::Error::other(format!("{} does not answer", program.display()))),
        };
        let [version, full_version, lib, prefix, python] = &lines[..] else {
            return Err(io::Error::other(format!("{} answers {lines:?}", program.display())));
        };
        if !version.starts_with("3.13.") {
            return Err(io::Error::other(format!("{} is Python {version}, not 3.13", program.display())));
        }
        Ok(Reference {
            python: PathBuf::from(python),
            version: version.clone(),
            full_version: full_version.clone(),
            lib: PathBuf::from(lib),
            prefix: PathBuf::from(prefix),
            worker: interpreter,
            embedded: false,
        })
    }
}

/// `scripts/reference` is the one place that knows where to look.
fn search() -> io::Result<PathBuf> {
    let script = repository().join("scripts/reference");
    let output = Command::new("bash").arg(&script).arg("--find").output()?;
    if output.status.success() {
        Ok(PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()))
    } else {
        Err(io::Error::other(format!(
            "no reference CPython 3.13 is found; `scripts/reference` installs one or says how\n{}",
            String::from_utf8_lossy(&output.stderr).trim()
        )))
    }
}

/// How the subject is started: Krait learns where the pure-Python library is, and must not run the reference.
pub fn subject(program: &Path, reference: &Reference, address_space_gib: Option<u64>) -> Interpreter {
    let mut interpreter = Interpreter::new(program.to_path_buf());
    let real = fs::canonicalize(program).unwrap_or_else(|_| program.to_path_buf());
    let is_cpython =
        real.starts_with(&reference.prefix) || real.file_name().is_some_and(|name| name == "reference-worker");
    if !is_cpython {
        interpreter.forbidden_prefix = Some(reference.prefix.clone());
        interpreter.env.push(("KRAIT_HOME".to_owned(), reference.lib.display().to_string()));
    }
    interpreter.address_space_kb = address_space_gib.map(|gib| gib << 20);
    interpreter
}

/// Cached results of the reference, one file a module, below `runs/reference/KEY/`.
#[derive(Clone, Debug)]
pub struct Cache {
    pub key: String,
    folder: PathBuf,
}

impl Cache {
    /// The key holds everything that can change a verdict: suite, interpreter, machine, user and recorder.
    pub fn new(runs: &Path, reference: &Reference, tree: &str) -> io::Result<Cache> {
        let recorder = fs::read_to_string(recorder_path())?;
        let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        let user = rustix::process::getuid().as_raw().to_string();
        let embedded = if reference.embedded { "embedded" } else { "command" };
        let machine = std::env::consts::ARCH;
        let shape = record::VERSION.to_string();
        let program = reference.python.display().to_string();
        let key = short_hash(&[
            tree,
            &reference.full_version,
            &program,
            machine,
            &kernel,
            &user,
            embedded,
            &recorder,
            &shape,
            "resources:none",
        ]);
        let folder = runs.join("reference").join(&key);
        fs::create_dir_all(&folder)?;
        Ok(Cache { key, folder })
    }

    fn path(&self, module: &str, mode: &str) -> PathBuf {
        let suffix = if mode == "run" { String::new() } else { format!(".{mode}") };
        self.folder.join(format!("{module}{suffix}.jsonl"))
    }

    pub fn load(&self, module: &str, mode: &str) -> Option<ModuleResult> {
        let records = record::read_records(&self.path(module, mode)).ok()?;
        let result = ModuleResult::from_records(records);
        result.is_complete().then_some(result)
    }

    /// Written under another name first: a half-written file never counts.
    pub fn store(&self, module: &str, mode: &str, records: &[Record]) -> io::Result<()> {
        let path = self.path(module, mode);
        let part = path.with_extension(format!("part{}", std::process::id()));
        let _ = fs::remove_file(&part);
        record::append(&part, records)?;
        fs::rename(part, path)
    }
}

pub fn recorder_path() -> PathBuf {
    repository().join("conformance/recorder/recorder.py")
}

pub fn ladder_path() -> PathBuf {
    repository().join("conformance/recorder/ladder.py")
}

/// The suite's tree hash, and whether it is the pinned one.
pub fn check_pin(suite: &Suite, reference: &Reference) -> io::Result<(String, bool)> {
    let tree = tree_hash(&reference.lib)?;
    let pinned = suite.pin.tree == tree && suite.pin.version == reference.version;
    Ok((tree, pinned))
}
