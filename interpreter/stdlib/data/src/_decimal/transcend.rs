//! Exponentials, logarithms and powers, correctly rounded: computed in binary fixed point with more and more digits until
//! the rounding is beyond doubt.
use std::sync::Mutex;

use num_bigint::{BigInt, BigUint, Sign};
use num_integer::Integer;
use num_traits::{One, Signed, ToPrimitive, Zero};

use super::arith::{div, small_integer};
use super::num::{Ctx, Dec, Rest, Round, digits, flag::*, invalid, nan_of, pow10};

/// Precisions beyond this are a MemoryError rather than an attempt.
const MAX_WORK: i64 = 5_000_000;

/// `acoth(n)` scaled by `2^bits`.
fn acoth(n: u32, bits: u64) -> BigInt {
    let (n, square) = (BigInt::from(n), BigInt::from(n) * n);
    let mut term = (BigInt::one() << bits) / n;
    let (mut sum, mut k) = (term.clone(), 1u32);
    while !term.is_zero() {
        term /= &square;
        k += 2;
        sum += &term / k;
    }
    sum
}
/// The natural logarithm of 10, scaled by `2^bits`.
fn ln10(bits: u64) -> BigInt {
    static CACHE: Mutex<Option<(u64, BigInt)>> = Mutex::new(None);
    let mut cache = CACHE.lock().unwrap_or_else(|e| e.into_inner());
    if let Some((have, value)) = &*cache
        && *have >= bits
    {
        return value >> (have - bits);
    }
    let work = bits + 16;
    let value: BigInt = (acoth(31, work) * 46 + acoth(49, work) * 34 + acoth(161, work) * 20) >> 16u32;
    *cache = Some((bits, value.clone()));
    value
}
/// `e^x` for a fixed-point `x` of moderate size.
fn exp_fixed(x: &BigInt, bits: u64) -> BigInt {
    // The argument is halved until the series is short; the result is squared as often.
    let halvings = (bits as f64).sqrt() as u64 + 4;
    let work = bits + halvings + 16;
    let y: BigInt = (x << (work - bits)) >> halvings;
    let one = BigInt::one() << work;
    let (mut sum, mut term, mut i) = (&one + &y, y.clone(), 1u32);
    while !term.is_zero() && term != BigInt::from(-1) {
        i += 1;
        term = ((&term * &y) >> work) / i;
        sum += &term;
    }
    for _ in 0..halvings {
        sum = (&sum * &sum) >> work;
    }
    sum >> (work - bits)
}
/// `ln m` for a fixed-point `m` around 1.
fn ln_fixed(m: &BigInt, bits: u64) -> BigInt {
    let roots = ((bits as f64).sqrt() / 2.0) as u64 + 3;
    let work = bits + roots + 16;
    let mut y: BigInt = m << (work - bits);
    for _ in 0..roots {
        y = (y << work).sqrt();
    }
    let one = BigInt::one() << work;
    let z: BigInt = ((&y - &one) << work) / (&y + &one);
    let square: BigInt = (&z * &z) >> work;
    let (mut sum, mut term, mut k) = (z.clone(), z, 1u32);
    while !term.is_zero() && term != BigInt::from(-1) {
        term = (&term * &square) >> work;
        k += 2;
        sum += &term / k;
    }
    (sum << (roots + 1)) >> (work - bits)
}
/// A decimal in fixed point.
fn fixed(d: &Dec, bits: u64) -> BigInt {
    let n = BigInt::from(d.coeff.clone()) << bits;
    let n = if d.exp >= 0 { n * BigInt::from(pow10(d.exp)) } else { n.div_floor(&BigInt::from(pow10(-d.exp))) };
    if d.negative { -n } else { n }
}
fn bits_for(digits: i64) -> u64 {
    (digits.max(1) as u64) * 3322 / 1000 + 8
}
/// `ln x` with about that many digits behind the point, scaled by `2^bits`; x is positive and not 1.
fn ln_scaled(x: &Dec, places: i64) -> (BigInt, u64) {
    let bits = bits_for(places + 6 + digits(&BigUint::from(x.adjusted().unsigned_abs())));
    // x = m * 10^a with m between 0.3 and 3.
    let len = x.digits();
    let lead =
        if len > 1 { (&x.coeff / pow10(len - 2)).to_u64().unwrap_or(10) } else { x.coeff.to_u64().unwrap_or(1) * 10 };
    let a = x.adjusted() + i64::from(lead >= 32);
    let m = Dec::new(false, x.coeff.clone(), x.exp - a);
    let value = ln_fixed(&fixed(&m, bits), bits) + ln10(bits) * a;
    (value, bits)
}
/// How far from 1 a number is, as a power of ten below: extra digits for its logarithm.
fn closeness(x: &Dec) -> i64 {
    let mut ignored = 0;
    let one = Dec::one().negated();
    let wide = Ctx { prec: x.digits() + x.exp.abs().min(x.digits() + 2) + 4, ..Ctx::max() };
    let distance = super::arith::add(x, &one, &wide, &mut ignored);
    (-distance.adjusted()).max(0)
}
/// Rounds a scaled value whose error is small; `None` where more digits are needed.
fn settle(value: &BigInt, bits: u64, ten: i64, extra: i64, ctx: &Ctx, st: &mut u32) -> Option<Dec> {
    let negative = value.is_negative();
    let magnitude = value.magnitude();
    // Digits in front of the point tell how many behind it are wanted.
    let estimate = ((magnitude.bits() as i64 - bits as i64) as f64 * std::f64::consts::LOG10_2).floor() as i64;
    let places = ctx.prec + extra - 4 - estimate;
    let scaled = if places >= 0 { (magnitude * pow10(places)) >> bits } else { (magnitude / pow10(-places)) >> bits };
    let spare = digits(&scaled) - ctx.prec;
    if spare < 2 {
        return None;
    }
    let unit = pow10(spare);
    let tail = &scaled % &unit;
    let half = &unit >> 1u32;
    let doubt = BigUint::from(2u32);
    let near = |p: &BigUint| if &tail > p { &tail - p <= doubt } else { p - &tail <= doubt };
    if near(&BigUint::zero()) || near(&half) || near(&unit) {
        return None;
    }
    Some(Dec::new(negative, scaled, ten - places).finalize_with(Rest::Less, ctx, st))
}
/// Tries with more and more digits.
fn search(ctx: &Ctx, st: &mut u32, compute: impl Fn(i64) -> (BigInt, u64, i64)) -> Dec {
    if ctx.prec > MAX_WORK {
        return invalid(st, MALLOC_ERROR);
    }
    let mut extra = 8;
    loop {
        let (value, bits, ten) = compute(ctx.prec + extra);
        let mut own = 0;
        if let Some(made) = settle(&value, bits, ten, extra, ctx, &mut own) {
            *st |= own | INEXACT | ROUNDED;
            return made;
        }
        extra *= 2;
    }
}
/// `e^z` of a scaled `z`: a scaled mantissa and a power of ten.
fn exp_scaled(z: &BigInt, bits: u64) -> (BigInt, i64) {
    let ten = ln10(bits);
    let n = z.div_floor(&ten);
    let rest = z - &n * ten;
    (exp_fixed(&rest, bits), n.to_i64().unwrap_or(0))
}
pub fn exp(a: &Dec, ctx: &Ctx, st: &mut u32) -> Dec {
    if let Some(nan) = nan_of(&[a], ctx, st) {
        return nan;
    }
    if a.is_infinite() {
        return if a.negative { Dec::zero(false, 0) } else { a.clone() };
    }
    if a.coeff.is_zero() {
        return Dec::one();
    }
    let own = Ctx { round: Round::HalfEven, ..*ctx };
    let adjusted = a.adjusted();
    let len = |n: i64| digits(&BigUint::from(n.unsigned_abs()));
    if !a.negative && adjusted > len((ctx.emax + 1).saturating_mul(3)) {
        return Dec::new(false, BigUint::one(), ctx.emax + 1).finalize(&own, st);
    }
    if a.negative && adjusted > len((1 - ctx.etiny()).saturating_mul(3)) {
        return Dec::new(false, BigUint::one(), ctx.etiny() - 1).finalize(&own, st);
    }
    // So close to 1 that only the side counts.
    if adjusted < -ctx.prec - 1 {
        if ctx.prec > MAX_WORK * 80 {
            return invalid(st, MALLOC_ERROR);
        }
        let one = pow10(ctx.prec + 1);
        let coeff = if a.negative { one - 1u32 } else { one + 1u32 };
        return Dec::new(false, coeff, -ctx.prec - 1).finalize(&own, st);
    }
    search(&own, st, |p| {
        let bits = bits_for(p + adjusted.max(0) + 12);
        let (value, ten) = exp_scaled(&fixed(a, bits), bits);
        (value, bits, ten)
    })
}
pub fn ln(a: &Dec, ctx: &Ctx, st: &mut u32) -> Dec {
    if let Some(nan) = nan_of(&[a], ctx, st) {
        return nan;
    }
    if a.is_zero() {
        return Dec::infinity(true);
    }
    if a.negative {
        return invalid(st, INVALID_OPERATION);
    }
    if a.is_infinite() {
        return a.clone();
    }
    if is_one(a) {
        return Dec::zero(false, 0);
    }
    let close = closeness(a);
    search(&Ctx { round: Round::HalfEven, ..*ctx }, st, |p| {
        let (value, bits) = ln_scaled(a, p + close);
        (value, bits, 0)
    })
}
fn is_one(a: &Dec) -> bool {
    !a.negative && a.adjusted() == 0 && super::arith::compare(a, &Dec::one()).is_eq()
}
pub fn log10(a: &Dec, ctx: &Ctx, st: &mut u32) -> Dec {
    if let Some(nan) = nan_of(&[a], ctx, st) {
        return nan;
    }
    if a.is_zero() {
        return Dec::infinity(true);
    }
    if a.negative {
        return invalid(st, INVALID_OPERATION);
    }
    if a.is_infinite() {
        return a.clone();
    }
    let own = Ctx { round: Round::HalfEven, ..*ctx };
    if a.coeff == pow10(a.digits() - 1) {
        return Dec::small(a.adjusted()).finalize(&own, st);
    }
    let close = closeness(a);
    search(&own, st, |p| {
        let (value, bits) = ln_scaled(a, p + close + 4);
        let quotient = (value << bits) / ln10(bits);
        (quotient, bits, 0)
    })
}

