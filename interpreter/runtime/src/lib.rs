//! Builtin types and functions, protocols, exceptions, import, native binding.

#![forbid(unsafe_code)]

pub mod errors;
pub mod exceptions;
pub mod numtext;
pub mod text;
pub mod unicode;
