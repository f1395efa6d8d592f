//! Signals: the exception classes, and the mapping that shows a context's flags or traps.
use std::sync::Arc;

use krait_macros::{Payload, Trace};
use krait_object::native::method;
use krait_object::{
    ClassDef, CmpOp, Dict, List, Locked, Method, PyResult, Raised, Ref, SlotDefs, Thread, Tuple, Type, TypeObject,
    VTable, Value, builtin_types::OBJECT, type_flag,
};
use krait_runtime::errors::{memory_error, raise_value, type_error, value_error};
use krait_runtime::exceptions::{ARITHMETIC_ERROR, TYPE_ERROR, ZERO_DIVISION_ERROR};
use krait_runtime::import::import_module;
use krait_runtime::protocol::{attr, call, compare, iter};

use super::State;
use super::context::Context;
use super::num::{Ctx, flag::*};

/// Signals in the order in which they are listed and raised.
pub const SIGNALS: [(&str, u32); 9] = [
    ("InvalidOperation", IEEE_INVALID),
    ("FloatOperation", FLOAT_OPERATION),
    ("DivisionByZero", DIVISION_BY_ZERO),
    ("Overflow", OVERFLOW),
    ("Underflow", UNDERFLOW),
    ("Subnormal", SUBNORMAL),
    ("Inexact", INEXACT),
    ("Rounded", ROUNDED),
    ("Clamped", CLAMPED),
];
const CONDITIONS: [(&str, u32); 4] = [
    ("ConversionSyntax", CONVERSION_SYNTAX),
    ("DivisionImpossible", DIVISION_IMPOSSIBLE),
    ("DivisionUndefined", DIVISION_UNDEFINED),
    ("InvalidContext", INVALID_CONTEXT),
];
/// The classes: signals, then conditions.
#[derive(Default)]
pub struct Errors(Locked<Vec<Value>>);

