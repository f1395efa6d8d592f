//! Structures and unions, by value and by reference.
use std::ffi::{c_double, c_float, c_int, c_long, c_short, c_uint, c_ulong};

/// `Test`: three numbers, more than registers hold.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Longs {
    first: c_ulong,
    second: c_ulong,
    third: c_ulong,
}
/// The callee's copy is its own: a write is not seen by the caller.
#[unsafe(no_mangle)]
pub extern "C" fn _testfunc_large_struct_update_value(mut value: Longs) {
    let place = std::hint::black_box(&mut value);
    *place = Longs { first: 0x0bad_f00d, second: 0x0bad_f00d, third: 0x0bad_f00d };
}
/// `TestReg`
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Pair {
    first: c_uint,
    second: c_uint,
}
#[unsafe(no_mangle)]
pub static mut last_tfrsuv_arg: Pair = Pair { first: 0, second: 0 };
#[unsafe(no_mangle)]
pub extern "C" fn _testfunc_reg_struct_update_value(mut value: Pair) {
    // SAFETY: tests use the variable from one thread.
    unsafe { last_tfrsuv_arg = value };
    let place = std::hint::black_box(&mut value);
    *place = Pair { first: 0x0bad_f00d, second: 0x0bad_f00d };
}

/// `Test2`
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Bytes {
    data: [u8; 16],
}
#[unsafe(no_mangle)]
pub extern "C" fn _testfunc_array_in_struct2(mut value: Bytes) -> c_int {
    let sum = value.data.iter().map(|&b| c_int::from(b)).sum();
    value.data.fill(0);
    std::hint::black_box(&mut value);
    sum
}
/// `Test3A`
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Floats {
    data: [c_float; 2],
    more_data: [c_float; 2],
}
#[unsafe(no_mangle)]
pub extern "C" fn _testfunc_array_in_struct3A(value: Floats) -> c_double {
    value.data.iter().chain(&value.more_data).map(|&x| c_double::from(x)).sum()
}
/// `Test3B` and on: arrays of doubles of several sizes.
macro_rules! doubles {
    ($($type:ident $n:literal $sum:ident $make:ident;)*) => { $(
        #[repr(C)]
        #[derive(Clone, Copy)]
        pub struct $type {
            data: [c_double; $n],
        }
        #[unsafe(no_mangle)]
        pub extern "C" fn $sum(mut value: $type) -> c_double {
            let sum = value.data.iter().sum();
            value.data.fill(0.0);
            std::hint::black_box(&mut value);
            sum
        }
        #[unsafe(no_mangle)]
        pub extern "C" fn $make() -> $type {
            $type { data: std::array::from_fn(|i| (i + 1) as c_double) }
        }
    )* };
}
doubles! {
    Doubles2 2 _testfunc_array_in_struct3B _testfunc_array_in_struct3B_set_defaults;
    Doubles4 4 _testfunc_array_in_struct3C _testfunc_array_in_struct3C_set_defaults;
    Doubles8 8 _testfunc_array_in_struct3D _testfunc_array_in_struct3D_set_defaults;
    Doubles9 9 _testfunc_array_in_struct3E _testfunc_array_in_struct3E_set_defaults;
}

