//! How the interpreter was started: what `PyConfig` is in CPython. `embed` fills it before start-up; `sys` shows it.
use std::path::PathBuf;
use std::sync::Arc;

use krait_object::{Interpreter, Locked, Thread};

#[derive(Clone, Debug, Default)]
pub struct Config {
    pub executable: PathBuf,
    /// The executable that a virtual environment was made with.
    pub base_executable: PathBuf,
    pub argv: Vec<Vec<u8>>,
    pub orig_argv: Vec<Vec<u8>>,
    pub prefix: PathBuf,
    pub base_prefix: PathBuf,
    /// Where the pure-Python library is.
    pub stdlib_dir: Option<PathBuf>,
    /// `sys.path` before `site`.
    pub path: Vec<PathBuf>,
    pub warn_options: Vec<String>,
    pub x_options: Vec<(String, Option<String>)>,
    pub pycache_prefix: Option<PathBuf>,
    pub flags: Flags,
    /// `PYTHONHASHSEED` as a number, `None` = random.
    pub hash_seed: Option<u32>,
    /// Encoding and error handler of the standard streams (`PYTHONIOENCODING`).
    pub stdio_encoding: Option<String>,
    pub stdio_errors: Option<String>,
    pub unbuffered: bool,
    /// `-X cpu_count`
    pub cpu_count: Option<i32>,
    /// `-X frozen_modules=off`
    pub no_frozen_modules: bool,
    /// `-X importtime`
    pub import_time: bool,
    /// `-X no_debug_ranges`
    pub no_debug_ranges: bool,
    /// `-X faulthandler`
    pub faulthandler: bool,
    /// Frames that `-X tracemalloc` keeps, 0 = off.
    pub tracemalloc: i32,
    /// `--check-hash-based-pycs`, "" = default.
    pub check_hash_based_pycs: String,
    /// `PYTHONPLATLIBDIR`, "" = `lib`.
    pub platlibdir: String,
    /// `-x`
    pub skip_first_line: bool,
    /// `PYTHONSTARTUP`
    pub startup: Option<PathBuf>,
    /// `PYTHON_BASIC_REPL`
    pub plain_repl: bool,
}

/// `sys.flags`, in its order.
#[derive(Clone, Debug)]
pub struct Flags {
    pub debug: i32,
    pub inspect: i32,
    pub interactive: i32,
    pub optimize: i32,
    pub dont_write_bytecode: i32,
    pub no_user_site: i32,
    pub no_site: i32,
    pub ignore_environment: i32,
    pub verbose: i32,
    pub bytes_warning: i32,
    pub quiet: i32,
    pub hash_randomization: i32,
    pub isolated: i32,
    pub dev_mode: bool,
    pub utf8_mode: i32,
    pub warn_default_encoding: i32,
    pub safe_path: bool,
    pub int_max_str_digits: i32,
}
impl Default for Flags {
    fn default() -> Flags {
        Flags {
            debug: 0,
            inspect: 0,
            interactive: 0,
            optimize: 0,
            dont_write_bytecode: 0,
            no_user_site: 0,
            no_site: 0,
            ignore_environment: 0,
            verbose: 0,
            bytes_warning: 0,
            quiet: 0,
            hash_randomization: 1,
            isolated: 0,
            dev_mode: false,
            utf8_mode: 0,
            warn_default_encoding: 0,
            safe_path: false,
            int_max_str_digits: 4300,
        }
    }
}

/// What start-up put in front of `sys.path`, `""` = the current folder.
#[derive(Default)]
pub struct FirstPath(pub Locked<Option<String>>);

/// The configuration of an interpreter.
#[derive(Default)]
pub struct Shared(Locked<Option<Arc<Config>>>);

pub fn set(th: &mut Thread, config: Config) {
    th.interp.extension::<Shared>().0.set(Some(Arc::new(config)));
}
/// The configuration, the default one before it is set.
pub fn get(th: &Thread) -> Arc<Config> {
    of(&th.interp)
}
/// That of any interpreter.
pub fn of(interp: &Interpreter) -> Arc<Config> {
    interp.extension::<Shared>().0.get().unwrap_or_default()
}
