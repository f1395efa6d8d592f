//! The conformance harness: CPython's own test suite on a subject and on the reference, compared case by case.
//!
//! It drives binaries and knows nothing of the interpreter's crates, so that CPython itself can be the subject.

#![forbid(unsafe_code)]

pub mod api;
pub mod bisect;
pub mod changed;
pub mod commands;
pub mod compare;
pub mod exit;
pub mod expectations;
pub mod flake;
pub mod fuzz;
pub mod gate;
pub mod progress;
pub mod record;
pub mod reference;
pub mod report;
pub mod repro;
pub mod run;
pub mod score;
pub mod scratch;
pub mod signature;
pub mod suite;
pub mod supervisor;
pub mod triage;
pub mod trust;
pub mod worker;

#[cfg(test)]
mod tests;
