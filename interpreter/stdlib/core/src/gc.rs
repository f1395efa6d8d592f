//! `gc`: the collector's interface.
use krait_object::native::function;
use krait_object::{Args, Dict, List, Method, ModuleDef, PyResult, Thread, Tuple, Value, gc};
use krait_runtime::errors::{type_error, value_error};
use krait_runtime::protocol::number;
use krait_runtime::types::code::Code;
use krait_runtime::types::function::Function;
use krait_runtime::types::module;

pub static MODULE: ModuleDef = ModuleDef {
    doc: "This module provides access to the garbage collector for reference cycles.",
    functions: FUNCTIONS,
    init: Some(|th, m| {
        let d = module::dict(m);
        let garbage = Value::from(List::new(Vec::new()));
        d.set_text("garbage", garbage.clone());
        th.interp.extension::<gc::Saved>().0.set(Some(garbage));
        let callbacks = Value::from(List::new(Vec::new()));
        d.set_text("callbacks", callbacks.clone());
        th.interp.extension::<Callbacks>().0.set(Some(callbacks));
        for (name, bit) in [
            ("DEBUG_STATS", 1i64),
            ("DEBUG_COLLECTABLE", 2),
            ("DEBUG_UNCOLLECTABLE", 4),
            ("DEBUG_SAVEALL", gc::DEBUG_SAVEALL.into()),
            ("DEBUG_LEAK", 38),
        ] {
            d.set_text(name, bit);
        }
        Ok(())
    }),
    ..ModuleDef::new("gc")
};

/// `gc.callbacks`.
#[derive(Default)]
struct Callbacks(krait_object::ValueCell);

