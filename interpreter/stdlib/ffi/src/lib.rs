//! Native modules of the family `ffi`: foreign functions and foreign memory. A home of unsafe code: what an address holds
//! is the script's word, as everywhere with `ctypes`.

use krait_object::ModuleDef;

mod _ctypes;
mod _ctypes_test;

pub static MODULES: &[&ModuleDef] = &[&_ctypes::MODULE, &_ctypes_test::MODULE];
