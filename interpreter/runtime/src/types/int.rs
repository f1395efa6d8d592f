//! `int`: the class and its slots. Arithmetic is in `int/arith`, of huge ints in `int/huge`, power and shifts in `int/power`, methods in
//! `int/methods`, text to int in `int/parse`. CPython: `Objects/longobject.c`.
use krait_object::builtin_types::INT;
use krait_object::{
    Args, ClassDef, CmpOp, IntRef, PyResult, Ref, SlotDefs, Str, Thread, Type, Value, hash, int, type_flag,
};

use crate::errors::{overflow_error, type_error, value_error};
use crate::numtext::{exact, int_text};
use crate::protocol::number;

mod arith;
pub mod huge;
pub mod limit;
mod methods;
mod parse;
mod power;

pub use arith::{
    absolute, add, and, compare, divmod, floordiv, invert, modulo, mul, negative, or, order, positive, sub, truediv,
    xor,
};
pub use limit::check_value as check_digits_to_text;
pub use parse::{ascii_digits, from_bytes_text, from_object, from_text};
pub use power::{lshift, pow, rshift};

pub static DEF: ClassDef = ClassDef {
    doc: "int([x]) -> integer\nint(x, base=10) -> integer\n\n\
          Convert a number or a string to an integer; int() is 0. A floating-point number loses\n\
          what follows its point. With a base, x must be a string, bytes or bytearray that holds\n\
          an integer literal in that base, which is 2 to 36, or 0 to go by the literal's prefix.\n\n    >>> int('1f', 16)\n    31",
    methods: methods::METHODS,
    getset: methods::GETSET,
    slots: SlotDefs {
        new: Some(new),
        repr: Some(repr),
        hash: Some(hash_slot),
        compare: Some(compare),
        add: Some(add),
        subtract: Some(sub),
        multiply: Some(mul),
        remainder: Some(modulo),
        divmod: Some(divmod),
        power: Some(pow),
        negative: Some(negative),
        positive: Some(positive),
        absolute: Some(absolute),
        bool: Some(truth),
        invert: Some(invert),
        lshift: Some(lshift),
        rshift: Some(rshift),
        and: Some(and),
        xor: Some(xor),
        or: Some(or),
        int: Some(positive),
        float: Some(float),
        floor_divide: Some(floordiv),
        true_divide: Some(truediv),
        index: Some(positive),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::BASE | type_flag::MATCH_SELF | type_flag::LONG_SUBCLASS,
    ..ClassDef::new(&INT)
};

/// The number in a value whose class the caller has checked.
pub(super) fn number_of(v: &Value) -> IntRef<'_> {
    v.as_int_ref().expect("the caller checked that this is an int")
}

fn new(th: &mut Thread, class: &Ref<Type>, args: &Args<'_>) -> PyResult<Value> {
    let (x, base) = arguments(th, args)?;
    let made = match (x, base) {
        (None, None) => Value::int(0),
        (Some(x), None) => from_object(th, x)?,
        (None, Some(_)) => return Err(type_error(th, "int() missing string argument")),
        (Some(x), Some(base)) => with_base(th, x, base)?,
    };
    if class.is(&INT) {
        return Ok(made);
    }
    Ok(int::with_class(number_of(&made).to_bigint(), class.object()))
}
/// `int(x=0, /, base=10)`, with the messages of the fast call path.
fn arguments<'a>(th: &mut Thread, args: &Args<'a>) -> PyResult<(Option<&'a Value>, Option<&'a Value>)> {
    let pos = args.pos();
    if pos.len() > 2 && !args.has_kw() {
        return Err(type_error(th, format!("int expected at most 2 arguments, got {}", pos.len())));
    }
    if pos.len() + args.names().len() > 2 {
        let n = pos.len() + args.names().len();
        return Err(type_error(th, format!("int() takes at most 2 arguments ({n} given)")));
    }
    let mut base = pos.get(1);
    for (name, value) in args.kw() {
        if !name.downcast_ref::<Str>().is_some_and(|n| n.eq_str("base")) {
            let name = crate::protocol::repr::str(th, name)?;
            let message = format!("int() got an unexpected keyword argument '{}'", name.to_string_lossy());
            return Err(type_error(th, message));
        }
        if base.is_some() {
            return Err(type_error(th, "argument for int() given by name ('base') and position (2)"));
        }
        base = Some(value);
    }
    Ok((pos.first(), base))
}
fn with_base(th: &mut Thread, x: &Value, base: &Value) -> PyResult<Value> {
    let base = number::index(th, base)?;
    let base = match number_of(&base).to_i64() {
        Some(0) => 0,
        Some(b @ 2..=36) => b as u32,
        _ => return Err(value_error(th, "int() base must be >= 2 and <= 36, or 0")),
    };
    if x.downcast_ref::<Str>().is_some() {
        return from_text(th, x, base);
    }
    match parse::bytes_of(th, x) {
        Some(data) => from_bytes_text(th, x, &data, base),
        None => Err(type_error(th, "int() can't convert non-string with explicit base")),
    }
}

/// The decimal digits of a machine word.
pub fn decimal(i: i64) -> Ref<Str> {
    let mut digits = [0u8; 20];
    let (mut at, mut rest) = (digits.len(), i.unsigned_abs());
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if i < 0 {
        at -= 1;
        digits[at] = b'-';
    }
    Str::from_latin1(&digits[at..])
}
fn repr(th: &mut Thread, v: &Value) -> PyResult<Value> {
    let big = match number_of(v) {
        IntRef::Small(i) => return Ok(decimal(i).into()),
        IntRef::Big(big) => big,
    };
    limit::check_value(th, IntRef::Big(big))?;
    let text = int_text::bigint_to_text_by(&mut huge::Interruptible(th), big, 10)?;
    Ok(Value::str(&text))
}
fn hash_slot(_: &mut Thread, v: &Value) -> PyResult<i64> {
    Ok(match number_of(v) {
        IntRef::Small(i) => hash::int(i),
        IntRef::Big(b) => hash::bigint(b),
    })
}
fn truth(_: &mut Thread, v: &Value) -> PyResult<bool> {
    Ok(!number_of(v).is_zero())
}
fn float(th: &mut Thread, v: &Value) -> PyResult<Value> {
    Ok(to_f64(th, number_of(v))?.into())
}
/// The nearest float; OverflowError where there is none.
pub fn to_f64(th: &mut Thread, i: IntRef<'_>) -> PyResult<f64> {
    match i {
        IntRef::Small(i) => Ok(i as f64),
        IntRef::Big(b) => match exact::bigint_to_f64(b) {
            Some(f) => Ok(f),
            None => Err(overflow_error(th, "int too large to convert to float")),
        },
    }
}
/// Whether the comparison that `op` asks for holds between two ints.
pub fn compare_ints(a: IntRef<'_>, b: IntRef<'_>, op: CmpOp) -> bool {
    op.of(order(a, b))
}
