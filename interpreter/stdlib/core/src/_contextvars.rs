//! `_contextvars`: context variables (PEP 567). A context shares its map with its copies until one of them changes it.
//!
//! The variables and tokens are in `_contextvars/var.rs`. CPython counterpart: `Python/context.c`, `Python/hamt.c`.
mod var;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::*};

use krait_object::builtin_types::OBJECT;
use krait_object::hash::ByWord;
use krait_object::native::{function, method};
use krait_object::{
    Args, ClassDef, CmpOp, List, Locked, Method, ModuleDef, PyResult, Ref, SlotDefs, Thread, Tuple, Type, TypeObject,
    VTable, Value, type_flag,
};
use krait_runtime::errors::{key_error, runtime_error, type_error};
use krait_runtime::protocol::{call, compare, iter, repr};
use krait_runtime::types::type_::unhashable;
use krait_runtime::types::{module, type_};

use var::ContextVar;

pub static MODULE: ModuleDef = ModuleDef {
    doc: "Context Variables",
    functions: FUNCTIONS,
    init: Some(|th, m| {
        for def in [&DEF, &var::VAR_DEF, &var::TOKEN_DEF, &var::MISSING_DEF] {
            type_::ready::ready_class(th, def);
        }
        let d = module::dict(m);
        for class in [&CONTEXT, &var::CONTEXT_VAR, &var::TOKEN] {
            d.set_text(&class.name(), class.to_value());
        }
        Ok(())
    }),
    ..ModuleDef::new("_contextvars")
};
static FUNCTIONS: &[Method] = &[function("copy_context", "()", "", |th, _| Ok(current(th).copy().into()))];

/// Variables by identity, with their values.
type Vars = Arc<Entries>;
#[derive(Clone, Default)]
struct Entries(HashMap<u64, (Value, Value), ByWord>);
impl Entries {
    fn get(&self, var: &Value) -> Option<Value> {
        self.0.get(&var.bits()).map(|(_, v)| v.clone())
    }
}

#[derive(krait_macros::Trace, krait_macros::Payload)]
#[payload(class = CONTEXT)]
pub struct Context {
    #[trace(skip)]
    vars: Locked<Vars>,
    #[trace(skip)]
    entered: AtomicBool,
}
static LAYOUT: VTable = VTable::of::<Context>();
pub static CONTEXT: TypeObject = TypeObject::builtin("Context", Some(&OBJECT), &LAYOUT);

