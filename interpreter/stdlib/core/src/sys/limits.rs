//! Limits and measurements: recursion limit, digit limit, `getsizeof`, `getrefcount`, `intern`.
use krait_object::native::function;
use krait_object::{Args, Method, PyResult, Str, Thread, Value};
use krait_runtime::errors::{overflow_error, recursion_error, type_error, value_error};
use krait_runtime::protocol::{attr, call, number};
use std::sync::atomic::Ordering::Relaxed;

pub static FUNCTIONS: &[Method] = &[
    function("getrecursionlimit", "()", "Return the current value of the recursion limit.", |th, _| {
        Ok(Value::from(th.interp.recursion_limit.load(Relaxed)))
    }),
    function(
        "setrecursionlimit",
        "(limit, /)",
        "Set the maximum depth of the Python interpreter stack to n.",
        |th, a| {
            let n = number::to_i32(th, &a[0])?;
            if n < 1 {
                return Err(value_error(th, "recursion limit must be greater or equal than 1"));
            }
            if th.depth >= n as u32 {
                let depth = th.depth;
                let message = format!(
                    "cannot set the recursion limit to {n} at the recursion depth {depth}: the limit is too low"
                );
                return Err(recursion_error(th, message));
            }
            th.interp.recursion_limit.store(n as u32, Relaxed);
            Ok(Value::NONE)
        },
    ),
    function(
        "get_int_max_str_digits",
        "()",
        "Return the maximum string digits limit for non-binary int<->str conversions.",
        |th, _| Ok(Value::from(krait_runtime::types::int::limit::get(th))),
    ),
    function(
        "set_int_max_str_digits",
        "(maxdigits)",
        "Set the maximum string digits limit for non-binary int<->str conversions.",
        |th, a| {
            let n = number::to_i32(th, &a[0])?;
            if n != 0 && n < 640 {
                return Err(value_error(th, "maxdigits must be 0 or larger than 640"));
            }
            krait_runtime::types::int::limit::set(th, n as usize);
            Ok(Value::NONE)
        },
    ),
    function("getrefcount", "(object, /)", "Return the reference count of object.", |_, a| {
        Ok(Value::from(a[0].refcount()))
    }),
    function("getsizeof", "(object, default=None)", "Return the size of object in bytes.", getsizeof).raw().hidden(),
    function("intern", "(string, /)", "``Intern'' the given string.", |th, a| {
        if !a[0].is_exact(&krait_object::builtin_types::STR) {
            let class = a[0].class().name();
            return Err(if a[0].downcast_ref::<Str>().is_some() {
                type_error(th, format!("can't intern {class}"))
            } else {
                type_error(th, format!("intern() argument must be str, not {class}"))
            });
        }
        Ok(a[0].to_ref::<Str>().map(|s| krait_object::intern::intern_ref(&s)).into())
    }),
    function("_is_interned", "(string, /)", "Return True if the given string is \"interned\".", |th, a| {
        match a[0].to_ref::<Str>() {
            Some(s) => Ok(Value::bool(s.is_interned())),
            None => {
                let class = a[0].class().name();
                Err(type_error(th, format!("_is_interned() argument must be str, not {class}")))
            }
        }
    }),
    function("getswitchinterval", "()", "Return the current thread switch interval.", |th, _| {
        Ok(Value::float(f64::from_bits(switch_interval(th).load(Relaxed))))
    }),
    function(
        "setswitchinterval",
        "(interval, /)",
        "Set the ideal thread switching delay inside the Python interpreter.",
        |th, a| {
            let x = number::to_f64(th, &a[0])?;
            if x <= 0.0 || x.is_nan() {
                return Err(value_error(th, "switch interval must be strictly positive"));
            }
            switch_interval(th).store(x.to_bits(), Relaxed);
            krait_runtime::world::set_switch_interval(x);
            Ok(Value::NONE)
        },
    ),
    function(
        "getdlopenflags",
        "()",
        "The flags with which libraries of extension modules are to be opened.",
        |th, _| Ok(Value::from(th.interp.extension::<OpenFlags>().0.load(Relaxed))),
    ),
    function(
        "setdlopenflags",
        "(flags, /)",
        "Set the flags with which libraries of extension modules are to be opened.",
        |th, a| {
            let flags = number::to_i32(th, &a[0])?;
            th.interp.extension::<OpenFlags>().0.store(flags, Relaxed);
            Ok(Value::NONE)
        },
    ),
    function("getallocatedblocks", "()", "Return the number of memory blocks currently allocated.", |_, _| {
        Ok(Value::from(krait_object::gc::allocated_blocks()))
    }),
    function(
        "getunicodeinternedsize",
        "(*, _only_immortal=False)",
        "Return the number of elements of the unicode interned dictionary",
        |_, _| Ok(Value::from(krait_object::intern::interned_count())),
    ),
    function("_clear_type_cache", "()", "Clear the internal type lookup cache.", |_, _| Ok(Value::NONE)),
    function("_clear_internal_caches", "()", "Clear all internal performance-related caches.", |_, _| Ok(Value::NONE)),
    function("_is_gil_enabled", "()", "Return True if the GIL is currently enabled and False otherwise.", |th, _| {
        Ok(Value::bool(!krait_runtime::world::is_parallel_wanted(th)))
    }),
    function("_get_cpu_count_config", "()", "Private function for getting PyConfig.cpu_count", |th, _| {
        Ok(Value::from(krait_runtime::config::get(th).cpu_count.unwrap_or(-1)))
    }),
    function("activate_stack_trampoline", "(backend, /)", "Activate stack profiler trampoline *backend*.", |th, _| {
        Err(value_error(th, "perf trampoline not available"))
    }),
    function(
        "deactivate_stack_trampoline",
        "()",
        "Deactivate the current stack profiler trampoline backend.",
        |_, _| Ok(Value::NONE),
    ),
    function("is_stack_trampoline_active", "()", "Return *True* if a stack profiler trampoline is active.", |_, _| {
        Ok(Value::FALSE)
    }),
];

