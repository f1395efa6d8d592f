//! Operators and comparisons of `Decimal`, with ints on either side.
use std::cmp::Ordering;

use krait_object::{CmpOp, PyResult, Thread, Tuple, Value};
use krait_runtime::protocol::{attr, number};
use krait_runtime::types::complex::Complex;

use super::convert::{self, operand, value};
use super::decimal::{Binary, Decimal, Unary, of};
use super::num::{Ctx, Dec, flag::*};
use super::{State, arith, context, signals, transcend};

pub fn unary(th: &mut Thread, v: &Value, f: Unary) -> PyResult<Value> {
    let ctx = context::current(th)?;
    let mut st = 0;
    let made = f(of(v), &ctx.data.get(), &mut st);
    signals::note(th, &ctx, st)?;
    Ok(value(made))
}
fn binary(th: &mut Thread, a: &Value, b: &Value, f: Binary) -> PyResult<Value> {
    let ctx = context::current(th)?;
    let (data, mut st) = (ctx.data.get(), 0);
    let made = match (a.downcast_ref::<Decimal>(), b.downcast_ref::<Decimal>()) {
        (Some(x), Some(y)) => f(&x.0, &y.0, &data, &mut st),
        _ => match (operand(a), operand(b)) {
            (Some(x), Some(y)) => f(&x, &y, &data, &mut st),
            _ => return Ok(Value::NOT_IMPLEMENTED),
        },
    };
    signals::note(th, &ctx, st)?;
    Ok(value(made))
}
macro_rules! operators {
    ($($name:ident $f:path;)*) => { $(
        pub fn $name(th: &mut Thread, a: &Value, b: &Value) -> PyResult<Value> {
            binary(th, a, b, $f)
        }
    )* };
}
operators! {
    add arith::add;
    subtract arith::sub;
    multiply arith::mul;
    true_divide arith::div;
    floor_divide arith::div_int;
    remainder arith::rem;
}
pub fn divmod(th: &mut Thread, a: &Value, b: &Value) -> PyResult<Value> {
    let (Some(x), Some(y)) = (operand(a), operand(b)) else { return Ok(Value::NOT_IMPLEMENTED) };
    let ctx = context::current(th)?;
    let mut st = 0;
    let (q, r) = arith::divmod(&x, &y, &ctx.data.get(), &mut st);
    signals::note(th, &ctx, st)?;
    Ok(Tuple::of([value(q), value(r)]).into())
}
pub fn power(th: &mut Thread, a: &Value, b: &Value, m: &Value) -> PyResult<Value> {
    let (Some(x), Some(y)) = (operand(a), operand(b)) else { return Ok(Value::NOT_IMPLEMENTED) };
    let modulus = match m {
        m if m.is_none() => None,
        m => match operand(m) {
            Some(d) => Some(d),
            None => return Ok(Value::NOT_IMPLEMENTED),
        },
    };
    let ctx = context::current(th)?;
    let (data, mut st) = (ctx.data.get(), 0);
    let made = match modulus {
        None => transcend::pow(&x, &y, &data, &mut st),
        Some(m) => transcend::powmod(&x, &y, &m, &data, &mut st),
    };
    signals::note(th, &ctx, st)?;
    Ok(value(made))
}

/// The other side of a comparison, and what a fraction makes of this side.
fn comparable(th: &mut Thread, a: &Dec, v: &Value, op: CmpOp) -> PyResult<Option<(Dec, Dec)>> {
    if let Some(d) = operand(v) {
        return Ok(Some((a.clone(), d)));
    }
    let equality = matches!(op, CmpOp::Eq | CmpOp::Ne);
    let float = match v.downcast_ref::<Complex>() {
        Some(c) if equality && c.imag == 0.0 => Some(c.real),
        Some(_) => return Ok(None),
        None => v.to_f64(),
    };
    if let Some(f) = float {
        let ctx = context::current(th)?;
        if equality {
            // A mere question of equality never raises.
            ctx.data.lock().flags |= FLOAT_OPERATION;
        } else {
            signals::note(th, &ctx, FLOAT_OPERATION)?;
        }
        return Ok(Some((a.clone(), convert::of_float(f))));
    }
    let rational = th.interp.extension::<State>().rational.get();
    let Some(rational) = rational else { return Ok(None) };
    if !krait_runtime::functions::classes::is_instance(th, v, &rational)? {
        return Ok(None);
    }
    let (n, d) = (attr::get_text(th, v, "numerator")?, attr::get_text(th, v, "denominator")?);
    let (n, d) = (number::to_bigint(th, &n)?, number::to_bigint(th, &d)?);
    let numerator = Dec::new(n.sign() == num_bigint::Sign::Minus, n.magnitude().clone(), 0);
    let denominator = Dec::new(false, d.magnitude().clone(), 0);
    let scaled = if a.is_nan() { a.clone() } else { arith::mul(a, &denominator, &Ctx::max(), &mut 0) };
    Ok(Some((scaled, numerator)))
}
pub fn compare(th: &mut Thread, a: &Value, b: &Value, op: CmpOp) -> PyResult<Value> {
    let Some(x) = a.downcast_ref::<Decimal>() else { return Ok(Value::NOT_IMPLEMENTED) };
    let pair = match b.downcast_ref::<Decimal>() {
        Some(y) if !x.0.is_nan() && !y.0.is_nan() => return Ok(op.of(arith::compare(&x.0, &y.0)).into()),
        Some(y) => Some((x.0.clone(), y.0.clone())),
        None => comparable(th, &x.0, b, op)?,
    };
    let Some((x, y)) = pair else { return Ok(Value::NOT_IMPLEMENTED) };
    if x.is_nan() || y.is_nan() {
        let equality = matches!(op, CmpOp::Eq | CmpOp::Ne);
        if x.is_signaling() || y.is_signaling() || !equality {
            let ctx = context::current(th)?;
            signals::note(th, &ctx, INVALID_OPERATION)?;
        }
        return Ok((op == CmpOp::Ne).into());
    }
    let order: Ordering = arith::compare(&x, &y);
    Ok(op.of(order).into())
}
