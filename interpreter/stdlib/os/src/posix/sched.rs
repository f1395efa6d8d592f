//! Scheduling: policies, processors.
use krait_object::native::{Sig, function};
use krait_object::{Args, Method, PyResult, Set, Thread, Tuple, Value};
use krait_platform::process::{self, *};
use krait_runtime::errors::{overflow_error, type_error, value_error};
use krait_runtime::protocol::{iter, number, repr};
use krait_runtime::types::structseq::{self, StructSeqDef};

use crate::arguments::sys;
use crate::structs;

pub(super) static SCHED_PARAM: StructSeqDef = StructSeqDef {
    module: "posix",
    name: "sched_param",
    doc: "Currently has only one field: sched_priority",
    fields: &[("sched_priority", "the scheduling priority")],
    visible: 1,
    instantiable: true,
};
pub(super) static FUNCTIONS: &[Method] = &[
    function("sched_yield", "()", "Let other threads run.", |th, _| {
        krait_runtime::world::blocking(th, || sched_yield().ok());
        Ok(Value::NONE)
    }),
    function("sched_get_priority_max", "(policy)", "The highest priority of a policy.", |th, a| {
        let policy = number::to_i32(th, &a[0])?;
        let n = sys(th, sched_get_priority_max(policy))?;
        Ok(n.into())
    }),
    function("sched_get_priority_min", "(policy)", "The lowest priority of a policy.", |th, a| {
        let policy = number::to_i32(th, &a[0])?;
        let n = sys(th, sched_get_priority_min(policy))?;
        Ok(n.into())
    }),
    function("sched_getscheduler", "(pid, /)", "The policy of a process.", |th, a| {
        let pid = number::to_i32(th, &a[0])?;
        let n = sys(th, sched_getscheduler(pid))?;
        Ok(n.into())
    }),
    function("sched_setscheduler", "(pid, policy, param, /)", "Set the policy of a process.", |th, a| {
        let (pid, policy) = (number::to_i32(th, &a[0])?, number::to_i32(th, &a[1])?);
        let priority = priority(th, &a[2])?;
        sys(th, process::set_sched(pid, Some(policy), priority))?;
        Ok(Value::NONE)
    }),
    function("sched_getparam", "(pid, /)", "The scheduling parameters of a process.", |th, a| {
        let pid = number::to_i32(th, &a[0])?;
        let n = sys(th, process::sched_priority(pid))?;
        Ok(structs::build(th, &SCHED_PARAM, vec![n.into()]))
    }),
    function("sched_setparam", "(pid, param, /)", "Set the scheduling parameters of a process.", |th, a| {
        let pid = number::to_i32(th, &a[0])?;
        let priority = priority(th, &a[1])?;
        sys(th, process::set_sched(pid, None, priority))?;
        Ok(Value::NONE)
    }),
    function("sched_rr_get_interval", "(pid, /)", "The round-robin time slice of a process, in seconds.", |th, a| {
        let pid = number::to_i32(th, &a[0])?;
        let ns = sys(th, process::sched_rr_interval(pid))?;
        Ok(Value::float(ns as f64 * 1e-9))
    }),
    function("sched_getaffinity", "(pid, /)", "The processors that a process may run on.", |th, a| {
        let pid = number::to_i32(th, &a[0])?;
        let all = sys(th, process::affinity(pid))?;
        let set = Set::new();
        for p in all {
            set.add(th, p.into())?;
        }
        Ok(set.into())
    }),
    function("sched_setaffinity", "(pid, mask, /)", "Set the processors that a process may run on.", set_affinity),
    function("cpu_count", "()", "The number of processors; None where it is not known.", |th, _| {
        if let Some(n) = krait_runtime::config::get(th).cpu_count {
            return Ok(n.into());
        }
        const SC_NPROCESSORS_ONLN: i32 = 84;
        Ok(process::sysconf(SC_NPROCESSORS_ONLN).ok().filter(|&n| n >= 1).into())
    }),
];
/// `sched_param(sched_priority)`: the one field, not a sequence of it.
pub(super) fn fix_constructor(th: &Thread) {
    structs::class(th, &SCHED_PARAM).slots.new.set(Some(|th, class, args| {
        static SIG: Sig = Sig::new("(sched_priority)");
        let bound = SIG.bind(th, "sched_param", "sched_param", args, 0)?;
        Ok(structseq::build(class, vec![bound.args()[0].clone()], 1))
    }));
}
pub(super) fn priority(th: &mut Thread, v: &Value) -> PyResult<i32> {
    if !v.is_exact(structs::class(th, &SCHED_PARAM).object()) {
        return Err(type_error(th, "must have a sched_param object"));
    }
    let n = v.downcast_ref::<Tuple>().and_then(|t| t.first().cloned()).unwrap_or(Value::NONE);
    let n = number::to_i64(th, &n)?;
    i32::try_from(n).map_err(|_| overflow_error(th, "sched_priority out of range"))
}
fn set_affinity(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let pid = number::to_i32(th, &a[0])?;
    let mut wanted = Vec::new();
    for item in iter::collect(th, &a[1])? {
        if item.as_int_ref().is_none() {
            let class = item.class_ref().to_value();
            let class = repr::repr(th, &class)?;
            return Err(type_error(th, format!("expected an iterator of ints, but iterator yielded {class}")));
        }
        match number::to_i64(th, &item)? {
            n if n < 0 => return Err(value_error(th, "negative CPU number")),
            n if n > i64::from(i32::MAX) - 1 => return Err(overflow_error(th, "CPU number too large")),
            n => wanted.push(n as usize),
        }
    }
    sys(th, process::set_affinity(pid, &wanted))?;
    Ok(Value::NONE)
}
