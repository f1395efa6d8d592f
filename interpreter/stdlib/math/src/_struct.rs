//! `_struct`: packing values into bytes by a format string.
//!
//! `format` works a format out, `codec` stores and reads single items. CPython counterpart: `Modules/_struct.c`.

mod codec;
mod format;
#[cfg(test)]
mod tests;
