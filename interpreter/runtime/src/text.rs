//! Text algorithms that know nothing of Python objects: a growing buffer of code points in the narrowest width,
//! searching, splitting, escaping and the codecs' cores. Text is a slice of code units of one width (`u8` Latin-1,
//! `u16`, `u32`), each unit a whole code point, as `str` stores it; bytes use the same functions through `u8`.
//! CPython counterparts: `Objects/stringlib/`, the codecs of `Objects/unicodeobject.c`.

pub mod buffer;
pub mod codec;
pub mod escape;
pub mod find;
pub mod shape;
pub mod split;
#[cfg(test)]
mod tests;

pub use buffer::{TextBuf, Unit};
