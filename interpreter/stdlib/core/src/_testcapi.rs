//! `_testcapi`: the sizes of C types, callables of every calling convention, and plain calls, as far as tests of the
//! language use them. What tests CPython's C API itself is absent.
mod callables;
mod frames;
mod memory;
mod monitoring;

use krait_object::builtin_types::OBJECT;
use krait_object::native::{class_method, function, method, static_method};
use krait_object::{Args, ClassDef, Dict, Method, ModuleDef, PyResult, Thread, Tuple, TypeObject, Value, type_flag};
use krait_runtime::errors::type_error;
use krait_runtime::import;
use krait_runtime::interpreters::whence;
use krait_runtime::protocol::{attr, call};

pub static MODULE: ModuleDef = ModuleDef {
    functions: FUNCTIONS,
    classes: &[&INSTANCE_DEF, &CLASS_DEF, &STATIC_DEF, &SIGNATURES_DEF],
    init: Some(init),
    ..ModuleDef::new("_testcapi")
};

static METH_INSTANCE: TypeObject = TypeObject::builtin_like("MethInstance", &OBJECT);
static METH_CLASS: TypeObject = TypeObject::builtin_like("MethClass", &OBJECT);
static METH_STATIC: TypeObject = TypeObject::builtin_like("MethStatic", &OBJECT);

static SIGNATURES: TypeObject = TypeObject::builtin_like("DocStringUnrepresentableSignatureTest", &OBJECT);

static INSTANCE_DEF: ClassDef = ClassDef {
    module: "_testcapi",
    methods: &[
        method("meth_noargs", "()", "", |_, a| Ok(a[0].clone())),
        method("meth_o", "(arg, /)", "", |_, a| Ok(answer(&a[0], a[1].clone()))),
        method("meth_varargs", "(*args)", "", |_, a| Ok(answer(&a[0], a[1].clone()))),
        method("meth_varargs_keywords", "(*args, **kwargs)", "", |_, a| Ok(keywords(&a[0], &a[1], &a[2]))),
        method("meth_fastcall", "(*args)", "", |_, a| Ok(answer(&a[0], a[1].clone()))),
        method("meth_fastcall_keywords", "(*args, **kwargs)", "", |_, a| Ok(keywords(&a[0], &a[1], &a[2]))),
    ],
    flags: type_flag::BASE,
    ..ClassDef::new(&METH_INSTANCE)
};
static CLASS_DEF: ClassDef = ClassDef {
    module: "_testcapi",
    methods: &[
        class_method("meth_noargs", "()", "", |_, a| Ok(a[0].clone())),
        class_method("meth_o", "(arg, /)", "", |_, a| Ok(answer(&a[0], a[1].clone()))),
        class_method("meth_varargs", "(*args)", "", |_, a| Ok(answer(&a[0], a[1].clone()))),
        class_method("meth_varargs_keywords", "(*args, **kwargs)", "", |_, a| Ok(keywords(&a[0], &a[1], &a[2]))),
        class_method("meth_fastcall", "(*args)", "", |_, a| Ok(answer(&a[0], a[1].clone()))),
        class_method("meth_fastcall_keywords", "(*args, **kwargs)", "", |_, a| Ok(keywords(&a[0], &a[1], &a[2]))),
    ],
    flags: type_flag::BASE,
    ..ClassDef::new(&METH_CLASS)
};
static STATIC_DEF: ClassDef = ClassDef {
    module: "_testcapi",
    methods: &[
        static_method("meth_noargs", "()", "", |_, _| Ok(Value::NONE)),
        static_method("meth_o", "(arg, /)", "", |_, a| Ok(answer(&Value::NONE, a[0].clone()))),
        static_method("meth_varargs", "(*args)", "", |_, a| Ok(answer(&Value::NONE, a[0].clone()))),
        static_method("meth_varargs_keywords", "(*args, **kwargs)", "", |_, a| {
            Ok(keywords(&Value::NONE, &a[0], &a[1]))
        }),
        static_method("meth_fastcall", "(*args)", "", |_, a| Ok(answer(&Value::NONE, a[0].clone()))),
        static_method("meth_fastcall_keywords", "(*args, **kwargs)", "", |_, a| {
            Ok(keywords(&Value::NONE, &a[0], &a[1]))
        }),
    ],
    flags: type_flag::BASE,
    ..ClassDef::new(&METH_STATIC)
};

