//! Opcodes, code objects as plain data, exception and line tables, marshal format, disassembler.
//!
//! Everything here is plain data without a `Value`: the compiler writes it, the VM derives its executable form from it.
#![forbid(unsafe_code)]

pub mod code;
pub mod disassemble;
pub mod location;
pub mod marshal;
pub mod opcodes;
pub mod stored;
pub mod verify;

pub use code::{CodeObject, Const, ExceptionEntry};
pub use opcodes::{Op, Word};
