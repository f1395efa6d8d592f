//! Native modules of the family `os`, one file or folder per module.
#![forbid(unsafe_code)]

pub mod _posixsubprocess;
pub mod _signal;
pub mod _stat;
pub mod _thread;
pub mod arguments;
pub mod constants;
pub mod errno;
pub mod posix;
pub mod seconds;
pub mod structs;
pub mod time;

use krait_object::ModuleDef;

/// The modules of this family.
pub static MODULES: &[&ModuleDef] = &[
    &_posixsubprocess::MODULE,
    &_signal::MODULE,
    &_stat::MODULE,
    &_thread::MODULE,
    &errno::MODULE,
    &posix::MODULE,
    &time::MODULE,
];
