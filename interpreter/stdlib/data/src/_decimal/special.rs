//! Methods of `Decimal` that the specification does not know: tuples, ratios, rounding to int, formats.
use krait_object::{Args, Dict, PyResult, Str, Thread, Tuple, Value};
use krait_runtime::errors::{type_error, value_error};
use krait_runtime::exceptions::DEPRECATION_WARNING;
use krait_runtime::import::import_module;
use krait_runtime::protocol::{attr, call, number};
use krait_runtime::types::complex;
use krait_runtime::warnings;
use num_bigint::{BigInt, BigUint};
use num_integer::Integer;
use num_traits::One;

use super::convert::{self, value};
use super::decimal::of;
use super::num::{Ctx, Dec, Kind, Round, flag::INVALID_OPERATION, pow10};
use super::text::{self, Locale, Spec};
use super::{State, arith, context, signals};

pub fn is_normal(d: &Dec, emin: i64) -> bool {
    d.is_finite() && !d.is_zero() && d.adjusted() >= emin
}
pub fn is_subnormal(d: &Dec, emin: i64) -> bool {
    d.is_finite() && !d.is_zero() && d.adjusted() < emin
}
pub fn as_tuple(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let d = of(&a[0]);
    let digits = |d: &Dec| Tuple::from_vec(d.coeff.to_string().bytes().map(|b| (b - b'0').into()).collect());
    let (digits, exponent): (_, Value) = match d.kind {
        Kind::Finite => (digits(d), d.exp.into()),
        Kind::Infinite => (Tuple::of([0.into()]), "F".into()),
        kind => {
            let payload = if d.coeff == BigUint::ZERO { Tuple::empty() } else { digits(d) };
            (payload, if kind == Kind::Quiet { "n" } else { "N" }.into())
        }
    };
    let class = th.interp.extension::<State>().decimal_tuple.get().unwrap_or(Value::NONE);
    call::call(th, &class, &[i32::from(d.negative).into(), digits.into(), exponent])
}
pub fn as_integer_ratio(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let d = of(&a[0]);
    if d.is_nan() {
        return Err(value_error(th, "cannot convert NaN to integer ratio"));
    }
    if d.is_infinite() {
        return Err(krait_runtime::errors::overflow_error(th, "cannot convert Infinity to integer ratio"));
    }
    let (mut n, mut m) = (d.coeff.clone(), BigUint::one());
    if n == BigUint::ZERO {
        return Ok(Tuple::of([0.into(), 1.into()]).into());
    }
    if d.exp.abs() > 400_000_000 {
        return Err(krait_runtime::errors::memory_error(th));
    }
    if d.exp >= 0 {
        n *= pow10(d.exp);
    } else {
        m = pow10(-d.exp);
        let common = n.gcd(&m);
        n /= &common;
        m /= common;
    }
    let n = if d.negative { -BigInt::from(n) } else { BigInt::from(n) };
    Ok(Tuple::of([n.into(), BigInt::from(m).into()]).into())
}
pub fn reduce(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let shown = krait_runtime::protocol::repr::str(th, &a[0])?;
    Ok(Tuple::of([a[0].class_ref().into(), Tuple::of([shown.into()]).into()]).into())
}
pub fn to_int_with(th: &mut Thread, v: &Value, round: Round) -> PyResult<Value> {
    let d = of(v);
    if !d.is_finite() {
        return convert::to_integer(th, d).map(Value::from);
    }
    let whole = if d.exp < 0 { arith::rescale(d, 0, round, &mut 0) } else { d.clone() };
    convert::to_integer(th, &whole).map(Value::from)
}
pub fn round(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let Some(places) = a.opt(1) else { return to_int_with(th, &a[0], Round::HalfEven) };
    if places.as_int_ref().is_none() {
        return Err(type_error(th, "optional arg must be an integer"));
    }
    let n = number::to_isize(th, places)? as i64;
    let ctx = context::current(th)?;
    let target = Dec::new(false, BigUint::one(), n.saturating_neg());
    let mut st = 0;
    let made = arith::quantize(of(&a[0]), &target, &ctx.data.get(), &mut st);
    signals::note(th, &ctx, st)?;
    Ok(value(made))
}
pub fn complex(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let f = convert::to_float(th, of(&a[0]))?;
    Ok(complex::new(f, 0.0))
}
fn text_of(th: &mut Thread, d: &Dict, name: &str) -> PyResult<String> {
    let Some(v) = d.get_text(name) else { return Err(krait_runtime::errors::key_error(th, &name.into())) };
    match v.downcast_ref::<Str>() {
        Some(s) => Ok(s.to_string_lossy().into_owned()),
        None => Err(value_error(th, "invalid override dict")),
    }
}
fn locale_of(th: &mut Thread, d: &Dict, grouping: Option<Value>) -> PyResult<Locale> {
    let mut sizes = Vec::new();
    if let Some(v) = grouping {
        if let Some(s) = v.downcast_ref::<Str>() {
            sizes = s.iter().filter_map(|c| u8::try_from(c).ok().filter(u8::is_ascii)).collect();
            if sizes.len() != s.len() {
                return Err(value_error(th, "invalid override dict"));
            }
        } else {
            for n in krait_runtime::protocol::iter::collect(th, &v)? {
                sizes.push(number::to_i64(th, &n)? as u8);
            }
        }
    }
    let (point, separator) = (text_of(th, d, "decimal_point")?, text_of(th, d, "thousands_sep")?);
    // One character of UTF-8 each at most.
    if point.is_empty() || point.len() > 4 || separator.len() > 4 {
        return Err(value_error(th, "invalid override dict"));
    }
    Ok(Locale { point, separator, grouping: sizes })
}
pub fn format(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let Some(spec_text) = a[1].downcast_ref::<Str>() else {
        return Err(type_error(th, "format arg must be str"));
    };
    let data: Ctx = context::current(th)?.data.get();
    let Some(spec) = spec_text.to_utf8().and_then(|t| Spec::parse(&t)) else {
        return Err(value_error(th, "invalid format string"));
    };
    if spec.kind == Some('N') {
        warnings::warn(th, &DEPRECATION_WARNING, "Format specifier 'N' is deprecated", 1)?;
    }
    let locale = if let Some(over) = a.opt_not_none(2) {
        let Some(d) = over.downcast_ref::<Dict>() else {
            return Err(type_error(th, "optional argument must be a dict"));
        };
        let grouping = d.get_text("grouping");
        locale_of(th, d, grouping)?
    } else if matches!(spec.kind, Some('n' | 'N')) {
        let module = import_module(th, "locale")?;
        let conv = attr::call_method(th, &module, "localeconv", &[])?;
        match conv.downcast_ref::<Dict>() {
            Some(d) => {
                let grouping = d.get_text("grouping");
                locale_of(th, d, grouping)?
            }
            None => return Err(value_error(th, "invalid override dict")),
        }
    } else {
        let separator = spec.grouping.map(String::from).unwrap_or_default();
        let grouping = if separator.is_empty() { Vec::new() } else { vec![3, 0] };
        Locale { point: ".".into(), separator, grouping }
    };
    let d = of(&a[0]);
    let huge = d.is_finite() && matches!(spec.kind, Some('f' | 'F' | '%')) && d.exp.abs() > 400_000_000;
    if huge {
        let ctx = context::current(th)?;
        signals::note(th, &ctx, INVALID_OPERATION)?;
        return Err(krait_runtime::errors::memory_error(th));
    }
    Ok(text::format(d, &spec, data.round, data.capitals, &locale).into())
}
