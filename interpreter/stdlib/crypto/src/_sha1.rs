//! `_sha1`: the hash SHA-1. CPython: `Modules/sha1module.c`.
use krait_object::native::function;
use krait_object::{Method, ModuleDef, type_flag};
use krait_runtime::types::module;
use krait_runtime::types::type_::ready::ready_class;

use crate::hasher::{self, CONSTRUCTOR};
use crate::{algorithms, hash_attributes, hash_class, hash_methods};

pub static MODULE: ModuleDef = ModuleDef {
    functions: FUNCTIONS,
    init: Some(|th, m| {
        ready_class(th, &SHA1_DEF);
        module::dict(m).set_text("SHA1Type", SHA1_DEF.class.to_value());
        Ok(())
    }),
    ..ModuleDef::new("_sha1")
};
const FLAGS: u32 = type_flag::IMMUTABLE | type_flag::DISALLOW_INSTANTIATION;

hash_class!(Sha1 SHA1 SHA1_DEF, "_sha1" "sha1" {
    methods: hash_methods!(Sha1, "(obj, /)"),
    getset: hash_attributes!(Sha1),
    flags: FLAGS,
});

static FUNCTIONS: &[Method] =
    &[function("sha1", CONSTRUCTOR, "A hash object for SHA1, which has taken string.", |th, a| {
        hasher::make::<Sha1>(th, &algorithms::SHA1, a)
    })];
