//! Products and powers of ints so large that one takes seconds: Ctrl-C ends them. CPython counterpart: `SIGCHECK` in
//! `Objects/longobject.c`.
use krait_object::thread::breaker;
use krait_object::{PyResult, Thread};
use num_bigint::{BigInt, BigUint, Sign};

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

fn check(th: &mut Thread) -> PyResult<()> {
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
