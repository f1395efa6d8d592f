//! The operating system behind safe functions: the second home of unsafe code.

pub mod call;
pub mod errno;
pub mod fault;
pub mod fd;
pub mod file;
pub mod fs;
pub mod libm;
pub mod locale;
pub mod map;
pub mod memory;
pub mod path;
pub mod process;
pub mod signal;
pub mod socket;
pub mod standard;
pub mod terminal;
pub mod thread;
pub mod time;
pub mod users;
pub mod wait;