/// An estimate of `log10 x` for a positive number.
fn log10_estimate(x: &Dec) -> f64 {
    let len = x.digits();
    let lead = if len > 17 { (&x.coeff / pow10(len - 17)).to_f64() } else { x.coeff.to_f64() };
    let m = lead.unwrap_or(1.0) / 10f64.powi(len.min(17) as i32 - 1);
    let estimate = m.log10() + x.adjusted() as f64;
    if estimate.abs() > 1e-6 {
        return estimate;
    }
    // Close to 1 the logarithm is the distance.
    10f64.powi(-(closeness(x).min(300) as i32)) * 0.5
}
pub fn pow(a: &Dec, b: &Dec, ctx: &Ctx, st: &mut u32) -> Dec {
    if let Some(nan) = nan_of(&[a, b], ctx, st) {
        return nan;
    }
    if b.is_zero() {
        return if a.is_zero() { invalid(st, INVALID_OPERATION) } else { Dec::one() };
    }
    let integer = b.is_integer();
    let mut negative = false;
    if a.negative {
        if integer {
            negative = b.is_odd();
        } else if a.is_infinite() || !a.is_zero() {
            return invalid(st, INVALID_OPERATION);
        }
    }
    let x = a.clone().abs();
    if x.is_zero() {
        return if b.negative { Dec::infinity(negative) } else { Dec::zero(negative, 0) };
    }
    if x.is_infinite() {
        return if b.negative { Dec::zero(negative, 0) } else { Dec::infinity(negative) };
    }
    if is_one(&x) {
        return power_of_one(&x, b, integer, negative, ctx, st);
    }
    let grows = x.adjusted() >= 0;
    if b.is_infinite() {
        return if b.negative == grows { Dec::zero(negative, 0) } else { Dec::infinity(negative) };
    }
    let own = Ctx { round: ctx.round, ..*ctx };
    let estimate = log10_estimate(&x) * estimate_of(b);
    if estimate > ctx.emax as f64 * 1.000_001 + 10.0 {
        return Dec::new(negative, BigUint::one(), ctx.emax + 1).finalize(&own, st);
    }
    if estimate < ctx.etiny() as f64 * 1.000_001 - 10.0 {
        return Dec::new(negative, BigUint::one(), ctx.etiny() - 1).finalize(&own, st);
    }
    if let Some(made) = exact_power(&x, b, negative, integer, &own, st) {
        return made;
    }
    search(ctx, st, |p| {
        let size = b.adjusted().max(0) + digits(&BigUint::from(x.adjusted().unsigned_abs()));
        let close = closeness(&x);
        let (log, bits) = ln_scaled(&x, p + size + close.min(b.adjusted().max(0) + 2) + 12);
        // b * ln x, still scaled.
        let n = log * BigInt::from(b.coeff.clone());
        let n = if b.exp >= 0 { n * BigInt::from(pow10(b.exp)) } else { n.div_floor(&BigInt::from(pow10(-b.exp))) };
        let n = if b.negative { -n } else { n };
        let (value, ten) = exp_scaled(&n, bits);
        let value = BigInt::from_biguint(if negative { Sign::Minus } else { Sign::Plus }, value.magnitude().clone());
        (value, bits, ten)
    })
}
fn estimate_of(b: &Dec) -> f64 {
    let len = b.digits();
    let lead = if len > 17 { (&b.coeff / pow10(len - 17)).to_f64() } else { b.coeff.to_f64() };
    let m = lead.unwrap_or(1.0) / 10f64.powi(len.min(17) as i32 - 1);
    let scale = 10f64.powf(b.adjusted().clamp(-300, 300) as f64);
    if b.negative { -m * scale } else { m * scale }
}
fn power_of_one(x: &Dec, b: &Dec, integer: bool, negative: bool, ctx: &Ctx, st: &mut u32) -> Dec {
    let least = 1 - ctx.prec;
    if integer {
        let times = if b.negative {
            0
        } else {
            match small_integer(&super::arith::rescale(b, 0, Round::Down, &mut 0)) {
                Some(n) => n.min(ctx.prec),
                None => ctx.prec,
            }
        };
        let mut exp = x.exp.saturating_mul(times);
        if exp < least {
            exp = least;
            *st |= ROUNDED;
        }
        return Dec::new(negative, pow10(-exp), exp);
    }
    *st |= INEXACT | ROUNDED;
    if ctx.prec > MAX_WORK * 80 {
        return invalid(st, MALLOC_ERROR);
    }
    Dec::new(negative, pow10(-least), least)
}
/// Powers that are rational and short enough to matter for rounding.
fn exact_power(x: &Dec, b: &Dec, negative: bool, integer: bool, ctx: &Ctx, st: &mut u32) -> Option<Dec> {
    // b = n / d in lowest terms.
    let (mut n, mut d) = (b.coeff.clone(), BigUint::one());
    if b.exp >= 0 {
        if b.exp > 20 {
            return None;
        }
        n *= pow10(b.exp);
    } else {
        if b.exp < -400 {
            return None;
        }
        d = pow10(-b.exp);
        let common = n.gcd(&d);
        n /= &common;
        d /= common;
    }
    let (mut root, mut exp) = if integer && x.exp.checked_mul(n.to_i64()?).is_some() {
        (x.coeff.clone(), x.exp)
    } else {
        let s = x.clone().stripped(i64::MAX);
        (s.coeff, s.exp)
    };
    if !d.is_one() {
        let degree = d.to_u32()?;
        let rest = exp.rem_euclid(i64::from(degree));
        if rest > 100_000 || i64::from(degree) > root.bits() as i64 + rest * 4 {
            // Only 1 has a root of that degree.
            if !root.is_one() || rest != 0 {
                return None;
            }
        }
        let whole = &root * pow10(rest);
        let candidate = whole.nth_root(degree);
        if candidate.pow(degree) != whole {
            return None;
        }
        root = candidate;
        exp = (exp - rest) / i64::from(degree);
    }
    let n = n.to_u64()?;
    let stripped = Dec::new(false, root.clone(), exp).stripped(i64::MAX);
    let room = (ctx.prec + 40).max(400) as u64;
    let too_long = |c: &BigUint| !c.is_one() && c.bits().saturating_mul(n) > room * 4 + 64;
    if too_long(&stripped.coeff) {
        return None;
    }
    // Written out, the power has more digits than the precision: the result has all that fit.
    let full = too_long(&root) && !b.negative;
    if too_long(&root) {
        root = stripped.coeff;
        exp = stripped.exp;
    }
    let power = if root.is_one() { root } else { root.pow(u32::try_from(n).ok()?) };
    let exp = exp.checked_mul(i64::try_from(n).ok()?)?;
    let made = Dec::new(negative, power, exp);
    let mut own = 0;
    let mut result = if b.negative { div(&Dec::one(), &made, ctx, &mut own) } else { made.finalize(ctx, &mut own) };
    *st |= own;
    // A power that is no integer one counts as inexact, with all digits.
    if !integer || full {
        *st |= if integer { ROUNDED } else { INEXACT | ROUNDED };
        if result.is_finite() && !result.coeff.is_zero() && result.digits() < ctx.prec {
            let pad = (ctx.prec - result.digits()).min(result.exp - ctx.etiny()).max(0);
            result.coeff = result.shifted(pad, st);
            result.exp -= pad;
        }
        if !integer && !result.coeff.is_zero() && result.is_finite() && result.adjusted() < ctx.emin {
            *st |= UNDERFLOW | SUBNORMAL;
        }
    }
    Some(result)
}
/// `a ** b % m` for integers.
pub fn powmod(a: &Dec, b: &Dec, m: &Dec, ctx: &Ctx, st: &mut u32) -> Dec {
    if let Some(nan) = nan_of(&[a, b, m], ctx, st) {
        return nan;
    }
    let whole = a.is_integer() && b.is_integer() && m.is_integer();
    if !whole || b.negative && !b.is_zero() || m.is_zero() || m.adjusted() >= ctx.prec {
        return invalid(st, INVALID_OPERATION);
    }
    if a.is_zero() && b.is_zero() {
        return invalid(st, INVALID_OPERATION);
    }
    let integer = |d: &Dec| -> BigUint {
        if d.exp >= 0 { &d.coeff * pow10(d.exp.min(100_000)) } else { &d.coeff / pow10(-d.exp) }
    };
    let modulus = integer(m);
    let base = if a.exp > 0 {
        (&a.coeff % &modulus) * BigUint::from(10u32).modpow(&BigUint::from(a.exp as u64), &modulus) % &modulus
    } else {
        integer(a) % &modulus
    };
    if b.exp > 100_000 {
        return invalid(st, MALLOC_ERROR);
    }
    let power = base.modpow(&integer(b), &modulus);
    Dec::new(a.negative && b.is_odd() && !power.is_zero(), power, 0)
}
