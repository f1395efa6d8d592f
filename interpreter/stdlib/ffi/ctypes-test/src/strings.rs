//! Strings and memory.
use std::ffi::{c_char, c_int, c_void};

use libc::wchar_t;

#[unsafe(no_mangle)]
pub unsafe extern "C" fn my_strtok(token: *mut c_char, delimiters: *const c_char) -> *mut c_char {
    // SAFETY: the contract of C's function.
    unsafe { libc::strtok(token, delimiters) }
}
#[unsafe(no_mangle)]
pub unsafe extern "C" fn my_strchr(s: *const c_char, c: c_int) -> *mut c_char {
    // SAFETY: as above.
    unsafe { libc::strchr(s, c) }
}
#[unsafe(no_mangle)]
pub extern "C" fn get_strchr() -> *const c_void {
    libc::strchr as *const c_void
}
#[unsafe(no_mangle)]
pub unsafe extern "C" fn my_strdup(s: *const c_char) -> *mut c_char {
    // SAFETY: as above.
    unsafe { libc::strdup(s) }
}
#[unsafe(no_mangle)]
pub unsafe extern "C" fn my_free(block: *mut c_void) {
    // SAFETY: as above.
    unsafe { libc::free(block) }
}
#[unsafe(no_mangle)]
pub unsafe extern "C" fn my_wcslen(s: *const wchar_t) -> usize {
    // SAFETY: as above.
    unsafe { libc::wcslen(s) }
}
#[unsafe(no_mangle)]
pub unsafe extern "C" fn my_wcsdup(s: *const wchar_t) -> *mut wchar_t {
    // SAFETY: a block of the string's size with its end.
    unsafe {
        let size = (libc::wcslen(s) + 1) * size_of::<wchar_t>();
        let copy = libc::malloc(size);
        if !copy.is_null() {
            libc::memcpy(copy, s.cast(), size);
        }
        copy.cast()
    }
}
