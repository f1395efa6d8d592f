//! Numeric operations (`PyNumber_*`): dispatch to slots with reflection, and conversion of arguments to machine numbers.
use krait_object::slots::{BinaryFn, Slots, UnaryFn};
use krait_object::{IntRef, PyResult, Raised, Ref, Str, Thread, TypeObject, Value};
use num_bigint::BigInt;
use num_traits::ToPrimitive;

use crate::errors::{overflow_error, type_error};
use crate::protocol::attr::lookup_special;
use crate::well_known::names;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BinaryOp {
    Add,
    Subtract,
    Multiply,
    MatrixMultiply,
    TrueDivide,
    FloorDivide,
    Remainder,
    Power,
    Lshift,
    Rshift,
    And,
    Xor,
    Or,
    Divmod,
}
use BinaryOp::*;

impl BinaryOp {
    pub const fn symbol(self) -> &'static str {
        match self {
            Add => "+",
            Subtract => "-",
            Multiply => "*",
            MatrixMultiply => "@",
            TrueDivide => "/",
            FloorDivide => "//",
            Remainder => "%",
            Power => "** or pow()",
            Lshift => "<<",
            Rshift => ">>",
            And => "&",
            Xor => "^",
            Or => "|",
            Divmod => "divmod()",
        }
    }
    const fn inplace_symbol(self) -> &'static str {
        match self {
            Add => "+=",
            Subtract => "-=",
            Multiply => "*=",
            MatrixMultiply => "@=",
            TrueDivide => "/=",
            FloorDivide => "//=",
            Remainder => "%=",
            Power => "**=",
            Lshift => "<<=",
            Rshift => ">>=",
            And => "&=",
            Xor => "^=",
            Or => "|=",
            Divmod => "divmod()",
        }
    }
    fn slot(self, s: &Slots) -> Option<BinaryFn> {
        match self {
            Add => s.add.get(),
            Subtract => s.subtract.get(),
            Multiply => s.multiply.get(),
            MatrixMultiply => s.matrix_multiply.get(),
            TrueDivide => s.true_divide.get(),
            FloorDivide => s.floor_divide.get(),
            Remainder => s.remainder.get(),
            Lshift => s.lshift.get(),
            Rshift => s.rshift.get(),
            And => s.and.get(),
            Xor => s.xor.get(),
            Or => s.or.get(),
            Divmod => s.divmod.get(),
            Power => None,
        }
    }
    /// Whether instances of the class are changed in place by the augmented assignment.
    pub fn has_inplace(self, class: &TypeObject) -> bool {
        let sequence = match self {
            Add => class.slots.sq_inplace_concat.is_set(),
            Multiply => class.slots.sq_inplace_repeat.is_set(),
            _ => false,
        };
        sequence || self.inplace_slot(&class.slots).is_some()
    }
    /// `__add__` and so on.
    pub fn method_name(self) -> &'static Ref<Str> {
        let names = names();
        match self {
            Add => &names.add,
            Subtract => &names.sub,
            Multiply => &names.mul,
            MatrixMultiply => &names.matmul,
            TrueDivide => &names.truediv,
            FloorDivide => &names.floordiv,
            Remainder => &names.mod_,
            Power => &names.pow,
            Lshift => &names.lshift,
            Rshift => &names.rshift,
            And => &names.and,
            Xor => &names.xor,
            Or => &names.or,
            Divmod => &names.divmod,
        }
    }
    fn inplace_slot(self, s: &Slots) -> Option<BinaryFn> {
        match self {
            Add => s.inplace_add.get(),
            Subtract => s.inplace_subtract.get(),
            Multiply => s.inplace_multiply.get(),
            MatrixMultiply => s.inplace_matrix_multiply.get(),
            TrueDivide => s.inplace_true_divide.get(),
            FloorDivide => s.inplace_floor_divide.get(),
            Remainder => s.inplace_remainder.get(),
            Lshift => s.inplace_lshift.get(),
            Rshift => s.inplace_rshift.get(),
            And => s.inplace_and.get(),
            Xor => s.inplace_xor.get(),
            Or => s.inplace_or.get(),
            Power | Divmod => None,
        }
    }
}