static DEF: ClassDef = ClassDef {
    module: "_contextvars",
    methods: METHODS,
    slots: SlotDefs {
        new: Some(new),
        hash: Some(unhashable),
        compare: Some(compare_contexts),
        iter: Some(|th, v| {
            let keys = this(v).keys();
            iter::iter(th, Tuple::from_vec(keys).as_value())
        }),
        mp_len: Some(|_, v| Ok(this(v).vars.get().0.len())),
        subscript: Some(|th, v, key| match lookup(th, v, key)? {
            Some(found) => Ok(found),
            None => Err(key_error(th, key)),
        }),
        contains: Some(|th, v, key| Ok(lookup(th, v, key)?.is_some())),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::WEAKREF | type_flag::HAVE_GC,
    ..ClassDef::new(&CONTEXT)
};
static METHODS: &[Method] = &[
    method(
        "get",
        "(key, default=None, /)",
        "Return the value for `key` if `key` has the value in the context object.\n\nIf `key` does not exist, return \
         `default`. If `default` is not given, return None.",
        |th, a| Ok(lookup(th, &a[0], &a[1])?.or_else(|| a.opt(2).cloned()).into()),
    ),
    method("items", "()", "Return all variables and their values in the context object.", |_, a| {
        let vars = this(&a[0]).vars.get();
        let pairs = vars.0.values().map(|(k, v)| Tuple::of([k.clone(), v.clone()]).into()).collect();
        Ok(List::new(pairs).into())
    }),
    method("keys", "()", "Return a list of all variables in the context object.", |_, a| {
        Ok(List::new(this(&a[0]).keys()).into())
    }),
    method("values", "()", "Return a list of all variables' values in the context object.", |_, a| {
        let vars = this(&a[0]).vars.get();
        Ok(List::new(vars.0.values().map(|(_, v)| v.clone()).collect()).into())
    }),
    method("copy", "()", "Return a shallow copy of the context object.", |_, a| Ok(this(&a[0]).copy().into())),
    method("run", "", "", run),
];

fn this(v: &Value) -> &Context {
    v.downcast_ref().expect("the descriptor checked the class of self")
}
fn new(th: &mut Thread, _: &Ref<Type>, args: &Args<'_>) -> PyResult<Value> {
    if !args.is_empty() {
        return Err(type_error(th, "Context() does not accept any arguments"));
    }
    Ok(Context::with(Vars::default()).into())
}

impl Context {
    fn with(vars: Vars) -> Ref<Context> {
        Ref::new(Context { vars: Locked::new(vars), entered: AtomicBool::new(false) })
    }
    fn copy(&self) -> Ref<Context> {
        Context::with(self.vars.get())
    }
    fn keys(&self) -> Vec<Value> {
        self.vars.get().0.values().map(|(k, _)| k.clone()).collect()
    }
    fn get(&self, var: &Value) -> Option<Value> {
        self.vars.lock().get(var)
    }
    fn set(&self, var: &Value, value: Option<Value>) {
        let mut vars = self.vars.lock();
        let entries = &mut Arc::make_mut(&mut vars).0;
        let old = match value {
            Some(v) => entries.insert(var.bits(), (var.clone(), v)),
            None => entries.remove(&var.bits()),
        };
        drop(vars);
        drop(old);
    }
}

/// The thread's contexts.
#[derive(Default)]
struct State {
    current: Option<Ref<Context>>,
}
/// The thread's current context, made on first use.
fn current(th: &mut Thread) -> Ref<Context> {
    let state = th.extension::<State>();
    state.current.get_or_insert_with(|| Context::with(Vars::default())).clone()
}

fn lookup(th: &mut Thread, context: &Value, key: &Value) -> PyResult<Option<Value>> {
    if key.downcast_ref::<ContextVar>().is_none() {
        let shown = repr::repr(th, key)?;
        return Err(type_error(th, format!("a ContextVar key was expected, got {shown}")));
    }
    Ok(this(context).get(key))
}

fn run(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let Some((f, args)) = a.all()[1..].split_first().filter(|_| a.pos().len() > 1) else {
        return Err(type_error(th, "run() missing 1 required positional argument"));
    };
    let Some(context) = a[0].to_ref::<Context>() else { return Err(type_error(th, "expected a Context")) };
    if context.entered.swap(true, AcqRel) {
        let shown = repr::repr(th, &a[0])?;
        return Err(runtime_error(th, format!("cannot enter context: {shown} is already entered")));
    }
    let before = th.extension::<State>().current.replace(context.clone());
    let result = call::call_kw(th, f, args, a.names());
    let own = std::mem::replace(&mut th.extension::<State>().current, before);
    context.entered.store(false, Release);
    drop(own);
    result
}

fn compare_contexts(th: &mut Thread, a: &Value, b: &Value, op: CmpOp) -> PyResult<Value> {
    let (Some(x), Some(y)) = (a.downcast_ref::<Context>(), b.downcast_ref::<Context>()) else {
        return Ok(Value::NOT_IMPLEMENTED);
    };
    if !matches!(op, CmpOp::Eq | CmpOp::Ne) {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    let (x, y) = (x.vars.get(), y.vars.get());
    let mut equal = x.0.len() == y.0.len();
    for (var, value) in x.0.values() {
        if !equal {
            break;
        }
        equal = match y.get(var) {
            Some(other) => compare::eq(th, value, &other)?,
            None => false,
        };
    }
    Ok(Value::bool(equal == (op == CmpOp::Eq)))
}
