//! `sys.monitoring` (PEP 669): the tools, their callbacks, which events they want of all code or of one code object, and
//! where they have switched events off. The events themselves are reported by crate `vm`.
//! CPython: `Python/instrumentation.c`, the part from `_PyMonitoring_SetEvents` on.
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};

use krait_object::thread::breaker;
use krait_object::{Dict, Locked, PyResult, Ref, Thread, Value, world};

use crate::types::code::Code;
use crate::{errors, hooks};

/// Tools that programs may use.
pub const TOOLS: usize = 6;
/// Events up to here can be wanted of one code object and switched off at one place.
pub const LOCAL_EVENTS: usize = 10;
pub const EVENTS: usize = 17;
/// `C_RETURN` and `C_RAISE` come with `CALL`.
const UNGROUPED: usize = 15;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Event {
    PyStart,
    PyResume,
    PyReturn,
    PyYield,
    Call,
    Line,
    Instruction,
    Jump,
    Branch,
    StopIteration,
    Raise,
    ExceptionHandled,
    PyUnwind,
    PyThrow,
    Reraise,
    CReturn,
    CRaise,
}

pub static NAMES: [&str; EVENTS] = [
    "PY_START",
    "PY_RESUME",
    "PY_RETURN",
    "PY_YIELD",
    "CALL",
    "LINE",
    "INSTRUCTION",
    "JUMP",
    "BRANCH",
    "STOP_ITERATION",
    "RAISE",
    "EXCEPTION_HANDLED",
    "PY_UNWIND",
    "PY_THROW",
    "RERAISE",
    "C_RETURN",
    "C_RAISE",
];
const C_RETURN_EVENTS: i32 = 1 << Event::CReturn as i32 | 1 << Event::CRaise as i32;
const C_CALL_EVENTS: i32 = C_RETURN_EVENTS | 1 << Event::Call as i32;

/// The tools of one interpreter.
#[derive(Default)]
struct Registry {
    names: Locked<[Option<Value>; TOOLS]>,
    callbacks: Locked<[[Option<Value>; EVENTS]; TOOLS]>,
    /// Count up whenever a tool's events that were switched off somewhere are on again.
    generations: [[AtomicU32; LOCAL_EVENTS]; TOOLS],
    markers: Locked<Option<(Value, Value)>>,
}

/// What tools want of one code object.
#[derive(Default)]
pub struct CodeEvents {
    /// Tools, a bit each, by event.
    local: Locked<[u8; LOCAL_EVENTS]>,
    /// Generation in which a tool switched an event off, by word, event and tool.
    disabled: Locked<HashMap<(u32, u8, u8), u32>>,
    any_disabled: AtomicBool,
}

fn registry(th: &Thread) -> std::sync::Arc<Registry> {
    th.interp.extension::<Registry>()
}

/// `sys.monitoring.DISABLE` and `sys.monitoring.MISSING`.
pub fn markers(th: &Thread) -> (Value, Value) {
    let registry = registry(th);
    let mut markers = registry.markers.lock();
    let new = || Ref::<()>::new(()).to_value();
    markers.get_or_insert_with(|| (new(), new())).clone()
}
pub fn missing(th: &Thread) -> Value {
    markers(th).1
}

/// Tools that want an event at a word of `code`, a bit each.
pub fn tools_at(th: &Thread, code: &Code, word: u32, event: Event) -> u8 {
    let event = if event as usize >= UNGROUPED { Event::Call as usize } else { event as usize };
    let mut tools = th.interp.monitors.tools[event].load(Relaxed);
    let Some(own) = code.monitoring.get() else { return tools };
    if event >= LOCAL_EVENTS {
        return tools;
    }
    tools |= own.local.lock()[event];
    if tools != 0 && own.any_disabled.load(Relaxed) {
        let registry = registry(th);
        let disabled = own.disabled.lock();
        for tool in 0..TOOLS {
            let generation = registry.generations[tool][event].load(Relaxed);
            if disabled.get(&(word, event as u8, tool as u8)) == Some(&generation) {
                tools &= !(1 << tool);
            }
        }
    }
    tools
}
/// A tool's callback answered `DISABLE`.
pub fn disable(th: &mut Thread, code: &Code, word: u32, event: Event, tool: usize) -> PyResult<()> {
    let index = event as usize;
    if index >= LOCAL_EVENTS {
        register(th, tool, index, None);
        let message = format!("Cannot disable {} events. Callback removed.", NAMES[index]);
        return Err(errors::value_error(th, message));
    }
    let generation = registry(th).generations[tool][index].load(Relaxed);
    let own = code.monitoring.get_or_init(Box::default);
    own.disabled.lock().insert((word, index as u8, tool as u8), generation);
    own.any_disabled.store(true, Relaxed);
    Ok(())
}
pub fn callback(th: &Thread, tool: usize, event: Event) -> Option<Value> {
    registry(th).callbacks.lock().get(tool)?[event as usize].clone()
}
/// Sets a callback; the old one is handed back.
pub fn register(th: &Thread, tool: usize, event: usize, function: Option<Value>) -> Option<Value> {
    std::mem::replace(&mut registry(th).callbacks.lock()[tool][event], function)
}

