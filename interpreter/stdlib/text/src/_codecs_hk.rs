//! `_codecs_hk`: the encodings of Hong Kong. CPython counterpart: `Modules/cjkcodecs/_codecs_hk.c`.

use krait_object::ModuleDef;
use krait_object::native::function;

use crate::_multibytecodec::{codec, coding};

pub static MODULE: ModuleDef = ModuleDef {
    functions: &[function("getcodec", "(name, /)", "The codec of that name.", |th, a| {
        codec::get(th, &a[0], coding::HK)
    })],
    ..ModuleDef::new("_codecs_hk")
};
