//! `_codecs_iso2022`: the encodings of the ISO 2022 family. CPython counterpart: `Modules/cjkcodecs/_codecs_iso2022.c`.

use krait_object::ModuleDef;
use krait_object::native::function;

use crate::_multibytecodec::{codec, coding};

pub static MODULE: ModuleDef = ModuleDef {
    functions: &[function("getcodec", "(name, /)", "The codec of that name.", |th, a| {
        codec::get(th, &a[0], coding::ISO2022)
    })],
    ..ModuleDef::new("_codecs_iso2022")
};
