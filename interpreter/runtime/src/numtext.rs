//! Numbers to text and back, as plain functions over `i64`, `f64` and `BigInt`: repr, formatting, parsing, exact
//! conversions between integers and floats, the format-spec mini-language and the `%` engine's numeric parts.
//! What knows Python objects (argument checks, the digit limit of `sys.set_int_max_str_digits`) is with the types.
//! CPython counterparts: `Python/dtoa.c`, `Python/pystrtod.c`, `Python/formatter_unicode.c`, parts of `longobject.c`.

pub mod complex;
pub mod digits;
pub mod exact;
pub mod float_format;
pub mod float_hex;
pub mod float_parse;
pub mod int_parse;
pub mod int_text;
pub mod percent;
pub mod spec;
pub mod spec_format;
pub mod spec_layout;
pub mod steps;
#[cfg(test)]
mod tests;

/// An allocation whose size the script chose could not be had; the caller raises MemoryError.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfMemory;

impl From<std::collections::TryReserveError> for OutOfMemory {
    fn from(_: std::collections::TryReserveError) -> OutOfMemory {
        OutOfMemory
    }
}