/// The struct of `Test4`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Ints {
    an_int: c_int,
    another_int: c_int,
}
/// `Test4`
#[repr(C)]
#[derive(Clone, Copy)]
pub union LongOrInts {
    a_long: c_long,
    a_struct: Ints,
}
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Nested {
    an_int: c_int,
    a_union: LongOrInts,
}
/// `Test5`
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Outer {
    an_int: c_int,
    nested: Nested,
    another_int: c_int,
}
#[unsafe(no_mangle)]
pub extern "C" fn _testfunc_union_by_value1(value: LongOrInts) -> c_long {
    // SAFETY: every bit pattern is a number.
    unsafe { value.a_long + c_long::from(value.a_struct.an_int) + c_long::from(value.a_struct.another_int) }
}
#[unsafe(no_mangle)]
pub extern "C" fn _testfunc_union_by_value2(value: Outer) -> c_long {
    c_long::from(value.an_int) + c_long::from(value.nested.an_int)
}
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _testfunc_union_by_reference1(value: *mut LongOrInts) -> c_long {
    // SAFETY: the caller gives a place, here and below; every bit pattern is a number.
    unsafe { std::mem::replace(&mut *value, LongOrInts { a_long: 0 }).a_long }
}
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _testfunc_union_by_reference2(value: *mut LongOrInts) -> c_long {
    // SAFETY: as above.
    let held = unsafe { std::mem::replace(&mut *value, LongOrInts { a_long: 0 }).a_struct };
    (held.an_int + held.another_int).into()
}
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _testfunc_union_by_reference3(value: *mut Outer) -> c_long {
    let zero = Outer { an_int: 0, nested: Nested { an_int: 0, a_union: LongOrInts { a_long: 0 } }, another_int: 0 };
    // SAFETY: as above.
    let held = unsafe { std::mem::replace(&mut *value, zero) };
    (held.an_int + held.nested.an_int + held.another_int).into()
}

/// `point`
#[repr(C)]
#[derive(Clone, Copy)]
pub struct IntPoint {
    x: c_int,
    y: c_int,
}
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _testfunc_byval(value: IntPoint, out: *mut IntPoint) -> c_int {
    if !out.is_null() {
        // SAFETY: the caller gives a place or null.
        unsafe { *out = value };
    }
    value.x + value.y
}
/// `POINT`
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Point {
    x: c_long,
    y: c_long,
}
/// `RECT`
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Rect {
    left: c_long,
    top: c_long,
    right: c_long,
    bottom: c_long,
}
#[unsafe(no_mangle)]
pub static left: c_long = 10;
#[unsafe(no_mangle)]
pub static top: c_long = 20;
#[unsafe(no_mangle)]
pub static right: c_long = 30;
#[unsafe(no_mangle)]
pub static bottom: c_long = 40;
#[unsafe(no_mangle)]
pub unsafe extern "C" fn PointInRect(rect: *const Rect, p: Point) -> c_int {
    // SAFETY: the caller gives a rectangle.
    let rect = unsafe { &*rect };
    let inside = (rect.left..=rect.right).contains(&p.x) && (rect.top..=rect.bottom).contains(&p.y);
    inside.into()
}
/// Answers one of the rectangles, marked where the arguments did not arrive as they were given.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ReturnRect(
    which: c_int,
    a: Rect,
    b: *const Rect,
    c: Point,
    d: Rect,
    e: *const Rect,
    f: Point,
    g: Rect,
) -> Rect {
    // SAFETY: the caller gives rectangles.
    let all = unsafe { [a, *b, d, *e, g] };
    if all.iter().map(|r| r.left).sum::<c_long>() != left * 5 {
        return Rect { left: 100, ..a };
    }
    if all.iter().map(|r| r.right).sum::<c_long>() != right * 5 {
        return Rect { right: 100, ..a };
    }
    let a = match (c.x == f.x, c.y == f.y) {
        (_, false) => Rect { left: -200, ..a },
        (false, true) => Rect { left: -100, ..a },
        (true, true) => a,
    };
    match which {
        1 => d,
        2 => g,
        _ => a,
    }
}
/// `S2H`
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Shorts {
    x: c_short,
    y: c_short,
}
#[unsafe(no_mangle)]
pub extern "C" fn ret_2h_func(value: Shorts) -> Shorts {
    Shorts { x: value.x * 2, y: value.y * 3 }
}
/// `S8I`
#[repr(C)]
#[derive(Clone, Copy)]
pub struct EightInts {
    items: [c_int; 8],
}
#[unsafe(no_mangle)]
pub extern "C" fn ret_8i_func(value: EightInts) -> EightInts {
    EightInts { items: std::array::from_fn(|i| value.items[i] * (i as c_int + 2)) }
}
