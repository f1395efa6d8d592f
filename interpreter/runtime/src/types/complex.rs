//! `complex`. CPython: `Objects/complexobject.c`.
use std::borrow::Cow;

use krait_macros::{Payload, Trace};
use krait_object::builtin_types::OBJECT;
use krait_object::native::{Sig, member, method};
use krait_object::{
    Args, ClassDef, CmpOp, GetSet, Method, PyResult, Ref, SlotDefs, Str, Thread, Tuple, Type, TypeObject, VTable,
    Value, hash, type_flag,
};

use super::{float, int, number_format};
use crate::errors::{overflow_error, type_error, value_error, zero_division_error};
use crate::exceptions as exc;
use crate::numtext::{complex as text, float_parse};
use crate::protocol::{attr, number, repr};
use crate::warnings::warn;

#[derive(Trace, Payload, Clone, Copy)]
#[payload(class = COMPLEX)]
pub struct Complex {
    #[trace(skip)]
    pub real: f64,
    #[trace(skip)]
    pub imag: f64,
}
static LAYOUT: VTable = VTable::of::<Complex>();
pub static COMPLEX: TypeObject = TypeObject::builtin("complex", Some(&OBJECT), &LAYOUT);

pub static DEF: ClassDef = ClassDef {
    doc: "Make a complex number from text or from numbers.\n\n\
          Text is read as a complex number; one number is converted to one. With real and imag,\n\
          the number has these components.",
    sig: "(real=0, imag=0)",
    methods: METHODS,
    getset: GETSET,
    slots: SlotDefs {
        new: Some(construct),
        repr: Some(|_, v| {
            let (re, im) = of(v);
            Ok(Value::str(&text::repr(re, im)))
        }),
        hash: Some(hash_slot),
        compare: Some(compare),
        add: Some(add),
        subtract: Some(sub),
        multiply: Some(mul),
        true_divide: Some(truediv),
        power: Some(pow),
        negative: Some(|_, v| {
            let (re, im) = of(v);
            Ok(new(-re, -im))
        }),
        positive: Some(exact),
        absolute: Some(absolute),
        bool: Some(|_, v| {
            let (re, im) = of(v);
            Ok(re != 0.0 || im != 0.0)
        }),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::BASE,
    ..ClassDef::new(&COMPLEX)
};
static METHODS: &[Method] = &[
    method("conjugate", "()", "Return the complex conjugate.", |_, a| {
        let (re, im) = of(&a[0]);
        Ok(new(re, -im))
    }),
    method("__complex__", "()", "Return self as an exact complex.", |th, a| exact(th, &a[0])),
    method("__getnewargs__", "()", "", |_, a| {
        let (re, im) = of(&a[0]);
        Ok(Tuple::of([re.into(), im.into()]).into())
    }),
    method("__format__", "(format_spec, /)", "Format by a specification.", number_format::format_complex),
];
static GETSET: &[GetSet] = &[
    member("real", "the real part of a complex number", |_, v| Ok(of(v).0.into())),
    member("imag", "the imaginary part of a complex number", |_, v| Ok(of(v).1.into())),
];

/// Real and imaginary part.
pub type Parts = (f64, f64);

/// The parts of a complex (or an instance of a subclass).
pub fn parts(v: &Value) -> Option<Parts> {
    v.downcast_ref::<Complex>().map(|c| (c.real, c.imag))
}
fn of(v: &Value) -> Parts {
    parts(v).expect("the caller checked that this is a complex")
}
/// A new exact complex.
pub fn new(real: f64, imag: f64) -> Value {
    Ref::new(Complex { real, imag }).into()
}
fn exact(_: &mut Thread, v: &Value) -> PyResult<Value> {
    let (re, im) = of(v);
    Ok(if v.is_exact(&COMPLEX) { v.clone() } else { new(re, im) })
}

fn construct(th: &mut Thread, class: &Ref<Type>, args: &Args<'_>) -> PyResult<Value> {
    static SIG: Sig = Sig::new("(real=0, imag=0)");
    let bound = SIG.bind(th, "complex", "complex", args, 0)?;
    let a = bound.args();
    let (real, imag) = (a.opt(0), a.opt(1));
    if let (Some(r), None) = (real, imag)
        && r.is_exact(&COMPLEX)
        && class.is(&COMPLEX)
    {
        return Ok(r.clone());
    }
    if let Some(r) = real
        && let Some(s) = r.downcast_ref::<Str>()
    {
        if imag.is_some() {
            return Err(type_error(th, "complex() can't take second arg if first is a string"));
        }
        let (re, im) = parse(th, r, s)?;
        return Ok(Ref::with_class(Complex { real: re, imag: im }, class.object()).into());
    }
    if imag.is_some_and(|i| i.downcast_ref::<Str>().is_some()) {
        return Err(type_error(th, "complex() second arg can't be a string"));
    }
    let (re, im) = from_numbers(th, real, imag)?;
    Ok(Ref::with_class(Complex { real: re, imag: im }, class.object()).into())
}
fn parse(th: &mut Thread, shown: &Value, s: &Str) -> PyResult<Parts> {
    let digits = match s.as_ascii() {
        Some(ascii) => Cow::Borrowed(ascii.as_bytes()),
        None => Cow::Owned(int::ascii_digits(s)),
    };
    if digits.contains(&b'_') && float_parse::without_underscores(&digits).is_none() {
        let shown = repr::repr(th, shown)?;
        return Err(value_error(th, format!("could not convert string to complex: {shown}")));
    }
    text::parse_complex(&digits).ok_or_else(|| value_error(th, "complex() arg is a malformed string"))
}
fn is_number(v: &Value) -> bool {
    let slots = &v.class().slots;
    slots.float.is_set() || slots.index.is_set() || v.downcast_ref::<Complex>().is_some()
}
fn from_numbers(th: &mut Thread, real: Option<&Value>, imag: Option<&Value>) -> PyResult<Parts> {
    let mut real = real.cloned().unwrap_or(Value::int(0));
    if let Some(made) = from_special_method(th, &real)? {
        real = made;
    }
    if !is_number(&real) {
        let class = real.class().name();
        let message = format!("complex() first argument must be a string or a number, not '{class}'");
        return Err(type_error(th, message));
    }
    if let Some(i) = imag.filter(|i| !is_number(i)) {
        let class = i.class().name();
        return Err(type_error(th, format!("complex() second argument must be a number, not '{class}'")));
    }
    // Parts that are complex themselves: real + imag * 1j.
    let r = match real.downcast_ref::<Complex>() {
        Some(c) => (c.real, c.imag),
        None => (number::to_f64(th, &real)?, 0.0),
    };
    Ok(match imag {
        None => r,
        Some(i) => match i.downcast_ref::<Complex>() {
            Some(c) if real.downcast_ref::<Complex>().is_some() => (r.0 - c.imag, c.real + r.1),
            Some(c) => (r.0 - c.imag, c.real),
            None if real.downcast_ref::<Complex>().is_some() => (r.0, number::to_f64(th, i)? + r.1),
            None => (r.0, number::to_f64(th, i)?),
        },
    })
}
/// What `__complex__` returns, of anything but an exact complex.
fn from_special_method(th: &mut Thread, v: &Value) -> PyResult<Option<Value>> {
    if v.is_exact(&COMPLEX) || v.is_int() || v.is_float() {
        return Ok(None);
    }
    let Some(made) = attr::call_special_opt(th, v, "__complex__", &[])? else { return Ok(None) };
    if made.is_exact(&COMPLEX) {
        return Ok(Some(made));
    }
    let class = made.class().name();
    if made.downcast_ref::<Complex>().is_none() {
        return Err(type_error(th, format!("__complex__ returned non-complex (type {class})")));
    }
    let message = format!(
        "__complex__ returned non-complex (type {class}).  The ability to return an instance of a strict subclass of \
         complex is deprecated, and may be removed in a future version of Python."
    );
    warn(th, &exc::DEPRECATION_WARNING, &message, 1)?;
    Ok(Some(made))
}
/// The complex value of any number, as functions of `cmath` take it: `__complex__`, `__float__`, `__index__`.
pub fn to_parts(th: &mut Thread, v: &Value) -> PyResult<Parts> {
    if let Some(c) = v.downcast_ref::<Complex>() {
        return Ok((c.real, c.imag));
    }
    match from_special_method(th, v)? {
        Some(c) => Ok(of(&c)),
        None => Ok((number::to_f64(th, v)?, 0.0)),
    }
}

fn hash_slot(_: &mut Thread, v: &Value) -> PyResult<i64> {
    let (re, im) = of(v);
    let (re, im) = (float::hash_float(re, v) as u64, float::hash_float(im, v) as u64);
    Ok(hash::fix(re.wrapping_add(im.wrapping_mul(1_000_003)) as i64))
}
fn compare(_: &mut Thread, a: &Value, b: &Value, op: CmpOp) -> PyResult<Value> {
    let Some(x) = a.downcast_ref::<Complex>().filter(|_| matches!(op, CmpOp::Eq | CmpOp::Ne)) else {
        return Ok(Value::NOT_IMPLEMENTED);
    };
    let equal = if let Some(y) = b.downcast_ref::<Complex>() {
        x.real == y.real && x.imag == y.imag
    } else if let Some(f) = b.to_f64() {
        x.imag == 0.0 && x.real == f
    } else if let Some(i) = b.as_int_ref() {
        x.imag == 0.0 && float::order_with_int(x.real, i).is_some_and(|o| o.is_eq())
    } else {
        return Ok(Value::NOT_IMPLEMENTED);
    };
    Ok(Value::bool(equal == (op == CmpOp::Eq)))
}

/// The operand of a complex operation: complex, float or int; `None` for anything else.
fn operand(th: &mut Thread, v: &Value) -> PyResult<Option<Parts>> {
    if let Some(c) = v.downcast_ref::<Complex>() {
        return Ok(Some((c.real, c.imag)));
    }
    Ok(float::operand(th, v)?.map(|f| (f, 0.0)))
}
macro_rules! operators {
    ($($name:ident $f:expr;)*) => { $(
        fn $name(th: &mut Thread, a: &Value, b: &Value) -> PyResult<Value> {
            let (Some(x), Some(y)) = (operand(th, a)?, operand(th, b)?) else { return Ok(Value::NOT_IMPLEMENTED) };
            let f: fn(Parts, Parts) -> Option<Parts> = $f;
            match f(x, y) {
                Some((re, im)) => Ok(new(re, im)),
                None => Err(zero_division_error(th, "complex division by zero")),
            }
        }
    )* };
}
operators! {
    add |a, b| Some((a.0 + b.0, a.1 + b.1));
    sub |a, b| Some((a.0 - b.0, a.1 - b.1));
    mul |a, b| Some(product(a, b));
    truediv quotient;
}
fn product(a: Parts, b: Parts) -> Parts {
    (a.0 * b.0 - a.1 * b.1, a.0 * b.1 + a.1 * b.0)
}
/// Smith's method, which avoids overflow where the quotient is representable; `None` for a zero divisor.
pub fn quotient(a: Parts, b: Parts) -> Option<Parts> {
    let (re, im) = (b.0.abs(), b.1.abs());
    if re >= im {
        if re == 0.0 {
            return None;
        }
        let ratio = b.1 / b.0;
        let denominator = b.0 + b.1 * ratio;
        Some(((a.0 + a.1 * ratio) / denominator, (a.1 - a.0 * ratio) / denominator))
    } else if im >= re {
        let ratio = b.0 / b.1;
        let denominator = b.0 * ratio + b.1;
        Some(((a.0 * ratio + a.1) / denominator, (a.1 * ratio - a.0) / denominator))
    } else {
        Some((f64::NAN, f64::NAN))
    }
}
fn pow(th: &mut Thread, a: &Value, b: &Value, modulus: &Value) -> PyResult<Value> {
    let (Some(x), Some(y)) = (operand(th, a)?, operand(th, b)?) else { return Ok(Value::NOT_IMPLEMENTED) };
    if !modulus.is_none() {
        return Err(value_error(th, "complex modulo"));
    }
    power_of(th, x, y)
}
/// `a ** b`; small whole exponents by multiplication, which is exact more often.
pub fn power_of(th: &mut Thread, a: Parts, b: Parts) -> PyResult<Value> {
    let result = if b.1 == 0.0 && b.0 == b.0.floor() && b.0.abs() <= 100.0 {
        let n = b.0 as i32;
        if n > 0 { Some(whole_power(a, n as u32)) } else { quotient((1.0, 0.0), whole_power(a, n.unsigned_abs())) }
    } else {
        polar_power(a, b)
    };
    match result {
        None => Err(zero_division_error(th, "0.0 to a negative or complex power")),
        Some((re, im)) if re.is_infinite() || im.is_infinite() => Err(overflow_error(th, "complex exponentiation")),
        Some((re, im)) => Ok(new(re, im)),
    }
}
fn whole_power(base: Parts, n: u32) -> Parts {
    let (mut result, mut power, mut mask) = ((1.0, 0.0), base, 1u32);
    while mask > 0 && n >= mask {
        if n & mask != 0 {
            result = product(result, power);
        }
        mask <<= 1;
        power = product(power, power);
    }
    result
}
fn polar_power(a: Parts, b: Parts) -> Option<Parts> {
    if b.0 == 0.0 && b.1 == 0.0 {
        return Some((1.0, 0.0));
    }
    if a.0 == 0.0 && a.1 == 0.0 {
        return if b.1 != 0.0 || b.0 < 0.0 { None } else { Some((0.0, 0.0)) };
    }
    let (size, angle) = (a.0.hypot(a.1), a.1.atan2(a.0));
    let mut length = size.powf(b.0);
    let mut phase = angle * b.0;
    if b.1 != 0.0 {
        length /= (angle * b.1).exp();
        phase += b.1 * size.ln();
    }
    // C's cosine of an infinity is a domain error, which CPython words as this one.
    if phase.is_infinite() { None } else { Some((length * phase.cos(), length * phase.sin())) }
}
fn absolute(th: &mut Thread, v: &Value) -> PyResult<Value> {
    let (re, im) = of(v);
    let size = re.hypot(im);
    if size.is_infinite() && re.is_finite() && im.is_finite() {
        return Err(overflow_error(th, "absolute value too large"));
    }
    Ok(size.into())
}