pub fn make_errors(th: &mut Thread, d: &Ref<Dict>) -> PyResult<()> {
    let state = th.interp.extension::<State>();
    let known = state.errors.0.get();
    if !known.is_empty() {
        for (name, class) in d_names().iter().zip(known) {
            d.set_text(name, class);
        }
        return Ok(());
    }
    let kind = krait_object::builtin_types::TYPE.to_value();
    let make = |th: &mut Thread, name: &str, bases: &[Value]| -> PyResult<Value> {
        let namespace = Dict::new();
        namespace.set_text("__module__", "decimal");
        let made = call::call(th, &kind, &[name.into(), Tuple::from_slice(bases).into(), namespace.into()])?;
        d.set_text(name, made.clone());
        Ok(made)
    };
    let base = make(th, "DecimalException", &[ARITHMETIC_ERROR.to_value()])?;
    let one = std::slice::from_ref(&base);
    let invalid = make(th, "InvalidOperation", one)?;
    let float = make(th, "FloatOperation", &[base.clone(), TYPE_ERROR.to_value()])?;
    let zero = make(th, "DivisionByZero", &[base.clone(), ZERO_DIVISION_ERROR.to_value()])?;
    let subnormal = make(th, "Subnormal", one)?;
    let rounded = make(th, "Rounded", one)?;
    let inexact = make(th, "Inexact", one)?;
    let clamped = make(th, "Clamped", one)?;
    let overflow = make(th, "Overflow", &[inexact.clone(), rounded.clone()])?;
    let underflow = make(th, "Underflow", &[inexact.clone(), rounded.clone(), subnormal.clone()])?;
    let conversion = make(th, "ConversionSyntax", &[invalid.clone()])?;
    let impossible = make(th, "DivisionImpossible", &[invalid.clone()])?;
    let undefined = make(th, "DivisionUndefined", &[invalid.clone(), ZERO_DIVISION_ERROR.to_value()])?;
    let context = make(th, "InvalidContext", &[invalid.clone()])?;
    *state.errors.0.lock() = vec![
        invalid, float, zero, overflow, underflow, subnormal, inexact, rounded, clamped, base, conversion, impossible,
        undefined, context,
    ];
    Ok(())
}
fn d_names() -> Vec<&'static str> {
    SIGNALS.iter().map(|s| s.0).chain(["DecimalException"]).chain(CONDITIONS.iter().map(|c| c.0)).collect()
}
fn class(th: &Thread, i: usize) -> Value {
    th.interp.extension::<State>().errors.0.lock()[i].clone()
}
/// The signals of a set of flags, as classes.
pub fn as_list(th: &mut Thread, flags: u32) -> Value {
    let all = (0..9).filter(|&i| flags & SIGNALS[i].1 != 0).map(|i| class(th, i));
    List::new(all.collect()).into()
}
/// Notes what an operation met in the context, and raises what is trapped.
pub fn note(th: &mut Thread, ctx: &Ref<Context>, status: u32) -> PyResult<()> {
    if status == 0 {
        return Ok(());
    }
    let trapped = {
        let mut c = ctx.data.lock();
        c.flags |= status;
        status & c.traps
    };
    if status & MALLOC_ERROR != 0 {
        return Err(memory_error(th));
    }
    if trapped == 0 { Ok(()) } else { Err(raise_status(th, trapped)) }
}
#[cold]
fn raise_status(th: &mut Thread, trapped: u32) -> Raised {
    let mut all = Vec::new();
    if trapped & INVALID_OPERATION != 0 {
        all.push(class(th, 0));
    }
    for (i, (_, flag)) in CONDITIONS.iter().enumerate() {
        if trapped & flag != 0 {
            all.push(class(th, 10 + i));
        }
    }
    for (i, (_, flag)) in SIGNALS.iter().enumerate().skip(1) {
        if trapped & flag != 0 {
            all.push(class(th, i));
        }
    }
    let first = SIGNALS.iter().position(|(_, flag)| trapped & flag != 0).unwrap_or(0);
    let kind = class(th, first);
    match call::call(th, &kind, &[List::new(all).into()]) {
        Ok(exception) => raise_value(th, exception),
        Err(raised) => raised,
    }
}
/// The flag of a signal's class.
fn flag_of(th: &mut Thread, key: &Value) -> PyResult<u32> {
    for (i, (_, flag)) in SIGNALS.iter().enumerate() {
        if class(th, i).is(key) {
            return Ok(*flag);
        }
    }
    Err(krait_runtime::errors::key_error(th, &"invalid error flag".into()))
}
const VALID: &str = "valid values for signals are:\n  [InvalidOperation, FloatOperation, DivisionByZero,\n   Overflow, Underflow, Subnormal, Inexact, Rounded,\n   Clamped]";
/// Flags of a dict of signals.
pub fn flags_of_mapping(th: &mut Thread, v: &Value) -> PyResult<u32> {
    if v.downcast_ref::<SignalDict>().is_some() {
        return flags_in(th, v);
    }
    let Some(d) = v.downcast_ref::<Dict>() else { return Err(type_error(th, "argument must be a signal dict")) };
    if d.len() != 9 {
        return Err(krait_runtime::errors::key_error(th, &"invalid signal dict".into()));
    }
    let mut flags = 0;
    for (key, on) in d.items() {
        let flag = flag_of(th, &key)?;
        if compare::truth(th, &on)? {
            flags |= flag;
        }
    }
    Ok(flags)
}
/// Flags of a dict or a list of signals.
pub fn flags_of(th: &mut Thread, v: &Value) -> PyResult<u32> {
    if v.downcast_ref::<List>().is_none() {
        return flags_of_mapping(th, v);
    }
    let mut flags = 0;
    for key in iter::collect(th, v)? {
        match flag_of(th, &key) {
            Ok(flag) => flags |= flag,
            Err(raised) => {
                krait_runtime::errors::catch(th, raised, &krait_runtime::exceptions::KEY_ERROR)?;
                return Err(krait_runtime::errors::key_error(th, &VALID.into()));
            }
        }
    }
    Ok(flags)
}

