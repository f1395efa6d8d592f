//! Functions of ints.
use krait_object::{Args, IntRef, PyResult, Thread, Value};
use krait_runtime::errors::{memory_error, overflow_error, value_error};
use krait_runtime::protocol::number;
use krait_runtime::types::int::huge;
use num_bigint::{BigInt, BigUint};
use num_traits::{One, Signed, ToPrimitive, Zero};

fn integer(th: &mut Thread, v: &Value) -> PyResult<BigInt> {
    number::to_bigint(th, v)
}

/// The product of `from..=to`, halves multiplied last so that the factors stay of similar size.
fn product(from: u64, to: u64) -> BigUint {
    if from > to {
        return BigUint::one();
    }
    if to - from < 8 {
        let mut all = BigUint::from(from);
        let mut small = 1u64;
        for n in from + 1..=to {
            match small.checked_mul(n) {
                Some(s) => small = s,
                None => {
                    all *= small;
                    small = n;
                }
            }
        }
        return all * small;
    }
    let middle = from + (to - from) / 2;
    product(from, middle) * product(middle + 1, to)
}
/// MemoryError where a product of so many factors of so many bits could not be had.
fn room(th: &mut Thread, factors: u64, bits: u64) -> PyResult<()> {
    let bytes = usize::try_from(factors.saturating_mul(bits.saturating_sub(1)) / 8).unwrap_or(usize::MAX);
    if bytes > 1 << 24 && Vec::<u8>::new().try_reserve_exact(bytes).is_err() {
        return Err(memory_error(th));
    }
    Ok(())
}
fn bits(n: u64) -> u64 {
    u64::from(64 - n.leading_zeros())
}

pub fn factorial(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    factorial_of(th, &a[0])
}
fn factorial_of(th: &mut Thread, v: &Value) -> PyResult<Value> {
    let n = integer(th, v)?;
    if n.is_negative() {
        return Err(value_error(th, "factorial() not defined for negative values"));
    }
    let Some(n) = n.to_i64() else {
        return Err(overflow_error(th, format!("factorial() argument should not exceed {}", i64::MAX)));
    };
    let n = n as u64;
    room(th, n, bits(n).saturating_sub(1))?;
    Ok(BigInt::from(product(1, n)).into())
}
/// `n * (n-1) * …`, `k` factors.
fn falling(th: &mut Thread, n: &BigInt, k: u64) -> PyResult<BigInt> {
    room(th, k, n.bits())?;
    if let Some(n) = n.to_u64() {
        return Ok(product(n - k + 1, n).into());
    }
    fn steps(n: &BigInt, k: u64) -> BigInt {
        match k {
            0 => BigInt::one(),
            1 => n.clone(),
            _ => {
                let half = k / 2;
                steps(n, half) * steps(&(n - half), k - half)
            }
        }
    }
    Ok(steps(n, k))
}
pub fn perm(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let Some(k) = a.opt_not_none(1) else { return factorial_of(th, &a[0]) };
    let (n, k) = (integer(th, &a[0])?, integer(th, k)?);
    if n.is_negative() {
        return Err(value_error(th, "n must be a non-negative integer"));
    }
    if k.is_negative() {
        return Err(value_error(th, "k must be a non-negative integer"));
    }
    if k > n {
        return Ok(Value::int(0));
    }
    match k.to_i64() {
        Some(k) => Ok(falling(th, &n, k as u64)?.into()),
        None => Err(overflow_error(th, format!("k must not exceed {}", i64::MAX))),
    }
}
pub fn comb(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let (n, k) = (integer(th, &a[0])?, integer(th, &a[1])?);
    if n.is_negative() {
        return Err(value_error(th, "n must be a non-negative integer"));
    }
    if k.is_negative() {
        return Err(value_error(th, "k must be a non-negative integer"));
    }
    if k > n {
        return Ok(Value::int(0));
    }
    let other = &n - &k;
    let k = if other < k { other } else { k };
    let Some(k) = k.to_i64() else {
        return Err(overflow_error(th, format!("min(n - k, k) must not exceed {}", i64::MAX)));
    };
    if let Some(n) = n.to_u64()
        && let Some(small) = comb_small(n, k as u64)
    {
        return Ok(small.into());
    }
    let above = falling(th, &n, k as u64)?;
    Ok((above / BigInt::from(product(1, k as u64))).into())
}
/// In machine words, where nothing overflows.
fn comb_small(n: u64, k: u64) -> Option<u64> {
    if k > 64 {
        return None;
    }
    let mut r = 1u128;
    for i in 0..k {
        // The product of i + 1 consecutive numbers is divisible by (i + 1)!.
        r = r.checked_mul(u128::from(n - i))? / u128::from(i + 1);
    }
    u64::try_from(r).ok()
}

