//! Source decoding, the syntax tree, the front end, exact SyntaxErrors and unparse.
//!
//! [`parse`] takes decoded text or bytes and gives a tree ([`ast`]) with CPython's shape and positions. Nothing of
//! the parser that stands behind it shows through, so that it can be replaced. Symbol tables and code generation
//! live in `krait-compiler`. CPython counterpart: `Parser/`, `Python/ast_unparse.c`.
#![forbid(unsafe_code)]

pub mod ast;
mod barry;
mod convert;
mod depth;
mod error;
mod errors;
mod parse;
mod rescue;
mod source;
#[cfg(test)]
mod tests;
mod text;
mod unparse;

pub use error::{Location, SyntaxError, SyntaxErrorKind, Warning};
pub use errors::tokens::{Fault, Lexeme, Text, tokenize};
pub use parse::{Mode, ParseOptions, Parsed, parse, parse_text};
pub use source::{CodecHook, declared_encoding, decode_source, utf8_fault};
pub use unparse::unparse;
