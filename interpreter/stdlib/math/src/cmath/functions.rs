//! The functions, on pairs of floats.
use std::f64::consts::{E, FRAC_PI_2, LN_2, LN_10};

use krait_platform::libm;
use krait_runtime::numtext::exact::ldexp;
use krait_runtime::types::complex::Parts;

use super::special::{self, Table};

pub enum Failure {
    Domain,
    Range,
}
type Answer = Result<Parts, Failure>;

/// Above this, sums of squares and the like must be scaled.
const LARGE: f64 = f64::MAX / 4.0;
const INF: f64 = f64::INFINITY;

fn sqrt_large() -> f64 {
    LARGE.sqrt()
}
fn log_large() -> f64 {
    LARGE.ln()
}
fn finite(z: Parts) -> bool {
    z.0.is_finite() && z.1.is_finite()
}
fn row(x: f64) -> usize {
    match (x.is_nan(), x.is_sign_negative()) {
        (true, _) => 6,
        (_, true) if x.is_infinite() => 0,
        (_, true) if x == 0.0 => 2,
        (_, true) => 1,
        _ if x == 0.0 => 3,
        _ if x.is_infinite() => 5,
        _ => 4,
    }
}
fn look_up(table: &Table, z: Parts) -> Parts {
    table[row(z.0)][row(z.1)]
}
/// `sign` with the magnitude of infinity, and so on.
fn signed(size: f64, sign: f64) -> f64 {
    size.copysign(sign)
}
fn in_range(z: Parts) -> Answer {
    if z.0.is_infinite() || z.1.is_infinite() { Err(Failure::Range) } else { Ok(z) }
}
/// `f(z)` by way of the hyperbolic function of `i*z`.
fn turned(z: Parts, f: fn(Parts) -> Answer) -> Answer {
    let (re, im) = f((-z.1, z.0))?;
    Ok((im, -re))
}
fn log_of_size(z: Parts) -> f64 {
    (z.0 / 2.0).hypot(z.1 / 2.0).ln()
}
fn is_large(z: Parts) -> bool {
    z.0.abs() > LARGE || z.1.abs() > LARGE
}

