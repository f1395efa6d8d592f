//! Sums, products and norms of sequences, with intermediate results in more than double precision.
use krait_object::builtin_types::INT;
use krait_object::{Args, PyResult, Thread, Tuple, Value};
use krait_platform::libm::fma;
use krait_runtime::errors::{overflow_error, type_error, value_error};
use krait_runtime::numtext::exact::ldexp;
use krait_runtime::protocol::iter;
use krait_runtime::protocol::number::{self, BinaryOp};

/// A number as the sum of two floats, the second below the precision of the first.
#[derive(Clone, Copy)]
struct Double {
    hi: f64,
    lo: f64,
}
/// Exact sum where `a` is not smaller than `b`.
fn fast_sum(a: f64, b: f64) -> Double {
    let hi = a + b;
    Double { hi, lo: (a - hi) + b }
}
/// Exact sum.
fn sum(a: f64, b: f64) -> Double {
    let hi = a + b;
    let z = hi - a;
    Double { hi, lo: (a - (hi - z)) + (b - z) }
}
/// Exact product.
fn product(a: f64, b: f64) -> Double {
    let hi = a * b;
    Double { hi, lo: fma(a, b, -hi) }
}
/// A running total of three floats.
#[derive(Clone, Copy, Default)]
struct Triple {
    hi: f64,
    lo: f64,
    tiny: f64,
}
impl Triple {
    fn add_product(self, a: f64, b: f64) -> Triple {
        let p = product(a, b);
        let s = sum(self.hi, p.hi);
        let r1 = sum(self.lo, p.lo);
        let r2 = sum(r1.hi, s.lo);
        Triple { hi: s.hi, lo: r2.hi, tiny: self.tiny + r1.lo + r2.lo }
    }
    fn value(self) -> f64 {
        let last = sum(self.lo, self.hi);
        self.tiny + last.lo + last.hi
    }
}

/// The Euclidean norm: scaled to avoid overflow, summed in double precision twice, the root corrected once.
fn norm(vector: &mut [f64]) -> f64 {
    let nan = vector.iter().any(|x| x.is_nan());
    let max = vector.iter().fold(0.0f64, |m, x| if x.abs() > m { x.abs() } else { m });
    norm_within(vector, max, nan)
}
fn norm_within(vector: &mut [f64], max: f64, nan: bool) -> f64 {
    if max.is_infinite() {
        return max;
    }
    if nan {
        return f64::NAN;
    }
    if max == 0.0 || vector.len() <= 1 {
        return max;
    }
    let (_, exponent) = super::floats::split(max);
    if exponent < -1023 {
        // 2^1023 would not suffice to scale subnormals.
        vector.iter_mut().for_each(|x| *x /= f64::MIN_POSITIVE);
        return f64::MIN_POSITIVE * norm_within(vector, max / f64::MIN_POSITIVE, nan);
    }
    let scale = ldexp(1.0, -exponent);
    let (mut total, mut rest1, mut rest2) = (1.0, 0.0, 0.0);
    for x in vector {
        let x = x.abs() * scale;
        let p = product(x, x);
        let s = fast_sum(total, p.hi);
        total = s.hi;
        rest1 += p.lo;
        rest2 += s.lo;
    }
    let h = (total - 1.0 + (rest1 + rest2)).sqrt();
    let p = product(-h, h);
    let s = fast_sum(total, p.hi);
    total = s.hi;
    rest1 += p.lo;
    rest2 += s.lo;
    let x = total - 1.0 + (rest1 + rest2);
    (h + x / (2.0 * h)) / scale
}

pub fn hypot(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    if a.has_kw() {
        return Err(type_error(th, "math.hypot() takes no keyword arguments"));
    }
    let mut vector = Vec::with_capacity(a.pos().len());
    for v in a.pos() {
        vector.push(number::to_f64(th, v)?);
    }
    Ok(norm(&mut vector).into())
}
pub fn dist(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let p = Tuple::from_vec(iter::collect(th, &a[0])?);
    let q = Tuple::from_vec(iter::collect(th, &a[1])?);
    if p.len() != q.len() {
        return Err(value_error(th, "both points must have the same number of dimensions"));
    }
    let mut vector = Vec::with_capacity(p.len());
    for (x, y) in p.iter().zip(q.iter()) {
        vector.push((number::to_f64(th, x)? - number::to_f64(th, y)?).abs());
    }
    Ok(norm(&mut vector).into())
}

