//! `CodeLike` and the functions that report events for one: events of code that no interpreter loop runs.
//! CPython: `Modules/_testcapi/monitoring.c`, `PyMonitoring_EnterScope`.
use std::sync::atomic::Ordering::Relaxed;

use krait_macros::{Payload, Trace};
use krait_object::native::function;
use krait_object::{
    Args, ClassDef, Locked, Method, PyResult, Ref, SlotDefs, Thread, Type, TypeObject, VTable, Value,
    builtin_types::OBJECT,
};
use krait_runtime::errors;
use krait_runtime::exceptions::{self, STOP_ITERATION};
use krait_runtime::monitoring::{self, Event, LOCAL_EVENTS, NAMES};
use krait_runtime::protocol::{call, number};

/// Tools that are active for each of the event slots of the scope that is entered.
#[derive(Trace, Payload)]
#[payload(class = CODE_LIKE)]
pub struct CodeLike {
    #[trace(skip)]
    active: Locked<Vec<u8>>,
}
static LAYOUT: VTable = VTable::of::<CodeLike>();
pub static CODE_LIKE: TypeObject = TypeObject::builtin("CodeLike", Some(&OBJECT), &LAYOUT);
pub static DEF: ClassDef = ClassDef {
    module: "_testcapi",
    doc: "Something that has events, with room for some of them.",
    sig: "(num_events)",
    slots: SlotDefs { new: Some(new), ..SlotDefs::EMPTY },
    ..ClassDef::new(&CODE_LIKE)
};
fn new(th: &mut Thread, class: &Ref<Type>, args: &Args<'_>) -> PyResult<Value> {
    static SIG: krait_object::native::Sig = krait_object::native::Sig::new("(num_events)");
    let bound = SIG.bind(th, "CodeLike", "CodeLike", args, 0)?;
    let n = number::index_isize(th, &bound.args()[0])?.clamp(0, 64) as usize;
    Ok(Ref::with_class(CodeLike { active: Locked::new(vec![0; n]) }, class.object()).into())
}

pub static FUNCTIONS: &[Method] = &[
    function("monitoring_enter_scope", "(codelike, event1, event2=None, /)", "", |th, a| {
        let mut active = Vec::new();
        for event in [a.opt(1), a.opt_not_none(2)].into_iter().flatten() {
            let event = number::index_isize(th, event)?.clamp(0, 14) as usize;
            active.push(th.interp.monitors.tools[event].load(Relaxed));
        }
        *code_like(th, a)?.active.lock() = active;
        Ok(Value::NONE)
    }),
    function("monitoring_exit_scope", "()", "", |_, _| Ok(Value::NONE)),
    function("fire_event_py_start", "(codelike, offset, /)", "", |th, a| fire(th, a, Event::PyStart, &[])),
    function("fire_event_py_resume", "(codelike, offset, /)", "", |th, a| fire(th, a, Event::PyResume, &[])),
    function("fire_event_py_return", "(codelike, offset, retval, /)", "", |th, a| {
        fire(th, a, Event::PyReturn, &[a[2].clone()])
    }),
    function("fire_event_py_yield", "(codelike, offset, retval, /)", "", |th, a| {
        fire(th, a, Event::PyYield, &[a[2].clone()])
    }),
    function("fire_event_call", "(codelike, offset, callable, arg0, /)", "", |th, a| {
        fire(th, a, Event::Call, &[a[2].clone(), a[3].clone()])
    }),
    function("fire_event_line", "(codelike, offset, lineno, /)", "", |th, a| fire(th, a, Event::Line, &[a[2].clone()])),
    function("fire_event_jump", "(codelike, offset, target_offset, /)", "", |th, a| {
        fire(th, a, Event::Jump, &[a[2].clone()])
    }),
    function("fire_event_branch", "(codelike, offset, target_offset, /)", "", |th, a| {
        fire(th, a, Event::Branch, &[a[2].clone()])
    }),
    function("fire_event_py_throw", "(codelike, offset, exc, /)", "", |th, a| fire_exception(th, a, Event::PyThrow)),
    function("fire_event_raise", "(codelike, offset, exc, /)", "", |th, a| fire_exception(th, a, Event::Raise)),
    function("fire_event_c_raise", "(codelike, offset, exc, /)", "", |th, a| fire_exception(th, a, Event::CRaise)),
    function("fire_event_reraise", "(codelike, offset, exc, /)", "", |th, a| fire_exception(th, a, Event::Reraise)),
    function("fire_event_exception_handled", "(codelike, offset, exc, /)", "", |th, a| {
        fire_exception(th, a, Event::ExceptionHandled)
    }),
    function("fire_event_py_unwind", "(codelike, offset, exc, /)", "", |th, a| fire_exception(th, a, Event::PyUnwind)),
    function("fire_event_stop_iteration", "(codelike, offset, value, /)", "", |th, a| {
        let value = a[2].clone();
        let exception = if value.is_instance(&STOP_ITERATION) {
            value
        } else {
            let raised = errors::stop_iteration(th, Some(value));
            errors::take(th, raised)
        };
        fire(th, a, Event::StopIteration, &[exception])
    }),
];

fn code_like<'a>(th: &mut Thread, a: &'a Args<'_>) -> PyResult<&'a CodeLike> {
    match a[0].downcast_ref::<CodeLike>() {
        Some(code) => Ok(code),
        None => Err(errors::type_error(th, "expected a code-like")),
    }
}
fn fire_exception(th: &mut Thread, a: &Args<'_>, event: Event) -> PyResult<Value> {
    if !exceptions::is_exception(&a[2]) {
        let message = format!("Firing event {} with no exception set", event as u8);
        return Err(errors::value_error(th, message));
    }
    fire(th, a, event, &[a[2].clone()])
}
/// Calls the callbacks of the tools that are active for the slot that the offset names.
fn fire(th: &mut Thread, a: &Args<'_>, event: Event, rest: &[Value]) -> PyResult<Value> {
    let slot = slot_of(th, a)?;
    let mut tools = code_like(th, a)?.active.lock().get(slot).copied().unwrap_or(0);
    if th.vm.tracing.inside > 0 {
        return Ok(Value::NONE);
    }
    let mut args = vec![a[0].clone()];
    if event != Event::Line {
        args.push(a[1].clone());
    }
    args.extend_from_slice(rest);
    while tools != 0 {
        let tool = 7 - tools.leading_zeros() as usize;
        tools &= !(1 << tool);
        let Some(callback) = monitoring::callback(th, tool, event) else { continue };
        th.vm.tracing.inside += 1;
        let answer = call::call(th, &callback, &args);
        th.vm.tracing.inside -= 1;
        if answer?.is(&monitoring::markers(th).0) {
            switch_off(th, a, slot, event, tool)?;
        }
    }
    Ok(Value::NONE)
}
fn slot_of(th: &mut Thread, a: &Args<'_>) -> PyResult<usize> {
    let offset = number::index_isize(th, &a[1])?;
    usize::try_from(offset).map_err(|_| errors::value_error(th, "offset must not be negative"))
}
fn switch_off(th: &mut Thread, a: &Args<'_>, slot: usize, event: Event, tool: usize) -> PyResult<()> {
    if event as usize >= LOCAL_EVENTS {
        drop(monitoring::register(th, tool, event as usize, None));
        let message = format!("Cannot disable {} events. Callback removed.", NAMES[event as usize]);
        return Err(errors::value_error(th, message));
    }
    if let Some(tools) = code_like(th, a)?.active.lock().get_mut(slot) {
        *tools &= !(1 << tool);
    }
    Ok(())
}
