//! Products, powers, quotients, roots and text of ints so large that one takes seconds: Ctrl-C ends them. CPython
//! counterpart: `SIGCHECK` in `Objects/longobject.c`, `Lib/_pylong.py`.
use krait_object::thread::breaker;
use krait_object::{PyResult, Raised, Thread};
use num_bigint::{BigInt, BigUint, Sign};
use num_integer::Integer;

use crate::numtext::steps::Steps;
use crate::signals;

/// Factors of fewer bits are multiplied at once, which takes some hundredths of a second.
pub const AT_ONCE: u64 = 1 << 21;

/// `x * y`
pub fn multiply(th: &mut Thread, x: &BigUint, y: &BigUint) -> PyResult<BigUint> {
    let (x, y) = if x.bits() < y.bits() { (y, x) } else { (x, y) };
    if x.bits() < AT_ONCE {
        return Ok(x * y);
    }
    if x.bits() > 2 * y.bits() {
        return halves(th, x, y);
    }
    toom(th, x, y)
}

/// `base ** exponent`, both more than 1.
pub fn power(th: &mut Thread, base: &BigUint, exponent: u32) -> PyResult<BigUint> {
    if base.bits().saturating_mul(exponent.into()) < AT_ONCE {
        return Ok(base.pow(exponent));
    }
    let mut result = base.clone();
    for bit in (0..exponent.ilog2()).rev() {
        result = multiply(th, &result, &result)?;
        if exponent >> bit & 1 != 0 {
            result = multiply(th, &result, base)?;
        }
    }
    Ok(result)
}

/// The largest integer whose square is at most `n`. Each step of Newton's doubles the bits that are known, as in CPython.
pub fn root(th: &mut Thread, n: &BigUint) -> PyResult<BigUint> {
    if n.bits() < SCHOOLBOOK {
        return Ok(n.sqrt());
    }
    let half = (n.bits() - 1) / 2;
    let mut root = BigUint::from(1u32);
    let mut known = 0;
    for shift in (0..=half.ilog2()).rev() {
        let before = known;
        known = half >> shift;
        let quotient = divide(th, &(n >> (2 * half - before - known + 1)), &root)?.0;
        root = (root << (known - before - 1)) + quotient;
    }
    if multiply(th, &root, &root)? > *n {
        root -= 1u32;
    }
    Ok(root)
}

/// For conversions to text and back.
pub struct Interruptible<'a>(pub &'a mut Thread);
impl Steps for Interruptible<'_> {
    type Fault = Raised;
    fn multiply(&mut self, x: &BigUint, y: &BigUint) -> PyResult<BigUint> {
        check(self.0)?;
        multiply(self.0, x, y)
    }
    fn divide(&mut self, x: &BigUint, y: &BigUint) -> PyResult<(BigUint, BigUint)> {
        check(self.0)?;
        divide(self.0, x, y)
    }
}

/// Runs the handlers of the signals that arrived.
pub fn check(th: &mut Thread) -> PyResult<()> {
    if th.breaker() & breaker::SIGNAL != 0 { signals::run_pending(th) } else { Ok(()) }
}

/// Pieces of `bits` bits, the lowest first.
fn pieces(x: &BigUint, bits: u64) -> Vec<BigUint> {
    let digits = x.to_u32_digits();
    digits.chunks(bits.div_ceil(32) as usize).map(BigUint::from_slice).collect()
}

fn halves(th: &mut Thread, x: &BigUint, y: &BigUint) -> PyResult<BigUint> {
    check(th)?;
    let bits = x.bits().div_ceil(64) * 32;
    let halves = pieces(x, bits);
    let high = multiply(th, &halves[1], y)? << bits;
    Ok(high + multiply(th, &halves[0], y)?)
}

