//! Functions that call back.
use std::ffi::{c_double, c_int, c_long, c_longlong, c_void};

use crate::structures::Longs;

#[unsafe(no_mangle)]
pub extern "C" fn _testfunc_cbk_reg_int(
    a: c_int,
    b: c_int,
    c: c_int,
    d: c_int,
    e: c_int,
    f: extern "C" fn(c_int, c_int, c_int, c_int, c_int) -> c_int,
) -> c_int {
    f(a * a, b * b, c * c, d * d, e * e)
}
#[unsafe(no_mangle)]
pub extern "C" fn _testfunc_cbk_reg_double(
    a: c_double,
    b: c_double,
    c: c_double,
    d: c_double,
    e: c_double,
    f: extern "C" fn(c_double, c_double, c_double, c_double, c_double) -> c_double,
) -> c_double {
    f(a * a, b * b, c * c, d * d, e * e)
}
#[unsafe(no_mangle)]
pub extern "C" fn _testfunc_cbk_large_struct(value: Longs, f: extern "C" fn(Longs)) {
    f(value);
}
#[unsafe(no_mangle)]
pub extern "C" fn _testfunc_callback_with_pointer(f: extern "C" fn(*const c_int) -> c_int) -> c_int {
    let table = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
    f(table.as_ptr())
}
#[unsafe(no_mangle)]
pub extern "C" fn _testfunc_callback_i_if(value: c_int, f: extern "C" fn(c_int) -> c_int) -> c_int {
    let halves = std::iter::successors(Some(value), |v| Some(v / 2)).take_while(|&v| v != 0);
    halves.fold(0, |sum, v| sum.wrapping_add(f(v)))
}
#[unsafe(no_mangle)]
pub extern "C" fn _testfunc_callback_q_qf(value: c_longlong, f: extern "C" fn(c_longlong) -> c_longlong) -> c_longlong {
    let halves = std::iter::successors(Some(value), |v| Some(v / 2)).take_while(|&v| v != 0);
    halves.fold(0, |sum, v| sum.wrapping_add(f(v)))
}

/// The mean of a function over an interval, by the midpoints of equal steps.
#[unsafe(no_mangle)]
pub extern "C" fn integrate(
    a: c_double,
    b: c_double,
    f: extern "C" fn(c_double) -> c_double,
    steps: c_long,
) -> c_double {
    let step = (b - a) / steps as c_double;
    let (mut x, mut sum) = (a + 0.5 * step, 0.0);
    while (b - x) * (x - a) > 0.0 {
        sum += f(x);
        x += step;
    }
    sum / steps as c_double
}
type Compare = unsafe extern "C" fn(*const c_void, *const c_void) -> c_int;
#[unsafe(no_mangle)]
pub unsafe extern "C" fn my_qsort(base: *mut c_void, count: usize, width: usize, compare: Option<Compare>) {
    // SAFETY: the caller gives an array of so many items of this width.
    unsafe { libc::qsort(base, count, width, compare) }
}
