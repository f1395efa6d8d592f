//! The class `Decimal`: construction and the methods that are operations of the specification. Conversions and everything
//! that only Python has are in `special`, operators in `number_slots`.
use krait_macros::{Payload, Trace};
use krait_object::native::{class_method, getter, method};
use krait_object::{
    Args, ClassDef, GetSet, Method, PyResult, Ref, SlotDefs, Thread, Type, TypeObject, VTable, Value,
    builtin_types::OBJECT, type_flag,
};
use krait_runtime::errors::type_error;

use super::convert::{self, Mode, value};
use super::num::{Ctx, Dec};
use super::{arith, context, logical, number_slots as slots, signals, special, text, transcend};
use crate::arguments::Parameters;

#[derive(Trace, Payload)]
#[payload(class = DECIMAL)]
pub struct Decimal(#[trace(skip)] pub Dec);
static LAYOUT: VTable = VTable::of::<Decimal>();
pub static DECIMAL: TypeObject = TypeObject::builtin("Decimal", Some(&OBJECT), &LAYOUT);
pub static DEF: ClassDef = ClassDef {
    module: "decimal",
    doc: "A decimal number, made exactly of an integer, a string, a tuple (sign, digits,\nexponent), a float or another decimal; 0 without a value. The context says only\nwhether a value that is no number raises InvalidOperation.",
    sig: "(value='0', context=None)",
    methods: METHODS,
    getset: GETSET,
    slots: SlotDefs {
        new: Some(new),
        repr: Some(|th, v| Ok(format!("Decimal('{}')", shown(th, v)?).into())),
        str: Some(|th, v| shown(th, v).map(Value::from)),
        hash: Some(|th, v| convert::hash_of(th, of(v), v)),
        compare: Some(slots::compare),
        add: Some(slots::add),
        subtract: Some(slots::subtract),
        multiply: Some(slots::multiply),
        true_divide: Some(slots::true_divide),
        floor_divide: Some(slots::floor_divide),
        remainder: Some(slots::remainder),
        divmod: Some(slots::divmod),
        power: Some(slots::power),
        negative: Some(|th, v| slots::unary(th, v, arith::minus)),
        positive: Some(|th, v| slots::unary(th, v, arith::plus)),
        absolute: Some(|th, v| slots::unary(th, v, arith::abs)),
        bool: Some(|_, v| Ok(!of(v).is_zero())),
        int: Some(|th, v| convert::to_integer(th, of(v)).map(Value::from)),
        float: Some(|th, v| convert::to_float(th, of(v)).map(Value::from)),
        ..SlotDefs::EMPTY
    },
    flags: type_flag::BASE,
    ..ClassDef::new(&DECIMAL)
};
static GETSET: &[GetSet] =
    &[getter("real", "", |_, v| Ok(v.clone())), getter("imag", "", |_, _| Ok(value(Dec::small(0))))];

pub type Unary = fn(&Dec, &Ctx, &mut u32) -> Dec;
pub type Binary = fn(&Dec, &Dec, &Ctx, &mut u32) -> Dec;

pub fn of(v: &Value) -> &Dec {
    &v.downcast_ref::<Decimal>().expect("the slot belongs to Decimal").0
}
fn shown(th: &mut Thread, v: &Value) -> PyResult<String> {
    let ctx = context::current(th)?;
    let capitals = ctx.data.get().capitals;
    Ok(text::to_text(of(v), false, capitals))
}
fn new(th: &mut Thread, class: &Ref<Type>, args: &Args<'_>) -> PyResult<Value> {
    static PARAMETERS: Parameters<2> =
        Parameters { function: "Decimal()", names: ["value", "context"], required: 0, positional: 2 };
    let [given, ctx] = PARAMETERS.bind(th, args)?;
    let ctx = context::argument(th, ctx)?;
    let Some(given) = given else { return Ok(convert::with_class(Dec::small(0), class)) };
    if class.is(&DECIMAL) && given.is_exact(&DECIMAL) {
        return Ok(given.clone());
    }
    let made = convert::of_value(th, given, Mode::Exact, &ctx)?;
    Ok(convert::with_class(made, class))
}
/// `d.operation(context=None)`.
fn unary(th: &mut Thread, a: &Args<'_>, f: Unary) -> PyResult<Value> {
    let ctx = context::argument(th, a.opt(1))?;
    let (data, mut st) = (ctx.data.get(), 0);
    let made = f(of(&a[0]), &data, &mut st);
    signals::note(th, &ctx, st)?;
    Ok(value(made))
}
/// `d.operation(other, context=None)`.
fn binary(th: &mut Thread, a: &Args<'_>, f: Binary) -> PyResult<Value> {
    let ctx = context::argument(th, a.opt(2))?;
    let other = convert::expect(th, &a[1])?;
    let (data, mut st) = (ctx.data.get(), 0);
    let made = f(of(&a[0]), &other, &data, &mut st);
    signals::note(th, &ctx, st)?;
    Ok(value(made))
}
/// An operation with a rounding of its own.
fn integral(th: &mut Thread, a: &Args<'_>, exact: bool) -> PyResult<Value> {
    let ctx = context::argument(th, a.opt(2))?;
    let mut data = ctx.data.get();
    if let Some(round) = a.opt_not_none(1) {
        data.round = context::rounding(th, round)?;
    }
    let mut st = 0;
    let made = arith::to_integral(of(&a[0]), &data, &mut st, exact);
    signals::note(th, &ctx, st)?;
    Ok(value(made))
}
macro_rules! rows {
    (unary { $($u:literal $uf:path;)* } binary { $($b:literal $bf:path;)* } plain { $($p:literal $sig:literal $(@ $doc:literal)? $pf:expr;)* } $($other:expr,)*) => { &[
        $(method($u, "(context=None)", "", |th, a| unary(th, a, $uf)),)*
        $(method($b, "(other, context=None)", "", |th, a| binary(th, a, $bf)),)*
        $(method($p, $sig, concat!("" $(, $doc)?), $pf),)*
        $($other,)*
    ] };
}
static METHODS: &[Method] = rows! {
    unary {
        "exp" transcend::exp;
        "ln" transcend::ln;
        "log10" transcend::log10;
        "logb" arith::logb;
        "logical_invert" logical::invert;
        "next_minus" arith::next_minus;
        "next_plus" arith::next_plus;
        "normalize" arith::reduce;
        "sqrt" arith::sqrt;
    }
    binary {
        "compare" logical::compare_op;
        "compare_signal" logical::compare_signal;
        "max" logical::max;
        "max_mag" logical::max_mag;
        "min" logical::min;
        "min_mag" logical::min_mag;
        "next_toward" arith::next_toward;
        "remainder_near" arith::rem_near;
        "logical_and" logical::and;
        "logical_or" logical::or;
        "logical_xor" logical::xor;
        "rotate" logical::rotate;
        "scaleb" arith::scaleb;
        "shift" logical::shift;
    }
    plain {
        "is_canonical" "()" |_, _| Ok(Value::TRUE);
        "is_finite" "()" |_, a| Ok(of(&a[0]).is_finite().into());
        "is_infinite" "()" |_, a| Ok(of(&a[0]).is_infinite().into());
        "is_nan" "()" |_, a| Ok(of(&a[0]).is_nan().into());
        "is_qnan" "()" |_, a| Ok((of(&a[0]).is_nan() && !of(&a[0]).is_signaling()).into());
        "is_snan" "()" |_, a| Ok(of(&a[0]).is_signaling().into());
        "is_signed" "()" |_, a| Ok(of(&a[0]).negative.into());
        "is_zero" "()" |_, a| Ok(of(&a[0]).is_zero().into());
        "is_normal" "(context=None)" |th, a| {
            let emin = context::argument(th, a.opt(1))?.data.get().emin;
            Ok(special::is_normal(of(&a[0]), emin).into())
        };
        "is_subnormal" "(context=None)" |th, a| {
            let emin = context::argument(th, a.opt(1))?.data.get().emin;
            Ok(special::is_subnormal(of(&a[0]), emin).into())
        };
        "adjusted" "()" |_, a| Ok(if of(&a[0]).is_finite() { of(&a[0]).adjusted() } else { 0 }.into());
        "canonical" "()" |_, a| Ok(a[0].clone());
        "conjugate" "()" |_, a| Ok(a[0].clone());
        "radix" "()" |_, _| Ok(value(Dec::small(10)));
        "copy_abs" "()" |_, a| Ok(value(of(&a[0]).clone().abs()));
        "copy_negate" "()" |_, a| Ok(value(of(&a[0]).clone().negated()));
        "number_class" "(context=None)" |th, a| {
            let data = context::argument(th, a.opt(1))?.data.get();
            Ok(logical::number_class(of(&a[0]), &data).into())
        };
        "to_eng_string" "(context=None)" |th, a| {
            let data = context::argument(th, a.opt(1))?.data.get();
            Ok(text::to_text(of(&a[0]), true, data.capitals).into())
        };
        "to_integral" "(rounding=None, context=None)" |th, a| integral(th, a, false);
        "to_integral_value" "(rounding=None, context=None)" |th, a| integral(th, a, false);
        "to_integral_exact" "(rounding=None, context=None)" |th, a| integral(th, a, true);
        "compare_total" "(other, context=None)" @ "Compare in the order that tells all representations apart: -1, 0 or 1.\n\n    >>> Decimal('1.50').compare_total(Decimal('1.5'))\n    Decimal('-1')"
        |th, a| {
            context::argument(th, a.opt(2))?;
            let other = convert::expect(th, &a[1])?;
            Ok(value(logical::compare_total(of(&a[0]), &other)))
        };
        "compare_total_mag" "(other, context=None)" |th, a| {
            context::argument(th, a.opt(2))?;
            let other = convert::expect(th, &a[1])?;
            Ok(value(logical::compare_total_mag(of(&a[0]), &other)))
        };
        "copy_sign" "(other, context=None)" @ "Self with the sign of other.\n\n    >>> Decimal('1.25').copy_sign(Decimal('-0'))\n    Decimal('-1.25')"
        |th, a| {
            context::argument(th, a.opt(2))?;
            let other = convert::expect(th, &a[1])?;
            Ok(value(logical::copy_sign(of(&a[0]), &other)))
        };
        "same_quantum" "(other, context=None)" |th, a| {
            context::argument(th, a.opt(2))?;
            let other = convert::expect(th, &a[1])?;
            Ok(logical::same_quantum(of(&a[0]), &other).into())
        };
        "fma" "(other, third, context=None)" @ "self*other + third, rounded once.\n\n    >>> Decimal(4).fma(5, 6)\n    Decimal('26')"
        |th, a| {
            let ctx = context::argument(th, a.opt(3))?;
            let (b, c) = (convert::expect(th, &a[1])?, convert::expect(th, &a[2])?);
            let mut st = 0;
            let made = arith::fma(of(&a[0]), &b, &c, &ctx.data.get(), &mut st);
            signals::note(th, &ctx, st)?;
            Ok(value(made))
        };
        "quantize" "(exp, rounding=None, context=None)" @ "Self rounded to the exponent of exp.\n\n    >>> Decimal('2.675').quantize(Decimal('0.01'))\n    Decimal('2.68')"
        |th, a| {
            let ctx = context::argument(th, a.opt(3))?;
            let mut data = ctx.data.get();
            if let Some(round) = a.opt_not_none(2) {
                data.round = context::rounding(th, round)?;
            }
            let other = convert::expect(th, &a[1])?;
            let mut st = 0;
            let made = arith::quantize(of(&a[0]), &other, &data, &mut st);
            signals::note(th, &ctx, st)?;
            Ok(value(made))
        };
        "as_tuple" "()" special::as_tuple;
        "as_integer_ratio" "()" special::as_integer_ratio;
        "__copy__" "()" |_, a| Ok(a[0].clone());
        "__deepcopy__" "(memo, /)" |_, a| Ok(a[0].clone());
        "__reduce__" "()" special::reduce;
        "__format__" "(fmtarg, override=None, /)" special::format;
        "__round__" "(ndigits=None, /)" special::round;
        "__floor__" "()" |th, a| special::to_int_with(th, &a[0], super::num::Round::Floor);
        "__ceil__" "()" |th, a| special::to_int_with(th, &a[0], super::num::Round::Ceiling);
        "__trunc__" "()" |th, a| convert::to_integer(th, of(&a[0])).map(Value::from);
        "__complex__" "()" special::complex;
        "__sizeof__" "()" |_, a| Ok((size_of::<Decimal>() + 16 + of(&a[0]).coeff.bits() as usize / 8).into());
    }
    class_method("from_float", "(f, /)", "The decimal that is exactly the float.\n\n    >>> Decimal.from_float(0.375)\n    Decimal('0.375')", |th, a| {
        let made = if let Some(n) = a[1].as_int_ref() {
            convert::of_int(n)
        } else if let Some(f) = a[1].to_f64() {
            convert::of_float(f)
        } else {
            return Err(type_error(th, "argument must be int or float"));
        };
        let class = a.this_ref::<Type>();
        if class.is(&DECIMAL) {
            return Ok(value(made));
        }
        crate::arguments::construct(th, &class, &[value(made)])
    }),
};
