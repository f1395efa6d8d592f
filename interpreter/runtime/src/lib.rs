//! Builtin types and functions, protocols, exceptions, import, native binding.

#![forbid(unsafe_code)]

pub mod numtext;
pub mod text;
pub mod unicode;
