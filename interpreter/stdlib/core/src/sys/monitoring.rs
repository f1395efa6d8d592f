//! `sys.monitoring` (PEP 669): the module's functions. What they do is `krait_runtime::monitoring`.
use krait_object::native::function;
use krait_object::{Args, Method, ModuleDef, PyResult, Ref, Str, Thread, Value};
use krait_runtime::errors;
use krait_runtime::monitoring::{self as events, EVENTS, NAMES};
use krait_runtime::protocol::number;
use krait_runtime::types::code::Code;
use krait_runtime::types::{module, simple_namespace};

static DEF: ModuleDef = ModuleDef { functions: FUNCTIONS, ..ModuleDef::new("sys.monitoring") };

static FUNCTIONS: &[Method] = &[
    function("use_tool_id", "(tool_id, name, /)", "Claims a tool id.", |th, a| {
        let tool = tool(th, &a[0])?;
        if a[1].downcast_ref::<Str>().is_none() {
            return Err(errors::value_error(th, "tool name must be a str"));
        }
        events::use_tool(th, tool, &a[1])?;
        Ok(Value::NONE)
    }),
    function("free_tool_id", "(tool_id, /)", "Gives a tool id back.", |th, a| {
        let tool = tool(th, &a[0])?;
        events::free_tool(th, tool);
        Ok(Value::NONE)
    }),
    function("get_tool", "(tool_id, /)", "The name of the tool that uses an id, or None.", |th, a| {
        let tool = tool(th, &a[0])?;
        Ok(events::tool_name(th, tool).into())
    }),
    function(
        "register_callback",
        "(tool_id, event, func, /)",
        "Sets the callback of a tool for one event; the former one is the answer.",
        register_callback,
    ),
    function("get_events", "(tool_id, /)", "The events that a tool waits for in all code.", |th, a| {
        let tool = tool(th, &a[0])?;
        Ok((events::events(th, tool) as i64).into())
    }),
    function("set_events", "(tool_id, event_set, /)", "Says which events a tool waits for in all code.", |th, a| {
        let (tool, set) = (number::to_i32(th, &a[0])?, number::to_i32(th, &a[1])?);
        let tool = events::check_tool(th, tool)?;
        events::set_events(th, tool, set)?;
        Ok(Value::NONE)
    }),
    function(
        "get_local_events",
        "(tool_id, code, /)",
        "The events that a tool waits for in one code object.",
        |th, a| {
            let id = number::to_i32(th, &a[0])?;
            let code = code(th, &a[1])?;
            let tool = events::check_tool(th, id)?;
            Ok((events::local_events(&code, tool) as i64).into())
        },
    ),
    function(
        "set_local_events",
        "(tool_id, code, event_set, /)",
        "Says which events a tool waits for in one code object.",
        |th, a| {
            let (id, set) = (number::to_i32(th, &a[0])?, number::to_i32(th, &a[2])?);
            let code = code(th, &a[1])?;
            let tool = events::check_tool(th, id)?;
            events::set_local_events(th, &code, tool, set)?;
            Ok(Value::NONE)
        },
    ),
    function("restart_events", "()", "Reports events again that were switched off with DISABLE.", |th, _| {
        events::restart(th);
        Ok(Value::NONE)
    }),
    function("_all_events", "()", "Tools by event.", |th, _| Ok(events::all_events(th).into())),
];

fn tool(th: &mut Thread, v: &Value) -> PyResult<usize> {
    let id = number::to_i32(th, v)?;
    events::check_tool(th, id)
}
fn code(th: &mut Thread, v: &Value) -> PyResult<Ref<Code>> {
    match v.to_ref::<Code>() {
        Some(code) => Ok(code),
        None => Err(errors::type_error(th, "code must be a code object")),
    }
}
fn register_callback(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let (id, event) = (number::to_i32(th, &a[0])?, number::to_i32(th, &a[1])?);
    let tool = events::check_tool(th, id)?;
    if event.count_ones() != 1 {
        return Err(errors::value_error(th, "The callback can only be set for one event at a time"));
    }
    let index = event.trailing_zeros() as usize;
    if index >= EVENTS {
        return Err(errors::value_error(th, format!("invalid event {event}")));
    }
    krait_runtime::audit::audit(th, "sys.monitoring.register_callback", &[a[2].clone()])?;
    let function = Some(a[2].clone()).filter(|f| !f.is_none());
    Ok(events::register(th, tool, index, function).into())
}

pub fn new_module(th: &mut Thread) -> PyResult<Value> {
    let m = module::from_def(th, &DEF)?;
    let d = module::dict(&m);
    for (name, id) in [("DEBUGGER_ID", 0i64), ("COVERAGE_ID", 1), ("PROFILER_ID", 2), ("OPTIMIZER_ID", 5)] {
        d.set_text(name, id);
    }
    let mut all: Vec<(&str, Value)> = NAMES.iter().enumerate().map(|(i, n)| (*n, Value::int(1 << i))).collect();
    all.push(("NO_EVENTS", Value::int(0)));
    d.set_text("events", simple_namespace::new(&all));
    let (disable, missing) = events::markers(th);
    d.set_text("DISABLE", disable);
    d.set_text("MISSING", missing);
    Ok(m)
}
