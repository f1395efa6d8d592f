//! Source decoding, the syntax tree, the front end, exact SyntaxErrors and unparse.
//!
//! The tree ([`ast`]) has the shape of CPython's ASDL and CPython's positions. Nothing of the parser that stands
//! behind [`parse`] shows through, so that it can be replaced. Symbol tables and code generation live in
//! `krait-compiler`. CPython counterpart: `Parser/`, `Python/ast_unparse.c`.
#![forbid(unsafe_code)]

pub mod ast;