/// Shewchuk's algorithm: partial sums that do not overlap, in increasing magnitude.
pub fn fsum(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let mut partials: Vec<f64> = Vec::new();
    let (mut special, mut infinities) = (0.0f64, 0.0f64);
    iter::for_each(th, &a[0], |th, v| {
        let original = number::to_f64(th, &v)?;
        let mut x = original;
        let mut kept = 0;
        for i in 0..partials.len() {
            let mut y = partials[i];
            if x.abs() < y.abs() {
                std::mem::swap(&mut x, &mut y);
            }
            let hi = x + y;
            let lo = y - (hi - x);
            if lo != 0.0 {
                partials[kept] = lo;
                kept += 1;
            }
            x = hi;
        }
        partials.truncate(kept);
        if x == 0.0 {
            return Ok(());
        }
        if x.is_finite() {
            partials.push(x);
            return Ok(());
        }
        if original.is_finite() {
            return Err(overflow_error(th, "intermediate overflow in fsum"));
        }
        if original.is_infinite() {
            infinities += original;
        }
        special += original;
        partials.clear();
        Ok(())
    })?;
    if special != 0.0 {
        if infinities.is_nan() {
            return Err(value_error(th, "-inf + inf in fsum"));
        }
        return Ok(special.into());
    }
    Ok(round_partials(&partials).into())
}
/// The sum of the partials, rounded half to even.
fn round_partials(partials: &[f64]) -> f64 {
    let Some((&last, mut rest)) = partials.split_last() else { return 0.0 };
    let (mut hi, mut lo) = (last, 0.0);
    while let Some((&y, shorter)) = rest.split_last() {
        rest = shorter;
        let x = hi;
        hi = x + y;
        lo = y - (hi - x);
        if lo != 0.0 {
            break;
        }
    }
    // Half-way cases go the way of what lies below.
    if let Some(&below) = rest.last()
        && ((lo < 0.0 && below < 0.0) || (lo > 0.0 && below > 0.0))
    {
        let y = lo * 2.0;
        let x = hi + y;
        if y == x - hi {
            hi = x;
        }
    }
    hi
}

pub fn prod(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let mut result = a.opt(1).cloned().unwrap_or(Value::int(1));
    iter::for_each(th, &a[0], |th, v| {
        let old = std::mem::replace(&mut result, Value::NONE);
        result = number::binary(th, BinaryOp::Multiply, &old, &v)?;
        Ok(())
    })?;
    Ok(result)
}

/// The running total of `sumprod`. It begins with exact ints, goes over to floats in triple precision, and to any objects
/// at the first pair that is neither; it never goes back.
struct Total {
    object: Value,
    float: Triple,
    stage: Stage,
}
#[derive(Clone, Copy, PartialEq)]
enum Stage {
    Ints,
    Floats,
    Objects,
}
impl Total {
    /// Adds what was summed up as floats to the rest.
    fn finish(&mut self, th: &mut Thread) -> PyResult<()> {
        if self.stage == Stage::Floats {
            let float = self.float.value();
            self.object = number::binary(th, BinaryOp::Add, &self.object, &float.into())?;
        }
        self.stage = Stage::Objects;
        Ok(())
    }
    fn add(&mut self, th: &mut Thread, p: &Value, q: &Value) -> PyResult<()> {
        let ints = self.stage == Stage::Ints && p.is_exact(&INT) && q.is_exact(&INT);
        if !ints && self.stage != Stage::Objects {
            if let Some((x, y)) = floats(p, q) {
                let next = self.float.add_product(x, y);
                if next.value().is_finite() {
                    self.float = next;
                    self.stage = Stage::Floats;
                    return Ok(());
                }
            }
            self.finish(th)?;
        }
        let term = number::binary(th, BinaryOp::Multiply, p, q)?;
        self.object = number::binary(th, BinaryOp::Add, &self.object, &term)?;
        Ok(())
    }
}
/// Both as floats, where one is an exact float and the other a float, int or bool.
fn floats(p: &Value, q: &Value) -> Option<(f64, f64)> {
    let whole = |v: &Value| v.as_int().or_else(|| v.as_bool().map(i64::from)).map(|i| i as f64);
    match (p.as_float(), q.as_float()) {
        (Some(x), Some(y)) => Some((x, y)),
        (Some(x), None) => Some((x, whole(q)?)),
        (None, Some(y)) => Some((whole(p)?, y)),
        (None, None) => None,
    }
}
pub fn sumprod(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let (p, q) = (iter::iter(th, &a[0])?, iter::iter(th, &a[1])?);
    let mut total = Total { object: Value::int(0), float: Triple::default(), stage: Stage::Ints };
    loop {
        match (iter::next(th, &p)?, iter::next(th, &q)?) {
            (Some(x), Some(y)) => total.add(th, &x, &y)?,
            (None, None) => break,
            _ => return Err(value_error(th, "Inputs are not the same length")),
        }
    }
    total.finish(th)?;
    Ok(total.object)
}
