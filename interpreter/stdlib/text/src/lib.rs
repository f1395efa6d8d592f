//! Native modules of the family `text`, one file or folder per module.

#![forbid(unsafe_code)]

use krait_object::ModuleDef;

mod _codecs;
mod _codecs_cn;
mod _codecs_hk;
mod _codecs_iso2022;
mod _codecs_jp;
mod _codecs_kr;
mod _codecs_tw;
mod _csv;
mod _json;
mod _multibytecodec;
mod _sre;
mod _string;
mod binascii;
mod unicodedata;

#[cfg(test)]
mod tests;

pub static MODULES: &[&ModuleDef] = &[
    &_codecs::MODULE,
    &_codecs_cn::MODULE,
    &_codecs_hk::MODULE,
    &_codecs_iso2022::MODULE,
    &_codecs_jp::MODULE,
    &_codecs_kr::MODULE,
    &_codecs_tw::MODULE,
    &_csv::MODULE,
    &_json::MODULE,
    &_multibytecodec::MODULE,
    &_sre::MODULE,
    &_string::MODULE,
    &binascii::MODULE,
    &unicodedata::MODULE,
];
