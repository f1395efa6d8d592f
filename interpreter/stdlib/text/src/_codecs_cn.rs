//! `_codecs_cn`: the encodings of mainland China. CPython counterpart: `Modules/cjkcodecs/_codecs_cn.c`.

use krait_object::ModuleDef;
use krait_object::native::function;

use crate::_multibytecodec::{codec, coding};

pub static MODULE: ModuleDef = ModuleDef {
    functions: &[function("getcodec", "(name, /)", "The codec of that name.", |th, a| {
        codec::get(th, &a[0], coding::CN)
    })],
    ..ModuleDef::new("_codecs_cn")
};
