//! `binascii`: bytes to text encodings and back, checksums.
//!
//! The codecs are in the submodules. CPython counterpart: `Modules/binascii.c`.

mod base64;
mod checksum;
mod quoted_printable;
#[cfg(test)]
mod tests;
mod uu;
