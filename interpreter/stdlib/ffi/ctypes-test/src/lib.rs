//! The shared library that the suite's tests of `ctypes` call: functions, structures and variables with a C interface. A
//! home of unsafe code, loaded at run time; the interpreter is not linked to it. Its exports have the names and signatures
//! of those of CPython's `Modules/_ctypes/_ctypes_test.c`.
// A function's pointers are valid by the contract of its C signature, as a test states it in `argtypes`.
#![allow(clippy::missing_safety_doc, reason = "every function has the contract of its C counterpart")]

mod bits;
mod callbacks;
mod numbers;
mod strings;
mod structures;
