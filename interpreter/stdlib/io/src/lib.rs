//! Native modules of the family `io`, one file or folder per module.
#![forbid(unsafe_code)]

use krait_object::ModuleDef;

pub mod _io;

/// The modules of this family.
pub static MODULES: &[&ModuleDef] = &[&_io::MODULE];
