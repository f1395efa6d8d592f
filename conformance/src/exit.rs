//! Exit codes of the commands. The parser of arguments has 2 for wrong ones.

/// Something was found: a difference, a missing name, an unstable case, a fault, a conflict.
pub const FOUND: u8 = 1;
/// The command could not do its work, and says why on standard error.
pub const ERROR: u8 = 3;
pub const NEW_FAILURE: u8 = 10;
pub const CHANGED_CRASH: u8 = 11;
pub const UNEXPECTED_PASS: u8 = 12;
pub const OTHER_SUITE: u8 = 13;
pub const NOTHING_RUN: u8 = 14;
pub const FAULTY_EXPECTATIONS: u8 = 15;
/// As a shell reports SIGINT.
pub const INTERRUPTED: u8 = 130;

/// 0 when nothing was found.
pub fn found(any: bool) -> u8 {
    if any { FOUND } else { 0 }
}
