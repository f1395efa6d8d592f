//! `math`. Functions of one float are here, those of ints in `math/integers`, sums and norms in `math/sums`, the rest in
//! `math/floats`. CPython: `Modules/mathmodule.c`.
mod floats;
mod gamma;
mod integers;
mod sums;

use krait_object::native::function;
use krait_object::{Args, Method, ModuleDef, PyResult, Raised, Thread, Value};
use krait_platform::libm;
use krait_runtime::errors::{overflow_error, value_error};
use krait_runtime::protocol::number;
use krait_runtime::types::module;

pub static MODULE: ModuleDef = ModuleDef {
    doc: "The mathematical functions of the C standard, and others on ints and sequences.",
    functions: FUNCTIONS,
    init: Some(init),
    ..ModuleDef::new("math")
};

fn init(_: &mut Thread, m: &Value) -> PyResult<()> {
    let d = module::dict(m);
    d.set_text("pi", std::f64::consts::PI);
    d.set_text("e", std::f64::consts::E);
    d.set_text("tau", std::f64::consts::TAU);
    d.set_text("inf", f64::INFINITY);
    d.set_text("nan", f64::NAN);
    Ok(())
}

static FUNCTIONS: &[Method] = &[
    function("acos", "(x, /)", "Return the arc cosine of x in radians, between 0 and pi.", |th, a| {
        domain(th, a, f64::acos)
    }),
    function("acosh", "(x, /)", "Return the inverse hyperbolic cosine of x.", |th, a| domain(th, a, libm::acosh)),
    function("asin", "(x, /)", "Return the arc sine of x in radians, between -pi/2 and pi/2.", |th, a| {
        domain(th, a, f64::asin)
    }),
    function("asinh", "(x, /)", "Return the inverse hyperbolic sine of x.", |th, a| domain(th, a, libm::asinh)),
    function("atan", "(x, /)", "Return the arc tangent of x in radians, between -pi/2 and pi/2.", |th, a| {
        domain(th, a, f64::atan)
    }),
    function(
        "atan2",
        "(y, x, /)",
        "Return the arc tangent of y/x in radians, with regard to the signs of both.",
        floats::atan2,
    ),
    function("atanh", "(x, /)", "Return the inverse hyperbolic tangent of x.", |th, a| domain(th, a, libm::atanh)),
    function("cbrt", "(x, /)", "Return the cube root of x.", |th, a| domain(th, a, f64::cbrt)),
    function("ceil", "(x, /)", "Return the smallest int that is not below x.", floats::ceil),
    function(
        "comb",
        "(n, k, /)",
        "Number of ways to choose k of n items, without order or repetition.",
        integers::comb,
    ),
    function(
        "copysign",
        "(x, y, /)",
        "Return the magnitude of x with the sign of y; zeros have signs too.",
        floats::copysign,
    ),
    function("cos", "(x, /)", "Return the cosine of x (in radians).", |th, a| domain(th, a, f64::cos)),
    function("cosh", "(x, /)", "Return the hyperbolic cosine of x.", |th, a| range(th, a, f64::cosh)),
    function("degrees", "(x, /)", "Convert an angle from radians to degrees.", |th, a| {
        plain(th, a, |x| x * (180.0 / std::f64::consts::PI))
    }),
    function(
        "dist",
        "(p, q, /)",
        "Return the Euclidean distance between two points, given as sequences of coordinates.",
        sums::dist,
    ),
    function("erf", "(x, /)", "Error function at x.", |th, a| domain(th, a, libm::erf)),
    function("erfc", "(x, /)", "Complementary error function at x.", |th, a| domain(th, a, libm::erfc)),
    function("exp", "(x, /)", "Return e raised to the power of x.", |th, a| range(th, a, f64::exp)),
    function("exp2", "(x, /)", "Return 2 raised to the power of x.", |th, a| range(th, a, libm::exp2)),
    function("expm1", "(x, /)", "Return exp(x) - 1 without the loss of precision for small x.", |th, a| {
        range(th, a, f64::exp_m1)
    }),
    function("fabs", "(x, /)", "Return the absolute value of the float x.", |th, a| domain(th, a, f64::abs)),
    function("factorial", "(n, /)", "Return n factorial.", integers::factorial),
    function("floor", "(x, /)", "Return the largest int that is not above x.", floats::floor),
    function("fma", "(x, y, z, /)", "Return (x * y) + z, rounded once.", floats::fma),
    function("fmod", "(x, y, /)", "Return the remainder of x / y with the sign of x, as C does.", floats::fmod),
    function(
        "frexp",
        "(x, /)",
        "Return the mantissa m and the exponent e of x = m * 2.**e; m is 0 or 0.5 <= abs(m) < 1.",
        floats::frexp,
    ),
    function("fsum", "(seq, /)", "Return the sum of floats, rounded once.", sums::fsum),
    function("gamma", "(x, /)", "Gamma function at x.", gamma::gamma),
    function("gcd", "(*integers)", "Greatest common divisor.", integers::gcd),
    function("hypot", "", "hypot(*coordinates) -> value\n\nThe distance of a point from the origin.", sums::hypot),
    function(
        "isclose",
        "(a, b, *, rel_tol=1e-09, abs_tol=0.0)",
        "Whether two floats are close to each other.\n\nrel_tol is relative to the larger of the two, abs_tol is for values near zero.\n\
         NaN is close to nothing, infinities are close to themselves only.",
        floats::isclose,
    ),
    function("isfinite", "(x, /)", "Return True if x is neither an infinity nor a NaN.", |th, a| {
        test(th, a, f64::is_finite)
    }),
    function("isinf", "(x, /)", "Return True if x is an infinity.", |th, a| test(th, a, f64::is_infinite)),
    function("isnan", "(x, /)", "Return True if x is a NaN.", |th, a| test(th, a, f64::is_nan)),
    function("isqrt", "(n, /)", "Return the integer part of the square root of n.", integers::isqrt),
    function("lcm", "(*integers)", "Least common multiple.", integers::lcm),
    function("ldexp", "(x, i, /)", "Return x * (2**i).", floats::ldexp),
    function("lgamma", "(x, /)", "Natural logarithm of the absolute value of the gamma function at x.", gamma::lgamma),
    function(
        "log",
        "",
        "log(x, [base=math.e])\nReturn the logarithm of x to the given base.\n\nWithout a base, the natural logarithm.",
        floats::log,
    ),
    function("log10", "(x, /)", "Return the base 10 logarithm of x.", floats::log10),
    function("log1p", "(x, /)", "Return the natural logarithm of 1+x, accurate for x near zero.", |th, a| {
        domain(th, a, f64::ln_1p)
    }),
    function("log2", "(x, /)", "Return the base 2 logarithm of x.", floats::log2),
    function("modf", "(x, /)", "Return the fractional and integer parts of x, both with its sign.", floats::modf),
    function(
        "nextafter",
        "(x, y, /, *, steps=None)",
        "Return the float that comes after so many steps from x towards y.",
        floats::nextafter,
    ),
    function(
        "perm",
        "(n, k=None, /)",
        "Number of ways to choose k of n items in order, without repetition.",
        integers::perm,
    ),
    function("pow", "(x, y, /)", "Return x**y (x to the power of y).", floats::pow),
    function("prod", "(iterable, /, *, start=1)", "Return the product of the start value and all items.", sums::prod),
    function("radians", "(x, /)", "Convert an angle from degrees to radians.", |th, a| {
        plain(th, a, |x| x * (std::f64::consts::PI / 180.0))
    }),
    function(
        "remainder",
        "(x, y, /)",
        "Difference between x and the nearest multiple of y, the even one of two (IEEE 754).",
        floats::remainder,
    ),
    function("sin", "(x, /)", "Return the sine of x (in radians).", |th, a| domain(th, a, f64::sin)),
    function("sinh", "(x, /)", "Return the hyperbolic sine of x.", |th, a| range(th, a, f64::sinh)),
    function("sqrt", "(x, /)", "Return the square root of x.", |th, a| domain(th, a, f64::sqrt)),
    function(
        "sumprod",
        "(p, q, /)",
        "Return the sum of products of the items of two iterables, for floats rounded once.",
        sums::sumprod,
    ),
    function("tan", "(x, /)", "Return the tangent of x (in radians).", |th, a| domain(th, a, f64::tan)),
    function("tanh", "(x, /)", "Return the hyperbolic tangent of x.", |th, a| domain(th, a, f64::tanh)),
    function("trunc", "(x, /)", "Return x cut to the int between 0 and x (x.__trunc__()).", floats::trunc),
    function("ulp", "(x, /)", "Return the value of the least significant bit of x.", floats::ulp),
];

