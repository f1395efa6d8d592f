//! Native modules of the family `data`, one file or folder per module.

#![forbid(unsafe_code)]

use krait_object::ModuleDef;

mod _datetime;
mod _decimal;
mod _elementtree;
mod _pickle;
mod _zoneinfo;
mod arguments;
mod expat;
mod pyexpat;

pub static MODULES: &[&ModuleDef] = &[
    &_datetime::MODULE,
    &_decimal::MODULE,
    &_elementtree::MODULE,
    &_pickle::MODULE,
    &_zoneinfo::MODULE,
    &pyexpat::MODULE,
];
