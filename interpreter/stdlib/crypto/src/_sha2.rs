//! `_sha2`: the hashes of the family SHA-2. CPython: `Modules/sha2module.c`.
use krait_object::native::function;
use krait_object::{Method, ModuleDef, type_flag};
use krait_runtime::types::module;
use krait_runtime::types::type_::ready::ready_class;

use crate::hasher::{self, CONSTRUCTOR};
use crate::{algorithms, hash_attributes, hash_class, hash_methods};

pub static MODULE: ModuleDef = ModuleDef {
    functions: FUNCTIONS,
    init: Some(|th, m| {
        for (name, def) in [
            ("SHA224Type", &SHA224_DEF),
            ("SHA256Type", &SHA256_DEF),
            ("SHA384Type", &SHA384_DEF),
            ("SHA512Type", &SHA512_DEF),
        ] {
            ready_class(th, def);
            module::dict(m).set_text(name, def.class.to_value());
        }
        Ok(())
    }),
    ..ModuleDef::new("_sha2")
};
const FLAGS: u32 = type_flag::IMMUTABLE | type_flag::DISALLOW_INSTANTIATION;

hash_class!(Sha224 SHA224 SHA224_DEF, "_sha2" "SHA224Type" {
    methods: hash_methods!(Sha224, "(obj, /)"),
    getset: hash_attributes!(Sha224),
    flags: FLAGS,
});
hash_class!(Sha256 SHA256 SHA256_DEF, "_sha2" "SHA256Type" {
    methods: hash_methods!(Sha256, "(obj, /)"),
    getset: hash_attributes!(Sha256),
    flags: FLAGS,
});
hash_class!(Sha384 SHA384 SHA384_DEF, "_sha2" "SHA384Type" {
    methods: hash_methods!(Sha384, "(obj, /)"),
    getset: hash_attributes!(Sha384),
    flags: FLAGS,
});
hash_class!(Sha512 SHA512 SHA512_DEF, "_sha2" "SHA512Type" {
    methods: hash_methods!(Sha512, "(obj, /)"),
    getset: hash_attributes!(Sha512),
    flags: FLAGS,
});

static FUNCTIONS: &[Method] = &[
    function("sha224", CONSTRUCTOR, "A hash object for SHA224, which has taken string.", |th, a| {
        hasher::make::<Sha224>(th, &algorithms::SHA224, a)
    }),
    function("sha256", CONSTRUCTOR, "A hash object for SHA256, which has taken string.", |th, a| {
        hasher::make::<Sha256>(th, &algorithms::SHA256, a)
    }),
    function("sha384", CONSTRUCTOR, "A hash object for SHA384, which has taken string.", |th, a| {
        hasher::make::<Sha384>(th, &algorithms::SHA384, a)
    }),
    function("sha512", CONSTRUCTOR, "A hash object for SHA512, which has taken string.", |th, a| {
        hasher::make::<Sha512>(th, &algorithms::SHA512, a)
    }),
];