/// The number slots alone; `NotImplemented` where neither side answers.
pub fn binary_opt(th: &mut Thread, op: BinaryOp, a: &Value, b: &Value) -> PyResult<Value> {
    let (ca, cb) = (a.class_ref(), b.class_ref());
    let left = op.slot(&ca.slots);
    let right = if ca.ptr_eq(&cb) { None } else { op.slot(&cb.slots) };
    let same = left.map(|f| f as usize) == right.map(|f| f as usize);
    let mut right = if same { None } else { right };
    if let Some(f) = left {
        if let Some(g) = right
            && cb.object().is_subtype(ca.object())
        {
            let r = g(th, a, b)?;
            if !r.is_not_implemented() {
                return Ok(r);
            }
            right = None;
        }
        let r = f(th, a, b)?;
        if !r.is_not_implemented() {
            return Ok(r);
        }
    }
    match right {
        Some(g) => g(th, a, b),
        None => Ok(Value::NOT_IMPLEMENTED),
    }
}
/// `a op b`.
pub fn binary(th: &mut Thread, op: BinaryOp, a: &Value, b: &Value) -> PyResult<Value> {
    if op == Power {
        return power(th, a, b, &Value::NONE);
    }
    let r = binary_opt(th, op, a, b)?;
    if r.is_not_implemented() { otherwise(th, op, a, b) } else { Ok(r) }
}
/// `a op b`, or `a op= b`, once the method of the left operand, which is asked first, gave NotImplemented.
pub fn after_left(th: &mut Thread, op: BinaryOp, a: &Value, b: &Value, inplace: bool) -> PyResult<Value> {
    let (left, right) = (op.slot(&a.class().slots), op.slot(&b.class().slots));
    if let Some(g) = right.filter(|&g| !a.class().is_same(b.class()) && left.map(|f| f as usize) != Some(g as usize)) {
        let r = g(th, a, b)?;
        if !r.is_not_implemented() {
            return Ok(r);
        }
    }
    if inplace { otherwise_inplace(th, op, a, b) } else { otherwise(th, op, a, b) }
}
/// `a op b` where no number slot answers.
fn otherwise(th: &mut Thread, op: BinaryOp, a: &Value, b: &Value) -> PyResult<Value> {
    match sequence_fallback(th, op, a, b)? {
        Some(r) => Ok(r),
        None => Err(unsupported(th, op.symbol(), a, b)),
    }
}
/// `+` and `*` on sequences.
fn sequence_fallback(th: &mut Thread, op: BinaryOp, a: &Value, b: &Value) -> PyResult<Option<Value>> {
    match op {
        Add => match a.class().slots.sq_concat.get() {
            Some(f) => f(th, a, b).map(Some),
            None => Ok(None),
        },
        Multiply => {
            if let Some(f) = a.class().slots.sq_repeat.get() {
                let n = repeat_count(th, b)?;
                return f(th, a, n).map(Some);
            }
            if let Some(f) = b.class().slots.sq_repeat.get() {
                let n = repeat_count(th, a)?;
                return f(th, b, n).map(Some);
            }
            Ok(None)
        }
        _ => Ok(None),
    }
}
fn repeat_count(th: &mut Thread, v: &Value) -> PyResult<isize> {
    if has_index(v) {
        return index_isize(th, v);
    }
    let name = v.class().name();
    Err(type_error(th, format!("can't multiply sequence by non-int of type '{name}'")))
}
#[cold]
fn unsupported(th: &mut Thread, symbol: &str, a: &Value, b: &Value) -> Raised {
    let (x, y) = (a.class().name(), b.class().name());
    if symbol == ">>"
        && let Some(f) = a.downcast_ref::<crate::types::native_function::NativeFunction>()
        && f.name() == "print"
    {
        let message = format!(
            "unsupported operand type(s) for >>: '{x}' and '{y}'. Did you mean \"print(<message>, file=<output_stream>)\"?"
        );
        return type_error(th, message);
    }
    type_error(th, format!("unsupported operand type(s) for {symbol}: '{x}' and '{y}'"))
}
/// `a op= b`.
pub fn inplace(th: &mut Thread, op: BinaryOp, a: &Value, b: &Value) -> PyResult<Value> {
    if op == Power {
        return inplace_power(th, a, b);
    }
    let slot = op.inplace_slot(&a.class().slots);
    if let Some(f) = slot {
        let r = f(th, a, b)?;
        if !r.is_not_implemented() {
            return Ok(r);
        }
    }
    let r = binary_opt(th, op, a, b)?;
    if r.is_not_implemented() { otherwise_inplace(th, op, a, b) } else { Ok(r) }
}
/// `a op= b` where no number slot answers.
fn otherwise_inplace(th: &mut Thread, op: BinaryOp, a: &Value, b: &Value) -> PyResult<Value> {
    if op == Add {
        let f = a.class().slots.sq_inplace_concat.get();
        if let Some(f) = f {
            return f(th, a, b);
        }
    }
    if op == Multiply {
        let f = a.class().slots.sq_inplace_repeat.get();
        if let Some(f) = f {
            let n = repeat_count(th, b)?;
            return f(th, a, n);
        }
    }
    if let Some(r) = sequence_fallback(th, op, a, b)? {
        return Ok(r);
    }
    Err(unsupported(th, op.inplace_symbol(), a, b))
}
fn power_opt(th: &mut Thread, a: &Value, b: &Value, modulus: &Value) -> PyResult<Value> {
    let (ca, cb, cm) = (a.class_ref(), b.class_ref(), modulus.class_ref());
    let left = ca.slots.power.get();
    let right = if ca.ptr_eq(&cb) { None } else { cb.slots.power.get() };
    let mut right = if left.map(|f| f as usize) == right.map(|f| f as usize) { None } else { right };
    if let Some(f) = left {
        if let Some(g) = right
            && cb.object().is_subtype(ca.object())
        {
            let r = g(th, a, b, modulus)?;
            if !r.is_not_implemented() {
                return Ok(r);
            }
            right = None;
        }
        let r = f(th, a, b, modulus)?;
        if !r.is_not_implemented() {
            return Ok(r);
        }
    }
    if let Some(g) = right {
        let r = g(th, a, b, modulus)?;
        if !r.is_not_implemented() {
            return Ok(r);
        }
    }
    if let Some(h) = cm.slots.power.get() {
        let tried = |f: Option<krait_object::slots::TernaryFn>| f.is_some_and(|f| f as usize == h as usize);
        if !tried(left) && !tried(cb.slots.power.get()) {
            return h(th, a, b, modulus);
        }
    }
    Ok(Value::NOT_IMPLEMENTED)
}
/// `pow(a, b, modulus)`; `modulus` is None for `a ** b`.
pub fn power(th: &mut Thread, a: &Value, b: &Value, modulus: &Value) -> PyResult<Value> {
    let r = power_opt(th, a, b, modulus)?;
    if !r.is_not_implemented() {
        return Ok(r);
    }
    let (x, y) = (a.class().name(), b.class().name());
    if modulus.is_none() {
        return Err(unsupported(th, Power.symbol(), a, b));
    }
    let z = modulus.class().name();
    Err(type_error(th, format!("unsupported operand type(s) for ** or pow(): '{x}', '{y}', '{z}'")))
}
fn inplace_power(th: &mut Thread, a: &Value, b: &Value) -> PyResult<Value> {
    let slot = a.class().slots.inplace_power.get();
    if let Some(f) = slot {
        let r = f(th, a, b, &Value::NONE)?;
        if !r.is_not_implemented() {
            return Ok(r);
        }
    }
    let r = power_opt(th, a, b, &Value::NONE)?;
    if r.is_not_implemented() { Err(unsupported(th, "**=", a, b)) } else { Ok(r) }
}

