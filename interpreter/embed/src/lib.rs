//! The public Rust API: build an interpreter, run source, reach the `krait` command's behaviour.
#![forbid(unsafe_code)]

pub mod command;
mod compile;
pub mod interactive;
mod paths;
mod start;

pub use krait_object::Thread;
pub use krait_runtime::config::{Config, Flags};
pub use start::{finalize, initialize, new_thread};