/// Every thread looks at its next safe point whether it has events to report.
fn changed(th: &mut Thread) {
    if th.interp.monitors.any() {
        for thread in world::threads() {
            thread.breaker.fetch_or(breaker::TRACE, Relaxed);
        }
    }
    (hooks::vm().instrument)(th);
}

// What the module's functions do.

pub fn check_tool(th: &mut Thread, tool: i32) -> PyResult<usize> {
    match usize::try_from(tool) {
        Ok(t) if t < TOOLS => Ok(t),
        _ => Err(errors::value_error(th, format!("invalid tool {tool} (must be between 0 and 5)"))),
    }
}
fn check_in_use(th: &mut Thread, tool: usize) -> PyResult<()> {
    if registry(th).names.lock()[tool].is_none() {
        return Err(errors::value_error(th, format!("tool {tool} is not in use")));
    }
    Ok(())
}
pub fn use_tool(th: &mut Thread, tool: usize, name: &Value) -> PyResult<()> {
    let registry = registry(th);
    let mut names = registry.names.lock();
    if names[tool].is_some() {
        drop(names);
        return Err(errors::value_error(th, format!("tool {tool} is already in use")));
    }
    names[tool] = Some(name.clone());
    Ok(())
}
pub fn free_tool(th: &mut Thread, tool: usize) {
    let old = registry(th).names.lock()[tool].take();
    drop(old);
}
pub fn tool_name(th: &Thread, tool: usize) -> Option<Value> {
    registry(th).names.lock()[tool].clone()
}

/// The events of a set as a call gives them, without those that come with others.
fn check_set(th: &mut Thread, set: i32, limit: usize, what: &str) -> PyResult<u32> {
    if set & C_RETURN_EVENTS != 0 && set & C_CALL_EVENTS != C_CALL_EVENTS {
        return Err(errors::value_error(th, "cannot set C_RETURN or C_RAISE events independently"));
    }
    let plain = set & !C_RETURN_EVENTS;
    if plain < 0 || plain >= 1 << limit {
        return Err(errors::value_error(th, format!("invalid {what} 0x{plain:x}")));
    }
    Ok(plain as u32)
}
pub fn events(th: &Thread, tool: usize) -> u32 {
    let wants = |e: &usize| th.interp.monitors.tools[*e].load(Relaxed) & 1 << tool != 0;
    (0..UNGROUPED).filter(wants).fold(0, |set, e| set | 1 << e)
}
pub fn set_events(th: &mut Thread, tool: usize, set: i32) -> PyResult<()> {
    if !(0..1 << EVENTS).contains(&set) {
        return Err(errors::value_error(th, format!("invalid event set 0x{set:x}")));
    }
    let set = check_set(th, set, UNGROUPED, "event set")?;
    check_in_use(th, tool)?;
    let bit = 1u8 << tool;
    for event in 0..UNGROUPED {
        let tools = &th.interp.monitors.tools[event];
        if set & 1 << event != 0 {
            tools.fetch_or(bit, Relaxed);
        } else if tools.fetch_and(!bit, Relaxed) & bit != 0 && event < LOCAL_EVENTS {
            registry(th).generations[tool][event].fetch_add(1, Relaxed);
        }
    }
    changed(th);
    Ok(())
}
pub fn local_events(code: &Code, tool: usize) -> u32 {
    let Some(own) = code.monitoring.get() else { return 0 };
    let local = own.local.lock();
    (0..LOCAL_EVENTS).filter(|&e| local[e] & 1 << tool != 0).fold(0, |set, e| set | 1 << e)
}
pub fn set_local_events(th: &mut Thread, code: &Code, tool: usize, set: i32) -> PyResult<()> {
    let set = check_set(th, set, LOCAL_EVENTS, "local event set")?;
    check_in_use(th, tool)?;
    let own = code.monitoring.get_or_init(Box::default);
    let (before, after) = {
        let mut local = own.local.lock();
        let before = local.iter().any(|&t| t != 0);
        for (event, tools) in local.iter_mut().enumerate() {
            *tools = *tools & !(1 << tool) | ((set >> event & 1) as u8) << tool;
        }
        (before, local.iter().any(|&t| t != 0))
    };
    match (before, after) {
        (false, true) => th.interp.monitors.local.fetch_add(1, Relaxed),
        (true, false) => th.interp.monitors.local.fetch_sub(1, Relaxed),
        _ => 0,
    };
    changed(th);
    Ok(())
}
/// Events that were switched off are reported again.
pub fn restart(th: &mut Thread) {
    for generation in registry(th).generations.iter().flatten() {
        generation.fetch_add(1, Relaxed);
    }
}
/// Tools by name of the event, for events that somebody wants.
pub fn all_events(th: &mut Thread) -> Ref<Dict> {
    let dict = Dict::new();
    for (event, name) in NAMES.iter().enumerate().take(UNGROUPED) {
        let tools = th.interp.monitors.tools[event].load(Relaxed);
        if tools != 0 {
            dict.set_text(name, tools as i64);
        }
    }
    dict
}
