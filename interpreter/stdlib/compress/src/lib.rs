//! Native modules of the family `compress`, one file or folder per module.
#![forbid(unsafe_code)]

pub mod _bz2;
pub mod _lzma;
mod output;
pub mod zlib;

use krait_object::ModuleDef;

/// The modules of this family.
pub static MODULES: &[&ModuleDef] = &[&zlib::MODULE, &_bz2::MODULE, &_lzma::MODULE];
