//! `_csv`: reading and writing delimited text.
//!
//! `parse` and `dialect` know of characters only. CPython counterpart: `Modules/_csv.c`.

mod dialect;
mod parse;
