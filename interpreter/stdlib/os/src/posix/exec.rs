//! Replacing the program.
use std::ffi::CString;

use krait_object::native::function;
use krait_object::{List, Method, PyResult, Thread, Tuple, Value};
use krait_platform::process::{self, Program};
use krait_runtime::audit::audit;
use krait_runtime::errors::{type_error, value_error};
use krait_runtime::protocol::{attr, sequence};

use crate::arguments::{Accept, PathArg, Place, fs_string, path};

pub(super) static FUNCTIONS: &[Method] = &[
    function("execv", "(path, argv, /)", "Replace the program.", |th, a| {
        check(th)?;
        let p = path(th, a.opt(0), Accept::path("execv"))?;
        let argv = arguments(th, &a[1], "execv() arg 2")?;
        audit(th, "os.exec", &[p.object.clone(), a[1].clone(), Value::NONE])?;
        Err(run(th, &p, &argv, None))
    }),
    function("execve", "(path, argv, env)", "Replace the program; it gets the environment given.", |th, a| {
        check(th)?;
        let p = path(th, a.opt(0), Accept::path("execve").or_fd())?;
        let argv = arguments(th, &a[1], "execve: argv")?;
        let env = environment(th, &a[2], "execve: environment must be a mapping object")?;
        audit(th, "os.exec", &[p.object.clone(), a[1].clone(), a[2].clone()])?;
        Err(run(th, &p, &argv, Some(&env)))
    }),
];
/// Whether this interpreter may replace the program.
fn check(th: &mut Thread) -> PyResult<()> {
    if krait_runtime::interpreters::features(th).allow_exec {
        return Ok(());
    }
    Err(krait_runtime::errors::runtime_error(th, "exec not supported for isolated subinterpreters"))
}
fn run(th: &mut Thread, p: &PathArg, argv: &[CString], env: Option<&[CString]>) -> krait_object::Raised {
    let errno = match &p.place {
        Place::Fd(fd) => process::exec(&Program::Fd(*fd), argv, env),
        _ => process::exec(&Program::Path(p.path()), argv, env),
    };
    p.error(th, errno)
}
/// A list or tuple of arguments; `what` begins the messages.
pub(super) fn arguments(th: &mut Thread, v: &Value, what: &str) -> PyResult<Vec<CString>> {
    if v.downcast_ref::<List>().is_none() && v.downcast_ref::<Tuple>().is_none() {
        return Err(type_error(th, format!("{what} must be a tuple or list")));
    }
    let mut out = Vec::new();
    for item in sequence::to_items(th, v, "")? {
        out.push(fs_string(th, &item)?);
    }
    match out.first() {
        None => Err(value_error(th, format!("{what} must not be empty"))),
        Some(first) if first.is_empty() => Err(value_error(th, format!("{what} first element cannot be empty"))),
        Some(_) => Ok(out),
    }
}
/// The `NAME=value` strings of a mapping.
pub(super) fn environment(th: &mut Thread, v: &Value, refused: &str) -> PyResult<Vec<CString>> {
    if !sequence::has_len(v) || attr::get_text_opt(th, v, "keys")?.is_none() {
        return Err(type_error(th, refused));
    }
    let keys = attr::call_method(th, v, "keys", &[])?;
    let keys = sequence::to_items(th, &keys, "env.keys() is not a list")?;
    let values = attr::call_method(th, v, "values", &[])?;
    let values = sequence::to_items(th, &values, "env.values() is not a list")?;
    let mut out = Vec::new();
    for (key, value) in keys.iter().zip(&values) {
        let (key, value) = (fs_string(th, key)?, fs_string(th, value)?);
        if key.is_empty() || key.as_bytes()[1..].contains(&b'=') {
            return Err(value_error(th, "illegal environment variable name"));
        }
        let pair = [key.as_bytes(), b"=", value.as_bytes()].concat();
        out.push(CString::new(pair).map_err(|_| value_error(th, "embedded null byte"))?);
    }
    Ok(out)
}
