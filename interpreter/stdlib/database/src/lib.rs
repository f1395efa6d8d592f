//! Native modules of the family `database`, one file or folder per module.
#![forbid(unsafe_code)]

pub mod _sqlite3;

use krait_object::ModuleDef;

/// The modules of this family.
pub static MODULES: &[&ModuleDef] = &[&_sqlite3::MODULE];
