//! `_decimal`: decimal arithmetic as the General Decimal Arithmetic Specification has it, on the big integers of
//! `num-bigint`. The arithmetic (`num`, `arith`, `logical`, `transcend`, `text`) knows no Python; `decimal`, `context` and
//! `signals` show it. CPython: `Modules/_decimal` with libmpdec.
mod arith;
mod context;
mod context_methods;
mod convert;
mod decimal;
mod logical;
mod manager;
mod num;
mod number_slots;
mod signals;
mod special;
mod text;
mod transcend;

use krait_object::intern::intern;
use krait_object::native::function;
use krait_object::{Method, ModuleDef, PyResult, Thread, Value, ValueCell};
use krait_runtime::import::import_module;
use krait_runtime::protocol::{attr, call};
use krait_runtime::types::module;

use context::Context;
use num::{MAX_EMAX, MAX_PREC, MIN_EMIN, ROUNDINGS};

pub static MODULE: ModuleDef = ModuleDef {
    doc: "C decimal arithmetic module",
    functions: FUNCTIONS,
    classes: &[&decimal::DEF, &context::DEF, &signals::DEF, &manager::DEF],
    init: Some(init),
    ..ModuleDef::new("_decimal")
};

/// What the module keeps per interpreter.
#[derive(Default)]
struct State {
    /// The current context.
    variable: ValueCell,
    default_context: ValueCell,
    basic_context: ValueCell,
    extended_context: ValueCell,
    decimal_tuple: ValueCell,
    signal_dict: ValueCell,
    rational: ValueCell,
    errors: signals::Errors,
}

static FUNCTIONS: &[Method] = &[
    function("getcontext", "()", "Get the current default context.", |th, _| context::current(th).map(Value::from)),
    function("setcontext", "(context, /)", "Set a new default context.", |th, a| {
        context::set_current(th, &a[0])?;
        Ok(Value::NONE)
    }),
    function(
        "localcontext",
        "(ctx=None, **kwargs)",
        "Return a context manager that will set the default context to a copy of ctx\non entry to the with-statement and restore the previous default context when\nexiting the with-statement. If no context is supplied, a copy of the current\ndefault context is used.",
        manager::localcontext,
    ),
];

fn init(th: &mut Thread, m: &Value) -> PyResult<()> {
    let d = module::dict(m);
    drop(d.remove_text("SignalDictMixin"));
    drop(d.remove_text("ContextManager"));
    signals::make_errors(th, &d)?;
    signals::make_dict_class(th)?;
    let state = th.interp.extension::<State>();
    for (name, _) in ROUNDINGS {
        d.set_text(name, intern(name));
    }
    d.set_text("MAX_PREC", MAX_PREC);
    d.set_text("MAX_EMAX", MAX_EMAX);
    d.set_text("MIN_EMIN", MIN_EMIN);
    d.set_text("MIN_ETINY", MIN_EMIN - (MAX_PREC - 1));
    d.set_text("HAVE_CONTEXTVAR", true);
    d.set_text("HAVE_THREADS", true);
    d.set_text("__version__", "1.70");
    d.set_text("__libmpdec_version__", "2.5.1");
    // The classes are the process's: a second module object has the same tuple and contexts.
    let tuple = match state.decimal_tuple.get() {
        Some(tuple) => tuple,
        None => {
            let collections = import_module(th, "collections")?;
            let make = attr::get_text(th, &collections, "namedtuple")?;
            let args = ["DecimalTuple".into(), "sign digits exponent".into(), "decimal".into()];
            call::call_kw(th, &make, &args, &["module".into()])?
        }
    };
    d.set_text("DecimalTuple", tuple.clone());
    state.decimal_tuple.set(Some(tuple));
    let [default, basic, extended] = context::templates();
    for (name, c, cell) in [
        ("DefaultContext", default, &state.default_context),
        ("BasicContext", basic, &state.basic_context),
        ("ExtendedContext", extended, &state.extended_context),
    ] {
        let made = cell.get().unwrap_or_else(|| Context::create(c).into());
        d.set_text(name, made.clone());
        cell.set(Some(made));
    }
    if !state.variable.is_set() {
        let contextvars = import_module(th, "_contextvars")?;
        let made = attr::call_method(th, &contextvars, "ContextVar", &["decimal_context".into()])?;
        state.variable.set(Some(made));
    }
    let numbers = import_module(th, "numbers")?;
    let number = attr::get_text(th, &numbers, "Number")?;
    attr::call_method(th, &number, "register", &[decimal::DECIMAL.to_value()])?;
    let rational = attr::get_text(th, &numbers, "Rational")?;
    state.rational.set(Some(rational));
    Ok(())
}