fn unary(th: &mut Thread, slot: Option<UnaryFn>, v: &Value, what: &str) -> PyResult<Value> {
    match slot {
        Some(f) => f(th, v),
        None => {
            let name = v.class().name();
            Err(type_error(th, format!("bad operand type for {what}: '{name}'")))
        }
    }
}
pub fn negative(th: &mut Thread, v: &Value) -> PyResult<Value> {
    unary(th, v.class().slots.negative.get(), v, "unary -")
}
pub fn positive(th: &mut Thread, v: &Value) -> PyResult<Value> {
    unary(th, v.class().slots.positive.get(), v, "unary +")
}
pub fn invert(th: &mut Thread, v: &Value) -> PyResult<Value> {
    unary(th, v.class().slots.invert.get(), v, "unary ~")
}
pub fn absolute(th: &mut Thread, v: &Value) -> PyResult<Value> {
    unary(th, v.class().slots.absolute.get(), v, "abs()")
}

/// Whether `v` is an int or has `__index__`.
pub fn has_index(v: &Value) -> bool {
    v.is_int() || v.as_int_ref().is_some() || v.class().slots.index.is_set()
}
/// `operator.index(v)`: an int (instances of subclasses stay what they are).
pub fn index(th: &mut Thread, v: &Value) -> PyResult<Value> {
    if v.as_int_ref().is_some() {
        return Ok(v.clone());
    }
    let slot = v.class().slots.index.get();
    let Some(f) = slot else {
        let name = v.class().name();
        return Err(type_error(th, format!("'{name}' object cannot be interpreted as an integer")));
    };
    let r = f(th, v)?;
    if r.is_int() || r.is_exact(&krait_object::builtin_types::INT) {
        return Ok(r);
    }
    if r.as_int_ref().is_some() {
        let name = r.class().name();
        let message = format!(
            "__index__ returned non-int (type {name}).  The ability to return an instance of a strict subclass of int is \
             deprecated, and may be removed in a future version of Python."
        );
        crate::warnings::warn(th, &crate::exceptions::DEPRECATION_WARNING, &message, 1)?;
        return Ok(r);
    }
    let name = r.class().name();
    Err(type_error(th, format!("__index__ returned non-int (type {name})")))
}
fn with_int<R>(th: &mut Thread, v: &Value, f: impl FnOnce(&mut Thread, IntRef<'_>) -> PyResult<R>) -> PyResult<R> {
    if let Some(i) = v.as_int() {
        return f(th, IntRef::Small(i));
    }
    let i = index(th, v)?;
    match i.as_int_ref() {
        Some(i) => f(th, i),
        None => Err(type_error(th, "an integer is required")),
    }
}
/// An index: OverflowError where it does not fit.
pub fn index_isize(th: &mut Thread, v: &Value) -> PyResult<isize> {
    index_or(th, v, |th, class| overflow_error(th, format!("cannot fit '{class}' into an index-sized integer")))
}
/// An index: IndexError where it does not fit.
pub fn index_isize_or_index_error(th: &mut Thread, v: &Value) -> PyResult<isize> {
    index_or(th, v, |th, class| {
        crate::errors::index_error(th, format!("cannot fit '{class}' into an index-sized integer"))
    })
}
fn index_or(th: &mut Thread, v: &Value, fail: impl FnOnce(&mut Thread, &str) -> Raised) -> PyResult<isize> {
    if let Some(i) = v.as_int() {
        return Ok(i as isize);
    }
    let class = v.class().name();
    with_int(th, v, |th, i| i.to_i64().map(|i| i as isize).ok_or_else(|| fail(th, &class)))
}
/// An index, clamped to the machine's range.
pub fn index_clamped(th: &mut Thread, v: &Value) -> PyResult<isize> {
    with_int(th, v, |_, i| Ok(i.to_i64().map_or(if i.is_negative() { isize::MIN } else { isize::MAX }, |i| i as isize)))
}
pub fn to_bigint(th: &mut Thread, v: &Value) -> PyResult<BigInt> {
    with_int(th, v, |_, i| Ok(i.to_bigint()))
}
/// A C `long long`.
pub fn to_i64(th: &mut Thread, v: &Value) -> PyResult<i64> {
    with_int(th, v, |th, i| i.to_i64().ok_or_else(|| overflow_error(th, "Python int too large to convert to C long")))
}
/// A C `Py_ssize_t` argument.
pub fn to_isize(th: &mut Thread, v: &Value) -> PyResult<isize> {
    with_int(th, v, |th, i| {
        let fits = i.to_i64().map(|i| i as isize);
        fits.ok_or_else(|| overflow_error(th, "Python int too large to convert to C ssize_t"))
    })
}
/// A C `int`.
pub fn to_i32(th: &mut Thread, v: &Value) -> PyResult<i32> {
    with_int(th, v, |th, i| match i.to_i64() {
        None => Err(overflow_error(th, "Python int too large to convert to C int")),
        Some(n) => i32::try_from(n).map_err(|_| {
            let message =
                if n > 0 { "signed integer is greater than maximum" } else { "signed integer is less than minimum" };
            overflow_error(th, message)
        }),
    })
}
/// A C `unsigned long long`, out-of-range values refused.
pub fn to_u64(th: &mut Thread, v: &Value) -> PyResult<u64> {
    with_int(th, v, |th, i| {
        if i.is_negative() {
            return Err(overflow_error(th, "can't convert negative int to unsigned"));
        }
        let fits = match i {
            IntRef::Small(i) => Some(i as u64),
            IntRef::Big(b) => b.to_u64(),
        };
        fits.ok_or_else(|| overflow_error(th, "Python int too large to convert to C unsigned long"))
    })
}
/// A C `unsigned int`-like value, as `u64` masked to `bits`.
pub fn to_masked(th: &mut Thread, v: &Value, bits: u32) -> PyResult<u64> {
    with_int(th, v, |_, i| {
        let mask = if bits >= 64 { u64::MAX } else { (1 << bits) - 1 };
        let low = match i {
            IntRef::Small(i) => i as u64,
            IntRef::Big(b) => {
                let m: BigInt = b & BigInt::from(u64::MAX);
                m.to_u64().unwrap_or(0)
            }
        };
        Ok(low & mask)
    })
}
/// A C `double` argument: a float, or what `__float__` or `__index__` gives.
pub fn to_f64(th: &mut Thread, v: &Value) -> PyResult<f64> {
    if let Some(f) = v.to_f64() {
        return Ok(f);
    }
    let class = v.class_ref();
    if let Some(f) = class.slots.float.get() {
        let r = f(th, v)?;
        return match r.to_f64() {
            Some(x) => {
                if r.as_float().is_none() && !r.is_exact(&krait_object::builtin_types::FLOAT) {
                    let message = format!(
                        "{}.__float__ returned non-float (type {}).  The ability to return an instance of a strict \
                         subclass of float is deprecated, and may be removed in a future version of Python.",
                        class.name(),
                        r.class().name()
                    );
                    crate::warnings::warn(th, &crate::exceptions::DEPRECATION_WARNING, &message, 1)?;
                }
                Ok(x)
            }
            None => {
                let name = r.class().name();
                Err(type_error(th, format!("{}.__float__ returned non-float (type {name})", class.name())))
            }
        };
    }
    if has_index(v) {
        let i = index(th, v)?;
        return int_to_f64(th, &i);
    }
    Err(type_error(th, format!("must be real number, not {}", class.name())))
}
/// The nearest double of an int; OverflowError beyond the range.
pub fn int_to_f64(th: &mut Thread, v: &Value) -> PyResult<f64> {
    let f = match v.as_int_ref() {
        Some(IntRef::Small(i)) => Some(i as f64),
        Some(IntRef::Big(b)) => crate::numtext::exact::bigint_to_f64(b),
        None => None,
    };
    f.ok_or_else(|| overflow_error(th, "int too large to convert to float"))
}
/// `int(v)` without a base.
pub fn int(th: &mut Thread, v: &Value) -> PyResult<Value> {
    crate::types::int::from_object(th, v)
}
/// `float(v)`.
pub fn float(th: &mut Thread, v: &Value) -> PyResult<Value> {
    crate::types::float::from_object(th, v)
}
/// `__trunc__`, `__round__` and friends: the result of a special method, or `None` where the type has none.
pub fn special_unary(th: &mut Thread, v: &Value, name: &str) -> PyResult<Option<Value>> {
    match lookup_special(th, v, name)? {
        Some(f) => crate::protocol::call::call(th, &f, &[]).map(Some),
        None => Ok(None),
    }
}