/// Defaults that have no Python form, or that the module's namespace knows.
static SIGNATURES_DEF: ClassDef = ClassDef {
    module: "_testcapi",
    methods: &[
        method("meth", "(a, b=<x>)", UNREPRESENTABLE, |_, _| Ok(Value::NONE)),
        class_method("classmeth", "(a, b=<x>)", UNREPRESENTABLE, |_, _| Ok(Value::NONE)),
        static_method("staticmeth", "(a, b=<x>)", UNREPRESENTABLE, |_, _| Ok(Value::NONE)),
        method(
            "with_default",
            "(x=ONE)",
            "This instance method has a default parameter value from the module scope.",
            |_, _| Ok(Value::NONE),
        ),
    ],
    flags: type_flag::BASE,
    ..ClassDef::new(&SIGNATURES)
};
const UNREPRESENTABLE: &str = "This docstring has a signature with unrepresentable default.";

static FUNCTIONS: &[Method] = &[
    function("meth_noargs", "()", "", |th, _| import::import_module(th, "_testcapi")),
    function("meth_o", "(arg, /)", "", with_module),
    function("meth_varargs", "(*args)", "", with_module),
    function("meth_varargs_keywords", "(*args, **kwargs)", "", with_module),
    function("meth_fastcall", "(*args)", "", with_module),
    function("meth_fastcall_keywords", "(*args, **kwargs)", "", with_module),
    function("pyobject_fastcalldict", "(func, args, kwargs, /)", "Call with a tuple and a dict.", |th, a| {
        let args = positional(th, a.opt_not_none(1))?;
        let kwargs = a.opt_not_none(2).filter(|k| k.downcast_ref::<Dict>().is_none_or(|d| !d.is_empty()));
        call::call_tuple_dict(th, &a[0], &args, kwargs)
    }),
    function(
        "pyobject_vectorcall",
        "(func, args, kwnames, /)",
        "Call with all values and the keywords' names.",
        |th, a| {
            let args = positional(th, a.opt_not_none(1))?;
            let names = positional(th, a.opt_not_none(2))?;
            if names.len() > args.len() {
                return Err(type_error(th, "kwnames longer than args"));
            }
            call::call_kw(th, &a[0], &args, &names)
        },
    ),
    function("run_in_subinterp", "(code, /)", "Run a text in an interpreter made for it.", |th, a| {
        let text = crate::_testinternalcapi::interpreters::text(th, &a[0], "run_in_subinterp")?;
        let features = krait_runtime::interpreters::Features::LEGACY;
        crate::_testinternalcapi::interpreters::run_in_new(th, &text, features, whence::LEGACY_CAPI)
    }),
    function("pycfunction_call", "(func, args, kwargs=None, /)", "Call with a tuple and a dict.", |th, a| {
        let args = positional(th, Some(&a[1]))?;
        call::call_tuple_dict(th, &a[0], &args, a.opt_not_none(2))
    }),
];

/// The answer of every callable here: `self`, then what came.
fn answer(this: &Value, came: Value) -> Value {
    Tuple::of([this.clone(), came]).into()
}
fn keywords(this: &Value, args: &Value, kwargs: &Value) -> Value {
    let kwargs = if kwargs.downcast_ref::<Dict>().is_none_or(Dict::is_empty) { Value::NONE } else { kwargs.clone() };
    Tuple::of([this.clone(), args.clone(), kwargs]).into()
}
fn with_module(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let module = import::import_module(th, "_testcapi")?;
    Ok(if a.len() == 2 { keywords(&module, &a[0], &a[1]) } else { answer(&module, a[0].clone()) })
}
fn positional(th: &mut Thread, args: Option<&Value>) -> PyResult<Vec<Value>> {
    match args {
        None => Ok(Vec::new()),
        Some(a) => match a.downcast_ref::<Tuple>() {
            Some(t) => Ok(t.to_vec()),
            None => Err(type_error(th, "args must be None or a tuple")),
        },
    }
}

