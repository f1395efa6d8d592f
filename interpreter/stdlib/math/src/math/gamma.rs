//! The gamma function and its logarithm by Lanczos' approximation, with the coefficients of Boost's `lanczos13m53`, as CPython
//! computes them: the C library's functions differ in the last digits.
use std::f64::consts::PI;

use krait_object::{Args, PyResult, Thread, Value};
use krait_runtime::protocol::number;

use super::{domain_error, range_error};

const G: f64 = 6.024_680_040_776_73;
const G_MINUS_HALF: f64 = 5.524_680_040_776_73;
#[expect(clippy::excessive_precision, reason = "the published coefficients")]
const NUMERATOR: [f64; 13] = [
    23531376880.410759688572007674451636754734846804940,
    42919803642.649098768957899047001988850926355848959,
    35711959237.355668049440185451547166705960488635843,
    17921034426.037209699919755754458931112671403265390,
    6039542586.3520280050642916443072979210699388420708,
    1439720407.3117216736632230727949123939715485786372,
    248874557.86205415651146038641322942321632125127801,
    31426415.585400194380614231628318205362874684987640,
    2876370.6289353724412254090516208496135991145378768,
    186056.26539522349504029498971604569928220784236328,
    8071.6720023658162106380029022722506138218516325024,
    210.82427775157934587250973392071336271166969580291,
    2.5066282746310002701649081771338373386264310793408,
];
/// `x (x + 1) … (x + 11)`
const DENOMINATOR: [f64; 13] = [
    0.0,
    39916800.0,
    120543840.0,
    150917976.0,
    105258076.0,
    45995730.0,
    13339535.0,
    2637558.0,
    357423.0,
    32670.0,
    1925.0,
    66.0,
    1.0,
];

/// The quotient of the two polynomials, for large arguments in powers of 1/x lest they overflow.
fn lanczos_sum(x: f64) -> f64 {
    let (mut n, mut d) = (0.0, 0.0);
    if x < 5.0 {
        for (a, b) in NUMERATOR.iter().zip(DENOMINATOR).rev() {
            n = n * x + a;
            d = d * x + b;
        }
    } else {
        for (a, b) in NUMERATOR.iter().zip(DENOMINATOR) {
            n = n / x + a;
            d = d / x + b;
        }
    }
    n / d
}
/// `sin(pi * x)`, exact at multiples of one half.
fn sin_pi(x: f64) -> f64 {
    let y = x.abs() % 2.0;
    let r = match (2.0 * y).round() as i32 {
        0 => (PI * y).sin(),
        1 => (PI * (y - 0.5)).cos(),
        2 => (PI * (1.0 - y)).sin(),
        3 => -(PI * (y - 1.5)).cos(),
        _ => (PI * (y - 2.0)).sin(),
    };
    1f64.copysign(x) * r
}

pub fn gamma(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let x = number::to_f64(th, &a[0])?;
    if x.is_nan() || x == f64::INFINITY {
        return Ok(x.into());
    }
    if x == f64::NEG_INFINITY || x == 0.0 || (x < 0.0 && x == x.floor()) {
        return Err(domain_error(th));
    }
    let r = gamma_of(x);
    if r.is_infinite() { Err(range_error(th)) } else { Ok(r.into()) }
}
fn gamma_of(x: f64) -> f64 {
    // Factorials are exact up to 22!.
    if x == x.floor() && (1.0..=23.0).contains(&x) {
        return (1..x as u64).map(|n| n as f64).product();
    }
    let size = x.abs();
    if size < 1e-20 {
        return 1.0 / x;
    }
    if size > 200.0 {
        return if x < 0.0 { 0.0 / sin_pi(x) } else { f64::INFINITY };
    }
    let y = size + G_MINUS_HALF;
    // What was lost in rounding y.
    let z = if size > G_MINUS_HALF { (y - size) - G_MINUS_HALF } else { (y - G_MINUS_HALF) - size };
    let z = z * G / y;
    // The power of y is taken in two halves where it would overflow.
    let halves = size >= 140.0;
    let power = if halves { y.powf(size / 2.0 - 0.25) } else { y.powf(size - 0.5) };
    if x < 0.0 {
        let mut r = -PI / sin_pi(size) / size * y.exp() / lanczos_sum(size);
        r -= z * r;
        r /= power;
        if halves { r / power } else { r }
    } else {
        let mut r = lanczos_sum(size) / y.exp();
        r += z * r;
        r *= power;
        if halves { r * power } else { r }
    }
}
pub fn lgamma(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let x = number::to_f64(th, &a[0])?;
    if !x.is_finite() {
        return Ok(x.abs().into());
    }
    if x == x.floor() && x <= 2.0 {
        return if x <= 0.0 { Err(domain_error(th)) } else { Ok(Value::float(0.0)) };
    }
    let r = lgamma_of(x);
    if r.is_infinite() { Err(range_error(th)) } else { Ok(r.into()) }
}
fn lgamma_of(x: f64) -> f64 {
    const LN_PI: f64 = 1.144729885849400174143427351353058711647;
    let size = x.abs();
    if size < 1e-20 {
        return -size.ln();
    }
    let r = lanczos_sum(size).ln() - G + (size - 0.5) * ((size + G - 0.5).ln() - 1.0);
    if x < 0.0 { LN_PI - sin_pi(size).abs().ln() - size.ln() - r } else { r }
}
