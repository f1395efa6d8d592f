//! Native modules of the family `language`, one file or folder per module.
#![forbid(unsafe_code)]

pub mod _ast;

use krait_object::ModuleDef;

/// The modules of this family.
pub static MODULES: &[&ModuleDef] = &[&_ast::MODULE];