/// What looks at frames and exceptions.
static FRAMES: ModuleDef = ModuleDef { functions: frames::FUNCTIONS, ..ModuleDef::new("_testcapi") };
/// What reports events for `sys.monitoring`.
static EVENTS: ModuleDef =
    ModuleDef { functions: monitoring::FUNCTIONS, classes: &[&monitoring::DEF], ..ModuleDef::new("_testcapi") };

/// Callables and the ways of calling them.
static CALLABLES: ModuleDef = ModuleDef {
    functions: callables::FUNCTIONS,
    classes: &[&callables::BASE_DEF, &callables::DERIVED_DEF, &callables::NOP_GET_DEF, &callables::SECOND_DEF],
    ..ModuleDef::new("_testcapi")
};
/// Exporters of memory.
static MEMORY: ModuleDef =
    ModuleDef { functions: memory::FUNCTIONS, classes: &[&memory::DEF], ..ModuleDef::new("_testcapi") };

fn init(th: &mut Thread, module: &Value) -> PyResult<()> {
    for part in [&CALLABLES, &MEMORY] {
        krait_runtime::types::module::fill(th, module, part)?;
    }
    krait_runtime::types::module::fill(th, module, &EVENTS)?;
    krait_runtime::types::module::fill(th, module, &FRAMES)?;
    let ints: &[(&str, i128)] = &[
        ("CHAR_MAX", i8::MAX as i128),
        ("CHAR_MIN", i8::MIN as i128),
        ("UCHAR_MAX", u8::MAX as i128),
        ("SHRT_MAX", i16::MAX as i128),
        ("SHRT_MIN", i16::MIN as i128),
        ("USHRT_MAX", u16::MAX as i128),
        ("INT_MAX", i32::MAX as i128),
        ("INT_MIN", i32::MIN as i128),
        ("UINT_MAX", u32::MAX as i128),
        ("LONG_MAX", i64::MAX as i128),
        ("LONG_MIN", i64::MIN as i128),
        ("ULONG_MAX", u64::MAX as i128),
        ("LLONG_MAX", i64::MAX as i128),
        ("LLONG_MIN", i64::MIN as i128),
        ("ULLONG_MAX", u64::MAX as i128),
        ("PY_SSIZE_T_MAX", isize::MAX as i128),
        ("PY_SSIZE_T_MIN", isize::MIN as i128),
        ("SIZEOF_VOID_P", size_of::<usize>() as i128),
        ("SIZEOF_WCHAR_T", 4),
        ("SIZEOF_TIME_T", 8),
        ("ONE", 1),
        ("Py_single_input", 256),
        ("Py_file_input", 257),
        ("Py_eval_input", 258),
        // Nested native calls that surely reach the end of the native stack.
        ("Py_C_RECURSION_LIMIT", 10_000),
    ];
    for (name, n) in ints {
        attr::set_text(th, module, name, &Value::from(num_bigint::BigInt::from(*n)))?;
    }
    for (name, x) in [
        ("FLT_MAX", f64::from(f32::MAX)),
        ("FLT_MIN", f64::from(f32::MIN_POSITIVE)),
        ("DBL_MAX", f64::MAX),
        ("DBL_MIN", f64::MIN_POSITIVE),
    ] {
        attr::set_text(th, module, name, &Value::from(x))?;
    }
    for name in ["WITH_PYMALLOC", "WITH_MIMALLOC"] {
        attr::set_text(th, module, name, &Value::FALSE)?;
    }
    Ok(())
}
