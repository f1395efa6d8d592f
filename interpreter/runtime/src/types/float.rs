//! `float`: the class, its slots and arithmetic. Methods are in `float/methods`. CPython: `Objects/floatobject.c`.
use std::cmp::Ordering;

use krait_object::builtin_types::FLOAT;
use krait_object::native::Sig;
use krait_object::{
    Args, ClassDef, CmpOp, IntRef, PyResult, Raised, Ref, SlotDefs, Str, StrBuilder, Thread, Tuple, Type, Value, float,
    hash, type_flag,
};

use super::int;
use crate::errors::{overflow_error, raise_args, raise_value, type_error, value_error, zero_division_error};
use crate::exceptions as exc;
use crate::numtext::{exact, float_format, float_parse};
use crate::protocol::{buffer, number, repr};
use crate::warnings::warn;

mod methods;

pub static DEF: ClassDef = ClassDef {
    doc: "Convert a string or number to a floating-point number, if possible.",
    sig: "(x=0, /)",
    methods: methods::METHODS,
    getset: methods::GETSET,
    slots: SlotDefs {
        new: Some(new),
        repr: Some(repr_slot),
        hash: Some(hash_slot),
        compare: Some(compare),
        add: Some(add),
        subtract: Some(sub),
        multiply: Some(mul),
        remainder: Some(modulo),
        divmod: Some(divmod),
        power: Some(pow),
        negative: Some(|_, v| Ok((-number_of(v)).into())),
        positive: Some(positive),
        absolute: Some(|_, v| Ok(number_of(v).abs().into())),
        bool: Some(|_, v| Ok(number_of(v) != 0.0)),
        int: Some(|th, v| to_int(th, number_of(v))),
        float: Some(positive),
        floor_divide: Some(floordiv),
        true_divide: Some(truediv),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::BASE | type_flag::MATCH_SELF,
    ..ClassDef::new(&FLOAT)
};

/// The number in a value whose class the caller has checked.
fn number_of(v: &Value) -> f64 {
    v.to_f64().expect("the caller checked that this is a float")
}

fn new(th: &mut Thread, class: &Ref<Type>, args: &Args<'_>) -> PyResult<Value> {
    static SIG: Sig = Sig::new("(x=0, /)");
    let made = match args.pos() {
        [] if !args.has_kw() => Value::float(0.0),
        [x] if !args.has_kw() => from_object(th, x)?,
        pos => {
            // A subclass with an `__init__` of its own takes the keywords there.
            let own_init = !class.slots.init.same(&FLOAT.slots.init);
            let positional = Args::new(pos, &[]);
            let bound = SIG.bind(th, "float", "float", if own_init { &positional } else { args }, 0)?;
            match bound.args().opt(0) {
                Some(x) => from_object(th, x)?,
                None => Value::float(0.0),
            }
        }
    };
    if class.is(&FLOAT) {
        return Ok(made);
    }
    Ok(float::with_class(number_of(&made), class.object()))
}

#[cold]
fn not_a_number(th: &mut Thread, shown: &Value) -> Raised {
    let shown = match repr::repr(th, shown) {
        Ok(s) => s,
        Err(raised) => return raised,
    };
    let mut message = StrBuilder::new();
    message.push_text("could not convert string to float: ");
    message.push_str(&shown);
    let e = exc::allocate(&exc::VALUE_ERROR, Tuple::of([message.finish().into()]));
    raise_value(th, e)
}
fn parse(th: &mut Thread, shown: &Value, text: &[u8]) -> PyResult<Value> {
    let is_space = |b: &u8| matches!(b, b' ' | b'\t'..=b'\r');
    let start = text.iter().position(|b| !is_space(b)).unwrap_or(text.len());
    let end = text.iter().rposition(|b| !is_space(b)).map_or(start, |i| i + 1);
    match float_parse::parse_float(&text[start..end]) {
        Some(f) => Ok(f.into()),
        None => Err(not_a_number(th, shown)),
    }
}
/// `float(text)` for a `str`.
pub fn from_text(th: &mut Thread, text: &Value, s: &Str) -> PyResult<Value> {
    match s.as_ascii() {
        Some(ascii) => parse(th, text, ascii.as_bytes()),
        None => parse(th, text, &int::ascii_digits(s)),
    }
}
/// `float(v)`: `__float__`, `__index__`, text, bytes.
pub fn from_object(th: &mut Thread, v: &Value) -> PyResult<Value> {
    if v.is_exact(&FLOAT) {
        return Ok(v.clone());
    }
    let slot = v.class().slots.float.get();
    if let Some(f) = slot {
        let made = f(th, v)?;
        return exact_float(th, v, made);
    }
    if number::has_index(v) {
        let i = number::index(th, v)?;
        return Ok(number::int_to_f64(th, &i)?.into());
    }
    if let Some(s) = v.downcast_ref::<Str>() {
        return from_text(th, v, s);
    }
    if buffer::has_buffer(v) {
        let data = buffer::bytes_like(th, v)?;
        return parse(th, v, &data);
    }
    let class = v.class().name();
    Err(type_error(th, format!("float() argument must be a string or a real number, not '{class}'")))
}

/// What `__float__` of `v` returned, as an exact float.
fn exact_float(th: &mut Thread, v: &Value, made: Value) -> PyResult<Value> {
    if made.is_exact(&FLOAT) {
        return Ok(made);
    }
    let (class, given) = (v.class().name(), made.class().name());
    let Some(f) = made.to_f64() else {
        return Err(type_error(th, format!("{class}.__float__ returned non-float (type {given})")));
    };
    let message = format!(
        "{class}.__float__ returned non-float (type {given}).  The ability to return an instance of a strict subclass \
         of float is deprecated, and may be removed in a future version of Python."
    );
    warn(th, &exc::DEPRECATION_WARNING, &message, 1)?;
    Ok(f.into())
}

/// The integer part.
pub fn to_int(th: &mut Thread, f: f64) -> PyResult<Value> {
    if f.is_nan() {
        return Err(value_error(th, "cannot convert float NaN to integer"));
    }
    if f.is_infinite() {
        return Err(overflow_error(th, "cannot convert float infinity to integer"));
    }
    if f.abs() < 9e15 {
        return Ok(Value::int(f as i64));
    }
    Ok(exact::f64_to_bigint(f).into())
}
fn positive(_: &mut Thread, v: &Value) -> PyResult<Value> {
    Ok(if v.is_exact(&FLOAT) { v.clone() } else { number_of(v).into() })
}
fn repr_slot(_: &mut Thread, v: &Value) -> PyResult<Value> {
    Ok(Value::str(&float_format::repr(number_of(v))))
}
/// A NaN hashes by identity, so that many of them do not collide.
fn hash_slot(_: &mut Thread, v: &Value) -> PyResult<i64> {
    Ok(hash_float(number_of(v), v))
}
/// The hash of `f`, that of the object `v` if it is a NaN.
pub fn hash_float(f: f64, v: &Value) -> i64 {
    if f.is_nan() { hash::pointer(v.id() as usize) } else { hash::float(f) }
}

/// The operand of a float operation: float or int; `None` for anything else.
#[inline]
pub fn operand(th: &mut Thread, v: &Value) -> PyResult<Option<f64>> {
    if let Some(f) = v.as_float() {
        return Ok(Some(f));
    }
    if let Some(i) = v.as_int() {
        return Ok(Some(i as f64));
    }
    match v.to_f64() {
        Some(f) => Ok(Some(f)),
        None => v.as_int_ref().map(|i| int::to_f64(th, i)).transpose(),
    }
}

macro_rules! operators {
    ($($(#[$doc:meta])* $name:ident $slow:ident $f:expr;)*) => { $(
        $(#[$doc])*
        #[inline]
        pub fn $name(th: &mut Thread, a: &Value, b: &Value) -> PyResult<Value> {
            if let (Some(x), Some(y)) = (a.as_float(), b.as_float()) {
                let f: fn(&mut Thread, f64, f64) -> PyResult<Value> = $f;
                return f(th, x, y);
            }
            $slow(th, a, b)
        }
        fn $slow(th: &mut Thread, a: &Value, b: &Value) -> PyResult<Value> {
            let (Some(x), Some(y)) = (operand(th, a)?, operand(th, b)?) else { return Ok(Value::NOT_IMPLEMENTED) };
            let f: fn(&mut Thread, f64, f64) -> PyResult<Value> = $f;
            f(th, x, y)
        }
    )* };
}
operators! {
    /// `a + b`
    add add_slow |_, x, y| Ok(Value::float(x + y));
    /// `a - b`
    sub sub_slow |_, x, y| Ok(Value::float(x - y));
    /// `a * b`
    mul mul_slow |_, x, y| Ok(Value::float(x * y));
    /// `a / b`
    truediv truediv_slow |th, x, y| {
        if y == 0.0 { Err(by_zero(th, "float division by zero")) } else { Ok(Value::float(x / y)) }
    };
    /// `a // b`
    floordiv floordiv_slow |th, x, y| {
        if y == 0.0 { Err(by_zero(th, "float floor division by zero")) } else { Ok(div_mod(x, y).0.into()) }
    };
    /// `a % b`
    modulo modulo_slow |th, x, y| {
        if y == 0.0 { Err(by_zero(th, "float modulo by zero")) } else { Ok(remainder(x, y).into()) }
    };
    /// `divmod(a, b)`
    divmod divmod_slow |th, x, y| {
        if y == 0.0 {
            return Err(by_zero(th, "float divmod()"));
        }
        let (q, r) = div_mod(x, y);
        Ok(Tuple::of([q.into(), r.into()]).into())
    };
}
#[cold]
fn by_zero(th: &mut Thread, message: &str) -> Raised {
    zero_division_error(th, message)
}

/// The remainder with the sign of `y`; a zero too.
fn remainder(x: f64, y: f64) -> f64 {
    let r = x % y;
    if r == 0.0 {
        0.0f64.copysign(y)
    } else if (y < 0.0) != (r < 0.0) {
        r + y
    } else {
        r
    }
}
/// Floored quotient and remainder, `y` not zero. The quotient is rounded to the nearest whole number, as x - r is close
/// to a multiple of y and the division may be off by a little.
fn div_mod(x: f64, y: f64) -> (f64, f64) {
    let mut r = x % y;
    let mut q = (x - r) / y;
    if r == 0.0 {
        r = 0.0f64.copysign(y);
    } else if (y < 0.0) != (r < 0.0) {
        r += y;
        q -= 1.0;
    }
    if q == 0.0 {
        return (0.0f64.copysign(x / y), r);
    }
    let floor = q.floor();
    (if q - floor > 0.5 { floor + 1.0 } else { floor }, r)
}

/// `pow(a, b)`; there is no modulus among floats.
pub fn pow(th: &mut Thread, a: &Value, b: &Value, modulus: &Value) -> PyResult<Value> {
    if !modulus.is_none() {
        return Err(type_error(th, "pow() 3rd argument not allowed unless all arguments are integers"));
    }
    let (Some(x), Some(y)) = (operand(th, a)?, operand(th, b)?) else { return Ok(Value::NOT_IMPLEMENTED) };
    power(th, x, y)
}
/// `x ** y`; complex for a negative base and a broken exponent.
pub fn power(th: &mut Thread, x: f64, y: f64) -> PyResult<Value> {
    let odd = || y.abs() % 2.0 == 1.0;
    if y == 0.0 {
        return Ok(Value::float(1.0));
    }
    if x.is_nan() {
        return Ok(x.into());
    }
    if y.is_nan() {
        return Ok(if x == 1.0 { Value::float(1.0) } else { y.into() });
    }
    if y.is_infinite() {
        let x = x.abs();
        return Ok(Value::float(match x == 1.0 {
            true => 1.0,
            false if (y > 0.0) == (x > 1.0) => y.abs(),
            false => 0.0,
        }));
    }
    if x.is_infinite() {
        return Ok(Value::float(match y > 0.0 {
            true if odd() => x,
            true => x.abs(),
            false if odd() => 0.0f64.copysign(x),
            false => 0.0,
        }));
    }
    if x == 0.0 {
        if y < 0.0 {
            return Err(by_zero(th, "0.0 cannot be raised to a negative power"));
        }
        return Ok(Value::float(if odd() { x } else { 0.0 }));
    }
    if x < 0.0 && y != y.floor() {
        return super::complex::power_of(th, (x, 0.0), (y, 0.0));
    }
    let negate = x < 0.0 && odd();
    let result = if x.abs() == 1.0 { 1.0 } else { x.abs().powf(y) };
    if result.is_infinite() {
        let args = vec![krait_platform::errno::ERANGE.into(), "Numerical result out of range".into()];
        return Err(raise_args(th, &exc::OVERFLOW_ERROR, args));
    }
    Ok(Value::float(if negate { -result } else { result }))
}

/// The exact order of a float and an int; `None` for a NaN.
pub fn order_with_int(f: f64, i: IntRef<'_>) -> Option<Ordering> {
    match i {
        // Immediates are below 2^49, hence exact.
        IntRef::Small(i) => f.partial_cmp(&(i as f64)),
        IntRef::Big(b) => {
            if f.is_nan() {
                return None;
            }
            if f.is_infinite() {
                return Some(if f > 0.0 { Ordering::Greater } else { Ordering::Less });
            }
            let whole = exact::f64_to_bigint(f).cmp(b);
            Some(whole.then_with(|| f.partial_cmp(&f.trunc()).unwrap_or(Ordering::Equal)))
        }
    }
}
/// `a op b`
pub fn compare(_: &mut Thread, a: &Value, b: &Value, op: CmpOp) -> PyResult<Value> {
    let order = match (a.to_f64(), b.to_f64()) {
        (Some(x), Some(y)) => x.partial_cmp(&y),
        (Some(x), None) => match b.as_int_ref() {
            Some(i) => order_with_int(x, i),
            None => return Ok(Value::NOT_IMPLEMENTED),
        },
        _ => return Ok(Value::NOT_IMPLEMENTED),
    };
    // Everything but != is false with a NaN.
    Ok(Value::bool(order.map_or(op == CmpOp::Ne, |o| op.of(o))))
}
