//! Waiting for processes.
use krait_object::native::function;
use krait_object::{Method, PyResult, Thread, Tuple, Value};
use krait_platform::process::{self, Usage};
use krait_runtime::import::import_module;
use krait_runtime::protocol::{attr, call, number};
use krait_runtime::types::structseq::StructSeqDef;
use krait_runtime::world::retry;

use crate::arguments::{int_or, show_id, sys};
use crate::structs;

pub(super) static WAITID_RESULT: StructSeqDef = StructSeqDef {
    module: "posix",
    name: "waitid_result",
    doc: "Result of waitid.",
    fields: &[("si_pid", ""), ("si_uid", ""), ("si_signo", ""), ("si_status", ""), ("si_code", "")],
    visible: 5,
    instantiable: true,
};
pub(super) static FUNCTIONS: &[Method] = &[
    function("wait", "()", "Wait for a child process: (process, status).", |th, _| wait(th, -1, 0)),
    function("waitpid", "(pid, options, /)", "Wait for a certain child process: (process, status).", |th, a| {
        let (pid, options) = (number::to_i32(th, &a[0])?, number::to_i32(th, &a[1])?);
        wait(th, pid, options)
    }),
    function("wait3", "(options)", "Wait for a child process: (process, status, resources used).", |th, a| {
        let options = number::to_i32(th, &a[0])?;
        wait_usage(th, -1, options)
    }),
    function(
        "wait4",
        "(pid, options)",
        "Wait for a certain child process: (process, status, resources used).",
        |th, a| {
            let (pid, options) = (number::to_i32(th, &a[0])?, number::to_i32(th, &a[1])?);
            wait_usage(th, pid, options)
        },
    ),
    function(
        "waitid",
        "(idtype, id, options, /)",
        "Wait for child processes that the arguments choose; None if none is ready.",
        |th, a| {
            let (kind, id) = (number::to_i32(th, &a[0])?, number::to_i32(th, &a[1])?);
            let options = number::to_i32(th, &a[2])?;
            let got = retry(th, || process::waitid(kind as u32, id as u32, options))?;
            Ok(match sys(th, got)? {
                None => Value::NONE,
                Some((pid, uid, signo, status, code)) => structs::build(
                    th,
                    &WAITID_RESULT,
                    vec![pid.into(), show_id(uid), signo.into(), status.into(), code.into()],
                ),
            })
        },
    ),
    function("pidfd_open", "(pid, flags=0)", "A descriptor that refers to a process.", |th, a| {
        let pid = number::to_i32(th, &a[0])?;
        let flags = int_or(th, a.opt(1), 0)?;
        let fd = sys(th, process::pidfd_open(pid, flags as u32))?;
        Ok(fd.into())
    }),
];
fn wait(th: &mut Thread, pid: i32, options: i32) -> PyResult<Value> {
    let got = retry(th, || process::waitpid(pid, options))?;
    let (pid, status) = sys(th, got)?;
    Ok(Tuple::from_vec(vec![pid.into(), status.into()]).into())
}
fn wait_usage(th: &mut Thread, pid: i32, options: i32) -> PyResult<Value> {
    let got = retry(th, || process::wait4(pid, options))?;
    let (pid, status, usage) = sys(th, got)?;
    let usage = usage_value(th, &usage)?;
    Ok(Tuple::from_vec(vec![pid.into(), status.into(), usage]).into())
}
/// `resource.struct_rusage`, which is that module's own.
fn usage_value(th: &mut Thread, u: &Usage) -> PyResult<Value> {
    let resource = import_module(th, "resource")?;
    let class = attr::get_text(th, &resource, "struct_rusage")?;
    let mut fields: Vec<Value> = u.times.iter().map(|&t| Value::float(t)).collect();
    fields.extend(u.counts.iter().map(|&n| Value::int(n)));
    call::call(th, &class, &[Tuple::from_vec(fields).into()])
}
