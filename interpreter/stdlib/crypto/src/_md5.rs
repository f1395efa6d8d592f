//! `_md5`: the hash MD5. CPython: `Modules/md5module.c`.
use krait_object::native::function;
use krait_object::{Method, ModuleDef, type_flag};
use krait_runtime::types::module;
use krait_runtime::types::type_::ready::ready_class;

use crate::hasher::{self, CONSTRUCTOR};
use crate::{algorithms, hash_attributes, hash_class, hash_methods};

pub static MODULE: ModuleDef = ModuleDef {
    functions: FUNCTIONS,
    init: Some(|th, m| {
        ready_class(th, &MD5_DEF);
        module::dict(m).set_text("MD5Type", MD5_DEF.class.to_value());
        Ok(())
    }),
    ..ModuleDef::new("_md5")
};
const FLAGS: u32 = type_flag::IMMUTABLE | type_flag::DISALLOW_INSTANTIATION;

hash_class!(Md5 MD5 MD5_DEF, "_md5" "md5" {
    methods: hash_methods!(Md5, "(obj, /)"),
    getset: hash_attributes!(Md5),
    flags: FLAGS,
});

static FUNCTIONS: &[Method] =
    &[function("md5", CONSTRUCTOR, "A hash object for MD5, which has taken string.", |th, a| {
        hasher::make::<Md5>(th, &algorithms::MD5, a)
    })];