#[derive(Trace, Payload)]
#[payload(class = SIGNAL_DICT)]
pub struct SignalDict {
    /// The context's data; `None` for what is made by calling the class, which shows nothing.
    #[trace(skip)]
    data: Option<Arc<Locked<Ctx>>>,
    #[trace(skip)]
    traps: bool,
}
static LAYOUT: VTable = VTable::of::<SignalDict>();
static SIGNAL_DICT: TypeObject = TypeObject::builtin("SignalDictMixin", Some(&OBJECT), &LAYOUT);
pub static DEF: ClassDef = ClassDef {
    module: "decimal",
    methods: METHODS,
    slots: SlotDefs {
        new: Some(|_, class, _| Ok(Ref::with_class(SignalDict { data: None, traps: false }, class.object()).into())),
        repr: Some(|th, v| {
            let flags = flags_in(th, v)?;
            let shown: Vec<String> = SIGNALS
                .iter()
                .map(|(name, flag)| {
                    format!("<class 'decimal.{name}'>:{}", if flags & flag != 0 { "True" } else { "False" })
                })
                .collect();
            Ok(format!("{{{}}}", shown.join(", ")).into())
        }),
        hash: Some(|th, v| Err((th.hooks().unhashable)(th, v))),
        compare: Some(compare_slot),
        iter: Some(|th, v| {
            flags_in(th, v)?;
            let all = List::new((0..9).map(|i| class(th, i)).collect());
            iter::iter(th, all.as_value())
        }),
        mp_len: Some(|th, v| flags_in(th, v).map(|_| 9)),
        subscript: Some(|th, v, key| Ok((flags_in(th, v)? & flag_of(th, key)? != 0).into())),
        set_subscript: Some(|th, v, key, new| {
            flags_in(th, v)?;
            let Some(new) = new else { return Err(value_error(th, "signal keys cannot be deleted")) };
            let flag = flag_of(th, key)?;
            let on = compare::truth(th, new)?;
            this(v).change(|flags| if on { *flags |= flag } else { *flags &= !flag });
            Ok(())
        }),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::BASE,
    ..ClassDef::new(&SIGNAL_DICT)
};
static METHODS: &[Method] = &[method("copy", "()", "", |th, a| {
    let (flags, d) = (flags_in(th, &a[0])?, Dict::new());
    for (i, (_, flag)) in SIGNALS.iter().enumerate() {
        let key = class(th, i);
        d.set(th, key, (flags & flag != 0).into())?;
    }
    Ok(d.into())
})];
fn this(v: &Value) -> &SignalDict {
    v.downcast_ref().expect("the slot belongs to SignalDict")
}
/// The flags that a mapping shows.
fn flags_in(th: &mut Thread, v: &Value) -> PyResult<u32> {
    let s = this(v);
    match &s.data {
        Some(data) => {
            let c = data.lock();
            Ok(if s.traps { c.traps } else { c.flags })
        }
        None => Err(value_error(th, "invalid signal dict")),
    }
}
impl SignalDict {
    fn change(&self, f: impl FnOnce(&mut u32)) {
        if let Some(data) = &self.data {
            let mut c = data.lock();
            f(if self.traps { &mut c.traps } else { &mut c.flags });
        }
    }
}
fn compare_slot(th: &mut Thread, a: &Value, b: &Value, op: CmpOp) -> PyResult<Value> {
    if !matches!(op, CmpOp::Eq | CmpOp::Ne) || a.downcast_ref::<SignalDict>().is_none() {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    let own = flags_in(th, a)?;
    let other = if b.downcast_ref::<SignalDict>().is_some() || b.downcast_ref::<Dict>().is_some() {
        match flags_of_mapping(th, b) {
            Ok(flags) => Some(flags),
            Err(raised) => {
                krait_runtime::errors::catch(th, raised, &krait_runtime::exceptions::KEY_ERROR)?;
                None
            }
        }
    } else {
        return Ok(Value::NOT_IMPLEMENTED);
    };
    let canonical = |f: u32| SIGNALS.iter().filter(|s| f & s.1 != 0).fold(0, |sum, s| sum | s.1);
    let same = other.is_some_and(|o| canonical(o) == canonical(own));
    Ok((same == (op == CmpOp::Eq)).into())
}
/// `SignalDict`: the mapping with the methods of `MutableMapping`.
pub fn make_dict_class(th: &mut Thread) -> PyResult<()> {
    let state = th.interp.extension::<State>();
    if state.signal_dict.is_set() {
        return Ok(());
    }
    let abc = import_module(th, "collections.abc")?;
    let mapping = attr::get_text(th, &abc, "MutableMapping")?;
    let meta = mapping.class_ref().to_value();
    let namespace = Dict::new();
    namespace.set_text("__module__", "decimal");
    let bases = Tuple::of([SIGNAL_DICT.to_value(), mapping]);
    let made = call::call(th, &meta, &["SignalDict".into(), bases.into(), namespace.into()])?;
    state.signal_dict.set(Some(made));
    Ok(())
}
pub fn view(th: &mut Thread, data: Arc<Locked<Ctx>>, traps: bool) -> Value {
    let class = th.interp.extension::<State>().signal_dict.get().and_then(|v| v.downcast::<Type>().ok());
    let payload = SignalDict { data: Some(data), traps };
    match class {
        Some(class) => Ref::with_class(payload, class.object()).into(),
        None => Ref::new(payload).into(),
    }
}
