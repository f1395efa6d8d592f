//! `ContextVar` and `Token`.
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering::*};

use krait_object::builtin_types::OBJECT;
use krait_object::native::{Sig, class_method, getter, member, method};
use krait_object::{
    Args, ClassDef, GetSet, Method, PyResult, Ref, SlotDefs, Str, Thread, Type, TypeObject, VTable, Value, type_flag,
};
use krait_runtime::errors::{raise_args, runtime_error, type_error, value_error};
use krait_runtime::exceptions::LOOKUP_ERROR;
use krait_runtime::protocol::repr;
use krait_runtime::types::generic_alias::class_getitem;
use krait_runtime::types::type_::unhashable;

use super::{Context, current};

#[derive(krait_macros::Trace, krait_macros::Payload)]
#[payload(class = CONTEXT_VAR)]
pub struct ContextVar {
    name: Value,
    default: Option<Value>,
}
static VAR_LAYOUT: VTable = VTable::of::<ContextVar>();
pub static CONTEXT_VAR: TypeObject = TypeObject::builtin("ContextVar", Some(&OBJECT), &VAR_LAYOUT);

pub(super) static VAR_DEF: ClassDef = ClassDef {
    module: "_contextvars",
    methods: VAR_METHODS,
    getset: VAR_GETSET,
    slots: SlotDefs { new: Some(new_var), repr: Some(show_var), ..SlotDefs::EMPTY },
    flags: type_flag::HAVE_GC,
    ..ClassDef::new(&CONTEXT_VAR)
};
static VAR_GETSET: &[GetSet] = &[member("name", "", |_, v| Ok(var(v).name.clone()))];
static VAR_METHODS: &[Method] = &[
    method(
        "get",
        "(default=<unrepresentable>, /)",
        "Return a value for the context variable for the current context.\n\nWithout a value there, it is `default`, or \
         the variable's own default, or LookupError is raised.",
        get,
    ),
    method(
        "set",
        "(value, /)",
        "Set a new value for the context variable in the current context.\n\nThe Token that is returned can restore the \
         previous value through ContextVar.reset().",
        set,
    ),
    method(
        "reset",
        "(token, /)",
        "Reset the context variable.\n\nIt gets the value back that it had before the ContextVar.set() that made the token.",
        reset,
    ),
    class_method("__class_getitem__", "(object, /)", "See PEP 585", class_getitem),
];

fn var(v: &Value) -> &ContextVar {
    v.downcast_ref().expect("the descriptor checked the class of self")
}
fn new_var(th: &mut Thread, _: &Ref<Type>, args: &Args<'_>) -> PyResult<Value> {
    static SIG: Sig = Sig::new("(name, *, default=<unrepresentable>)");
    if args.pos().is_empty() && !args.has_kw() {
        return Err(type_error(th, "ContextVar() takes exactly 1 positional argument (0 given)"));
    }
    let b = SIG.bind(th, "ContextVar", "ContextVar", args, 0)?;
    let a = b.args();
    if a[0].downcast_ref::<Str>().is_none() {
        return Err(type_error(th, "context variable name must be a str"));
    }
    Ok(Ref::new(ContextVar { name: a[0].clone(), default: a.opt(1).cloned() }).into())
}
fn show_var(th: &mut Thread, v: &Value) -> PyResult<Value> {
    let (name, default) = (var(v).name.clone(), var(v).default.clone());
    let mut out = format!("<ContextVar name={}", repr::repr(th, &name)?);
    if let Some(d) = default {
        out += &format!(" default={}", repr::repr(th, &d)?);
    }
    Ok(Value::from(format!("{out} at {:#x}>", v.bits())))
}
fn get(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let found = current(th).get(&a[0]).or_else(|| a.opt(1).cloned()).or_else(|| var(&a[0]).default.clone());
    match found {
        Some(v) => Ok(v),
        None => Err(raise_args(th, &LOOKUP_ERROR, vec![a[0].clone()])),
    }
}
fn set(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let context = current(th);
    let old = context.get(&a[0]);
    context.set(th, &a[0], Some(a[1].clone()))?;
    Ok(Ref::new(Token { context, var: a[0].clone(), old, used: AtomicBool::new(false) }).into())
}
fn reset(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let Some(t) = a[1].downcast_exact::<Token>() else {
        let shown = repr::repr(th, &a[1])?;
        return Err(type_error(th, format!("An instance of Token was expected, got {shown}")));
    };
    let context = current(th);
    if t.used.load(Acquire) {
        let shown = repr::repr(th, &a[1])?;
        return Err(runtime_error(th, format!("{shown} has already been used once")));
    }
    if !t.var.is(&a[0]) {
        let shown = repr::repr(th, &a[1])?;
        return Err(value_error(th, format!("{shown} was created by a different ContextVar")));
    }
    if !t.context.ptr_eq(&context) {
        let shown = repr::repr(th, &a[1])?;
        return Err(value_error(th, format!("{shown} was created in a different Context")));
    }
    t.used.store(true, Release);
    context.set(th, &a[0], t.old.clone())?;
    Ok(Value::NONE)
}

