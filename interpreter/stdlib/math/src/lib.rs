//! Native modules of the family `math`, one file or folder per module.

#![forbid(unsafe_code)]

use krait_object::ModuleDef;

mod _bisect;
mod _heapq;
mod _random;
mod _statistics;
mod _struct;
mod array;
mod cmath;
mod math;

pub static MODULES: &[&ModuleDef] = &[
    &_bisect::MODULE,
    &_heapq::MODULE,
    &_random::MODULE,
    &_statistics::MODULE,
    &_struct::MODULE,
    &array::MODULE,
    &cmath::MODULE,
    &math::MODULE,
];
