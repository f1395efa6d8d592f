//! The C library's locale: settings, collation, message catalogues. And the system log.
use std::ffi::{CStr, CString, c_char, c_int};

/// # Safety
/// Null or NUL-terminated.
unsafe fn text(p: *const c_char) -> Option<Vec<u8>> {
    // SAFETY: the caller's promise.
    if p.is_null() { None } else { Some(unsafe { CStr::from_ptr(p) }.to_bytes().to_vec()) }
}
/// Sets a category, or asks with `None`; `None` back: refused.
pub fn set(category: i32, locale: Option<&CStr>) -> Option<Vec<u8>> {
    let locale = locale.map_or(std::ptr::null(), CStr::as_ptr);
    // SAFETY: null or NUL-terminated; only one thread runs Python code; the result is copied at once.
    unsafe { text(libc::setlocale(category, locale)) }
}
pub fn langinfo(item: i32) -> Vec<u8> {
    // SAFETY: the result is copied at once.
    unsafe { text(libc::nl_langinfo(item)) }.unwrap_or_default()
}
pub fn collate(a: &CStr, b: &CStr) -> i32 {
    // SAFETY: NUL-terminated.
    unsafe { libc::strcoll(a.as_ptr(), b.as_ptr()) }
}
/// Bytes that compare as the text collates.
pub fn transform(s: &CStr) -> Vec<u8> {
    // SAFETY: a null buffer of length 0 asks for the length; then the buffer is writable for its length.
    unsafe {
        let n = libc::strxfrm(std::ptr::null_mut(), s.as_ptr(), 0);
        let mut out = vec![0u8; n + 1];
        libc::strxfrm(out.as_mut_ptr().cast(), s.as_ptr(), n + 1);
        out.truncate(n);
        out
    }
}
/// `localeconv`: texts by name (groupings are bytes), then numbers by name.
pub struct Conventions {
    pub texts: Vec<(&'static str, Vec<u8>)>,
    pub numbers: Vec<(&'static str, i8)>,
}
pub fn conventions() -> Conventions {
    // SAFETY: the structure is the C library's and is copied at once.
    unsafe {
        let l = &*libc::localeconv();
        let t = |p: *mut c_char| text(p).unwrap_or_default();
        Conventions {
            texts: vec![
                ("decimal_point", t(l.decimal_point)),
                ("thousands_sep", t(l.thousands_sep)),
                ("grouping", t(l.grouping)),
                ("int_curr_symbol", t(l.int_curr_symbol)),
                ("currency_symbol", t(l.currency_symbol)),
                ("mon_decimal_point", t(l.mon_decimal_point)),
                ("mon_thousands_sep", t(l.mon_thousands_sep)),
                ("mon_grouping", t(l.mon_grouping)),
                ("positive_sign", t(l.positive_sign)),
                ("negative_sign", t(l.negative_sign)),
            ],
            numbers: vec![
                ("int_frac_digits", l.int_frac_digits as i8),
                ("frac_digits", l.frac_digits as i8),
                ("p_cs_precedes", l.p_cs_precedes as i8),
                ("p_sep_by_space", l.p_sep_by_space as i8),
                ("n_cs_precedes", l.n_cs_precedes as i8),
                ("n_sep_by_space", l.n_sep_by_space as i8),
                ("p_sign_posn", l.p_sign_posn as i8),
                ("n_sign_posn", l.n_sign_posn as i8),
            ],
        }
    }
}
mod intl {
    use super::{c_char, c_int};
    unsafe extern "C" {
        pub fn dcgettext(domain: *const c_char, message: *const c_char, category: c_int) -> *mut c_char;
        pub fn textdomain(domain: *const c_char) -> *mut c_char;
        pub fn bindtextdomain(domain: *const c_char, dir: *const c_char) -> *mut c_char;
        pub fn bind_textdomain_codeset(domain: *const c_char, codeset: *const c_char) -> *mut c_char;
    }
}
fn pointer(s: Option<&CStr>) -> *const c_char {
    s.map_or(std::ptr::null(), CStr::as_ptr)
}
pub fn translate(domain: Option<&CStr>, message: &CStr, category: i32) -> Vec<u8> {
    // SAFETY: NUL-terminated or null; the result is copied at once.
    unsafe { text(intl::dcgettext(pointer(domain), message.as_ptr(), category)) }.unwrap_or_default()
}
pub fn text_domain(domain: Option<&CStr>) -> Option<Vec<u8>> {
    // SAFETY: as above.
    unsafe { text(intl::textdomain(pointer(domain))) }
}
pub fn bind_domain(domain: &CStr, dir: Option<&CStr>) -> Option<Vec<u8>> {
    // SAFETY: as above.
    unsafe { text(intl::bindtextdomain(domain.as_ptr(), pointer(dir))) }
}
pub fn bind_codeset(domain: &CStr, codeset: Option<&CStr>) -> Option<Vec<u8>> {
    // SAFETY: as above.
    unsafe { text(intl::bind_textdomain_codeset(domain.as_ptr(), pointer(codeset))) }
}
/// The system log. The identity must live as long as the log is open, so it is kept here.
pub mod syslog {
    use super::*;
    use std::sync::Mutex;
    static IDENT: Mutex<Option<CString>> = Mutex::new(None);

    pub fn open(ident: Option<CString>, options: i32, facility: i32) {
        let mut held = IDENT.lock().unwrap_or_else(|e| e.into_inner());
        let pointer = ident.as_deref().map_or(std::ptr::null(), CStr::as_ptr);
        // SAFETY: null or NUL-terminated; the string moves into the static, which keeps its memory in place.
        unsafe { libc::openlog(pointer, options, facility) };
        *held = ident;
    }
    pub fn close() {
        // SAFETY: no arguments.
        unsafe { libc::closelog() };
        *IDENT.lock().unwrap_or_else(|e| e.into_inner()) = None;
    }
    pub fn write(priority: i32, message: &CStr) {
        // SAFETY: a constant format for one NUL-terminated string.
        unsafe { libc::syslog(priority, c"%s".as_ptr(), message.as_ptr()) };
    }
    pub fn mask(mask: i32) -> i32 {
        // SAFETY: a number only.
        unsafe { libc::setlogmask(mask) }
    }
}
