//! Numbers of every type: given, returned, remembered.
use std::ffi::{
    c_double, c_float, c_int, c_long, c_longlong, c_schar, c_short, c_uchar, c_uint, c_ulong, c_ulonglong, c_ushort,
    c_void,
};

/// The last argument of a `tf_*` function, as a signed or an unsigned number.
#[unsafe(no_mangle)]
pub static mut last_tf_arg_s: c_longlong = 0;
#[unsafe(no_mangle)]
pub static mut last_tf_arg_u: c_ulonglong = 0;
#[unsafe(no_mangle)]
pub static mut an_integer: c_int = 42;

#[unsafe(no_mangle)]
pub extern "C" fn get_an_integer() -> c_int {
    // SAFETY: tests use the variable from one thread.
    unsafe { an_integer }
}

/// Functions that answer a third of a number, alone and behind a byte that shifts it.
macro_rules! thirds {
    ($($name:ident $behind:ident $type:ty, $last:ident $as:ty;)*) => { $(
        #[unsafe(no_mangle)]
        pub extern "C" fn $name(c: $type) -> $type {
            // SAFETY: tests use the variables from one thread.
            unsafe { $last = c as $as };
            c / 3 as $type
        }
        #[unsafe(no_mangle)]
        pub extern "C" fn $behind(_: c_schar, c: $type) -> $type {
            $name(c)
        }
    )* };
}
thirds! {
    tf_b tf_bb c_schar, last_tf_arg_s c_longlong;
    tf_B tf_bB c_uchar, last_tf_arg_u c_ulonglong;
    tf_h tf_bh c_short, last_tf_arg_s c_longlong;
    tf_H tf_bH c_ushort, last_tf_arg_u c_ulonglong;
    tf_i tf_bi c_int, last_tf_arg_s c_longlong;
    tf_I tf_bI c_uint, last_tf_arg_u c_ulonglong;
    tf_l tf_bl c_long, last_tf_arg_s c_longlong;
    tf_L tf_bL c_ulong, last_tf_arg_u c_ulonglong;
    tf_q tf_bq c_longlong, last_tf_arg_s c_longlong;
    tf_Q tf_bQ c_ulonglong, last_tf_arg_u c_ulonglong;
    tf_f tf_bf c_float, last_tf_arg_s c_longlong;
    tf_d tf_bd c_double, last_tf_arg_s c_longlong;
}
#[unsafe(no_mangle)]
pub extern "C" fn tv_i(c: c_int) {
    // SAFETY: as above.
    unsafe { last_tf_arg_s = c.into() };
}

/// The sum in the order and the types of C's conversions.
fn sum(b: c_schar, h: c_short, i: c_int, l: c_long, f: c_float) -> c_float {
    (c_long::from(c_int::from(b) + c_int::from(h) + i) + l) as c_float + f
}
#[unsafe(no_mangle)]
pub extern "C" fn _testfunc_i_bhilfd(b: c_schar, h: c_short, i: c_int, l: c_long, f: c_float, d: c_double) -> c_int {
    (c_double::from(sum(b, h, i, l, f)) + d) as c_int
}
#[unsafe(no_mangle)]
pub extern "C" fn _testfunc_f_bhilfd(b: c_schar, h: c_short, i: c_int, l: c_long, f: c_float, d: c_double) -> c_float {
    (c_double::from(sum(b, h, i, l, f)) + d) as c_float
}
#[unsafe(no_mangle)]
pub extern "C" fn _testfunc_d_bhilfd(b: c_schar, h: c_short, i: c_int, l: c_long, f: c_float, d: c_double) -> c_double {
    c_double::from(sum(b, h, i, l, f)) + d
}
#[unsafe(no_mangle)]
pub extern "C" fn _testfunc_q_bhilfd(
    b: c_schar,
    h: c_short,
    i: c_int,
    l: c_long,
    f: c_float,
    d: c_double,
) -> c_longlong {
    (c_double::from(sum(b, h, i, l, f)) + d) as c_longlong
}
#[unsafe(no_mangle)]
pub extern "C" fn _testfunc_q_bhilfdq(
    b: c_schar,
    h: c_short,
    i: c_int,
    l: c_long,
    f: c_float,
    d: c_double,
    q: c_longlong,
) -> c_longlong {
    (c_double::from(sum(b, h, i, l, f)) + d + q as c_double) as c_longlong
}
#[unsafe(no_mangle)]
pub extern "C" fn my_sqrt(a: c_double) -> c_double {
    a.sqrt()
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn _testfunc_v(a: c_int, b: c_int, result: *mut c_int) {
    // SAFETY: the caller gives a place.
    unsafe { *result = a + b };
}
#[unsafe(no_mangle)]
pub extern "C" fn _testfunc_ai8(items: *mut c_int) -> *mut c_int {
    items
}
#[unsafe(no_mangle)]
pub extern "C" fn _testfunc_p_p(s: *mut c_void) -> *mut c_void {
    s
}
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _testfunc_c_p_p(count: *const c_int, items: *const *mut c_void) -> *mut c_void {
    // SAFETY: the caller gives as many items as it says.
    unsafe { *items.offset(*count as isize - 1) }
}

/// `long double`, which Rust has not: it is given in memory and returned on the stack of the x87 unit.
#[cfg(target_arch = "x86_64")]
mod long_double {
    use std::arch::naked_asm;
    use std::ffi::{c_float, c_int, c_long, c_schar, c_short};

    static THREE: c_int = 3;

    /// `long double tf_D(long double c)`
    #[unsafe(no_mangle)]
    #[unsafe(naked)]
    pub extern "C" fn tf_D() {
        naked_asm!(
            "fld tbyte ptr [rsp + 8]",
            "fld st(0)",
            "mov rax, [rip + {last}@GOTPCREL]",
            "fisttp qword ptr [rax]",
            "fidiv dword ptr [rip + {three}]",
            "ret",
            last = sym super::last_tf_arg_s,
            three = sym THREE,
        )
    }
    /// `long double tf_bD(signed char x, long double c)`: the byte comes in a register.
    #[unsafe(no_mangle)]
    #[unsafe(naked)]
    pub extern "C" fn tf_bD() {
        naked_asm!("jmp {same}", same = sym tf_D)
    }
    extern "C" fn sum(b: c_schar, h: c_short, i: c_int, l: c_long, f: c_float) -> c_float {
        super::sum(b, h, i, l, f)
    }
    /// `long double _testfunc_D_bhilfD(signed char, short, int, long, float, long double)`
    #[unsafe(no_mangle)]
    #[unsafe(naked)]
    pub extern "C" fn _testfunc_D_bhilfD() {
        naked_asm!(
            "sub rsp, 8",
            "call {sum}",
            "movss [rsp], xmm0",
            "fld dword ptr [rsp]",
            "add rsp, 8",
            "fld tbyte ptr [rsp + 8]",
            "faddp st(1), st",
            "ret",
            sum = sym sum,
        )
    }
}
