//! Comparison, hashing, truth (`PyObject_RichCompare`, `PyObject_Hash`, `PyObject_IsTrue`).
use krait_object::compare::plain_same;
use krait_object::table::Same;
use krait_object::{CmpOp, PyResult, Ref, Str, Thread, Value};

use crate::errors::type_error;
use crate::well_known::names;

pub use krait_object::compare::hash_value as hash;

/// `a op b`.
pub fn compare(th: &mut Thread, a: &Value, b: &Value, op: CmpOp) -> PyResult<Value> {
    if let (Some(x), Some(y)) = (a.as_int(), b.as_int()) {
        return Ok(Value::bool(op.of(x.cmp(&y))));
    }
    if let (Some(x), Some(y)) = (a.downcast_exact::<Str>(), b.downcast_exact::<Str>()) {
        return Ok(Value::bool(compare_str(x, y, op)));
    }
    th.nested(" in comparison", |th| compare_objects(th, a, b, op))
}
fn compare_objects(th: &mut Thread, a: &Value, b: &Value, op: CmpOp) -> PyResult<Value> {
    let (ca, cb) = (a.class_ref(), b.class_ref());
    let reflected_first = !ca.ptr_eq(&cb) && cb.object().is_subtype(ca.object()) && cb.slots.compare.is_set();
    if reflected_first && let Some(f) = cb.slots.compare.get() {
        let r = f(th, b, a, op.reflected())?;
        if !r.is_not_implemented() {
            return Ok(r);
        }
    }
    if let Some(f) = ca.slots.compare.get() {
        let r = f(th, a, b, op)?;
        if !r.is_not_implemented() {
            return Ok(r);
        }
    }
    if reflected_first { otherwise(th, a, b, op) } else { ask_right(th, a, b, op) }
}
/// `a op b` once the method of the left operand, which is asked first, gave NotImplemented.
pub fn after_left(th: &mut Thread, a: &Value, b: &Value, op: CmpOp) -> PyResult<Value> {
    th.nested(" in comparison", |th| ask_right(th, a, b, op))
}
fn ask_right(th: &mut Thread, a: &Value, b: &Value, op: CmpOp) -> PyResult<Value> {
    if let Some(f) = b.class().slots.compare.get() {
        let r = f(th, b, a, op.reflected())?;
        if !r.is_not_implemented() {
            return Ok(r);
        }
    }
    otherwise(th, a, b, op)
}
/// `__lt__` and so on.
pub fn method_name(op: CmpOp) -> &'static Ref<Str> {
    let names = names();
    match op {
        CmpOp::Lt => &names.lt,
        CmpOp::Le => &names.le,
        CmpOp::Eq => &names.eq,
        CmpOp::Ne => &names.ne,
        CmpOp::Gt => &names.gt,
        CmpOp::Ge => &names.ge,
    }
}
/// `a op b` where no method answers.
fn otherwise(th: &mut Thread, a: &Value, b: &Value, op: CmpOp) -> PyResult<Value> {
    match op {
        CmpOp::Eq => Ok(Value::bool(a.is(b))),
        CmpOp::Ne => Ok(Value::bool(!a.is(b))),
        _ => {
            let (x, y) = (a.class().name(), b.class().name());
            Err(type_error(th, format!("'{}' not supported between instances of '{x}' and '{y}'", op.symbol())))
        }
    }
}
/// Order or equality of two texts.
pub fn compare_str(a: &Str, b: &Str, op: CmpOp) -> bool {
    match op {
        CmpOp::Eq => a.equals(b),
        CmpOp::Ne => !a.equals(b),
        _ => op.of(a.order(b)),
    }
}
/// `a op b` as a truth value; identity decides `==` and `!=` first.
pub fn compare_bool(th: &mut Thread, a: &Value, b: &Value, op: CmpOp) -> PyResult<bool> {
    if a.is(b) {
        match op {
            CmpOp::Eq => return Ok(true),
            CmpOp::Ne => return Ok(false),
            _ => {}
        }
    }
    let r = compare(th, a, b, op)?;
    truth(th, &r)
}
/// `a is b or a == b`.
#[inline]
pub fn eq(th: &mut Thread, a: &Value, b: &Value) -> PyResult<bool> {
    if a.is(b) {
        return Ok(true);
    }
    match plain_same(a, b) {
        Same::Yes => Ok(true),
        Same::No => Ok(false),
        Same::Ask => compare_bool(th, a, b, CmpOp::Eq),
    }
}
/// `bool(v)`.
#[inline]
pub fn truth(th: &mut Thread, v: &Value) -> PyResult<bool> {
    if let Some(b) = v.as_bool() {
        return Ok(b);
    }
    if let Some(i) = v.as_int() {
        return Ok(i != 0);
    }
    if v.is_none() {
        return Ok(false);
    }
    if let Some(s) = v.downcast_exact::<Str>() {
        return Ok(!s.is_empty());
    }
    truth_slow(th, v)
}
fn truth_slow(th: &mut Thread, v: &Value) -> PyResult<bool> {
    let class = v.class();
    if let Some(f) = class.slots.bool.get() {
        return f(th, v);
    }
    if let Some(f) = class.slots.mp_len.get().or(class.slots.sq_len.get()) {
        return Ok(f(th, v)? != 0);
    }
    Ok(true)
}
