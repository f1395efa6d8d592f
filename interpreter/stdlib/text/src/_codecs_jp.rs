//! `_codecs_jp`: the encodings of Japan. CPython counterpart: `Modules/cjkcodecs/_codecs_jp.c`.

use krait_object::ModuleDef;
use krait_object::native::function;

use crate::_multibytecodec::{codec, coding};

pub static MODULE: ModuleDef = ModuleDef {
    functions: &[function("getcodec", "(name, /)", "The codec of that name.", |th, a| {
        codec::get(th, &a[0], coding::JP)
    })],
    ..ModuleDef::new("_codecs_jp")
};
