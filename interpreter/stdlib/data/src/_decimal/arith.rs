//! Arithmetic: sums, products, quotients, roots, rescaling. Exact first, then rounded once.
use std::cmp::Ordering;

use num_bigint::BigUint;
use num_integer::Integer;
use num_traits::{One, ToPrimitive, Zero};

use super::num::{Ctx, Dec, Kind, Rest, Round, digits, flag::*, invalid, nan_of, pow10, rounds_up, shift_right};

pub fn add(a: &Dec, b: &Dec, ctx: &Ctx, st: &mut u32) -> Dec {
    sum(a, b, false, ctx, st)
}
pub fn sub(a: &Dec, b: &Dec, ctx: &Ctx, st: &mut u32) -> Dec {
    sum(a, b, true, ctx, st)
}
fn sum(a: &Dec, b: &Dec, subtract: bool, ctx: &Ctx, st: &mut u32) -> Dec {
    if let Some(nan) = nan_of(&[a, b], ctx, st) {
        return nan;
    }
    let b_negative = b.negative != subtract;
    match (a.is_infinite(), b.is_infinite()) {
        (true, true) if a.negative != b_negative => return invalid(st, INVALID_OPERATION),
        (true, _) => return a.clone(),
        (_, true) => return Dec::infinity(b_negative),
        _ => {}
    }
    exact_sum(a, b, b_negative, ctx, st)
}
fn exact_sum(a: &Dec, b: &Dec, b_negative: bool, ctx: &Ctx, st: &mut u32) -> Dec {
    let exp = a.exp.min(b.exp);
    // Both small and aligned: the common case.
    if a.exp == b.exp
        && let (Some(x), Some(y)) = (a.coeff.to_u64(), b.coeff.to_u64())
        && x < 1 << 62
        && y < 1 << 62
    {
        let x = if a.negative { -(x as i64) } else { x as i64 };
        let y = if b_negative { -(y as i64) } else { y as i64 };
        let n = x + y;
        let negative = if n == 0 { zero_sign(a.negative, b_negative, ctx) } else { n < 0 };
        return Dec::new(negative, n.unsigned_abs().into(), exp).finalize(ctx, st);
    }
    if a.coeff.is_zero() && b.coeff.is_zero() {
        return Dec::zero(zero_sign(a.negative, b_negative, ctx), exp).finalize(ctx, st);
    }
    // A number far below the other's last digit only says on which side of it the sum lies.
    let (big, small, big_negative, small_negative) =
        if a.adjusted() >= b.adjusted() && !a.coeff.is_zero() || b.coeff.is_zero() {
            (a, b, a.negative, b_negative)
        } else {
            (b, a, b_negative, a.negative)
        };
    if small.coeff.is_zero() {
        // The exponent goes down to the zero's, as far as the precision has room.
        let room = ctx.prec - big.digits();
        let target = if big.exp - exp > room.max(0) { big.exp - room.max(0) } else { exp };
        let coeff = big.shifted(big.exp - target, st);
        if target > exp && big.exp > exp {
            *st |= ROUNDED;
        }
        return Dec::new(big_negative, coeff, target.min(big.exp)).finalize(ctx, st);
    }
    let floor = big.adjusted() - ctx.prec - 2;
    if small.adjusted() < floor && small.adjusted() < big.exp - 2 {
        let target = floor.min(big.exp - 2);
        let mut coeff = big.shifted(big.exp - target, st);
        coeff = if big_negative == small_negative { coeff + 1u32 } else { coeff - 1u32 };
        return Dec::new(big_negative, coeff, target).finalize(ctx, st);
    }
    let (x, y) = (a.shifted(a.exp - exp, st), b.shifted(b.exp - exp, st));
    let (negative, coeff) = if a.negative == b_negative {
        (a.negative, x + y)
    } else {
        match x.cmp(&y) {
            Ordering::Greater => (a.negative, x - y),
            Ordering::Less => (b_negative, y - x),
            Ordering::Equal => (ctx.round == Round::Floor, BigUint::zero()),
        }
    };
    Dec::new(negative, coeff, exp).finalize(ctx, st)
}
fn zero_sign(a: bool, b: bool, ctx: &Ctx) -> bool {
    if a == b { a } else { ctx.round == Round::Floor }
}
pub fn mul(a: &Dec, b: &Dec, ctx: &Ctx, st: &mut u32) -> Dec {
    if let Some(nan) = nan_of(&[a, b], ctx, st) {
        return nan;
    }
    let negative = a.negative != b.negative;
    if a.is_infinite() || b.is_infinite() {
        if a.is_zero() || b.is_zero() {
            return invalid(st, INVALID_OPERATION);
        }
        return Dec::infinity(negative);
    }
    Dec::new(negative, &a.coeff * &b.coeff, a.exp + b.exp).finalize(ctx, st)
}
pub fn fma(a: &Dec, b: &Dec, c: &Dec, ctx: &Ctx, st: &mut u32) -> Dec {
    if (a.is_nan() || b.is_nan() || c.is_nan())
        && let Some(nan) = nan_of(&[a, b, c], ctx, st)
    {
        return nan;
    }
    let negative = a.negative != b.negative;
    if a.is_infinite() || b.is_infinite() {
        if a.is_zero() || b.is_zero() {
            return invalid(st, INVALID_OPERATION);
        }
        return sum(&Dec::infinity(negative), c, false, ctx, st);
    }
    let product = Dec::new(negative, &a.coeff * &b.coeff, a.exp + b.exp);
    sum(&product, c, false, ctx, st)
}
pub fn div(a: &Dec, b: &Dec, ctx: &Ctx, st: &mut u32) -> Dec {
    if let Some(nan) = nan_of(&[a, b], ctx, st) {
        return nan;
    }
    let negative = a.negative != b.negative;
    match (a.is_infinite(), b.is_infinite()) {
        (true, true) => return invalid(st, INVALID_OPERATION),
        (true, _) => return Dec::infinity(negative),
        (_, true) => {
            *st |= CLAMPED;
            return Dec::zero(negative, ctx.etiny());
        }
        _ => {}
    }
    if b.coeff.is_zero() {
        if a.coeff.is_zero() {
            return invalid(st, DIVISION_UNDEFINED);
        }
        *st |= DIVISION_BY_ZERO;
        return Dec::infinity(negative);
    }
    let ideal = a.exp - b.exp;
    if a.coeff.is_zero() {
        return Dec::zero(negative, ideal).finalize(ctx, st);
    }
    let mut shift = b.digits() - a.digits() + ctx.prec + 1;
    if shift > 100_000 {
        shift = shift.min(terminating(&a.coeff, &b.coeff).unwrap_or(shift));
    }
    let exp = ideal - shift;
    let (q, r) =
        if shift >= 0 { a.shifted(shift, st).div_rem(&b.coeff) } else { a.coeff.div_rem(&b.shifted(-shift, st)) };
    if r.is_zero() {
        // Exact: as close to the ideal exponent as trailing zeros allow.
        return Dec::new(negative, q, exp).stripped(ideal.max(exp)).finalize(ctx, st);
    }
    let double = r << 1u32;
    let divisor = if shift >= 0 { b.coeff.clone() } else { b.shifted(-shift, st) };
    let rest = match double.cmp(&divisor) {
        Ordering::Less => Rest::Less,
        Ordering::Equal => Rest::Half,
        Ordering::Greater => Rest::More,
    };
    Dec::new(negative, q, exp).finalize_with(rest, ctx, st)
}
/// The digits behind the point after which a quotient ends, if it ends.
fn terminating(a: &BigUint, b: &BigUint) -> Option<i64> {
    let mut rest = b / a.gcd(b);
    let twos = rest.trailing_zeros().unwrap_or(0);
    rest >>= twos;
    let mut fives = 0u64;
    let five = BigUint::from(5u32);
    while (&rest % &five).is_zero() {
        rest /= &five;
        fives += 1;
    }
    rest.is_one().then_some(twos.max(fives) as i64)
}
/// Integer quotient and remainder; the quotient must fit the precision.
fn int_divide(a: &Dec, b: &Dec, ctx: &Ctx, st: &mut u32) -> Option<(Dec, Dec)> {
    let negative = a.negative != b.negative;
    let ideal = a.exp.min(b.exp);
    if a.coeff.is_zero() || a.adjusted() < b.adjusted() {
        let r = if a.coeff.is_zero() {
            Dec::zero(a.negative, ideal)
        } else {
            Dec::new(a.negative, a.shifted(a.exp - ideal, st), ideal)
        };
        return Some((Dec::zero(negative, 0), r));
    }
    if a.adjusted() - b.adjusted() > ctx.prec {
        *st |= DIVISION_IMPOSSIBLE;
        return None;
    }
    let (x, y) = (a.shifted(a.exp - ideal, st), b.shifted(b.exp - ideal, st));
    let (q, r) = x.div_rem(&y);
    if digits(&q) > ctx.prec {
        *st |= DIVISION_IMPOSSIBLE;
        return None;
    }
    Some((Dec::new(negative, q, 0), Dec::new(a.negative, r, ideal)))
}
pub fn div_int(a: &Dec, b: &Dec, ctx: &Ctx, st: &mut u32) -> Dec {
    if let Some(nan) = nan_of(&[a, b], ctx, st) {
        return nan;
    }
    let negative = a.negative != b.negative;
    if a.is_infinite() {
        return if b.is_infinite() { invalid(st, INVALID_OPERATION) } else { Dec::infinity(negative) };
    }
    if b.is_infinite() {
        return Dec::zero(negative, 0);
    }
    if b.coeff.is_zero() {
        if a.coeff.is_zero() {
            return invalid(st, DIVISION_UNDEFINED);
        }
        *st |= DIVISION_BY_ZERO;
        return Dec::infinity(negative);
    }
    match int_divide(a, b, ctx, st) {
        Some((q, _)) => q,
        None => Dec::nan(),
    }
}
pub fn rem(a: &Dec, b: &Dec, ctx: &Ctx, st: &mut u32) -> Dec {
    if let Some(nan) = nan_of(&[a, b], ctx, st) {
        return nan;
    }
    if a.is_infinite() {
        return invalid(st, INVALID_OPERATION);
    }
    if b.is_infinite() {
        return a.clone().finalize(ctx, st);
    }
    if b.coeff.is_zero() {
        return invalid(st, if a.coeff.is_zero() { DIVISION_UNDEFINED } else { INVALID_OPERATION });
    }
    match int_divide(a, b, ctx, st) {
        Some((_, r)) => r.finalize(ctx, st),
        None => Dec::nan(),
    }
}
pub fn divmod(a: &Dec, b: &Dec, ctx: &Ctx, st: &mut u32) -> (Dec, Dec) {
    if let Some(nan) = nan_of(&[a, b], ctx, st) {
        return (nan.clone(), nan);
    }
    let negative = a.negative != b.negative;
    if a.is_infinite() {
        if b.is_infinite() {
            return (invalid(st, INVALID_OPERATION), Dec::nan());
        }
        return (Dec::infinity(negative), invalid(st, INVALID_OPERATION));
    }
    if b.is_infinite() {
        return (Dec::zero(negative, 0), a.clone().finalize(ctx, st));
    }
    if b.coeff.is_zero() {
        if a.coeff.is_zero() {
            return (invalid(st, DIVISION_UNDEFINED), Dec::nan());
        }
        *st |= DIVISION_BY_ZERO | INVALID_OPERATION;
        return (Dec::infinity(negative), Dec::nan());
    }
    match int_divide(a, b, ctx, st) {
        Some((q, r)) => (q, r.finalize(ctx, st)),
        None => (Dec::nan(), Dec::nan()),
    }
}
pub fn rem_near(a: &Dec, b: &Dec, ctx: &Ctx, st: &mut u32) -> Dec {
    if let Some(nan) = nan_of(&[a, b], ctx, st) {
        return nan;
    }
    if a.is_infinite() {
        return invalid(st, INVALID_OPERATION);
    }
    if b.coeff.is_zero() && b.is_finite() {
        return invalid(st, if a.coeff.is_zero() { DIVISION_UNDEFINED } else { INVALID_OPERATION });
    }
    if b.is_infinite() {
        return a.clone().finalize(ctx, st);
    }
    let ideal = a.exp.min(b.exp);
    if a.coeff.is_zero() {
        return Dec::zero(a.negative, ideal).finalize(ctx, st);
    }
    let distance = a.adjusted() - b.adjusted();
    if distance > ctx.prec {
        return invalid(st, DIVISION_IMPOSSIBLE);
    }
    if distance <= -2 {
        let coeff = a.shifted(a.exp - ideal, st);
        return Dec::new(a.negative, coeff, ideal).finalize(ctx, st);
    }
    let (x, y) = (a.shifted(a.exp - ideal, st), b.shifted(b.exp - ideal, st));
    let (mut q, mut r) = x.div_rem(&y);
    let mut negative = a.negative;
    let double = &r << 1u32;
    if double > y || (double == y && q.bit(0)) {
        r = &y - r;
        q += 1u32;
        negative = !negative;
    }
    if digits(&q) > ctx.prec {
        return invalid(st, DIVISION_IMPOSSIBLE);
    }
    Dec::new(negative, r, ideal).finalize(ctx, st)
}
pub fn plus(a: &Dec, ctx: &Ctx, st: &mut u32) -> Dec {
    if let Some(nan) = nan_of(&[a], ctx, st) {
        return nan;
    }
    let mut made = a.clone();
    if a.is_zero() && ctx.round != Round::Floor {
        made.negative = false;
    }
    made.finalize(ctx, st)
}
pub fn minus(a: &Dec, ctx: &Ctx, st: &mut u32) -> Dec {
    if let Some(nan) = nan_of(&[a], ctx, st) {
        return nan;
    }
    let mut made = a.clone().negated();
    if a.is_zero() && ctx.round != Round::Floor {
        made.negative = false;
    }
    made.finalize(ctx, st)
}
pub fn abs(a: &Dec, ctx: &Ctx, st: &mut u32) -> Dec {
    if a.negative { minus(a, ctx, st) } else { plus(a, ctx, st) }
}
pub fn reduce(a: &Dec, ctx: &Ctx, st: &mut u32) -> Dec {
    if let Some(nan) = nan_of(&[a], ctx, st) {
        return nan;
    }
    let made = a.clone().finalize(ctx, st);
    if !made.is_finite() {
        return made;
    }
    if made.coeff.is_zero() {
        return Dec::zero(made.negative, 0);
    }
    let most = if ctx.clamp { ctx.etop() } else { ctx.emax };
    made.stripped(most)
}
/// Rounded to an exponent, without regard to the precision.
pub fn rescale(a: &Dec, exp: i64, round: Round, st: &mut u32) -> Dec {
    if a.coeff.is_zero() {
        return Dec::zero(a.negative, exp);
    }
    if exp <= a.exp {
        return Dec::new(a.negative, a.shifted(a.exp - exp, st), exp);
    }
    let (mut coeff, rest) = shift_right(&a.coeff, exp - a.exp);
    if rounds_up(round, rest, a.negative, &coeff) {
        coeff += 1u32;
    }
    *st |= ROUNDED;
    if rest != Rest::Zero {
        *st |= INEXACT;
    }
    Dec::new(a.negative, coeff, exp)
}
pub fn quantize(a: &Dec, b: &Dec, ctx: &Ctx, st: &mut u32) -> Dec {
    if let Some(nan) = nan_of(&[a, b], ctx, st) {
        return nan;
    }
    if a.is_infinite() || b.is_infinite() {
        return if a.is_infinite() && b.is_infinite() { a.clone() } else { invalid(st, INVALID_OPERATION) };
    }
    let exp = b.exp;
    if !(ctx.etiny()..=ctx.emax).contains(&exp) {
        return invalid(st, INVALID_OPERATION);
    }
    if a.coeff.is_zero() {
        return Dec::zero(a.negative, exp).finalize(ctx, st);
    }
    let adjusted = a.adjusted();
    if adjusted > ctx.emax || adjusted - exp + 1 > ctx.prec {
        return invalid(st, INVALID_OPERATION);
    }
    let mut own = 0;
    let made = rescale(a, exp, ctx.round, &mut own);
    if own & MALLOC_ERROR != 0 || made.adjusted() > ctx.emax || made.digits() > ctx.prec {
        return invalid(st, INVALID_OPERATION);
    }
    if !made.coeff.is_zero() && made.adjusted() < ctx.emin {
        own |= SUBNORMAL;
        // As elsewhere, a subnormal and inexact result is no underflow here.
    }
    *st |= own;
    let mut after = 0;
    let made = made.finalize(ctx, &mut after);
    *st |= after & !UNDERFLOW;
    made
}
pub fn to_integral(a: &Dec, ctx: &Ctx, st: &mut u32, exact: bool) -> Dec {
    if let Some(nan) = nan_of(&[a], ctx, st) {
        return nan;
    }
    if a.is_infinite() || a.exp >= 0 {
        return a.clone();
    }
    if a.coeff.is_zero() {
        return Dec::zero(a.negative, 0);
    }
    let mut own = 0;
    let made = rescale(a, 0, ctx.round, &mut own);
    if exact {
        *st |= own;
    }
    made
}
pub fn sqrt(a: &Dec, ctx: &Ctx, st: &mut u32) -> Dec {
    if let Some(nan) = nan_of(&[a], ctx, st) {
        return nan;
    }
    let ideal = a.exp.div_euclid(2);
    if a.is_zero() {
        return Dec::zero(a.negative, ideal).finalize(ctx, st);
    }
    if a.negative {
        return invalid(st, INVALID_OPERATION);
    }
    if a.is_infinite() {
        return a.clone();
    }
    // With huge precisions an exact root is tried first.
    let odd = a.exp.rem_euclid(2);
    let whole = a.shifted(odd, st);
    let own = Ctx { round: Round::HalfEven, ..*ctx };
    if ctx.prec > 100_000 {
        let root = whole.sqrt();
        if &root * &root == whole {
            return Dec::new(false, root, ideal).finalize(&own, st);
        }
    }
    let wanted = ctx.prec + 1;
    let shift = (wanted - (digits(&whole) + 1) / 2).max(0);
    if shift > 200_000_000 {
        return invalid(st, MALLOC_ERROR);
    }
    let scaled = &whole * pow10(2 * shift);
    let root = scaled.sqrt();
    let exact = &root * &root == scaled;
    let made = Dec::new(false, root, ideal - shift);
    if exact {
        return made.stripped(ideal).finalize(&own, st);
    }
    // The root is no midpoint: what follows is on one side of a half only in the digits kept.
    let half = (&made.coeff << 1u32) + 1u32;
    let rest = if &half * &half > (&scaled << 2u32) { Rest::Less } else { Rest::More };
    made.finalize_with(rest, &own, st)
}
/// The next number towards infinity of a sign.
pub fn next_towards(a: &Dec, up: bool, ctx: &Ctx, st: &mut u32) -> Dec {
    if a.is_infinite() {
        if a.negative == up {
            return Dec::new(a.negative, pow10(ctx.prec.min(400_000_000)) - 1u32, ctx.etop());
        }
        return a.clone();
    }
    let own = Ctx { round: if up { Round::Ceiling } else { Round::Floor }, ..*ctx };
    let mut ignored = 0;
    let rounded = a.clone().finalize(&own, &mut ignored);
    if compare(&rounded, a) != Ordering::Equal {
        return rounded;
    }
    let tiny = Dec::new(!up, BigUint::one(), ctx.etiny() - 1);
    let b_negative = tiny.negative;
    let made = exact_sum(a, &tiny, b_negative, &own, &mut ignored);
    *st |= ignored & MALLOC_ERROR;
    made
}
pub fn next_minus(a: &Dec, ctx: &Ctx, st: &mut u32) -> Dec {
    nan_of(&[a], ctx, st).unwrap_or_else(|| next_towards(a, false, ctx, st))
}
pub fn next_plus(a: &Dec, ctx: &Ctx, st: &mut u32) -> Dec {
    nan_of(&[a], ctx, st).unwrap_or_else(|| next_towards(a, true, ctx, st))
}
pub fn next_toward(a: &Dec, b: &Dec, ctx: &Ctx, st: &mut u32) -> Dec {
    if let Some(nan) = nan_of(&[a, b], ctx, st) {
        return nan;
    }
    let up = match compare(a, b) {
        Ordering::Equal => {
            let mut made = a.clone();
            made.negative = b.negative;
            return made;
        }
        order => order == Ordering::Less,
    };
    let made = next_towards(a, up, ctx, st);
    if made.is_infinite() {
        *st |= OVERFLOW | INEXACT | ROUNDED;
    } else if made.coeff.is_zero() || made.adjusted() < ctx.emin {
        *st |= UNDERFLOW | SUBNORMAL | INEXACT | ROUNDED;
        if made.coeff.is_zero() {
            *st |= CLAMPED;
        }
    }
    made
}
/// The order of two numbers that are no NaNs.
pub fn compare(a: &Dec, b: &Dec) -> Ordering {
    let sign = |d: &Dec| if d.is_zero() { 0 } else { 1 - 2 * i32::from(d.negative) };
    let (x, y) = (sign(a), sign(b));
    if x != y {
        return x.cmp(&y);
    }
    if x == 0 {
        return Ordering::Equal;
    }
    let magnitude = match (a.is_infinite(), b.is_infinite()) {
        (true, true) => Ordering::Equal,
        (true, _) => Ordering::Greater,
        (_, true) => Ordering::Less,
        _ => compare_magnitudes(a, b),
    };
    if x < 0 { magnitude.reverse() } else { magnitude }
}
fn compare_magnitudes(a: &Dec, b: &Dec) -> Ordering {
    if a.exp == b.exp {
        return a.coeff.cmp(&b.coeff);
    }
    match a.adjusted().cmp(&b.adjusted()) {
        // Equal magnitudes: the difference of the exponents is bounded by the digits.
        Ordering::Equal if a.exp > b.exp => (&a.coeff * pow10(a.exp - b.exp)).cmp(&b.coeff),
        Ordering::Equal => a.coeff.cmp(&(&b.coeff * pow10(b.exp - a.exp))),
        order => order,
    }
}
pub fn scaleb(a: &Dec, b: &Dec, ctx: &Ctx, st: &mut u32) -> Dec {
    if let Some(nan) = nan_of(&[a, b], ctx, st) {
        return nan;
    }
    let limit = 2 * (ctx.emax + ctx.prec);
    let n = small_integer(b).filter(|n| n.abs() <= limit);
    let Some(n) = n else { return invalid(st, INVALID_OPERATION) };
    if a.is_infinite() {
        return a.clone();
    }
    let mut made = a.clone();
    made.exp += n;
    made.finalize(ctx, st)
}
/// A number with exponent 0 as an integer.
pub fn small_integer(b: &Dec) -> Option<i64> {
    if !b.is_finite() || b.exp != 0 {
        return None;
    }
    let n = b.coeff.to_i64()?;
    Some(if b.negative { -n } else { n })
}
pub fn logb(a: &Dec, ctx: &Ctx, st: &mut u32) -> Dec {
    if let Some(nan) = nan_of(&[a], ctx, st) {
        return nan;
    }
    if a.kind == Kind::Infinite {
        return Dec::infinity(false);
    }
    if a.coeff.is_zero() {
        *st |= DIVISION_BY_ZERO;
        return Dec::infinity(true);
    }
    Dec::small(a.adjusted()).finalize(ctx, st)
}