pub fn acos(z: Parts) -> Answer {
    if !finite(z) {
        return Ok(look_up(&special::ACOS, z));
    }
    if is_large(z) {
        let size = log_of_size(z) + LN_2 * 2.0;
        let im = if z.0 < 0.0 { -signed(size, z.1) } else { signed(size, -z.1) };
        return Ok((z.1.abs().atan2(z.0), im));
    }
    let s1 = sqrt((1.0 - z.0, -z.1))?;
    let s2 = sqrt((1.0 + z.0, z.1))?;
    Ok((2.0 * s1.0.atan2(s2.0), libm::asinh(s2.0 * s1.1 - s2.1 * s1.0)))
}
pub fn acosh(z: Parts) -> Answer {
    if !finite(z) {
        return Ok(look_up(&special::ACOSH, z));
    }
    if is_large(z) {
        return Ok((log_of_size(z) + LN_2 * 2.0, z.1.atan2(z.0)));
    }
    let s1 = sqrt((z.0 - 1.0, z.1))?;
    let s2 = sqrt((z.0 + 1.0, z.1))?;
    Ok((libm::asinh(s1.0 * s2.0 + s1.1 * s2.1), 2.0 * s1.1.atan2(s2.0)))
}
pub fn asin(z: Parts) -> Answer {
    turned(z, asinh)
}
pub fn asinh(z: Parts) -> Answer {
    if !finite(z) {
        return Ok(look_up(&special::ASINH, z));
    }
    if is_large(z) {
        let size = log_of_size(z) + LN_2 * 2.0;
        let re = if z.1 >= 0.0 { signed(size, z.0) } else { -signed(size, -z.0) };
        return Ok((re, z.1.atan2(z.0.abs())));
    }
    let s1 = sqrt((1.0 + z.1, -z.0))?;
    let s2 = sqrt((1.0 - z.1, z.0))?;
    Ok((libm::asinh(s1.0 * s2.1 - s2.0 * s1.1), z.1.atan2(s1.0 * s2.0 - s1.1 * s2.1)))
}
pub fn atan(z: Parts) -> Answer {
    turned(z, atanh)
}
pub fn atanh(z: Parts) -> Answer {
    if !finite(z) {
        return Ok(look_up(&special::ATANH, z));
    }
    if z.0.is_sign_negative() {
        let (re, im) = atanh((-z.0, -z.1))?;
        return Ok((-re, -im));
    }
    let size = z.1.abs();
    if z.0 > sqrt_large() || size > sqrt_large() {
        let h = (z.0 / 2.0).hypot(z.1 / 2.0);
        return Ok((z.0 / 4.0 / h / h, -signed(FRAC_PI_2, -z.1)));
    }
    if z.0 == 1.0 && size < f64::MIN_POSITIVE.sqrt() {
        if size == 0.0 {
            return Err(Failure::Domain);
        }
        let re = -(size.sqrt() / size.hypot(2.0).sqrt()).ln();
        return Ok((re, signed(2f64.atan2(-size) / 2.0, z.1)));
    }
    let rest = 1.0 - z.0;
    let re = (4.0 * z.0 / (rest * rest + size * size)).ln_1p() / 4.0;
    let im = -(-2.0 * z.1).atan2(rest * (1.0 + z.0) - size * size) / 2.0;
    Ok((re, im))
}
pub fn cos(z: Parts) -> Answer {
    cosh((-z.1, z.0))
}
pub fn cosh(z: Parts) -> Answer {
    if !finite(z) {
        if z.1.is_infinite() && !z.0.is_nan() {
            return Err(Failure::Domain);
        }
        if z.0.is_infinite() && z.1.is_finite() && z.1 != 0.0 {
            let im = signed(INF, z.1.sin());
            return Ok((signed(INF, z.1.cos()), if z.0 > 0.0 { im } else { -im }));
        }
        return Ok(look_up(&special::COSH, z));
    }
    if z.0.abs() > log_large() {
        let x = z.0 - 1f64.copysign(z.0);
        return in_range((z.1.cos() * x.cosh() * E, z.1.sin() * x.sinh() * E));
    }
    in_range((z.1.cos() * z.0.cosh(), z.1.sin() * z.0.sinh()))
}
pub fn exp(z: Parts) -> Answer {
    if !finite(z) {
        if z.1.is_infinite() && (z.0.is_finite() || z.0 == INF) {
            return Err(Failure::Domain);
        }
        if z.0.is_infinite() && z.1.is_finite() && z.1 != 0.0 {
            let size = if z.0 > 0.0 { INF } else { 0.0 };
            return Ok((signed(size, z.1.cos()), signed(size, z.1.sin())));
        }
        return Ok(look_up(&special::EXP, z));
    }
    if z.0 > log_large() {
        let size = (z.0 - 1.0).exp();
        return in_range((size * z.1.cos() * E, size * z.1.sin() * E));
    }
    let size = z.0.exp();
    in_range((size * z.1.cos(), size * z.1.sin()))
}
pub fn log(z: Parts) -> Answer {
    if !finite(z) {
        return Ok(look_up(&special::LOG, z));
    }
    let (x, y) = (z.0.abs(), z.1.abs());
    let re = if x > LARGE || y > LARGE {
        log_of_size(z) + LN_2
    } else if x < f64::MIN_POSITIVE && y < f64::MIN_POSITIVE {
        if x == 0.0 && y == 0.0 {
            return Err(Failure::Domain);
        }
        ldexp(x, 53).hypot(ldexp(y, 53)).ln() - 53.0 * LN_2
    } else {
        let h = x.hypot(y);
        if (0.71..=1.73).contains(&h) {
            // Near the unit circle, log1p keeps the precision that the root loses.
            let (large, small) = if x > y { (x, y) } else { (y, x) };
            ((large - 1.0) * (large + 1.0) + small * small).ln_1p() / 2.0
        } else {
            h.ln()
        }
    };
    Ok((re, z.1.atan2(z.0)))
}
pub fn log10(z: Parts) -> Answer {
    let (re, im) = log(z)?;
    Ok((re / LN_10, im / LN_10))
}
pub fn sin(z: Parts) -> Answer {
    turned(z, sinh)
}
pub fn sinh(z: Parts) -> Answer {
    if !finite(z) {
        if z.1.is_infinite() && !z.0.is_nan() {
            return Err(Failure::Domain);
        }
        if z.0.is_infinite() && z.1.is_finite() && z.1 != 0.0 {
            let re = signed(INF, z.1.cos());
            return Ok((if z.0 > 0.0 { re } else { -re }, signed(INF, z.1.sin())));
        }
        return Ok(look_up(&special::SINH, z));
    }
    if z.0.abs() > log_large() {
        let x = z.0 - 1f64.copysign(z.0);
        return in_range((z.1.cos() * x.sinh() * E, z.1.sin() * x.cosh() * E));
    }
    in_range((z.1.cos() * z.0.sinh(), z.1.sin() * z.0.cosh()))
}
pub fn sqrt(z: Parts) -> Answer {
    if !finite(z) {
        return Ok(look_up(&special::SQRT, z));
    }
    if z.0 == 0.0 && z.1 == 0.0 {
        return Ok((0.0, z.1));
    }
    let (mut x, y) = (z.0.abs(), z.1.abs());
    let s = if x < f64::MIN_POSITIVE && y < f64::MIN_POSITIVE {
        x = ldexp(x, 53);
        ldexp((x + x.hypot(ldexp(y, 53))).sqrt(), -27)
    } else {
        x /= 8.0;
        2.0 * (x + x.hypot(y / 8.0)).sqrt()
    };
    let d = y / (2.0 * s);
    Ok(if z.0 >= 0.0 { (s, signed(d, z.1)) } else { (d, signed(s, z.1)) })
}
pub fn tan(z: Parts) -> Answer {
    turned(z, tanh)
}
pub fn tanh(z: Parts) -> Answer {
    if !finite(z) {
        if z.1.is_infinite() && z.0.is_finite() {
            return Err(Failure::Domain);
        }
        if z.0.is_infinite() && z.1.is_finite() && z.1 != 0.0 {
            return Ok((signed(1.0, z.0), signed(0.0, 2.0 * z.1.sin() * z.1.cos())));
        }
        return Ok(look_up(&special::TANH, z));
    }
    if z.0.abs() > log_large() {
        return Ok((signed(1.0, z.0), 4.0 * z.1.sin() * z.1.cos() * (-2.0 * z.0.abs()).exp()));
    }
    let (tx, ty, cx) = (z.0.tanh(), z.1.tan(), 1.0 / z.0.cosh());
    let txty = tx * ty;
    let denominator = 1.0 + txty * txty;
    Ok((tx * (1.0 + ty * ty) / denominator, ((ty / denominator) * cx) * cx))
}
/// The complex number of polar coordinates.
pub fn rect(r: f64, phi: f64) -> Answer {
    if !finite((r, phi)) {
        if r != 0.0 && phi.is_infinite() && !r.is_nan() {
            return Err(Failure::Domain);
        }
        if r.is_infinite() && phi.is_finite() && phi != 0.0 {
            let (re, im) = (signed(INF, phi.cos()), signed(INF, phi.sin()));
            return Ok(if r > 0.0 { (re, im) } else { (-re, -im) });
        }
        return Ok(look_up(&special::RECT, (r, phi)));
    }
    if phi == 0.0 {
        // Keeps the sign of a zero angle.
        return Ok((r, r * phi));
    }
    Ok((r * phi.cos(), r * phi.sin()))
}
