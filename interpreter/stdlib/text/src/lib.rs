//! Native modules of the family `text`, one file or folder per module.

#![forbid(unsafe_code)]

use krait_object::ModuleDef;

mod _codecs;
mod _csv;
mod _json;
mod _sre;
mod _string;
mod binascii;
mod unicodedata;

#[cfg(test)]
mod tests;

pub static MODULES: &[&ModuleDef] = &[
    &_codecs::MODULE,
    &_csv::MODULE,
    &_json::MODULE,
    &_sre::MODULE,
    &_string::MODULE,
    &binascii::MODULE,
    &unicodedata::MODULE,
];
