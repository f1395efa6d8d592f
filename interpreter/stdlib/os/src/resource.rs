//! `resource`: limits and use of resources.
use krait_object::native::function;
use krait_object::{Method, ModuleDef, PyResult, Thread, Tuple, Value};
use krait_platform::{errno, process};
use krait_runtime::audit::audit;
use krait_runtime::errors::{os_error, value_error};
use krait_runtime::exceptions::OS_ERROR;
use krait_runtime::protocol::{number, sequence};
use krait_runtime::types::module;
use krait_runtime::types::structseq::StructSeqDef;

use crate::arguments::sys;
use crate::{constants, structs};

static RUSAGE: StructSeqDef = StructSeqDef {
    module: "resource",
    name: "struct_rusage",
    doc: "Result of getrusage.",
    fields: &[
        ("ru_utime", "user time used"),
        ("ru_stime", "system time used"),
        ("ru_maxrss", "max. resident set size"),
        ("ru_ixrss", "shared memory size"),
        ("ru_idrss", "unshared data size"),
        ("ru_isrss", "unshared stack size"),
        ("ru_minflt", "page faults not requiring I/O"),
        ("ru_majflt", "page faults requiring I/O"),
        ("ru_nswap", "number of swap outs"),
        ("ru_inblock", "block input operations"),
        ("ru_oublock", "block output operations"),
        ("ru_msgsnd", "IPC messages sent"),
        ("ru_msgrcv", "IPC messages received"),
        ("ru_nsignals", "signals received"),
        ("ru_nvcsw", "voluntary context switches"),
        ("ru_nivcsw", "involuntary context switches"),
    ],
    visible: 16,
    instantiable: true,
};
pub static MODULE: ModuleDef = ModuleDef {
    doc: "Limits and use of resources.",
    functions: FUNCTIONS,
    init: Some(|th, m| {
        constants::add(m, constants::resource::TABLE);
        let d = module::dict(m);
        d.set_text("struct_rusage", structs::class(th, &RUSAGE));
        d.set_text("error", OS_ERROR.to_value());
        Ok(())
    }),
    ..ModuleDef::new("resource")
};
const KINDS: i32 = 16;

static FUNCTIONS: &[Method] = &[
    function("getrusage", "(who, /)", "The resources that a process, its children or a thread used.", |th, a| {
        let who = number::to_i32(th, &a[0])?;
        match process::getrusage(who) {
            Ok(u) => {
                let mut fields: Vec<Value> = u.times.iter().map(|&t| Value::float(t)).collect();
                fields.extend(u.counts.iter().map(|&n| Value::int(n)));
                Ok(structs::build(th, &RUSAGE, fields))
            }
            Err(errno::EINVAL) => Err(value_error(th, "invalid who parameter")),
            Err(e) => Err(os_error(th, e, None)),
        }
    }),
    function("getrlimit", "(resource, /)", "Soft and hard limit of a resource.", |th, a| {
        let kind = number::to_i32(th, &a[0])?;
        check(th, kind)?;
        let l = sys(th, process::limits(0, kind as u32, None))?;
        Ok(pair(l))
    }),
    function("setrlimit", "(resource, limits, /)", "Set soft and hard limit of a resource.", |th, a| {
        let kind = number::to_i32(th, &a[0])?;
        audit(th, "resource.setrlimit", &[kind.into(), a[1].clone()])?;
        check(th, kind)?;
        let new = limits(th, &a[1])?;
        match process::limits(0, kind as u32, Some(new)) {
            Ok(_) => Ok(Value::NONE),
            Err(e) => refused(th, e),
        }
    }),
    function(
        "prlimit",
        "(pid, resource, limits=None, /)",
        "Limits of a process's resource, which are set if given.",
        |th, a| {
            let (pid, kind) = (number::to_i32(th, &a[0])?, number::to_i32(th, &a[1])?);
            check(th, kind)?;
            let new = match a.opt_not_none(2) {
                None => None,
                Some(v) => Some(limits(th, v)?),
            };
            match process::limits(pid, kind as u32, new) {
                Ok(l) => Ok(pair(l)),
                Err(e) => refused(th, e),
            }
        },
    ),
    function("getpagesize", "()", "Bytes per page of memory.", |_, _| {
        const SC_PAGESIZE: i32 = 30;
        Ok(process::sysconf(SC_PAGESIZE).unwrap_or(4096).into())
    }),
];
fn check(th: &mut Thread, kind: i32) -> PyResult<()> {
    if (0..KINDS).contains(&kind) { Ok(()) } else { Err(value_error(th, "invalid resource specified")) }
}
fn refused(th: &mut Thread, e: i32) -> PyResult<Value> {
    Err(match e {
        errno::EINVAL => value_error(th, "current limit exceeds maximum limit"),
        errno::EPERM => value_error(th, "not allowed to raise maximum limit"),
        e => os_error(th, e, None),
    })
}
fn pair((soft, hard): (u64, u64)) -> Value {
    Tuple::from_vec(vec![Value::int(soft as i64), Value::int(hard as i64)]).into()
}
fn limits(th: &mut Thread, v: &Value) -> PyResult<(u64, u64)> {
    let items = sequence::to_items(th, v, "expected a tuple of 2 integers")?;
    let [soft, hard] = &items[..] else {
        return Err(value_error(th, "expected a tuple of 2 integers"));
    };
    Ok((number::to_i64(th, soft)? as u64, number::to_i64(th, hard)? as u64))
}
