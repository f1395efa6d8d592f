//! The object protocols: what `abstract.c` and parts of `object.c` are in CPython. Everything that acts on a value of
//! unknown type goes through here.
pub mod attr;
pub mod buffer;
pub mod call;
pub mod compare;
pub mod iter;
pub mod number;
pub mod repr;
pub mod sequence;
pub mod slice;
