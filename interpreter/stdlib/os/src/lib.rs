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
pub mod structs;
pub mod time;

pub mod _locale;
pub mod _multiprocessing;
pub mod _posixshmem;
pub mod _queue;
pub mod _uuid;
pub mod faulthandler;
pub mod fcntl;
pub mod grp;
pub mod mmap;
pub mod pwd;
pub mod resource;
pub mod select;
pub mod syslog;
pub mod termios;
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
    &_locale::MODULE,
    &_posixshmem::MODULE,
    &_queue::MODULE,
    &_uuid::MODULE,
    &faulthandler::MODULE,
    &fcntl::MODULE,
    &grp::MODULE,
    &pwd::MODULE,
    &resource::MODULE,
    &select::MODULE,
    &syslog::MODULE,
    &termios::MODULE,
    &mmap::MODULE,
    &_multiprocessing::MODULE,
];
