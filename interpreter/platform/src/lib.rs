//! The operating system behind safe functions: the second home of unsafe code.

pub mod errno;
pub mod libm;
pub mod memory;
