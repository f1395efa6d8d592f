//! Native modules of the family `crypto`, one file or folder per module; `algorithms` and `hasher` are what they share.
#![forbid(unsafe_code)]

mod algorithms;
mod hasher;

pub mod _blake2;
pub mod _hashlib;
pub mod _md5;
pub mod _sha1;
pub mod _sha2;
pub mod _sha3;
pub mod _ssl;

use krait_object::ModuleDef;

/// The modules of this family.
pub static MODULES: &[&ModuleDef] = &[
    &_blake2::MODULE,
    &_hashlib::MODULE,
    &_md5::MODULE,
    &_sha1::MODULE,
    &_sha2::MODULE,
    &_sha3::MODULE,
    &_ssl::MODULE,
];