static FUNCTIONS: &[Method] = &[
    function("enable", "()", "Enable automatic garbage collection.", |_, _| {
        gc::set_enabled(true);
        Ok(Value::NONE)
    }),
    function("disable", "()", "Disable automatic garbage collection.", |_, _| {
        gc::set_enabled(false);
        Ok(Value::NONE)
    }),
    function("isenabled", "()", "Returns true if automatic garbage collection is enabled.", |_, _| {
        Ok(Value::bool(gc::is_enabled()))
    }),
    function("collect", "(generation=2)", "Run the garbage collector.", collect),
    function("get_count", "()", "Return a three-tuple of the current collection counts.", |_, _| {
        let counts = gc::counts();
        Ok(Tuple::from_vec(counts.iter().map(|&n| Value::from(n)).collect()).into())
    }),
    function("get_threshold", "()", "Return the current collection thresholds.", |_, _| {
        let t = gc::thresholds();
        Ok(Tuple::from_vec(t.iter().map(|&n| Value::from(n)).collect()).into())
    }),
    function(
        "set_threshold",
        "",
        "set_threshold(threshold0, [threshold1, [threshold2]])\nSet the collection thresholds (the collection frequency).",
        |th, a: &Args<'_>| {
            if a.pos().is_empty() || a.pos().len() > 3 {
                return Err(type_error(th, "gc.set_threshold requires 1 to 3 arguments"));
            }
            let mut t = gc::thresholds();
            for (slot, v) in t.iter_mut().zip(a.pos()) {
                *slot = number::to_i32(th, v)?.max(0) as u32;
            }
            gc::set_thresholds(t);
            Ok(Value::NONE)
        },
    ),
    function("get_debug", "()", "Get the garbage collection debugging flags.", |_, _| {
        Ok(Value::from(gc::debug_flags()))
    }),
    function("set_debug", "(flags, /)", "Set the garbage collection debugging flags.", |th, a| {
        let flags = number::to_i32(th, &a[0])?;
        gc::set_debug_flags(flags as u32);
        Ok(Value::NONE)
    }),
    function(
        "get_objects",
        "(generation=None)",
        "Return a list of objects tracked by the collector (excluding the list returned).",
        |th, a| {
            let generation = match a.opt_not_none(0) {
                None => None,
                Some(g) => match number::to_isize(th, g)? {
                    g if g < 0 => return Err(value_error(th, "generation parameter cannot be negative")),
                    g if g > 2 => {
                        return Err(value_error(
                            th,
                            "generation parameter must be less than the number of available generations (3)",
                        ));
                    }
                    g => Some(g as u8),
                },
            };
            let shown = generation.map_or(-1, i64::from);
            krait_runtime::audit::audit(th, "gc.get_objects", &[Value::int(shown)])?;
            Ok(List::new(gc::objects(th, generation)).into())
        },
    ),
    function("get_stats", "()", "Return a list of dictionaries containing per-generation statistics.", |_, _| {
        let mut out = Vec::new();
        for s in gc::stats() {
            let d = Dict::new();
            d.set_text("collections", s.collections);
            d.set_text("collected", s.collected);
            d.set_text("uncollectable", 0);
            out.push(Value::from(d));
        }
        Ok(List::new(out).into())
    }),
    function("is_tracked", "(obj, /)", "Returns true if the object is tracked by the garbage collector.", |_, a| {
        Ok(Value::bool(gc::is_tracked(&a[0])))
    }),
    function("is_finalized", "(obj, /)", "Returns true if the object has been already finalized by the GC.", |_, a| {
        Ok(Value::bool(a[0].header().is_some_and(|h| h.flags() & krait_object::header::flag::FINALIZED != 0)))
    }),
    function(
        "get_referrers",
        "(*objs)",
        "get_referrers(*objs) -> list\nReturn the list of objects that directly refer to any of objs.",
        |th, a: &Args<'_>| {
            krait_runtime::audit::audit(th, "gc.get_referrers", &[Tuple::from_slice(a.pos()).into()])?;
            Ok(List::new(gc::referrers(th, a.pos())).into())
        },
    )
    .raw(),
    function(
        "get_referents",
        "(*objs)",
        "get_referents(*objs) -> list\nReturn the list of objects that are directly referred to by objs.",
        |th, a: &Args<'_>| {
            krait_runtime::audit::audit(th, "gc.get_referents", &[Tuple::from_slice(a.pos()).into()])?;
            a.pos().iter().for_each(read_late);
            Ok(List::new(a.pos().iter().flat_map(|v| gc::referents(th, v)).collect()).into())
        },
    )
    .raw(),
    function("freeze", "()", "Freeze all current tracked objects and ignore them for future collections.", |th, _| {
        gc::freeze(th);
        Ok(Value::NONE)
    }),
    function("unfreeze", "()", "Unfreeze all objects in the permanent generation.", |th, _| {
        gc::unfreeze(th);
        Ok(Value::NONE)
    }),
    function("get_freeze_count", "()", "Return the number of objects in the permanent generation.", |th, _| {
        Ok(Value::from(gc::frozen_count(th)))
    }),
];

/// What a function and its code refer to is there, although nothing asked for it yet.
fn read_late(v: &Value) {
    if let Some(function) = v.downcast_ref::<Function>() {
        function.doc();
    } else if let Some(code) = v.downcast_ref::<Code>() {
        code.body();
    }
}

fn collect(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let generation = match a.opt(0) {
        Some(g) => number::to_i32(th, g)?,
        None => 2,
    };
    if !(0..=2).contains(&generation) {
        return Err(value_error(th, "invalid generation"));
    }
    notify(th, "start", generation, 0)?;
    let found = gc::collect(th, generation as u8);
    notify(th, "stop", generation, found)?;
    Ok(Value::from(found))
}
fn notify(th: &mut Thread, phase: &str, generation: i32, collected: usize) -> PyResult<()> {
    let callbacks = th.interp.extension::<Callbacks>().0.get();
    let list = callbacks.and_then(|c| c.downcast::<List>().ok()).map(|l| l.to_vec()).unwrap_or_default();
    for f in list {
        let info = Dict::new();
        info.set_text("generation", generation);
        info.set_text("collected", collected);
        info.set_text("uncollectable", 0);
        if krait_runtime::protocol::call::call(th, &f, &[Value::str(phase), info.into()]).is_err() {
            krait_runtime::errors::write_unraisable(th, Some(&f));
        }
    }
    Ok(())
}
