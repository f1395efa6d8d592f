//! Comparison in total order, choosing by magnitude, logical operations on digits of 0 and 1, shifting and rotating.
use std::cmp::Ordering;

use num_bigint::BigUint;
use num_traits::Zero;

use super::arith::{compare, small_integer};
use super::num::{Ctx, Dec, Kind, flag::*, invalid, nan_of, pow10};

pub fn compare_op(a: &Dec, b: &Dec, ctx: &Ctx, st: &mut u32) -> Dec {
    nan_of(&[a, b], ctx, st).unwrap_or_else(|| order_as_dec(compare(a, b)))
}
pub fn compare_signal(a: &Dec, b: &Dec, ctx: &Ctx, st: &mut u32) -> Dec {
    if a.is_nan() || b.is_nan() {
        *st |= INVALID_OPERATION;
    }
    compare_op(a, b, ctx, st)
}
fn order_as_dec(order: Ordering) -> Dec {
    Dec::small(order as i64)
}
/// The order of representations: NaNs at the ends, equal numbers by exponent.
pub fn total_order(a: &Dec, b: &Dec) -> Ordering {
    if a.negative != b.negative {
        return b.negative.cmp(&a.negative);
    }
    let rank = |d: &Dec| match d.kind {
        Kind::Finite | Kind::Infinite => 0,
        Kind::Signaling => 1,
        Kind::Quiet => 2,
    };
    let magnitude = match (rank(a), rank(b)) {
        (0, 0) => {
            let (x, y) = (a.clone().abs(), b.clone().abs());
            compare(&x, &y).then(if a.is_infinite() { Ordering::Equal } else { a.exp.cmp(&b.exp) })
        }
        (x, y) if x == y => a.coeff.cmp(&b.coeff),
        (x, y) => x.cmp(&y),
    };
    if a.negative { magnitude.reverse() } else { magnitude }
}
pub fn compare_total(a: &Dec, b: &Dec) -> Dec {
    order_as_dec(total_order(a, b))
}
pub fn compare_total_mag(a: &Dec, b: &Dec) -> Dec {
    order_as_dec(total_order(&a.clone().abs(), &b.clone().abs()))
}
/// The larger or smaller of two, by value or magnitude; a single quiet NaN loses.
fn choose(a: &Dec, b: &Dec, larger: bool, magnitude: bool, ctx: &Ctx, st: &mut u32) -> Dec {
    if a.is_nan() || b.is_nan() {
        return match (a.kind, b.kind) {
            (Kind::Quiet, Kind::Finite | Kind::Infinite) => b.clone().finalize(ctx, st),
            (Kind::Finite | Kind::Infinite, Kind::Quiet) => a.clone().finalize(ctx, st),
            _ => nan_of(&[a, b], ctx, st).unwrap_or_else(Dec::nan),
        };
    }
    let mut order = if magnitude { compare(&a.clone().abs(), &b.clone().abs()) } else { compare(a, b) };
    if order == Ordering::Equal {
        order = total_order(a, b);
    }
    let first = if larger { order != Ordering::Less } else { order != Ordering::Greater };
    if first { a } else { b }.clone().finalize(ctx, st)
}
pub fn max(a: &Dec, b: &Dec, ctx: &Ctx, st: &mut u32) -> Dec {
    choose(a, b, true, false, ctx, st)
}
pub fn min(a: &Dec, b: &Dec, ctx: &Ctx, st: &mut u32) -> Dec {
    choose(a, b, false, false, ctx, st)
}
pub fn max_mag(a: &Dec, b: &Dec, ctx: &Ctx, st: &mut u32) -> Dec {
    choose(a, b, true, true, ctx, st)
}
pub fn min_mag(a: &Dec, b: &Dec, ctx: &Ctx, st: &mut u32) -> Dec {
    choose(a, b, false, true, ctx, st)
}

