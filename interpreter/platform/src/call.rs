//! How this crate makes system calls: results with error numbers, arguments converted to what C takes, and the macro that
//! declares the calls whose arguments are numbers, C strings and slices only.
use std::ffi::{CStr, c_char};

/// `Err` is the error number.
pub type Sys<T> = Result<T, i32>;

/// What C functions return to say "look at errno".
pub trait Status: Copy {
    fn failed(self) -> bool;
}
macro_rules! status {
    ($($t:ty),*) => { $(impl Status for $t {
        fn failed(self) -> bool { self == -1 }
    })* };
}
status!(i32, i64, isize);

/// The result of a call, or the error number that it left.
pub fn check<T: Status>(result: T) -> Sys<T> {
    if result.failed() { Err(crate::errno::last()) } else { Ok(result) }
}

/// An argument as C takes it. The pointer is good while `self` lives.
pub(crate) trait Raw {
    type C;
    fn raw(&self) -> Self::C;
}
macro_rules! raw_number {
    ($($t:ty),*) => { $(impl Raw for $t {
        type C = $t;
        fn raw(&self) -> $t { *self }
    })* };
}
raw_number!(i32, u32, i64, u64, usize, isize);
impl Raw for &CStr {
    type C = *const c_char;
    fn raw(&self) -> *const c_char {
        self.as_ptr()
    }
}
impl Raw for Option<&CStr> {
    type C = *const c_char;
    fn raw(&self) -> *const c_char {
        self.map_or(std::ptr::null(), CStr::as_ptr)
    }
}

/// `fn name(arguments) -> type = libc::function;` rows: the arguments are passed as they are, -1 means an error.
macro_rules! calls {
    ($($(#[$doc:meta])* fn $name:ident($($arg:ident: $ty:ty),* $(,)?) -> $ret:ty = $c:path;)*) => { $(
        $(#[$doc])*
        pub fn $name($($arg: $ty),*) -> $crate::call::Sys<$ret> {
            // SAFETY: numbers and NUL-terminated strings that live during the call, which keeps none of them.
            $crate::call::check(unsafe { $c($($crate::call::Raw::raw(&$arg)),*) })
        }
    )* };
}
pub(crate) use calls;
