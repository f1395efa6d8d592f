//! What options, `-X` options and `PYTHON*` variables together make of the configuration; what is wrong with them ends the
//! process with a fatal error (`Python/preconfig.c`, `Python/initconfig.c`).
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use krait_embed::Config;
use krait_embed::command::{Source, fill, find_executable};

use super::{Arguments, Reader};

/// Ends the process as CPython does on a bad configuration; the exit status.
fn fatal(what: &str, state: &str) -> i32 {
    eprintln!("Fatal Python error: {what}\nPython runtime state: {state}\n");
    1
}
fn bad(what: &str) -> i32 {
    fatal(what, "preinitialized")
}
fn lossy(v: OsString) -> String {
    v.to_string_lossy().into_owned()
}

impl Reader {
    fn env(&self, name: &str) -> Option<OsString> {
        if self.flags.ignore_environment != 0 {
            return None;
        }
        std::env::var_os(name).filter(|v| !v.is_empty())
    }
    /// A value that is no number counts as 1.
    fn env_number(&self, name: &str) -> i32 {
        self.env(name).map_or(0, |v| lossy(v).trim().parse::<i32>().ok().filter(|n| *n >= 0).unwrap_or(1))
    }
    fn x_option(&self, name: &str) -> Option<Option<&str>> {
        self.x.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_deref())
    }
    /// What must be right before anything else is looked at.
    pub(super) fn before(&mut self) -> Result<(), i32> {
        const ALLOCATORS: [&str; 8] =
            ["default", "debug", "malloc", "malloc_debug", "pymalloc", "pymalloc_debug", "mimalloc", "mimalloc_debug"];
        if self.env("PYTHONMALLOC").is_some_and(|v| !ALLOCATORS.contains(&&*v.to_string_lossy())) {
            let message = "preconfig_init_allocator: PYTHONMALLOC: unknown allocator";
            return Err(fatal(message, "preinitializing"));
        }
        self.flags.utf8_mode = match self.x_option("utf8") {
            Some(None | Some("1")) => 1,
            Some(Some("0")) => 0,
            Some(Some(_)) => {
                return Err(fatal("preconfig_init_utf8_mode: invalid -X utf8 option value", "preinitializing"));
            }
            None => match self.env("PYTHONUTF8").map(lossy).as_deref() {
                Some("1") => 1,
                Some("0") => 0,
                None => i32::from(krait_embed::command::is_c_locale()),
                Some(_) => {
                    let message = "preconfig_init_utf8_mode: invalid PYTHONUTF8 environment variable value";
                    return Err(fatal(message, "preinitializing"));
                }
            },
        };
        Ok(())
    }
    /// The numbers of `sys.flags` that a variable may raise.
    fn flags_from_environment(&mut self) {
        self.flags.debug = i32::from(self.flags.debug.max(self.env_number("PYTHONDEBUG")) > 0);
        self.flags.optimize = self.flags.optimize.max(self.env_number("PYTHONOPTIMIZE"));
        self.flags.verbose = self.flags.verbose.max(self.env_number("PYTHONVERBOSE"));
        let asked = |name: &str| i32::from(self.env_number(name) > 0);
        let dont_write_bytecode = asked("PYTHONDONTWRITEBYTECODE");
        let (no_user_site, inspect) = (asked("PYTHONNOUSERSITE"), asked("PYTHONINSPECT"));
        let unbuffered = asked("PYTHONUNBUFFERED") > 0;
        self.flags.dont_write_bytecode |= dont_write_bytecode;
        self.flags.no_user_site |= no_user_site;
        self.flags.inspect |= inspect;
        self.unbuffered |= unbuffered;
        // These ask only whether the variable is there.
        self.flags.safe_path |= self.env("PYTHONSAFEPATH").is_some();
        self.flags.dev_mode = self.x_option("dev").is_some() || self.env("PYTHONDEVMODE").is_some();
        self.flags.warn_default_encoding = i32::from(
            self.x_option("warn_default_encoding").is_some() || self.env("PYTHONWARNDEFAULTENCODING").is_some(),
        );
    }
    /// The hash seed: `None` = random.
    fn hash_seed(&mut self) -> Result<Option<u32>, i32> {
        if self.random_hashes {
            return Ok(None);
        }
        let Some(text) = self.env("PYTHONHASHSEED").map(lossy).filter(|t| t != "random") else { return Ok(None) };
        match text.parse::<u32>() {
            Ok(seed) => Ok(Some(seed)),
            Err(_) => Err(bad(
                "config_init_hash_seed: PYTHONHASHSEED must be \"random\" or an integer in range [0; 4294967295]",
            )),
        }
    }
    fn int_max_str_digits(&self) -> Result<i32, i32> {
        let valid = |text: &str| text.parse::<i32>().ok().filter(|n| *n == 0 || *n >= 640);
        let (digits, from) = match (self.x_option("int_max_str_digits"), self.env("PYTHONINTMAXSTRDIGITS")) {
            (Some(v), _) => (v.and_then(valid), "-X int_max_str_digits"),
            (None, Some(v)) => (valid(&lossy(v)), "PYTHONINTMAXSTRDIGITS"),
            (None, None) => return Ok(4300),
        };
        digits.ok_or_else(|| {
            let rule = "invalid limit; must be >= 640 or 0 for unlimited.";
            bad(&format!("config_init_int_max_str_digits: {from}: {rule}"))
        })
    }
    /// `None` = the machine's number.
    fn cpu_count(&self) -> Result<Option<i32>, i32> {
        let text = match (self.x_option("cpu_count"), self.env("PYTHON_CPU_COUNT")) {
            (Some(v), _) => v.map(str::to_owned),
            (None, Some(v)) => Some(lossy(v)),
            (None, None) => return Ok(None),
        };
        match text.as_deref() {
            Some("default") => Ok(None),
            Some(text) if text.parse::<i32>().is_ok_and(|n| n > 0) => Ok(text.parse().ok()),
            _ => Err(bad(
                "config_init_cpu_count: -X cpu_count=n option: n is missing or an invalid number, n must be greater than 0",
            )),
        }
    }
    fn gil(&self) -> Result<(), i32> {
        let asked = match self.x_option("gil") {
            Some(v) => Some(v.unwrap_or_default().to_owned()),
            None => self.env("PYTHON_GIL").map(lossy),
        };
        match asked.as_deref() {
            None | Some("1") => Ok(()),
            Some("0") => Err(bad("config_read_gil: Disabling the GIL is not supported by this build")),
            Some(_) => Err(bad("config_read_gil: PYTHON_GIL / -X gil must be \"0\" or \"1\"")),
        }
    }
    fn frozen_modules(&self) -> Result<bool, i32> {
        if let Some(v) = self.x_option("frozen_modules") {
            return match v {
                None | Some("" | "on") => Ok(true),
                Some("off") => Ok(false),
                Some(_) => Err(bad("bad value for option -X frozen_modules (expected \"on\" or \"off\")")),
            };
        }
        match self.env("PYTHON_FROZEN_MODULES").map(lossy).as_deref() {
            None | Some("on") => Ok(true),
            Some("off") => Ok(false),
            Some(_) => Err(bad("bad value for PYTHON_FROZEN_MODULES (expected \"on\" or \"off\")")),
        }
    }
    /// How many frames `tracemalloc` is to keep; 0 = it is not started.
    fn tracemalloc(&self) -> Result<i32, i32> {
        let frames = |text: &str| text.parse::<i32>().ok().filter(|n| (0..=65535).contains(n));
        match (self.x_option("tracemalloc"), self.env("PYTHONTRACEMALLOC")) {
            (Some(None), _) => Ok(1),
            (Some(Some(v)), _) => {
                frames(v).ok_or_else(|| bad("config_init_tracemalloc: -X tracemalloc=NFRAME: invalid number of frames"))
            }
            (None, Some(v)) => frames(&lossy(v))
                .ok_or_else(|| bad("config_init_tracemalloc: PYTHONTRACEMALLOC: invalid number of frames")),
            (None, None) => Ok(0),
        }
    }
    fn warn_options(&mut self) -> Vec<String> {
        let mut out = Vec::new();
        if self.flags.dev_mode {
            out.push("default".to_owned());
        }
        let listed = self.env("PYTHONWARNINGS").map(lossy).unwrap_or_default();
        out.extend(listed.split(',').filter(|w| !w.is_empty()).map(str::to_owned));
        out.append(&mut self.warn);
        match self.flags.bytes_warning {
            0 => {}
            1 => out.push("default::BytesWarning".to_owned()),
            _ => out.push("error::BytesWarning".to_owned()),
        }
        out
    }
    pub(super) fn finish(mut self, all: &[OsString], argv: Vec<Vec<u8>>, source: Source) -> Result<Arguments, i32> {
        self.flags_from_environment();
        let seed = self.hash_seed()?;
        self.flags.hash_randomization = i32::from(seed != Some(0));
        self.flags.int_max_str_digits = self.int_max_str_digits()?;
        self.gil()?;
        let mut config = Config {
            executable: find_executable(all.first().map_or(std::ffi::OsStr::new("krait"), |a| a)),
            argv,
            orig_argv: all.iter().cloned().map(OsString::into_vec).collect(),
            hash_seed: seed,
            unbuffered: self.unbuffered,
            cpu_count: self.cpu_count()?,
            no_frozen_modules: !self.frozen_modules()?,
            tracemalloc: self.tracemalloc()?,
            check_hash_based_pycs: std::mem::take(&mut self.check_hash_based_pycs),
            skip_first_line: self.skip_first_line,
            startup: self.env("PYTHONSTARTUP").map(Into::into),
            plain_repl: self.env("PYTHON_BASIC_REPL").is_some(),
            ..Config::default()
        };
        config.import_time = self.x_option("importtime").is_some() || self.env("PYTHONPROFILEIMPORTTIME").is_some();
        config.no_debug_ranges =
            self.x_option("no_debug_ranges").is_some() || self.env("PYTHONNODEBUGRANGES").is_some();
        config.faulthandler =
            self.flags.dev_mode || self.x_option("faulthandler").is_some() || self.env("PYTHONFAULTHANDLER").is_some();
        if let Some(io) = self.env("PYTHONIOENCODING").map(lossy) {
            let (encoding, errors) = io.split_once(':').unwrap_or((&io, ""));
            config.stdio_encoding = Some(encoding.to_owned()).filter(|e| !e.is_empty());
            config.stdio_errors = Some(errors.to_owned()).filter(|e| !e.is_empty());
        }
        config.pycache_prefix = match self.x_option("pycache_prefix") {
            Some(v) => v.filter(|v| !v.is_empty()).map(Into::into),
            None => self.env("PYTHONPYCACHEPREFIX").map(Into::into),
        };
        if let Some(name) = self.env("PYTHONPLATLIBDIR") {
            config.platlibdir = lossy(name);
        }
        config.warn_options = self.warn_options();
        config.x_options = std::mem::take(&mut self.x);
        let path = self.env("PYTHONPATH");
        config.flags = self.flags;
        fill(&mut config, path.as_deref());
        Ok(Arguments { config, source })
    }
}