/// Toom and Cook's way in three pieces: the product as a polynomial, from its values at 0, 1, -1, -2 and infinity by
/// Bodrato's sequence.
fn toom(th: &mut Thread, x: &BigUint, y: &BigUint) -> PyResult<BigUint> {
    let bits = x.bits().div_ceil(96) * 32;
    let values = |x: &BigUint| {
        let mut parts = pieces(x, bits).into_iter().map(BigInt::from);
        let mut next = || parts.next().unwrap_or_default();
        let (low, middle, high) = (next(), next(), next());
        let even = &low + &high;
        let (one, minus_one) = (&even + &middle, even - &middle);
        let minus_two = ((&minus_one + &high) << 1u32) - &low;
        [low, one, minus_one, minus_two, high]
    };
    let mut products = [const { BigInt::ZERO }; 5];
    for (product, (x, y)) in products.iter_mut().zip(values(x).iter().zip(&values(y))) {
        check(th)?;
        let sign = if x.sign() == y.sign() { Sign::Plus } else { Sign::Minus };
        *product = BigInt::from_biguint(sign, multiply(th, x.magnitude(), y.magnitude())?);
    }
    let [low, one, minus_one, minus_two, high] = products;
    let third = (minus_two - &one) / 3u32;
    let first = (one - &minus_one) >> 1u32;
    let second = minus_one - &low;
    let third = ((&second - third) >> 1u32) + (&high << 1u32);
    let second = second + &first - &high;
    let first = first - &third;
    let sum = [third, second, first, low].into_iter().fold(high, |sum, digit| (sum << bits) + digit);
    Ok(sum.into_parts().1)
}

/// Divisors and quotients of fewer bits are divided by schoolbook.
pub const SCHOOLBOOK: u64 = 1 << 15;

/// Quotient and rest, by Burnikel and Ziegler's way.
pub fn divide(th: &mut Thread, x: &BigUint, y: &BigUint) -> PyResult<(BigUint, BigUint)> {
    if y.bits() < SCHOOLBOOK || x.bits() < y.bits() + SCHOOLBOOK {
        return Ok(x.div_rem(y));
    }
    // The divisor gets a length that can be halved down to schoolbook's, its highest bit set.
    let halvings = (y.bits() / SCHOOLBOOK).ilog2() + 1;
    let bits = y.bits().next_multiple_of(32 << halvings);
    let shift = bits - y.bits();
    let (x, y) = (x << shift, y << shift);
    let mut rest = BigUint::ZERO;
    let mut quotients = Vec::new();
    for piece in pieces(&x, bits).iter().rev() {
        let (quotient, next) = two_by_one(th, &((rest << bits) + piece), &y, bits)?;
        rest = next;
        quotients.push(padded(&quotient, bits));
    }
    let digits = quotients.into_iter().rev().flatten().collect();
    Ok((BigUint::new(digits), rest >> shift))
}

fn padded(x: &BigUint, bits: u64) -> Vec<u32> {
    let mut digits = x.to_u32_digits();
    digits.resize((bits / 32) as usize, 0);
    digits
}

/// The low and the high part.
fn parted(x: &BigUint, bits: u64) -> (BigUint, BigUint) {
    let digits = x.to_u32_digits();
    let (low, high) = digits.split_at(digits.len().min((bits / 32) as usize));
    (BigUint::from_slice(low), BigUint::from_slice(high))
}

/// `x` below `y << bits` by `y`, which has `bits` bits.
fn two_by_one(th: &mut Thread, x: &BigUint, y: &BigUint, bits: u64) -> PyResult<(BigUint, BigUint)> {
    if bits < SCHOOLBOOK || x.bits() < bits + SCHOOLBOOK {
        return Ok(x.div_rem(y));
    }
    check(th)?;
    let half = bits / 2;
    let (low, high) = parted(x, half);
    let (middle, high) = parted(&high, half);
    let divisor = parted(y, half);
    let (first, rest) = three_by_two(th, (&high, &middle), y, &divisor, half)?;
    let (second, rest) = three_by_two(th, (&rest, &low), y, &divisor, half)?;
    Ok(((first << half) + second, rest))
}

/// `high << bits | low` by `y`, whose halves of `bits` bits are given too.
fn three_by_two(
    th: &mut Thread,
    (high, low): (&BigUint, &BigUint),
    y: &BigUint,
    (y_low, y_high): &(BigUint, BigUint),
    bits: u64,
) -> PyResult<(BigUint, BigUint)> {
    let (mut quotient, rest) = if (high >> bits) < *y_high {
        two_by_one(th, high, y_high, bits)?
    } else {
        ((BigUint::from(1u32) << bits) - 1u32, high + y_high - (y_high << bits))
    };
    let mut rest = (rest << bits) + low;
    let less = multiply(th, &quotient, y_low)?;
    // The guess is too large by two at most.
    while rest < less {
        quotient -= 1u32;
        rest += y;
    }
    Ok((quotient, rest - less))
}
