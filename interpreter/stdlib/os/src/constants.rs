//! The integer constants of this family's modules, one generated table each, and how they get into a module.
use krait_object::Value;
use krait_runtime::types::module;

pub mod errno;
pub mod fcntl;
pub mod locale;
pub mod mmap;
pub mod posix;
pub mod resource;
pub mod select;
pub mod signal;
pub mod stat;
pub mod syslog;
pub mod termios;
pub mod time;

/// Puts a table into a module.
pub fn add(m: &Value, table: &[(&str, i64)]) {
    let d = module::dict(m);
    for (name, value) in table {
        d.set_text(name, *value);
    }
}