/// The digits of a logical operand, most significant first.
fn bits(d: &Dec, ctx: &Ctx) -> Option<Vec<u8>> {
    if d.negative || d.exp != 0 || !d.is_finite() {
        return None;
    }
    let text = d.coeff.to_str_radix(10);
    if !text.bytes().all(|b| b == b'0' || b == b'1') {
        return None;
    }
    // Digits beyond the precision do not count.
    let start = (text.len() as i64 - ctx.prec).max(0) as usize;
    Some(text.into_bytes().split_off(start))
}
fn logical(a: &Dec, b: &Dec, ctx: &Ctx, st: &mut u32, f: fn(bool, bool) -> bool) -> Dec {
    let (Some(x), Some(y)) = (bits(a, ctx), bits(b, ctx)) else { return invalid(st, INVALID_OPERATION) };
    let len = x.len().max(y.len());
    let digit = |v: &[u8], i: usize| (i + v.len()).checked_sub(len).is_some_and(|j| v[j] == b'1');
    let out: Vec<u8> = (0..len).map(|i| b'0' + u8::from(f(digit(&x, i), digit(&y, i)))).collect();
    Dec::new(false, BigUint::parse_bytes(&out, 10).unwrap_or_default(), 0)
}
pub fn and(a: &Dec, b: &Dec, ctx: &Ctx, st: &mut u32) -> Dec {
    logical(a, b, ctx, st, |x, y| x && y)
}
pub fn or(a: &Dec, b: &Dec, ctx: &Ctx, st: &mut u32) -> Dec {
    logical(a, b, ctx, st, |x, y| x || y)
}
pub fn xor(a: &Dec, b: &Dec, ctx: &Ctx, st: &mut u32) -> Dec {
    logical(a, b, ctx, st, |x, y| x != y)
}
pub fn invert(a: &Dec, ctx: &Ctx, st: &mut u32) -> Dec {
    if bits(a, ctx).is_none() {
        return invalid(st, INVALID_OPERATION);
    }
    if ctx.prec > 100_000_000 {
        return invalid(st, MALLOC_ERROR);
    }
    let ones = (pow10(ctx.prec) - 1u32) / 9u32;
    let own = if a.digits() > ctx.prec { &a.coeff % pow10(ctx.prec) } else { a.coeff.clone() };
    Dec::new(false, ones - own, 0)
}
/// The digits within the precision, and the places to move them by.
fn movement(a: &Dec, b: &Dec, ctx: &Ctx, st: &mut u32) -> Result<i64, Dec> {
    if let Some(nan) = nan_of(&[a, b], ctx, st) {
        return Err(nan);
    }
    match small_integer(b).filter(|n| n.abs() <= ctx.prec) {
        Some(n) => Ok(n),
        None => Err(invalid(st, INVALID_OPERATION)),
    }
}
pub fn shift(a: &Dec, b: &Dec, ctx: &Ctx, st: &mut u32) -> Dec {
    let n = match movement(a, b, ctx, st) {
        Ok(n) => n,
        Err(made) => return made,
    };
    if a.is_infinite() || a.coeff.is_zero() {
        return a.clone();
    }
    let own = if a.digits() > ctx.prec { &a.coeff % pow10(ctx.prec) } else { a.coeff.clone() };
    let own = Dec::new(a.negative, own, a.exp);
    let moved = if n >= 0 { own.shifted(n, st) } else { own.coeff / pow10(-n) };
    let coeff = if super::num::digits(&moved) > ctx.prec { moved % pow10(ctx.prec) } else { moved };
    Dec::new(a.negative, coeff, a.exp)
}
pub fn rotate(a: &Dec, b: &Dec, ctx: &Ctx, st: &mut u32) -> Dec {
    let n = match movement(a, b, ctx, st) {
        Ok(n) => n,
        Err(made) => return made,
    };
    if a.is_infinite() {
        return a.clone();
    }
    if ctx.prec > 100_000_000 {
        return invalid(st, MALLOC_ERROR);
    }
    let left = n.rem_euclid(ctx.prec);
    let coeff = if a.digits() > ctx.prec { &a.coeff % pow10(ctx.prec) } else { a.coeff.clone() };
    let cut = pow10(ctx.prec - left);
    let (high, low) = (&coeff / &cut, &coeff % &cut);
    let turned = if left == 0 { coeff } else { low * pow10(left) + high };
    debug_assert!(!turned.is_zero() || a.coeff.is_zero() || a.digits() > ctx.prec);
    Dec::new(a.negative, turned, a.exp)
}
pub fn same_quantum(a: &Dec, b: &Dec) -> bool {
    match (a.kind, b.kind) {
        (Kind::Finite, Kind::Finite) => a.exp == b.exp,
        (Kind::Infinite, Kind::Infinite) => true,
        _ => a.is_nan() && b.is_nan(),
    }
}
pub fn copy_sign(a: &Dec, b: &Dec) -> Dec {
    Dec { negative: b.negative, ..a.clone() }
}
/// The name of the class that a number belongs to.
pub fn number_class(a: &Dec, ctx: &Ctx) -> &'static str {
    let names = match a.kind {
        Kind::Signaling => return "sNaN",
        Kind::Quiet => return "NaN",
        Kind::Infinite => ["+Infinity", "-Infinity"],
        Kind::Finite if a.coeff.is_zero() => ["+Zero", "-Zero"],
        Kind::Finite if a.adjusted() < ctx.emin => ["+Subnormal", "-Subnormal"],
        Kind::Finite => ["+Normal", "-Normal"],
    };
    names[usize::from(a.negative)]
}
