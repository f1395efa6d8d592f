//! [`Interpreter`] and its [`Builder`].
use std::marker::PhantomData;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::Ordering::Relaxed;
use std::thread::ThreadId;
use std::time::Duration;

use krait_object::Thread;
use krait_runtime::config::Config;
use krait_runtime::world;

use crate::error::{Error, Result};
use crate::limits::{self, Limits};
use crate::python::Python;
use crate::{native, paths, start};

/// A Python interpreter. Dropping it runs exit functions and finalisers, as the end of a `python` process does.
pub struct Interpreter {
    /// In one place for good: other threads look at it there (`Shared::thread`).
    th: Box<Thread>,
    on_one_thread: PhantomData<*const ()>,
}

/// How an interpreter is to be.
///
/// ```standalone_crate
/// # fn main() -> Result<(), krait_embed::Error> {
/// use std::time::Duration;
///
/// let mut interpreter = krait_embed::Interpreter::builder()
///     .argv(["report.py", "--all"])
///     .recursion_limit(200)
///     .time_limit(Duration::from_millis(100))
///     .build()?;
/// let mut py = interpreter.python();
/// assert!(py.run("while True:\n    try: list(range(99))\n    except Exception: pass").unwrap_err().is("TimeoutError"));
/// assert!(py.run("def f(): f()\nf()").unwrap_err().is("RecursionError"));
/// py.run("import sys\nassert sys.argv[1] == '--all'")?;
/// # Ok(())
/// # }
/// ```
#[derive(Default)]
pub struct Builder {
    argv: Vec<String>,
    stdlib: Option<PathBuf>,
    paths: Vec<PathBuf>,
    site: bool,
    signals: bool,
    recursion_limit: Option<u32>,
    time_limit: Option<Duration>,
    memory_limit: Option<usize>,
}

/// The thread that all interpreters of the process are on.
static HOME: Mutex<Option<ThreadId>> = Mutex::new(None);

impl Builder {
    /// `sys.argv`; `['']` if not given.
    pub fn argv(mut self, argv: impl IntoIterator<Item = impl Into<String>>) -> Builder {
        self.argv = argv.into_iter().map(Into::into).collect();
        self
    }
    /// The folder of the pure-Python standard library; found as the `krait` command finds it if not given.
    pub fn stdlib(mut self, folder: impl Into<PathBuf>) -> Builder {
        self.stdlib = Some(folder.into());
        self
    }
    /// A folder to be searched for modules before the standard library.
    pub fn path(mut self, folder: impl Into<PathBuf>) -> Builder {
        self.paths.push(folder.into());
        self
    }
    /// Whether `site` is imported, which adds the folders of installed packages. Not unless asked for.
    pub fn site(mut self, yes: bool) -> Builder {
        self.site = yes;
        self
    }
    /// Whether signals are Python's: `KeyboardInterrupt` on SIGINT, `signal.signal` for the rest. Not unless asked for.
    pub fn signals(mut self, yes: bool) -> Builder {
        self.signals = yes;
        self
    }
    /// Python calls within each other before RecursionError; 1000 if not given.
    pub fn recursion_limit(mut self, calls: u32) -> Builder {
        self.recursion_limit = Some(calls);
        self
    }
    /// The time that one call from Rust may take before TimeoutError is raised in it. A native function that does not come
    /// back (`sum(range(10**12))`) is not interrupted before it does.
    pub fn time_limit(mut self, time: Duration) -> Builder {
        self.time_limit = Some(time);
        self
    }
    /// Bytes that the process's resident memory may grow by during one call from Rust before MemoryError is raised in it.
    /// Looked at every few milliseconds, so a single allocation may go beyond.
    pub fn memory_limit(mut self, bytes: usize) -> Builder {
        self.memory_limit = Some(bytes);
        self
    }
    /// Starts the interpreter. RuntimeError on another thread than the first interpreter's, or without a standard library.
    pub fn build(self) -> Result<Interpreter> {
        let here = std::thread::current().id();
        let home = *HOME.lock().unwrap_or_else(|e| e.into_inner()).get_or_insert(here);
        if home != here {
            return Err(Error::raise("RuntimeError", "the interpreters of a process are on the thread of the first"));
        }
        let stack = stacker::remaining_stack().unwrap_or(1 << 20);
        let mut th = Box::new(start::new_thread(stack));
        limits::install();
        if let Some(calls) = self.recursion_limit {
            th.interp.recursion_limit.store(calls, Relaxed);
        }
        th.interp.extension::<Limits>().set(self.time_limit, self.memory_limit);
        let signals = self.signals;
        let config = self.config();
        if config.stdlib_dir.is_none() {
            return Err(Error::raise("RuntimeError", "the Python 3.13 standard library was not found"));
        }
        if let Err(raised) = start::initialize_with(&mut th, config, signals) {
            return Err(Error::take(&mut th, raised));
        }
        native::ready(&mut th);
        Ok(Interpreter { th, on_one_thread: PhantomData })
    }
    fn config(self) -> Config {
        let mut config =
            Config { executable: paths::find_executable(Path::new("krait").as_os_str()), ..Config::default() };
        paths::fill(&mut config, None);
        if let Some(folder) = self.stdlib {
            config.path.retain(|p| Some(p) != config.stdlib_dir.as_ref());
            config.path.push(folder.clone());
            config.stdlib_dir = Some(folder);
        }
        config.path.splice(0..0, self.paths);
        config.argv = if self.argv.is_empty() { vec![String::new()] } else { self.argv }
            .into_iter()
            .map(String::into_bytes)
            .collect();
        config.orig_argv = config.argv.clone();
        config.flags.no_site = i32::from(!self.site);
        config
    }
}

impl Interpreter {
    /// An interpreter with nothing but the standard library.
    pub fn new() -> Result<Interpreter> {
        Self::builder().build()
    }
    pub fn builder() -> Builder {
        Builder::default()
    }
    /// Enters the interpreter.
    pub fn python(&mut self) -> Python<'_> {
        self.th.enter();
        Python::outermost(&mut self.th)
    }
}

impl Drop for Interpreter {
    fn drop(&mut self) {
        self.th.enter();
        start::finalize(&mut self.th);
        world::finalized();
    }
}
