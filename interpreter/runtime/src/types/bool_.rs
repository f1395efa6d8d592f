//! `bool`. CPython: `Objects/boolobject.c`.
use krait_object::builtin_types::BOOL;
use krait_object::native::Sig;
use krait_object::{Args, ClassDef, PyResult, Ref, SlotDefs, Thread, Type, Value, type_flag};

use super::int;
use crate::exceptions::DEPRECATION_WARNING;
use crate::protocol::compare;
use crate::warnings::warn;

pub static DEF: ClassDef = ClassDef {
    doc: "True when the argument is true, False otherwise. True and False are the only instances of\n\
          bool, which is a subclass of int and cannot be subclassed.",
    sig: "(object=False, /)",
    slots: SlotDefs {
        new: Some(new),
        repr: Some(|_, v| Ok(krait_object::intern::intern(if v.is_true() { "True" } else { "False" }).into())),
        and: Some(and),
        xor: Some(xor),
        or: Some(or),
        invert: Some(invert),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::MATCH_SELF | type_flag::LONG_SUBCLASS,
    ..ClassDef::new(&BOOL)
};

fn new(th: &mut Thread, _: &Ref<Type>, args: &Args<'_>) -> PyResult<Value> {
    static SIG: Sig = Sig::new("(object=False, /)");
    let bound = SIG.bind(th, "bool", "bool", args, 0)?;
    match bound.args().opt(0) {
        Some(v) => Ok(Value::bool(compare::truth(th, v)?)),
        None => Ok(Value::FALSE),
    }
}
macro_rules! operators {
    ($($name:ident $f:expr;)*) => { $(
        fn $name(th: &mut Thread, a: &Value, b: &Value) -> PyResult<Value> {
            let f: fn(bool, bool) -> bool = $f;
            match (a.as_bool(), b.as_bool()) {
                (Some(a), Some(b)) => Ok(Value::bool(f(a, b))),
                _ => int::$name(th, a, b),
            }
        }
    )* };
}
operators! {
    and |a, b| a & b;
    xor |a, b| a ^ b;
    or |a, b| a | b;
}
fn invert(th: &mut Thread, v: &Value) -> PyResult<Value> {
    let message = "Bitwise inversion '~' on bool is deprecated and will be removed in Python 3.16. \
                   This returns the bitwise inversion of the underlying int object and is usually \
                   not what you expect from negating a bool. \
                   Use the 'not' operator for boolean negation or ~int(x) if you really want the \
                   bitwise inversion of the underlying int.";
    warn(th, &DEPRECATION_WARNING, message, 1)?;
    int::invert(th, v)
}
