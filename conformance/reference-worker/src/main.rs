//! The reference CPython, embedded: behaves as the `python3.13` command does, with the same arguments.
//!
//! UNSAFE HOME: calls into libpython and libc. One interpreter per process, run once through `Py_RunMain`; nothing of
//! pyo3's own initialisation is used, because it would set `sys.executable` to whatever is on PATH.

use std::env;
use std::ffi::{CString, c_char};
use std::os::unix::ffi::OsStrExt;
use std::process::ExitCode;

use pyo3::ffi;

/// The interpreter that this program was linked against; its path becomes `sys.executable`.
const PYTHON: &str = env!("KRAIT_REFERENCE_PYTHON");

fn main() -> ExitCode {
    // Rust's runtime ignores SIGPIPE before main; the command starts with the default.
    // SAFETY: no other thread runs yet, and SIG_DFL is a valid disposition of SIGPIPE.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
    match run() {
        Ok(code) => ExitCode::from(code as u8),
        Err(what) => {
            eprintln!("reference-worker: {what}");
            ExitCode::from(1)
        }
    }
}

/// Configures as the command would (arguments parsed, environment heeded) and runs to the end.
fn run() -> Result<i32, String> {
    let mut words = vec![c_string(PYTHON.as_bytes())?];
    for word in env::args_os().skip(1) {
        words.push(c_string(word.as_bytes())?);
    }
    let mut pointers: Vec<*const c_char> = words.iter().map(|word| word.as_ptr()).collect();
    let executable = c_string(PYTHON.as_bytes())?;
    // SAFETY: the interpreter is not initialised yet and no other thread runs. `config` is initialised before its first
    // use and cleared once; `words` and `executable` outlive the calls that copy them; `pointers` has as many entries
    // as said, each to a NUL-terminated string that CPython only reads.
    unsafe {
        let mut config = std::mem::zeroed::<ffi::PyConfig>();
        ffi::PyConfig_InitPythonConfig(&raw mut config);
        let mut status = ffi::PyConfig_SetBytesArgv(&raw mut config, pointers.len() as isize, pointers.as_mut_ptr());
        if ffi::PyStatus_Exception(status) == 0 {
            status = ffi::PyConfig_SetBytesString(&raw mut config, &raw mut config.executable, executable.as_ptr());
        }
        if ffi::PyStatus_Exception(status) == 0 {
            status = ffi::Py_InitializeFromConfig(&raw const config);
        }
        ffi::PyConfig_Clear(&raw mut config);
        if ffi::PyStatus_IsExit(status) != 0 {
            return Ok(status.exitcode);
        }
        if ffi::PyStatus_Exception(status) != 0 {
            return Err("CPython does not initialise".to_owned());
        }
        Ok(ffi::Py_RunMain())
    }
}

fn c_string(bytes: &[u8]) -> Result<CString, String> {
    CString::new(bytes).map_err(|_| "an argument holds a NUL".to_owned())
}