#[derive(krait_macros::Trace, krait_macros::Payload)]
#[payload(class = TOKEN)]
pub struct Token {
    context: Ref<Context>,
    var: Value,
    old: Option<Value>,
    #[trace(skip)]
    used: AtomicBool,
}
static TOKEN_LAYOUT: VTable = VTable::of::<Token>();
pub static TOKEN: TypeObject = TypeObject::builtin("Token", Some(&OBJECT), &TOKEN_LAYOUT);

pub(super) static TOKEN_DEF: ClassDef = ClassDef {
    module: "_contextvars",
    methods: TOKEN_METHODS,
    getset: TOKEN_GETSET,
    slots: SlotDefs {
        new: Some(|th, _, _| Err(runtime_error(th, "Tokens can only be created by ContextVars"))),
        repr: Some(show_token),
        hash: Some(unhashable),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::HAVE_GC,
    attributes: Some(|_| vec![("MISSING", missing())]),
    ..ClassDef::new(&TOKEN)
};
static TOKEN_GETSET: &[GetSet] = &[
    getter("var", "", |_, v| Ok(token(v).var.clone())),
    getter("old_value", "", |_, v| Ok(token(v).old.clone().unwrap_or_else(missing))),
];
static TOKEN_METHODS: &[Method] = &[class_method("__class_getitem__", "(object, /)", "See PEP 585", class_getitem)];

fn token(v: &Value) -> &Token {
    v.downcast_ref().expect("the descriptor checked the class of self")
}
fn show_token(th: &mut Thread, v: &Value) -> PyResult<Value> {
    let (held, used) = (token(v).var.clone(), token(v).used.load(Acquire));
    let shown = repr::repr(th, &held)?;
    Ok(Value::from(format!("<Token{} var={shown} at {:#x}>", if used { " used" } else { "" }, v.bits())))
}

static MISSING: TypeObject = TypeObject::builtin_like("Token.MISSING", &OBJECT);
pub(super) static MISSING_DEF: ClassDef = ClassDef {
    slots: SlotDefs { repr: Some(|_, _| Ok(Value::str("<Token.MISSING>"))), ..SlotDefs::EMPTY },
    flags: type_flag::DISALLOW_INSTANTIATION,
    ..ClassDef::new(&MISSING)
};
/// `Token.MISSING`: the variable had no value.
fn missing() -> Value {
    static MADE: OnceLock<Value> = OnceLock::new();
    MADE.get_or_init(|| {
        MISSING.ready_layout();
        let v = Ref::<()>::with_class((), &MISSING).into_value();
        v.header().into_iter().for_each(krait_object::header::Header::make_immortal);
        v
    })
    .clone()
}
