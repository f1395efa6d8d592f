//! `sys.monitoring` (PEP 669): tool ids and events as names. Events are delivered by `krait_runtime::tracing`.
use krait_object::{PyResult, Thread, Value};
use krait_runtime::types::{module, simple_namespace};

static EVENTS: &[(&str, i64)] = &[
    ("PY_START", 1 << 0),
    ("PY_RESUME", 1 << 1),
    ("PY_RETURN", 1 << 2),
    ("PY_YIELD", 1 << 3),
    ("CALL", 1 << 4),
    ("LINE", 1 << 5),
    ("INSTRUCTION", 1 << 6),
    ("JUMP", 1 << 7),
    ("BRANCH", 1 << 8),
    ("STOP_ITERATION", 1 << 9),
    ("RAISE", 1 << 10),
    ("EXCEPTION_HANDLED", 1 << 11),
    ("PY_UNWIND", 1 << 12),
    ("PY_THROW", 1 << 13),
    ("RERAISE", 1 << 14),
    ("C_RETURN", 1 << 15),
    ("C_RAISE", 1 << 16),
    ("NO_EVENTS", 0),
];

pub fn new_module(_: &mut Thread) -> PyResult<Value> {
    let m = module::new("sys.monitoring", Value::NONE);
    let d = module::dict(&m);
    for (name, id) in [("DEBUGGER_ID", 0i64), ("COVERAGE_ID", 1), ("PROFILER_ID", 2), ("OPTIMIZER_ID", 5)] {
        d.set_text(name, id);
    }
    let events: Vec<(&str, Value)> = EVENTS.iter().map(|(n, v)| (*n, Value::int(*v))).collect();
    d.set_text("events", simple_namespace::new(&events));
    d.set_text("DISABLE", new_object());
    d.set_text("MISSING", new_object());
    Ok(m)
}
fn new_object() -> Value {
    krait_object::Ref::<()>::new(()).into()
}
