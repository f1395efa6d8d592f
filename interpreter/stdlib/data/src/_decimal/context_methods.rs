//! Operations as methods of `Context`.
use krait_object::native::method;
use krait_object::{Args, Method, PyResult, Thread, Tuple, Value};
use krait_runtime::errors::type_error;

use super::context::{self, Context};
use super::convert::{self, Mode, value};
use super::decimal::{Binary, DECIMAL, Unary};
use super::num::{Dec, Round};
use super::{arith, logical, signals, special, text, transcend};

fn unary(th: &mut Thread, a: &Args<'_>, f: Unary) -> PyResult<Value> {
    let ctx = a.this_ref::<Context>();
    let d = convert::expect(th, &a[1])?;
    let (data, mut st) = (ctx.data.get(), 0);
    let made = f(&d, &data, &mut st);
    signals::note(th, &ctx, st)?;
    Ok(value(made))
}
fn binary(th: &mut Thread, a: &Args<'_>, f: Binary) -> PyResult<Value> {
    let ctx = a.this_ref::<Context>();
    let (x, y) = (convert::expect(th, &a[1])?, convert::expect(th, &a[2])?);
    let (data, mut st) = (ctx.data.get(), 0);
    let made = f(&x, &y, &data, &mut st);
    signals::note(th, &ctx, st)?;
    Ok(value(made))
}
fn test(th: &mut Thread, a: &Args<'_>, f: fn(&Dec, i64) -> bool) -> PyResult<Value> {
    let d = convert::expect(th, &a[1])?;
    Ok(f(&d, a.this::<Context>().data.get().emin).into())
}
fn to_integral_exact(a: &Dec, c: &super::num::Ctx, st: &mut u32) -> Dec {
    arith::to_integral(a, c, st, true)
}
fn to_integral_value(a: &Dec, c: &super::num::Ctx, st: &mut u32) -> Dec {
    arith::to_integral(a, c, st, false)
}
fn copy(a: &Args<'_>) -> Value {
    Context::create(a.this::<Context>().data.get()).into()
}
macro_rules! rows {
    (unary { $($u:literal $uf:path;)* } binary { $($b:literal $bf:path;)* } test { $($t:literal $tf:expr;)* } plain { $($p:literal $sig:literal $pf:expr;)* }) => { &[
        $(method($u, "(x, /)", "", |th, a| unary(th, a, $uf)),)*
        $(method($b, "(x, y, /)", "", |th, a| binary(th, a, $bf)),)*
        $(method($t, "(x, /)", "", |th, a| test(th, a, $tf)),)*
        $(method($p, $sig, "", $pf),)*
    ] };
}
pub static METHODS: &[Method] = rows! {
    unary {
        "abs" arith::abs;
        "exp" transcend::exp;
        "ln" transcend::ln;
        "log10" transcend::log10;
        "minus" arith::minus;
        "next_minus" arith::next_minus;
        "next_plus" arith::next_plus;
        "normalize" arith::reduce;
        "plus" arith::plus;
        "to_integral" to_integral_value;
        "to_integral_exact" to_integral_exact;
        "to_integral_value" to_integral_value;
        "sqrt" arith::sqrt;
        "logb" arith::logb;
        "logical_invert" logical::invert;
    }
    binary {
        "add" arith::add;
        "compare" logical::compare_op;
        "compare_signal" logical::compare_signal;
        "divide" arith::div;
        "divide_int" arith::div_int;
        "max" logical::max;
        "max_mag" logical::max_mag;
        "min" logical::min;
        "min_mag" logical::min_mag;
        "multiply" arith::mul;
        "next_toward" arith::next_toward;
        "quantize" arith::quantize;
        "remainder" arith::rem;
        "remainder_near" arith::rem_near;
        "subtract" arith::sub;
        "logical_and" logical::and;
        "logical_or" logical::or;
        "logical_xor" logical::xor;
        "rotate" logical::rotate;
        "scaleb" arith::scaleb;
        "shift" logical::shift;
    }
    test {
        "is_finite" |d, _| d.is_finite();
        "is_infinite" |d, _| d.is_infinite();
        "is_nan" |d, _| d.is_nan();
        "is_normal" special::is_normal;
        "is_qnan" |d, _| d.is_nan() && !d.is_signaling();
        "is_signed" |d, _| d.negative;
        "is_snan" |d, _| d.is_signaling();
        "is_subnormal" special::is_subnormal;
        "is_zero" |d, _| d.is_zero();
    }
    plain {
        "is_canonical" "(x, /)" |th, a| {
            if a[1].is_instance(&DECIMAL) { Ok(Value::TRUE) } else { Err(type_error(th, "argument must be a Decimal")) }
        };
        "canonical" "(x, /)" |th, a| {
            if a[1].is_instance(&DECIMAL) { Ok(a[1].clone()) } else { Err(type_error(th, "argument must be a Decimal")) }
        };
        "divmod" "(x, y, /)" |th, a| {
            let ctx = a.this_ref::<Context>();
            let (x, y) = (convert::expect(th, &a[1])?, convert::expect(th, &a[2])?);
            let mut st = 0;
            let (q, r) = arith::divmod(&x, &y, &ctx.data.get(), &mut st);
            signals::note(th, &ctx, st)?;
            Ok(Tuple::of([value(q), value(r)]).into())
        };
        "fma" "(x, y, z, /)" |th, a| {
            let ctx = a.this_ref::<Context>();
            let (x, y) = (convert::expect(th, &a[1])?, convert::expect(th, &a[2])?);
            let z = convert::expect(th, &a[3])?;
            let mut st = 0;
            let made = arith::fma(&x, &y, &z, &ctx.data.get(), &mut st);
            signals::note(th, &ctx, st)?;
            Ok(value(made))
        };
        "power" "(a, b, modulo=None)" |th, a| {
            let ctx = a.this_ref::<Context>();
            let (x, y) = (convert::expect(th, &a[1])?, convert::expect(th, &a[2])?);
            let (data, mut st) = (ctx.data.get(), 0);
            let made = match a.opt_not_none(3) {
                None => transcend::pow(&x, &y, &data, &mut st),
                Some(m) => {
                    let m = convert::expect(th, m)?;
                    transcend::powmod(&x, &y, &m, &data, &mut st)
                }
            };
            signals::note(th, &ctx, st)?;
            Ok(value(made))
        };
        "compare_total" "(x, y, /)" |th, a| {
            let (x, y) = (convert::expect(th, &a[1])?, convert::expect(th, &a[2])?);
            Ok(value(logical::compare_total(&x, &y)))
        };
        "compare_total_mag" "(x, y, /)" |th, a| {
            let (x, y) = (convert::expect(th, &a[1])?, convert::expect(th, &a[2])?);
            Ok(value(logical::compare_total_mag(&x, &y)))
        };
        "copy_sign" "(x, y, /)" |th, a| {
            let (x, y) = (convert::expect(th, &a[1])?, convert::expect(th, &a[2])?);
            Ok(value(logical::copy_sign(&x, &y)))
        };
        "same_quantum" "(x, y, /)" |th, a| {
            let (x, y) = (convert::expect(th, &a[1])?, convert::expect(th, &a[2])?);
            Ok(logical::same_quantum(&x, &y).into())
        };
        "copy_abs" "(x, /)" |th, a| Ok(value(convert::expect(th, &a[1])?.abs()));
        "copy_decimal" "(x, /)" |th, a| Ok(value(convert::expect(th, &a[1])?));
        "copy_negate" "(x, /)" |th, a| Ok(value(convert::expect(th, &a[1])?.negated()));
        "number_class" "(x, /)" |th, a| {
            let d = convert::expect(th, &a[1])?;
            Ok(logical::number_class(&d, &a.this::<Context>().data.get()).into())
        };
        "to_sci_string" "(x, /)" |th, a| {
            let d = convert::expect(th, &a[1])?;
            Ok(text::to_text(&d, false, a.this::<Context>().data.get().capitals).into())
        };
        "to_eng_string" "(x, /)" |th, a| {
            let d = convert::expect(th, &a[1])?;
            Ok(text::to_text(&d, true, a.this::<Context>().data.get().capitals).into())
        };
        "Etiny" "()" |_, a| Ok(a.this::<Context>().data.get().etiny().into());
        "Etop" "()" |_, a| Ok(a.this::<Context>().data.get().etop().into());
        "radix" "()" |_, _| Ok(value(Dec::small(10)));
        "clear_flags" "()" |_, a| {
            a.this::<Context>().data.lock().flags = 0;
            Ok(Value::NONE)
        };
        "clear_traps" "()" |_, a| {
            a.this::<Context>().data.lock().traps = 0;
            Ok(Value::NONE)
        };
        "copy" "()" |_, a| Ok(copy(a));
        "__copy__" "()" |_, a| Ok(copy(a));
        "__reduce__" "()" |th, a| {
            let c = a.this::<Context>().data.get();
            let (flags, traps) = (signals::as_list(th, c.flags), signals::as_list(th, c.traps));
            let args = Tuple::of([
                c.prec.into(),
                context::rounding_name(c.round).into(),
                c.emin.into(),
                c.emax.into(),
                i32::from(c.capitals).into(),
                i32::from(c.clamp).into(),
                flags,
                traps,
            ]);
            Ok(Tuple::of([a[0].class_ref().into(), args.into()]).into())
        };
        "create_decimal" "(num='0', /)" |th, a| {
            let ctx = a.this_ref::<Context>();
            match a.opt(1) {
                None => Ok(value(Dec::small(0))),
                Some(v) => convert::of_value(th, v, Mode::Rounded, &ctx).map(value),
            }
        };
        "create_decimal_from_float" "(f, /)" |th, a| {
            let ctx = a.this_ref::<Context>();
            let d = match (a[1].as_int_ref(), a[1].to_f64()) {
                (Some(n), _) => convert::of_int(n),
                (_, Some(f)) => convert::of_float(f),
                _ => return Err(type_error(th, "argument must be int or float")),
            };
            let mut st = 0;
            let made = d.finalize(&ctx.data.get(), &mut st);
            signals::note(th, &ctx, st)?;
            Ok(value(made))
        };
        "_apply" "(x, /)" |th, a| unary(th, a, |d, c, st| d.clone().finalize(c, st));
        "__sizeof__" "()" |_, _| Ok((size_of::<Context>() + 16 + size_of::<Round>()).into());
    }
};
