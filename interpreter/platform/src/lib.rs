//! The operating system behind safe functions: the second home of unsafe code.

pub mod call;
pub mod errno;
pub mod fd;
pub mod file;
pub mod fs;
pub mod libm;
pub mod memory;
pub mod path;
pub mod process;
pub mod signal;
pub mod thread;
pub mod time;
