//! Libraries that are opened when they are first asked for: neither the build nor the start depends on them.
use std::ffi::{CStr, c_void};

/// A pointer to something that only the library looks into.
pub type P = *mut c_void;

/// Who sees the symbols of a library: its user alone, or the libraries opened later too.
#[derive(Clone, Copy)]
pub enum Seen {
    Alone = libc::RTLD_LOCAL as isize,
    ByAll = libc::RTLD_GLOBAL as isize,
}
/// The first of these libraries that the system has; it stays loaded for good.
pub fn open(names: &[&CStr], seen: Seen) -> Option<P> {
    // SAFETY: NUL-terminated names.
    let open = |name: &&CStr| unsafe { libc::dlopen(name.as_ptr(), libc::RTLD_NOW | seen as i32) };
    names.iter().map(open).find(|handle| !handle.is_null())
}
/// The address of a function or variable.
pub fn symbol(handle: P, name: &CStr) -> Option<P> {
    // SAFETY: a handle of `open`, which stays valid, and a NUL-terminated name.
    let symbol = unsafe { libc::dlsym(handle, name.as_ptr()) };
    (!symbol.is_null()).then_some(symbol)
}

/// A structure with a library's functions, and the addresses of its variables, under their own names:
/// `api! { struct Api { fn isatty(c_int) -> c_int; static environ: P; } }`
macro_rules! api {
    ($(struct $struct:ident {
        $(fn $name:ident($($arg:ty),* $(,)?) $(-> $ret:ty)?;)*
        $(static $var:ident: $type:ty;)*
    })*) => { $(
        /// The library's functions and the addresses of its variables.
        #[allow(non_snake_case, reason = "the names of the library")]
        pub struct $struct {
            $(pub $name: unsafe extern "C" fn($($arg),*) $(-> $ret)?,)*
            $(pub $var: *mut $type,)*
        }
        impl $struct {
            /// `None` where the library lacks one of them.
            ///
            /// # Safety
            /// A handle of a library whose functions and variables have these types.
            unsafe fn load(handle: $crate::dynamic::P) -> Option<$struct> {
                let symbol = |name| {
                    $crate::dynamic::symbol(handle, std::ffi::CStr::from_bytes_with_nul(name).ok()?)
                };
                Some($struct {
                    $($name: {
                        let symbol = symbol(concat!(stringify!($name), "\0").as_bytes())?;
                        // SAFETY: the caller's promise about types.
                        unsafe {
                            std::mem::transmute::<
                                $crate::dynamic::P,
                                unsafe extern "C" fn($($arg),*) $(-> $ret)?,
                            >(symbol)
                        }
                    },)*
                    $($var: symbol(concat!(stringify!($var), "\0").as_bytes())?.cast(),)*
                })
            }
        }
    )* };
}
pub(crate) use api;
