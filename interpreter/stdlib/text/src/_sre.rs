//! `_sre`: the regular-expression engine behind `Lib/re`.
//!
//! `lower` turns the code array that `re._compiler` emits into a `Program`, which `engine` and `backtrack` run;
//! `search` finds where to try. None of these know of objects. CPython counterpart: `Modules/_sre/`.

mod backtrack;
mod chars;
mod codes;
mod engine;
mod first;
mod lower;
mod program;
mod search;
#[cfg(test)]
mod tests;
mod text;
mod unit;
