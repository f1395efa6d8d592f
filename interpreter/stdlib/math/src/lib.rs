//! Native modules of the family `math`, one file or folder per module.

#![forbid(unsafe_code)]

use krait_object::ModuleDef;

mod _struct;

pub static MODULES: &[&ModuleDef] = &[&_struct::MODULE];