pub fn isqrt(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let n = integer(th, &a[0])?;
    if n.is_negative() {
        return Err(value_error(th, "isqrt() argument must be nonnegative"));
    }
    Ok(BigInt::from(huge::root(th, n.magnitude())?).into())
}

/// Ints of the argument tuple, combined one after the other.
fn fold(
    th: &mut Thread,
    a: &Args<'_>,
    start: i64,
    f: fn(&mut Thread, &BigInt, &BigInt) -> PyResult<BigInt>,
) -> PyResult<Value> {
    let all = a[0].to_ref::<krait_object::Tuple>().unwrap_or_else(krait_object::Tuple::empty);
    let mut result = BigInt::from(start);
    for v in all.iter() {
        let v = number::index(th, v)?;
        match v.as_int_ref() {
            Some(IntRef::Small(i)) => result = f(th, &result, &i.into())?,
            Some(IntRef::Big(b)) => result = f(th, &result, b)?,
            None => {}
        }
    }
    Ok(result.into())
}
pub fn gcd(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    fold(th, a, 0, |th, x, y| Ok(greatest_divisor(th, x, y)?.into()))
}
pub fn lcm(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    fold(th, a, 1, |th, x, y| {
        if x.is_zero() || y.is_zero() {
            return Ok(BigInt::zero());
        }
        let divisor = greatest_divisor(th, x, y)?;
        let (quotient, _) = huge::divide(th, x.magnitude(), &divisor)?;
        Ok(huge::multiply(th, &quotient, y.magnitude())?.into())
    })
}
/// Lehmer's algorithm: the leading words tell many steps of Euclid's, machine words as soon as the numbers fit them.
fn greatest_divisor(th: &mut Thread, x: &BigInt, y: &BigInt) -> PyResult<BigUint> {
    let (mut x, mut y) = (x.magnitude().clone(), y.magnitude().clone());
    if x < y {
        std::mem::swap(&mut x, &mut y);
    }
    loop {
        if let (Some(mut x), Some(mut y)) = (x.to_u64(), y.to_u64()) {
            while y != 0 {
                (x, y) = (y, x % y);
            }
            return Ok(x.into());
        }
        if y.is_zero() {
            return Ok(x);
        }
        huge::check(th)?;
        let Some([a, b, c, d]) = lehmer_steps(&x, &y) else {
            let (_, rest) = huge::divide(th, &x, &y)?;
            (x, y) = (y, rest);
            continue;
        };
        // The signs of each pair differ.
        let combine = |p: i64, q: i64| {
            let (p, q) = (&x * p.unsigned_abs(), (&y * q.unsigned_abs(), q < 0));
            if q.1 { p - q.0 } else { q.0 - p }
        };
        (x, y) = (combine(a, b), combine(c, d));
    }
}
/// What Euclid's steps make of `x > y`, as far as their leading 62 bits tell: `a x + b y` and `c x + d y`. `None`: nothing.
fn lehmer_steps(x: &BigUint, y: &BigUint) -> Option<[i64; 4]> {
    let shift = x.bits().checked_sub(62)?;
    let (mut x, mut y) = ((x >> shift).to_i64()?, (y >> shift).to_i64()?);
    let (mut a, mut b, mut c, mut d) = (1i64, 0i64, 0i64, 1i64);
    while y + c != 0 && y + d != 0 {
        // Whatever the bits behind are, the quotient is between these two.
        let quotient = (x + a) / (y + c);
        if quotient != (x + b) / (y + d) {
            break;
        }
        let steps = |p: i64, q: i64| p.checked_sub(quotient.checked_mul(q)?);
        let (Some(next_c), Some(next_d)) = (steps(a, c), steps(b, d)) else { break };
        (x, y) = (y, x - quotient * y);
        (a, b, c, d) = (c, d, next_c, next_d);
    }
    (b != 0).then_some([a, b, c, d])
}
