//! `sys`: the module object and its constants. Functions are in the folder, by kind.
pub mod constants;
mod frames;
mod hooks;
mod limits;
mod monitoring;
pub mod printer;
mod streams;

use krait_object::{Dict, List, ModuleDef, PyResult, Thread, Tuple, Value};
use krait_runtime::config;
use krait_runtime::convert::fs_decode;
use krait_runtime::types::native_function::NativeFunction;
use krait_runtime::types::{module, simple_namespace, structseq};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

pub use streams::flush_std_files;

pub static MODULE: ModuleDef = ModuleDef {
    doc: "This module provides access to some objects used or maintained by the\ninterpreter and to functions that interact strongly with the interpreter.",
    init: Some(init),
    ..ModuleDef::new("sys")
};

/// Part of the names of `.pyc` files. importlib's magic number is CPython's, so the tag has to tell one opcode table's
/// files from another's, and the stored code itself says whose it is.
fn cache_tag() -> String {
    format!("krait-313-{:04x}", krait_runtime::frozen::version_token() & 0xffff)
}

fn path_value(path: &Path) -> Value {
    fs_decode(path.as_os_str().as_bytes()).into()
}
fn texts<'a>(items: impl Iterator<Item = &'a [u8]>) -> Value {
    List::new(items.map(|a| fs_decode(a).into()).collect()).into()
}

fn init(th: &mut Thread, m: &Value) -> PyResult<()> {
    let d = module::dict(m);
    let name = Value::str("sys");
    for table in [frames::FUNCTIONS, hooks::FUNCTIONS, limits::FUNCTIONS, streams::FUNCTIONS] {
        for f in table {
            d.set_text(f.name, NativeFunction::new_function(f, m, &name));
        }
    }
    let c = config::get(th);
    d.set_text("argv", texts(c.argv.iter().map(Vec::as_slice)));
    d.set_text("orig_argv", texts(c.orig_argv.iter().map(Vec::as_slice)));
    d.set_text("executable", path_value(&c.executable));
    d.set_text("_base_executable", path_value(&c.base_executable));
    d.set_text("prefix", path_value(&c.prefix));
    d.set_text("exec_prefix", path_value(&c.prefix));
    d.set_text("base_prefix", path_value(&c.base_prefix));
    d.set_text("base_exec_prefix", path_value(&c.base_prefix));
    d.set_text("platlibdir", if c.platlibdir.is_empty() { "lib" } else { &c.platlibdir });
    d.set_text("_stdlib_dir", c.stdlib_dir.as_deref().map(path_value));
    d.set_text("_home", Value::NONE);
    d.set_text("_framework", "");
    d.set_text("path", List::new(c.path.iter().map(|p| path_value(p)).collect()));
    d.set_text("pycache_prefix", c.pycache_prefix.as_deref().map(path_value));
    d.set_text("warnoptions", List::new(c.warn_options.iter().map(|w| Value::str(w)).collect()));
    let x = Dict::new();
    for (k, v) in &c.x_options {
        x.set_text(k, v.as_deref().map_or(Value::TRUE, Value::str));
    }
    d.set_text("_xoptions", x);
    d.set_text("meta_path", List::new(Vec::new()));
    d.set_text("path_hooks", List::new(Vec::new()));
    d.set_text("path_importer_cache", Dict::new());
    d.set_text("dont_write_bytecode", Value::bool(c.flags.dont_write_bytecode != 0));
    let flags = structseq::new_type(&constants::FLAGS);
    d.set_text("flags", structseq::build(&flags, constants::flag_values(&c.flags), constants::FLAGS.visible));
    constants::add(th, &d);
    let names = krait_runtime::import::native_modules();
    let mut builtin: Vec<&str> = names.iter().map(|m| m.name).collect();
    builtin.sort_unstable();
    d.set_text("builtin_module_names", Tuple::from_vec(builtin.into_iter().map(Value::str).collect()));
    d.set_text("modules", th.interp.modules.get());
    d.set_text("monitoring", monitoring::new_module(th)?);
    let version = d.get_text("version_info").unwrap_or(Value::NONE);
    d.set_text(
        "implementation",
        simple_namespace::new(&[
            ("name", Value::str("krait")),
            ("cache_tag", Value::str(&cache_tag())),
            ("version", version),
            ("hexversion", Value::int(0x030D_00F0)),
            ("_multiarch", Value::str("x86_64-linux-gnu")),
        ]),
    );
    for (hook, original) in [
        ("displayhook", "__displayhook__"),
        ("excepthook", "__excepthook__"),
        ("breakpointhook", "__breakpointhook__"),
        ("unraisablehook", "__unraisablehook__"),
    ] {
        if let Some(f) = d.get_text(hook) {
            d.set_text(original, f);
        }
    }
    th.interp.sys.set(Some(d.into()));
    Ok(())
}
