//! The reference CPython, embedded.
fn main() {}