/// `RTLD_NOW`, until it is set.
struct OpenFlags(std::sync::atomic::AtomicI32);
impl Default for OpenFlags {
    fn default() -> Self {
        OpenFlags(2.into())
    }
}
/// The interval as it was set; `krait_runtime::world` keeps it in nanoseconds.
struct SwitchInterval(std::sync::Arc<std::sync::atomic::AtomicU64>);
impl Default for SwitchInterval {
    fn default() -> Self {
        SwitchInterval(std::sync::Arc::new(0.005f64.to_bits().into()))
    }
}
fn switch_interval(th: &mut Thread) -> std::sync::Arc<std::sync::atomic::AtomicU64> {
    th.interp.extension::<SwitchInterval>().0.clone()
}

fn getsizeof(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let default = a.kw_get("default").or(a.pos().get(1));
    let Some(object) = a.kw_get("object").or(a.pos().first()) else {
        return Err(type_error(th, "getsizeof() missing required argument 'object' (pos 1)"));
    };
    let f = match attr::lookup_special(th, object, "__sizeof__")? {
        Some(f) => f,
        None => {
            let class = object.class().name();
            return Err(type_error(th, format!("Type {class} doesn't define __sizeof__")));
        }
    };
    let size = match call::call(th, &f, &[]).and_then(|r| number::index(th, &r)) {
        Ok(size) => size,
        Err(raised) => match default {
            Some(d) => {
                krait_runtime::errors::catch(th, raised, &krait_runtime::exceptions::TYPE_ERROR)?;
                return Ok(d.clone());
            }
            None => return Err(raised),
        },
    };
    match size.as_int_ref().and_then(|i| i.to_i64()) {
        Some(n) if n < 0 => Err(value_error(th, "__sizeof__() should return >= 0")),
        Some(n) => {
            let tracked = object.class().has_flag(krait_object::type_flag::HAVE_GC) || !object.class().is_static();
            Ok(Value::int(n + if tracked { 16 } else { 0 }))
        }
        None => Err(overflow_error(th, "Python int too large to convert to C ssize_t")),
    }
}
