//! `cmath`: functions of a complex number, computed so that they neither overflow nor lose precision where their results
//! do not. CPython: `Modules/cmathmodule.c`, whose formulas follow Kahan's "Branch cuts for complex elementary functions".
mod functions;
mod special;

use krait_object::native::function;
use krait_object::{Args, Method, ModuleDef, PyResult, Thread, Tuple, Value};
use krait_runtime::errors::{overflow_error, value_error};
use krait_runtime::protocol::number;
use krait_runtime::types::complex::{self, Parts};
use krait_runtime::types::module;

use functions::{self as f, Failure};

pub static MODULE: ModuleDef = ModuleDef {
    doc: "Mathematical functions of complex numbers.",
    functions: FUNCTIONS,
    init: Some(init),
    ..ModuleDef::new("cmath")
};

fn init(_: &mut Thread, m: &Value) -> PyResult<()> {
    let d = module::dict(m);
    d.set_text("pi", std::f64::consts::PI);
    d.set_text("e", std::f64::consts::E);
    d.set_text("tau", std::f64::consts::TAU);
    d.set_text("inf", f64::INFINITY);
    d.set_text("nan", f64::NAN);
    d.set_text("infj", complex::new(0.0, f64::INFINITY));
    d.set_text("nanj", complex::new(0.0, f64::NAN));
    Ok(())
}

static FUNCTIONS: &[Method] = &[
    function("acos", "(z, /)", "Return the arc cosine of z.", |th, a| one(th, a, f::acos)),
    function("acosh", "(z, /)", "Return the inverse hyperbolic cosine of z.", |th, a| one(th, a, f::acosh)),
    function("asin", "(z, /)", "Return the arc sine of z.", |th, a| one(th, a, f::asin)),
    function("asinh", "(z, /)", "Return the inverse hyperbolic sine of z.", |th, a| one(th, a, f::asinh)),
    function("atan", "(z, /)", "Return the arc tangent of z.", |th, a| one(th, a, f::atan)),
    function("atanh", "(z, /)", "Return the inverse hyperbolic tangent of z.", |th, a| one(th, a, f::atanh)),
    function("cos", "(z, /)", "Return the cosine of z.", |th, a| one(th, a, f::cos)),
    function("cosh", "(z, /)", "Return the hyperbolic cosine of z.", |th, a| one(th, a, f::cosh)),
    function("exp", "(z, /)", "Return the exponential value e**z.", |th, a| one(th, a, f::exp)),
    function(
        "isclose",
        "(a, b, *, rel_tol=1e-09, abs_tol=0.0)",
        "Whether two complex numbers are close to each other.",
        isclose,
    ),
    function("isfinite", "(z, /)", "Return True if both parts of z are finite.", |th, a| {
        test(th, a, |z| z.0.is_finite() && z.1.is_finite())
    }),
    function("isinf", "(z, /)", "Return True if a part of z is infinite.", |th, a| {
        test(th, a, |z| z.0.is_infinite() || z.1.is_infinite())
    }),
    function("isnan", "(z, /)", "Return True if a part of z is a NaN.", |th, a| {
        test(th, a, |z| z.0.is_nan() || z.1.is_nan())
    }),
    function(
        "log",
        "(z, base=<unrepresentable>, /)",
        "Return the logarithm of z to the base, e if none is given.",
        log,
    ),
    function("log10", "(z, /)", "Return the base 10 logarithm of z.", |th, a| one(th, a, f::log10)),
    function("phase", "(z, /)", "Return the argument of z, also known as its phase angle.", |th, a| {
        let z = complex::to_parts(th, &a[0])?;
        let phase = z.1.atan2(z.0);
        // The C library reports an underflow to zero, and CPython raises.
        if phase == 0.0 && z.1 != 0.0 && z.0.is_finite() {
            return Err(overflow_error(th, "math range error"));
        }
        Ok(phase.into())
    }),
    function("polar", "(z, /)", "Return distance from 0 and phase angle of z.", polar),
    function("rect", "(r, phi, /)", "Make a complex number of polar coordinates.", rect),
    function("sin", "(z, /)", "Return the sine of z.", |th, a| one(th, a, f::sin)),
    function("sinh", "(z, /)", "Return the hyperbolic sine of z.", |th, a| one(th, a, f::sinh)),
    function("sqrt", "(z, /)", "Return the square root of z.", |th, a| one(th, a, f::sqrt)),
    function("tan", "(z, /)", "Return the tangent of z.", |th, a| one(th, a, f::tan)),
    function("tanh", "(z, /)", "Return the hyperbolic tangent of z.", |th, a| one(th, a, f::tanh)),
];

fn raised<T>(th: &mut Thread, result: Result<T, Failure>) -> PyResult<T> {
    result.map_err(|failure| match failure {
        Failure::Domain => value_error(th, "math domain error"),
        Failure::Range => overflow_error(th, "math range error"),
    })
}
fn one(th: &mut Thread, a: &Args<'_>, f: fn(Parts) -> Result<Parts, Failure>) -> PyResult<Value> {
    let z = complex::to_parts(th, &a[0])?;
    let (re, im) = raised(th, f(z))?;
    Ok(complex::new(re, im))
}
fn test(th: &mut Thread, a: &Args<'_>, f: fn(Parts) -> bool) -> PyResult<Value> {
    Ok(f(complex::to_parts(th, &a[0])?).into())
}
fn log(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let z = complex::to_parts(th, &a[0])?;
    let base = a.opt(1).map(|b| complex::to_parts(th, b)).transpose()?;
    let result = f::log(z).and_then(|z| match base {
        Some(base) => complex::quotient(z, f::log(base)?).ok_or(Failure::Domain),
        None => Ok(z),
    });
    let (re, im) = raised(th, result)?;
    Ok(complex::new(re, im))
}
fn polar(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let (re, im) = complex::to_parts(th, &a[0])?;
    let size = re.hypot(im);
    if size.is_infinite() && re.is_finite() && im.is_finite() {
        return Err(overflow_error(th, "math range error"));
    }
    Ok(Tuple::of([size.into(), im.atan2(re).into()]).into())
}
fn rect(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let (r, phi) = (number::to_f64(th, &a[0])?, number::to_f64(th, &a[1])?);
    let (re, im) = raised(th, f::rect(r, phi))?;
    Ok(complex::new(re, im))
}
fn isclose(th: &mut Thread, a: &Args<'_>) -> PyResult<Value> {
    let (x, y) = (complex::to_parts(th, &a[0])?, complex::to_parts(th, &a[1])?);
    let relative = a.opt(2).map_or(Ok(1e-9), |v| number::to_f64(th, v))?;
    let absolute = a.opt(3).map_or(Ok(0.0), |v| number::to_f64(th, v))?;
    if relative < 0.0 || absolute < 0.0 {
        return Err(value_error(th, "tolerances must be non-negative"));
    }
    if x == y {
        return Ok(Value::TRUE);
    }
    if [x.0, x.1, y.0, y.1].iter().any(|p| p.is_infinite()) {
        return Ok(Value::FALSE);
    }
    let size = |z: Parts| z.0.hypot(z.1);
    let difference = size((x.0 - y.0, x.1 - y.1));
    let close = difference <= relative * size(y) || difference <= relative * size(x) || difference <= absolute;
    Ok(close.into())
}