/// "math domain error"
#[cold]
fn domain_error(th: &mut Thread) -> Raised {
    value_error(th, "math domain error")
}
/// "math range error"
#[cold]
fn range_error(th: &mut Thread) -> Raised {
    overflow_error(th, "math range error")
}

/// A function whose infinite results from finite arguments are poles.
fn domain(th: &mut Thread, a: &Args<'_>, f: fn(f64) -> f64) -> PyResult<Value> {
    let x = number::to_f64(th, &a[0])?;
    let r = f(x);
    if (r.is_nan() && !x.is_nan()) || (r.is_infinite() && x.is_finite()) {
        return Err(domain_error(th));
    }
    Ok(r.into())
}
/// A function whose infinite results from finite arguments are overflows.
fn range(th: &mut Thread, a: &Args<'_>, f: fn(f64) -> f64) -> PyResult<Value> {
    let x = number::to_f64(th, &a[0])?;
    let r = f(x);
    if r.is_nan() && !x.is_nan() {
        return Err(domain_error(th));
    }
    if r.is_infinite() && x.is_finite() {
        return Err(range_error(th));
    }
    Ok(r.into())
}
fn plain(th: &mut Thread, a: &Args<'_>, f: fn(f64) -> f64) -> PyResult<Value> {
    Ok(f(number::to_f64(th, &a[0])?).into())
}
fn test(th: &mut Thread, a: &Args<'_>, f: fn(f64) -> bool) -> PyResult<Value> {
    Ok(f(number::to_f64(th, &a[0])?).into())
}
