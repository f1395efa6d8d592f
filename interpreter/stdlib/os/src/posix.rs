//! `posix`: the operating system's functions. Here is the module object; functions are in the folder, by kind.
use krait_object::{Bytes, Dict, List, ModuleDef, PyResult, Ref, Thread, Value};
use krait_platform::path;
use krait_runtime::exceptions::OS_ERROR;
use krait_runtime::types::module;
use krait_runtime::types::native_function::NativeFunction;
use krait_runtime::types::structseq::StructSeqDef;
use krait_runtime::types::type_::ready::ready_class;

use crate::{constants, structs};

pub mod at_fork;
mod change;
mod descriptors;
mod environment;
mod exec;
mod identity;
mod io;
mod lexical;
mod linux;
mod paths;
mod scandir;
mod sched;
mod spawn;
mod stat;
mod status;
mod system;
mod terminal;
mod wait;

pub use stat::{stat_value, time_parts};

pub static MODULE: ModuleDef = ModuleDef {
    doc: "Functions of the operating system that the C standard and POSIX name.\nImport os in place of this module: it is the same on every platform.",
    init: Some(init),
    ..ModuleDef::new("posix")
};

/// The struct sequences that are attributes of the module.
static STRUCTS: &[&StructSeqDef] = &[
    &stat::STAT_RESULT,
    &stat::STATVFS_RESULT,
    &terminal::TERMINAL_SIZE,
    &wait::WAITID_RESULT,
    &system::UNAME_RESULT,
    &system::TIMES_RESULT,
    &sched::SCHED_PARAM,
];
/// Which of the C library's functions there are, as `os.supports_fd` and its kin ask.
static HAVE: &[&str] = &[
    "HAVE_EVENTFD",
    "HAVE_TIMERFD_CREATE",
    "HAVE_FACCESSAT",
    "HAVE_FCHDIR",
    "HAVE_FCHMOD",
    "HAVE_FCHMODAT",
    "HAVE_FCHOWN",
    "HAVE_FCHOWNAT",
    "HAVE_FEXECVE",
    "HAVE_FDOPENDIR",
    "HAVE_FPATHCONF",
    "HAVE_FSTATAT",
    "HAVE_FSTATVFS",
    "HAVE_FTRUNCATE",
    "HAVE_FUTIMENS",
    "HAVE_FUTIMES",
    "HAVE_FUTIMESAT",
    "HAVE_LINKAT",
    "HAVE_LCHOWN",
    "HAVE_LSTAT",
    "HAVE_LUTIMES",
    "HAVE_MEMFD_CREATE",
    "HAVE_MKDIRAT",
    "HAVE_MKFIFOAT",
    "HAVE_MKNODAT",
    "HAVE_OPENAT",
    "HAVE_READLINKAT",
    "HAVE_RENAMEAT",
    "HAVE_SYMLINKAT",
    "HAVE_UNLINKAT",
    "HAVE_UTIMENSAT",
    "HAVE_PTSNAME_R",
];

fn init(th: &mut Thread, m: &Value) -> PyResult<()> {
    let d = module::dict(m);
    let name = Value::str("posix");
    let tables = [
        at_fork::FUNCTIONS,
        change::FUNCTIONS,
        descriptors::FUNCTIONS,
        environment::FUNCTIONS,
        exec::FUNCTIONS,
        identity::FUNCTIONS,
        io::FUNCTIONS,
        lexical::FUNCTIONS,
        linux::FUNCTIONS,
        paths::FUNCTIONS,
        scandir::FUNCTIONS,
        sched::FUNCTIONS,
        spawn::FUNCTIONS,
        stat::FUNCTIONS,
        status::FUNCTIONS,
        system::FUNCTIONS,
        terminal::FUNCTIONS,
        wait::FUNCTIONS,
    ];
    for f in tables.into_iter().flatten() {
        d.set_text(f.name, NativeFunction::new_function(f, m, &name));
    }
    constants::add(m, constants::posix::TABLE);
    for (attribute, table) in [
        ("pathconf_names", constants::posix::PATHCONF_NAMES),
        ("confstr_names", constants::posix::CONFSTR_NAMES),
        ("sysconf_names", constants::posix::SYSCONF_NAMES),
    ] {
        let names = Dict::new();
        for (name, value) in table {
            names.set_text(name, *value);
        }
        d.set_text(attribute, names);
    }
    for def in STRUCTS {
        d.set_text(def.name, structs::class(th, def));
    }
    sched::fix_constructor(th);
    for def in scandir::DEFS {
        ready_class(th, def);
    }
    d.set_text("DirEntry", scandir::DIR_ENTRY.to_value());
    d.set_text("error", OS_ERROR.to_value());
    d.set_text("_have_functions", List::new(HAVE.iter().map(|h| Value::str(h)).collect()));
    let environ = environment(th)?;
    d.set_text("environ", environ);
    Ok(())
}
/// The environment at start-up: bytes to bytes; of two entries with one name the first counts.
fn environment(th: &mut Thread) -> PyResult<Ref<Dict>> {
    let d = Dict::new();
    for entry in path::environment() {
        let Some(at) = entry.iter().position(|&b| b == b'=') else { continue };
        let key: Value = Bytes::new(&entry[..at]).into();
        d.set_default(th, &key, &Bytes::new(&entry[at + 1..]).into())?;
    }
    Ok(d)
}
